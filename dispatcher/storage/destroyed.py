"""Years whose messages are destroyed: the stubs that stay in the ledger, and what is deleted once they stand."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from dispatcher.rules.destroyed import LATE, MESSAGES, Destruction, Stub, digest_of, read_destruction
from dispatcher.rules.ledger import EntryKind, StoredEntry
from dispatcher.rules.seal import SealReason
from dispatcher.storage import deletions, ledger, progress, seals
from dispatcher.storage.hot import HotInsert
from dispatcher.storage.tables import (
    InstallationTable,
    LedgerDestroyedTable,
    LedgerEntryTable,
    OutboxTable,
    ProgressTable,
)

TABLES = ("ledger_entry", "progress")
"""The tables from which something is deleted here beside the outbox."""
_READ_AT_ONCE = 2_000
_STUB: list[Any] = [getattr(LedgerDestroyedTable, name) for name in ("id", "group", "digest", "year")]
_ADD = HotInsert(LedgerDestroyedTable, ("id", "group_id", "digest", "year"), "ON CONFLICT (id) DO NOTHING")
_OF_CAMPAIGN = LedgerEntryTable.kind.in_(sorted({*MESSAGES, EntryKind.CAMPAIGN.value}))


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger tells of a campaign's messages: the instant of the last entry, and how many of them there are.

    `own` is the instant of the last one that no provider told afterwards, `marked` the year of the stubs of its
    messages, where somebody has begun to write them.
    """

    last: datetime
    entries: int
    own: datetime
    marked: int | None


def told(connection: Connection) -> list[Destruction]:
    """Return every destruction that entries tell of, oldest first; one that cannot be read is left out."""
    found = []
    for entry in ledger.entries_of_nobody(connection, EntryKind.DESTROYED.value):
        try:
            found.append(read_destruction(entry))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def campaigns_told(connection: Connection) -> frozenset[int]:
    """Return the numbers of all campaigns whose messages entries tell to be destroyed, whatever else stands there."""
    found: set[int] = set()
    for body in ledger.bodies_of_nobody(connection, EntryKind.DESTROYED.value):
        try:
            found |= {number for number in json.loads(body)["campaigns"] if isinstance(number, int)}
        except (ValueError, KeyError, TypeError):
            continue
    return frozenset(found)


def sealed(connection: Connection) -> dict[int, datetime]:
    """Return of each year whose entry has its seal after it when that was set: from then on its messages are to go."""
    found: dict[int, datetime] = {}
    for each in told(connection):
        for seal in seals.in_ledger(connection):
            if (seal.reason, seal.about) == (SealReason.DESTROYED, each.year) and seal.entries >= each.entry:
                found.setdefault(each.year, seal.at)
    return found


def going(connection: Connection) -> frozenset[int]:
    """Return the numbers of the entries that stand still though their year has its seal."""
    years = [year for year in sealed(connection) if still_stands(connection, year)]
    query = select(LedgerDestroyedTable.id).where(LedgerDestroyedTable.year.in_(years))
    return frozenset(connection.scalars(query)) if years else frozenset()


def stubs_by_group(connection: Connection) -> Iterator[Stub]:
    """Yield every stub in order of its group, then of its number: the order of `reports.entries_by_group`."""
    yield from _stubs(connection, LedgerDestroyedTable.group, LedgerDestroyedTable.id)


def stubs_by_number(connection: Connection) -> Iterator[Stub]:
    """Yield every stub in order of its number."""
    yield from _stubs(connection, LedgerDestroyedTable.id)


def count(connection: Connection) -> int:
    """Return how many stubs there are."""
    return int(connection.scalar(select(func.count()).select_from(LedgerDestroyedTable)) or 0)


def digest_of_year(connection: Connection, year: int) -> tuple[int, str]:
    """Return how many stubs a year has, and the SHA-256 over them."""
    query = select(LedgerDestroyedTable.id, LedgerDestroyedTable.digest).where(LedgerDestroyedTable.year == year)
    rows = connection.execute(query.order_by(LedgerDestroyedTable.id), execution_options={"yield_per": _READ_AT_ONCE})
    return digest_of((row.id, row.digest) for row in rows)


def of_campaign(connection: Connection, campaign: int) -> Told | None:
    """Return what the ledger tells of a campaign's messages, or None where it tells of none."""
    query = select(LedgerEntryTable.kind, func.max(LedgerEntryTable.at), func.count())
    mine = query.where(LedgerEntryTable.campaign == campaign, _OF_CAMPAIGN).group_by(LedgerEntryTable.kind)
    found = [(row[0], row[1], row[2]) for row in connection.execute(mine)]
    entries = sum(many for kind, _, many in found if kind in MESSAGES)
    if not entries:
        return None
    last = max(at for _, at, _ in found)
    own = max((at for kind, at, _ in found if kind not in LATE), default=last)
    stubs = select(func.max(LedgerDestroyedTable.year)).join(
        LedgerEntryTable, LedgerEntryTable.id == LedgerDestroyedTable.id
    )
    return Told(last, entries, own, connection.scalar(stubs.where(LedgerEntryTable.campaign == campaign)))


