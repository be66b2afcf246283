"""What came in and a person has to read -> it waits, and its client is not written to until it is settled (E-35).

Each of these acts stands in the journal too, so that a restore and its replay bring it back: there it goes by where it
lies, since its number may be another after a restore.
"""

from collections.abc import Container
from datetime import datetime, timedelta

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.marks import Flag, note_flag, set_flag
from dispatcher.flow.withdrawing import locks_of_no, withdraw_by_letter
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place
from dispatcher.rules.incoming import Arrived, Class, Settled
from dispatcher.rules.ledger import Entry, EntryKind, Json, read_stamp, stamp
from dispatcher.storage import clients, incoming, returning
from dispatcher.storage.incoming import Incoming as Waiting
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_CAME, _SETTLED = "came", "settled"
_PLACES = {Channel.EMAIL: Place.MAILTO, Channel.SMS: Place.SMS_REPLY}


class Incoming:
    """Keeps what a person has to read, and what they made of it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, came: Arrived) -> int | None:
        """Keep what came and suspend its client; return its number, or None where it is known or nobody's any more.

        On disk when it returns. Raises JournalError and StorageError where it cannot be kept.
        """
        wanted = [Lock(LockKind.CLIENT, came.client)]
        return self._store.write(lambda transaction: put_in(transaction, came), wanted=wanted, urgent=True)

    def tidy(self, settled_for: timedelta) -> None:
        """Let go of words whose time is over (S-33), and of what was settled longer ago than this."""

        def work(transaction: Transaction) -> None:
            incoming.drop_texts(transaction.connection, transaction.now)
            incoming.purge(transaction.connection, transaction.now - settled_for)

        self._store.write(work)

    def waiting(self) -> list[Waiting]:
        """Return what waits for a person, the oldest first."""
        with self._store.reading() as connection:
            return incoming.listed(connection)

    def find(self, number: int) -> Waiting:
        """Return the one of this number, settled or not. Raises NotFoundError."""
        with self._store.reading() as connection:
            return _found(incoming.find(connection, number), number)

    def release(self, number: int, actor: Actor) -> bool:
        """Put on record that it was no no; return whether the client is written to again, as far as this goes.

        Raises NotFoundError, and RefusedError for one that is settled already.
        """
        client = self.find(number).client

        def work(transaction: Transaction) -> bool:
            return _settle(transaction, _open(transaction, number), Settled.RELEASED, actor)

        return self._store.write(work, wanted=[Lock(LockKind.CLIENT, client)])

    def withdraw(self, number: int, actor: Actor) -> None:
        """Put on record that it was a no to everything, said when it came; everything else of theirs is settled by it.

        Raises NotFoundError, and RefusedError for one that is settled already.
        """
        client = self.find(number).client
        with self._store.reading() as connection:
            wanted = locks_of_no(connection, [client])

        def work(transaction: Transaction) -> None:
            found = _open(transaction, number)
            withdraw_by_letter(transaction, self._store.ring, client, _PLACES[found.channel], found.at, actor)
            for each in incoming.listed(transaction.connection, client=client):
                _settle(transaction, each, Settled.WITHDRAWN, actor)

        self._store.write(work, wanted=wanted, urgent=True)


def put_in(transaction: Transaction, came: Arrived) -> int | None:
    """Do what `Incoming.put` does within a transaction that holds the client's lock."""
    connection, actor = transaction.connection, Actor(ActorKind.CLIENT)
    is_known = bool(clients.read(connection, [came.client]))
    if not is_known and not returning.is_missed(connection, came.client):
        return None  # erased: nothing of theirs is kept, and nothing is sent to them
    number = incoming.add(connection, came, transaction.now)
    if number is None:
        return None
    where: dict[str, Json] = {"channel": came.channel.value, "at": stamp(came.at), "class": came.kind.value}
    _keep(transaction, came.client, came.box, came.key, actor, {"event": _CAME, **where})
    body: dict[str, Json] = {"event": _CAME, "number": number, "at": stamp(came.at), "class": came.kind.value}
    transaction.ledger.append(Entry(EntryKind.INCOMING, actor, client=came.client, channel=came.channel, body=body))
    _suspend(transaction, came.client, actor, is_known=is_known, value=True)
    return number


def take_incoming(transaction: Transaction, record: Record, erased: Container[int]) -> bool:
    """Do after a restore what the journal tells of something that came in; return whether it waits again.

    Whether the client is suspended is told by records of its own. The words of a text message are gone.
    """
    body, connection = record.body, transaction.connection
    client, box, key = int(str(body["client"])), str(body["box"]), str(body["key"])
    if client in erased:
        return False
    actor, at = Actor.read(str(body["actor"])), read_stamp(record.at) or transaction.now
    if body["event"] == _CAME:
        moment = read_stamp(body["at"]) or at
        came = Arrived(client, Channel(str(body["channel"])), moment, Class(str(body["class"])), box, key)
        number = incoming.add(connection, came, at)
        if number is None:
            return False
        told: dict[str, Json] = {"event": _CAME, "number": number, "at": stamp(moment), "class": came.kind.value}
        transaction.ledger.append(Entry(EntryKind.INCOMING, actor, client=client, channel=came.channel, body=told))
        return True
    found = incoming.lying_at(connection, box, key, client)
    if found is not None and found.settled_at is None:
        _close(transaction, found, Settled(str(body["outcome"])), actor, at)
    return False


def _settle(transaction: Transaction, found: Waiting, how: Settled, actor: Actor) -> bool:
    """Settle one and say whether its client is written to again, as far as this goes."""
    connection = transaction.connection
    told: dict[str, Json] = {"event": _SETTLED, "outcome": how.value}
    _keep(transaction, found.client, found.box, found.key, actor, told)
    _close(transaction, found, how, actor, transaction.now)
    if incoming.waits(connection, found.client):
        return False
    is_known = bool(clients.read(connection, [found.client]))
    _suspend(transaction, found.client, actor, is_known=is_known, value=False)
    return is_known


def _close(transaction: Transaction, found: Waiting, how: Settled, actor: Actor, at: datetime) -> None:
    incoming.settle(transaction.connection, found.id, how, at)
    body: dict[str, Json] = {"event": _SETTLED, "number": found.id, "outcome": how.value}
    transaction.ledger.append(Entry(EntryKind.INCOMING, actor, client=found.client, channel=found.channel, body=body))


def _suspend(transaction: Transaction, client: int, actor: Actor, *, is_known: bool, value: bool) -> None:
    if is_known:
        set_flag(transaction, client, Flag.SUSPENDED, value, actor)
    else:
        note_flag(transaction, client, Flag.SUSPENDED, actor, value=value)


def _keep(transaction: Transaction, client: int, box: str, key: str, actor: Actor, told: dict[str, Json]) -> None:
    """Let the journal have it first, so that a restore and its replay bring it back."""
    body: dict[str, Json] = {"client": client, "box": box, "key": key, **told, "actor": str(actor)}
    transaction.notes.append(Note(JournalKind.INCOMING, body))


def _open(transaction: Transaction, number: int) -> Waiting:
    found = _found(incoming.find(transaction.connection, number, for_update=True), number)
    if found.settled_at is not None:
        raise RefusedError(f"Number {number} has been settled already ({found.settled}). Nothing was changed.")
    return found


def _found(found: Waiting | None, number: int) -> Waiting:
    if found is None:
        raise NotFoundError(f"Nothing by the number {number} came in: run `dispatcher inbox list` to see what waits.")
    return found
