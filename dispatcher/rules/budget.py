"""The year's budget: twelve, in any calendar year and in any 365 local dates (L-23)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

CEILING = 12
"""The promise of the privacy notice. It is not a setting: nothing overrides it."""
FLOOR = 6
"""What the notice leads a client to expect; reported, never forced."""
WINDOW = timedelta(days=365)
"""Half-open: d and d + 365 are not in one window."""


class Way(StrEnum):
    """How something was sent that this program did not send; the promise of twelve does not ask how."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Slot:
    """A campaign's place in the year: the local date it lies on and the title a person knows it by."""

    date: date
    title: str


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room on a date: the twelve in the way, and the first later date that is free."""

    period: str
    in_the_way: tuple[Slot, ...]
    first_free: date


def room_for(day: date, taken: Iterable[Slot]) -> Full | None:
    """Return None if one more campaign fits on this local date, else what stands in its way."""
    slots = sorted(taken, key=lambda slot: slot.date)
    found = _blocking(day, slots)
    if found is None:
        return None
    period, in_the_way = found
    later = day + timedelta(days=1)
    while _blocking(later, slots) is not None:
        later += timedelta(days=1)
    return Full(period, in_the_way, later)


def most_in_any_window(days: Iterable[date]) -> int:
    """Return the largest number of these dates that lie in any 365 local dates."""
    ordered = sorted(days)
    most = start = 0
    for end, day in enumerate(ordered):
        while day - ordered[start] >= WINDOW:
            start += 1
        most = max(most, end - start + 1)
    return most


def next_opening(days: Sequence[date], today: date) -> date | None:
    """Return None if one more message fits today, else the first date on which a client falls below twelve again.

    Days after today count as well: a clock that was set back must not make room.
    """
    if len(days) < CEILING:  # nearly everybody, asked at every message
        return None
    recent = sorted(day for day in days if today - day < WINDOW)
    if len(recent) < CEILING:
        return None
    return recent[len(recent) - CEILING] + WINDOW


def _blocking(day: date, slots: Sequence[Slot]) -> tuple[str, tuple[Slot, ...]] | None:
    same_year = tuple(slot for slot in slots if slot.date.year == day.year)
    if len(same_year) >= CEILING:
        return f"the calendar year {day.year}", same_year
    near = [slot for slot in slots if abs(slot.date - day) < WINDOW]
    for first in range(len(near) - CEILING + 1):
        twelve = near[first : first + CEILING]
        begins, ends = min(twelve[0].date, day), max(twelve[-1].date, day)
        if ends - begins < WINDOW:
            return f"the 365 days from {begins.isoformat()} on", tuple(twelve)
    return None
