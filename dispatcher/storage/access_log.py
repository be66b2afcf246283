"""Who looked at whom: apart from the ledger, and purged."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from dispatcher.rules.actor import Actor
from dispatcher.storage.tables import AccessLogTable


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a person at clients: `act` says by what, `client` whom where it was one, `clients` how many."""

    at: datetime
    actor: str
    act: str
    client: int | None
    clients: int


def add(connection: Connection, actor: Actor, act: str, now: datetime, clients: int, client: int | None = None) -> None:
    """Write that somebody looks at so many clients, or at this one."""
    values = {"at": now, "actor": str(actor), "act": act, "client": client, "clients": clients}
    connection.execute(insert(AccessLogTable).values(**values))


def looks(
    connection: Connection,
    *,
    actors: Collection[str] | None = None,
    client: int | None = None,
    since: datetime | None = None,
) -> list[Look]:
    """Return every look there is, oldest first: those of these actors, at this client, since this instant."""
    columns = [getattr(AccessLogTable, name) for name in Look.__dataclass_fields__]
    query = select(*columns).order_by(AccessLogTable.id)
    if actors is not None:
        query = query.where(AccessLogTable.actor.in_(actors))
    if client is not None:
        query = query.where(AccessLogTable.client == client)
    if since is not None:
        query = query.where(AccessLogTable.at >= since)
    return [Look(*row) for row in connection.execute(query)]


def purge(connection: Connection, before: datetime) -> int:
    """Delete the looks from before this time and return how many."""
    return connection.execute(delete(AccessLogTable).where(AccessLogTable.at < before)).rowcount
