"""A no -> journal and ledger, for clients and for addresses nobody has; what waits for them is withheld."""

from collections.abc import Collection
from dataclasses import dataclass

from dispatcher.flow.recording import record_no, suppress_strangers
from dispatcher.keys import KeyRing
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import clients, outbox
from dispatcher.storage.clients import Client
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
    addresses = {channel: held.canonical for channel, held in known.addresses.items()} if known else {}
    record_no(transaction, ring, client, answer, actor, addresses.items())
    if answer.channel is not None:
        return
    for row, campaign, message_id in outbox.open_of_client(transaction.connection, client, for_update=True):
        outbox.set_withheld(transaction.connection, row, Reason.OBJECTION.value)
        body = {"reason": Reason.OBJECTION.value, "at": "withdrawal", "message": message_id}
        transaction.ledger.append(Entry(EntryKind.WITHHELD, actor, client=client, campaign=campaign, body=body))


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
    for number in numbers:
        withdraw_client(transaction, ring, number, held[number], answer, actor)
    strangers = [address for address in addresses if address not in known]
    if strangers:
        suppress_strangers(transaction, ring, answer, actor, strangers)
    return Withdrawn(numbers, len(strangers))
