"""A client wants fewer messages -> in force at the next look of the gate; a restore brings every wish back (L-34)."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from dispatcher.flow.known import unknown
from dispatcher.flow.marks import DECLINES, set_flag
from dispatcher.flow.policy import Policy
from dispatcher.flow.withdrawing import locks_of_no, withdraw_client
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply, is_repeated
from dispatcher.rules.ledger import Entry, EntryKind, Json, read_stamp, stamp
from dispatcher.rules.wishes import FEW, Less, More, pause_ends
from dispatcher.storage import answers, clients, handoffs
from dispatcher.storage.clients import Client, Flags
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.ledger import entries_of_clients
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


class Limit(StrEnum):
    """A limit that a client puts on what they agreed to, by the name of its column."""

    OWN_CAP = "own_cap"
    """How many messages a year at most."""
    PAUSED_UNTIL = "paused_until"
    """Until when none at all."""


class Wishes:
    """Takes in what a client wants less of."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def choose(self, client: int, less: Less, actor: Actor, place: Place = Place.LINK) -> bool:
        """Put on record what a client wants less of; on disk when this returns, in the journal as well.

        It opens nothing: one who has declined a topic cannot get it back by choosing it alone, and False says so; nor
        does a pause end earlier, or a smaller number of their own grow. Raises NotFoundError for a number nobody has.
        """
        with self._store.reading() as connection:
            wanted = locks_of_no(connection, [client])

        def work(transaction: Transaction) -> bool:
            known = clients.read_flagged(transaction.connection, [client]).get(client)
            if known is None:
                raise unknown(client)
            return self._choose(transaction, known, less, actor, place)

        return self._store.write(work, wanted=wanted, urgent=True)

    def _choose(
        self, transaction: Transaction, known: tuple[Client, Flags], less: Less, actor: Actor, place: Place
    ) -> bool:
        client, flags = known
        now = transaction.now
        if less.topic is not None:
            if getattr(flags, DECLINES[less.topic].value):
                return False
            others = (flag for kind, flag in DECLINES.items() if kind is not less.topic)
            for flag in others:
                set_flag(transaction, client.number, flag, value=True, actor=actor)
        elif less.closes is not None:
            if _has_just_closed(transaction, client.number, less.closes):
                return True
            answer = Answer(0, Reply.WITHDRAWN, less.closes, now, now, now, place)
            withdraw_client(transaction, self._store.ring, client.number, client, answer, actor)
        elif less is Less.PAUSE:
            until = max(pause_ends(now, self._policy.zone), flags.paused_until or now)
            set_limit(transaction, client.number, Limit.PAUSED_UNTIL, until, actor)
        else:
            most = FEW if flags.own_cap is None else min(FEW, flags.own_cap)
            set_limit(transaction, client.number, Limit.OWN_CAP, most, actor)
        return True


def _has_just_closed(transaction: Transaction, client: int, channel: Channel) -> bool:
    """Say whether the same no is on record that counts until now, so that a second press adds nothing (E-10)."""
    given = answers.of_clients(transaction.connection, [client]).get(client, [])
    return is_repeated(given, channel, transaction.now)


def lift(transaction: Transaction, client: int, more: More, actor: Actor) -> None:
    """Take away what stands in the way of more, within a transaction that holds the client's lock.

    Only a yes to exact words, in the same transaction, may come before this; one to a channel lifts nothing else.
    """
    if more is More.TOPICS:
        for flag in DECLINES.values():
            set_flag(transaction, client, flag, value=False, actor=actor)
    elif more is More.MOST:
        set_limit(transaction, client, Limit.OWN_CAP, None, actor)
    elif more is More.RESUME:
        set_limit(transaction, client, Limit.PAUSED_UNTIL, None, actor)


def set_limit(transaction: Transaction, client: int, limit: Limit, value: int | datetime | None, actor: Actor) -> bool:
    """Set or lift a limit of a client within a transaction that holds their lock; return whether it was otherwise.

    The journal gets it first, so that a restore and its replay bring it back.
    """
    if not clients.set_limit(transaction.connection, client, limit.value, value):
        return False
    if value is not None:
        handoffs.recall(transaction.connection, [client], transaction.now)
    told = _told(value)
    transaction.notes.append(
        Note(JournalKind.LIMIT, {"client": client, "limit": limit.value, "value": told, "actor": str(actor)})
    )
    transaction.ledger.append(_entry(client, limit, told, actor))
    return True


def take_limit(transaction: Transaction, record: Record) -> None:
    """Bring a limit back that the journal knows; a client whom the copy does not know gets it from the ledger later."""
    body = record.body
    client, limit, told = int(str(body["client"])), Limit(str(body["limit"])), body["value"]
    clients.set_limit(transaction.connection, client, limit.value, _read(limit, told))
    transaction.ledger.append(_entry(client, limit, told, Actor.read(str(body["actor"]))))


def restore_limits(transaction: Transaction, numbers: Iterable[int]) -> None:
    """Give clients who come back after a restore the limits that the ledger tells of them."""
    for told in entries_of_clients(transaction.connection, EntryKind.CLIENT.value, sorted(numbers)):
        body = told.data()
        if body.get("event") in set(Limit) and told.client is not None:
            limit = Limit(str(body["event"]))
            clients.set_limit(transaction.connection, told.client, limit.value, _read(limit, body[limit.value]))


def _entry(client: int, limit: Limit, told: Json, actor: Actor) -> Entry:
    return Entry(EntryKind.CLIENT, actor, client=client, body={"event": limit.value, limit.value: told})


def _told(value: int | datetime | None) -> Json:
    return stamp(value) if isinstance(value, datetime) else value


def _read(limit: Limit, told: Json) -> int | datetime | None:
    if told is None:
        return None
    return read_stamp(told) if limit is Limit.PAUSED_UNTIL else int(str(told))
