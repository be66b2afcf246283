"""Whose data were in a place at a time: what has to be known when the place was broken into (L-39)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage.tables import ClientTable, LedgerEntryTable, OutboxTable, ServiceTable


def in_database(connection: Connection, until: datetime) -> list[int]:
    """Return the clients who were in the register by this moment and are in it still."""
    query = select(ClientTable.number).where(ClientTable.created_at <= until).order_by(ClientTable.number)
    return list(connection.scalars(query))


def erased_since(connection: Connection, since: datetime) -> int:
    """Return how many clients were in the register at some time since this moment and have been removed.

    One who was erased but for what a legal block keeps is there still.
    """
    client = LedgerEntryTable.client
    query = select(func.count(client.distinct())).where(
        LedgerEntryTable.kind == EntryKind.ERASED.value,
        LedgerEntryTable.at >= since,
        client.not_in(select(ClientTable.number)),
    )
    return int(connection.scalar(query) or 0)


def handed_to(connection: Connection, provider: str, channel: Channel, since: datetime, until: datetime) -> list[int]:
    """Return the clients of whom a message went, or may have gone, to a provider between these moments."""
    found: set[int] = set()
    for table in (OutboxTable, ServiceTable):
        query = select(table.client).where(*_handed(table, provider, channel, since, until)).distinct()
        found |= {number for number in connection.scalars(query) if number is not None}
    return sorted(found)


def _handed(table: Any, provider: str, channel: Channel, since: datetime, until: datetime) -> tuple[Any, ...]:
    """An intent without an outcome may have gone there: it counts."""
    went = or_(table.provider == provider, table.provider.is_(None))
    return (table.channel == channel.value, table.intent_at >= since, table.intent_at <= until, went)
