"""A receipt tells every answer with its evidence, in the field names of ISO/IEC TS 27560, and nothing beside."""

import copy
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules import receipt, receipt_forms
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Place, Reply, fold
from dispatcher.rules.ledger import canonical
from dispatcher.rules.processing import Processing
from dispatcher.rules.receipt import Event, NoticeInForce, Subject
from dispatcher.rules.wording import wording_hash
from tests.receipts import AT_HOME, PROCESSING, STUDIO, check_receipt

ZONE = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
YES = datetime(2026, 2, 3, 12, 5, tzinfo=UTC)
WORDS = "Saako lähettää tarjouksia sähköpostitse?"
NOTICE = NoticeInForce("https://tunturituuli.example/tietosuoja", 3, "a" * 64)


def event(
    reply: Reply,
    at: datetime | None,
    channel: Channel | None = Channel.EMAIL,
    place: Place | None = Place.ONLINE,
    **more: Any,
) -> Event:
    """Return an answer with evidence, recorded a day after it was given."""
    entry = more.pop("entry", 7)
    recorded = (at or YES) + timedelta(days=1)
    wording = wording_hash(WORDS) if reply is Reply.GRANTED else None
    answer = Answer(entry, reply, channel, at, more.pop("until", at), recorded, place, wording)
    return Event(answer, "person:2", NOTICE, WORDS if wording else None, "fi-email-3", digest="d" * 64, **more)


def subject(events: Sequence[Event], channel: Channel = Channel.EMAIL) -> Subject:
    """Return whom a record is about, with what these answers mean."""
    consent = fold([each.answer for each in events], channel, NOW)
    ways = ("https://viestit.tunturituuli.example/u/abc", "tel:+358400000000", "in-person")
    return Subject("w", 77, Language.FI, channel, "Suoramarkkinointi sähköpostitse", consent, NOTICE, ways)


def record(
    events: Sequence[Event], channel: Channel = Channel.EMAIL, processing: Processing = PROCESSING
) -> dict[str, Any]:
    """Return the record of these answers."""
    return cast("dict[str, Any]", receipt.record(subject(events, channel), events, processing, ZONE))


