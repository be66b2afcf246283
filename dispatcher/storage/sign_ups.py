"""Sign-ups, and wishes for more, that wait to be confirmed from the address itself."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from dispatcher.links import CLIENT_BITS
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.wishes import More
from dispatcher.storage.tables import SignUpTable


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into the sign-up page; `wording` is the SHA-256 of the question they were shown.

    `client` and `wish` are of one who asked for more by the link of a message: their own address is known then.
    """

    channel: Channel
    canonical: str
    first_name: str
    language: Language
    wording: str
    client: int | None = None
    wish: More | None = None


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
    client: int | None
    wish: More | None


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
        "client": typed.client,
        "wish": typed.wish.value if typed.wish else None,
    }
    connection.execute(insert(SignUpTable).values(**values))
    return number


def find(connection: Connection, number: int, now: datetime) -> Waiting | None:
    """Return a sign-up that can still be confirmed, or None."""
    still = (SignUpTable.number == number, SignUpTable.expires_at > now, SignUpTable.confirmed_at.is_(None))
    row = connection.execute(select(*_COLUMNS).where(*still)).one_or_none()
    if row is None:
        return None
    values = dict(zip(Waiting.__dataclass_fields__, row, strict=True))
    told = {"channel": Channel(values["channel"]), "language": Language(values["language"])}
    return Waiting(**values | told | {"wish": More(values["wish"]) if values["wish"] else None})


def confirmed_in(connection: Connection, number: int) -> Language | None:
    """Return the language of a sign-up that has been confirmed not long ago, or None."""
    mine = (SignUpTable.number == number, SignUpTable.confirmed_at.is_not(None))
    language = connection.scalar(select(SignUpTable.language).where(*mine))
    return Language(language) if language else None


def set_confirmed(connection: Connection, waiting: Waiting, now: datetime) -> None:
    """Write that a sign-up has been confirmed, and forget whose it was, and every other one that asks the same."""
    mine = SignUpTable.number == waiting.number
    same = (
        SignUpTable.channel == waiting.channel.value,
        SignUpTable.canonical == waiting.canonical,
        SignUpTable.client.is_not_distinct_from(waiting.client),
        SignUpTable.wish.is_not_distinct_from(waiting.wish.value if waiting.wish else None),
    )
    connection.execute(delete(SignUpTable).where(*same, ~mine))
    nobody = {"canonical": "", "first_name": "", "client": None, "confirmed_at": now}
    connection.execute(update(SignUpTable).where(mine).values(**nobody))


def remove_all(connection: Connection) -> None:
    """Forget every sign-up: an older copy may hold some that were confirmed since it was made."""
    connection.execute(delete(SignUpTable))


def purge(connection: Connection, now: datetime) -> int:
    """Forget the sign-ups that nobody has confirmed in time, and return how many."""
    return connection.execute(delete(SignUpTable).where(SignUpTable.expires_at <= now)).rowcount
