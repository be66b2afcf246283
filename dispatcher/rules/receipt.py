"""A client's answers for one channel as a consent record: the field names follow ISO/IEC TS 27560 (rules.md, D).

One purpose and one channel a record. Every answer is an event, the noes too (D-01); an event holds the words of its
question and their SHA-256 (D-02), and never an IP address or a browser's name (D-05).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Consent, ConsentState, Place, Reply
from dispatcher.rules.ledger import Json, canonical
from dispatcher.rules.processing import (
    AUTHORITY,
    AUTHORITY_ADDRESS,
    AUTHORITY_EMAIL,
    AUTHORITY_URL,
    Processing,
    duration,
)

SCHEMA = "ISO/IEC-TS-27560:2023;profile=consent-dispatcher/1"
STATEMENT = "The field names follow ISO/IEC TS 27560:2023 and the terms are those of DPV 2; nobody has certified it."
"""What every receipt says of itself (D-04)."""
CONTROLLER = "C1"
_AUTHORITY = "A1"
_NAMESPACE = UUID("7c2a54a6-52f7-5a0e-9a3a-0f6f4b6f7d10")
_STATES = {
    Reply.GRANTED: "dpv:ConsentGiven",
    Reply.DECLINED: "dpv:ConsentRefused",
    Reply.WITHDRAWN: "dpv:ConsentWithdrawn",
    Reply.NOT_ASKED: "dpv:ConsentUnknown",
}
_STATUSES = {
    ConsentState.NEVER_ASKED: "dpv:ConsentUnknown",
    ConsentState.GRANTED: "dpv:ConsentGiven",
    ConsentState.DECLINED: "dpv:ConsentRefused",
    ConsentState.WITHDRAWN: "dpv:ConsentWithdrawn",
    ConsentState.EXPIRED: "dpv:ConsentExpired",
}


@dataclass(frozen=True, slots=True)
class NoticeInForce:
    """The privacy notice at a moment: where it stands, its version and its hash; None before the first version."""

    url: str
    version: int | None = None
    sha256: str | None = None

    def as_json(self) -> dict[str, Json]:
        """Return it as a record names it."""
        return {"url": self.url, "version": self.version, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Event:
    """An answer with its evidence: `collector` is the actor who recorded it, `digest` that of its ledger entry.

    `booking` is the keyed hash of the booking in which the question was asked. A suppression has no entry, so neither.
    """

    answer: Answer
    collector: str
    notice: NoticeInForce
    wording: str | None = None
    wording_id: str | None = None
    booking: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a record is about, by which channel, and what their answers mean now.

    `purpose` is the purpose in the client's language; `withdrawal` are the ways to say no, as links.
    """

    workspace: str
    number: int
    language: Language
    channel: Channel
    purpose: str
    consent: Consent
    notice: NoticeInForce
    withdrawal: Sequence[str] = field(default=())

    @property
    def principal(self) -> str:
        """Return how the record names the client: by the random number, which says nothing about them."""
        return f"client:{self.number}"

    @property
    def record_id(self) -> str:
        """Return the record's UUID, the same for the same client and channel."""
        return str(uuid5(_NAMESPACE, f"{self.workspace}/{self.number}/{self.channel}"))


def record(subject: Subject, events: Sequence[Event], processing: Processing, zone: ZoneInfo) -> dict[str, Json]:
    """Return the consent record of one client and channel; its times carry the offset of the business zone."""
    own: dict[str, Json] = {
        "schema_version": SCHEMA,
        "record_id": subject.record_id,
        "pii_principal_id": subject.principal,
        "pii_processing": {
            "privacy_notice": subject.notice.as_json(),
            "language": subject.language.value,
            "purposes": [_purpose(subject, events, processing, zone)],
        },
        "party_identification": parties(processing, subject.channel),
        "event": [_event(each, subject, processing, zone) for each in events],
    }
    before = next((each.digest for each in reversed(events) if each.digest), None)
    whole = hashlib.sha256(canonical(own).encode("ascii")).hexdigest()
    return own | {"integrity": {"prev_record_hash": before, "record_hash": whole}}


def receipt(records: Sequence[dict[str, Json]], issued_at: datetime, zone: ZoneInfo) -> dict[str, Json]:
    """Return the receipt that a client is given: whole records, under an id of its own."""
    issued = local(issued_at, zone)
    named = "/".join(str(each["record_id"]) for each in records)
    return {
        "receipt_id": str(uuid5(_NAMESPACE, f"{named}@{issued}")),
        "schema_version": SCHEMA,
        "statement": STATEMENT,
        "issued_at": issued,
        "records": list(records),
    }


def status(consent: Consent) -> str:
    """Return the DPV term for what the answers mean now."""
    return _STATUSES[consent.state]


