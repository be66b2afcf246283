"""The few facts that must survive a restore, kept apart from the database and written before it.

Every no, erasure, spent slot and begun campaign is a record here first: numbered, and signed over the record before it
with a key of its own. The database keeps the numbers of the records it has taken in; one that misses any is an older
copy, and nothing is sent until `dispatcher db restore --replay` (docs/architecture.md).
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    text,
    update,
)

from dispatcher.errors import DispatcherError, JournalError
from dispatcher.keys import KeyRing
from dispatcher.rules.ledger import GENESIS, canonical
from dispatcher.storage.database import Database, has_table
from dispatcher.storage.journal_keys import JournalKeys
from dispatcher.storage.journal_records import (
    Change,
    JournalKind,
    Note,
    Record,
    chained,
    checked,
    from_row,
    older_journal,
    parsed,
    redacted,
)
from dispatcher.storage.wiping import rewrite_tables

__all__ = ["Change", "DatabaseJournal", "FileJournal", "Journal", "JournalKind", "Note", "Record", "older_journal"]


class Journal(Protocol):
    """A journal, wherever it is kept."""

    def append(self, notes: Sequence[Note], now: datetime, *, known: int = 0) -> list[int]:
        """Put these facts on disk and return their numbers.

        `known` is the highest number the database knows: a journal that ends before it is an older one, and nothing
        is added to it. Raises JournalError if the facts cannot be kept.
        """
        ...

    def records(self) -> Iterator[Record]:
        """Yield every record in order, checked. Raises JournalError for a missing, damaged or altered one."""
        ...

    def last(self) -> int:
        """Return the number of the last record. Raises JournalError if the journal is missing."""
        ...

    def key_ids(self) -> set[str]:
        """Return the ids of the keys that records are signed with, whether the secrets file has them or not."""
        ...

    def redact(self, change: Change) -> bool:
        """Give each record the body that `change` returns, and say whether no byte of what was left out stays behind.

        Numbers, kinds and times stay, and the chain is made anew, all or nothing. Where somebody stands in the way of
        the bytes, the same call clears them up later. Raises JournalError if that cannot be kept, or for a journal that
        is damaged; nothing is changed then.
        """
        ...


@dataclass(frozen=True, slots=True)
class _End:
    """How far a file has been read: which state of it, how many bytes of whole lines, and its last record."""

    state: tuple[int, ...]
    size: int
    number: int
    mac: str


_PART = 1 << 20
"""Bytes of a journal's file that are read at once."""


