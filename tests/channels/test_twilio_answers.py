"""What Twilio's answers and errors mean: values in, outcomes out."""

from datetime import timedelta
from typing import Any

import pytest

from dispatcher.channels.twilio import TwilioSettings
from dispatcher.channels.twilio_answers import Answer, blame_of, forgotten_by, outcome_of, sightings_of
from dispatcher.rules.message import Blame, Outcome, OutcomeKind, Sms

ACCEPTED, DEFERRED = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED
REFUSED, UNKNOWN = OutcomeKind.REFUSED, OutcomeKind.UNKNOWN
WAITS = Outcome(DEFERRED, blame=Blame.CONNECTION)
SETTINGS = TwilioSettings("AC1", "SK1", "hunter2", "Studio", timeout_seconds=5)
SMS = Sms("+358401234567", "Kesä alkaa! Studio Esimerkki https://studio.example/u/abc", 1, 7200)


@pytest.mark.parametrize(
    ("code", "blame"),
    [
        ("21610", Blame.OBJECTION),
        ("21211", Blame.ADDRESS),
        ("21614", Blame.ADDRESS),
        ("21635", Blame.ADDRESS),
        ("30006", Blame.ADDRESS),
        ("30005", Blame.HANDSET),
        ("30004", Blame.BARRED),
        ("30007", Blame.POLICY),
        ("30003", Blame.MESSAGE),
        ("30008", Blame.MESSAGE),
        ("30034", Blame.MESSAGE),
        ("30001", Blame.MESSAGE),
        ("21408", Blame.MESSAGE),
        ("", Blame.MESSAGE),
        ("٣", Blame.MESSAGE),
    ],
)
def test_error_told_afterwards(code: str, blame: Blame) -> None:
    """The error table of B3 for a message that was taken: whom it concerns; of the connection it says no more."""
    assert blame is blame_of(code)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "17"}, timedelta(seconds=17)),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 20}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "9" * 7}, None),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT", "Date": "Mon, 04 May 2026 09:00:00 GMT"}, None),
        ({"Retry-After": "Mon, 04 May 2026 09:01:00 GMT"}, None),
        (
            {"Retry-After": "Mon, 04 May 2026 09:01:00 GMT", "Date": "Mon, 04 May 2026 09:00:00 GMT"},
            timedelta(minutes=1),
        ),
        (
            {"Retry-After": "Mon, 04 May 2026 09:00:00 GMT", "Date": "Mon, 04 May 2026 09:01:00 GMT"},
            timedelta(0),
        ),
    ],
)
def test_retry_after(headers: dict[str, str], wait: timedelta | None) -> None:
    """S-24: Retry-After is read as seconds or, by Twilio's own clock, as a date."""
    assert wait == outcome_of(Answer(429, headers, {})).retry_after


def test_error_without_a_number() -> None:
    """A 4xx whose body is not Twilio's is judged by its HTTP status."""
    assert Outcome(REFUSED, "400") == outcome_of(Answer(400, {}, {}))
    assert Outcome(DEFERRED, "401", blame=Blame.CONNECTION) == outcome_of(Answer(401, {}, {}))
    assert Outcome(REFUSED, "400") == outcome_of(Answer(400, {}, {"code": 10**30}))


def test_a_number_of_parts_that_is_none() -> None:
    """A number of parts that cannot be one does not undo that the message was accepted."""
    for told in ("9" * 5000, "0"):  # nought is what Twilio says while it does not know yet (S-07)
        accepted = outcome_of(Answer(201, {}, {"sid": "SM1", "num_segments": told}))
        assert Outcome(ACCEPTED, "201", provider_id="SM1") == accepted


@pytest.mark.parametrize(
    ("answer", "is_gone"),
    [
        (Answer(204, {}, {}), True),
        (Answer(404, {}, {"code": 20404}), True),
        (Answer(404, {}, {}), False),
        (Answer(200, {}, {}), False),
        (Answer(409, {}, {"code": 20009}), False),
        (Answer(503, {}, {}), False),
        (None, False),
    ],
)
def test_only_twilio_itself_confirms_a_deletion(answer: Answer | None, *, is_gone: bool) -> None:
    """S-28: 204, or Twilio's own code that it knows no such message; the page of a proxy confirms nothing."""
    assert is_gone is forgotten_by(answer).is_gone


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": None},
        {"messages": ["text"]},
        {"messages": [{"sid": "SM1", "body": "hei"}]},
        {"messages": [{"sid": "S M", "body": "hei", "date_created": "Mon, 04 May 2026 09:00:00 +0000"}]},
        {"messages": [{"sid": "SM1", "body": None, "date_created": "Mon, 04 May 2026 09:00:00 +0000"}]},
    ],
)
def test_a_list_that_cannot_be_read_says_nothing(body: dict[str, Any]) -> None:
    """S-26: a page that is none, or a row that cannot be read, makes the whole list worthless as proof."""
    assert sightings_of([Answer(200, {}, body)]) is None
    assert sightings_of([Answer(200, {}, {"messages": []})]) == ()
    assert sightings_of([Answer(500, {}, {"messages": []})]) is None
