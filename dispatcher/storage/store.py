"""What every flow is given of storage: one database, its journal, its writer, the keys, and the clock."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from dispatcher.keys import KeyRing
from dispatcher.storage import installation, locks
from dispatcher.storage.database import Database
from dispatcher.storage.journal import DatabaseJournal, FileJournal
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.writer import Transaction, Writer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Store:
    """One installation's storage, open."""

    database: Database
    journal: FileJournal | DatabaseJournal
    writer: Writer
    ring: KeyRing
    clock: Callable[[], datetime]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state."""
        with self.database.reading() as connection:
            yield connection

    def write(self, work: Callable[[Transaction], T], *, wanted: Iterable[Lock] = (), urgent: bool = False) -> T:
        """Run a write through the one writer; it is on disk when this returns."""
        return self.writer.write(work, wanted=wanted, urgent=urgent)

    def submit(
        self, work: Callable[[Transaction], T], *, wanted: Iterable[Lock] = (), urgent: bool = False
    ) -> Future[T]:
        """Queue a write and return its future."""
        return self.writer.submit(work, wanted=wanted, urgent=urgent)

    def check_trusted(self) -> None:
        """Raise JournalError unless this database is the newest its journal knows; nothing may be sent otherwise."""
        with self.reading() as connection:
            behind = installation.why_untrusted(connection, self.journal) is not None
        if not behind:
            return
        # A record may be on its way: in the journal already and not yet in the database. Wait for it, then look again.
        with self.database.writing() as connection:
            locks.take(connection, [Lock(LockKind.JOURNAL, 0)])
            installation.check_trusted(connection, self.journal)

    def close(self) -> None:
        """Finish what waits and give the connections back."""
        self.writer.close()
        self.journal.close()
        self.database.close()
