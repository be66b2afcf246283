"""How often: the messages of each client and of each address, and the slots of the year, against the twelve (L-23)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dispatcher.rules.budget import CEILING, FLOOR, WINDOW, Slot, most_in_any_window
from dispatcher.rules.sayings import say


def reach(year: int) -> tuple[date, date]:
    """Return the first and the last local date that can lie in one window of 365 days with a day of this year.

    They end where dates do: with the years 1 and 9999.
    """
    widest = WINDOW - timedelta(days=1)
    first, last = date(year, 1, 1), date(year, 12, 31)
    return first - min(widest, first - date.min), last + min(widest, date.max - last)


class Counted(NamedTuple):
    """A message that counts: the local date it counts on, its campaign, and the number of its Send entry."""

    day: date
    campaign: int
    send: int


class Counts:
    """The counted messages of everybody, client by client or address by address, as far as the year reaches."""

    def __init__(self, year: int) -> None:
        self._first, self._last = reach(year)
        self._year = year
        self._by: dict[int, list[Counted]] = defaultdict(list)

    def add(self, who: int, message: Counted) -> int | None:
        """Count a message; return the Send entry of an earlier one of the same campaign, if there is one."""
        if not self._first <= message.day <= self._last:
            return None
        held = self._by[who]
        twin, campaign = None, message.campaign
        for other in held:
            if other.campaign == campaign:
                twin = other.send
                break
        held.append(message)
        return twin

    def remove(self, who: int, message: Counted) -> None:
        """Count a message no longer: it was refused or deferred."""
        if message in self._by.get(who, ()):
            self._by[who].remove(message)

    def most(self) -> int:
        """Return the most messages anyone got in any 365 local dates that touch the year."""
        return max((most_in_any_window(message.day for message in held) for held in self._by.values()), default=0)

    def reached(self) -> int:
        """Return how many got a message in the year itself."""
        return sum(any(message.day.year == self._year for message in held) for held in self._by.values())

    def spread(self) -> Counter[int]:
        """Return how many got one message in the year itself, how many two, and so on."""
        got = (sum(message.day.year == self._year for message in held) for held in self._by.values())
        return Counter(many for many in got if many)

    def over(self) -> Iterator[tuple[int, list[Counted]]]:
        """Yield everybody who got more than twelve in 365 days, with the messages of the fullest window."""
        for who, held in self._by.items():
            most = most_in_any_window(message.day for message in held)
            if most > CEILING:
                yield who, _window_of(most, sorted(held))


def _window_of(most: int, ordered: Sequence[Counted]) -> list[Counted]:
    starts = range(len(ordered) - most + 1)
    start = next(at for at in starts if ordered[at + most - 1].day - ordered[at].day < WINDOW)
    return list(ordered[start : start + most])


def slot_findings(year: int, spent: Sequence[Slot]) -> list[str]:
    """Return a sentence for each way in which the spent slots exceed the twelve, in the year or in 365 days."""
    findings: list[str] = []
    in_year = [slot for slot in spent if slot.date.year == year]
    if len(in_year) > CEILING:
        findings.append(say("too_many", year=year, count=len(in_year), ceiling=CEILING))
    first, last = reach(year)
    near = [slot.date for slot in spent if first <= slot.date <= last]
    most = most_in_any_window(near)
    if most > CEILING:
        findings.append(say("too_close", year=year, count=most, ceiling=CEILING))
    return findings


def slot_remarks(year: int, spent: int, today: date) -> list[str]:
    """Return what there is to say of a year with too few campaigns, or of one that is not over."""
    about = {"year": year, "count": spent, "floor": FLOOR, "ceiling": CEILING}
    if today.year < year:
        return [say("not_begun", year=year)]
    if today.year == year:
        return [say("running", **about)]
    return [say("too_few", **about)] if spent < FLOOR else []
