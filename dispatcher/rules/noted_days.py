"""Days of the year that clients mark, and when a campaign that goes before them would fit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import holidays

from dispatcher.rules.budget import Slot
from dispatcher.rules.calendar import Windows, day_span, local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.year import SPACING, free_days

_DAY = timedelta(days=1)
_IN_A_ROW = timedelta(days=3)
"""Noted days no further apart than this are one reason to write, not several: Easter, Christmas."""
_FAMILY_DAYS = frozenset({"Mother's Day", "Father's Day"})
"""What the library counts among working days and clients mark all the same."""


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A day the owner has noted: one date, or a day of every year (`month`, `day`), or the Monday of an ISO week."""

    name: str
    on: date | None = None
    month_day: tuple[int, int] | None = None
    week: int | None = None

    def in_year(self, year: int) -> date | None:
        """Return its date in a year, or None in a year that has none."""
        if self.on is not None:
            return self.on if self.on.year == year else None
        try:
            if self.week is not None:
                return date.fromisocalendar(year, self.week, 1)
            return date(year, *(self.month_day or (0, 0)))
        except ValueError:
            return None  # 29 February, or the week 53


@dataclass(frozen=True, slots=True)
class NotedDay:
    """A public holiday, or another day that clients mark."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A date on which a campaign could go before a noted day: there is room, and these channels are open that day."""

    send_on: date
    day: date
    names: tuple[str, ...]
    channels: tuple[Channel, ...]


def noted_days(year: int, own: Iterable[OwnDay], country: str = "FI") -> list[NotedDay]:
    """Return the public holidays of a year, Mother's Day, Father's Day, and the days the owner has noted, by date."""
    public = holidays.country_holidays(country, years=year, language="en_US")
    working = holidays.country_holidays(country, years=year, categories=("workday",), language="en_US")
    found = [NotedDay(day, name) for day, name in public.items()]
    found += [NotedDay(day, name) for day, name in working.items() if name in _FAMILY_DAYS]
    found += [NotedDay(day, each.name) for each in own if (day := each.in_year(year)) is not None]
    return sorted(found, key=lambda noted: (noted.day, noted.name))


def suggestions(
    year: int, noted: Sequence[NotedDay], slots: Sequence[Slot], today: date, windows: Windows, lead: timedelta
) -> list[Suggestion]:
    """Return, for each noted day to come, a date of this year on which a campaign could go before it.

    At best it goes `lead` before the day, later where that date will not do, and never closer than 14 days to another
    campaign. What is suggested stands side by side: to take one may make the next one too close.
    """
    free = {day for day in free_days(year, slots, today) if day > today}
    found = []
    for group in _in_a_row(noted):
        first = group[0].day
        dates = (first - lead + _DAY * later for later in range(lead.days))
        fitting = [day for day in dates if day in free and all(abs(slot.date - day) >= SPACING for slot in slots)]
        opened = [(day, channels) for day in fitting if (channels := _open_on(day, windows))]
        best = max(opened, key=lambda each: len(each[1]), default=None)
        if best is not None:
            found.append(Suggestion(best[0], first, tuple(noted.name for noted in group), best[1]))
    return found


def _in_a_row(noted: Sequence[NotedDay]) -> list[list[NotedDay]]:
    groups: list[list[NotedDay]] = []
    for each in noted:
        if groups and each.day - groups[-1][-1].day <= _IN_A_ROW:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _open_on(day: date, windows: Windows) -> tuple[Channel, ...]:
    """Return the channels that may be used at some hour of a local day."""
    start, _ = day_span(day, windows.zone)
    return tuple(
        channel for channel in Channel if local_date(windows.next_opening(channel, start), windows.zone) == day
    )
