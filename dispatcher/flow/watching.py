"""The installation as a monitor sees it: is everything in order, and how much of what; nothing of any person."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.errors import JournalError, StorageError
from dispatcher.flow.heart import is_beating
from dispatcher.rules.message import MessageState
from dispatcher.storage import campaigns, clients, health, heartbeats, ledger, progress
from dispatcher.storage.database import Connection
from dispatcher.storage.heartbeats import Heartbeat
from dispatcher.storage.store import Store

_LOOK_ANEW_AFTER = timedelta(seconds=2)
"""How long a finding stands: whoever asks often costs no more."""
_STATES = frozenset(state.value for state in MessageState)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the parts are in order: the database answers, its journal is trusted, and a sender is at work."""

    database: bool
    journal: bool
    sender: bool

    @property
    def is_ready(self) -> bool:
        """Say whether all of them are."""
        return self.database and self.journal and self.sender


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of what; `messages` by channel and state, over all campaigns."""

    readiness: Readiness
    clients: int
    campaigns: Mapping[str, int]
    messages: Mapping[tuple[str, str], int]
    entries: int
    bytes: int
    sender_seen_at: datetime | None


class Watching:
    """Looks the installation over for a monitor."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: tuple[datetime, Readiness] | None = None

    def readiness(self) -> Readiness:
        """Return whether everything is in order. It never raises: what does not answer is not in order."""
        now = self._store.clock()
        if self._found is not None and timedelta(0) <= now - self._found[0] < _LOOK_ANEW_AFTER:
            return self._found[1]
        found = self._look(now)
        self._found = now, found
        return found

    def figures(self) -> Figures:
        """Return how much there is of what. Raises StorageError where the database does not answer."""
        readiness = self.readiness()
        with self._store.reading() as connection:
            states = Counter(each.state.value for each in campaigns.all_scheduled(connection))
            return Figures(
                readiness=readiness,
                clients=clients.count(connection),
                campaigns=states,
                messages=_messages(connection),
                entries=ledger.highest(connection),
                bytes=health.size(connection),
                sender_seen_at=_seen_at(heartbeats.newest(connection)),
            )

    def _look(self, now: datetime) -> Readiness:
        try:
            with self._store.reading() as connection:
                last = heartbeats.newest(connection)
        except StorageError:
            return Readiness(database=False, journal=False, sender=False)
        return Readiness(database=True, journal=self._is_trusted(), sender=is_beating(last, now))

    def _is_trusted(self) -> bool:
        try:
            self._store.check_trusted()
        except (JournalError, StorageError):
            return False
        return True


def _messages(connection: Connection) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for place, count in progress.sums(connection).items():
        if place.state in _STATES:
            found[place.channel, place.state] += count
    return dict(found)


def _seen_at(last: Heartbeat | None) -> datetime | None:
    return last.seen_at if last else None
