"""Duties run at their intervals, and trouble with one is not trouble with another."""

import asyncio
from datetime import timedelta

import pytest

from dispatcher.errors import RefusedError, StorageError
from dispatcher.flow.duties import Duties, Dutiful, Duty, in_thread
from tests.clock import FixedClock

HOUR = timedelta(hours=1)


def test_a_duty_runs_at_once_and_then_at_its_interval(clock: FixedClock) -> None:
    """The first look runs every duty; later looks only those whose interval has passed."""
    ran: list[str] = []
    duties = Duties(
        clock,
        [
            Duty("often", timedelta(0), in_thread(lambda: ran.append("often"))),
            Duty("hourly", HOUR, in_thread(lambda: ran.append("hourly"))),
        ],
    )
    for moved in (timedelta(0), HOUR / 2, HOUR / 2):
        clock.advance(moved)
        asyncio.run(duties.once())
    assert ["often", "hourly", "often", "often", "hourly"] == ran


def test_a_clock_that_was_set_back_does_not_silence_a_duty(clock: FixedClock) -> None:
    """Whose last run lies in the future has not been run for all anybody knows."""
    ran: list[str] = []
    duties = Duties(clock, [Duty("hourly", HOUR, in_thread(lambda: ran.append("hourly")))])
    asyncio.run(duties.once())
    clock.advance(-HOUR * 3)
    asyncio.run(duties.once())
    assert 2 == len(ran)


def test_trouble_with_one_duty_leaves_the_others_to_go_on(clock: FixedClock) -> None:
    """A refused duty is told as trouble, and the next one still does its work."""

    def refuse() -> str:
        raise RefusedError("Not now.")

    duties = Duties(clock, [Duty("refused", HOUR, in_thread(refuse)), Duty("done", HOUR, in_thread(lambda: "Done."))])
    assert [Dutiful("refused", "Not now.", is_trouble=True), Dutiful("done", "Done.")] == asyncio.run(duties.once())


def test_a_database_that_cannot_be_used_stops_every_duty(clock: FixedClock) -> None:
    """Fail closed: without storage nothing else is tried."""

    def fail() -> str:
        raise StorageError("Gone.")

    with pytest.raises(StorageError, match="Gone"):
        asyncio.run(Duties(clock, [Duty("fails", HOUR, in_thread(fail))]).once())
