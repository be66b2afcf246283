"""Compares the clock of the wall with those of the machine that nobody sets: jumps, sleep, and long silence."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=2)
"""What a clock that is kept right in small steps may be off between two looks."""
SILENCE = timedelta(minutes=1)
"""A program that did not look for longer was stopped, or its machine was."""


def awake() -> float:
    """Return the seconds this machine has been awake."""
    return time.monotonic()


def since_boot() -> float:
    """Return the seconds since this machine was started, asleep or awake, as far as it can tell them apart."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Gap:
    """What went by between two looks beside their own time: how far the clock jumped, how long the machine slept."""

    jumped: timedelta
    slept: timedelta
    silent: timedelta

    def sentence(self) -> str:
        """Return what happened, in words."""
        if abs(self.jumped) > TOLERANCE:
            return f"the clock was set {'back' if self.jumped < timedelta(0) else 'forward'} by {_said(self.jumped)}"
        if self.slept > TOLERANCE:
            return f"the machine slept for {_said(self.slept)}"
        return f"nothing was looked at for {_said(self.silent)}"


class Watch:
    """Watches the clock from look to look; what it notices stays until it is taken."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        awake: Callable[[], float] = awake,
        since_boot: Callable[[], float] = since_boot,
    ) -> None:
        self._clock, self._awake, self._since_boot = clock, awake, since_boot
        self._last = self._read()
        self._gap: Gap | None = None

    def has_gap(self) -> bool:
        """Look, and say whether there is a gap that nobody has taken yet."""
        wall, waking, boot = self._read()
        went, woke, passed = wall - self._last[0], waking - self._last[1], boot - self._last[2]
        self._last = (wall, waking, boot)
        gap = Gap(jumped=went - passed, slept=passed - woke, silent=passed)
        if abs(gap.jumped) > TOLERANCE or gap.slept > TOLERANCE or gap.silent > SILENCE:
            before = self._gap or Gap(timedelta(0), timedelta(0), timedelta(0))
            self._gap = Gap(before.jumped + gap.jumped, before.slept + gap.slept, before.silent + gap.silent)
        return self._gap is not None

    def take(self) -> Gap | None:
        """Look, and return what has been noticed since the last time, or None."""
        self.has_gap()
        gap, self._gap = self._gap, None
        return gap

    def _read(self) -> tuple[datetime, timedelta, timedelta]:
        return self._clock(), timedelta(seconds=self._awake()), timedelta(seconds=self._since_boot())


def _said(span: timedelta) -> str:
    seconds = round(abs(span).total_seconds())
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or size == 1:
            count = round(seconds / size)
            return f"{count} {word}{'' if count == 1 else 's'}"
    raise AssertionError(span)
