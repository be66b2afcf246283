"""The watch tells a clock that was set, a machine that slept and a program that was stopped from time that passed."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.engine.watch import Watch, awake, since_boot
from tests.clock import FixedClock

HOUR = timedelta(hours=1)
NOTHING = timedelta(0)


class Machine:
    """The three clocks of a machine, moved apart by hand."""

    def __init__(self) -> None:
        self.wall = FixedClock(datetime(2026, 11, 24, 8, tzinfo=UTC))
        self.awake = self.boot = 1000.0
        self.watch = Watch(self.wall, lambda: self.awake, lambda: self.boot)

    def pass_time(self, by: timedelta, *, asleep: timedelta = NOTHING, jump: timedelta = NOTHING) -> None:
        """Let time pass, some of it asleep, and set the clock by hand."""
        self.wall.advance(by + asleep + jump)
        self.awake += by.total_seconds()
        self.boot += (by + asleep).total_seconds()


def test_time_that_passes_is_no_gap() -> None:
    """A second between two looks, and a clock kept right by a second, are nothing to speak of."""
    machine = Machine()
    for _ in range(100):
        machine.pass_time(timedelta(seconds=1), jump=timedelta(milliseconds=20))
        assert not machine.watch.has_gap()


@pytest.mark.parametrize(
    ("by", "asleep", "jump", "said"),
    [
        (timedelta(seconds=1), NOTHING, HOUR * 3, "the clock was set forward by 3 hours"),
        (timedelta(seconds=1), NOTHING, -HOUR * 24, "the clock was set back by 1 day"),
        (timedelta(seconds=1), HOUR * 8, NOTHING, "the machine slept for 8 hours"),
        (timedelta(minutes=10), NOTHING, NOTHING, "nothing was looked at for 10 minutes"),
    ],
)
def test_a_gap_is_told_in_words(by: timedelta, asleep: timedelta, jump: timedelta, said: str) -> None:
    """A jump either way, a sleep and a silence are told apart, and told once."""
    machine = Machine()
    machine.pass_time(by, asleep=asleep, jump=jump)
    assert machine.watch.has_gap()
    machine.pass_time(timedelta(seconds=1))
    assert machine.watch.has_gap(), "it stays until somebody takes it"
    gap = machine.watch.take()
    assert gap is not None
    assert said == gap.sentence()
    assert machine.watch.take() is None


def test_the_clocks_of_the_machine_go_forward() -> None:
    """The time since boot has the sleep in it, so it is never less than the time awake."""
    first, second = awake(), since_boot()
    assert first <= awake()
    assert second <= since_boot()
    assert first <= since_boot() + 1
