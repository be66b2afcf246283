"""Mails to the owners: what needs them and what to type, in three languages."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from dispatcher.rendering.alert import Alert, words_of
from dispatcher.rendering.mime import Envelope
from dispatcher.rendering.service import ServiceRenderer
from dispatcher.rules.alerts import NEEDS_SOMEBODY, AlertKind
from dispatcher.rules.breaker import Trip
from dispatcher.rules.campaign import Language
from dispatcher.rules.ledger import Json
from dispatcher.rules.rights import RequestKind
from dispatcher.rules.studio import Studio

NOW = datetime(2026, 12, 9, 7, 0, tzinfo=UTC)
_NAMED: dict[str, Json] = {"name": "2026-12-joulu", "title": "Joulun <lahja> & lepo"}
VALUES: dict[AlertKind, dict[str, Json]] = {
    AlertKind.HELD: _NAMED | {"reason": "late"},
    AlertKind.REQUEST_OVERDUE: {"request": 7, "kind": RequestKind.ERASURE.value, "date": "2026-12-01"},
    AlertKind.RETENTION_OVERDUE: {"count": 12},
    AlertKind.YEAR_OVERDUE: {"year": 2026},
    AlertKind.IMPORT_STALE: {"days": 40},
    AlertKind.INCOMING: {"count": 2, "date": "2026-12-01"},
    AlertKind.DOOR_UNREAD: {"door": "imap", "date": "2026-12-01", "time": "09:30"},
    AlertKind.SLOT_WEEK: _NAMED | {"date": "2026-12-10", "time": "10:00"},
    AlertKind.SLOT_EVE: _NAMED
    | {"date": "2026-12-10", "time": "10:00", "email": 512, "sms": 97, "waiting": 3, "withheld": 40},
    AlertKind.YEAR_CLOSED: {"year": 2026, "campaigns": 8, "messages": 2311, "clients": 402, "findings": 0},
    AlertKind.FINISHED: _NAMED | {"email": 512, "sms": 97, "refused": 2, "unknown": 1, "withheld": 40},
}


def parts(studio: Studio, zone: ZoneInfo, alert: Alert) -> tuple[EmailMessage, str, str]:
    """Return the mail of an alert as a mail program reads it, and its two parts."""
    mail = ServiceRenderer(studio, zone).email(alert, Envelope("aino@tunturituuli.example", "m1", NOW))
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    plain, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    return message, plain.get_content(), page.get_content()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", AlertKind)
def test_both_parts_say_what_it_is_and_what_to_type(
    studio: Studio, zone: ZoneInfo, kind: AlertKind, language: Language
) -> None:
    """The command stands in both parts, no hole is left open, nothing is asked of the network, and no reply comes."""
    alert = Alert(language, kind, VALUES[kind])
    message, plain, page = parts(studio, zone, alert)
    words = words_of(alert)
    assert words.subject == message["Subject"]
    assert "auto-generated" == message["Auto-Submitted"]
    assert message["List-Unsubscribe"] is None
    for command in words.commands:
        assert command.startswith("dispatcher ")
        assert command in plain
        assert command in page
    assert words.text in plain
    assert ("dispatcher today --seen" in plain) is (kind in NEEDS_SOMEBODY)
    assert not any(mark in plain for mark in "{}")
    assert not any(mark in plain + page for mark in ("{{", "{%", "None", "<img", "src=", "https://"))
    assert "<lahja>" not in re.sub(r'="[^"]*"', "", page), "a title is text, not markup"


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("fi", "lähti 1 sähköposti ja 1 tekstiviesti.", "lähti 2 sähköpostia ja 0 tekstiviestiä."),
        ("sv", "1 e-postbrev och 1 sms", "2 e-postbrev och 0 sms"),
        ("en", "handed over 1 email and 1 text message.", "handed over 2 emails and 0 text messages."),
    ],
)
def test_a_number_and_its_noun_agree(language: str, one: str, many: str) -> None:
    """One email is no "1 emails"."""
    for (emails, texts), told in (((1, 1), one), ((2, 0), many)):
        values = VALUES[AlertKind.FINISHED] | {"email": emails, "sms": texts}
        assert told in words_of(Alert(Language(language), AlertKind.FINISHED, values)).text


@pytest.mark.parametrize(
    "reason",
    [
        "late",
        "interrupted",
        "by_hand",
        "no_slot",
        "rendering_failed",
        "restored",
        *(each.value for each in Trip if each is not Trip.DOMAIN),
    ],
)
def test_a_held_campaign_says_why(reason: str) -> None:
    """Each reason that the program knows has its sentence; any other stands as it is."""
    alert = Alert(Language.FI, AlertKind.HELD, VALUES[AlertKind.HELD] | {"reason": reason})
    assert "Syy:" not in words_of(alert).text
    other = Alert(Language.EN, AlertKind.HELD, VALUES[AlertKind.HELD] | {"reason": "some_thing"})
    assert words_of(other).text.endswith("Why: some thing.")
    bare = Alert(Language.EN, AlertKind.HELD, VALUES[AlertKind.HELD] | {"reason": None})
    assert words_of(bare).text.endswith("cancels it.")


def test_a_register_that_was_never_read_says_so() -> None:
    """Where no whole register has been read, no number of days is made up."""
    told = words_of(Alert(Language.EN, AlertKind.IMPORT_STALE, {"days": -1})).text
    assert told.startswith("The whole register has never been read.")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", [AlertKind.SLOT_WEEK, AlertKind.SLOT_EVE])
def test_a_slot_without_content_says_what_it_lacks(kind: AlertKind, language: Language) -> None:
    """No hour is named at which nothing would go out; a reservation and a draft each have their own words."""
    known = _NAMED | {"date": "2026-12-10", "time": "00:00"}
    told = [words_of(Alert(language, kind, known | {"state": state})) for state in ("reserved", "draft")]
    assert told[0].text != told[1].text
    for words in told:
        assert not any("00:00" in each for each in (words.subject, words.heading, words.text))
        assert "dispatcher campaign schedule campaigns/FILE.toml" in words.commands
