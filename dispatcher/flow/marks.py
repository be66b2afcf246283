"""Marks on a client that keep messages away whatever was answered: restricted (L-38), a child (L-11).

A mark is a fact of the journal, so that it outlives a restore, even where the copy does not know the client yet.
"""

from collections.abc import Sequence
from enum import StrEnum

from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.storage import clients
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.ledger import entries_of_clients
from dispatcher.storage.writer import Transaction


class Flag(StrEnum):
    """The marks there are, by the column of the client's row."""

    RESTRICTED = "restricted"
    CHILD = "child"


_EVENTS = {
    (Flag.RESTRICTED, True): "restricted",
    (Flag.RESTRICTED, False): "unrestricted",
    (Flag.CHILD, True): "marked_child",
    (Flag.CHILD, False): "unmarked_child",
}
_TOLD = {event: mark for mark, event in _EVENTS.items()}


def set_flag(transaction: Transaction, client: int, flag: str, value: bool, actor: Actor) -> None:  # noqa: FBT001
    """Mark a client, or take the mark away, in the journal and in the database."""
    body: dict[str, Json] = {"client": client, "flag": Flag(flag).value, "value": value, "actor": str(actor)}
    transaction.notes.append(Note(JournalKind.FLAG, body))
    _write(transaction, client, Flag(flag), actor, value=value)


def take_flag(transaction: Transaction, record: Record) -> None:
    """Bring a mark back that the journal knows; of a client the copy does not know, the ledger keeps it."""
    body = record.body
    kind, _, who = str(body["actor"]).partition(":")
    actor = Actor(ActorKind(kind), who)
    _write(transaction, int(str(body["client"])), Flag(str(body["flag"])), actor, value=body["value"] is True)


def restore_flags(transaction: Transaction, numbers: Sequence[int]) -> None:
    """Mark those of these new clients again who were marked before a restore forgot them."""
    returning = clients.among_returning(transaction.connection, numbers)
    marks: dict[int, dict[Flag, bool]] = {}
    for entry in entries_of_clients(transaction.connection, EntryKind.CLIENT.value, sorted(returning)):
        mark = _TOLD.get(str(entry.data().get("event")))
        if mark is not None and entry.client is not None:
            marks.setdefault(entry.client, {})[mark[0]] = mark[1]
    for client, flags in marks.items():
        clients.update_client(transaction.connection, client, {flag.value: value for flag, value in flags.items()})


def _write(transaction: Transaction, client: int, flag: Flag, actor: Actor, *, value: bool) -> None:
    clients.update_client(transaction.connection, client, {flag.value: value, "updated_at": transaction.now})
    transaction.ledger.append(Entry(EntryKind.CLIENT, actor, client=client, body={"event": _EVENTS[flag, value]}))
