"""Opens the database, checks that it keeps what it is told to keep, and brings its tables up to date."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as Connection  # noqa: PLC0414 - what flows pass around, under our own roof
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from dispatcher.errors import SettingsError, StorageError
from dispatcher.storage import locks
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.tables import Table
from dispatcher.storage.turns import Turns

_BUSY_MILLISECONDS = 30_000
MIGRATIONS = Path(__file__).parent / "migrations"
_SQLITE_WANTED = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "secure_delete": 1,
    "recursive_triggers": 1,
}
_POSTGRESQL_WANTED = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_POSTGRESQL_SETTINGS = "SELECT " + ", ".join(f"current_setting('{name}')" for name in _POSTGRESQL_WANTED)


class Database:
    """One database, SQLite or PostgreSQL, by URL.

    Every connection is set to durable commits (docs/architecture.md) and `check_durable` reads that back. No error or
    log repeats the values of a statement: they are names, addresses and hashes (L-46).
    Raises SettingsError for a URL that names no database the program knows.
    """

    def __init__(self, url: str) -> None:
        self.url = _known(url)
        self.engine = _engine(self.url)
        file = self.url.database if self.is_sqlite else None
        self._turns = Turns(Path(file), _BUSY_MILLISECONDS / 1000) if file and file != ":memory:" else None

    @property
    def is_sqlite(self) -> bool:
        """Say whether this is SQLite: one file, one writer at a time."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading one consistent state; nothing is written."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._trouble_named(), self.engine.connect() as connection:
            yield connection.execution_options(**options)

    @contextmanager
    def writing(self, *, urgent: bool = False) -> Iterator[Connection]:
        """Give a connection in a writing transaction, committed at the end; BEGIN IMMEDIATE on SQLite.

        `urgent`, a no, goes before whatever else waits to write into a SQLite file, in any process.
        """
        with ExitStack() as stack:
            stack.enter_context(self._trouble_named())
            connection = stack.enter_context(self.engine.connect())
            connection.execution_options(dispatcher_writes=True)
            if self._turns is not None and urgent:
                stack.enter_context(self._turns.urgent())
            elif self._turns is not None:
                self._turns.let_pass()
            with connection.begin():
                yield connection

    def check_durable(self) -> None:
        """Raise StorageError unless this database puts every commit on disk before it answers."""
        with self.reading() as connection:
            for name, wanted, found in durability(connection):
                if found != wanted:
                    raise StorageError(f"The database would not keep what it is told: {name} is {found}, not {wanted}.")

    def check_current(self) -> None:
        """Raise StorageError unless the tables are those of this version of the program."""
        with self.reading() as connection:
            found = revision_of(connection)
        wanted = newest_revision()
        if found != wanted:
            if found is not None and not _is_known(found):
                raise _newer(found)
            have = f"is at {found}" if found else "has no tables"
            raise StorageError(f"The database {have}, this version needs {wanted}: run `dispatcher db upgrade`.")

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    @contextmanager
    def _trouble_named(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.IntegrityError) or "Integrity" in type(error).__name__:
                raise
            first_line = str(error.orig).partition("\n")[0]
            raise StorageError(f"The database did not answer: {first_line}.") from error


def begin_if_missing(url: str) -> None:
    """Create the file of a SQLite database that is not there, readable by its owner only: a copy is to take its place.

    Raises StorageError where it cannot be created.
    """
    database = Database(url)
    _create_private(database)
    database.close()


def upgrade(url: str) -> None:
    """Create the tables or bring them up to this version. Raises StorageError where that fails."""
    database = Database(url)
    _create_private(database)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with database.writing() as connection:
            locks.take(connection, [Lock(LockKind.JOURNAL, 0)])
            found = revision_of(connection)
            if found == newest_revision():
                return
            if found is not None and not _is_known(found):
                raise _newer(found)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def revision_of(connection: Connection) -> str | None:
    """Return the revision the tables of a database are at, None where there are none."""
    if not has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def newest_revision() -> str | None:
    """Return the revision of this version of the program."""
    return _scripts().get_current_head()


