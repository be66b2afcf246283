"""Writes and reads the ledger: append-only rows, one chained group a commit."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, text, update

from dispatcher.rules.ledger import GENESIS, Entry, StoredEntry, StoredGroup, canonical, entry_digest, stamp
from dispatcher.storage.hot import Hot, HotInsert, among, read_moment, stored
from dispatcher.storage.tables import LedgerEntryTable, LedgerGroupTable, LedgerHeadTable

CHAINS = {"sqlite": 1, "postgresql": 4}
"""How many chains there are: writers of one PostgreSQL database need not wait for each other."""
_IN_PARTS = {"yield_per": 2_000}
"""Given to each statement: set on the connection, it would turn every later statement into a cursor on PostgreSQL."""
_ENTRY_IDS = text("SELECT nextval('ledger_entry_id') FROM generate_series(1, :n)")
_GROUP_ID = text("SELECT nextval('ledger_group_id')")
COLUMNS: list[Any] = [getattr(LedgerEntryTable, name) for name in StoredEntry.__dataclass_fields__]
"""What is read of an entry, in the order in which a StoredEntry takes it."""
# Every message brings several entries, and building a statement costs several times what running it does.
_HIGHEST_ENTRY = Hot(select(func.max(LedgerEntryTable.id)))
_HIGHEST_GROUP = Hot(select(func.max(LedgerGroupTable.id)))
_INSERT_ENTRIES = HotInsert(
    LedgerEntryTable,
    ("id", "group_id", "kind", "at", "actor", "client", "campaign", "channel", "body", "digest"),
)
_INSERT_GROUP = HotInsert(LedgerGroupTable, ("id", "chain", "position", "committed_at", "entries", "previous", "hash"))
_HEADS = select(LedgerHeadTable.chain, LedgerHeadTable.position, LedgerHeadTable.hash).order_by(LedgerHeadTable.chain)
_FREE_HEAD = Hot(_HEADS.limit(1).with_for_update(skip_locked=True))
_THIS_HEAD = Hot(_HEADS.where(LedgerHeadTable.chain == bindparam("this")).with_for_update())
_MOVE_HEAD = Hot(
    update(LedgerHeadTable)
    .where(LedgerHeadTable.chain == bindparam("this"))
    .values(position=bindparam("position"), hash=bindparam("hash"))
)
_OF_NOBODY = (
    select(*COLUMNS)
    .where(LedgerEntryTable.client.is_(None), LedgerEntryTable.kind == bindparam("kind"))
    .order_by(LedgerEntryTable.id)
)
_OF_CAMPAIGN = Hot(
    select(LedgerEntryTable.id, LedgerEntryTable.body)
    .where(LedgerEntryTable.campaign == bindparam("campaign"), LedgerEntryTable.kind == bindparam("kind"))
    .order_by(LedgerEntryTable.id)
)
_BODIES_OF_NOBODY = Hot(
    select(LedgerEntryTable.body)
    .where(LedgerEntryTable.client.is_(None), LedgerEntryTable.kind == bindparam("kind"))
    .order_by(LedgerEntryTable.id)
)
_TOLD_OF_CLIENTS = (among(LedgerEntryTable.client, "clients"), LedgerEntryTable.kind == bindparam("kind"))
_OF_CLIENTS = Hot(select(*COLUMNS).where(*_TOLD_OF_CLIENTS).order_by(LedgerEntryTable.id))
_BODIES_OF_CLIENTS = Hot(
    select(
        LedgerEntryTable.client,
        LedgerEntryTable.id,
        LedgerEntryTable.at,
        LedgerEntryTable.actor,
        LedgerEntryTable.channel,
        LedgerEntryTable.body,
    )
    .where(*_TOLD_OF_CLIENTS)
    .order_by(LedgerEntryTable.id)
)


class LedgerDraft:
    """The group of one transaction while it grows; `close` chains it just before the commit."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._at = stored(now, connection)
        self._said_at = stamp(now)
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._group: int | None = None
        self._digests: list[tuple[int, str]] = []

    def append(self, *entries: Entry) -> list[int]:
        """Write entries and return their numbers, in order."""
        if not entries:
            return []
        if self._group is None:
            self._group = self._new_group()
        ids = self._new_ids(len(entries))
        rows = []
        # Names of enumerations are asked for by `_value_`: `value` costs several times as much.
        actor, said = entries[0].actor, str(entries[0].actor)
        for entry, number in zip(entries, ids, strict=True):
            if entry.actor is not actor:
                actor, said = entry.actor, str(entry.actor)
            body = canonical(entry.body)
            told = entry_digest(entry, number, self._group, self._said_at, said, body)
            rows.append(
                (
                    number,
                    self._group,
                    entry.kind._value_,
                    self._at,
                    said,
                    entry.client,
                    entry.campaign,
                    entry.channel._value_ if entry.channel else None,
                    body,
                    told,
                )
            )
            self._digests.append((number, told))
        _INSERT_ENTRIES.run(self._connection, rows)
        return ids

    def mark(self) -> int:
        """Return a mark to go `back_to` when the savepoint around some entries is rolled back."""
        return len(self._digests)

    def back_to(self, mark: int) -> None:
        """Forget the entries since the mark; their rows have been rolled back."""
        del self._digests[mark:]

    def close(self) -> None:
        """Chain the group to a free head; nothing is written where nothing was appended."""
        if self._group is None or not self._digests:
            return
        chain, position, previous = self._free_head()
        group = StoredGroup(
            id=self._group,
            chain=chain,
            position=position + 1,
            committed_at=self._now,
            entries=len(self._digests),
            previous=previous,
            hash="",
        )
        chained = group.expected_hash(digest for _, digest in sorted(self._digests))
        row = (group.id, group.chain, group.position, self._at, group.entries, group.previous, chained)
        _INSERT_GROUP.run(self._connection, [row])
        _MOVE_HEAD.run(self._connection, this=group.chain, position=group.position, hash=chained)

    def _new_group(self) -> int:
        if self._is_sqlite:
            return int(_HIGHEST_GROUP.one(self._connection) or 0) + 1
        return int(self._connection.execute(_GROUP_ID).scalar_one())

    def _new_ids(self, count: int) -> list[int]:
        if self._is_sqlite:
            highest = _HIGHEST_ENTRY.one(self._connection) or 0
            return list(range(highest + 1, highest + 1 + count))
        return sorted(self._connection.execute(_ENTRY_IDS, {"n": count}).scalars())

    def _free_head(self) -> Sequence[Any]:
        """Return chain, position and hash of a head that nobody else is moving."""
        found = _FREE_HEAD.rows(self._connection)
        if not found:
            chain = (self._group or 0) % CHAINS[self._connection.dialect.name]
            found = _THIS_HEAD.rows(self._connection, this=chain)
        return found[0]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain as the head row tells it."""

    chain: int
    position: int
    hash: str


def highest(connection: Connection) -> int:
    """Return the number of the last entry, nought in an empty ledger."""
    return int(_HIGHEST_ENTRY.one(connection) or 0)


def heads(connection: Connection) -> list[Head]:
    """Return the heads of every chain."""
    return [Head(*row) for row in connection.execute(_HEADS)]


def entries(connection: Connection, kinds: Iterable[str] | None = None) -> Iterator[StoredEntry]:
    """Yield entries in order of their number; of these kinds only, where given."""
    query = select(*COLUMNS).order_by(LedgerEntryTable.id)
    if kinds is not None:
        query = query.where(LedgerEntryTable.kind.in_(list(kinds)))
    with connection.execute(query, execution_options=_IN_PARTS) as rows:
        for row in rows:
            yield StoredEntry(*row)


def entries_of_nobody(connection: Connection, kind: str) -> Iterator[StoredEntry]:
    """Yield the entries of one kind that are about no client, in order of their number."""
    for row in connection.execute(_OF_NOBODY, {"kind": kind}):
        yield StoredEntry(*row)


def bodies_of_nobody(connection: Connection, kind: str) -> list[str]:
    """Return the bodies, as text, of the entries of one kind that are about no client, in order of their number."""
    return [body for (body,) in _BODIES_OF_NOBODY.rows(connection, kind=kind)]


def entries_of_clients(connection: Connection, kind: str, clients: Sequence[int]) -> Iterator[StoredEntry]:
    """Yield the entries of one kind about these clients, in order of their number."""
    for row in _OF_CLIENTS.rows(connection, clients=list(clients), kind=kind):
        entry = StoredEntry(*row)
        yield replace(entry, at=read_moment(entry.at))


def bodies_of_campaign(connection: Connection, kind: str, campaign: int) -> dict[str, int]:
    """Return the bodies, as text, of the entries of one kind about a campaign, each with the number of the last one."""
    return {body: number for number, body in _OF_CAMPAIGN.rows(connection, campaign=campaign, kind=kind)}


def bodies_of_clients(
    connection: Connection, kind: str, clients: Sequence[int]
) -> Iterator[tuple[int, int, datetime, str, str | None, str]]:
    """Yield client, number, instant, actor, channel and body, as text, of each entry of one kind about these clients.

    They come in order of their number.
    """
    for client, number, at, actor, channel, body in _BODIES_OF_CLIENTS.rows(
        connection, clients=list(clients), kind=kind
    ):
        yield client, number, read_moment(at), actor, channel, body


def open_chains(connection: Connection) -> None:
    """Write the heads of a new ledger."""
    count = CHAINS[connection.dialect.name]
    connection.execute(
        insert(LedgerHeadTable), [{"chain": chain, "position": 0, "hash": GENESIS} for chain in range(count)]
    )