class FileJournal:
    """A journal in a file beside the database: a JSON line a record.

    `reload` reads the keys anew where a record was signed with one that came after `ring`.
    """

    def __init__(self, path: Path, ring: KeyRing, reload: Callable[[], KeyRing] | None = None) -> None:
        self._path = path
        self._keys = JournalKeys(ring, reload)
        self._seen = _End((), 0, 0, GENESIS)

    def create(self, workspace: str, now: datetime) -> int:
        """Begin the journal of an installation. Raises JournalError if there is one already."""
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise JournalError(f"There is a journal already: {self._path.name}. Nothing was changed.") from None
        except OSError as error:
            raise _missing(self._path.name, error.strerror) from None
        try:
            numbers = self.append([Note(JournalKind.OPENED, {"workspace": workspace})], now)
        except DispatcherError:
            self._path.unlink()
            raise
        _sync_directory(self._path.parent)
        return numbers[0]

    def append(self, notes: Sequence[Note], now: datetime, *, known: int = 0) -> list[int]:
        """Put these facts on disk, synced, and return their numbers; several processes take turns by a file lock."""
        with self._locked("r+b", fcntl.LOCK_EX) as descriptor:
            end = self._end(descriptor)
            if end.number < known:
                raise older_journal(end.number, known)
            records = chained(notes, end.number, end.mac, self._keys.current(), now)
            lines = "".join(f"{record.as_json()}\n" for record in records).encode("ascii")
            # A line that a crash cut short was never answered for: its place is taken by what comes now.
            os.ftruncate(descriptor, end.size)
            _write_whole(descriptor, lines)
            self._seen = _End(_state(descriptor), end.size + len(lines), records[-1].number, records[-1].mac)
            return [record.number for record in records]

    def close(self) -> None:
        """Give back what is held open: nothing, for a file."""

    def records(self) -> Iterator[Record]:
        """Yield every record in order, each checked against the one before."""
        with self._locked("rb", fcntl.LOCK_SH) as descriptor:
            # What is whole now stays as it is, in this file or in the one that a redaction replaces.
            kept, size = os.dup(descriptor), _complete(descriptor)
        try:
            yield from self._records(kept, size)
        finally:
            os.close(kept)

    def last(self) -> int:
        """Return the number of the last record."""
        with self._locked("rb", fcntl.LOCK_SH) as descriptor:
            return self._end(descriptor).number

    def key_ids(self) -> set[str]:
        """Return the ids of the keys that records are signed with, whether the secrets file has them or not."""
        with self._locked("rb", fcntl.LOCK_SH) as descriptor:
            lines = _lines(descriptor, _complete(descriptor))
            return {parsed(line, self._path.name).key for line in lines}

    def redact(self, change: Change) -> bool:
        """Write the journal anew beside the old one, synced, and put it in its place in one step."""
        with self._locked("rb", fcntl.LOCK_EX) as descriptor:
            records = list(self._records(descriptor, _complete(descriptor)))
            anew = redacted(records, change, self._keys.current())
            if anew:
                untouched = records[: anew[0].number - 1]
                self._replace("".join(f"{record.as_json()}\n" for record in (*untouched, *anew)).encode("ascii"))
        return True

    def _replace(self, content: bytes) -> None:
        draft = self._path.with_name(f"{self._path.name}.new")
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                _write_whole(descriptor, content)
            finally:
                os.close(descriptor)
            draft.replace(self._path)
            _sync_directory(self._path.parent)
        except OSError as error:
            raise JournalError(f"The journal could not be written ({error.strerror}). Nothing was changed.") from None
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, mode: str, lock: int) -> Iterator[int]:
        """Open the file so that nobody's half-written records are seen."""
        while True:
            try:
                file = self._path.open(mode, buffering=0)
            except OSError as error:
                raise _missing(self._path.name, error.strerror) from None
            with file:
                fcntl.flock(file.fileno(), lock)
                if self._is_in_place(file.fileno()):
                    yield file.fileno()
                    return
            # Whoever held the lock has put a redacted journal in the place of the one that was opened: open that.

    def _is_in_place(self, descriptor: int) -> bool:
        """Say whether an open file still is the journal."""
        opened = os.fstat(descriptor)
        try:
            found = self._path.stat()
        except OSError as error:
            raise _missing(self._path.name, error.strerror) from None
        return (opened.st_dev, opened.st_ino) == (found.st_dev, found.st_ino)

    def _end(self, descriptor: int) -> _End:
        """Return how far the file goes; one that has not been touched since is not read again."""
        state = _state(descriptor)
        if state != self._seen.state:
            number, mac, size = 0, GENESIS, _complete(descriptor)
            for record in self._records(descriptor, size):
                number, mac = record.number, record.mac
            self._seen = _End(state, size, number, mac)
        return self._seen

    def _records(self, descriptor: int, size: int) -> Iterator[Record]:
        yield from checked((parsed(line, self._path.name) for line in _lines(descriptor, size)), self._keys)