def local(moment: datetime, zone: ZoneInfo) -> str:
    """Return an instant with the offset of the business zone, to the second."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def parties(processing: Processing, channel: Channel | None = None) -> list[dict[str, Json]]:
    """Return controller, processors and authority; of the processors only those who handle this channel, if named."""
    studio = processing.studio
    handling = processing.handling(channel) if channel else processing.processors
    controller: dict[str, Json] = {
        "party_id": CONTROLLER,
        "party_name": studio.name,
        "party_role": "dpv:DataController",
        "party_type": "controller",
        "party_address": studio.postal_address,
        "party_email": studio.email,
        "party_phone": studio.phone,
        "party_contact": [studio.email, studio.phone],
    }
    authority: dict[str, Json] = {
        "party_id": _AUTHORITY,
        "party_name": AUTHORITY,
        "party_role": "dpv:Authority",
        "party_type": "authority",
        "party_address": AUTHORITY_ADDRESS,
        "party_email": AUTHORITY_EMAIL,
        "party_url": AUTHORITY_URL,
        "party_contact": [AUTHORITY_URL],
    }
    processors: list[dict[str, Json]] = [
        {
            "party_id": each.id,
            "party_name": each.name,
            "party_role": "dpv:DataProcessor",
            "party_type": "processor",
            "party_address": each.country or processing.country,
            "party_contact": [studio.email],
        }
        for each in handling
    ]
    return [controller, *processors, authority]


def _purpose(subject: Subject, events: Sequence[Event], processing: Processing, zone: ZoneInfo) -> dict[str, Json]:
    handling = processing.handling(subject.channel)
    carrier = processing.carrier(subject.channel)
    keepers = [each.country for each in handling if each.channel is None and each.country] or [processing.country]
    places = sorted({processing.country, *keepers, *([carrier.country] if carrier and carrier.country else [])})
    ends = subject.consent.ends_at
    return {
        "purpose": subject.purpose,
        "purpose_type": "dpv:DirectMarketing",
        "lawful_basis": "eu-gdpr:A6-1-a",
        "channel": subject.channel.value,
        "consent_status": status(subject.consent),
        "valid_until": local(ends, zone) if ends else None,
        "pii_information": _information(subject.channel),
        "pii_controllers": [CONTROLLER],
        "collection_method": _collected(events),
        "processing_method": ["store", "use-for-sending"],
        "storage_locations": keepers,
        "retention_period": processing.periods.retention,
        "processing_locations": list(places),
        "geographic_restrictions": [] if any(each.reaches_outside for each in handling) else ["EU", "EEA"],
        "jurisdiction": processing.country,
        "recipient_third_parties": [each.id for each in handling],
        "withdrawal_method": list(subject.withdrawal),
        "privacy_rights": subject.notice.url,
        "authority_party": _AUTHORITY,
    }


def _information(channel: Channel) -> list[dict[str, Json]]:
    kinds = (("email" if channel is Channel.EMAIL else "phone_number", False), ("first_name", True), ("language", True))
    return [
        {
            "pii_type": kind,
            "pii_optional": optional,
            "sensitive_pii_category": False,
            "special_pii_category": False,
        }
        for kind, optional in kinds
    ]


def _collected(events: Sequence[Event]) -> str | None:
    """Return where the last answer was collected that says so."""
    places = [each.answer.place for each in events if each.answer.place]
    return places[-1].value if places else None


def _event(event: Event, subject: Subject, processing: Processing, zone: ZoneInfo) -> dict[str, Json]:
    answer = event.answer
    is_yes = answer.reply is Reply.GRANTED
    state = _STATES[answer.reply]
    if is_yes and answer.place is Place.RENEWAL:
        state = "dpv:RenewedConsentGiven"
    first, last = answer.not_before or answer.not_after, answer.not_after
    found: dict[str, Json] = {
        "event_id": f"e{answer.entry}",
        "event_time": local(first, zone) if first else None,
        "validity_duration": duration(processing.periods.valid_days if is_yes else 0),
        "entity_id": subject.principal,
        "event_type": "dpv:ExpressedConsent",
        "event_state": state,
        "channel": answer.channel.value if answer.channel else None,
        "evidence": _evidence(event, zone),
    }
    if first and last and last > first:
        found["event_time_until"] = local(last, zone)
    return found


def _evidence(event: Event, zone: ZoneInfo) -> dict[str, Json]:
    answer = event.answer
    return {
        "method": answer.place.value if answer.place else None,
        "wording_id": event.wording_id,
        "wording_sha256": answer.wording,
        "wording": event.wording,
        "usable": answer.sound,
        "booking_ref_hmac": event.booking,
        "source": answer.source,
        "collector": event.collector,
        "recorded_at": local(answer.recorded_at, zone),
        "notice_version": event.notice.version,
        "notice_sha256": event.notice.sha256,
        "ledger_entry": answer.entry or None,
        "ledger_digest": event.digest,
    }
