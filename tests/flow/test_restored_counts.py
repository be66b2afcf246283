"""What a restore has forgotten counts all the same: nobody gets a thirteenth because a copy was older."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import RefusedError
from dispatcher.flow import plan
from dispatcher.wiring import Dispatcher
from tests.flow.test_twelfth import received
from tests.workshop import Doubles, Workshop

FIRST, SECOND = datetime(2026, 12, 1, 8, 0, tzinfo=UTC), datetime(2026, 12, 15, 8, 0, tzinfo=UTC)
ELEVEN, TEN = "eleven@posti.example", "ten@posti.example"
ROWS = [f"{who};N;N;{who}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for who in ("eleven", "ten")]


def begin(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Import two clients, one of whom has had eleven messages in the year, the other ten."""
    dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))
    days = [date(2026, 1, 10) + timedelta(days=20 * each) for each in range(11)]
    eleven, ten = dispatcher.register.find(ELEVEN), dispatcher.register.find(TEN)
    received(dispatcher, [eleven], days[:1])
    received(dispatcher, [eleven, ten], days[1:])


def schedule(workshop: Workshop, dispatcher: Dispatcher, name: str, moment: datetime) -> None:
    """Schedule a campaign by email."""
    path = workshop.campaign(name, moment, channels=["email"])
    dispatcher.schedule.run(path, dispatcher.persons.acting(None))


def send(workshop: Workshop, dispatcher: Dispatcher, moment: datetime) -> None:
    """Come to a campaign's moment, and send it."""
    workshop.clock.set(moment)
    asyncio.run(dispatcher.rounds.once())


def put_back(dispatcher: Dispatcher, copy: Path) -> None:
    """Put a copy in place and replay the journal."""
    dispatcher.safekeeping.restore(copy)
    dispatcher.safekeeping.replay(dispatcher.persons.acting(None))


@pytest.mark.parametrize("is_in_copy", [True, False])
def test_a_campaign_whose_messages_were_lost_counts_for_everybody(
    workshop: Workshop, doubles: Doubles, tmp_path: Path, *, is_in_copy: bool
) -> None:
    """L-23, L-34: of a campaign that began after the copy nobody knows who got it, so it is everybody's, once.

    The one who had had eleven gets no other, the one who had had ten gets one; both had got it.
    """
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        if is_in_copy:
            schedule(workshop, dispatcher, "a", FIRST)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        if not is_in_copy:
            schedule(workshop, dispatcher, "a", FIRST)
        send(workshop, dispatcher, FIRST)
        assert [ELEVEN, TEN] == doubles.mailed()
        put_back(dispatcher, tmp_path / "copy")
        schedule(workshop, dispatcher, "b", SECOND)
        send(workshop, dispatcher, SECOND)
        assert [ELEVEN, TEN, TEN] == doubles.mailed()
        assert {"frequency_cap": 1} == dispatcher.lifecycle.standing(dispatcher.lifecycle.named("b").id).withheld


def test_what_the_copy_had_planned_counts_once(
    workshop: Workshop, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-23: of a plan that the copy holds a part of, a message that it knows is not counted a second time."""
    for name in ("_CHUNK", "_LEAST", "_MOST"):
        monkeypatch.setattr(plan, name, 1)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        schedule(workshop, dispatcher, "a", FIRST)
        workshop.clock.set(FIRST)
        found = dispatcher.lifecycle.named("a")

        def copy_then(done: int, _all: int) -> None:
            if done == 1:
                dispatcher.safekeeping.backup(tmp_path / "copy")

        dispatcher.plan.run(found, copy_then)
        send(workshop, dispatcher, FIRST)
        put_back(dispatcher, tmp_path / "copy")
        schedule(workshop, dispatcher, "b", SECOND)
        send(workshop, dispatcher, SECOND)
        assert [ELEVEN, TEN, TEN] == doubles.mailed()


def test_what_went_out_before_a_restore_is_not_sent_again(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """Invariant 2: the file of a campaign that the copy never knew gets no second slot; one of another name does."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        schedule(workshop, dispatcher, "a", FIRST)
        send(workshop, dispatcher, FIRST)
        put_back(dispatcher, tmp_path / "copy")
        with pytest.raises(RefusedError, match="a went out already, on 2026-12-01"):
            schedule(workshop, dispatcher, "a", SECOND)
        schedule(workshop, dispatcher, "b", SECOND)
        assert 2 == len(doubles.mailed())
