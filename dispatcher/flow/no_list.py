"""A list of people who said no elsewhere -> an objection of each, as of now, whether the register knows them or not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from dispatcher.flow.withdrawing import locks_by_address, withdraw_addresses
from dispatcher.register_files import NoLine, System, open_no_list
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.storage import answers, clients
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

__all__ = ["NoListReport", "NoLists", "System"]

_CHUNK = 100
_TOLD_AT_MOST = 10_000
"""So many rejected lines are named; a file of 200 MB that is no list at all would fill the memory with them."""


@dataclass(slots=True)
class NoListReport:
    """What a list did, or in a dry run would do.

    `addresses` counts those that said no (twice where one stands in the file over a hundred lines apart); `clients`
    whose they are, each once; `strangers` the addresses of nobody's, kept as keyed hashes. `skipped` are lines of an
    export that say somebody has not left, `rejected` what is no address, by line; `unnamed` how many more there were.
    """

    file: str
    dry_run: bool
    lines: int = 0
    addresses: int = 0
    clients: int = 0
    strangers: int = 0
    skipped: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    unnamed: int = 0

    def take(self, line: NoLine) -> None:
        """Count a line."""
        self.lines += 1
        self.skipped += line.is_skipped
        for reason in line.rejections:
            if len(self.rejected) < _TOLD_AT_MOST:
                self.rejected.append((line.line, reason))
            else:
                self.unnamed += 1


class NoLists:
    """Takes in who said no before this program, and to others."""

    def __init__(self, store: Store, region: str) -> None:
        self._store = store
        self._region = region

    def run(
        self,
        path: Path,
        actor: Actor,
        system: System | None = None,
        *,
        dry_run: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> NoListReport:
        """Record a no to every channel, as of now, for every address of a list; again, it only moves the noes on.

        Raises RegisterFileError for a file that cannot be read to its end, and JournalError for a database that is
        behind its journal; nothing is changed then.
        """
        if not dry_run:
            self._store.check_trusted()
        file = open_no_list(path, system, self._region)
        report = NoListReport(path.name, dry_run)
        heard = _Heard(self._store.clock())
        lines = file.lines()
        while chunk := list(islice(lines, _CHUNK)):
            for line in chunk:
                report.take(line)
            addresses = sorted({address for line in chunk for address in line.addresses})
            report.addresses += len(addresses)
            self._take(addresses, actor, Place.PROVIDER if system else Place.DESK, heard, report)
            progress(report.lines, file.count)
        return report

    def _take(
        self, addresses: list[tuple[Channel, str]], actor: Actor, place: Place, heard: "_Heard", report: NoListReport
    ) -> None:
        if not addresses:
            return
        with self._store.reading() as connection:
            known = clients.by_address(connection, addresses)
            numbers = sorted(set().union(*known.values()))
            wanted = locks_by_address(connection, numbers)
        if report.dry_run:
            report.clients += len(heard.new(numbers))
            report.strangers += sum(address not in known for address in addresses)
            return

        def work(transaction: Transaction) -> None:
            now = transaction.now
            answer = Answer(0, Reply.WITHDRAWN, None, now, now, now, place)
            done = heard.among(transaction.connection, numbers)
            found = withdraw_addresses(transaction, self._store.ring, addresses, answer, actor, but=done)
            report.clients += len(found.clients)
            report.strangers += found.strangers

        self._store.write(work, wanted=wanted)


class _Heard:
    """Whose no this list has brought already: a client may stand in it by email and by phone, pages apart."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._dry: set[int] = set()

    def new(self, numbers: list[int]) -> list[int]:
        """Return who is new to a dry run, which leaves nothing in the database to tell by."""
        found = [number for number in numbers if number not in self._dry]
        self._dry.update(found)
        return found

    def among(self, connection: Connection, numbers: list[int]) -> set[int]:
        """Return who has a no to everything on record since the list began to be read."""
        given = answers.of_clients(connection, numbers)
        return {number for number in numbers if any(self._is_heard(answer) for answer in given.get(number, ()))}

    def _is_heard(self, answer: Answer) -> bool:
        says_all = answer.reply is Reply.WITHDRAWN and answer.channel is None
        return says_all and answer.recorded_at >= self._since and answer.latest() >= self._since
