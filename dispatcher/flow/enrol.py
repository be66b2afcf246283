"""Register export -> clients, addresses and answers.

Every row is matched, compared with what is on record, and only the difference is written: importing the same file twice
changes nothing. One bad row never loses the good ones; a file that cannot be read to its end changes nothing at all.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from dispatcher.flow import audience
from dispatcher.flow.applying import apply
from dispatcher.flow.audience import Counts
from dispatcher.flow.coverage import coverage
from dispatcher.flow.matching import Change, Doubt, Matcher
from dispatcher.flow.policy import Policy
from dispatcher.flow.recording import suppress_stranger
from dispatcher.register_files import RegisterMap, RegisterRow, RejectedRow, open_register
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Audience, Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.rules.ledger import Entry, EntryKind, Json, canonical
from dispatcher.storage import answers, clients
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import keep_wordings
from dispatcher.storage.writer import Transaction

_CHUNK = 100
_NOES = frozenset({Reply.DECLINED, Reply.WITHDRAWN})

Rows = Sequence[RegisterRow | RejectedRow]
Progress = Callable[[int, int], None]
"""Called with how many rows are done and how many there are."""


@dataclass(slots=True)
class EnrolReport:
    """What an import did, or in a dry run would do.

    `counts` holds read, created, updated, unchanged and rejected; `may_write` is None in a dry run, which
    writes nothing and so cannot ask for verdicts. `missing` are columns of answers that the settings name and the file
    lacks.
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
    may_write: Counts | None = None


class Enrol:
    """Takes register exports in."""

    def __init__(self, store: Store, policy: Policy, register: Callable[[str | None], RegisterMap]) -> None:
        self._store = store
        self._policy = policy
        self._register = register

    def run(
        self,
        path: Path,
        actor: Actor,
        *,
        dry_run: bool = False,
        progress: Progress = lambda _done, _all: None,
        sheet: str | None = None,
        source: str | None = None,
    ) -> EnrolReport:
        """Import a register export and report what it did.

        `sheet` names the sheet of a spreadsheet, and `source` the one source whose columns are read.
        Raises RegisterFileError for a file that cannot be read to its end, and JournalError for a database that is
        behind its journal (clients would get other numbers than their links carry); nothing is changed then.
        """
        if not dry_run:
            self._store.check_trusted()
        now = self._store.clock()
        file = open_register(path, self._register(source), now, sheet)
        report = EnrolReport(
            path.name, file.encoding, file.delimiter, dry_run, file.sheet, dropped=file.dropped, missing=file.missing
        )
        matcher = Matcher(self._store.ring, now)
        done = 0
        rows = file.rows()
        while chunk := list(islice(rows, _CHUNK)):
            self._sort_out(chunk, report)
            self._take(chunk, matcher, report, actor)
            done += len(chunk)
            progress(done, file.row_count)
        if not dry_run:
            self._close(report, file.sha256, actor)
            report.may_write = self._verdicts(self._store.clock())
        return report

    def _sort_out(self, chunk: Rows, report: EnrolReport) -> None:
        for row in chunk:
            report.counts["read"] += 1
            if isinstance(row, RejectedRow):
                report.counts["rejected"] += 1
                report.rejected.append(row)
            else:
                report.remarks += [(row.row, remark) for remark in row.remarks]

    def _take(self, rows: Rows, matcher: Matcher, report: EnrolReport, actor: Actor) -> None:
        if report.dry_run:
            with self._store.reading() as connection:
                self._compare(connection, rows, matcher, report)
            return

        def work(transaction: Transaction) -> None:
            changes = self._compare(transaction.connection, rows, matcher, report)
            keep_wordings(transaction.connection, _wordings(rows), transaction.now)
            _heed_strangers(transaction, self._store, rows, matcher, actor)
            apply(transaction, self._store, changes, actor)

        self._store.write(work, wanted=self._locks(rows, matcher))
        matcher.forget()

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

    def _compare(self, connection: Connection, rows: Rows, matcher: Matcher, report: EnrolReport) -> list[Change]:
        matcher.load(connection, rows)
        changes: list[Change] = []
        for row in rows:
            if isinstance(row, RejectedRow):
                changes += matcher.noes(row)
                continue
            found = matcher.change(row)
            if isinstance(found, Doubt):
                report.counts["rejected"] += 1
                report.rejected.append(RejectedRow(row.row, "", found.reason))
                changes += found.noes
                continue
            word = "created" if found.is_new else "unchanged" if found.is_empty else "updated"
            report.counts[word] += 1
            changes.append(found)
        return [change for change in changes if not change.is_empty]

    def _close(self, report: EnrolReport, sha256: str, actor: Actor) -> None:
        def work(transaction: Transaction) -> None:
            known = answers.seen_before(transaction.connection, "import", sha256)
            if known is not None and not report.counts["created"] and not report.counts["updated"]:
                return
            body: dict[str, Json] = {"sha256": sha256, **{name: report.counts[name] for name in sorted(report.counts)}}
            transaction.ledger.append(Entry(EntryKind.IMPORT, actor, body=body))
            if known is None:
                answers.remember(transaction.connection, "import", sha256, canonical(body), transaction.now)

        self._store.write(work)

    def _verdicts(self, now: datetime) -> Counts:
        """Count who may be written to, were a campaign by every channel to go out in an open hour."""
        with self._store.reading() as connection:
            facts = self._policy.any_campaign(coverage(connection, self._policy))
        return audience.count(self._store, self._policy, facts, Audience(), now)


def _wordings(rows: Rows) -> set[str]:
    said = (row.noes if isinstance(row, RejectedRow) else row.answers for row in rows)
    return {answer.wording for given in said for answer in given if answer.wording}


def _heed_strangers(transaction: Transaction, store: Store, rows: Rows, matcher: Matcher, actor: Actor) -> None:
    """Keep the objection in a rejected row of somebody nobody knows, for the addresses that could be read."""
    for row in rows:
        if not isinstance(row, RejectedRow) or not matcher.is_stranger(row):
            continue
        found = {Channel.EMAIL: row.email, Channel.SMS: row.phone}
        addresses = {channel: address for channel, address in found.items() if address}
        for no in row.noes if addresses else ():
            if no.reply is Reply.WITHDRAWN:
                said = Answer(0, no.reply, no.channel, no.not_before, no.not_after, transaction.now)
                suppress_stranger(transaction, store.ring, said, actor, addresses)
