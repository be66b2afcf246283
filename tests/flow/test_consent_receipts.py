"""A receipt from a real register: every answer with its words, the state that the gate sees, the notice of the day."""

from datetime import timedelta
from typing import Any, cast

import pytest

from dispatcher.errors import NotFoundError
from dispatcher.flow.answering import Said
from dispatcher.flow.consent_receipts import ReceiptForm
from dispatcher.flow.papers import Form, written
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.receipts import check_receipt
from tests.workshop import Workshop

MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;ei;3.2.2026 14:05"
WORDS = "Saako lähettää tarjouksia sähköpostitse?"


def enrol(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Import Maija, who said yes to email and no to text messages, and return her number; a minute passes."""
    dispatcher.enrol.run(workshop.register(MAIJA), dispatcher.persons.acting(None))
    workshop.clock.advance(timedelta(minutes=1))
    return dispatcher.register.find("maija@posti.example")


def receipt(dispatcher: Dispatcher, client: int, *channels: Channel) -> dict[str, Any]:
    """Return a client's receipt, checked against its schema."""
    found = dispatcher.receipts.as_json(
        dispatcher.receipts.make(client, channels or tuple(Channel), dispatcher.persons.acting(None))
    )
    check_receipt(found)
    return cast("dict[str, Any]", found)


def test_a_receipt_tells_every_answer(workshop: Workshop) -> None:
    """D-01: yes, no and withdrawal each stand in the record of their channel; one that names none stands in both."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(client, actor)
        email, sms = receipt(dispatcher, client)["records"]
    assert ["Given", "Withdrawn"] == [each["event_state"].removeprefix("dpv:Consent") for each in email["event"]]
    assert ["Refused", "Withdrawn"] == [each["event_state"].removeprefix("dpv:Consent") for each in sms["event"]]
    yes, no = email["event"]
    assert ("2026-02-03T14:05:00+02:00", "2026-11-23T12:00:00+02:00") == (
        yes["event_time"],
        yes["evidence"]["recorded_at"],
    )
    assert (WORDS, "online", str(actor)) == tuple(yes["evidence"][each] for each in ("wording", "method", "collector"))
    assert ("desk", None) == (no["evidence"]["method"], no["channel"])
    assert "dpv:ConsentWithdrawn" == email["pii_processing"]["purposes"][0]["consent_status"]


def test_an_event_is_the_ledgers_own(workshop: Workshop) -> None:
    """D-03: each event names its ledger entry and that entry's digest, so that the receipt can be held against it."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        [record] = receipt(dispatcher, client, Channel.EMAIL)["records"]
        with dispatcher.store.reading() as connection:
            digests = {entry.id: entry.digest for entry in ledger.entries(connection)}
        evidence = record["event"][0]["evidence"]
    assert digests[evidence["ledger_entry"]] == evidence["ledger_digest"] == record["integrity"]["prev_record_hash"]


def test_a_kept_objection_is_told(workshop: Workshop) -> None:
    """An objection kept for the address alone has no entry, and is told all the same."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(client, actor)
        workshop.clock.advance(timedelta(minutes=1))
        from dispatcher.flow.correcting import Correction
        from dispatcher.rules.rights import IdentityCheck

        for email in ("uusi@posti.example", "maija@posti.example"):
            dispatcher.correcting.correct(client, Correction(email=email), IdentityCheck.KNOWN, actor)
        events = receipt(dispatcher, client, Channel.EMAIL)["records"][0]["event"]
    assert ["person:1", "person:1", "suppression"] == [each["evidence"]["collector"] for each in events]
    assert None is events[-1]["evidence"]["ledger_digest"]


def test_the_notice_is_that_of_the_day(workshop: Workshop) -> None:
    """Each answer names the version of the notice that was in force when it was given, and the one before it none."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.notices.publish(actor)
        workshop.clock.advance(timedelta(minutes=1))
        said = [Said(Reply.GRANTED, Channel.EMAIL, Place.PHONE, WORDS)]
        dispatcher.answering.record(client, said, actor)
        [record] = receipt(dispatcher, client, Channel.EMAIL)["records"]
        published = dispatcher.notices.published()[0]
    assert [None, 1] == [each["evidence"]["notice_version"] for each in record["event"]]
    notice = record["pii_processing"]["privacy_notice"]
    assert (1, published.hash_in(Language.FI)) == (notice["version"], notice["sha256"])


def test_the_booking_stands_as_its_hash(workshop: Workshop) -> None:
    """The reference of the booking in which the question was asked is there as a keyed hash and never itself."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        said = [Said(Reply.GRANTED, Channel.EMAIL, Place.ONLINE, WORDS, booking="VARAUS-123")]
        dispatcher.answering.record(client, said, actor)
        found = receipt(dispatcher, client, Channel.EMAIL)
    booking = found["records"][0]["event"][-1]["evidence"]["booking_ref_hmac"]
    assert 64 == len(booking)
    assert "VARAUS" not in str(found)


def test_the_way_out_works(workshop: Workshop) -> None:
    """The link in a receipt is the client's own opt-out link, and beside it stand the phone, the mail and the desk."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        ways = receipt(dispatcher, client, Channel.SMS)["records"][0]["pii_processing"]["purposes"][0][
            "withdrawal_method"
        ]
        link = dispatcher.links.read(ways[0].rpartition("/")[2])
    assert OptOut(client, Channel.SMS) == link
    assert ["tel:+358400000000", "mailto:hei@tunturituuli.example", "in-person"] == ways[1:]


@pytest.mark.parametrize("language", Language)
def test_a_person_can_read_it(workshop: Workshop, language: Language) -> None:
    """The page says the same in every language: the words of the question, the answers, how to say no."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        made = dispatcher.receipts.make(client, tuple(Channel), dispatcher.persons.acting(None), language)
        page = written(dispatcher.receipts.paper(made), Form.HTML).decode()
        text = written(dispatcher.receipts.paper(made), Form.TEXT).decode()
    assert f'<html lang="{language}">' in page
    for words in (WORDS, "Maija Meikäläinen", "maija@posti.example", "+358 40 000 0000", "ISO/IEC TS 27560:2023"):
        assert words in page
        assert words in text
    told = {"fi": "3.2.2026 klo 14.05", "sv": "3.2.2026 kl. 14.05", "en": "3 February 2026 at 2:05 pm"}
    assert told[language] in page.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("form", [ReceiptForm.KANTARA, ReceiptForm.DPV])
def test_other_forms_tell_one_channel_each(workshop: Workshop, form: ReceiptForm) -> None:
    """D-04: Kantara's form and the JSON-LD hold a receipt for each channel asked for."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        found = dispatcher.receipts.as_json(
            dispatcher.receipts.make(client, tuple(Channel), dispatcher.persons.acting(None)), form
        )
    assert len(Channel) == len(cast("list[object]", found["receipts"]))


def test_nobody_has_no_receipt(workshop: Workshop) -> None:
    """A number nobody has is said to be nobody's."""
    with workshop.opened() as dispatcher, pytest.raises(NotFoundError, match="No client has the number 5"):
        dispatcher.receipts.make(5, tuple(Channel), dispatcher.persons.acting(None))
