"""What the doctor asks of the database: since when, how new, how large."""

from datetime import datetime

from sqlalchemy import Connection, select, text

from dispatcher.storage.tables import InstallationTable, LedgerEntryTable


def opened_at(connection: Connection) -> datetime | None:
    """Return when the installation began, or None where there is none."""
    return connection.scalar(select(InstallationTable.opened_at))


def newest_entry(connection: Connection) -> datetime | None:
    """Return the time of the entry that was written last, or None for an empty ledger.

    Not the latest time there is: once a clock had run ahead, it would be behind that for ever.
    """
    return connection.scalar(select(LedgerEntryTable.at).order_by(LedgerEntryTable.id.desc()).limit(1))


def size(connection: Connection) -> int:
    """Return how many bytes the database takes."""
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
