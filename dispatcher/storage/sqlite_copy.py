"""Copies of an SQLite database: taken while it is in use, checked by opening them, put back in its place."""

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from dispatcher.errors import StorageError
from dispatcher.storage.contents import Contents, read_contents
from dispatcher.storage.database import Database

_COMPANIONS = ("", "-wal", "-shm", "-journal")
_IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def write(database: Database, draft: Path) -> Contents:
    """Copy one consistent state of a database in use into an empty file, and return what the copy must hold."""
    with database.reading() as connection:
        contents = read_contents(connection)
        # The transaction that counted is still open on this connection, so what is copied is what was counted.
        source = connection.connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise StorageError("The database is not SQLite. Nothing was written.")
        _copy(source, draft)
    return contents


def check(path: Path) -> Contents:
    """Open a copy read-only and return what it holds. Raises StorageError for one that is damaged or not a copy."""
    engine = create_engine("sqlite://", creator=lambda: _read_only(path), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            if said != "ok":
                raise StorageError(f"{path.name} is damaged: {said}. Nothing was changed.")
            return read_contents(connection)
    except (DBAPIError, sqlite3.Error) as error:
        told = error.orig if isinstance(error, DBAPIError) else error
        raise StorageError(f"{path.name} cannot be read as a copy of the database ({told}).") from None
    finally:
        engine.dispose()


def put_back(database: Database, path: Path, now: datetime) -> Path | None:
    """Put a checked copy in the place of the database, and return where the replaced one is kept, if there was one.

    The new database waits for its replay from its first moment on; so does the replaced one, should it come back.
    Raises StorageError if another program has the database open.
    """
    live = Path(str(database.url.database))
    staged = live.with_name(f"{live.name}.restoring")
    try:
        new_file(staged)
        with closing(_read_only(path)) as source:
            _copy(source, staged)
        _mark(staged)
        check(staged)
        database.close()
        kept = _move_away(live, now)
        staged.rename(live)
    except OSError as error:
        raise StorageError(f"The copy could not be put back ({error.strerror}).") from None
    finally:
        remove(staged)
    sync_directory(live.parent)
    return kept


def new_file(path: Path) -> None:
    """Create an empty file that only its owner may read, in place of an earlier draft."""
    remove(path)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def remove(draft: Path) -> None:
    """Remove a draft and what SQLite may have left beside it."""
    for companion in _COMPANIONS:
        draft.with_name(draft.name + companion).unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Put on disk which files a directory holds."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            source.backup(copy)
            # One plain file: a copy in WAL mode could not be opened where nothing may be written.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise StorageError(f"The copy could not be written ({error}). Nothing was changed.") from None
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _mark(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE installation SET needs_replay = 1")


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)


def _move_away(live: Path, now: datetime) -> Path | None:
    """Move the database, whole or damaged, out of the way; never over anything."""
    if not live.exists():
        return None
    _end_its_use(live)
    name = f"{live.name}.replaced-{now:%Y%m%dT%H%M%S}"
    kept = live.with_name(name)
    number = 1
    while kept.exists():
        number += 1
        kept = live.with_name(f"{name}-{number}")
    for companion in _COMPANIONS[::-1]:
        beside = live.with_name(live.name + companion)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + companion))
    return kept


def _end_its_use(live: Path) -> None:
    """Fold the write-ahead log into its file, which takes that nobody else has it open, and mark it as an older copy.

    A process that opened it in the very moment of its move could go on writing there, unseen: it may not send.
    """
    with closing(sqlite3.connect(live, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("UPDATE installation SET needs_replay = 1")
        except sqlite3.DatabaseError as error:
            # A damaged one is moved as it is: that may be why a copy is put back.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _IN_USE:
                raise StorageError(
                    f"{live.name} is in use: stop `dispatcher run` and every other command, then put the copy back. "
                    "Nothing was changed."
                ) from None
