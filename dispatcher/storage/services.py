"""Service messages: asked for, still to go, and what became of them; apart from the outbox of campaigns."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from dispatcher.errors import JournalError
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import Json, canonical
from dispatcher.rules.message import COUNTED, MessageState, Outcome, ServicePurpose
from dispatcher.storage.installation import needs_replay
from dispatcher.storage.outcomes import outcome_columns
from dispatcher.storage.tables import ServiceTable

_OPEN = (MessageState.WAITING.value, MessageState.DEFERRED.value)
_UNSETTLED = (*_OPEN, MessageState.ATTEMPTING.value)
_COUNTED = [state.value for state in COUNTED]


@dataclass(frozen=True, slots=True)
class Asked:
    """A service message as it is asked for: to a client's or a stranger's canonical address, about `details`.

    `person` is the number of the person it goes to, where it goes to one.
    """

    purpose: ServicePurpose
    channel: Channel
    recipient: str
    language: Language
    details: Mapping[str, Json]
    client: int | None = None
    person: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service message as its table holds it. `attempts` grows with every intent, and tells one from the next."""

    id: int
    purpose: ServicePurpose
    channel: Channel
    recipient: str
    client: int | None
    person: int | None
    language: Language
    details: Mapping[str, Any]
    message_id: str
    asked_at: datetime
    due_at: datetime
    attempts: int


_COLUMNS: list[Any] = [getattr(ServiceTable, name) for name in Service.__dataclass_fields__]


def add(connection: Connection, asked: Asked, now: datetime) -> str:
    """Write that a service message was asked for, due at once, and return its message id."""
    message_id = secrets.token_hex(16)
    values = {
        "purpose": asked.purpose.value,
        "channel": asked.channel.value,
        "recipient": asked.recipient,
        "client": asked.client,
        "person": asked.person,
        "language": asked.language.value,
        "details": canonical(asked.details),
        "state": MessageState.WAITING.value,
        "message_id": message_id,
        "asked_at": now,
        "due_at": now,
        "not_before": now,
        "attempts": 0,
    }
    connection.execute(insert(ServiceTable).values(**values))
    return message_id


def is_under_way(
    connection: Connection, purpose: ServicePurpose, channel: Channel, recipient: str, client: int | None
) -> bool:
    """Say whether such a message to this address, about this client, waits or is being handed over already."""
    query = select(func.count()).where(
        ServiceTable.purpose == purpose.value,
        ServiceTable.channel == channel.value,
        ServiceTable.recipient == recipient,
        ServiceTable.client.is_(None) if client is None else ServiceTable.client == client,
        ServiceTable.state.in_(_UNSETTLED),
    )
    return bool(connection.scalar(query))


def has_had(connection: Connection, purpose: ServicePurpose, channel: Channel, recipient: str, since: datetime) -> bool:
    """Say whether an address was sent such a message since then, or one waits or may have gone."""
    query = select(ServiceTable.id).where(
        ServiceTable.purpose == purpose.value,
        ServiceTable.channel == channel.value,
        ServiceTable.recipient == recipient,
        ServiceTable.state.in_([*_UNSETTLED, *_COUNTED]),
        ServiceTable.asked_at > since,
    )
    return connection.scalar(query.limit(1)) is not None


def read(connection: Connection, message_id: str) -> Service:
    """Return the service message of this id."""
    return _service(connection.execute(select(*_COLUMNS).where(ServiceTable.message_id == message_id)).one())


def find(connection: Connection, message_id: str) -> Service | None:
    """Return the service message of this id, or None."""
    row = connection.execute(select(*_COLUMNS).where(ServiceTable.message_id == message_id)).one_or_none()
    return None if row is None else _service(row)


def next_due(connection: Connection, now: datetime) -> Service | None:
    """Return the message that has been due longest, or None."""
    due = (ServiceTable.state.in_(_OPEN), ServiceTable.not_before <= now)
    query = select(*_COLUMNS).where(*due).order_by(ServiceTable.not_before, ServiceTable.id).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _service(row)


def is_still_due(connection: Connection, service: Service, now: datetime) -> bool:
    """Say whether nobody has taken this message up since it was read."""
    query = select(ServiceTable.id).where(
        ServiceTable.id == service.id,
        ServiceTable.attempts == service.attempts,
        ServiceTable.state.in_(_OPEN),
        ServiceTable.not_before <= now,
    )
    return connection.scalar(query) is not None


def days_of(connection: Connection, channel: Channel, recipient: str, since: date) -> tuple[date, ...]:
    """Return the local dates after `since` on which an address got service messages, or may have.

    What went there because its holder works with the program takes nothing from what they may get as a client.
    """
    query = select(ServiceTable.day).where(
        ServiceTable.channel == channel.value,
        ServiceTable.recipient == recipient,
        ServiceTable.person.is_(None),
        ServiceTable.state.in_(_COUNTED),
        ServiceTable.day > since,
    )
    return tuple(day for day in connection.scalars(query) if day is not None)


