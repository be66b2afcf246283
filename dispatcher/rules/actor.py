"""Who did it: an actor stands on every entry of the ledger."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """The kinds of actor there are."""

    PERSON = "person"
    """Somebody who works with the program."""
    CLIENT = "client"
    """The client, by a link, a reply or a button."""
    BOOKING_SYSTEM = "booking_system"
    PROVIDER = "provider"
    DUTY = "duty"
    """The program itself, at its time."""


class Role(StrEnum):
    """What a person may do; see `dispatcher person`."""

    OWNER = "owner"
    STAFF = "staff"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Actor:
    """One actor: a kind, and which of its kind; a person goes by account number, never by name."""

    kind: ActorKind
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id}" if self.id else self.kind.value

    @classmethod
    def read(cls, text: str) -> "Actor":
        """Return the actor that `str` wrote as this text. Raises ValueError for a kind there is not."""
        kind, _, which = text.partition(":")
        return cls(ActorKind(kind), which)


def duty(name: str) -> Actor:
    """Return the actor of something the program does by itself."""
    return Actor(ActorKind.DUTY, name)
