"""The one decision about counts, hours and states: what a verdict waits for, and what it does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.decision import (
    AddressFacts,
    Coverage,
    Reason,
    Send,
    Verdict,
    Wait,
    Withhold,
)
from tests.rules.deciding import (
    DAY,
    EMAIL,
    NOW,
    OPENING,
    SMS,
    TODAY,
    TWELVE,
    YES_SMS,
    Case,
    of_address,
    of_campaign,
    of_client,
    on_both,
)


@pytest.mark.parametrize("spoil", [of_client(days=TWELVE), of_address(days=TWELVE)], ids=["client", "address"])
def test_twelve_messages_are_counted_per_client_and_per_address(spoil: Callable[[Case], Case]) -> None:
    """L-23: whichever of the two has had twelve within 365 dates, and the eleventh still goes."""
    assert Wait(Reason.FREQUENCY_CAP, OPENING) == spoil(Case()).decide()
    assert isinstance(of_client(days=TWELVE[1:])(of_address(days=TWELVE[1:])(Case())).decide(), Send)


def test_a_clock_set_back_makes_no_room() -> None:
    """L-23: messages of days that lie ahead count too, towards the twelve and towards the client's own number."""
    ahead = tuple(TODAY + DAY * number for number in range(1, 13))
    assert Reason.FREQUENCY_CAP is getattr(of_client(days=ahead)(Case()).decide(), "reason", None)
    assert Withhold(Reason.OWN_CAP) == of_client(days=ahead[:2], own_cap=2)(Case()).decide()


def test_twelve_on_one_day_are_twelve() -> None:
    """L-23: messages are counted, not days."""
    assert Reason.FREQUENCY_CAP is getattr(of_client(days=(TODAY,) * 12)(Case()).decide(), "reason", None)
    assert isinstance(of_client(days=(TODAY,) * 11)(Case()).decide(), Send)


@pytest.mark.parametrize("channel", Channel)
def test_no_channel_is_judged_by_the_other_ones_facts(channel: Channel) -> None:
    """S-11: a sender that is not authorised, or a notice that is silent, stops its own channel only."""
    other = frozenset({EMAIL, SMS}) - {channel}
    for spoil in (of_campaign(authorised=frozenset({channel})), of_campaign(coverage=Coverage(other))):
        verdict = of_campaign(channels=(channel,))(spoil(on_both(Case()))).decide()
        assert isinstance(verdict, Send)
        assert channel is verdict.channel
        assert isinstance(of_campaign(channels=tuple(other))(spoil(on_both(Case()))).decide(), Withhold)


@pytest.mark.parametrize(
    ("spans", "is_sent"),
    [
        ((), False),
        (((NOW - DAY * 400, None),), True),
        (((NOW - DAY * 400, NOW + DAY),), True),
        (((NOW - DAY * 400, NOW),), False),
        (((NOW - DAY, None),), False),
        (((NOW - DAY * 400, NOW - DAY * 2), (NOW - DAY, None)), True),
    ],
    ids=["none", "all along", "still", "no longer", "since after the yes", "then and now"],
)
def test_the_notice_covers_then_and_now(spans: tuple[tuple[datetime, datetime | None], ...], *, is_sent: bool) -> None:
    """L-42: where the provider reaches outside the EU, the notice must have said so with the yes, and must still."""
    verdict = of_campaign(coverage=Coverage(frozenset({EMAIL}), spans))(Case()).decide()
    assert is_sent == isinstance(verdict, Send)
    assert is_sent or Withhold(Reason.NOTICE_DOES_NOT_COVER) == verdict


def test_a_full_year_is_waited_out_until_something_may_leave() -> None:
    """Invariant 6, S-14: it waits until the first open hour, so that a machine that is off at night is not late."""
    saturday = date(2027, 9, 4)
    full = of_client(
        answers=(YES_SMS,), addresses={SMS: AddressFacts(2)}, days=tuple(saturday - DAY * 364 for _ in range(12))
    )
    case = of_campaign(channels=(SMS,))(full(Case(now=datetime(2027, 9, 4, 9, tzinfo=UTC))))
    monday = datetime(2027, 9, 6, 6, tzinfo=UTC)
    assert Wait(Reason.FREQUENCY_CAP, monday) == case.decide()
    assert Withhold(Reason.FREQUENCY_CAP) == of_campaign(valid_until=date(2027, 9, 5))(case).decide()


def test_the_later_of_two_openings_is_waited_for() -> None:
    """L-23: client and address must both be below twelve again."""
    later = tuple(day + DAY * 5 for day in TWELVE)
    case = of_address(days=later)(of_client(days=TWELVE)(Case()))
    assert Wait(Reason.FREQUENCY_CAP, OPENING + DAY * 5) == case.decide()


