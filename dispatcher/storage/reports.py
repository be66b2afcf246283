"""What the audit reads: the ledger from end to end, and the slots that serve the screens.

Nothing here trusts what it reads: bytes that somebody has touched are handed on as they are, to be named.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, DateTime, String, func, select, type_coerce, union

from dispatcher.rules.audit_fates import Standing
from dispatcher.rules.ledger import StoredEntry, StoredGroup
from dispatcher.storage.hot import in_parts
from dispatcher.storage.tables import LedgerDestroyedTable, LedgerEntryTable, LedgerGroupTable, OutboxTable

_READ_AT_ONCE = 1_000
"""So many rows at a time: the ledger is never in memory whole, and these few stay near the processor."""
_NO_TIME = datetime.min.replace(tzinfo=UTC)
"""What stands for a time that cannot be read: no entry was ever digested with it."""


@lru_cache(maxsize=256)
def _moment(value: object) -> datetime:
    """Return the time of a row as aware UTC, or the first of all times for what is none.

    On SQLite it is text that somebody may have touched. The entries of a whole commit share it.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC)
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


def body_of(entry: StoredEntry) -> dict[str, Any] | None:
    """Return the body of an entry as `StoredEntry.data` would, in a third of the time, or None where that has to say.

    What is not read here is not said to be unreadable: this parser refuses a little of what the other takes.
    """
    text = entry.body
    try:
        # No white space around it, and text: a blob is what somebody has put in its place.
        if text[0] == "{" and text[-1] == "}":
            found: dict[str, Any] = from_json(text, cache_strings="keys")
            return found
    except (ValueError, TypeError, IndexError):
        return None
    return None


def messages(connection: Connection, campaign: int | None = None) -> Iterator[tuple[int, Standing, str | None]]:
    """Yield each planned message of the outbox: its campaign, where it stands, and what was told of it afterwards."""
    names = ("campaign", "message_id", "client", "channel", "address", "state", "attempts", "later")
    query = select(*(getattr(OutboxTable, name) for name in names)).where(OutboxTable.channel.is_not(None))
    if campaign is not None:
        query = query.where(OutboxTable.campaign == campaign)
    for rows in in_parts(connection, query, _READ_AT_ONCE):
        for number, message, client, channel, address, state, attempts, later in rows:
            if attempts > 0:
                yield number, (message, client, channel, address, state, attempts), later
            else:
                yield number, (message, client, None, None, state, attempts), later


def _groups(connection: Connection, *order: Any) -> Iterator[StoredGroup]:
    columns = _columns(connection, LedgerGroupTable, StoredGroup, "committed_at")
    for rows in in_parts(connection, select(*columns).order_by(*order), _READ_AT_ONCE):
        for number, chain, position, at, *rest in rows:
            yield StoredGroup(number, chain, position, _moment(at), *rest)


def _entries(connection: Connection, *order: Any) -> Iterator[StoredEntry]:
    columns = _columns(connection, LedgerEntryTable, StoredEntry, "at")
    for rows in in_parts(connection, select(*columns).order_by(*order), _READ_AT_ONCE):
        for number, group, kind, at, actor, client, campaign, channel, body, digest in rows:
            yield StoredEntry(number, group, kind, _moment(at), actor, client, campaign, channel, body, digest)


def _columns(connection: Connection, table: Any, shape: Any, moment: str) -> list[Any]:
    """Return the columns of a table for such values, the time among them as it stands there."""
    columns = {name: getattr(table, name) for name in shape.__dataclass_fields__}
    kind: Any = String if connection.dialect.name == "sqlite" else DateTime(timezone=True)
    columns[moment] = type_coerce(columns[moment], kind)
    return list(columns.values())


def _any_text(found: bytes) -> str:
    """Return bytes as text; those that are none become escapes, which no entry was ever digested with."""
    # Seven times for each entry: `str` with its names takes three times as long.
    return found.decode("utf-8", "backslashreplace")
