"""The sources of a register's answers: how each asks its question, as a person told it once, and its picture."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from dispatcher.rules.ledger import EntryKind, Json, canonical
from dispatcher.rules.source import VOIDED
from dispatcher.storage.database import insert_new
from dispatcher.storage.ledger import entries_of_nobody
from dispatcher.storage.tables import FrozenTable, SourceTable


@dataclass(frozen=True, slots=True)
class StoredSource:
    """One source as it was told: `spec` never changes, `picture` is the SHA-256 of the form's picture."""

    id: int
    name: str
    spec: dict[str, Json]
    picture: str | None
    added_at: datetime
    ended_at: datetime | None


def add(connection: Connection, name: str, spec: dict[str, Json], picture: str | None, now: datetime) -> int:
    """Write a source and return its number."""
    row = insert(SourceTable).values(name=name, spec=canonical(spec), picture=picture, added_at=now)
    return int(connection.execute(row.returning(SourceTable.id)).scalar_one())


def digest(spec: Mapping[str, Json]) -> str:
    """Return the SHA-256 by which ledger and journal name what was told."""
    return hashlib.sha256(canonical(spec).encode()).hexdigest()


def end(connection: Connection, source: int, now: datetime) -> None:
    """Write that a register asks so no longer."""
    connection.execute(update(SourceTable).where(SourceTable.id == source).values(ended_at=now))


def voidings(connection: Connection) -> dict[int, datetime]:
    """Return since when which sources are void: the ledger tells it, where the answers are that rest on them (L-03)."""
    told = entries_of_nobody(connection, EntryKind.SOURCE.value)
    found: dict[int, datetime] = {}
    for entry in told:
        number = entry.data().get("source")
        if entry.data().get("event") == VOIDED and isinstance(number, int):
            found.setdefault(number, entry.at)
    return found


def every(connection: Connection) -> list[StoredSource]:
    """Return all sources, oldest first."""
    rows = connection.execute(select(*SourceTable.__table__.columns).order_by(SourceTable.id))
    return [
        StoredSource(row.id, row.name, json.loads(row.spec), row.picture, row.added_at, row.ended_at) for row in rows
    ]


def keep_picture(connection: Connection, sha256: str, content: bytes) -> None:
    """Keep the bytes of a picture under their SHA-256."""
    insert_new(connection, FrozenTable, [{"sha256": sha256, "content": content}])


def picture(connection: Connection, sha256: str) -> bytes | None:
    """Return the bytes of a picture."""
    return connection.scalar(select(FrozenTable.content).where(FrozenTable.sha256 == sha256))


def times_named(connection: Connection, wording: str) -> int:
    """Return how many sources asked in this wording."""
    named = SourceTable.spec.contains(f'"{wording}"', autoescape=True)
    return int(connection.scalar(select(func.count()).select_from(SourceTable).where(named)) or 0)
