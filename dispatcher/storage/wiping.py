"""Sees to it that what was deleted is in no file of the database any more (docs/architecture.md)."""

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dispatcher.storage.database import Database

_WAIT_SECONDS = 5
_LOOKS = 60
_LOOK_EVERY = 0.25
"""Seconds between two looks: long enough in all for whoever waits for a lock elsewhere on the server."""
_KEPT = re.compile(r"(\d+) dead row versions cannot be removed yet")
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
                done = [_write_anew(connection, f'(FULL, ANALYZE, VERBOSE) "{table}"') for table in tables]
                # What was gathered before has just died, and whoever looked meanwhile would keep it.
                return all(done) and _write_anew(connection, f"(FULL, VERBOSE) {_STATISTICS}")
            finally:
                connection.execute(text("RESET lock_timeout"))
    except DBAPIError:
        return False


def _write_anew(connection: Connection, what: str) -> bool:
    """Have a table written anew until nothing deleted is copied, and say whether that came within a quarter minute.

    VACUUM copies what is deleted as long as a transaction from before is open, be it in another database of the server,
    and says how many rows those are.
    """
    driver: Any = connection.connection.driver_connection
    told: list[str] = []

    def hear(notice: Any) -> None:
        told.append(str(notice.message_detail))

    for _ in range(_LOOKS):
        told.clear()
        driver.add_notice_handler(hear)
        try:
            connection.execute(text(f"VACUUM {what}"))
        finally:
            driver.remove_notice_handler(hear)
        kept = [int(number) for each in told for number in _KEPT.findall(each)]
        if kept and not any(kept):
            return True
        connection.execute(text(f"SELECT pg_sleep({_LOOK_EVERY})"))
    return False
