"""Local days and hours: the business zone at the edges, aware UTC inside."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from dispatcher.rules.campaign import Channel

_WRITTEN = re.compile(
    r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})(?:,? (?:klo )?(?P<hour>\d{1,2})[.:](?P<minute>\d{2}))?",
    re.ASCII,
)
_ALL_DAYS = frozenset(range(7))


class LocalTimeError(ValueError):
    """The local time does not exist, or exists twice; the message says which and what to write instead."""


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a local wall-clock time.

    Raises LocalTimeError for an hour the clocks skip and for one they repeat, naming what to write.
    """
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    first = local.replace(tzinfo=zone, fold=0)
    second = local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        following = _end_of_gap(second.astimezone(UTC), first.astimezone(UTC), zone)
        written = f"{following:%H:%M}" if following.date() == local.date() else f"{following:%Y-%m-%dT%H:%M:%S}"
        raise LocalTimeError(
            f"{local:%Y-%m-%d %H:%M} does not exist: the clocks go forward that night. Write {written} or later"
        )
    choices = " or ".join(f"{moment:%Y-%m-%dT%H:%M:%S}{_offset(moment)}" for moment in (first, second))
    raise LocalTimeError(f"{local:%Y-%m-%d %H:%M} happens twice: the clocks go back that night. Write {choices}")


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first local time behind a gap that lies between two instants, to the second."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0).astimezone(zone)


def _offset(moment: datetime) -> str:
    text = f"{moment:%z}"
    return f"{text[:3]}:{text[3:]}"


@lru_cache(maxsize=1024)
def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """Return the local day of an instant, which what is decided in one commit shares."""
    return moment.astimezone(zone).date()


def last_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the last local day that ends before a moment, or with it: what holds until then holds through that day."""
    return local_date(moment, zone) - timedelta(days=1)


def day_span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant and the last microsecond of a local day, in UTC; 23 to 25 hours long."""
    start = datetime.combine(day, time.min, zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    return start, end - timedelta(microseconds=1)


def said_span(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first and last instant, in UTC, of what a person writes: "3.2.2026", "3.2.2026 14:05" or ISO 8601.

    A day alone is the whole of it, a time its whole minute. Raises LocalTimeError for what is no date or time, and as
    `to_utc` does.
    """
    found = _WRITTEN.fullmatch(text.strip())
    try:
        if found is None:
            local = datetime.fromisoformat(text.strip())
            is_day = "T" not in text and " " not in text.strip()
        else:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
            local = datetime.combine(day, time(int(found["hour"] or 0), int(found["minute"] or 0)))
            is_day = found["hour"] is None
    except ValueError:
        raise LocalTimeError(f'{text!r} is no date or time: write 3.2.2026 or "3.2.2026 14:05"') from None
    if is_day:
        return day_span(local.date(), zone)
    start = to_utc(local, zone)
    return start, start + timedelta(minutes=1) - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The hours and days in which a channel may be used (S-14). `weekdays` count from Monday, 0."""

    opens: time
    closes: time
    weekdays: frozenset[int] = _ALL_DAYS
    on_holidays: bool = True


def always_open(zone: ZoneInfo) -> "Windows":
    """Return windows that never close: for asking what would be, whatever the hour."""
    return Windows(zone, Window(time.min, time.max), Window(time.min, time.max))


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of every channel in one zone, with the public holidays of one country.

    `opens_holidays`: somebody opened the holidays to one campaign and said why (S-14); Sundays stay as they are.
    """

    zone: ZoneInfo
    email: Window = Window(time(7), time(21))
    sms: Window = Window(time(9), time(20), frozenset(range(6)), on_holidays=False)
    country: str = "FI"
    opens_holidays: bool = False
    _holidays: dict[int, frozenset[date]] = field(default_factory=dict, compare=False, repr=False)
    _asked: dict[Channel, tuple[datetime, bool]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def with_holidays(self) -> "Windows":
        """Return these windows with every public holiday open: the hours and the days of the week still hold."""
        return replace(self, opens_holidays=True)

    def is_holiday(self, day: date) -> bool:
        """Say whether a day is a public holiday of the country."""
        if day.year not in self._holidays:
            days = holidays.country_holidays(self.country, years=day.year)
            self._holidays[day.year] = frozenset(days)
        return day in self._holidays[day.year]

    def is_open(self, channel: Channel, now: datetime) -> bool:
        """Say whether this channel may be used now."""
        kept = self._asked.get(channel)
        if kept is None or kept[0] is not now:  # a whole batch of messages is asked about at one instant
            kept = self._asked[channel] = (now, self._is_open(channel, now))
        return kept[1]

    def _is_open(self, channel: Channel, now: datetime) -> bool:
        local = now.astimezone(self.zone)
        window = self._of(channel)
        return self._day_is_open(window, local.date()) and window.opens <= local.time() < window.closes

    def next_opening(self, channel: Channel, now: datetime) -> datetime:
        """Return the first instant from now on at which this channel may be used, in UTC."""
        if self.is_open(channel, now):
            return now
        local = now.astimezone(self.zone)
        window = self._of(channel)
        day = local.date() + timedelta(days=1 if local.time() >= window.opens else 0)
        while not self._day_is_open(window, day):
            day += timedelta(days=1)
        # In the hour that autumn repeats, what opens later in its second pass opens after `now`, not before it.
        fold = local.fold if day == local.date() else 0
        return datetime.combine(day, window.opens, self.zone).replace(fold=fold).astimezone(UTC)

    def closes_at(self, channel: Channel, now: datetime) -> datetime:
        """Return when the window closes on the local day of `now`, in UTC; in a night that repeats it, after `now`."""
        day = now.astimezone(self.zone).date()
        first = datetime.combine(day, self._of(channel).closes, self.zone)
        second = first.replace(fold=1)
        if second.utcoffset() == first.utcoffset():
            return first.astimezone(UTC)
        if second.astimezone(UTC) < first.astimezone(UTC):
            # The clocks skip that time: the window closes where they do.
            return _end_of_gap(second.astimezone(UTC), first.astimezone(UTC), self.zone).astimezone(UTC)
        is_past = first.astimezone(UTC) <= now and self.is_open(channel, now)
        return (second if is_past else first).astimezone(UTC)

    def open_between(self, channel: Channel, start: datetime, end: datetime) -> timedelta:
        """Return for how long this channel is open from one instant to another."""
        total = timedelta(0)
        at = self.next_opening(channel, start)
        while at < end:
            closes = self.closes_at(channel, at)
            total += min(closes, end) - at
            at = self.next_opening(channel, closes)
        return total

    def _of(self, channel: Channel) -> Window:
        return self.email if channel is Channel.EMAIL else self.sms

    def _day_is_open(self, window: Window, day: date) -> bool:
        if day.weekday() not in window.weekdays:
            return False
        return window.on_holidays or self.opens_holidays or not self.is_holiday(day)
