"""Rows of a register that nobody becomes a client by -> the objections in them, kept for their addresses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dispatcher.flow.recording import suppress_stranger
from dispatcher.keys import KeyRing
from dispatcher.register_files import RowAnswer
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.storage import answers, clients
from dispatcher.storage.writer import Transaction


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody in a register whom nobody knows and who does not come in: addresses, canonical, and what they said.

    `past` is the day of their last visit where they stay out because their year is over.
    """

    addresses: Mapping[Channel, str]
    said: Sequence[RowAnswer]
    past: date | None = None


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
            is_over = _ends_at(stranger, no, transaction.suppressed_for) <= now
            if not is_over and not _is_kept(transaction, ring, stranger, no):
                suppress_stranger(transaction, ring, no, actor, stranger.addresses)


def _ends_at(stranger: Stranger, no: Answer, stands_for: timedelta) -> datetime:
    """Return until when an objection has a yes to stand against.

    One without a date would begin anew with each export, for ever. But nothing of somebody whose year is over comes in
    before their next visit, so that what counts is how long ago the last one was.
    """
    if no.not_after is None and stranger.past is not None:
        return datetime.combine(stranger.past + timedelta(days=1), time.min, UTC) + stands_for
    return no.latest() + stands_for


def _is_kept(transaction: Transaction, ring: KeyRing, stranger: Stranger, no: Answer) -> bool:
    """Say whether every address has this objection or a later one on record.

    One without a date is the one that was heard before, unless somebody who has the address has said yes since: then it
    may have been said a moment ago, and is heard anew (L-07).
    """
    rows = {pair: place for place, pair in enumerate(stranger.addresses.items())}
    kept = answers.suppressed(transaction.connection, ring, rows, transaction.now)
    yeses = _yeses(transaction, rows) if kept and no.not_after is None else {}
    return all(
        any(
            each.channel in {None, no.channel} and _covers(each, no, yeses.get(pair, ()))
            for each in kept.get(place, ())
        )
        for pair, place in rows.items()
    )


def _covers(kept: Answer, no: Answer, yeses: Sequence[Answer]) -> bool:
    if no.not_after is not None:
        return kept.latest() >= no.latest()
    speaking = (yes for yes in yeses if no.channel is None or yes.channel is no.channel)
    return all(yes.recorded_at < kept.latest() for yes in speaking)


def _yeses(
    transaction: Transaction, addresses: Iterable[tuple[Channel, str]]
) -> dict[tuple[Channel, str], list[Answer]]:
    """Return what whoever has each of these addresses has said yes to."""
    holders = clients.by_address(transaction.connection, addresses)
    given = answers.of_clients(transaction.connection, sorted(frozenset().union(*holders.values())))
    return {
        pair: [each for number in numbers for each in given.get(number, ()) if each.reply is Reply.GRANTED]
        for pair, numbers in holders.items()
    }
