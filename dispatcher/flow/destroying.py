"""A closed year that has been kept for its time -> its messages destroyed, and what stays in their place (L-37).

First the stubs of all its entries of messages are written, then an entry tells of them, then a seal is set over that
entry; only then anything goes, a part at a time: the rows of the outbox, and at last the entries themselves. Whatever
cuts it short, the next run goes on from there.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from dispatcher.errors import RefusedError
from dispatcher.flow.audit_bundle import made_at
from dispatcher.flow.audit_verify import Verifying
from dispatcher.flow.bundling import Bundling
from dispatcher.flow.closing import FOLDER
from dispatcher.flow.deletions import Deletions
from dispatcher.flow.due_years import DueYear, DueYears, YearsOverview, closings
from dispatcher.flow.policy import Policy
from dispatcher.flow.sealing import Sealing
from dispatcher.rules.actor import Actor
from dispatcher.rules.destroyed import Destruction
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.seal import SealReason
from dispatcher.storage import deletions, destroyed
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

Progress = Callable[[int, int], None]
"""Called with how many entries are gone and how many there are to go."""
_ALONE = Lock(LockKind.SERVICE, 3)
"""Held while a year's entry is written: two senders must not both write it."""
_READ_AT_ONCE = 5_000
_AT_ONCE = 500
"""How many rows one transaction writes or deletes: each is over in a fraction of a second."""


