"""A source whose box turns out to have been ticked beforehand -> no yes that rests on it is used any more (L-03)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow import audience
from dispatcher.flow.policy import Policy
from dispatcher.flow.sources import Sources
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState, as_it_counts, fold
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.source import VOIDED, Source
from dispatcher.storage import sources
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ALONE = Lock(LockKind.JOURNAL, 0)
"""Whoever has it writes alone: no message can be decided by a yes of the source while it is being voided."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What voiding a source takes away: how many standing yeses for each channel, and how many clients have one."""

    source: Source
    yeses: Mapping[Channel, int]
    clients: int


class Voiding:
    """Takes away what was never a yes."""

    def __init__(self, store: Store, policy: Policy, known: Sources) -> None:
        self._store = store
        self._policy = policy
        self._known = known

    def foresee(self, name: str) -> Loss:
        """Return what voiding the newest source of this name, or the one of this number, would take away now.

        Raises NotFoundError, and RefusedError for a source that is void already.
        """
        source = self._found(name)
        yeses: Counter[Channel] = Counter()
        touched, now, valid_for = 0, self._store.clock(), self._policy.valid_for
        with self._store.reading() as connection:
            for chunk in audience.chunks(connection, self._store, self._policy, None, now):
                for known in chunk:
                    given = known.facts.answers
                    left = [as_it_counts(answer, {source.number}) for answer in given]
                    lost = [
                        channel
                        for channel in Channel
                        if fold(given, channel, now, valid_for).state is ConsentState.GRANTED
                        and fold(left, channel, now, valid_for).state is not ConsentState.GRANTED
                    ]
                    yeses.update(lost)
                    touched += bool(lost)
        return Loss(source, dict(yeses), touched)

    def void(self, source: Source, actor: Actor) -> Source:
        """Void a source: from now on no yes that rests on it is usable, whenever it was given, and it is read no more.

        It cannot be undone. What waits to be sent is decided again at its hand-off. Raises RefusedError for a source
        that is void already.
        """

        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            if source.number in sources.voidings(connection):
                raise _void_already(source)
            stored = next(each for each in sources.every(connection) if each.id == source.number)
            body: dict[str, Json] = {"source": stored.id, "spec": sources.digest(stored.spec)}
            transaction.notes.append(Note(JournalKind.SOURCE_VOIDED, body))
            _write(transaction, stored, actor)

        self._store.write(work, wanted=[_ALONE], urgent=True)
        now = self._store.clock()
        return replace(source, ended_at=source.ended_at or now, voided_at=now)

    def _found(self, name: str) -> Source:
        try:
            source = self._known.named(name)
        except NotFoundError:
            numbered = [each for each in self._known.listed() if str(each.number) == name.strip()]
            if not numbered:
                raise
            (source,) = numbered
        if source.voided_at is not None:
            raise _void_already(source)
        return source


def take_voiding(transaction: Transaction, record: Record, actor: Actor) -> None:
    """Void a source again that the copy knew as good; one that the copy does not know has no yes in it either."""
    told = (record.body["source"], record.body["spec"])
    known = sources.voidings(transaction.connection)
    for stored in sources.every(transaction.connection):
        if (stored.id, sources.digest(stored.spec)) == told and stored.id not in known:
            _write(transaction, stored, actor)


def _write(transaction: Transaction, stored: sources.StoredSource, actor: Actor) -> None:
    if stored.ended_at is None:
        sources.end(transaction.connection, stored.id, transaction.now)
    body: dict[str, Json] = {"event": VOIDED, "source": stored.id}
    transaction.ledger.append(Entry(EntryKind.SOURCE, actor, body=body))


def _void_already(source: Source) -> RefusedError:
    return RefusedError(f"The source {source.name!r} (number {source.number}) is void already. Nothing was changed.")
