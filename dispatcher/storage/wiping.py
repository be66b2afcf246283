"""Sees to it that what was deleted is in no file of the database any more (docs/architecture.md)."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dispatcher.storage.database import Database

_WAIT_SECONDS = 5
_LOOKS = 50
_STATISTICS = "pg_statistic"
"""Where PostgreSQL keeps samples of every column: names and addresses, until they are gathered anew."""


def rewrite_tables(database: Database, tables: Sequence[str]) -> bool:
    """Have these tables written anew without what was deleted from them, and say whether that could be done now.

    SQLite overwrites what it deletes with zeros (`secure_delete`), but moves rows from page to page without that: the
    whole file is written anew, and its log, which holds the pages from before, is cut to nothing once nobody reads it.
    PostgreSQL writes each table anew, with its indexes and its statistics; its own log ages out. Readers are waited
    for, a few seconds; with them in the way the answer is no.
    """
    return _rewrite_file(database) if database.is_sqlite else _rewrite(database, tables)


def _rewrite_file(database: Database) -> bool:
    path = str(database.url.database)
    with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
    return not busy


def _rewrite(database: Database, tables: Sequence[str]) -> bool:
    try:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"SET lock_timeout TO '{_WAIT_SECONDS}s'"))
            try:
                if not _nobody_looks_back(connection):
                    return False
                for table in tables:
                    connection.execute(text(f'VACUUM (FULL, ANALYZE) "{table}"'))
                # What was gathered before has just died, and whoever looked meanwhile would keep it.
                if not _nobody_looks_back(connection):
                    return False
                connection.execute(text(f"VACUUM FULL {_STATISTICS}"))
            finally:
                connection.execute(text("RESET lock_timeout"))
    except DBAPIError:
        return False
    return True


def _nobody_looks_back(connection: Connection) -> bool:
    """Wait a few seconds until nobody in this database sees it as it was before now, and say whether that came.

    VACUUM copies what is deleted as long as somebody may still see it, PostgreSQL's own gathering of statistics too.
    """
    now = connection.execute(text("SELECT CAST(pg_current_xact_id() AS text)")).scalar_one()
    older = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_xmin IS NOT NULL AND age(backend_xmin) > age(CAST(CAST(:now AS xid8) AS xid))"
    )
    for _ in range(_LOOKS):
        if not connection.execute(older, {"now": now}).scalar_one():
            return True
        connection.execute(text(f"SELECT pg_sleep({_WAIT_SECONDS / _LOOKS})"))
    return False
