"""A place where data were is broken into -> whom it concerns, and which data (L-39, Articles 33 and 34)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from dispatcher.errors import RefusedError
from dispatcher.flow.persons import check_sees_whole
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import masked
from dispatcher.rules.calendar import day_span
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import Json
from dispatcher.storage import breach, clients
from dispatcher.storage.clients import Client
from dispatcher.storage.store import Store


class Place(StrEnum):
    """Where data can have been when they were seen by somebody who must not see them."""

    DATABASE = "database"
    SMTP = "smtp"
    TWILIO = "twilio"


_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything was kept."""
_CARRIES = {Place.SMTP: Channel.EMAIL, Place.TWILIO: Channel.SMS}
_ADDRESS = {Channel.EMAIL: "email", Channel.SMS: "phone_number"}


@dataclass(frozen=True, slots=True)
class Affected:
    """A client whose data were there, and which kinds."""

    client: Client
    kinds: tuple[str, ...]

    def as_json(self, *, full: bool = False) -> dict[str, Json]:
        """Return the client with stable keys: by number and masked addresses, or in full for whoever notifies them."""
        client = self.client
        addresses: dict[str, Json] = {
            channel.value: held.canonical if full else masked(held.canonical)
            for channel, held in client.addresses.items()
        }
        named: dict[str, Json] = {"name": f"{client.first_name} {client.last_name}".strip()} if full else {}
        language = client.language.value
        return {"client": client.number, **named, "language": language, "addresses": addresses, "data": [*self.kinds]}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a breach concerns: `gone` counts clients who have been removed since, whom nobody can reach any more."""

    place: Place
    since: date | None
    until: date | None
    affected: Sequence[Affected]
    gone: int

    @property
    def kinds(self) -> dict[str, int]:
        """Return how many clients each kind of data concerns."""
        return dict(Counter(kind for each in self.affected for kind in each.kinds))

    def as_json(self) -> dict[str, Json]:
        """Return the scope with stable keys, addresses masked."""
        return self._as_json(full=False)

    def to_notify(self, store: Store, actor: Actor) -> dict[str, Json]:
        """Return the scope with stable keys for whoever notifies them: names, and addresses whole.

        Raises RefusedError for an actor who may not see clients whole.
        """
        with store.reading() as connection:
            check_sees_whole(connection, actor, "--full")
        return self._as_json(full=True)

    def _as_json(self, *, full: bool) -> dict[str, Json]:
        return {
            "place": self.place.value,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "affected": len(self.affected),
            "removed_since": self.gone,
            "data": dict(self.kinds),
            "clients": [each.as_json(full=full) for each in self.affected],
        }


def scope(store: Store, policy: Policy, place: Place, since: date | None, until: date | None) -> Scope:
    """Return whose data were in a place between two local days, both included; open ends reach as far as there is.

    Raises RefusedError for a span that ends before it begins.
    """
    if since and until and until < since:
        raise RefusedError("--until comes before --since: turn them round.")
    start = day_span(since, policy.zone)[0] if since else _BEGINNING
    end = day_span(until, policy.zone)[1] if until else store.clock()
    with store.reading() as connection:
        if place is Place.DATABASE:
            numbers = breach.in_database(connection, end)
            gone = breach.erased_since(connection, start)
        else:
            numbers = breach.handed_to(connection, place.value, _CARRIES[place], start, end)
            gone = len(numbers)
        held = clients.read(connection, numbers)
    if place is not Place.DATABASE:
        gone -= len(held)
    return Scope(
        place, since, until, [Affected(held[each], _kinds(held[each], place)) for each in numbers if each in held], gone
    )


def _kinds(client: Client, place: Place) -> tuple[str, ...]:
    """Return which kinds of data of a client were there."""
    if place is not Place.DATABASE:
        return ("first_name", _ADDRESS[_CARRIES[place]], "messages")
    kinds = ["first_name"] if client.first_name else []
    kinds += ["last_name"] if client.last_name else []
    kinds += [_ADDRESS[channel] for channel in client.addresses]
    kinds += ["last_visit"] if client.last_visit else []
    return (*kinds, "language", "answers", "messages")