def messages_of_campaign(
    connection: Connection, campaign: int, end: datetime, after: int, limit: int
) -> list[tuple[int, int, str]]:
    """Return number, group and digest of the next entries that told of a campaign's messages before `end`, in order."""
    query = select(LedgerEntryTable.id, LedgerEntryTable.group, LedgerEntryTable.digest)
    mine = query.where(*_messages([campaign], end), LedgerEntryTable.id > after)
    rows = connection.execute(mine.order_by(LedgerEntryTable.id).limit(limit))
    return [(row[0], row[1], row[2]) for row in rows]


def put_in(
    connection: Connection, year: int, campaigns: Collection[int], services: Collection[int], end: datetime
) -> int | None:
    """Return the first entry that has a stub of a year and does not go with it, or None.

    What goes are the entries before `end` of messages of these campaigns, and those numbered in `services`.
    """
    mine = select(LedgerEntryTable.id).where(*_messages(campaigns, end))
    query = select(LedgerDestroyedTable.id).where(LedgerDestroyedTable.year == year)
    others = connection.scalars(query.where(LedgerDestroyedTable.id.not_in(mine)).order_by(LedgerDestroyedTable.id))
    return next((number for number in others if number not in services), None)


def services_of(connection: Connection, first: datetime, end: datetime) -> list[tuple[int, int, str]]:
    """Return the same of every service message of which the last was told from `first` on and before `end`."""
    last: dict[str, datetime] = {}
    for entry in _services(connection):
        name = _message(entry)
        last[name] = max(entry.at, last.get(name, entry.at))
    mine = {name for name, at in last.items() if first <= at < end}
    if not mine:
        return []
    return [(each.id, each.group, each.digest) for each in _services(connection) if _message(each) in mine]


def add(connection: Connection, year: int, entries: Iterable[tuple[int, int, str]]) -> None:
    """Write the stubs of these entries, each its number, group and digest; one that stands already stays as it is."""
    rows = [(number, group, digest, year) for number, group, digest in entries]
    if rows:
        _ADD.run(connection, rows)


def still_stands(connection: Connection, year: int) -> bool:
    """Say whether anything of a year is still to be deleted; it goes in order of number, so the last one tells."""
    last = select(func.max(LedgerDestroyedTable.id)).where(LedgerDestroyedTable.year == year).scalar_subquery()
    return connection.scalar(select(LedgerEntryTable.id).where(LedgerEntryTable.id == last)) is not None


def delete_rows(connection: Connection, campaigns: Collection[int], limit: int, now: datetime) -> int:
    """Delete the next rows of the outbox, and return how many; what carriers hold of them is to be deleted."""
    query = select(OutboxTable.id).where(OutboxTable.campaign.in_(campaigns)).limit(limit)
    rows = list(connection.scalars(query))
    if rows:
        these = OutboxTable.id.in_(rows)
        deletions.collect_where(connection, OutboxTable, these, now)
        progress.leaving(connection, rows)
        connection.execute(delete(OutboxTable).where(these))
    return len(rows)


def delete_progress(connection: Connection, campaigns: Collection[int]) -> None:
    """Delete the sums of campaigns of which no row is left."""
    connection.execute(delete(ProgressTable).where(ProgressTable.campaign.in_(campaigns)))


def delete_entries(connection: Connection, year: int, after: int, limit: int) -> Sequence[int]:
    """Delete the next entries of a year whose stubs stand, in order of number, and return their numbers."""
    query = (
        select(LedgerDestroyedTable.id)
        .join(LedgerEntryTable, LedgerEntryTable.id == LedgerDestroyedTable.id)
        .where(LedgerDestroyedTable.year == year, LedgerDestroyedTable.id > after)
        .order_by(LedgerDestroyedTable.id)
        .limit(limit)
    )
    numbers = list(connection.scalars(query))
    if numbers:
        connection.execute(delete(LedgerEntryTable).where(LedgerEntryTable.id.in_(numbers)))
    return numbers


def confirmed_at(connection: Connection) -> datetime | None:
    """Return when a person let years be destroyed by themselves, or None."""
    return connection.scalar(select(InstallationTable.destruction_confirmed_at))


def confirm(connection: Connection, now: datetime) -> None:
    """Write that a person has seen which years go, and lets it happen from now on."""
    connection.execute(update(InstallationTable).values(destruction_confirmed_at=now))


def _stubs(connection: Connection, *order: Any) -> Iterator[Stub]:
    for row in connection.execute(select(*_STUB).order_by(*order), execution_options={"yield_per": _READ_AT_ONCE}):
        yield Stub(*row)


def _messages(campaigns: Collection[int], end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what an entry must be to tell before `end` of a message of these campaigns."""
    kinds = LedgerEntryTable.kind.in_(sorted(MESSAGES))
    return LedgerEntryTable.campaign.in_(campaigns), kinds, LedgerEntryTable.at < end


def _services(connection: Connection) -> Iterator[StoredEntry]:
    yield from ledger.entries(connection, [EntryKind.SERVICE.value])


def _message(entry: StoredEntry) -> str:
    return str(entry.data()["message"])
