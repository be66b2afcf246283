"""The clock of the story: it stands still until the story moves it on, so that every run has the same days."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Helsinki")
"""Where the studio is, and its clock with it."""


class StoryClock:
    """Says what time it is in the story, in aware UTC; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        """Return the moment it is in the story."""
        return self._now

    def local(self) -> datetime:
        """Return that moment as the studio's clock shows it."""
        return self._now.astimezone(ZONE)

    def reach(self, moment: datetime) -> None:
        """Let time pass until this moment; one that has passed changes nothing."""
        self._now = max(self._now, moment.astimezone(UTC))
