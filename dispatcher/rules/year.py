"""The year at a glance: what its slots hold, what is left of them, and where it is too empty or too full."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from dispatcher.rules.audit_counts import slot_findings, slot_remarks
from dispatcher.rules.budget import CEILING, FLOOR, WINDOW, Full, Slot, room_for
from dispatcher.rules.campaign import Channel

GAP = 90
"""More days than this without a campaign are a gap."""
SPACING = timedelta(days=14)
"""Campaigns that lie closer together than this are a cluster."""
_DAY = timedelta(days=1)


class Standing(StrEnum):
    """How a slot of the year stands."""

    RESERVED = "reserved"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    HELD = "held"
    SPENT = "spent"
    DECLARED = "declared"
    CANCELLED = "cancelled"
    """It holds nothing any more: it is shown, and its slot is free again."""


_BY_SLOT = {
    "returned": Standing.CANCELLED,
    "lapsed": Standing.CANCELLED,
    "declared": Standing.DECLARED,
    "reserved": Standing.RESERVED,
}
_BY_CAMPAIGN = {
    "reserved": Standing.RESERVED,
    "draft": Standing.DRAFT,
    "held": Standing.HELD,
    "sending": Standing.SPENT,
    "finished": Standing.SPENT,
}


def standing_of(slot: str, campaign: str | None) -> Standing:
    """Return how a slot stands, by its own state and that of its campaign, None for a slot without one.

    A state that nobody here knows holds its slot: what is not understood is never shown as free.
    """
    if slot in _BY_SLOT:
        return _BY_SLOT[slot]
    if campaign is None:
        return Standing.SPENT if slot == "spent" else Standing.RESERVED
    usual = Standing.SPENT if slot == "spent" else Standing.SCHEDULED
    return Standing.HELD if campaign == "held" else _BY_CAMPAIGN.get(campaign, usual)


@dataclass(frozen=True, slots=True)
class YearEntry:
    """One campaign in the year: its slot's local date, and how many messages of it went by which channel.

    `name` is its file's stem and `number` its row, both None for a slot without a campaign.
    """

    day: date
    title: str
    standing: Standing
    kind: str | None = None
    name: str | None = None
    number: int | None = None
    sent: Mapping[Channel, int] = field(default_factory=dict)

    @property
    def holds_slot(self) -> bool:
        """Say whether it takes one of the twelve."""
        return self.standing is not Standing.CANCELLED


@dataclass(frozen=True, slots=True)
class Gap:
    """Days without a campaign, the first and the last of them included, and how many they are."""

    first: date
    last: date
    days: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Campaigns in a row of which each follows the one before too soon; `closest` is the least distance in days."""

    entries: tuple[YearEntry, ...]
    closest: int


