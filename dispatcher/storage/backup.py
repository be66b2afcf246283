"""Copies of the database, whichever it is: made while it is in use, verified by opening them, put back on request."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dispatcher.errors import StorageError
from dispatcher.rules.ledger import Json
from dispatcher.storage import postgresql_copy, sqlite_copy
from dispatcher.storage.contents import Contents
from dispatcher.storage.database import Database

_SQLITE_BEGINS = b"SQLite format 3\0"
_ZIP_BEGINS = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A copy that has been verified: where it is, how many bytes it has, and the rows of each table in it."""

    path: Path
    bytes: int
    revision: str
    rows: dict[str, int]

    def as_json(self) -> dict[str, Json]:
        """Return the report with stable keys."""
        return {"copied_to": str(self.path), "bytes": self.bytes, "revision": self.revision, "rows": self.rows}


def write_copy(database: Database, path: Path) -> BackupReport:
    """Copy the database into a new file of mode 0600, open the copy, and compare it with what was copied.

    Raises StorageError if there is a file of that name already, or the copy is not as it must be; no file is left then.
    """
    database.check_current()
    if path.exists() or path.is_symlink():
        raise StorageError(f"There is a file {path} already: give the copy another name. Nothing was written.")
    draft = path.with_name(f"{path.name}.part")
    with _file_trouble(path):
        try:
            sqlite_copy.new_file(draft)
            write = sqlite_copy.write if database.is_sqlite else postgresql_copy.write
            wanted = write(database, draft)
            if _check(database, draft) != wanted:
                raise StorageError(f"{path.name} is not what was copied: try again. Nothing was kept.")
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.rename(path)
            sqlite_copy.sync_directory(path.parent)
        finally:
            sqlite_copy.remove(draft)
        return BackupReport(path, path.stat().st_size, wanted.revision, wanted.rows)


def check_copy(database: Database, path: Path) -> Contents:
    """Return what a copy holds. Raises StorageError for one that is damaged, or not of this kind of database."""
    with _file_trouble(path), path.open("rb") as file:
        begins = file.read(len(_SQLITE_BEGINS))
    is_sqlite, is_zip = begins == _SQLITE_BEGINS, begins.startswith(_ZIP_BEGINS)
    if database.is_sqlite and is_zip:
        raise StorageError(f"{path.name} is a copy of a PostgreSQL database, [database] url names SQLite.")
    if not database.is_sqlite and is_sqlite:
        raise StorageError(f"{path.name} is a copy of an SQLite database, [database] url names PostgreSQL.")
    if not is_sqlite and not is_zip:
        raise StorageError(f"{path.name} is not a copy that `dispatcher db backup` made. Nothing was changed.")
    return _check(database, path)


def put_back(database: Database, path: Path, contents: Contents, now: datetime) -> Path | None:
    """Put a checked copy in the place of the database, and return where the replaced one is kept (SQLite only).

    The database needs its replay then: nothing is sent until it has taken in its journal (L-34).
    """
    if not database.is_sqlite:
        postgresql_copy.put_back(database, path, contents)
        return None
    live = Path(str(database.url.database))
    if live.exists() and path.samefile(live):
        raise StorageError(f"{path.name} is the database itself: name a copy of it. Nothing was changed.")
    return sqlite_copy.put_back(database, path, now)


def _check(database: Database, path: Path) -> Contents:
    return sqlite_copy.check(path) if database.is_sqlite else postgresql_copy.check(path)


@contextmanager
def _file_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be used ({error.strerror}). Nothing was changed.") from None
