"""Rows of a register that nobody becomes a client by -> the objections in them, kept for their addresses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dispatcher.flow.recording import suppress_stranger
from dispatcher.keys import KeyRing
from dispatcher.register_files import RowAnswer
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.storage import answers
from dispatcher.storage.writer import Transaction


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody in a register whom nobody knows and who does not come in: addresses, canonical, and what they said."""

    addresses: Mapping[Channel, str]
    said: Sequence[RowAnswer]


def heed_strangers(transaction: Transaction, ring: KeyRing, strangers: Iterable[Stranger], actor: Actor) -> None:
    """Keep the objections of strangers for the addresses that could be read, unless they are kept already.

    One whose end is over is not kept: every yes before it has expired (L-36).
    """
    now = transaction.now
    for stranger in strangers:
        for said in stranger.said if stranger.addresses else ():
            if said.reply is not Reply.WITHDRAWN:
                continue
            no = Answer(0, said.reply, said.channel, said.not_before, said.not_after, now)
            if no.latest() + transaction.suppressed_for > now and not _is_kept(transaction, ring, stranger, no):
                suppress_stranger(transaction, ring, no, actor, stranger.addresses)


def _is_kept(transaction: Transaction, ring: KeyRing, stranger: Stranger, no: Answer) -> bool:
    """Say whether every address has this objection or a later one on record.

    One without a date may have been said a moment ago: it is heard anew each time (L-07).
    """
    rows = {pair: place for place, pair in enumerate(stranger.addresses.items())}
    kept = answers.suppressed(transaction.connection, ring, rows, transaction.now)
    return all(
        any(each.channel in {None, no.channel} and each.latest() >= no.latest() for each in kept.get(place, ()))
        for place in rows.values()
    )
