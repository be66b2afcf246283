"""The verdict of a service message: asked for just now, and only so many, whoever asks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.actor import ActorKind
from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import ServicePurpose
from dispatcher.rules.service import (
    JUST_NOW,
    ServiceFacts,
    ServiceReason,
    ServiceSend,
    ServiceWait,
    ServiceWithhold,
    decide_service,
    opens_on,
)
from tests.stores import HELSINKI

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
CONFIRMATION = ServiceFacts(
    purpose=ServicePurpose.CONFIRMATION,
    channel=Channel.EMAIL,
    asked_by=ActorKind.CLIENT,
    asked_at=NOON,
    windows=Windows(HELSINKI),
)
RECEIPT = replace(CONFIRMATION, purpose=ServicePurpose.RECEIPT, asked_by=ActorKind.PERSON)


def days_before(*counts: int) -> tuple[date, ...]:
    """Return the dates this many days before today."""
    return tuple(TODAY - timedelta(days=each) for each in counts)


@pytest.mark.parametrize("facts", [CONFIRMATION, RECEIPT])
def test_what_was_asked_for_just_now_goes(facts: ServiceFacts) -> None:
    """A confirmation the address asked for, and a receipt of what a person recorded, go at once."""
    assert ServiceSend() == decide_service(facts, NOON)


@pytest.mark.parametrize("asker", [ActorKind.BOOKING_SYSTEM, ActorKind.PROVIDER, ActorKind.DUTY])
@pytest.mark.parametrize("facts", [CONFIRMATION, RECEIPT])
def test_nobody_else_may_ask(facts: ServiceFacts, asker: ActorKind) -> None:
    """Only the address or a person may have a service message sent to a client."""
    expected = ServiceWithhold(ServiceReason.NOT_ASKED_FOR)
    assert expected == decide_service(replace(facts, asked_by=asker), NOON)


@pytest.mark.parametrize("facts", [CONFIRMATION, RECEIPT])
def test_a_child_gets_nothing(facts: ServiceFacts) -> None:
    """L-11: neither a receipt nor a confirmation goes to somebody who is marked as a child, now or later."""
    assert ServiceWithhold(ServiceReason.CHILD) == decide_service(replace(facts, child=True, restricted=True), NOON)


def test_a_receipt_waits_while_data_may_not_be_used() -> None:
    """L-38, L-30: a restricted client's receipt waits, and so does that of one who waits for an answer."""
    tomorrow = NOON + timedelta(days=1)
    expected = ServiceWait(ServiceReason.RESTRICTED, tomorrow)
    assert expected == decide_service(replace(RECEIPT, restricted=True, suspended=True), NOON)
    assert ServiceWait(ServiceReason.SUSPENDED, tomorrow) == decide_service(replace(RECEIPT, suspended=True), NOON)


@pytest.mark.parametrize("mark", ["restricted", "suspended"])
def test_what_the_address_asked_for_itself_goes(mark: str) -> None:
    """A confirmation answers whoever typed the address a moment ago, whatever they have asked for beside."""
    assert ServiceSend() == decide_service(replace(CONFIRMATION, **{mark: True}), NOON)  # type: ignore[arg-type]


def test_a_confirmation_is_stale_after_two_days() -> None:
    """What the carrier could not take for 48 hours is no longer asked for just now; a receipt is awaited for longer."""
    late = NOON + JUST_NOW + timedelta(seconds=1)
    assert ServiceSend() == decide_service(CONFIRMATION, NOON + JUST_NOW)
    assert ServiceWithhold(ServiceReason.NO_LONGER_ASKED_FOR) == decide_service(CONFIRMATION, late)
    assert ServiceSend() == decide_service(RECEIPT, late)


@pytest.mark.parametrize("facts", [CONFIRMATION, RECEIPT, replace(RECEIPT, to_person=True)])
def test_what_it_is_about_must_still_stand(facts: ServiceFacts) -> None:
    """A message about what has gone since goes to nobody, not even to a person."""
    expected = ServiceWithhold(ServiceReason.NO_LONGER_ASKED_FOR)
    assert expected == decide_service(replace(facts, wanted=False), NOON)


def test_only_a_confirmation_goes_to_a_dead_address() -> None:
    """An address that died takes nothing but what may show that it lives."""
    assert ServiceSend() == decide_service(replace(CONFIRMATION, dead=True), NOON)
    assert ServiceWithhold(ServiceReason.ADDRESS_DEAD) == decide_service(replace(RECEIPT, dead=True), NOON)


