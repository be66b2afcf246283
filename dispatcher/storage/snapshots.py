"""One state of the ledger for two connections that read it side by side, in one process or in two."""

from sqlalchemy import Connection, func, select

from dispatcher.storage import ledger


def offered(connection: Connection) -> str:
    """Begin to read, and return what another connection needs to read the same state: `joined` takes it."""
    if connection.dialect.name == "sqlite":
        return _ends(connection)
    return str(connection.scalar(select(func.pg_export_snapshot())))


def joined(connection: Connection, offer: str) -> bool:
    """Begin to read, and say whether it is the state offered.

    PostgreSQL hands a state over. SQLite cannot: the ledger is the same where its ends are, and whoever sees others
    begins again. Only what a destroyed year has left goes without moving them, and that is counted by nobody.
    """
    if connection.dialect.name == "sqlite":
        return offer == _ends(connection)
    connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{offer}'")
    return True


def _ends(connection: Connection) -> str:
    return repr((ledger.highest(connection), ledger.heads(connection)))
