"""Marks a client as one who is not written to, or lifts the mark; a restore brings every mark back (L-11, L-34)."""

from collections.abc import Iterable
from enum import StrEnum

from dispatcher.errors import NotFoundError
from dispatcher.rules.actor import Actor
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import clients
from dispatcher.storage.journal import JournalKind, Note
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

    def _set(self, client: int, flag: Flag, actor: Actor, *, value: bool) -> bool:
        def work(transaction: Transaction) -> bool:
            if not clients.read(transaction.connection, [client]):
                raise NotFoundError(f"No client has the number {client}: run `dispatcher client list` to find it.")
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
    transaction.notes.append(
        Note(JournalKind.FLAG, {"client": client, "flag": flag.value, "value": value, "actor": str(actor)})
    )
    transaction.ledger.append(entry(client, flag, actor, value=value))
    return True


def entry(client: int, flag: Flag, actor: Actor, *, value: bool) -> Entry:
    """Return the entry that tells of a flag: the event `child` or `not_child`, `restricted` or `not_restricted`."""
    return Entry(EntryKind.CLIENT, actor, client=client, body={"event": flag.value if value else f"not_{flag.value}"})


def mark_again(transaction: Transaction, numbers: Iterable[int]) -> None:
    """Give clients who come back after a restore the marks that the ledger tells of them."""
    for told in entries_of_clients(transaction.connection, EntryKind.CLIENT.value, sorted(numbers)):
        event = str(told.data().get("event"))
        flag = event.removeprefix("not_")
        if told.client is not None and flag in set(Flag):
            clients.set_flag(transaction.connection, told.client, flag, value=event == flag)
