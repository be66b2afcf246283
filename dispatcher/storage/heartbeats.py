"""When a sender was last seen, and what stood in its way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from dispatcher.storage.tables import HeartbeatTable


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sender as its table holds it; `stepped_by` are seconds, below zero where its clock was set back."""

    process: str
    version: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    trouble: str | None
    stepped_at: datetime | None
    stepped_by: int | None


def begin(connection: Connection, process: str, version: str, now: datetime) -> None:
    """Write that a sender has started, in the place of the one before it."""
    connection.execute(delete(HeartbeatTable).where(HeartbeatTable.process == process))
    values = {"process": process, "version": version, "started_at": now, "seen_at": now}
    connection.execute(insert(HeartbeatTable).values(**values))


def change(connection: Connection, process: str, values: Mapping[str, object]) -> None:
    """Write what is new about a sender."""
    connection.execute(update(HeartbeatTable).where(HeartbeatTable.process == process).values(**values))


def newest(connection: Connection) -> Heartbeat | None:
    """Return the sender that was seen last, or None where none has ever run."""
    columns = [getattr(HeartbeatTable, name) for name in Heartbeat.__dataclass_fields__]
    row = connection.execute(select(*columns).order_by(HeartbeatTable.seen_at.desc()).limit(1)).first()
    return Heartbeat(*row) if row else None
