"""What the audit reads: the ledger from end to end, and the slots that serve the screens.

Nothing here trusts what it reads: bytes that somebody has touched are handed on as they are, to be named.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect, String, TypeDecorator, func, select, type_coerce, union

from dispatcher.rules.audit_fates import Fate
from dispatcher.rules.ledger import StoredEntry, StoredGroup
from dispatcher.storage.tables import LedgerDestroyedTable, LedgerEntryTable, LedgerGroupTable, OutboxTable

_READ_AT_ONCE = 2_000
_NO_TIME = datetime.min.replace(tzinfo=UTC)
"""What stands for a time that cannot be read: no entry was ever digested with it."""


class _AnyMoment(TypeDecorator[datetime]):
    """A time on SQLite, where it is text that somebody may have touched."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: object, dialect: Dialect) -> datetime:
        """Return the time as aware UTC, or the first of all times for what is none."""
        del dialect
        return _moment(value)


@lru_cache(maxsize=256)
def _moment(value: object) -> datetime:
    """Return the time in a text, which the entries of a whole commit share."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return _NO_TIME
    # Only the one way of writing it: a changed byte that still reads as the same time is a change.
    return found.replace(tzinfo=UTC) if found.isoformat(" ", "microseconds") == value else _NO_TIME


@contextmanager
def as_it_stands(connection: Connection) -> Iterator[None]:
    """Read even what is no text any more: SQLite keeps whatever bytes it is given, PostgreSQL refuses them."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    usual, driver.text_factory = driver.text_factory, _any_text
    try:
        yield
    finally:
        driver.text_factory = usual


def count_entries(connection: Connection) -> int:
    """Return how many entries the ledger holds."""
    return int(connection.scalar(select(func.count()).select_from(LedgerEntryTable)) or 0)


def began_at(connection: Connection) -> datetime:
    """Return when the installation began: the time of the first group."""
    query = select(LedgerGroupTable.committed_at).order_by(LedgerGroupTable.id).limit(1)
    return connection.execute(query).scalar_one()


def groups_by_number(connection: Connection) -> Iterator[StoredGroup]:
    """Yield every group in order of its number, the order of `entries_by_group`."""
    yield from _groups(connection, LedgerGroupTable.id)


def groups_by_chain(connection: Connection) -> Iterator[StoredGroup]:
    """Yield every group, chain by chain, in order of position."""
    yield from _groups(connection, LedgerGroupTable.chain, LedgerGroupTable.position)


def entries_by_group(connection: Connection) -> Iterator[StoredEntry]:
    """Yield every entry in order of its group, then of its number."""
    yield from _entries(connection, LedgerEntryTable.group, LedgerEntryTable.id)


def entries_by_number(connection: Connection) -> Iterator[StoredEntry]:
    """Yield every entry in order of its number: for one client and one message, the order in which it happened."""
    yield from _entries(connection, LedgerEntryTable.id)


def entries_among(connection: Connection, numbers: Collection[int]) -> set[int]:
    """Return which of these numbers an entry has, or had until its year was destroyed."""
    found = [select(table.id).where(table.id.in_(numbers)) for table in (LedgerEntryTable, LedgerDestroyedTable)]
    return set(connection.scalars(union(*found)))


def messages(connection: Connection, campaign: int | None = None) -> Iterator[tuple[int, Fate, str | None]]:
    """Yield each planned message of the outbox: its campaign, where it stands, and what was told of it afterwards."""
    names = ("campaign", "message_id", "client", "channel", "address", "state", "attempts", "later")
    query = select(*(getattr(OutboxTable, name) for name in names)).where(OutboxTable.channel.is_not(None))
    if campaign is not None:
        query = query.where(OutboxTable.campaign == campaign)
    for number, message, client, channel, address, state, attempts, later in _streamed(connection, query):
        went = attempts > 0
        yield (
            number,
            Fate(message, client, channel if went else None, address if went else None, state, attempts),
            later,
        )


def _groups(connection: Connection, *order: Any) -> Iterator[StoredGroup]:
    columns = _columns(connection, LedgerGroupTable, StoredGroup, "committed_at")
    for row in _streamed(connection, select(*columns).order_by(*order)):
        yield StoredGroup(*row)


def _entries(connection: Connection, *order: Any) -> Iterator[StoredEntry]:
    columns = _columns(connection, LedgerEntryTable, StoredEntry, "at")
    for row in _streamed(connection, select(*columns).order_by(*order)):
        yield StoredEntry(*row)


def _columns(connection: Connection, table: Any, shape: Any, moment: str) -> list[Any]:
    columns = {name: getattr(table, name) for name in shape.__dataclass_fields__}
    if connection.dialect.name == "sqlite":
        columns[moment] = type_coerce(columns[moment], _AnyMoment)
    return list(columns.values())


def _streamed(connection: Connection, query: Any) -> Iterator[Any]:
    """Read a few thousand rows at a time: the ledger is never in memory whole."""
    yield from connection.execute(query, execution_options={"yield_per": _READ_AT_ONCE})


# Text; bytes that are none become escapes, which no entry was ever digested with.
_any_text = partial(str, encoding="utf-8", errors="backslashreplace")
