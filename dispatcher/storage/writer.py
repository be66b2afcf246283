"""The one writer of a process: joins waiting writes into one commit, withdrawals first."""

import itertools
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from dispatcher.errors import DispatcherError, StorageError
from dispatcher.rules.retention import Periods
from dispatcher.storage import locks
from dispatcher.storage.database import Database
from dispatcher.storage.journal import Journal, Note
from dispatcher.storage.ledger import LedgerDraft
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.progress import OPTION, ProgressDraft
from dispatcher.storage.tables import JournalMarkTable

T = TypeVar("T")
_JOINED_AT_MOST = 64


@dataclass(slots=True)
class Transaction:
    """What a write works with: the connection, the moment, the ledger's group, the progress, and the journal's notes.

    `suppressed_for` is how long an objection without a client stands, from its own date (L-36).
    """

    connection: Connection
    now: datetime
    ledger: LedgerDraft
    suppressed_for: timedelta
    progress: ProgressDraft
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class _Write:
    work: Callable[[Transaction], Any]
    locks: tuple[Lock, ...]
    done: Future[Any]
    urgent: bool


class _Undone(Exception):  # noqa: N818 - nobody hears of it: it takes a transaction back
    """The only write of a transaction has failed, and its caller knows."""


class Writer:
    """Runs writes one group at a time in a thread of its own.

    A write is a function of a Transaction. Writes that wait together share one durable commit, each behind a savepoint,
    so that the failure of one leaves the others whole. What the journal must keep is synced there before the commit.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        clock: Callable[[], datetime],
        suppressed_for: timedelta = Periods().suppressed,  # noqa: B008 - an immutable value
    ) -> None:
        self._suppressed_for = suppressed_for
        self._database = database
        self._journal = journal
        self._clock = clock
        self._queue: queue.PriorityQueue[tuple[int, int, _Write | None]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._run, name="dispatcher-writer", daemon=True)
        self._started = False
        self._closed = False
        self._guard = threading.Lock()

    def submit(
        self, work: Callable[[Transaction], T], *, wanted: Iterable[Lock] = (), urgent: bool = False
    ) -> Future[T]:
        """Queue a write and return its future; `urgent` ones (a no) go before all others that wait."""
        done: Future[T] = Future()
        with self._guard:
            if self._closed:
                raise StorageError("The writer has been closed; nothing more can be written.")
            if not self._started:
                self._thread.start()
                self._started = True
            self._queue.put((0 if urgent else 1, next(self._order), _Write(work, tuple(wanted), done, urgent)))
        return done

    def write(self, work: Callable[[Transaction], T], *, wanted: Iterable[Lock] = (), urgent: bool = False) -> T:
        """Run a write and return what it returned, once it is on disk. Raises what it raised; nothing is kept then."""
        return self.submit(work, wanted=wanted, urgent=urgent).result()

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            if self._started:
                self._queue.put((2, next(self._order), None))
        if self._started:
            self._thread.join()

    def _run(self) -> None:
        while True:
            _, _, first = self._queue.get()
            if first is None:
                return
            group, stop = [first], False
            with suppress(queue.Empty):
                while len(group) < _JOINED_AT_MOST and not stop:
                    _, _, another = self._queue.get_nowait()
                    if another is None:
                        stop = True
                    else:
                        group.append(another)
            self._commit_together([write for write in group if write.done.set_running_or_notify_cancel()])
            if stop:
                return

    def _commit_together(self, group: list[_Write]) -> None:
        results: list[tuple[_Write, Any]] = []
        try:
            now = self._clock()
            with self._database.writing(urgent=any(write.urgent for write in group)) as connection:
                counted = ProgressDraft(now)
                connection.execution_options(**{OPTION: counted})
                transaction = Transaction(connection, now, LedgerDraft(connection, now), self._suppressed_for, counted)
                wanted = {lock for write in group for lock in write.locks}
                # A record on its way into the journal must not look like one this database has missed.
                wanted.add(Lock(LockKind.JOURNAL, 0, shared=True))
                locks.take(connection, wanted)
                if len(group) == 1:
                    self._run_alone(group[0], transaction, results)
                else:
                    for write in group:
                        self._run_one(write, transaction, results)
                transaction.progress.close(connection)
                transaction.ledger.close()
                self._keep_in_journal(transaction)
        except _Undone:
            return
        except BaseException as error:  # noqa: BLE001 - whatever kept the commit away, every waiting write must hear of it
            trouble = error if isinstance(error, DispatcherError) else _named(error)
            for write, _ in results:
                write.done.set_exception(trouble)
            for write in group:
                if not write.done.done():
                    write.done.set_exception(trouble)
            return
        for write, result in results:
            write.done.set_result(result)

    def _run_alone(self, write: _Write, transaction: Transaction, results: list[tuple[_Write, Any]]) -> None:
        """Run the only write of a transaction: it needs no savepoint, for its failure undoes nobody else's."""
        try:
            results.append((write, write.work(transaction)))
        except BaseException as error:
            if transaction.connection.invalidated:
                raise
            write.done.set_exception(_told(error))
            raise _Undone from error

    def _run_one(self, write: _Write, transaction: Transaction, results: list[tuple[_Write, Any]]) -> None:
        mark, counted, notes = transaction.ledger.mark(), transaction.progress.mark(), len(transaction.notes)
        savepoint = transaction.connection.begin_nested()
        try:
            result = write.work(transaction)
            savepoint.commit()
        except BaseException as error:  # a write that ends this thread would leave all others waiting for ever
            if transaction.connection.invalidated:
                raise
            savepoint.rollback()
            transaction.ledger.back_to(mark)
            transaction.progress.back_to(counted)
            del transaction.notes[notes:]
            write.done.set_exception(_told(error))
        else:
            results.append((write, result))

    def _keep_in_journal(self, transaction: Transaction) -> None:
        if not transaction.notes:
            return
        known = transaction.connection.scalar(select(func.max(JournalMarkTable.record))) or 0
        numbers = self._journal.append(transaction.notes, transaction.now, known=known)
        transaction.connection.execute(insert(JournalMarkTable), [{"record": number} for number in numbers])


def _told(error: BaseException) -> BaseException:
    """Return what the caller of a failed write hears: trouble with the database in our words, all else as it was."""
    is_trouble = isinstance(error, DBAPIError) and not isinstance(error, IntegrityError)
    return _named(error) if is_trouble else error


def _named(error: BaseException) -> StorageError:
    if isinstance(error, SQLAlchemyError):
        first_line = str(error).partition("\n")[0]
        return StorageError(f"The database could not keep this: {first_line}")
    return StorageError(f"The database could not keep this: {error}")
