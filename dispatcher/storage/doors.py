"""How far each door has been read, and what keeps it from being read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from dispatcher.storage.database import insert_new
from dispatcher.storage.tables import DoorTable


@dataclass(frozen=True, slots=True)
class DoorRow:
    """A door as its table holds it; `read_up_to` is None before its first reading."""

    name: str
    mark: str
    read_up_to: datetime | None
    trouble: str | None
    failing_since: datetime | None


_COLUMNS: list[Any] = [getattr(DoorTable, name) for name in DoorRow.__dataclass_fields__]


def read(connection: Connection, names: Collection[str]) -> dict[str, DoorRow]:
    """Return these doors by name, those that were never read included."""
    found = {name: DoorRow(name, "", None, None, None) for name in names}
    query = select(*_COLUMNS).where(DoorTable.name.in_(list(names)))
    return found | {row.name: DoorRow(*row) for row in connection.execute(query)}


def set_read(connection: Connection, before: DoorRow, mark: str, up_to: datetime) -> None:
    """Write that a door has been read from one mark to another, and up to which moment.

    Where another process has moved the mark meanwhile, it stays: what is read twice changes nothing.
    """
    move(connection, before.name, before.mark, mark)
    values = {"read_up_to": up_to, "trouble": None, "failing_since": None}
    connection.execute(update(DoorTable).where(DoorTable.name == before.name).values(**values))


def move(connection: Connection, name: str, mark: str, to: str) -> None:
    """Write that a door has been read a part of the way, from one mark to another; one moved meanwhile stays."""
    insert_new(connection, DoorTable, [{"name": name, "mark": mark}])
    unmoved = (DoorTable.name == name, DoorTable.mark == mark)
    connection.execute(update(DoorTable).where(*unmoved).values(mark=to))


def set_trouble(connection: Connection, name: str, trouble: str, since: datetime) -> None:
    """Write why a door cannot be read, and since when."""
    insert_new(connection, DoorTable, [{"name": name, "mark": ""}])
    connection.execute(update(DoorTable).where(DoorTable.name == name).values(trouble=trouble, failing_since=since))
