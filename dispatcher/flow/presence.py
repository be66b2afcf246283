"""A register -> who is still in it: whom it names, who is gone since the one before, and who is back."""

from collections.abc import Collection, Iterable
from itertools import islice

from dispatcher.flow.fitting import Fitting, Row
from dispatcher.flow.matching import MaskedClient
from dispatcher.rules.absence import Absence
from dispatcher.rules.actor import Actor
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import clients, readings
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_CHUNK = 500


def foretell(store: Store, rows: Iterable[Row]) -> Absence:
    """Return how many clients would be gone if these rows were the whole register; nothing is changed.

    The rows are matched as the import does it. Where no register has named anybody yet, none of them is read.
    """
    with store.reading() as connection:
        missing = readings.present(connection)
        seen = len(missing)
        left = iter(rows)
        while missing and (chunk := list(islice(left, _CHUNK))):
            missing -= Fitting(store.ring).named(connection, chunk)
    return Absence(len(missing), seen)


def note_seen(transaction: Transaction, reading: int, named: Collection[int], actor: Actor) -> int:
    """Write that a reading names these clients; return how many had been gone and are back."""
    back = readings.stamp(transaction.connection, reading, named)
    _tell(transaction, actor, "back", back)
    return len(back)


def close(transaction: Transaction, reading: int, actor: Actor, *, is_whole: bool) -> list[int]:
    """End a reading and return who is gone, as of now, because a whole register does not name them.

    It is one commit, so that a reading which was cut short leaves nobody gone. No client is locked for it: a message
    decided at the same moment went by a register in which the client still was.
    """
    connection = transaction.connection
    gone = readings.missing(connection, reading) if is_whole else []
    readings.mark_gone(connection, gone, transaction.now)
    _tell(transaction, actor, "gone", gone)
    readings.finish(connection, reading, transaction.now)
    return gone


def masked_clients(store: Store, numbers: Collection[int]) -> list[MaskedClient]:
    """Return these clients as a report shows them, in order of number."""
    with store.reading() as connection:
        found = clients.read(connection, sorted(numbers))
    return [MaskedClient.of(client) for _, client in sorted(found.items())]


def _tell(transaction: Transaction, actor: Actor, event: str, numbers: Iterable[int]) -> None:
    transaction.ledger.append(
        *(Entry(EntryKind.CLIENT, actor, client=number, body={"event": event}) for number in numbers)
    )
