"""When what was deferred is tried again, and when it is given up (E-50)."""

import random
from datetime import datetime, timedelta

from dispatcher.rules.message import Blame, Outcome

CONNECTION_PAUSE = timedelta(minutes=1)
"""How long a channel rests after trouble that concerns no single message."""
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(hours=48)


def again_at(outcome: Outcome, attempts: int, since: datetime, now: datetime) -> datetime | None:
    """Return when a deferred message may be tried again, or None where it is given up, 48 hours after `since`.

    `attempts` are those before this one.
    """
    if outcome.blame is Blame.CONNECTION:
        return now + (outcome.retry_after or CONNECTION_PAUSE)
    if now - since >= GIVE_UP_AFTER:
        return None
    backoff = min(FIRST_PAUSE * (1 << min(attempts, 10)), LONGEST_PAUSE)
    return now + max(backoff, outcome.retry_after or timedelta(0)) * random.uniform(1.0, 1.25)  # noqa: S311 - jitter
