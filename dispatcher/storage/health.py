"""What the doctor asks of the database: since when, how new, how large."""

from datetime import datetime

from sqlalchemy import Connection, func, select, text

from dispatcher.storage.tables import InstallationTable, LedgerEntryTable


def opened_at(connection: Connection) -> datetime | None:
    """Return when the installation began, or None where there is none."""
    return connection.scalar(select(InstallationTable.opened_at))


def newest_entry(connection: Connection) -> datetime | None:
    """Return the time of the newest entry of the ledger, or None for an empty one."""
    return connection.scalar(select(func.max(LedgerEntryTable.at)))


def size(connection: Connection) -> int:
    """Return how many bytes the database takes."""
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
