"""That messages ended at an address for reasons that may pass; they go with the address (L-33)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from dispatcher.rules.message import Blame
from dispatcher.storage.tables import AddressTable, SoftBounceTable


def add(connection: Connection, address: int, blame: Blame, now: datetime) -> list[datetime]:
    """Write that a message has ended at an address, and return when any did for this reason, oldest first.

    Nothing is written, and nothing returned, for an address that has gone meanwhile or is going now.
    """
    standing = select(AddressTable.id).where(AddressTable.id == address)
    # Whoever erases an address holds it; to wait for that here, with outcomes in hand, could be for ever.
    if connection.scalar(standing.with_for_update(read=True, key_share=True, skip_locked=True)) is None:
        return []
    connection.execute(insert(SoftBounceTable).values(address=address, kind=blame.value, at=now))
    query = select(SoftBounceTable.at).where(SoftBounceTable.address == address, SoftBounceTable.kind == blame.value)
    return list(connection.scalars(query.order_by(SoftBounceTable.at)))


def of(connection: Connection, addresses: Sequence[int]) -> dict[int, list[tuple[str, datetime]]]:
    """Return the kind and time of each soft bounce at these addresses, oldest first; none for one that has none."""
    query = select(SoftBounceTable).where(SoftBounceTable.address.in_(addresses)).order_by(SoftBounceTable.id)
    found: dict[int, list[tuple[str, datetime]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.address, []).append((row.kind, row.at))
    return found


def forget(connection: Connection, address: int) -> None:
    """Delete what is known of an address: it is dead, or takes messages again."""
    connection.execute(delete(SoftBounceTable).where(SoftBounceTable.address == address))
