"""How many yeses end in which month, so that the owner sees a year's thinning before it comes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel

MONTHS = 12
"""How many months after the running one are shown: a yes given today ends in the last of them (L-08)."""


@dataclass(frozen=True, slots=True)
class MonthForecast:
    """The yeses that end in one calendar month, by channel; `month` is its first day."""

    month: date
    ends: dict[Channel, int]

    @property
    def total(self) -> int:
        """Return how many end over all channels."""
        return sum(self.ends.values())


def forecast(ends: Iterable[tuple[Channel, datetime]], today: date, zone: ZoneInfo) -> list[MonthForecast]:
    """Return the running month and the twelve after it, each with the yeses whose last instant is over in it.

    `ends` are the first instants (aware UTC) at which a standing yes no longer holds; the local date of that instant
    decides, as in the message that asks for the yes anew.
    """
    counted: Counter[tuple[date, Channel]] = Counter()
    for channel, moment in ends:
        counted[local_date(moment, zone).replace(day=1), channel] += 1
    return [MonthForecast(month, {channel: counted[month, channel] for channel in Channel}) for month in _months(today)]


def _months(today: date) -> list[date]:
    first = today.year * 12 + today.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(first, first + MONTHS + 1)]
