"""When what was deferred is tried again, and when it is given up (E-50)."""

import random
from datetime import datetime, timedelta

from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import Blame, Outcome

CONNECTION_PAUSE = timedelta(minutes=1)
"""How long a channel rests after trouble that concerns no single message."""
QUOTA_PAUSE = timedelta(minutes=10)
"""How long a channel rests whose provider says that it is too much."""
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(hours=48)
"""How long a message is tried, counting only the hours in which its channel is open."""


def pause_of(outcome: Outcome) -> timedelta:
    """Return how long a channel rests after this trouble: what its provider asked for, else the usual."""
    return outcome.retry_after or (QUOTA_PAUSE if outcome.blame is Blame.QUOTA else CONNECTION_PAUSE)


def again_at(
    outcome: Outcome, attempts: int, since: datetime, now: datetime, windows: Windows | None, channel: Channel
) -> datetime | None:
    """Return when a deferred message may be tried again, or None where it is given up.

    That is after 48 hours in which its channel was open since `since`; without windows every hour is open. `attempts`
    are those before this one. What concerns the whole channel makes it wait, and nothing is given up for it.
    """
    if outcome.blame in {Blame.CONNECTION, Blame.QUOTA}:
        return now + pause_of(outcome)
    tried = now - since if windows is None else windows.open_between(channel, since, now)
    if tried >= GIVE_UP_AFTER:
        return None
    backoff = min(FIRST_PAUSE * (1 << min(attempts, 10)), LONGEST_PAUSE)
    return now + max(backoff, outcome.retry_after or timedelta(0)) * random.uniform(1.0, 1.25)  # noqa: S311 - jitter