class DatabaseJournal:
    """A journal in a second database, for installations on PostgreSQL. `reload` is the same."""

    _table = Table(
        "journal",
        MetaData(),
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
        Column("kind", String(40), nullable=False),
        Column("at", String(40), nullable=False),
        Column("body", Text, nullable=False),
        Column("key", String(1), nullable=False),
        Column("mac", String(64), nullable=False),
    )

    def __init__(self, database: Database, ring: KeyRing, reload: Callable[[], KeyRing] | None = None) -> None:
        self._database = database
        self._keys = JournalKeys(ring, reload)

    def create(self, workspace: str, now: datetime) -> int:
        """Begin the journal of an installation. Raises JournalError if there is one already."""
        self._database.check_durable()
        with self._database.writing() as connection:
            if has_table(connection, "journal"):
                raise JournalError("There is a journal in [database] journal already. Nothing was changed.")
            self._table.create(connection)
        return self.append([Note(JournalKind.OPENED, {"workspace": workspace})], now)[0]

    def append(self, notes: Sequence[Note], now: datetime, *, known: int = 0) -> list[int]:
        """Commit these facts and return their numbers; several processes take turns by a table lock."""
        with self._database.writing() as connection:
            self._require(connection)
            if not self._database.is_sqlite:
                connection.execute(text("LOCK TABLE journal IN EXCLUSIVE MODE"))
            number, mac = self._end(connection)
            if number < known:
                raise older_journal(number, known)
            records = chained(notes, number, mac, self._keys.current(), now)
            connection.execute(
                insert(self._table),
                [
                    {
                        "number": record.number,
                        "kind": record.kind.value,
                        "at": record.at,
                        "body": canonical(record.body),
                        "key": record.key,
                        "mac": record.mac,
                    }
                    for record in records
                ],
            )
            return [record.number for record in records]

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    def records(self) -> Iterator[Record]:
        """Yield every record in order, each checked against the one before."""
        with self._database.reading() as connection:
            self._require(connection)
            rows = connection.execute(select(self._table).order_by(self._table.c.number)).all()
        yield from checked((from_row(row) for row in rows), self._keys)

    def last(self) -> int:
        """Return the number of the last record."""
        with self._database.reading() as connection:
            self._require(connection)
            return self._end(connection)[0]

    def key_ids(self) -> set[str]:
        """Return the ids of the keys that records are signed with, whether the secrets file has them or not."""
        with self._database.reading() as connection:
            self._require(connection)
            return set(connection.scalars(select(self._table.c.key).distinct()))

    def redact(self, change: Change) -> bool:
        """Change the rows in one transaction under the table's lock, then have the table written anew."""
        with self._database.writing() as connection:
            self._require(connection)
            if not self._database.is_sqlite:
                connection.execute(text("LOCK TABLE journal IN EXCLUSIVE MODE"))
            rows = connection.execute(select(self._table).order_by(self._table.c.number)).all()
            records = list(checked((from_row(row) for row in rows), self._keys))
            anew = redacted(records, change, self._keys.current())
            if anew:
                connection.execute(
                    update(self._table).where(self._table.c.number == bindparam("this")),
                    [
                        {"this": record.number, "body": canonical(record.body), "key": record.key, "mac": record.mac}
                        for record in anew
                    ],
                )
        # Even where nothing changes now: an earlier call may have found somebody in the way.
        return rewrite_tables(self._database, ["journal"])

    def _require(self, connection: Connection) -> None:
        if not has_table(connection, "journal"):
            raise _missing("[database] journal", "there is no table `journal`")

    def _end(self, connection: Connection) -> tuple[int, str]:
        columns = self._table.c
        newest = select(columns.number, columns.mac).order_by(columns.number.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
        return (row.number, row.mac) if row else (0, GENESIS)


def _complete(descriptor: int) -> int:
    """Return how many bytes of the journal are whole lines."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - _PART)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _lines(descriptor: int, size: int) -> Iterator[bytes]:
    """Yield the lines of the first bytes of the journal, read a part at a time: it grows with the register."""
    rest, place = b"", 0
    while place < size:
        part = os.pread(descriptor, min(_PART, size - place), place)
        if not part:
            return  # it was cut short meanwhile: what is missing shows in the chain
        place += len(part)
        rest += part
        whole = rest.rfind(b"\n") + 1
        yield from rest[:whole].splitlines()
        rest = rest[whole:]


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _state(descriptor: int) -> tuple[int, ...]:
    """Return what changes whenever the file is written to or replaced."""
    found = os.fstat(descriptor)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _missing(name: str, why: str | None) -> JournalError:
    return JournalError(
        f"The journal {name} cannot be opened ({why}). Put it back from its copy; without it nobody knows which "
        "clients said no, so nothing is sent."
    )


def _write_whole(descriptor: int, content: bytes) -> None:
    """Put everything on disk at the file's end, or leave the file as it was: half a record would damage the journal."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        written = 0
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    except OSError as error:
        os.ftruncate(descriptor, size)
        raise JournalError(f"The journal could not be written ({error.strerror}). Nothing was changed.") from None
