"""Which text messages that came in have been dealt with, by the SMS service's own names for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from dispatcher.storage.database import insert_new
from dispatcher.storage.tables import TextInTable

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Dealt:
    """A text message that has been dealt with: the service's name for it, when it came, and what it amounted to."""

    sid: str
    at: datetime
    said: str


def is_known(connection: Connection, sid: str) -> bool:
    """Say whether this message has been dealt with already."""
    return connection.scalar(select(TextInTable.sid).where(TextInTable.sid == sid).limit(1)) is not None


def known(connection: Connection, sids: Sequence[str]) -> set[str]:
    """Return which of these messages have been dealt with already."""
    found: set[str] = set()
    for start in range(0, len(sids), _AT_ONCE):
        these = TextInTable.sid.in_(sids[start : start + _AT_ONCE])
        found |= set(connection.scalars(select(TextInTable.sid).where(these)))
    return found


def add(connection: Connection, sid: str, clients: Iterable[int], said: str, at: datetime) -> None:
    """Write that a message which came in then has been dealt with, and whose it was; 0 is nobody in the register."""
    rows = [{"sid": sid, "client": client, "at": at, "said": said} for client in clients]
    insert_new(connection, TextInTable, rows)


def of(connection: Connection, client: int) -> list[Dealt]:
    """Return what a client's messages amounted to, the oldest first."""
    query = select(TextInTable.sid, TextInTable.at, TextInTable.said).where(TextInTable.client == client)
    return [Dealt(*row) for row in connection.execute(query.order_by(TextInTable.at, TextInTable.sid))]


def take_of(connection: Connection, clients: Sequence[int]) -> list[tuple[int, str]]:
    """Forget the messages of these clients and return them, client and name: the service still has their words."""
    statement = delete(TextInTable).where(TextInTable.client.in_(clients))
    found = connection.execute(statement.returning(TextInTable.client, TextInTable.sid))
    return sorted((row.client, row.sid) for row in found)


def purge_strangers(connection: Connection, before: datetime) -> int:
    """Forget what came before this time from nobody in the register, and return how much it was."""
    theirs = delete(TextInTable).where(TextInTable.client == 0, TextInTable.at < before)
    return connection.execute(theirs).rowcount
