"""Register export -> clients, addresses and answers.

Every row is matched, compared with what is on record, and only the difference is written: importing the same file twice
changes nothing. One bad row never loses the good ones; a file that cannot be read to its end changes nothing at all.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

from dispatcher.errors import RefusedError
from dispatcher.flow import presence
from dispatcher.flow.applying import apply
from dispatcher.flow.asking import Asked, keep_asked, look_over
from dispatcher.flow.audience import Counts
from dispatcher.flow.doubts import NO_GUIDANCE, Doubts, Guidance
from dispatcher.flow.fitting import addresses_of
from dispatcher.flow.matching import Change, Doubt, MaskedClient, Matcher
from dispatcher.flow.policy import Policy
from dispatcher.flow.strangers import Stranger, heed_strangers
from dispatcher.register_files import RegisterFile, RegisterMap, RegisterRow, RejectedRow, open_register
from dispatcher.rules.absence import Absence
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json, canonical
from dispatcher.rules.retention import Periods
from dispatcher.storage import answers, clients, readings
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import keep_wordings
from dispatcher.storage.writer import Transaction

_CHUNK = 100
_STAMPED_AT_LEAST = 1_000
_BLOCKED = "the client is kept for a legal block only: nothing of the row is taken but a no."

Rows = Sequence[RegisterRow | RejectedRow]
Progress = Callable[[int, int], None]
"""Called with how many rows are done and how many there are."""


@dataclass(slots=True)
class EnrolReport:
    """What an import did, or in a dry run would do.

    `counts` holds read, created, updated, unchanged and rejected; past, gone and back where there were any. Past are
    rows of somebody new whose year is over already: nothing of them is kept but an objection. `may_write` and
    `asked` are None in a dry run, which writes nothing and so cannot ask for verdicts. `missing` are columns of answers
    that the settings name and the file lacks; `asks` says whether it has any that is known. `absence` is what was seen
    beforehand, if it was looked for; `gone` who is in the register no longer, to be removed on `removed_on` unless they
    are back.
    """

    file: str
    encoding: str
    delimiter: str
    dry_run: bool
    sheet: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[RejectedRow] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    asks: bool = False
    may_write: Counts | None = None
    asked: Asked | None = None
    absence: Absence | None = None
    gone: list[MaskedClient] = field(default_factory=list)
    removed_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """An import under way; `reading` is its number, None in a dry run."""

    report: EnrolReport
    matcher: Matcher
    actor: Actor
    reading: int | None
    doubts: Doubts
    unstamped: set[int] = field(default_factory=set)

    def reject(self, doubt: Doubt) -> None:
        """Reject a doubtful row, until somebody has said who it is."""
        self.doubts.add(doubt)
        self.report.counts["rejected"] += 1
        self.report.rejected.append(RejectedRow(doubt.row.row, "", doubt.reason))

    def turn_away(self, row: RegisterRow) -> Stranger:
        """Leave out somebody new whose year is over; their objection is heard."""
        self.report.counts["past"] += 1
        return Stranger(dict(addresses_of(row)), row.answers, row.last_visit)

    def take_back(self, doubt: Doubt) -> None:
        """Take the rejection of a row back: somebody has said who it is."""
        self.report.counts["rejected"] -= 1
        self.report.rejected = [each for each in self.report.rejected if each.row != doubt.row.row]


class Enrol:
    """Takes register exports in."""

    def __init__(
        self, store: Store, policy: Policy, register: Callable[[str | None], RegisterMap], periods: Periods
    ) -> None:
        self._store = store
        self._policy = policy
        self._register = register
        self._periods = periods

    def run(
        self,
        path: Path,
        actor: Actor,
        *,
        guidance: Guidance = NO_GUIDANCE,
        dry_run: bool = False,
        progress: Progress = lambda _done, _all: None,
        sheet: str | None = None,
        source: str | None = None,
    ) -> EnrolReport:
        """Import a register export and report what it did.

        `sheet` names the sheet of a spreadsheet, and `source` the one source whose columns are read. Raises
        RegisterFileError for a file that cannot be read to its end, RefusedError where more than a tenth of the clients
        are missing and nobody says that this is right, and JournalError for a database that is behind its journal
        (clients would get other numbers than their links carry); nothing is changed then.
        """
        if not dry_run:
            self._store.check_trusted()
        now = self._store.clock()
        file = open_register(path, self._register(source), now, sheet)
        report = EnrolReport(
            path.name,
            file.encoding,
            file.delimiter,
            dry_run,
            file.sheet,
            dropped=file.dropped,
            missing=file.missing,
            asks=file.asks,
        )
        self._look_ahead(file, report, guidance)
        reading = None if dry_run else self._begin(file, is_whole=guidance.is_whole)
        matcher = Matcher(self._store.ring, now, local_date(now, self._policy.zone), self._periods)
        task = _Task(report, matcher, actor, reading, Doubts(guidance))
        done = 0
        rows = file.rows()
        while chunk := list(islice(rows, _CHUNK)):
            self._sort_out(chunk, report)
            self._take(chunk, task)
            done += len(chunk)
            progress(done, file.row_count)
        if reading is not None:
            for doubt in task.doubts.settled():
                task.take_back(doubt)
                self._take([doubt.row], task)
            self._close(task, reading, file.sha256, is_whole=guidance.is_whole)
            report.may_write, report.asked = look_over(self._store, self._policy, self._store.clock())
            keep_asked(self._store, report.asked, actor)
        report.remarks += task.doubts.unheeded()
        return report

    def _look_ahead(self, file: RegisterFile, report: EnrolReport, guidance: Guidance) -> None:
        """See who would be gone, before anything changes. Raises RefusedError; see `run`."""
        if not guidance.is_whole or (guidance.missing_ok and not report.dry_run):
            return
        found = report.absence = presence.foretell(self._store, file.names())
        if report.dry_run or guidance.missing_ok or not found.is_many or guidance.agree(found):
            return
        raise RefusedError(
            f"{report.file} does not name {found.missing} of the {found.seen} clients whom registers have named, more "
            "than a tenth. If it is a part of the register, import it with --partial; if they have all left, with "
            "--missing-ok. Nothing was changed."
        )

    def _begin(self, file: RegisterFile, *, is_whole: bool) -> int:
        return self._store.write(
            lambda transaction: readings.begin(
                transaction.connection, file.sha256, file.row_count, transaction.now, is_whole=is_whole
            )
        )

    def _sort_out(self, chunk: Rows, report: EnrolReport) -> None:
        for row in chunk:
            report.counts["read"] += 1
            if isinstance(row, RejectedRow):
                report.counts["rejected"] += 1
                report.rejected.append(row)
            else:
                report.remarks += [(row.row, remark) for remark in row.remarks]

    def _take(self, rows: Rows, task: _Task) -> None:
        reading = task.reading
        if reading is None:
            with self._store.reading() as connection:
                self._compare(connection, rows, task)
            return

        def work(transaction: Transaction) -> None:
            changes, named, strangers = self._compare(transaction.connection, rows, task)
            keep_wordings(transaction.connection, _wordings(rows), transaction.now)
            heed_strangers(transaction, self._store.ring, strangers, task.actor)
            apply(transaction, self._store, changes, task.actor)
            task.unstamped.update(named)
            # A chunk that changes nothing has nothing to bring to the disk, unless it is time.
            if changes or len(task.unstamped) >= _STAMPED_AT_LEAST:
                self._stamp(transaction, reading, task)

        self._store.write(work, wanted=self._locks(rows, task.matcher))
        task.matcher.forget()

    def _locks(self, rows: Rows, matcher: Matcher) -> list[Lock]:
        """Return the locks of every client these rows may change, the same that a verdict about them takes."""
        if self._store.database.is_sqlite:
            return []
        with self._store.reading() as connection:
            numbers = sorted(matcher.known(connection, rows))
            addresses = clients.address_ids(connection, numbers)
        held = {address for ids in addresses.values() for address in ids}
        locks = [Lock(LockKind.CLIENT, number) for number in numbers] + [Lock(LockKind.ADDRESS, each) for each in held]
        # Two imports at once must not make one new client twice.
        return [*locks, Lock(LockKind.REGISTER, 0)]

    def _stamp(self, transaction: Transaction, reading: int, task: _Task) -> None:
        back = presence.note_seen(transaction, reading, task.unstamped, task.actor)
        task.report.counts += Counter(back=back)
        task.unstamped.clear()

    def _compare(
        self, connection: Connection, rows: Rows, task: _Task
    ) -> tuple[list[Change], set[int], list[Stranger]]:
        """Return what these rows change, everybody whom they name, and who is nobody's.

        Bad and doubtful rows name somebody as well.
        """
        task.matcher.load(connection, rows)
        changes: list[Change] = []
        strangers: list[Stranger] = []
        named: set[int] = set()
        for row in rows:
            if isinstance(row, RejectedRow):
                fits = task.matcher.fits(row)
                named |= fits
                changes += task.matcher.noes(row)
                strangers += [] if fits else [Stranger(dict(addresses_of(row)), row.noes)]
                continue
            found = task.matcher.change(row, task.doubts.told(row.row))
            if found is None:
                strangers.append(task.turn_away(row))
                continue
            if isinstance(found, Doubt):
                task.reject(found)
                named |= {client.number for client in found.candidates}
                is_forgotten = any(client.is_missing for client in found.candidates)
                strangers += [Stranger(dict(addresses_of(row)), row.answers)] if is_forgotten else []
                changes += found.noes
                continue
            word = "created" if found.is_new else "unchanged" if found.is_empty else "updated"
            task.report.counts[word] += 1
            named.add(found.number)
            if found.is_blocked:
                task.report.remarks.append((row.row, _BLOCKED))
            if found.chosen_among:
                task.doubts.heed(row.row)
            changes.append(found)
        return [change for change in changes if change.chosen_among or not change.is_empty], named, strangers

    def _close(self, task: _Task, reading: int, sha256: str, *, is_whole: bool) -> None:
        report = task.report

        def work(transaction: Transaction) -> list[int]:
            self._stamp(transaction, reading, task)
            gone = presence.close(transaction, reading, task.actor, is_whole=is_whole)
            report.counts += Counter(gone=len(gone))
            _tell(transaction, report, sha256, task.actor)
            return gone

        # What is not named is what no import that runs beside this one is about to name.
        gone = self._store.write(work, wanted=[Lock(LockKind.REGISTER, 0)])
        report.gone = presence.masked_clients(self._store, gone)
        if gone:
            today = local_date(self._store.clock(), self._policy.zone)
            report.removed_on = today + self._periods.gone


def _tell(transaction: Transaction, report: EnrolReport, sha256: str, actor: Actor) -> None:
    """Write what the import did to the ledger, unless it is a file that came before and changed nothing now."""
    known = answers.seen_before(transaction.connection, "import", sha256)
    changed = any(report.counts[name] for name in ("created", "updated", "gone", "back"))
    if known is not None and not changed:
        return
    body: dict[str, Json] = {"sha256": sha256, **{name: report.counts[name] for name in sorted(report.counts)}}
    transaction.ledger.append(Entry(EntryKind.IMPORT, actor, body=body))
    if known is None:
        answers.remember(transaction.connection, "import", sha256, canonical(body), transaction.now)


def _wordings(rows: Rows) -> set[str]:
    said = (row.noes if isinstance(row, RejectedRow) else row.answers for row in rows)
    return {answer.wording for given in said for answer in given if answer.wording}
