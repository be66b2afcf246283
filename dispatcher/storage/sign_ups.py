"""Sign-ups that wait to be confirmed from the address that was typed."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from dispatcher.links import CLIENT_BITS
from dispatcher.rules.campaign import Channel, Language
from dispatcher.storage.tables import SignUpTable


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into the sign-up page; `wording` is the SHA-256 of the question they were shown."""

    channel: Channel
    canonical: str
    first_name: str
    language: Language
    wording: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign-up as its table holds it."""

    number: int
    channel: Channel
    canonical: str
    first_name: str
    language: Language
    wording: str
    expires_at: datetime


_COLUMNS: list[Any] = [getattr(SignUpTable, name) for name in Waiting.__dataclass_fields__]


def add(connection: Connection, typed: Typed, now: datetime, expires_at: datetime) -> int:
    """Write a sign-up and return its random number."""
    number = secrets.randbits(CLIENT_BITS - 1) + 1
    values = {
        "number": number,
        "channel": typed.channel.value,
        "canonical": typed.canonical,
        "first_name": typed.first_name,
        "language": typed.language.value,
        "wording": typed.wording,
        "asked_at": now,
        "expires_at": expires_at,
    }
    connection.execute(insert(SignUpTable).values(**values))
    return number


def find(connection: Connection, number: int, now: datetime) -> Waiting | None:
    """Return a sign-up that can still be confirmed, or None."""
    query = select(*_COLUMNS).where(SignUpTable.number == number, SignUpTable.expires_at > now)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    values = dict(zip(Waiting.__dataclass_fields__, row, strict=True))
    return Waiting(**values | {"channel": Channel(values["channel"]), "language": Language(values["language"])})


def remove(connection: Connection, channel: Channel, canonical: str) -> None:
    """Forget every sign-up of an address: one of them has been confirmed."""
    these = (SignUpTable.channel == channel.value, SignUpTable.canonical == canonical)
    connection.execute(delete(SignUpTable).where(*these))


def remove_all(connection: Connection) -> None:
    """Forget every sign-up: an older copy may hold some that were confirmed since it was made."""
    connection.execute(delete(SignUpTable))


def purge(connection: Connection, now: datetime) -> int:
    """Forget the sign-ups that nobody has confirmed in time, and return how many."""
    return connection.execute(delete(SignUpTable).where(SignUpTable.expires_at <= now)).rowcount
