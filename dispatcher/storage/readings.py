"""The readings of the register: when which export was read."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from dispatcher.storage.tables import RegisterReadTable


def last_whole_reading(connection: Connection) -> datetime | None:
    """Return when a whole register was last read to its end, or None."""
    query = select(func.max(RegisterReadTable.finished_at)).where(RegisterReadTable.is_whole)
    return connection.scalar(query)