@dataclass(frozen=True, slots=True)
class Glance:
    """A calendar year of local dates: everything in it by day, and what there is to say about it.

    `taken` counts what holds a slot. `left` is how many more can be given from today on, by the calendar year and by
    every 365 dates that reach into it; `first_free` is the first date that one of them could have.
    """

    year: int
    today: date
    entries: tuple[YearEntry, ...]
    taken: int
    left: int
    first_free: date | None
    gaps: tuple[Gap, ...]
    clusters: tuple[Cluster, ...]
    remarks: tuple[str, ...]

    @property
    def counts(self) -> Mapping[Standing, int]:
        """Return how many there are of each standing."""
        found = Counter(entry.standing for entry in self.entries)
        return {standing: found[standing] for standing in Standing}

    def of_month(self, month: int) -> tuple[YearEntry, ...]:
        """Return what lies in a month, 1 to 12."""
        return tuple(entry for entry in self.entries if entry.day.month == month)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one more campaign would do to the year it lies in.

    `in_year` counts the calendar year with it. `window` is the fullest stretch of 365 dates around it, by its first
    date, and how many lie in it then. `before` and `after` are its neighbours.
    """

    day: date
    full: Full | None
    in_year: int
    window: date
    in_window: int
    before: YearEntry | None
    after: YearEntry | None

    @property
    def too_close(self) -> tuple[YearEntry, ...]:
        """Return the neighbours under 14 days away."""
        return tuple(each for each in (self.before, self.after) if each and abs(each.day - self.day) < SPACING)


def glance(year: int, entries: Iterable[YearEntry], today: date) -> Glance:
    """Return a year at a glance; the entries are those of every year, since years share windows and gaps."""
    ordered = sorted(entries, key=lambda entry: (entry.day, entry.title))
    holding = [entry for entry in ordered if entry.holds_slot]
    slots = slots_of(holding)
    own = tuple(entry for entry in ordered if entry.day.year == year)
    taken = sum(entry.holds_slot for entry in own)
    free = _room_left(year, slots, today)
    return Glance(
        year=year,
        today=today,
        entries=own,
        taken=taken,
        left=len(free),
        first_free=free[0] if free else None,
        gaps=tuple(_gaps(year, [entry.day for entry in holding])),
        clusters=tuple(_clusters(year, holding)),
        remarks=tuple(_remarks(year, own, slots, today, free)),
    )


def slots_of(entries: Iterable[YearEntry]) -> list[Slot]:
    """Return the slots that these entries hold."""
    return [Slot(entry.day, entry.title) for entry in entries if entry.holds_slot]


def free_days(year: int, slots: Sequence[Slot], today: date) -> set[date]:
    """Return the days of a year, from today on, that have room for one more campaign."""
    day, last = max(today, date(year, 1, 1)), date(year, 12, 31)
    found = set()
    while day <= last:
        full = room_for(day, slots)
        if full is None:
            found.add(day)
        day = day + _DAY if full is None else full.first_free
    return found


def one_more(day: date, entries: Iterable[YearEntry]) -> Trial:
    """Return what a campaign on this day would do beside these."""
    holding = sorted((entry for entry in entries if entry.holds_slot), key=lambda entry: entry.day)
    days = [entry.day for entry in holding]
    starts = [*(other for other in days if timedelta() <= day - other < WINDOW), day]
    counts = {start: 1 + sum(start <= other < start + WINDOW for other in days) for start in starts}
    window = min(starts, key=lambda start: (-counts[start], start))
    return Trial(
        day=day,
        full=room_for(day, slots_of(holding)),
        in_year=1 + sum(other.year == day.year for other in days),
        window=window,
        in_window=counts[window],
        before=next((entry for entry in reversed(holding) if entry.day <= day), None),
        after=next((entry for entry in holding if entry.day > day), None),
    )


def _room_left(year: int, slots: Sequence[Slot], today: date) -> list[date]:
    """Return the days of as many more campaigns as fit, each on the earliest day it can have.

    No choice of days holds more: a campaign moved to an earlier free day leaves every window of a later one as it was.
    """
    day, last = max(today, date(year, 1, 1)), date(year, 12, 31)
    added: list[date] = []
    while day <= last:
        full = room_for(day, [*slots, *(Slot(other, "") for other in added)])
        if full is None:
            added.append(day)
        else:
            day = full.first_free
    return added


def _gaps(year: int, days: Sequence[date]) -> Iterable[Gap]:
    """Yield each gap that touches the year; without a neighbour beyond it, the year itself ends there."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    begins = max((day for day in days if day < first), default=first - _DAY)
    ends = min((day for day in days if day > last), default=last + _DAY)
    for before, after in pairwise([begins, *(day for day in days if first <= day <= last), ends]):
        empty = (after - before).days - 1
        if empty > GAP and before + _DAY <= last and after - _DAY >= first:
            yield Gap(before + _DAY, after - _DAY, empty)


def _clusters(year: int, holding: Sequence[YearEntry]) -> Iterable[Cluster]:
    run: list[YearEntry] = []
    for entry in [*holding, None]:
        if entry is not None and run and entry.day - run[-1].day < SPACING:
            run.append(entry)
            continue
        if len(run) > 1 and any(each.day.year == year for each in run):
            yield Cluster(tuple(run), min((after.day - before.day).days for before, after in pairwise(run)))
        run = [entry] if entry is not None else []


def _remarks(
    year: int, own: Sequence[YearEntry], slots: Sequence[Slot], today: date, free: Sequence[date]
) -> Iterable[str]:
    """Yield a sentence for each way in which the year is not what clients were told."""
    gone = [entry for entry in own if entry.standing in {Standing.SPENT, Standing.DECLARED}]
    planned = sum(entry.holds_slot for entry in own)
    yield from slot_findings(year, [slot for slot in slots if slot.date <= today or slot.date.year == year])
    if year < today.year:
        yield from slot_remarks(year, len(gone), today)
        return
    missing, room = FLOOR - planned, max(CEILING - planned, 0)
    if missing > 0:
        only = f" There is room for {len(free)} only." if len(free) < missing else ""
        yield f"{planned} planned, {missing} more by December to keep what the notice says.{only}"
    if len(free) < room:
        first = f"; the first free date is {free[0].isoformat()}" if free else ""
        yield f"The calendar year has room for {room} more, 365 days across New Year for {len(free)} only{first}."
