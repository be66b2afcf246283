"""Puts a no on record: in the journal first, then in the ledger, in one commit."""

from collections.abc import Mapping

from dispatcher.keys import KeyRing
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer
from dispatcher.rules.ledger import Json, answer_entry
from dispatcher.storage.answers import hash_label
from dispatcher.storage.journal import JournalKind, Note
from dispatcher.storage.writer import Transaction


def record_no(
    transaction: Transaction, ring: KeyRing, client: int, answer: Answer, actor: Actor, addresses: Mapping[Channel, str]
) -> int:
    """Write a no to the ledger and to the journal, and return the number of its entry.

    The journal's record also holds keyed hashes of the client's addresses, so that the no can be kept even where a
    restored database does not know the client any more.
    """
    entry = answer_entry(answer, client, actor)
    hashes: list[Json] = []
    for channel, canonical in addresses.items():
        keyed = ring.hashed(hash_label(channel), canonical)
        hashes.append({"channel": channel.value, "key": keyed.key_id, "hash": keyed.digest})
    body: dict[str, Json] = {
        "client": client,
        "channel": answer.channel.value if answer.channel else None,
        "actor": str(actor),
        "answer": dict(entry.body),
        "hashes": hashes,
    }
    transaction.notes.append(Note(JournalKind.NO, body))
    return transaction.ledger.append(entry)[0]
