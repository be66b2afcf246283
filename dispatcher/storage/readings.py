"""The readings of the register: when which export was read, whom it named, and who is gone since."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from dispatcher.storage.tables import ClientTable, RegisterReadTable

_AT_ONCE = 500
# These run for every hundred rows of a register.
_NAMED = ClientTable.number.in_(bindparam("clients", expanding=True))
_STAMP = update(ClientTable).where(_NAMED).values(seen_in=bindparam("reading"))
_GONE_AMONG = select(ClientTable.number).where(_NAMED, ClientTable.gone_since.is_not(None))
_PRESENT = (ClientTable.seen_in.is_not(None), ClientTable.gone_since.is_(None))


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of an export; `is_whole` says that it was the whole register, `finished_at` that its end was reached.

    `rows` are those that are not blank; the times are aware UTC.
    """

    id: int
    sha256: str
    rows: int
    is_whole: bool
    began_at: datetime
    finished_at: datetime | None


def begin(connection: Connection, sha256: str, rows: int, now: datetime, *, is_whole: bool) -> int:
    """Write that a register begins to be read, and return the number of the reading."""
    values = {"sha256": sha256, "rows": rows, "is_whole": is_whole, "began_at": now, "finished_at": None}
    return connection.execute(insert(RegisterReadTable).values(values).returning(RegisterReadTable.id)).scalar_one()


def finish(connection: Connection, reading: int, now: datetime) -> None:
    """Write that a reading has reached the end of its file."""
    connection.execute(update(RegisterReadTable).where(RegisterReadTable.id == reading).values(finished_at=now))


def last_whole(connection: Connection) -> Reading | None:
    """Return the last reading of a whole register that reached its end, or None."""
    columns = [getattr(RegisterReadTable, name) for name in Reading.__dataclass_fields__]
    whole = (RegisterReadTable.is_whole, RegisterReadTable.finished_at.is_not(None))
    found = connection.execute(select(*columns).where(*whole).order_by(RegisterReadTable.id.desc()).limit(1)).first()
    return Reading(*found) if found else None


def stamp(connection: Connection, reading: int, clients: Collection[int]) -> list[int]:
    """Write that a reading names these clients; return those who had been gone and are back."""
    if not clients:
        return []
    wanted = list(clients)
    back = list(connection.scalars(_GONE_AMONG, {"clients": wanted}))
    connection.execute(_STAMP, {"clients": wanted, "reading": reading})
    if back:
        connection.execute(update(ClientTable).where(ClientTable.number.in_(back)).values(gone_since=None))
    return sorted(back)


def present(connection: Connection) -> set[int]:
    """Return everybody whom a register has named and who is not gone."""
    return set(connection.scalars(select(ClientTable.number).where(*_PRESENT)))


def missing(connection: Connection, reading: int) -> list[int]:
    """Return who was named by an earlier reading, not by this one or a later one, and is not gone yet."""
    query = select(ClientTable.number).where(*_PRESENT, ClientTable.seen_in < reading)
    return list(connection.scalars(query.order_by(ClientTable.number)))


def mark_gone(connection: Connection, clients: Sequence[int], now: datetime) -> None:
    """Write that these clients are in the register no longer."""
    for start in range(0, len(clients), _AT_ONCE):
        chunk = clients[start : start + _AT_ONCE]
        connection.execute(update(ClientTable).where(ClientTable.number.in_(chunk)).values(gone_since=now))
