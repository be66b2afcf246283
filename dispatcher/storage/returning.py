"""What the journal knows and a restored database does not: clients who are to come back, and addresses replaced."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from dispatcher.keys import KeyedHash
from dispatcher.rules.campaign import Channel
from dispatcher.storage import clients
from dispatcher.storage.tables import ReplacedTable, ReturningTable


@dataclass(frozen=True, slots=True)
class Mark:
    """A keyed hash by which a client can be recognised, and of what: an address of this channel, or what else."""

    what: str
    hash: KeyedHash


def keep(connection: Connection, marks: Mapping[int, Iterable[Mark]]) -> int:
    """Write by what each client is recognised whom this database does not know; return how many they are."""
    known = clients.read(connection, marks).keys()
    rows = [
        {"hash": mark.hash.digest, "key": mark.hash.key_id, "number": number, "what": mark.what}
        for number, mine in marks.items()
        if number not in known
        for mark in mine
    ]
    there = {(row.hash, row.number) for row in connection.execute(select(ReturningTable.hash, ReturningTable.number))}
    new = [row for row in rows if (row["hash"], row["number"]) not in there]
    if new:
        connection.execute(insert(ReturningTable), new)
    return len({row["number"] for row in new})


def replace(connection: Connection, client: int, channel: Channel, at: datetime) -> None:
    """Write that an address of a client was replaced at this moment: what they had before is no mark of theirs."""
    mine = (ReturningTable.number == client, ReturningTable.what == channel.value)
    connection.execute(delete(ReturningTable).where(*mine))
    which = (ReplacedTable.client == client, ReplacedTable.channel == channel.value)
    if connection.execute(update(ReplacedTable).where(*which).values(at=at)).rowcount == 0:
        connection.execute(insert(ReplacedTable).values(client=client, channel=channel.value, at=at))


def is_nobody(connection: Connection) -> bool:
    """Say whether nobody is to come back: so it is, unless a restore was lately."""
    return connection.scalar(select(ReturningTable.number).limit(1)) is None


def is_missed(connection: Connection, number: int) -> bool:
    """Say whether a restore forgot this client, so that they get their number back when the register names them."""
    return connection.scalar(select(ReturningTable.number).where(ReturningTable.number == number).limit(1)) is not None


def find(connection: Connection, hashes: Iterable[str]) -> dict[str, frozenset[int]]:
    """Return, by keyed hash, the numbers that clients had before a restore forgot them."""
    found: dict[str, set[int]] = {}
    query = select(ReturningTable.hash, ReturningTable.number).where(ReturningTable.hash.in_(list(hashes)))
    for row in connection.execute(query):
        found.setdefault(row.hash, set()).add(row.number)
    return {digest: frozenset(numbers) for digest, numbers in found.items()}


def numbered(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Return which of these clients go by a customer number of the register: by more than addresses."""
    wanted = (ReturningTable.number.in_(list(numbers)), ReturningTable.what.not_in([way.value for way in Channel]))
    return set(connection.scalars(select(ReturningTable.number).where(*wanted)))


def have_returned(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Forget what was kept about those of these clients who had been missing, and return who they are."""
    if is_nobody(connection):
        return set()
    gone = delete(ReturningTable).where(ReturningTable.number.in_(list(numbers))).returning(ReturningTable.number)
    return set(connection.scalars(gone))
