"""Legal blocks: what keeps named data of a client from erasure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from dispatcher.rules.blocks import Block, BlockReason, as_words, from_words
from dispatcher.storage.tables import LegalBlockTable


@dataclass(frozen=True, slots=True)
class HeldBlock:
    """A block that stands, as its table holds it: whose it is, who set it and when."""

    id: int
    client: int
    block: Block
    added_at: datetime
    added_by: str


def add(connection: Connection, client: int, block: Block, added_by: str, now: datetime) -> int:
    """Write a block and return its number."""
    values = {
        "client": client,
        "reason": block.reason.value,
        "keeps": as_words(block.keeps),
        "until": block.until,
        "added_at": now,
        "added_by": added_by,
    }
    statement = insert(LegalBlockTable).values(**values).returning(LegalBlockTable.id)
    return int(connection.execute(statement).scalar_one())


def end(connection: Connection, block: int, now: datetime) -> None:
    """Write that a block has ended."""
    connection.execute(update(LegalBlockTable).where(LegalBlockTable.id == block).values(ended_at=now))


def standing(connection: Connection, clients: Sequence[int] | None = None) -> list[HeldBlock]:
    """Return the blocks that nobody has ended, of these clients or of all, those that end first before the others."""
    table = LegalBlockTable
    columns = (table.id, table.client, table.reason, table.keeps, table.until, table.added_at, table.added_by)
    query = select(*columns).where(table.ended_at.is_(None)).order_by(table.until, table.id)
    if clients is not None:
        query = query.where(table.client.in_(list(clients)))
    return [
        HeldBlock(
            row.id,
            row.client,
            Block(BlockReason(row.reason), from_words(row.keeps), row.until),
            row.added_at,
            row.added_by,
        )
        for row in connection.execute(query)
    ]
