"""What came in and waits for a person, or has been settled by one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from dispatcher.rules.campaign import Channel
from dispatcher.rules.incoming import KEPT_AT_MOST, READ_AGAIN, Arrived, Class, Settled
from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage.tables import IncomingTable

_WAITS = IncomingTable.settled_at.is_(None)
_NAMES = ("id", "client", "channel", "at", "kind", "box", "key", "text_until", "settled_at", "settled")
_COLUMNS: list[Any] = [getattr(IncomingTable, name) for name in _NAMES]


@dataclass(frozen=True, slots=True)
class Incoming:
    """One of them as its table holds it, without its words; `text_until` is how long those are kept, if any are."""

    id: int
    client: int
    channel: Channel
    at: datetime
    kind: Class
    box: str
    key: str
    text_until: datetime | None
    settled_at: datetime | None
    settled: Settled | None

    def as_json(self) -> dict[str, Json]:
        """Return it with stable keys; times are UTC. Where it lies is no business of a reader's."""
        return {
            "number": self.id,
            "client": self.client,
            "channel": self.channel.value,
            "at": stamp(self.at),
            "class": self.kind.value,
            "box": self.box,
            "text_until": stamp(self.text_until) if self.text_until else None,
            "settled": self.settled.value if self.settled else None,
            "settled_at": stamp(self.settled_at) if self.settled_at else None,
        }


def is_known(connection: Connection, came: Arrived) -> bool:
    """Say whether what came is known already, settled or not.

    A mailbox that numbers its letters anew names one we know by another key: it came at the same moment from the same
    client, so it is the same. Two text messages may well have come in one second.
    """
    same = and_(IncomingTable.channel == came.channel.value, IncomingTable.at == came.at)
    known = select(IncomingTable.id).where(
        IncomingTable.box == came.box,
        IncomingTable.client == came.client,
        or_(IncomingTable.key == came.key, same)
        if came.client and came.channel is Channel.EMAIL
        else IncomingTable.key == came.key,
    )
    return connection.scalar(known.limit(1)) is not None


def add(connection: Connection, came: Arrived, now: datetime) -> int | None:
    """Write what came and return its number, or None where it is known already."""
    if is_known(connection, came):
        return None
    values = {
        "client": came.client,
        "channel": came.channel.value,
        "at": came.at,
        "kind": came.kind.value,
        "box": came.box,
        "key": came.key,
        "text": came.sealed,
        "text_until": min(came.at, now) + KEPT_AT_MOST if came.sealed is not None else None,
    }
    return int(connection.execute(insert(IncomingTable).values(**values).returning(IncomingTable.id)).scalar_one())


def find(connection: Connection, number: int, *, for_update: bool = False) -> Incoming | None:
    """Return the one of this number, or None; `for_update` keeps everybody else from it meanwhile."""
    query = select(*_COLUMNS).where(IncomingTable.id == number)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _incoming(row)


def lying_at(connection: Connection, box: str, key: str, client: int) -> Incoming | None:
    """Return the one that lies there and is this client's, or None."""
    wanted = (IncomingTable.box == box, IncomingTable.key == key, IncomingTable.client == client)
    row = connection.execute(select(*_COLUMNS).where(*wanted)).one_or_none()
    return None if row is None else _incoming(row)


def listed(connection: Connection, *, only_waiting: bool = True, client: int | None = None) -> list[Incoming]:
    """Return what waits, or all that is known, the oldest first."""
    query = select(*_COLUMNS).order_by(IncomingTable.at, IncomingTable.id)
    if only_waiting:
        query = query.where(_WAITS)
    if client is not None:
        query = query.where(IncomingTable.client == client)
    return [_incoming(row) for row in connection.execute(query)]


def waits(connection: Connection, client: int) -> bool:
    """Say whether anything of a client waits for a person."""
    return (
        connection.scalar(select(IncomingTable.id).where(IncomingTable.client == client, _WAITS).limit(1)) is not None
    )


def oldest(connection: Connection) -> tuple[int, datetime | None]:
    """Return how much waits, and since when the oldest does."""
    row = connection.execute(select(func.count(), func.min(IncomingTable.at)).where(_WAITS)).one()
    return int(row[0]), row[1]


def settle(connection: Connection, number: int, how: Settled, now: datetime) -> None:
    """Write how a person settled one; its words go with that."""
    values = {"settled_at": now, "settled": how.value, "text": None, "text_until": None}
    connection.execute(update(IncomingTable).where(IncomingTable.id == number).values(values))


def sealed_text(connection: Connection, number: int, now: datetime) -> bytes | None:
    """Return the encrypted words of a text message, or None where none are kept any more."""
    wanted = (IncomingTable.id == number, IncomingTable.text_until > now)
    return connection.scalar(select(IncomingTable.text).where(*wanted))


def note_read(connection: Connection, number: int, now: datetime) -> None:
    """Write that a person has read the words of a text message: they stay a little while longer."""
    wanted = (IncomingTable.id == number, IncomingTable.text_until > now + READ_AGAIN)
    connection.execute(update(IncomingTable).where(*wanted).values(text_until=now + READ_AGAIN))


def drop_texts(connection: Connection, now: datetime) -> int:
    """Delete the words whose time is over and return of how many text messages."""
    wanted = (IncomingTable.text.is_not(None), IncomingTable.text_until <= now)
    return connection.execute(update(IncomingTable).where(*wanted).values(text=None, text_until=None)).rowcount


def purge(connection: Connection, before: datetime) -> int:
    """Delete what was settled before this time and return how many."""
    return connection.execute(delete(IncomingTable).where(IncomingTable.settled_at < before)).rowcount


def _incoming(row: Any) -> Incoming:
    values = dict(zip(_NAMES, row, strict=True))
    settled = values["settled"]
    return Incoming(
        **values
        | {
            "channel": Channel(values["channel"]),
            "kind": Class(values["kind"]),
            "settled": Settled(settled) if settled else None,
        }
    )
