"""Who may be due for removal, and what else has had its time: objections, sign-ups, service messages, requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update

from dispatcher.rules.budget import WINDOW
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.message import MessageState
from dispatcher.rules.retention import Periods
from dispatcher.rules.soft_bounce import REMEMBERED
from dispatcher.storage.tables import (
    AddressTable,
    ClientAddressTable,
    ClientTable,
    DeletionTable,
    IdempotencyTable,
    InstallationTable,
    LedgerEntryTable,
    LegalBlockTable,
    OutboxTable,
    ReplacedTable,
    RequestTable,
    ReturningTable,
    ServiceTable,
    SignUpTable,
    SoftBounceTable,
    SuppressionTable,
    Table,
)

_UNSENT = (MessageState.WAITING.value, MessageState.DEFERRED.value, MessageState.ATTEMPTING.value)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client who may be due: what stands in the register about their time."""

    number: int
    created_at: datetime
    last_visit: date | None
    gone_since: datetime | None
    restricted: bool


def candidates(connection: Connection, after: int, limit: int, visited: date, gone: datetime) -> list[Candidate]:
    """Return the next clients, by number, of whom the last visit was no later than `visited`, or who are gone since.

    Whoever has no visit on record is among them: when their year began, their answers tell.
    """
    may_be_due = or_(
        ClientTable.last_visit <= visited, ClientTable.last_visit.is_(None), ClientTable.gone_since <= gone
    )
    return _candidates(connection, and_(ClientTable.number > after, may_be_due), limit)


def these(connection: Connection, numbers: Sequence[int]) -> list[Candidate]:
    """Return these clients as they stand now; those who are gone from the database are left out."""
    return _candidates(connection, ClientTable.number.in_(numbers), len(numbers))


def _candidates(connection: Connection, which: ColumnElement[bool], limit: int) -> list[Candidate]:
    columns = [getattr(ClientTable, name) for name in Candidate.__dataclass_fields__]
    query = select(*columns).where(which).order_by(ClientTable.number).limit(limit)
    return [Candidate(*row) for row in connection.execute(query)]


def confirmed_at(connection: Connection) -> datetime | None:
    """Return when a person let the daily removal begin, or None."""
    return connection.scalar(select(InstallationTable.retention_confirmed_at))


def confirm(connection: Connection, now: datetime) -> None:
    """Write that a person has seen who is removed, and lets it happen daily from now on."""
    connection.execute(update(InstallationTable).values(retention_confirmed_at=now))


def suppressions_ending(connection: Connection, until: datetime) -> tuple[int, int]:
    """Return how many objections are kept without a client, and how many of them end by this time."""
    ends = select(func.count()).select_from(SuppressionTable).where(SuppressionTable.expires_at <= until)
    total = select(func.count()).select_from(SuppressionTable)
    return int(connection.scalar(total) or 0), int(connection.scalar(ends) or 0)


def purge(connection: Connection, now: datetime, today: date, periods: Periods) -> dict[str, int]:
    """Delete what has had its time beside the clients, and return how much of what, leaving out what there was none of.

    Objections and sign-ups go at their own end; service messages, requests, blocks and what was taken in, a client's
    time after they were over; soft bounces once they count no more; addresses nobody has, once no message to them does.
    """
    year_ago = now - periods.client
    sent = ServiceTable.state.not_in(_UNSENT)
    old: tuple[tuple[str, type[Table], ColumnElement[bool]], ...] = (
        ("suppressions", SuppressionTable, SuppressionTable.expires_at <= now),
        ("sign_ups", SignUpTable, SignUpTable.expires_at <= now),
        ("service_messages", ServiceTable, and_(ServiceTable.asked_at <= year_ago, sent)),
        ("taken_in", IdempotencyTable, IdempotencyTable.at <= year_ago),
        ("requests", RequestTable, RequestTable.closed_at <= year_ago),
        ("blocks", LegalBlockTable, LegalBlockTable.ended_at <= year_ago),
        ("soft_bounces", SoftBounceTable, SoftBounceTable.at <= now - REMEMBERED),
        ("deletions", DeletionTable, DeletionTable.done_at <= year_ago),
        ("addresses", AddressTable, _left_alone(today, year_ago)),
    )
    counts = {name: connection.execute(delete(table).where(which)).rowcount for name, table, which in old}
    counts["returning"] = _purge_returning(connection, now - periods.backups)
    return {name: count for name, count in counts.items() if count}


def _left_alone(today: date, before: datetime) -> ColumnElement[bool]:
    """Return the addresses that nobody has, older than this, and without a message that still counts."""
    has_somebody = exists().where(ClientAddressTable.address == AddressTable.id)
    counts = exists().where(OutboxTable.address == AddressTable.id, OutboxTable.day > today - WINDOW)
    return and_(AddressTable.added_at <= before, ~has_somebody, ~counts)


def _purge_returning(connection: Connection, before: datetime) -> int:
    """Delete who was to come back after a restore, once the last restore is older than every copy."""
    restored = select(func.max(LedgerEntryTable.at)).where(LedgerEntryTable.kind == EntryKind.RESTORE.value)
    last = connection.scalar(restored)
    if last is None or last > before:
        return 0
    connection.execute(delete(ReplacedTable).where(~exists().where(ClientTable.number == ReplacedTable.client)))
    return connection.execute(delete(ReturningTable)).rowcount
