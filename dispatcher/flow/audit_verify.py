"""The ledger, whole and by itself: chains, seals, journal, every message decided again, every table beside it."""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from dispatcher.errors import SealError
from dispatcher.flow.audit_apart import WHERE_IT_PAYS, Apart, Sharing, apart
from dispatcher.flow.audit_chain import ChainCheck
from dispatcher.flow.audit_compare import table_differences
from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_decided import Decided, Deciding
from dispatcher.flow.audit_destroyed import Destructions
from dispatcher.flow.audit_kept import altered
from dispatcher.flow.audit_seals import Restores, check_journal, check_seals, places, public_keys, sound_seals
from dispatcher.rules.audit_campaigns import CampaignCount
from dispatcher.rules.audit_counts import slot_findings
from dispatcher.rules.ledger import EntryKind, StoredEntry
from dispatcher.rules.seal import Seal
from dispatcher.storage import destroyed, ledger, reports, seals
from dispatcher.storage.database import Connection
from dispatcher.storage.seals import Kept, SealFile
from dispatcher.storage.store import Store

Progress = Callable[[int, int], None]
"""Called with how many entries have been read and how many there are to read."""
_TOLD_EVERY = 1_000
_NAMED_AT_MOST = 20
_RESTORE = EntryKind.RESTORE.value


class Taking(Protocol):
    """What takes the entries of a ledger, one after another in order of their number."""

    def take(self, entry: StoredEntry) -> object:
        """Take the next entry."""
        ...


Took = TypeVar("Took", bound=Taking)


@dataclass(frozen=True, slots=True)
class Reading(Generic[Took]):
    """A ledger that was read to its end: what of its chains does not hold, and who `took` its entries."""

    chain: Verification
    check: ChainCheck
    destroyed: Destructions
    took: Took


@contextmanager
def without_a_search() -> Iterator[None]:
    """Let nobody search for garbage meanwhile: what an audit makes ends by itself, and looking at it takes a tenth."""
    searches = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searches:
            gc.enable()


def read_whole(
    connection: Connection, told: Iterable[Seal], taking: Callable[[], Took], progress: Progress, zone: ZoneInfo
) -> Reading[Took]:
    """Recompute every digest, group and chain, note the hashes that the seals name, and hand every entry on.

    Entries are read by group. Where that is the order of their numbers as well, which it is but for commits side by
    side on PostgreSQL and for damage, one reading does for both; else what was `taking` begins anew with a second one.
    Stubs stand in for entries that were destroyed; what is left of the same messages is handed on to nobody.
    """
    total = reports.count_entries(connection)
    check = ChainCheck(lambda numbers: reports.entries_among(connection, numbers), places(list(told)))
    gone = Destructions(zone, destroyed.campaigns_told(connection))
    watched, took, last, in_order = gone.watched(), taking(), 0, True

    def handed_on() -> Iterator[StoredEntry]:
        nonlocal last, in_order
        for entry in reports.entries_by_group(connection):
            in_order = in_order and entry.id > last
            last = entry.id
            is_hidden = entry.kind in watched and gone.take(entry)
            if in_order and not is_hidden:
                took.take(entry)
            yield entry

    stubs = destroyed.stubs_by_group(connection) if destroyed.count(connection) else None
    entries = gone.merged(handed_on(), stubs) if stubs is not None else handed_on()
    check.read(reports.groups_by_number(connection), entries, lambda done: progress(done, total))
    check.link(reports.groups_by_chain(connection), ledger.heads(connection), gone.groups())
    if not in_order:
        took = taking()
        _read_in_order(connection, took, gone, lambda done: progress(done, total))
    progress(total, total)
    return Reading(check.result(), check, gone, took)


def _read_in_order(connection: Connection, took: Taking, gone: Destructions, tell: Callable[[int], None]) -> None:
    for done, entry in enumerate(reports.entries_by_number(connection), start=1):
        if not gone.hides(entry):
            took.take(entry)
        if done % _TOLD_EVERY == 0:
            tell(done)


