"""Keeps every channel to its pace, over all campaigns and over a restart (E-55)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from dispatcher.rules.campaign import Channel
from dispatcher.rules.pace import Pace
from dispatcher.storage import outbox
from dispatcher.storage.database import Connection

_AT_ONCE = timedelta(seconds=2)
"""What was not used since the last look may be caught up with, this much of it at most."""


class Pacing:
    """Says how many messages a channel may hand over now; one for a whole sender."""

    def __init__(self, paces: Mapping[Channel, Pace]) -> None:
        self._paces = paces
        self._turns: dict[Channel, datetime | None] = {}

    def room(self, connection: Connection, channel: Channel, now: datetime, most: int) -> int:
        """Return how many may go by a channel now, `most` where nobody has set it a pace."""
        pace = self._paces.get(channel)
        if pace is None:
            return most
        if channel not in self._turns:
            last = outbox.last_intent(connection, channel)
            self._turns[channel] = last + pace.interval if last is not None else None
        return min(most, pace.room(self._turns[channel], now, _AT_ONCE))

    def spend(self, channel: Channel, count: int, now: datetime) -> None:
        """Note that so many are handed over now."""
        pace = self._paces.get(channel)
        if pace is not None and count:
            self._turns[channel] = pace.next_at(self._turns.get(channel), now, count, _AT_ONCE)
