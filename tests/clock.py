"""The clock of the tests: it stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """A clock that always says the same, until told otherwise; it is called like the one `wiring` hands down."""

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        """Return the moment it is, in aware UTC."""
        return self._now

    def set(self, now: datetime) -> None:
        """Make it this moment. Raises ValueError for a time without an offset."""
        if now.utcoffset() is None:
            raise ValueError(f"{now} has no offset: a moment is an aware datetime.")
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        """Let this much time pass and return the moment it is then."""
        self._now += by
        return self._now
