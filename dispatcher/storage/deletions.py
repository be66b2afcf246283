"""What is still to be deleted of clients who were erased: at providers, and on the disks of this machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, insert, or_, select, update

from dispatcher.storage.tables import ClientTable, DeletionTable, OutboxTable, ServiceTable

TRACES = "traces"
"""The name, in a provider's place, of this installation itself: its journal, and the files of its database."""
LEDGER = "ledger"
"""In the place of a provider's name for something: the traces are in the ledger as well."""
TEXTS_COME_BY = "twilio"
"""The carrier that text messages come in by; it keeps their words as it keeps those that went out."""
KEEPS_COPIES = frozenset({"twilio", "preview"})
"""The carriers that hold on to what they were given; a mail server passes it on and has nothing to forget."""
_BY_OUR_NUMBER = frozenset({"preview"})
"""Those that go by our own number of a message."""
_AT_ONCE = 500
_OPEN = DeletionTable.done_at.is_(None)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Something still to be deleted; `provider_id` is the provider's name for it, `attempts` how often it was asked."""

    id: int
    client: int
    provider: str
    provider_id: str
    asked_at: datetime
    attempts: int
    not_before: datetime


def add(connection: Connection, items: Iterable[tuple[int, str, str]], now: datetime) -> int:
    """Write what is to be deleted, client, provider and the provider's name for it, and return how much it is."""
    rows = [
        {
            "client": client,
            "provider": provider,
            "provider_id": name,
            "asked_at": now,
            "attempts": 0,
            "not_before": now,
            "done_at": None,
        }
        for client, provider, name in items
    ]
    if rows:
        connection.execute(insert(DeletionTable), rows)
    return len(rows)


def note_traces(connection: Connection, now: datetime, where: str = "") -> None:
    """Write that files of this machine still hold what this transaction deletes.

    Each has a row of its own: another process may be clearing up after an earlier one right now. `where` is `LEDGER`
    for what was deleted there, which is seldom, and long to write anew.
    """
    add(connection, [(0, TRACES, where)], now)


def collect(connection: Connection, now: datetime, clients: Sequence[int] | None = None) -> int:
    """Move what carriers hold of these clients from the messages to what is to be deleted, and return how much it is.

    Without `clients`, of everybody who is not in the register any more: an outcome may come after the erasure.
    """
    found = 0
    for table in (OutboxTable, ServiceTable):
        is_gone = and_(table.client.is_not(None), ~exists().where(ClientTable.number == table.client))
        found += collect_where(connection, table, is_gone if clients is None else table.client.in_(clients), now)
    return found


def collect_where(
    connection: Connection, table: type[OutboxTable] | type[ServiceTable], which: ColumnElement[bool], now: datetime
) -> int:
    """Do what `collect` does with these messages; those of nobody in the register go by the number 0."""
    held = or_(table.provider_id.is_not(None), table.provider.in_(_BY_OUR_NUMBER))
    query = select(table.id, table.client, table.provider, table.provider_id, table.message_id)
    rows = connection.execute(query.where(which, table.provider.in_(KEEPS_COPIES), held)).all()
    for start in range(0, len(rows), _AT_ONCE):
        these = table.id.in_([row.id for row in rows[start : start + _AT_ONCE]])
        connection.execute(update(table).where(these).values(provider=None, provider_id=None))
    named = ((row, row.message_id if row.provider in _BY_OUR_NUMBER else row.provider_id) for row in rows)
    return add(connection, ((row.client or 0, row.provider, name) for row, name in named), now)


def standing(connection: Connection, client: int | None = None) -> list[Deletion]:
    """Return what is still to be deleted, of one client or of all, oldest first."""
    query = _query().where(_OPEN)
    if client is not None:
        query = query.where(DeletionTable.client == client)
    return [Deletion(*row) for row in connection.execute(query)]


def ready(connection: Connection, provider: str, now: datetime, limit: int = 10_000) -> list[Deletion]:
    """Return what this provider may be asked to delete now, oldest first."""
    mine = (_OPEN, DeletionTable.provider == provider, DeletionTable.not_before <= now)
    return [Deletion(*row) for row in connection.execute(_query().where(*mine).limit(limit))]


def providers(connection: Connection) -> dict[str, int]:
    """Return how much is still to be deleted where."""
    query = select(DeletionTable.provider, func.count()).where(_OPEN).group_by(DeletionTable.provider)
    return {row[0]: row[1] for row in connection.execute(query.order_by(DeletionTable.provider))}


def set_done(connection: Connection, deletion: int, now: datetime) -> bool:
    """Write that something has been deleted, forget the provider's name for it, and say whether that was news."""
    values = {"done_at": now, "provider_id": "", "attempts": DeletionTable.attempts + 1}
    done = connection.execute(update(DeletionTable).where(DeletionTable.id == deletion, _OPEN).values(values))
    return done.rowcount == 1


def postpone(connection: Connection, deletion: int, not_before: datetime) -> None:
    """Write that the provider is to be asked again, not before this time."""
    values = {"not_before": not_before, "attempts": DeletionTable.attempts + 1}
    connection.execute(update(DeletionTable).where(DeletionTable.id == deletion, _OPEN).values(values))


def _query() -> Select[Any]:
    return select(*(getattr(DeletionTable, name) for name in Deletion.__dataclass_fields__)).order_by(DeletionTable.id)
