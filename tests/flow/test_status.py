"""A campaign's status: where its messages stand, how fast they go, and when the last one leaves."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.flow.backoff import QUOTA_PAUSE
from dispatcher.flow.pacing import Pacing
from dispatcher.flow.status import Status
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.rules.pace import Pace
from dispatcher.storage import handoffs, outbox
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
"""Ten in the morning in Helsinki; the window for email closes at nine in the evening, 19:00 UTC."""
MINUTE = timedelta(minutes=1)


def row(number: int, says: str = "kyllä") -> str:
    """Return a row of a register: a client who can be reached by email only."""
    return f"{number};Maija;Meikäläinen;maija.{number}@posti.example;;fi;3.1.2026;{says};;3.1.2026"


def planned(workshop: Workshop, dispatcher: Dispatcher, clients: int, more: str = "") -> None:
    """Import so many clients and one who said no, and plan a campaign by email at the moment of this module."""
    actor = dispatcher.persons.acting(None)
    rows = [*(row(number) for number in range(1, clients + 1)), row(clients + 1, "ei")]
    dispatcher.enrol.run(workshop.register(*rows), actor)
    dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=("email",), more=more), actor)
    workshop.clock.set(MOMENT)
    dispatcher.plan.run(dispatcher.lifecycle.named("a"))


def at_pace(dispatcher: Dispatcher, pace: Pace | None) -> Status:
    """Return the status under this pace of email."""
    policy = replace(dispatcher.policy, paces={} if pace is None else {Channel.EMAIL: pace})
    return Status(dispatcher.store, policy, dispatcher.status._press, dispatcher.lifecycle, dispatcher.doors)


def send(dispatcher: Dispatcher) -> None:
    """Do one round of sending."""
    asyncio.run(dispatcher.rounds.once())


def test_before_its_moment_nothing_is_foretold(workshop: Workshop) -> None:
    """A campaign that waits for its moment has no messages, no rate and no end, and is not still."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(row(1)), dispatcher.persons.acting(None))
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
        found = dispatcher.status.of("a")
    assert (State.SCHEDULED, 0, 0, False) == (found.campaign.state, found.planned, found.remaining, found.is_still)
    assert (None, None, None) == (found.rate, found.ends_at, found.next_look)


def test_a_plan_goes_at_its_pace(workshop: Workshop) -> None:
    """E-55: before anything has left, the end is foretold by the pace of the settings."""
    with workshop.opened() as dispatcher:
        planned(workshop, dispatcher, 12)
        found = at_pace(dispatcher, Pace(60)).of("a")
        unknown = at_pace(dispatcher, None).of("a")
    assert (12, 12, 0.0) == (found.planned, found.remaining, found.rate)
    assert {"latest_answer_no": 1} == dict(found.standing.withheld)
    assert MOMENT + 12 * MINUTE == found.ends_at
    assert unknown.ends_at is None


def test_a_run_goes_on_in_the_next_open_hours(workshop: Workshop) -> None:
    """S-14: what does not fit before the window closes goes on when it opens next, and so does the forecast."""
    with workshop.opened() as dispatcher:
        planned(workshop, dispatcher, 12)
        found = at_pace(dispatcher, Pace(1)).of("a")
    # Eleven hours are left of the day: eleven messages. The twelfth leaves from seven the next morning on.
    assert datetime(2026, 11, 25, 6, 0, tzinfo=UTC) == found.ends_at


def test_a_rest_is_reckoned_with(workshop: Workshop) -> None:
    """E-53: a channel that rests goes on after that, and so does the forecast."""
    with workshop.opened() as dispatcher:
        planned(workshop, dispatcher, 12)
        busy = Outcome(OutcomeKind.DEFERRED, "451", blame=Blame.QUOTA)
        pacing = Pacing(dispatcher.policy.paces)
        dispatcher.store.write(lambda each: pacing.heard(each.connection, Channel.EMAIL, [busy], each.now))
        found = at_pace(dispatcher, Pace(60)).of("a")
    assert MOMENT + QUOTA_PAUSE + 12 * MINUTE == found.ends_at


def test_what_comes_too_late_is_told(workshop: Workshop) -> None:
    """An offer that ends today takes nobody with it whose turn comes tomorrow."""
    with workshop.opened() as dispatcher:
        planned(workshop, dispatcher, 12, more="valid_until = 2026-11-24")
        found = at_pace(dispatcher, Pace(1)).of("a")
    assert (1, datetime(2026, 11, 24, 19, 0, tzinfo=UTC)) == (found.too_late, found.ends_at)


def test_the_rate_is_that_of_the_last_minutes(workshop: Workshop) -> None:
    """What was handed over in the last five minutes makes the rate; later it is nought, and the pace tells again."""
    with workshop.opened() as dispatcher:
        planned(workshop, dispatcher, 30)
        campaign = dispatcher.lifecycle.named("a").id

        def put_off(number: int) -> None:
            with dispatcher.store.reading() as connection:
                waiting = [each for each, _, _ in outbox.open_of_campaign(connection, campaign, 50)][number:]
            later = workshop.clock() + timedelta(minutes=30)
            for each in waiting:
                dispatcher.store.write(
                    lambda transaction, each=each: handoffs.give_back(  # type: ignore[misc]
                        transaction.connection, each, later
                    )
                )

        put_off(20)
        send(dispatcher)
        workshop.clock.advance(4 * MINUTE)
        found = at_pace(dispatcher, Pace(6000)).of("a")
        assert (10, 5.0) == (found.remaining, found.rate)
        # Ten are left, looked at in 26 minutes, and lately five a minute have gone: two minutes from there.
        assert MOMENT + 32 * MINUTE == found.ends_at
        workshop.clock.advance(6 * MINUTE)
        later = at_pace(dispatcher, Pace(60)).of("a")
    assert (0.0, MOMENT + 40 * MINUTE) == (later.rate, later.ends_at)


@pytest.mark.parametrize("act", ["hold", "cancel"])
def test_a_campaign_that_was_stopped_is_still(workshop: Workshop, act: str) -> None:
    """Held or cancelled, nothing more happens by itself and no end is foretold."""
    with workshop.opened() as dispatcher:
        planned(workshop, dispatcher, 3)
        getattr(dispatcher.lifecycle, act)("a", dispatcher.persons.acting(None))
        found = at_pace(dispatcher, Pace(60)).of("a")
    assert (True, None, None) == (found.is_still, found.rate, found.ends_at)
    assert (3 if act == "hold" else 0) == found.remaining


def test_a_campaign_that_is_over_is_still(workshop: Workshop) -> None:
    """Once everything has gone the campaign is finished, and the status says so with stable keys."""
    with workshop.opened() as dispatcher:
        planned(workshop, dispatcher, 3)
        going = dispatcher.status.of("a")
        send(dispatcher)
        found = dispatcher.status.of("a")
        told = found.as_json()
    assert (False, True) == (going.is_still, found.is_still)
    assert going.counts() != found.counts()
    assert {"email": {"accepted": 3}} == told["messages"]
    assert {"remaining": 0, "planned": 3, "may_have_arrived": 0, "too_late": 0} == {
        key: told[key] for key in ("remaining", "planned", "may_have_arrived", "too_late")
    }
    assert found.campaign.finished_at == told["finished_at"]
