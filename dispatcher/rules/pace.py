"""How fast a channel goes, and when a run of that pace is over: inside the windows, day after day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import Channel

MOST_LEGS = 60
"""How many windows a forecast looks at: a campaign that takes longer is no campaign of its day any more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many messages a channel hands over in an hour at most, evenly spaced (E-55)."""

    per_hour: float

    @property
    def interval(self) -> timedelta:
        """Return the time from one message to the next."""
        return timedelta(hours=1) / self.per_hour

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

    What does not fit before a window closes goes on at the next opening.
    """
    legs: list[Leg] = []
    left, at = count, start
    while left and len(legs) < MOST_LEGS:
        at = windows.next_opening(channel, at)
        if until is not None and local_date(at, windows.zone) > until:
            break
        closes = windows.closes_at(channel, at)
        fits = min(left, -((at - closes) // pace.interval))
        legs.append(Leg(at, min(at + fits * pace.interval, closes), fits))
        left, at = left - fits, closes
    return Run(tuple(legs), left)
