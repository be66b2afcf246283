"""Puts on record what must survive a restore: in the journal first, then in the database, in one commit."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from dispatcher.keys import KeyedHash, KeyRing
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.rules.ledger import Entry, Json, answer_entry
from dispatcher.storage import erasure, handoffs
from dispatcher.storage.answers import Suppression, hash_label, suppress
from dispatcher.storage.journal import JournalKind, Note
from dispatcher.storage.returning import Mark
from dispatcher.storage.writer import Transaction

STRANGER = 0
"""The number in the journal of somebody who is not in the register; no client has it."""
OBJECTION = "objection"
"""Why a suppression stands."""
CUSTOMER = "customer-number"
"""The label under which the register's own customer numbers are hashed."""
BOOKING = "booking"
"""The label under which a booking system's references are hashed."""


def identity(ring: KeyRing, external_id: str | None, addresses: Iterable[tuple[Channel, str]]) -> tuple[Mark, ...]:
    """Return the marks by which a client can be recognised: the customer number's first, then the addresses'."""
    marks = [Mark(CUSTOMER, ring.hashed(CUSTOMER, external_id))] if external_id else []
    return (*marks, *(Mark(way.value, ring.hashed(hash_label(way), canonical)) for way, canonical in addresses))


def note_clients(
    transaction: Transaction, clients: Mapping[int, Iterable[Mark]], replaced: Iterable[tuple[int, Channel]]
) -> None:
    """Put into the journal which number which clients got, so that links sent to them outlive a restore.

    And of whom an address was `replaced` by another: after a restore no yes of before carries over either (L-31).
    """
    if clients:
        known: list[Json] = [
            [number, [[mark.hash.key_id, mark.hash.digest, mark.what] for mark in marks]]
            for number, marks in clients.items()
        ]
        moved: list[Json] = [[number, channel.value] for number, channel in replaced]
        transaction.notes.append(Note(JournalKind.CLIENTS, {"clients": known, "replaced": moved}))


def record_no(
    transaction: Transaction,
    ring: KeyRing,
    client: int,
    answer: Answer,
    actor: Actor,
    addresses: Iterable[tuple[Channel, str]],
    booking: KeyedHash | None = None,
    *,
    left: Collection[tuple[Channel, str]] | None = None,
) -> int:
    """Write a no to the ledger and to the journal, and return the number of its entry, as `record_noes` does.

    `left` are the addresses the client has had and nobody has now, where somebody has looked them up already.
    """
    known = None if left is None else {client: left}
    return record_noes(transaction, ring, {client: (answer, addresses)}, actor, booking, left=known)[0]


def record_noes(
    transaction: Transaction,
    ring: KeyRing,
    noes: Mapping[int, tuple[Answer, Iterable[tuple[Channel, str]]]],
    actor: Actor,
    booking: KeyedHash | None = None,
    *,
    left: Mapping[int, Collection[tuple[Channel, str]]] | None = None,
) -> list[int]:
    """Write the noes of clients, each with the addresses they have, to the ledger and to the journal.

    Return the numbers of their entries, in order. What is being handed over to these clients just now does not leave
    any more, where it has not yet (E-12).

    The journal's record also holds keyed hashes of a client's addresses, so that the no can be kept even where a
    restored database does not know the client any more. For the addresses they have left it is kept as an objection:
    an older export that names one of those would make somebody new of them, with a yes of before (L-31).
    """
    handoffs.recall(transaction.connection, list(noes), transaction.now)
    if left is None:
        left = erasure.addresses_left(transaction.connection, list(noes))
    entries = []
    for client, (answer, addresses) in noes.items():
        entry = answer_entry(answer, client, actor, booking=_reference(booking))
        gone = left.get(client, ())
        transaction.notes.append(_no_note(ring, client, answer, actor, addresses, entry.body, gone))
        if gone:
            _suppress(transaction, ring, answer.channel, gone, answer.latest())
        entries.append(entry)
    return transaction.ledger.append(*entries)


def record_answers(  # noqa: PLR0913 - all that a record of it holds
    transaction: Transaction,
    ring: KeyRing,
    client: int,
    said: Sequence[Answer],
    given: Iterable[Answer],
    actor: Actor,
    addresses: Collection[tuple[Channel, str]],
    booking: KeyedHash | None = None,
    *,
    left: Collection[tuple[Channel, str]] | None = None,
) -> list[Entry]:
    """Return the entries of what a client said; what must survive a restore is written at once, journal first.

    That is an objection, and a no that overturns one of the yeses `given` before. `booking` is the keyed reference of
    the booking in which the question was asked.
    """
    yeses = {answer.channel for answer in given if answer.reply is Reply.GRANTED}
    entries = []
    for answer in said:
        overturns = bool(yeses) if answer.channel is None else answer.channel in yeses
        if answer.reply is Reply.WITHDRAWN or (answer.reply is Reply.DECLINED and overturns):
            record_no(transaction, ring, client, answer, actor, addresses, booking, left=left)
        else:
            entries.append(answer_entry(answer, client, actor, booking=_reference(booking)))
    return entries


def suppress_stranger(
    transaction: Transaction, ring: KeyRing, answer: Answer, actor: Actor, addresses: Mapping[Channel, str]
) -> None:
    """Keep the objection of somebody who is not in the register: keyed hashes of the addresses, nothing else (L-35)."""
    suppress_strangers(transaction, ring, answer, actor, addresses.items())


def suppress_strangers(
    transaction: Transaction, ring: KeyRing, answer: Answer, actor: Actor, addresses: Iterable[tuple[Channel, str]]
) -> None:
    """Keep one objection for many addresses that nobody in the register has, in one record of the journal."""
    told = list(addresses)
    body = answer_entry(answer, STRANGER, actor).body
    transaction.notes.append(_no_note(ring, STRANGER, answer, actor, told, body))
    _suppress(transaction, ring, answer.channel, told, transaction.now)


def suppress_addresses(
    transaction: Transaction, ring: KeyRing, channel: Channel | None, addresses: Mapping[Channel, str]
) -> None:
    """Keep an objection for these addresses, from now on, whoever has them."""
    _suppress(transaction, ring, channel, addresses.items(), transaction.now)


def _suppress(
    transaction: Transaction,
    ring: KeyRing,
    channel: Channel | None,
    addresses: Iterable[tuple[Channel, str]],
    said: datetime,
) -> None:
    hashes = (ring.hashed(hash_label(kind), canonical) for kind, canonical in addresses)
    objections = (Suppression(keyed, channel, OBJECTION, said) for keyed in hashes)
    suppress(transaction.connection, objections, transaction.suppressed_for)


def _reference(booking: KeyedHash | None) -> dict[str, Json] | None:
    return {"key": booking.key_id, "hash": booking.digest} if booking else None


def _no_note(
    ring: KeyRing,
    client: int,
    answer: Answer,
    actor: Actor,
    addresses: Iterable[tuple[Channel, str]],
    body: Mapping[str, Json],
    left: Iterable[tuple[Channel, str]] = (),
) -> Note:
    hashes: list[Json] = []
    for is_left, each in ((False, addresses), (True, left)):
        for channel, canonical in each:
            keyed = ring.hashed(hash_label(channel), canonical)
            told: dict[str, Json] = {"channel": channel.value, "key": keyed.key_id, "hash": keyed.digest}
            hashes.append(told | ({"left": True} if is_left else {}))
    return Note(
        JournalKind.NO,
        {
            "client": client,
            "channel": answer.channel.value if answer.channel else None,
            "actor": str(actor),
            "answer": dict(body),
            "hashes": hashes,
        },
    )
