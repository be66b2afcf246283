"""The people who work with the program."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from dispatcher.rules.actor import Actor, ActorKind, Role
from dispatcher.rules.campaign import Language
from dispatcher.storage.tables import PersonTable


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works with the program; `ended_at` is None while they do.

    `email` and `phone`, canonical, are where tests and alerts reach them, in `language`.
    """

    id: int
    name: str
    role: Role
    added_at: datetime
    ended_at: datetime | None
    email: str | None
    phone: str | None
    language: Language

    @property
    def actor(self) -> Actor:
        """Return this person as an actor: the account number, never the name."""
        return Actor(ActorKind.PERSON, str(self.id))


def everyone(connection: Connection) -> list[Person]:
    """Return every person there has been, oldest first."""
    columns = [getattr(PersonTable, name) for name in Person.__dataclass_fields__]
    rows = connection.execute(select(*columns).order_by(PersonTable.id))
    found = []
    for number, name, role, added_at, ended_at, email, phone, language in rows:
        found.append(Person(number, name, Role(role), added_at, ended_at, email, phone, Language(language)))
    return found


def add(connection: Connection, name: str, role: Role, now: datetime) -> int:
    """Write a new person and return the account number."""
    values = {"name": name, "role": role.value, "added_at": now}
    return int(connection.execute(insert(PersonTable).values(**values).returning(PersonTable.id)).scalar_one())


def set_reach(connection: Connection, person: int, values: Mapping[str, str | None]) -> None:
    """Write where a person is reached: `email`, `phone`, canonical, None for nowhere; and their `language`."""
    connection.execute(update(PersonTable).where(PersonTable.id == person).values(**values))


def end(connection: Connection, person: int, now: datetime) -> None:
    """Write that a person works with the program no longer; nothing is sent to them any more."""
    connection.execute(update(PersonTable).where(PersonTable.id == person).values(ended_at=now, email=None, phone=None))
