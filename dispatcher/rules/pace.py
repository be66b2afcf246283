"""How fast a channel goes, and when a run of that pace is over: inside the windows, day after day."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import Channel

MOST_LEGS = 60
"""How many windows a forecast looks at: a campaign that takes longer is no campaign of its day any more."""
WHOLE = 1000
"""The share of a channel that goes at its full pace, in thousandths."""
LEAST = 62
"""The smallest share a channel is slowed down to, a sixteenth: it still finds out that it may go faster."""
_PER_ACCEPTED = 10
_PER_DEFERRED = 0.9


@dataclass(frozen=True, slots=True)
class Pace:
    """How many messages a channel hands over at most: evenly spaced over the hour, and `per_day` in any 24 (E-55)."""

    per_hour: float
    per_day: int | None = None

    @classmethod
    def of(
        cls,
        *,
        per_second: float | None = None,
        per_minute: float | None = None,
        per_hour: float | None = None,
        per_day: int | None = None,
    ) -> "Pace | None":
        """Return the pace that keeps every limit that is given, or None where there is none.

        A day's limit alone may be used up within an hour.
        """
        told = ((per_second, 3600), (per_minute, 60), (per_hour, 1))
        rates = [limit * hours for limit, hours in told if limit is not None]
        if not rates and per_day is None:
            return None
        return cls(min(rates, default=float(per_day or 0)), per_day)

    @property
    def interval(self) -> timedelta:
        """Return the time from one message to the next."""
        return timedelta(hours=1) / self.per_hour

    def slowed(self, share: int) -> "Pace":
        """Return this pace at so many thousandths of its speed."""
        return self if share >= WHOLE else replace(self, per_hour=self.per_hour * share / WHOLE)

    def room(self, next_at: datetime | None, now: datetime, at_once: timedelta) -> int:
        """Return how many may go now, where `next_at` is the turn of the next; never more than fit into `at_once`.

        A turn further ahead than one interval comes from a clock that was set back since: one message goes then.
        """
        if next_at is None or next_at - now > self.interval:
            return 1
        if next_at > now:
            return 0
        begun = max(next_at, now - at_once)
        return (now - begun) // self.interval + 1

    def next_at(self, next_at: datetime | None, now: datetime, sent: int, at_once: timedelta) -> datetime:
        """Return the turn of the next message once `sent` have gone at `now`."""
        begun = now if next_at is None or next_at - now > self.interval else max(next_at, now - at_once)
        return min(begun + sent * self.interval, now + self.interval)


def share_after(share: int, accepted: int, deferred: int, *, is_over_quota: bool = False) -> int:
    """Return the share of its pace a channel goes on with, in thousandths.

    Each deferral takes a tenth of it, a provider's word that it is too much takes half, each message taken gives a
    hundredth back.
    """
    slower = share * _PER_DEFERRED**deferred * (0.5 if is_over_quota else 1.0)
    return min(WHOLE, max(LEAST, int(slower)) + _PER_ACCEPTED * accepted)


@dataclass(frozen=True, slots=True)
class Leg:
    """The part of a run that lies in one window: from the first message to the turn after the last, aware UTC."""

    begins: datetime
    ends: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run, window by window; `left` are the messages whose turn comes too late for the offer."""

    legs: tuple[Leg, ...]
    left: int = 0


def run_of(
    count: int, pace: Pace, windows: Windows, channel: Channel, start: datetime, until: date | None = None
) -> Run:
    """Return when `count` messages of this pace leave from `start` on; nothing leaves after the local day `until`.

    What does not fit before a window closes, or into a day's limit, goes on at the next opening.
    """
    legs: list[Leg] = []
    left, at = count, start
    while left and len(legs) < MOST_LEGS:
        at = windows.next_opening(channel, at)
        if until is not None and local_date(at, windows.zone) > until:
            break
        closes = windows.closes_at(channel, at)
        fits = min(left, -((at - closes) // pace.interval), pace.per_day or left)
        legs.append(Leg(at, min(at + fits * pace.interval, closes), fits))
        left, at = left - fits, closes
    return Run(tuple(legs), left)
