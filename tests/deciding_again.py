"""Decides every message of an installation again from the bytes of its ledger: nothing else is read."""

import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Any

from sqlalchemy import text

from dispatcher.rules.audit_again import Again
from dispatcher.rules.ledger import StoredEntry
from dispatcher.storage.store import Store
from tests.stores import raw

_QUERY = "SELECT id, group_id, kind, at, actor, client, campaign, channel, body, digest FROM ledger_entry ORDER BY id"


def decided_again(store: Store) -> Again:
    """Return what came of it: the rows are read past the program, as somebody with another tool would."""
    again = Again()
    for entry in _rows(store):
        again.take(entry)
    return again


def _rows(store: Store) -> list[StoredEntry]:
    if store.database.is_sqlite:
        with closing(sqlite3.connect(str(store.database.url.database))) as connection:
            rows = connection.execute(_QUERY).fetchall()
        return [_read(*row) for row in rows]
    engine = raw(store.database.url.render_as_string(hide_password=False))
    with engine.connect() as connection_:
        found = [_read(*row) for row in connection_.execute(text(_QUERY))]
    engine.dispose()
    return found


def _read(*row: Any) -> StoredEntry:
    values = dict(zip(StoredEntry.__dataclass_fields__, row, strict=True))
    if isinstance(values["at"], str):
        values["at"] = datetime.fromisoformat(f"{values['at']}+00:00")
    return StoredEntry(**values)
