"""The clock of the story: it stands still until the story moves it on, so that every run has the same days."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Helsinki")


class StoryClock:
    """Says what time it is in the story, in aware UTC; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start.replace(tzinfo=ZONE).astimezone(UTC)

    def __call__(self) -> datetime:
        """Return the moment it is in the story."""
        return self._now

    def local(self) -> datetime:
        """Return that moment as the studio's clock shows it."""
        return self._now.astimezone(ZONE)

    def reach(self, moment: datetime) -> None:
        """Let time pass until this moment; one without a zone is the studio's. A moment that has passed changes nothing."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
        self._now = max(self._now, aware.astimezone(UTC))