def whole(made: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt of one record, checked against the schema."""
    found = receipt.receipt([made], NOW, ZONE)
    check_receipt(found)
    return cast("dict[str, Any]", found)


def test_a_yes_is_an_event_with_its_evidence() -> None:
    """D-01, D-02: a yes has its real time with an offset, its recorded time, its words, their hash, and the notice."""
    [told] = record([event(Reply.GRANTED, YES, booking="b" * 64)])["event"]
    assert ("2026-02-03T14:05:00+02:00", "P365D") == (told["event_time"], told["validity_duration"])
    assert ("dpv:ExpressedConsent", "dpv:ConsentGiven") == (told["event_type"], told["event_state"])
    evidence = told["evidence"]
    assert ("2026-02-04T14:05:00+02:00", "person:2", "online") == tuple(
        evidence[name] for name in ("recorded_at", "collector", "method")
    )
    assert (WORDS, hashlib.sha256(WORDS.encode()).hexdigest()) == (evidence["wording"], evidence["wording_sha256"])
    assert ("fi-email-3", "b" * 64, 3) == tuple(
        evidence[name] for name in ("wording_id", "booking_ref_hmac", "notice_version")
    )


@pytest.mark.parametrize(
    ("reply", "place", "state"),
    [
        (Reply.GRANTED, Place.ONLINE, "dpv:ConsentGiven"),
        (Reply.GRANTED, Place.RENEWAL, "dpv:RenewedConsentGiven"),
        (Reply.DECLINED, Place.PHONE, "dpv:ConsentRefused"),
        (Reply.WITHDRAWN, Place.ONE_CLICK, "dpv:ConsentWithdrawn"),
        (Reply.NOT_ASKED, None, "dpv:ConsentUnknown"),
    ],
)
def test_every_reply_is_an_event(reply: Reply, place: Place | None, state: str) -> None:
    """D-01: refusals, withdrawals and bookings without the question are told as well; only a yes lasts."""
    made = record([event(reply, YES, place=place)])
    whole(made)
    [told] = made["event"]
    assert state == told["event_state"]
    assert ("P365D" if reply is Reply.GRANTED else "P0D") == told["validity_duration"]


def test_a_span_has_two_ends() -> None:
    """An answer known by its day alone begins and ends with the day; one whose time nobody knows says so."""
    day = event(Reply.GRANTED, datetime(2026, 2, 2, 22, tzinfo=UTC), until=datetime(2026, 2, 3, 21, 59, 59, tzinfo=UTC))
    unknown = event(Reply.WITHDRAWN, None)
    made = record([day, unknown])
    whole(made)
    first, second = made["event"]
    assert ("2026-02-03T00:00:00+02:00", "2026-02-03T23:59:59+02:00") == (
        first["event_time"],
        first["event_time_until"],
    )
    assert (None, False) == (second["event_time"], "event_time_until" in second)


def test_the_purpose_says_what_holds_now() -> None:
    """The state is the fold's own: given until a year has passed, then expired, and withdrawn after a no."""
    yes = event(Reply.GRANTED, YES)
    old = event(Reply.GRANTED, YES - timedelta(days=365))
    no = event(Reply.WITHDRAWN, YES + timedelta(days=1), channel=None)
    found = [record(events)["pii_processing"]["purposes"][0] for events in ([yes], [old], [yes, no], [])]
    assert ["Given", "Expired", "Withdrawn", "Unknown"] == [
        each["consent_status"].removeprefix("dpv:Consent") for each in found
    ]
    assert ["2027-02-03T14:05:00+02:00", None, None, None] == [each["valid_until"] for each in found]


def test_recipients_are_those_of_the_channel() -> None:
    """L-42: the SMS provider stands in the record of text messages alone, which then promises no border."""
    email, sms = (record([], channel)["pii_processing"]["purposes"][0] for channel in Channel)
    assert (["P1"], ["P2"]) == (email["recipient_third_parties"], sms["recipient_third_parties"])
    assert (["EU", "EEA"], []) == (email["geographic_restrictions"], sms["geographic_restrictions"])
    assert ["C1", "P2", "A1"] == [each["party_id"] for each in record([], Channel.SMS)["party_identification"]]
    at_home = record([], Channel.SMS, AT_HOME)
    whole(at_home)
    assert ([], ["FI"]) == (
        at_home["pii_processing"]["purposes"][0]["recipient_third_parties"],
        at_home["pii_processing"]["purposes"][0]["processing_locations"],
    )


def test_a_record_is_sealed_over_everything_it_says() -> None:
    """D-03: the record's hash is that of the rest of it, and it names the ledger's digest of its newest answer."""
    made = record([event(Reply.GRANTED, YES)])
    sealed = made.pop("integrity")
    assert hashlib.sha256(canonical(made).encode("ascii")).hexdigest() == sealed["record_hash"]
    assert "d" * 64 == sealed["prev_record_hash"]
    made["event"][0]["event_state"] = "dpv:ConsentRefused"
    assert hashlib.sha256(canonical(made).encode("ascii")).hexdigest() != sealed["record_hash"]


def test_one_client_and_channel_is_one_record() -> None:
    """The record's id is the same at every time of asking, and differs by client, channel and installation."""
    email, sms = subject([]), subject([], Channel.SMS)
    assert email.record_id == subject([event(Reply.GRANTED, YES)]).record_id
    assert email.record_id != sms.record_id


def test_a_receipt_claims_no_certificate() -> None:
    """D-04: it says that field names follow the specification, and that nobody has certified it."""
    said = whole(record([event(Reply.GRANTED, YES)]))["statement"]
    assert "follow" in said
    assert "nobody has certified" in said
    assert not {"conformant", "compliant"} & set(said.lower().split())


@pytest.mark.parametrize("field", ["event_time", "evidence", "event_state", "entity_id"])
def test_the_schema_can_fail(field: str) -> None:
    """The schema refuses an event without a mandatory field, and a field that no event has."""
    good = whole(record([event(Reply.GRANTED, YES)]))
    for fault in ("missing", "strange"):
        broken = copy.deepcopy(good)
        told = broken["records"][0]["event"][0]
        if fault == "missing":
            del told[field]
        else:
            told["ip_address"] = "192.0.2.1"
        with pytest.raises(jsonschema.ValidationError):
            check_receipt(broken)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001 - a bound
EVENTS = st.builds(
    event,
    st.sampled_from(Reply),
    st.none() | MOMENTS,
    st.sampled_from([None, *Channel]),
    st.sampled_from([None, *Place]),
)


@given(st.lists(EVENTS, max_size=6), st.sampled_from(Channel))
def test_any_history_makes_a_sound_receipt(events: list[Event], channel: Channel) -> None:
    """D-01, D-05: whatever was answered, the receipt keeps to its schema, tells each answer, and no browser or IP."""
    own = [each for each in events if each.answer.concerns(channel)]
    found = whole(record(own, channel))
    assert len(own) == len(found["records"][0]["event"])
    names = set(json.dumps(found).lower().split('"'))
    assert names.isdisjoint({"ip", "ip_address", "user_agent", "browser"})


def test_kantara_names_its_fields() -> None:
    """D-04: Kantara's receipt has each of its required fields; the time is that of the standing yes, in seconds."""
    events = [event(Reply.GRANTED, YES), event(Reply.NOT_ASKED, YES + timedelta(days=9))]
    found = receipt_forms.kantara(subject(events), events, PROCESSING)
    required = "version jurisdiction consentTimestamp collectionMethod consentReceiptID language piiPrincipalId"
    required += " piiControllers policyUrl services sensitive spiCat"
    assert set(required.split()) <= set(found)
    assert ("KI-CR-v1.1.0", int(YES.timestamp()), False) == (
        found["version"],
        found["consentTimestamp"],
        found["sensitive"],
    )
    assert STUDIO.name == cast("Any", found["piiControllers"])[0]["piiController"]
    assert None is receipt_forms.kantara(subject([]), [], PROCESSING)["consentTimestamp"]


def test_dpv_speaks_in_terms() -> None:
    """D-04: every term of the JSON-LD is one of a vocabulary it declares, and every answer has its status."""
    events = [event(Reply.GRANTED, YES), event(Reply.WITHDRAWN, YES + timedelta(days=1), channel=None)]
    found = cast("Any", receipt_forms.dpv(subject(events), events, PROCESSING, ZONE))
    prefixes = {key.partition(":")[0] for key in found if not key.startswith("@")}
    assert prefixes <= set(found["@context"])
    assert ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"] == [each["@type"] for each in found["dpv:hasConsentStatus"]]
    assert "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr" == found["dct:conformsTo"]["@id"]