@dataclass(slots=True)
class _Taken:
    """Everything that verify finds out from entries alone; `deciding` is None where a second process does that."""

    deciding: Deciding | None
    count: CampaignCount = field(default_factory=CampaignCount)
    restores: Restores = field(default_factory=Restores)

    def take(self, entry: StoredEntry) -> None:
        """Take the next entry."""
        if entry.group != self.restores.group or entry.kind == _RESTORE:
            self.restores.take(entry)
        body = reports.body_of(entry)
        if self.deciding is not None:
            self.deciding.take(entry, body)
        self.count.take(entry, body)


class _Halves:
    """What this process reads and what the one apart does, where there is one: progress is told as of one reading."""

    def __init__(self, progress: Progress, other: Apart | None) -> None:
        self._progress = progress
        self._other = other
        self._deciding = Deciding()
        self._mine = self._most = self._total = 0

    def taking(self) -> _Taken:
        """Return what takes the entries that are read here, from the first one on."""
        self._deciding = Deciding()
        return _Taken(self._deciding if self._other is None else None)

    def tell(self, done: int, total: int) -> None:
        """Tell how far the reading of this process has come."""
        if self._other is None:
            self._progress(done, total)
            return
        self._other.listen()
        self._mine, self._total = done, total
        self._tell(self._other.done)

    def decided(self, connection: Connection, gone: Collection[int]) -> Decided:
        """Return what came of deciding again, once every entry has been read here."""
        if self._other is None:
            return self._deciding.decided(connection, gone)
        found = self._other.decided(connection, self._tell)
        self._progress(self._total, self._total)
        return found

    def _tell(self, other: int) -> None:
        self._most = max(self._most, (self._mine + other) // 2)
        self._progress(self._most, self._total)


class Verifying:
    """Verifies an installation: it changes nothing, and reads one consistent state however long it takes."""

    def __init__(self, store: Store, zone: ZoneInfo, file: SealFile | None, sharing: Sharing = WHERE_IT_PAYS) -> None:
        self._store = store
        self._zone = zone
        self._file = file
        self._sharing = sharing

    def run(self, progress: Progress) -> Verification:
        """Verify everything; the first broken place of each chain is named, and every message that does not follow."""
        with (
            without_a_search(),
            self._store.reading() as connection,
            reports.as_it_stands(connection),
            apart(self._store.database, connection, self._sharing) as other,
        ):
            return self._verified(connection, progress, other)

    def _verified(self, connection: Connection, progress: Progress, other: Apart | None) -> Verification:
        kept, unread = self._kept()
        halves = _Halves(progress, other)
        told = seals.in_ledger(connection)
        every, publics = [*told, *kept.seals], public_keys(self._store.ring).values()
        reading = read_whole(connection, every, halves.taking, halves.tell, self._zone)
        check, taken, gone = reading.check, reading.took, reading.destroyed
        restores, count = taken.restores.found, taken.count
        beside = check_seals(told, kept, check.hashes, publics, restores)
        sound = sound_seals(every, check.hashes, publics)
        journal = check_journal(connection, self._store.journal, restores)
        standing = [each for each in count.campaigns.values() if each.number not in gone.campaigns]
        around = [
            *unread,
            *beside.findings,
            *gone.findings(check, sound, partial(destroyed.digest_of_year, connection)),
            *journal.findings,
            *_of_slots(count),
            *table_differences(connection, count, standing),
        ]
        decided = halves.decided(connection, gone.campaigns)
        kept_words = altered(connection, count.campaigns.values(), decided.agreed_to)
        return replace(
            reading.chain,
            decided=decided.messages,
            contradictions=(*decided.findings, *around, *decided.differences, *kept_words),
            remarks=(*beside.remarks, *journal.remarks, *gone.remarks(check)),
        )

    def _kept(self) -> tuple[Kept, list[str]]:
        if self._file is None:
            return Kept(), []
        try:
            return self._file.read(), []
        except SealError as error:
            return Kept(), [str(error)]


def _of_slots(count: CampaignCount) -> Iterator[str]:
    spent = count.spent()
    for year in sorted({slot.date.year for slot in spent}):
        yield from slot_findings(year, spent)