@pytest.mark.parametrize(
    ("days", "objected_on", "opens"),
    [
        pytest.param((), None, TODAY, id="none"),
        pytest.param(days_before(0), None, TODAY + timedelta(days=1), id="one today"),
        pytest.param(days_before(1, 2), None, TODAY, id="two in a month"),
        pytest.param(days_before(1, 2, 29), None, TODAY + timedelta(days=1), id="three, the first 29 days ago"),
        pytest.param(days_before(1, 2, 30), None, TODAY, id="the first 30 days ago"),
        pytest.param(days_before(1), TODAY - timedelta(days=5), TODAY + timedelta(days=29), id="one since the no"),
        pytest.param(days_before(1), TODAY, TODAY, id="one before the no"),
        pytest.param(days_before(-1), None, TODAY, id="a clock set back, another day"),
        pytest.param(days_before(-1, -2, -3), None, TODAY + timedelta(days=31), id="a clock set back, three"),
    ],
)
def test_when_there_is_room_again(days: tuple[date, ...], objected_on: date | None, opens: date) -> None:
    """One a day, three in any thirty dates, one in thirty after an objection; d and d + 30 are in no one month."""
    assert opens == opens_on(days, objected_on, TODAY)


def test_a_receipt_waits_where_a_confirmation_is_withheld() -> None:
    """An offer waits for the receipt, so the receipt waits for its day, in the channel's hours; others ask again."""
    full = {"days": days_before(0)}
    expected = ServiceWait(ServiceReason.TOO_MANY, datetime(2026, 11, 24, 5, 0, tzinfo=UTC))
    assert expected == decide_service(replace(RECEIPT, **full), NOON)  # type: ignore[arg-type]
    assert ServiceWithhold(ServiceReason.TOO_MANY) == decide_service(replace(CONFIRMATION, **full), NOON)  # type: ignore[arg-type]


def test_a_receipt_wakes_nobody() -> None:
    """S-14: a receipt by text message waits for the morning; a confirmation goes while its asker is looking for it."""
    night = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    text = {"channel": Channel.SMS, "asked_at": night}
    expected = ServiceWait(ServiceReason.QUIET_HOURS, datetime(2026, 11, 24, 7, 0, tzinfo=UTC))
    assert expected == decide_service(replace(RECEIPT, **text), night)  # type: ignore[arg-type]
    assert ServiceSend() == decide_service(replace(CONFIRMATION, **text), night)  # type: ignore[arg-type]


def test_an_unauthorised_sender_sends_nothing() -> None:
    """S-11: text messages whose sender may not be used go to no client."""
    assert ServiceWithhold(ServiceReason.SENDER_NOT_AUTHORISED) == decide_service(
        replace(CONFIRMATION, authorised=False), NOON
    )
    assert isinstance(decide_service(replace(RECEIPT, authorised=False), NOON), ServiceWait)


def test_a_person_has_no_such_limit() -> None:
    """Who works with the program gets what it has to tell, however often and whoever asked."""
    facts = replace(RECEIPT, to_person=True, asked_by=ActorKind.DUTY, days=days_before(0, 0, 1, 2), objected_on=TODAY)
    assert ServiceSend() == decide_service(facts, NOON)


@given(
    asks=st.lists(st.integers(0, 24 * 90), min_size=1, max_size=60),
    objections=st.lists(st.integers(0, 90), max_size=2),
    purpose=st.sampled_from([ServicePurpose.CONFIRMATION, ServicePurpose.RECEIPT]),
)
def test_the_limits_are_never_exceeded(asks: list[int], objections: list[int], purpose: ServicePurpose) -> None:
    """However often somebody asks: one a date, three in any 30 dates, one in any 30 dates after an objection."""
    sent: list[date] = []
    objected = [TODAY + timedelta(days=each) for each in sorted(objections)]
    for hours in sorted(asks):
        now = NOON + timedelta(hours=hours)
        today = now.astimezone(HELSINKI).date()
        facts = replace(
            CONFIRMATION,
            purpose=purpose,
            asked_at=now,
            days=tuple(sent),
            objected_on=max((each for each in objected if each <= today), default=None),
        )
        if decide_service(facts, now) == ServiceSend():
            sent.append(today)
    assert len(sent) == len(set(sent))
    for first in sent:
        month = [each for each in sent if first <= each < first + timedelta(days=30)]
        assert len(month) <= 3
        for no in objected:
            later = [each for each in objected if each > no]
            end = min(later, default=date.max)
            assert len([each for each in month if no < each < end]) <= 1
