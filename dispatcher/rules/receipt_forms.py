"""The same consent record in two other forms: Kantara's consent receipt and DPV's JSON-LD (D-04)."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Reply
from dispatcher.rules.ledger import Json
from dispatcher.rules.processing import AUTHORITY, AUTHORITY_URL, Processing
from dispatcher.rules.receipt import STATEMENT, Event, Subject, local, status

_KANTARA = "KI-CR-v1.1.0"
_DATA = {Channel.EMAIL: "dpv-pd:EmailAddress", Channel.SMS: "dpv-pd:TelephoneNumber"}


def kantara(subject: Subject, events: Sequence[Event], processing: Processing) -> dict[str, Json]:
    """Return the answers of one client and channel under the field names of Kantara's receipt, version 1.1.0.

    `consentTimestamp` is the moment of the yes that stands, else of the last answer that has a time, else None.
    """
    studio = processing.studio
    given = _given(subject, events)
    service: dict[str, Json] = {
        "service": studio.name,
        "purposes": [
            {
                "purpose": subject.purpose,
                "purposeCategory": ["Direct Marketing"],
                "consentType": "EXPLICIT",
                "piiCategory": ["Contact", "Name"],
                "primaryPurpose": False,
                "termination": f"{processing.studio.notice_in(subject.language)}; {processing.periods.retention}",
                "thirdPartyDisclosure": False,
            }
        ],
    }
    return {
        "version": _KANTARA,
        "statement": STATEMENT.replace("ISO/IEC TS 27560:2023", "Kantara's consent receipt 1.1.0"),
        "jurisdiction": processing.country,
        "consentTimestamp": int(given.timestamp()) if given else None,
        "consentStatus": status(subject.consent),
        "collectionMethod": next((e.answer.place.value for e in reversed(events) if e.answer.place), ""),
        "consentReceiptID": subject.record_id,
        "language": subject.language.value,
        "piiPrincipalId": subject.principal,
        "piiControllers": [
            {
                "piiController": studio.name,
                "onBehalf": False,
                "contact": studio.email,
                "address": {"streetAddress": studio.postal_address, "addressCountry": processing.country},
                "email": studio.email,
                "phone": studio.phone,
            }
        ],
        "policyUrl": subject.notice.url,
        "services": [service],
        "sensitive": False,
        "spiCat": [],
    }


def dpv(subject: Subject, events: Sequence[Event], processing: Processing, zone: ZoneInfo) -> dict[str, Json]:
    """Return the answers of one client and channel as JSON-LD in the terms of DPV 2."""
    given = _given(subject, events)
    ends = subject.consent.ends_at
    return {
        "@context": {
            "dpv": "https://w3id.org/dpv#",
            "dpv-pd": "https://w3id.org/dpv/pd#",
            "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
            "dct": "http://purl.org/dc/terms/",
        },
        "@id": f"urn:uuid:{subject.record_id}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": {"@id": "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"},
        "dct:description": STATEMENT,
        "dct:identifier": subject.record_id,
        "dct:language": subject.language.value,
        "dct:date": local(given, zone) if given else None,
        "dct:valid": local(ends, zone) if ends else None,
        "dpv:hasDataSubject": {"@id": f"urn:{subject.principal}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": {"@type": "dpv:DataController", "dct:title": processing.studio.name},
        "dpv:hasRecipient": [
            {"@type": "dpv:DataProcessor", "dct:title": each.name} for each in processing.handling(subject.channel)
        ],
        "dpv:hasPurpose": {"@type": "dpv:DirectMarketing", "dct:description": subject.purpose},
        "dpv:hasPersonalData": [{"@type": _DATA[subject.channel]}, {"@type": "dpv-pd:FirstName"}],
        "dpv:hasLegalBasis": {"@id": "eu-gdpr:A6-1-a"},
        "dpv:hasNotice": {"@id": subject.notice.url, "@type": "dpv:ConsentNotice"},
        "dpv:hasStorageCondition": {"@type": "dpv:StorageDuration", "dpv:hasDuration": processing.periods.retention},
        "dpv:hasJurisdiction": processing.country,
        "dpv:hasAuthority": {"@id": AUTHORITY_URL, "dct:title": AUTHORITY},
        "dpv:hasConsentControl": [
            {"@type": "dpv:WithdrawConsent", "dct:description": each} for each in subject.withdrawal
        ],
        "dpv:hasConsentStatus": [_dpv_event(each, zone) for each in events],
    }


def _dpv_event(event: Event, zone: ZoneInfo) -> dict[str, Json]:
    answer = event.answer
    states = {Reply.GRANTED: "Given", Reply.DECLINED: "Refused", Reply.WITHDRAWN: "Withdrawn"}
    moment = answer.not_before or answer.not_after
    return {
        "@type": f"dpv:Consent{states.get(answer.reply, 'Unknown')}",
        "dpv:isIndicatedAtTime": local(moment, zone) if moment else None,
        "dpv:hasIndicationMethod": answer.place.value if answer.place else None,
        "dct:description": event.wording,
    }


def _given(subject: Subject, events: Sequence[Event]) -> datetime | None:
    """Return the moment of the yes that stands, else of the last answer whose time is known."""
    standing = subject.consent.answer
    if standing is not None and subject.consent.ends_at is not None:
        return standing.not_before
    times = [each.answer.not_before or each.answer.not_after for each in events]
    return next((moment for moment in reversed(times) if moment), None)