def set_intent(connection: Connection, service: Service, now: datetime, day: date) -> Service:
    """Write that a message is about to be handed off and counts from this local day; return it as it stands then.

    Raises JournalError while the database waits for its replay.
    """
    if needs_replay(connection):
        raise JournalError
    attempts = service.attempts + 1
    values = {
        "state": MessageState.ATTEMPTING.value,
        "reason": None,
        "intent_at": now,
        "day": day,
        "attempts": attempts,
    }
    connection.execute(update(ServiceTable).where(ServiceTable.id == service.id).values(**values))
    return replace(service, attempts=attempts)


def set_withheld(connection: Connection, service: Service, reason: str) -> None:
    """Write that a message does not go, and why."""
    values = {"state": MessageState.WITHHELD.value, "reason": reason, "day": None}
    connection.execute(update(ServiceTable).where(ServiceTable.id == service.id).values(**values))


def set_waiting(connection: Connection, service: Service, reason: str, until: datetime) -> None:
    """Write why a message waits, and until when; what was tried before is not given more time by that."""
    values = {"reason": reason, "not_before": until, "due_at": service.due_at if service.attempts else until}
    connection.execute(update(ServiceTable).where(ServiceTable.id == service.id).values(**values))


def rest(connection: Connection, channel: Channel, now: datetime, until: datetime) -> None:
    """Let everything that is due by a channel wait: what carries it cannot be reached."""
    due = (ServiceTable.channel == channel.value, ServiceTable.state.in_(_OPEN), ServiceTable.not_before <= now)
    connection.execute(update(ServiceTable).where(*due).values(not_before=until))


def set_outcome(
    connection: Connection, service: Service, outcome: Outcome, provider: str, now: datetime, again_at: datetime | None
) -> bool:
    """Write what became of a hand-off and say whether it was still to be told.

    `again_at` is when a deferred message may be tried again; without it a deferral is final.
    """
    values = outcome_columns(outcome, provider, now, again_at)
    mine = (
        ServiceTable.id == service.id,
        ServiceTable.attempts == service.attempts,
        ServiceTable.state == MessageState.ATTEMPTING.value,
    )
    return connection.execute(update(ServiceTable).where(*mine).values(**values)).rowcount == 1


def set_taken(
    connection: Connection, service: Service, code: str, provider: str, provider_id: str, now: datetime
) -> bool:
    """Write that a message was taken of which nobody knew it, and how that is known; say whether that was news."""
    values = {
        "state": MessageState.ACCEPTED.value,
        "code": code,
        "provider": provider,
        "provider_id": provider_id[:64] or None,
        "outcome_at": now,
    }
    doubtful = ServiceTable.state.in_([MessageState.UNKNOWN.value, MessageState.ATTEMPTING.value])
    mine = (ServiceTable.id == service.id, doubtful)
    return connection.execute(update(ServiceTable).where(*mine).values(**values)).rowcount == 1


def set_error(connection: Connection, service: Service, code: str) -> bool:
    """Write the error that was told of a message after it had been taken, and say whether that was news."""
    mine = (ServiceTable.id == service.id, or_(ServiceTable.code.is_(None), ServiceTable.code != code))
    return connection.execute(update(ServiceTable).where(*mine).values(code=code)).rowcount == 1


def lost(connection: Connection, until: datetime) -> list[Service]:
    """Return the messages whose intent is no younger than this and has no outcome: nobody knows what became of them."""
    query = select(*_COLUMNS).where(
        ServiceTable.state == MessageState.ATTEMPTING.value, ServiceTable.intent_at <= until
    )
    return [_service(row) for row in connection.execute(query)]


def unsettled(connection: Connection) -> list[Service]:
    """Return every message that still waits or is being handed over."""
    return [_service(row) for row in connection.execute(select(*_COLUMNS).where(ServiceTable.state.in_(_UNSETTLED)))]


def set_unknown(connection: Connection, service: Service, code: str, day: date, now: datetime) -> None:
    """Write that nobody knows what became of a message; it counts from its own day, else from this one."""
    values = {
        "state": MessageState.UNKNOWN.value,
        "outcome_at": now,
        "code": code,
        "day": func.coalesce(ServiceTable.day, day),
        "attempts": ServiceTable.attempts + 1,
    }
    connection.execute(update(ServiceTable).where(ServiceTable.id == service.id).values(**values))


def purge(connection: Connection, before: datetime, day: date) -> int:
    """Delete what is settled, was asked for before this time and counts on no later day than this; return how many.

    The ledger keeps what happened, without the address.
    """
    old = and_(ServiceTable.asked_at < before, or_(ServiceTable.day.is_(None), ServiceTable.day <= day))
    statement = delete(ServiceTable).where(old, ServiceTable.state.not_in(_UNSETTLED))
    return connection.execute(statement).rowcount


def _service(row: Any) -> Service:
    values = dict(zip(Service.__dataclass_fields__, row, strict=True))
    return Service(
        **values
        | {
            "purpose": ServicePurpose(values["purpose"]),
            "channel": Channel(values["channel"]),
            "language": Language(values["language"]),
            "details": json.loads(values["details"]),
        }
    )
