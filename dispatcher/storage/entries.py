"""Entries of the ledger picked out for a person: those about one client, and those of some numbers."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, select

from dispatcher.rules.ledger import StoredEntry
from dispatcher.storage.ledger import COLUMNS
from dispatcher.storage.tables import LedgerEntryTable

_AT_ONCE = 500


def of_client(connection: Connection, client: int) -> Iterator[StoredEntry]:
    """Yield every entry about a client, in the order in which it was written."""
    yield from _read(connection, LedgerEntryTable.client == client)


def of_numbers(connection: Connection, numbers: Collection[int]) -> dict[int, StoredEntry]:
    """Return the entries of these numbers, as far as there are any."""
    wanted = sorted(set(numbers))
    found: dict[int, StoredEntry] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        found |= {each.id: each for each in _read(connection, LedgerEntryTable.id.in_(part))}
    return found


def _read(connection: Connection, wanted: Any) -> Iterator[StoredEntry]:
    for row in connection.execute(select(*COLUMNS).where(wanted).order_by(LedgerEntryTable.id)):
        yield StoredEntry(*row)