@cache
def _scripts() -> ScriptDirectory:
    """Return the migrations, read once: they are part of the program."""
    return ScriptDirectory(str(MIGRATIONS))


def _is_known(revision: str) -> bool:
    """Say whether this version of the program knows how tables of this revision came about."""
    return any(script.revision == revision for script in _scripts().walk_revisions())


def _newer(revision: str) -> StorageError:
    return StorageError(
        f"The database is at {revision}, which this version of the program does not know: a newer one has written it. "
        "Install that version again. Nothing was changed."
    )


def insert_new(connection: Connection, table: type[Table], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows and leave out those whose unique key is there already, also where another process has just put it."""
    if rows:
        make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(make(table).on_conflict_do_nothing(), list(rows))


def has_table(connection: Connection, name: str) -> bool:
    """Say whether there is a table of this name where the program looks for its tables."""
    if connection.dialect.name == "sqlite":
        return connection.dialect.has_table(connection, name)
    # Asked before each commit of a no: this looks one name up, where the dialect's own question joins catalogues.
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None


def durability(connection: Connection) -> list[tuple[str, object, object]]:
    """Return each setting that durable commits rest on: its name, what it must be, what it is."""
    if connection.dialect.name == "sqlite":
        return [
            (name, wanted, connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name, wanted in _SQLITE_WANTED.items()
        ]
    found = connection.exec_driver_sql(_POSTGRESQL_SETTINGS).one()
    return [(name, wanted, value) for (name, wanted), value in zip(_POSTGRESQL_WANTED.items(), found, strict=True)]


def _create_private(database: Database) -> None:
    """Create a new SQLite file so that only its owner may read the register; its companions take after it."""
    if not database.is_sqlite or not database.url.database or database.url.database == ":memory:":
        return
    path = Path(database.url.database)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StorageError(
            f"The database {path.name} cannot be opened ({error.strerror}): check [database] url."
        ) from None


def _known(url: str) -> URL:
    try:
        found = make_url(url)
        backend = found.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        backend = ""
    if backend not in {"sqlite", "postgresql"}:
        raise SettingsError(
            "[database] url is not one the program knows. Write sqlite:///dispatcher.db or postgresql://user@host/name."
        )
    return found


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url.set(drivername="sqlite"), creator=partial(_connect_sqlite, url), hide_parameters=True
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        # Who has waited for a lock must see what the one before wrote, whatever level the server prefers.
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            hide_parameters=True,
            use_native_hstore=False,  # no column is one: this spares each start looking for the type
        )
    except ModuleNotFoundError:
        raise SettingsError("PostgreSQL needs its driver: run `pip install consent-dispatcher[postgres]`.") from None
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _connect_sqlite(url: URL) -> sqlite3.Connection:
    """Open the file that is there: no empty one takes the place of one that was moved away."""
    if url.database and not Path(url.database).exists():
        name = Path(url.database).name
        raise StorageError(
            f"The database {name} is not there: put it back where it was, or a copy in its place (`dispatcher db "
            "restore COPY`); `dispatcher db upgrade` begins an empty one."
        )
    place = f"file:{quote(url.database)}?mode=rw" if url.database else ":memory:"
    return sqlite3.connect(place, timeout=_BUSY_MILLISECONDS / 1000, check_same_thread=False, uri=True)


def _set_up_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    del record
    # The driver must not begin transactions by itself: `_begin_sqlite` says which kind each one is.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={_BUSY_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        # Without it INSERT OR REPLACE deletes the row in its way past the triggers that guard the ledger.
        "recursive_triggers=ON",
        # A page that a run of sending changes again and again goes from the journal into the file once in 4,000 pages,
        # and 8 MB of them are kept at hand.
        "wal_autocheckpoint=4000",
        "cache_size=-8000",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("dispatcher_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_up_postgresql(connection: Any, record: Any) -> None:
    del record
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute("SET idle_in_transaction_session_timeout TO '5min'")
    connection.commit()
