"""How old a reading of the letter boxes may be on which a message leaves (invariant 4)."""

from datetime import datetime, timedelta

READ_EVERY = timedelta(seconds=10)
"""How old a reading may be before the doors are read again while messages leave."""
GOOD_FOR = timedelta(seconds=30)
"""How old a reading may be on which a message leaves: a no that came within it stops the next one."""


def is_good(up_to: datetime, now: datetime, within: timedelta = GOOD_FOR) -> bool:
    """Say whether a reading counts: one from ahead does not, since the clock has been set back after it."""
    return timedelta(0) <= now - up_to <= within