@dataclass(frozen=True, slots=True)
class DestroyedYear:
    """A year that was destroyed: when, under which seal it had been closed, and how many entries of messages went."""

    year: int
    seal: int
    entries: int

    def as_json(self) -> dict[str, Json]:
        """Return the year with stable keys."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def sentence(self) -> str:
        """Return in words what was done."""
        return f"the messages of {self.year} were destroyed, checked under seal {self.seal}: {self.entries} entries"


class Destroying:
    """Destroys the messages of closed years whose time is over."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        sealing: Sealing,
        bundling: Bundling,
        deletions: Deletions,
        years: DueYears,
        directory: Path,
    ) -> None:
        self._store = store
        self._policy = policy
        self._sealing = sealing
        self._bundling = bundling
        self._deletions = deletions
        self._directory = directory
        self._years = years

    def show(self) -> YearsOverview:
        """Return which years are due, and what stands in the way of each."""
        return self._years.show()

    def run(
        self,
        actor: Actor,
        *,
        confirm: bool = False,
        despite: Collection[int] = (),
        progress: Progress = lambda _done, _all: None,
        gone: Callable[[DestroyedYear], object] = lambda _year: None,
    ) -> list[DestroyedYear]:
        """Destroy what is due, oldest first, and go on with what was cut short.

        `confirm` is the word of a person who has seen what goes: from now on it happens by itself. `despite` names
        years that a person has destroyed though findings stand in them. Each year is told to `gone` once it is. Raises
        RefusedError, once all else is done, for what may not go yet, and for everything where the ledger does not hold.
        """
        found = self.show()
        ready = [replace(each, refusal=None) if self._is_let_go(each, despite) else each for each in found.due]
        found = YearsOverview(tuple(ready), found.confirmed_at)
        if confirm and found.waits_for_confirmation:
            self._store.write(lambda transaction: _confirm(transaction, actor))
            found = replace(found, confirmed_at=self._store.clock())
        if found.waits_for_confirmation:
            raise RefusedError(str(found.refusal))
        done = []
        for each in found.ready:
            self._check(each)
            done.append(self._destroy(each, actor, progress))
            gone(done[-1])
        self._renew_bundles()
        if found.refusal is not None:
            raise RefusedError(found.refusal)
        return done

    def work(self, actor: Actor) -> str | None:
        """Do the daily duty, and return what is to be said of it, or None.

        Raises RefusedError as `run` does, and says in it as well which years are gone nevertheless.
        """
        done: list[DestroyedYear] = []
        try:
            self.run(actor, gone=done.append)
        except RefusedError as error:
            if not done:
                raise
            raise RefusedError(f"{_said(done)}. {error}") from None
        return _said(done) or None

    def _is_let_go(self, due: DueYear, despite: Collection[int]) -> bool:
        return due.year in despite and due.is_evidence

    def _check(self, due: DueYear) -> None:
        """Raise RefusedError unless the whole ledger holds: what goes is the last that could show what does not."""
        if due.findings:
            return
        found = Verifying(self._store, self._policy.zone, self._sealing.file).run(lambda _done, _all: None).findings
        if found:
            raise RefusedError(
                f"`dispatcher audit verify` finds what does not hold ({len(found)}), so that nothing of {due.year} was "
                f"destroyed. The first: {found[0]}"
            )

    def _destroy(self, due: DueYear, actor: Actor, progress: Progress) -> DestroyedYear:
        told = self._told(due.year)
        if told is None:
            self._mark(due)
            told = self._tell(due, actor)
        self._seal(told, actor)
        self._hold_against(told)
        self._delete(told, progress)
        self._deletions.here()
        return DestroyedYear(told.year, told.seal, told.entries)

    def _told(self, year: int) -> Destruction | None:
        with self._store.reading() as connection:
            return next((each for each in destroyed.told(connection) if each.year == year), None)

    def _mark(self, due: DueYear) -> None:
        """Write the stubs of everything that is to go."""
        for campaign in due.campaigns:
            after = -1
            while part := self._next_of(campaign, self._years.ends(due.year), after):
                self._write_stubs(due.year, part)
                after = part[-1][0]
        with self._store.reading() as connection:
            services = self._years.services(connection, due.year)
        self._write_stubs(due.year, services)

    def _next_of(self, campaign: int, end: datetime, after: int) -> list[tuple[int, int, str]]:
        with self._store.reading() as connection:
            return destroyed.messages_of_campaign(connection, campaign, end, after, _READ_AT_ONCE)

    def _write_stubs(self, year: int, found: Sequence[tuple[int, int, str]]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            self._store.write(partial(_add, year=year, stubs=found[start : start + _AT_ONCE]))

    def _tell(self, due: DueYear, actor: Actor) -> Destruction:
        """Write the entry that tells of the stubs, and return what it tells.

        Raises RefusedError where a stub stands beside something that does not go with the year.
        """
        with self._store.reading() as connection:
            services = {number for number, _, _ in self._years.services(connection, due.year)}
            other = destroyed.put_in(connection, due.year, due.campaigns, services, self._years.ends(due.year))
            if other is not None:
                raise RefusedError(
                    f"Somebody has put entry {other} among what is to go with {due.year}, and it is none of its "
                    "messages. Nothing was destroyed: run `dispatcher audit verify`."
                )
            closed = closings(connection)[due.year]
            entries, digest = destroyed.digest_of_year(connection, due.year)
        body: dict[str, Json] = {
            "year": due.year,
            "seal": closed.seal,
            "bundle": closed.bundle,
            "findings": closed.findings,
            "entries": entries,
            "digest": digest,
            "kept": self._years.kept,
            "campaigns": list(due.campaigns),
        }

        def work(transaction: Transaction) -> None:
            if all(each.year != due.year for each in destroyed.told(transaction.connection)):
                transaction.ledger.append(Entry(EntryKind.DESTROYED, actor, body=body))

        self._store.write(work, wanted=[_ALONE])
        told = self._told(due.year)
        if told is None:
            raise RefusedError(f"The entry that tells of {due.year} cannot be read.")
        return told

    def _seal(self, told: Destruction, actor: Actor) -> None:
        """Set the seal after the entry, unless it was set."""
        with self._store.reading() as connection:
            is_set = told.year in destroyed.sealed(connection)
        if is_set:
            self._sealing.keep()
        else:
            self._sealing.set(SealReason.DESTROYED, actor, told.year)

    def _hold_against(self, told: Destruction) -> None:
        """Raise RefusedError unless the stubs, by which entries are deleted, are those that the entry tells of."""
        with self._store.reading() as connection:
            held = destroyed.digest_of_year(connection, told.year)
        if held != (told.entries, told.digest):
            raise RefusedError(
                f"The stubs of {told.year} are not those that entry {told.entry} tells of, so that nothing more was "
                "destroyed: run `dispatcher audit verify`."
            )

    def _delete(self, told: Destruction, progress: Progress) -> None:
        """Delete the rows of the outbox, then the entries, a part at a time; their bytes are traces of this machine."""
        is_first = True
        while self._store.write(partial(_delete_rows, told=told, is_first=is_first)):
            is_first = False
        after, done = 0, 0
        while gone := self._store.write(partial(_delete_entries, told=told, after=after)):
            after, done = gone[-1], done + len(gone)
            progress(min(done, told.entries), told.entries)

    def _renew_bundles(self) -> None:
        """Let go of the bundles that hold what was destroyed: the year's own, and those of later years, made anew."""
        with self._store.reading() as connection:
            sealed = destroyed.sealed(connection)
            closed = sorted(closings(connection)) if sealed else []
        since = max(sealed.values(), default=None)
        for year in closed:
            path = self._directory / FOLDER / str(year) / f"audit-{year}.zip"
            made = made_at(path)
            if since is None or made is None or made >= since:
                continue
            if year in sealed:
                path.unlink()
                continue
            anew = path.with_suffix(".anew")
            anew.unlink(missing_ok=True)
            self._bundling.write(year, anew, lambda _done, _all: None)
            anew.replace(path)


def _said(done: Sequence[DestroyedYear]) -> str:
    return "; ".join(each.sentence() for each in done)


def _confirm(transaction: Transaction, actor: Actor) -> None:
    destroyed.confirm(transaction.connection, transaction.now)
    body: dict[str, Json] = {"event": "confirmed", "what": "years"}
    transaction.ledger.append(Entry(EntryKind.ERASED, actor, body=body))


def _add(transaction: Transaction, year: int, stubs: Sequence[tuple[int, int, str]]) -> None:
    destroyed.add(transaction.connection, year, stubs)


def _delete_rows(transaction: Transaction, told: Destruction, *, is_first: bool) -> int:
    connection = transaction.connection
    if is_first:
        # Another process may be clearing up while this goes on: the last part leaves a note of its own.
        deletions.note_traces(connection, transaction.now, deletions.LEDGER)
    gone = destroyed.delete_rows(connection, told.campaigns, _AT_ONCE, transaction.now)
    if not gone:
        destroyed.delete_progress(connection, told.campaigns)
    return gone


def _delete_entries(transaction: Transaction, told: Destruction, after: int) -> list[int]:
    connection = transaction.connection
    gone = destroyed.delete_entries(connection, told.year, after, _AT_ONCE)
    if len(gone) < _AT_ONCE:
        deletions.note_traces(connection, transaction.now, deletions.LEDGER)
    return list(gone)
