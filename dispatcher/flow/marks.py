"""Marks a client as one who is not written to, or lifts the mark; a restore brings every mark back (L-11, L-34)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from enum import StrEnum

from dispatcher.errors import RefusedError
from dispatcher.flow.known import unknown
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Kind
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import clients, handoffs
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.ledger import entries_of_clients
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


class Flag(StrEnum):
    """A mark on a client that every verdict reads, by the name of its column."""

    CHILD = "child"
    """Known to be a minor: never written to, and no yes is taken (L-11)."""
    RESTRICTED = "restricted"
    """The data may be kept and not used (L-32)."""
    SUSPENDED = "suspended"
    """Has sent something that a person has to read first (E-35)."""
    NO_OFFERS = "no_offers"
    """Wants no offers, and news of treatment days at most."""
    NO_TREATMENT_DAYS = "no_treatment_days"
    """Wants no news of treatment days, and offers at most."""


DECLINES = {Kind.OFFER: Flag.NO_OFFERS, Kind.TREATMENT_DAY: Flag.NO_TREATMENT_DAYS}
"""The mark that a client puts on each topic they do not want."""


_EVENTS = {
    (Flag.CHILD, True): "child",
    (Flag.CHILD, False): "not_child",
    (Flag.RESTRICTED, True): "restricted",
    (Flag.RESTRICTED, False): "unrestricted",
    (Flag.SUSPENDED, True): "suspended",
    (Flag.SUSPENDED, False): "unsuspended",
    (Flag.NO_OFFERS, True): "no_offers",
    (Flag.NO_OFFERS, False): "offers",
    (Flag.NO_TREATMENT_DAYS, True): "no_treatment_days",
    (Flag.NO_TREATMENT_DAYS, False): "treatment_days",
}
"""What the ledger calls it when a flag is set or lifted."""
_TOLD = {event: told for told, event in _EVENTS.items()}


class Marks:
    """Takes in what a person knows about a client and no register says."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def mark_child(self, client: int, actor: Actor) -> bool:
        """Put on record that a client is a child, and return whether that is new. Raises NotFoundError."""
        return self._set(client, Flag.CHILD, actor, value=True)

    def unmark_child(self, client: int, actor: Actor) -> bool:
        """Put on record that a client is no child after all, and return whether that is new. Raises NotFoundError."""
        return self._set(client, Flag.CHILD, actor, value=False)

    def choose_topics(self, client: int, wanted: AbstractSet[Kind], actor: Actor) -> bool:
        """Put on record which topics a client wants, and return whether that is new; no yes is given by it.

        It is on disk when this returns, in the journal as well. Raises NotFoundError, and RefusedError for no topic at
        all: that is a no, and `consent withdraw` takes it.
        """
        if not wanted:
            raise RefusedError("A client who wants no topic has said no: run `dispatcher consent withdraw CLIENT`.")

        def work(transaction: Transaction) -> bool:
            if not clients.read(transaction.connection, [client]):
                raise unknown(client)
            changed = [
                set_flag(transaction, client, flag, kind not in wanted, actor) for kind, flag in DECLINES.items()
            ]
            return any(changed)

        return self._store.write(work, wanted=[Lock(LockKind.CLIENT, client)], urgent=True)

    def _set(self, client: int, flag: Flag, actor: Actor, *, value: bool) -> bool:
        def work(transaction: Transaction) -> bool:
            if not clients.read(transaction.connection, [client]):
                raise unknown(client)
            return set_flag(transaction, client, flag, value, actor)

        # The client's lock is the gate's: what is being decided about them is decided before or after, never across.
        return self._store.write(work, wanted=[Lock(LockKind.CLIENT, client)], urgent=value)


def set_flag(
    transaction: Transaction,
    client: int,
    flag: Flag,
    value: bool,  # noqa: FBT001 - what is set, not how
    actor: Actor,
) -> bool:
    """Set a flag of a client within a transaction that holds their lock; return whether it was otherwise before.

    The journal gets it first, so that a restore and its replay bring it back.
    """
    if not clients.set_flag(transaction.connection, client, flag.value, value=value):
        return False
    if value:
        # What is under way to them is asked about anew: of a topic they still want it goes at the next look.
        handoffs.recall(transaction.connection, [client], transaction.now)
    note_flag(transaction, client, flag, actor, value=value)
    return True


def note_flag(transaction: Transaction, client: int, flag: Flag, actor: Actor, *, value: bool) -> None:
    """Put a mark into journal and ledger; a client whom a restore forgot has it when the register brings them back."""
    transaction.notes.append(
        Note(JournalKind.FLAG, {"client": client, "flag": flag.value, "value": value, "actor": str(actor)})
    )
    transaction.ledger.append(_entry(client, flag, actor, value=value))


def take_flag(transaction: Transaction, record: Record) -> None:
    """Bring a mark back that the journal knows; a client whom the copy does not know gets it from the ledger later."""
    body = record.body
    client, flag, value = int(str(body["client"])), Flag(str(body["flag"])), body["value"] is True
    clients.set_flag(transaction.connection, client, flag.value, value=value)
    transaction.ledger.append(_entry(client, flag, Actor.read(str(body["actor"])), value=value))


def _entry(client: int, flag: Flag, actor: Actor, *, value: bool) -> Entry:
    return Entry(EntryKind.CLIENT, actor, client=client, body={"event": _EVENTS[flag, value]})


def restore_flags(transaction: Transaction, numbers: Iterable[int]) -> None:
    """Give clients who come back after a restore the marks that the ledger tells of them."""
    for told in entries_of_clients(transaction.connection, EntryKind.CLIENT.value, sorted(numbers)):
        mark = _TOLD.get(str(told.data().get("event")))
        if mark is not None and told.client is not None:
            clients.set_flag(transaction.connection, told.client, mark[0].value, value=mark[1])
