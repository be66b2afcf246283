"""What is learned of messages after their outcome: columns of the outbox that no hand-off writes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from dispatcher.rules.campaign import Channel
from dispatcher.rules.later import Fate
from dispatcher.rules.message import Blame, MessageState
from dispatcher.storage import progress
from dispatcher.storage.tables import AddressTable, OutboxTable, ServiceTable

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Handed:
    """A message with what is known of it: `state` from its hand-off, `fate` from what was told afterwards.

    `closed_at` is when an unknown was given up on.
    """

    id: int
    campaign: int
    client: int
    address: int | None
    channel: Channel
    message_id: str
    state: MessageState
    intent_at: datetime | None
    outcome_at: datetime | None
    provider_id: str | None
    fate: Fate
    closed_at: datetime | None


_NAMES = (
    "id",
    "campaign",
    "client",
    "address",
    "channel",
    "message_id",
    "state",
    "intent_at",
    "outcome_at",
    "provider_id",
    "later",
    "later_code",
    "closed_at",
)
_COLUMNS: list[Any] = [getattr(OutboxTable, name) for name in _NAMES]
_UNKNOWN = OutboxTable.state == MessageState.UNKNOWN.value
_OPEN = (_UNKNOWN, OutboxTable.closed_at.is_(None))


def find(connection: Connection, message_id: str, *, for_update: bool = False) -> Handed | None:
    """Return the campaign's message of this id, or None; `for_update` keeps everybody else from it meanwhile."""
    query = select(*_COLUMNS).where(OutboxTable.message_id == message_id, OutboxTable.channel.is_not(None))
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _handed(row)


def set_accepted(connection: Connection, row: int, code: str, provider: str, provider_id: str, now: datetime) -> None:
    """Write that a message was taken after all, and how that is known; nobody holds it any longer."""
    values = {
        "state": MessageState.ACCEPTED.value,
        "code": code,
        "provider": provider,
        "provider_id": provider_id[:64] or None,
        "outcome_at": now,
        "lease_until": None,
        "closed_at": None,
        "fence": OutboxTable.fence + 1,
    }
    progress.changing(connection, [row], state=MessageState.ACCEPTED)
    connection.execute(update(OutboxTable).where(OutboxTable.id == row).values(values))


def set_refused(connection: Connection, row: int, code: str, now: datetime) -> bool:
    """Write that an unknown was not taken after all, and say whether that was news.

    It counts on no day, and is never sent again.
    """
    found = connection.scalars(select(OutboxTable.id).where(OutboxTable.id == row, _UNKNOWN).with_for_update()).all()
    progress.changing(connection, found, state=MessageState.REFUSED)
    values = {"state": MessageState.REFUSED.value, "code": code, "outcome_at": now, "day": None, "closed_at": None}
    connection.execute(update(OutboxTable).where(OutboxTable.id.in_(found)).values(values))
    return bool(found)


def set_provider_id(connection: Connection, row: int, provider: str, provider_id: str) -> None:
    """Write the provider's name for a message of which it had not been told."""
    values = {"provider": provider, "provider_id": provider_id[:64] or None}
    connection.execute(update(OutboxTable).where(OutboxTable.id == row).values(values))


def set_fate(connection: Connection, row: int, fate: Fate, blame: Blame | None) -> None:
    """Write what is known of a message now, and whom its errors concern where that is more than the message."""
    progress.telling(connection, row, fate.later)
    values = {"later": fate.later.value if fate.later else None, "later_code": fate.code_text}
    if blame is not None:
        values["blame"] = blame.value
    connection.execute(update(OutboxTable).where(OutboxTable.id == row).values(values))


def unknown(
    connection: Connection, channel: Channel, since: datetime, until: datetime, limit: int = _AT_ONCE
) -> list[Handed]:
    """Return the unknown messages of a channel that became so between these times, oldest first."""
    query = _unknown().where(
        OutboxTable.channel == channel.value, OutboxTable.outcome_at >= since, OutboxTable.outcome_at <= until
    )
    return [_handed(row) for row in connection.execute(query.limit(limit))]


def unknown_of(connection: Connection, campaign: int, channel: Channel | None = None) -> Iterator[Handed]:
    """Yield the unknown messages of a campaign, given up ones included, oldest first."""
    query = select(*_COLUMNS).where(_UNKNOWN, OutboxTable.campaign == campaign).order_by(OutboxTable.id)
    if channel is not None:
        query = query.where(OutboxTable.channel == channel.value)
    for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
        yield _handed(row)


def recipient(connection: Connection, address: int) -> str | None:
    """Return the canonical address of a row, or None where it has been erased."""
    return connection.scalar(select(AddressTable.canonical).where(AddressTable.id == address))


def unknown_to(connection: Connection, address: int, since: datetime, until: datetime) -> int:
    """Return how many messages to an address are unknown whose hand-off began between these times."""
    query = select(func.count()).where(
        OutboxTable.address == address, _UNKNOWN, OutboxTable.intent_at >= since, OutboxTable.intent_at <= until
    )
    return int(connection.scalar(query) or 0)


def named(connection: Connection, provider_ids: Collection[str]) -> set[str]:
    """Return which of a provider's names belong to messages that are known already, service messages included."""
    found: set[str] = set()
    for table in (OutboxTable, ServiceTable):
        query = select(table.provider_id).where(table.provider_id.in_(list(provider_ids)))
        found |= {each for each in connection.scalars(query) if each is not None}
    return found


def overdue(connection: Connection, before: datetime, limit: int = _AT_ONCE) -> list[Handed]:
    """Return the unknown messages that became so before this time and are not given up on yet, oldest first."""
    query = _unknown().where(OutboxTable.outcome_at < before)
    return [_handed(row) for row in connection.execute(query.limit(limit).with_for_update())]


def close(connection: Connection, rows: Sequence[Handed], now: datetime) -> None:
    """Write that nobody will tell any more what became of these."""
    wanted = (OutboxTable.id.in_([row.id for row in rows]), *_OPEN)
    found = connection.scalars(select(OutboxTable.id).where(*wanted).with_for_update()).all()
    progress.changing(connection, found, state=MessageState.UNKNOWN, reason=progress.CLOSED)
    connection.execute(update(OutboxTable).where(OutboxTable.id.in_(found)).values(closed_at=now))


def _unknown() -> Select[Any]:
    return select(*_COLUMNS).where(*_OPEN).order_by(OutboxTable.id)


def _handed(row: Any) -> Handed:
    values = dict(zip(_NAMES, row, strict=True))
    fate = Fate.read(values.pop("later"), values.pop("later_code"))
    return Handed(**values | {"channel": Channel(values["channel"]), "state": MessageState(values["state"])}, fate=fate)