@pytest.mark.parametrize(("oldest", "sent"), [(365, True), (364, False)])
def test_a_message_of_365_days_ago_no_longer_counts(oldest: int, *, sent: bool) -> None:
    """L-23: the window is half-open."""
    days = (TODAY - DAY * oldest, *TWELVE[1:])
    assert sent is isinstance(of_client(days=days)(Case()).decide(), Send)


@pytest.mark.parametrize(
    ("valid_until", "verdict"),
    [
        (date(2027, 11, 2), Wait(Reason.FREQUENCY_CAP, OPENING)),
        (date(2027, 11, 1), Withhold(Reason.FREQUENCY_CAP)),
        (None, Withhold(Reason.FREQUENCY_CAP)),
    ],
)
def test_a_full_year_is_waited_out_only_while_the_offer_is_valid(valid_until: date | None, verdict: Verdict) -> None:
    """C5: a message that would come after the end of its offer does not wait for it."""
    assert verdict == of_campaign(valid_until=valid_until)(of_client(days=TWELVE)(Case())).decide()


@pytest.mark.parametrize(
    ("valid_until", "verdict"),
    [
        (None, Wait(Reason.QUIET_HOURS, datetime(2026, 11, 24, 5, tzinfo=UTC))),
        (date(2026, 11, 24), Wait(Reason.QUIET_HOURS, datetime(2026, 11, 24, 5, tzinfo=UTC))),
        (TODAY, Withhold(Reason.QUIET_HOURS)),
    ],
)
def test_a_night_is_waited_out_only_while_the_offer_is_valid(valid_until: date | None, verdict: Verdict) -> None:
    """S-14: the message goes when the window opens, unless the offer is over then."""
    late = datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert verdict == of_campaign(valid_until=valid_until)(Case(now=late)).decide()


@pytest.mark.parametrize(("seconds", "is_sent"), [(62, True), (61, False), (1, False)])
def test_a_text_message_is_not_begun_in_the_last_minute(seconds: int, *, is_sent: bool) -> None:
    """S-15: it could arrive at the provider in the quiet hours, so it waits for the morning."""
    late = datetime(2026, 11, 23, 18, tzinfo=UTC) - timedelta(seconds=seconds)
    case = of_client(answers=(YES_SMS,), addresses={SMS: AddressFacts(2)})(Case(now=late))
    verdict = of_campaign(channels=(SMS,))(case).decide()
    morning = Wait(Reason.QUIET_HOURS, datetime(2026, 11, 24, 7, tzinfo=UTC))
    assert isinstance(verdict, Send) if is_sent else morning == verdict


def test_an_offer_is_valid_through_its_last_local_day() -> None:
    """The day counts in Finland: an hour before midnight it is still that day, whatever it is in Greenwich."""
    case = of_campaign(valid_until=TODAY)(Case())
    assert isinstance(case.decide(), Send)
    assert Withhold(Reason.OFFER_ENDED) == replace(case, now=datetime(2026, 11, 23, 22, tzinfo=UTC)).decide()


def test_a_cap_of_the_clients_own_counts_the_same_year() -> None:
    """Who wants three a year gets the third, not the fourth, and the first again when a year has passed."""
    days = (TODAY - DAY * 364, TODAY - DAY * 100)
    assert isinstance(of_client(own_cap=3, days=days)(Case()).decide(), Send)
    assert Withhold(Reason.OWN_CAP) == of_client(own_cap=2, days=days)(Case()).decide()
    assert isinstance(of_client(own_cap=2, days=(TODAY - DAY * 365, days[1]))(Case()).decide(), Send)


def test_a_pause_ends_when_it_says() -> None:
    """A client who asked for a pause is written to again from its last instant on."""
    assert isinstance(of_client(paused_until=NOW)(Case()).decide(), Send)


@pytest.mark.parametrize("state", [state for state in State if state not in {State.SENDING, State.CANCELLED}])
def test_nothing_is_sent_unless_the_campaign_is_being_sent(state: State) -> None:
    """Scheduled, held and finished campaigns send nothing."""
    assert Wait(Reason.CAMPAIGN_HELD) == of_campaign(state=state)(Case()).decide()


def test_an_address_that_got_the_campaign_through_another_client_gets_it_once() -> None:
    """Two clients with one inbox get one message."""
    assert Withhold(Reason.ALREADY_SENT_OR_UNKNOWN) == of_address(got_this_campaign=True)(Case()).decide()
