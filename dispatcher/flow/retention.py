"""What has had its year -> gone (G.2, L-36, L-37): shown first, removed only once a person has said so."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dispatcher.errors import RefusedError
from dispatcher.flow.erasing import Erasing
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import masked
from dispatcher.rules.calendar import local_date
from dispatcher.rules.consent import Reply
from dispatcher.rules.ledger import Entry, EntryKind, Json, stamp
from dispatcher.rules.retention import Due, Held, Keeper, due
from dispatcher.storage import answers, blocks, clients, deletions, readings, requests, retention
from dispatcher.storage.database import Connection
from dispatcher.storage.retention import Candidate
from dispatcher.storage.writer import Transaction

AHEAD = timedelta(days=30)
"""How far ahead a list looks."""
_CHUNK = 100
Progress = Callable[[int, int], None]
"""Called with how many clients are done and how many there are."""


@dataclass(frozen=True, slots=True)
class DueClient:
    """A client whose time is over, or will be soon: when and why, what keeps them, their addresses masked."""

    number: int
    due: Due
    keeper: Keeper | None
    addresses: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Return the client with stable keys."""
        return {
            "client": self.number,
            "addresses": list(self.addresses),
            "due_on": self.due.on.isoformat(),
            "reason": self.due.reason.value,
            "counts_from": self.due.basis.value,
            "since": self.due.since.isoformat(),
            "kept_by": self.keeper.value if self.keeper else None,
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """What retention would do today and in the next 30 days, and what stands in its way.

    `refusal` says why nothing is removed though somebody is due; `to_be_deleted` counts what providers and this machine
    still hold of erased clients, and `out_of_reach` are the providers whose keys the settings do not have.
    """

    due: tuple[DueClient, ...]
    kept: tuple[DueClient, ...]
    soon: tuple[DueClient, ...]
    suppressions: int
    suppressions_ending: int
    to_be_deleted: dict[str, int]
    out_of_reach: tuple[str, ...]
    confirmed_at: datetime | None
    last_reading: datetime | None
    is_register_fresh: bool
    refusal: str | None

    @property
    def is_overdue(self) -> bool:
        """Say whether somebody should have been removed and cannot be."""
        return bool(self.due) and self.refusal is not None

    @property
    def waits_for_confirmation(self) -> bool:
        """Say whether a person's word is all that is missing."""
        return self.is_overdue and self.is_register_fresh and self.confirmed_at is None

    def as_json(self) -> dict[str, Json]:
        """Return the overview with stable keys."""
        return {
            "overdue": self.is_overdue,
            "refusal": self.refusal,
            "confirmed": self.confirmed_at is not None,
            "register_read_at": stamp(self.last_reading) if self.last_reading else None,
            "due": [each.as_json() for each in self.due],
            "kept": [each.as_json() for each in self.kept],
            "soon": [each.as_json() for each in self.soon],
            "objections_kept": self.suppressions,
            "objections_ending": self.suppressions_ending,
            "to_be_deleted": dict(self.to_be_deleted),
            "out_of_reach": list(self.out_of_reach),
        }


@dataclass(slots=True)
class RetentionReport:
    """What a run removed: clients by reason, what else had had its time, and whether no byte is left here."""

    removed: Counter[str] = field(default_factory=Counter)
    purged: dict[str, int] = field(default_factory=dict)
    is_wiped: bool = True

    def as_json(self) -> dict[str, Json]:
        """Return the report with stable keys."""
        return {"removed": dict(self.removed), "purged": dict(self.purged), "wiped_here": self.is_wiped}

    def sentence(self) -> str:
        """Return in words how many clients were removed."""
        count = sum(self.removed.values())
        return f"{count} client{'s were' if count != 1 else ' was'} removed" if count else "Nobody was due for removal"


@dataclass(frozen=True, slots=True)
class Retention:
    """Removes the clients whose time is over, and what else has had its own."""

    erasing: Erasing

    def show(self) -> Overview:
        """Return who is due and why, who will be in the next 30 days, and what stands in the way."""
        store, today = self.erasing.store, self._today()
        with store.reading() as connection:
            found = list(self._found(connection, AHEAD))
            numbers = [each.number for each in found]
            held = clients.read(connection, numbers)
            total, ending = retention.suppressions_ending(connection, store.clock() + AHEAD)
            confirmed, reading = retention.confirmed_at(connection), _last_reading(connection)
            still = deletions.providers(connection)
        shown = sorted(
            (
                DueClient(
                    each.number,
                    each.due,
                    each.keeper,
                    tuple(masked(address.canonical) for address in held[each.number].addresses.values()),
                )
                for each in found
                if each.number in held
            ),
            key=lambda each: (each.due.on, each.number),
        )
        over = [each for each in shown if each.due.on <= today]
        ready = tuple(each for each in over if each.keeper is None)
        return Overview(
            due=ready,
            kept=tuple(each for each in over if each.keeper is not None),
            soon=tuple(each for each in shown if each.due.on > today),
            suppressions=total,
            suppressions_ending=ending,
            to_be_deleted=still,
            out_of_reach=tuple(self.erasing.deletions.out_of_reach(still)),
            confirmed_at=confirmed,
            last_reading=reading,
            is_register_fresh=self._is_fresh(reading),
            refusal=self._refusal(confirmed, reading, len(ready)) if ready else None,
        )

    def run(
        self, actor: Actor, *, confirm: bool = False, progress: Progress = lambda _done, _all: None
    ) -> RetentionReport:
        """Remove who is due, a chunk at a time, and what else has had its time.

        `confirm` is the word of a person who has seen who is due: clients are removed daily from now on. Raises
        RefusedError where somebody is due and nobody has said so yet, or no whole register was read lately; what is no
        client is removed all the same.
        """
        store = self.erasing.store
        report = RetentionReport(purged=store.write(lambda transaction: self._purge(transaction, actor)))
        with store.reading() as connection:
            ready = [each.number for each in self._found(connection, timedelta(0)) if each.keeper is None]
            reading, confirmed = _last_reading(connection), retention.confirmed_at(connection)
        if confirm and ready and self._is_fresh(reading):
            confirmed = store.write(lambda transaction: _confirm(transaction, actor))
        refusal = self._refusal(confirmed, reading, len(ready))
        try:
            if ready and refusal is not None:
                raise RefusedError(refusal)
            for start in range(0, len(ready), _CHUNK):
                report.removed.update(self._remove(ready[start : start + _CHUNK], actor))
                progress(min(start + _CHUNK, len(ready)), len(ready))
            if report.removed:
                store.write(lambda transaction: _tell(transaction, actor, report.removed))
        finally:
            # Once, at the end: the journal is written anew as a whole.
            report.is_wiped = self.erasing.deletions.here()
        return report

    def work(self, actor: Actor) -> str | None:
        """Do the daily duty, and return what is to be said of it, or None. Raises RefusedError while it is overdue."""
        report = self.run(actor)
        return report.sentence() if report.removed else None

    def _today(self) -> date:
        return local_date(self.erasing.store.clock(), self.erasing.policy.zone)

    def _is_fresh(self, reading: datetime | None) -> bool:
        return reading is not None and self.erasing.store.clock() - reading <= self.erasing.periods.register

    def _refusal(self, confirmed: datetime | None, reading: datetime | None, count: int) -> str | None:
        who = f"{count} client{'s are' if count != 1 else ' is'} due for removal"
        if not self._is_fresh(reading):
            days = self.erasing.periods.register.days
            return (
                f"{who}, but no whole register was read in the last {days} days, so nobody knows who has visited "
                "since: run `dispatcher client import FILE` with a fresh export. Nobody was removed."
            )
        if confirmed is None:
            return (
                f"{who}: look at them with `dispatcher retention show`, then run `dispatcher retention run --confirm`. "
                "From then on it happens daily. Nobody was removed."
            )
        return None

    def _found(self, connection: Connection, ahead: timedelta) -> Iterator[DueClient]:
        """Yield who is due by then, kept or not, in order of number."""
        periods, now = self.erasing.periods, self.erasing.store.clock()
        by = self._today() + ahead
        after, gone = -1, now + ahead - periods.gone + timedelta(days=1)
        while chunk := retention.candidates(connection, after, _CHUNK, by - periods.client, gone):
            yield from (each for each in self._judged(connection, chunk) if each.due.on <= by)
            after = chunk[-1].number

    def _judged(self, connection: Connection, chunk: Sequence[Candidate]) -> list[DueClient]:
        numbers = [each.number for each in chunk]
        zone, today = self.erasing.policy.zone, self._today()
        unvisited = [each.number for each in chunk if each.last_visit is None]
        given = answers.of_clients(connection, unvisited) if unvisited else {}
        blocked = {each.client for each in blocks.standing(connection, numbers) if not each.block.is_over(today)}
        asking = requests.with_open_requests(connection, numbers)
        found = []
        for each in chunk:
            # Not having been asked is no answer.
            said = max((a.latest() for a in given.get(each.number, ()) if a.reply is not Reply.NOT_ASKED), default=None)
            held = Held(
                created=local_date(each.created_at, zone),
                last_visit=each.last_visit,
                last_answer=local_date(said, zone) if said else None,
                gone_since=local_date(each.gone_since, zone) if each.gone_since else None,
                restricted=each.restricted,
                blocked=each.number in blocked,
                asking=each.number in asking,
            )
            found.append(DueClient(each.number, due(held, self.erasing.periods), held.keeper))
        return found

    def _remove(self, numbers: Sequence[int], actor: Actor) -> Counter[str]:
        """Remove those of a chunk who are still due, since they may have visited or answered a moment ago."""

        def work(transaction: Transaction) -> Counter[str]:
            today = self._today()
            standing = retention.these(transaction.connection, numbers)
            judged = self._judged(transaction.connection, standing)
            ready = [each for each in judged if each.due.on <= today and each.keeper is None]
            for reason in sorted({each.due.reason for each in ready}):
                mine = [each.number for each in ready if each.due.reason is reason]
                self.erasing.erase_in(transaction, mine, reason, actor)
            return Counter(each.due.reason.value for each in ready)

        return self.erasing.store.write(work, wanted=self.erasing.locks(numbers))

    def _purge(self, transaction: Transaction, actor: Actor) -> dict[str, int]:
        connection = transaction.connection
        purged = retention.purge(connection, transaction.now, self._today(), self.erasing.periods)
        if purged:
            deletions.note_traces(connection, transaction.now)
            body: dict[str, Json] = {"event": "purged", **purged}
            transaction.ledger.append(Entry(EntryKind.ERASED, actor, body=body))
        return purged


def _last_reading(connection: Connection) -> datetime | None:
    """Return when a whole register was last read to its end, or None."""
    found = readings.last_whole(connection)
    return found.finished_at if found else None


def _confirm(transaction: Transaction, actor: Actor) -> datetime:
    if retention.confirmed_at(transaction.connection) is None:
        retention.confirm(transaction.connection, transaction.now)
        transaction.ledger.append(Entry(EntryKind.ERASED, actor, body={"event": "confirmed"}))
    return transaction.now


def _tell(transaction: Transaction, actor: Actor, removed: Counter[str]) -> None:
    """Put the proof into the ledger: how many were removed, and why."""
    body: dict[str, Json] = {"event": "removed", **removed}
    transaction.ledger.append(Entry(EntryKind.ERASED, actor, body=body))
