"""A no -> journal and ledger, for clients and for addresses nobody has; what waits for them is withheld."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatcher.flow.recording import record_noes, suppress_strangers
from dispatcher.keys import KeyRing
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import answers, clients, outbox
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.writer import Transaction


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Whose no was recorded, and how many addresses of nobody's were kept as keyed hashes."""

    clients: list[int]
    strangers: int


def withdraw_client(
    transaction: Transaction, ring: KeyRing, client: int, known: Client | None, answer: Answer, actor: Actor
) -> None:
    """Record a no of a client, in the register or not, and withhold what waits for one who closes every channel."""
    withdraw_clients(transaction, ring, {client: (known, answer)}, actor)


def withdraw_clients(
    transaction: Transaction, ring: KeyRing, noes: Mapping[int, tuple[Client | None, Answer]], actor: Actor
) -> None:
    """Do the same for the noes of several clients, each with what the register holds of them."""
    told = {client: (answer, _addresses(known)) for client, (known, answer) in noes.items()}
    record_noes(transaction, ring, told, actor)
    closed = [client for client, (_, answer) in noes.items() if answer.channel is None]
    waiting = outbox.open_of_clients(transaction.connection, closed, for_update=True) if closed else []
    outbox.withhold(transaction.connection, [row for _, row, _, _ in waiting], Reason.OBJECTION.value)
    transaction.ledger.append(
        *(
            Entry(
                EntryKind.WITHHELD,
                actor,
                client=client,
                campaign=campaign,
                body={"reason": Reason.OBJECTION.value, "at": "withdrawal", "message": message_id},
            )
            for client, _, campaign, message_id in waiting
        )
    )


def _addresses(known: Client | None) -> list[tuple[Channel, str]]:
    return [(channel, held.canonical) for channel, held in known.addresses.items()] if known else []


def withdraw_by_letter(
    transaction: Transaction, ring: KeyRing, client: int, place: Place, at: datetime, actor: Actor
) -> bool:
    """Record a no to everything that came at this moment, and say whether it was news: the same one is not told twice.

    The transaction holds the locks of the client and of their addresses.
    """
    connection, now = transaction.connection, transaction.now
    if is_on_record(connection, client, place, at, now):
        return False
    said = min(at, now)  # a box whose clock is ahead must not forbid what is agreed to after it
    answer = Answer(0, Reply.WITHDRAWN, None, said, said, now, place)
    withdraw_client(transaction, ring, client, clients.read(connection, [client]).get(client), answer, actor)
    return True


def is_on_record(connection: Connection, client: int, place: Place, at: datetime, now: datetime) -> bool:
    """Say whether a no to everything that came at this moment has been recorded; one from ahead counts from then."""
    return any(
        (known.reply, known.channel, known.place) == (Reply.WITHDRAWN, None, place)
        and (known.not_after == at or (at > now and known.not_after == known.recorded_at))
        for known in answers.of_clients(connection, [client]).get(client, ())
    )


def locks_of_no(connection: Connection, numbers: Sequence[int]) -> list[Lock]:
    """Return what has to be locked for the noes of these clients: their addresses and themselves."""
    ids = clients.address_ids(connection, numbers)
    addresses = {address for held in ids.values() for address in held}
    return [*(Lock(LockKind.ADDRESS, each) for each in addresses), *(Lock(LockKind.CLIENT, each) for each in numbers)]


def locks_by_address(connection: Connection, numbers: Sequence[int]) -> list[Lock]:
    """Return what has to be locked for the noes of addresses that these clients have.

    Without the register, an import could bring an address in between the look and the commit.
    """
    return [*locks_of_no(connection, numbers), Lock(LockKind.REGISTER, 0)]


def withdraw_addresses(
    transaction: Transaction,
    ring: KeyRing,
    addresses: Collection[tuple[Channel, str]],
    answer: Answer,
    actor: Actor,
    *,
    but: Collection[int] = (),
) -> Withdrawn:
    """Record a no for these addresses, canonical: of every client who has one, and of nobody's by its keyed hash.

    `but` are clients whose no is on record already.
    """
    known = clients.by_address(transaction.connection, addresses)
    numbers = sorted(set().union(*known.values()).difference(but))
    held = clients.read(transaction.connection, numbers)
    if numbers:
        withdraw_clients(transaction, ring, {number: (held[number], answer) for number in numbers}, actor)
    strangers = [address for address in addresses if address not in known]
    if strangers:
        suppress_strangers(transaction, ring, answer, actor, strangers)
    return Withdrawn(numbers, len(strangers))
