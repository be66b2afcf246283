"""The ledger, whole and by itself: chains, seals, journal, every message decided again, every table beside it."""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from dispatcher.errors import SealError
from dispatcher.flow.audit_chain import ChainCheck
from dispatcher.flow.audit_compare import table_differences
from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_destroyed import Destructions
from dispatcher.flow.audit_kept import altered
from dispatcher.flow.audit_seals import Restores, check_journal, check_seals, places, public_keys, sound_seals
from dispatcher.rules.audit_again import Again
from dispatcher.rules.audit_campaigns import CampaignCount
from dispatcher.rules.audit_counts import slot_findings
from dispatcher.rules.audit_fates import Fates, Sum, differences
from dispatcher.rules.ledger import EntryKind, StoredEntry
from dispatcher.rules.sayings import say
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
    """Everything that verify finds out from entries alone."""

    count: CampaignCount = field(default_factory=CampaignCount)
    again: Again = field(default_factory=Again)
    fates: Fates = field(default_factory=Fates)
    restores: Restores = field(default_factory=Restores)

    def take(self, entry: StoredEntry) -> None:
        """Take the next entry."""
        if entry.group != self.restores.group or entry.kind == _RESTORE:
            self.restores.take(entry)
        body = reports.body_of(entry)
        told = self.again.take(entry, body)
        if told is not None:
            self.fates.take(entry, told)
        self.count.take(entry, body)


class Verifying:
    """Verifies an installation: it changes nothing, and reads one consistent state however long it takes."""

    def __init__(self, store: Store, zone: ZoneInfo, file: SealFile | None) -> None:
        self._store = store
        self._zone = zone
        self._file = file

    def run(self, progress: Progress) -> Verification:
        """Verify everything; the first broken place of each chain is named, and every message that does not follow."""
        kept, unread = self._kept()
        with without_a_search(), self._store.reading() as connection, reports.as_it_stands(connection):
            told = seals.in_ledger(connection)
            every, publics = [*told, *kept.seals], public_keys(self._store.ring).values()
            reading = read_whole(connection, every, _Taken, progress, self._zone)
            chain, check, taken, gone = reading.chain, reading.check, reading.took, reading.destroyed
            again, count = taken.again, taken.count
            restores = taken.restores.found
            beside = check_seals(told, kept, check.hashes, publics, restores)
            sound = sound_seals(every, check.hashes, publics)
            journal = check_journal(connection, self._store.journal, restores)
            found = [
                *again.findings,
                *([say("unnamed_again", count=again.unnamed)] if again.unnamed else []),
                *unread,
                *beside.findings,
                *gone.findings(check, sound, partial(destroyed.digest_of_year, connection)),
                *journal.findings,
                *_of_slots(count),
                *_tables(connection, count, taken.fates, gone.campaigns),
                *altered(connection, count.campaigns.values(), again.agreed_to),
            ]
        return replace(
            chain,
            decided=again.decided,
            contradictions=tuple(found),
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


def _tables(connection: Connection, count: CampaignCount, fates: Fates, destroyed: Collection[int]) -> Iterator[str]:
    """Yield every difference between the ledger and the tables that serve the screens, message by message.

    Of destroyed campaigns no messages are compared: rows of them may still wait to be deleted.
    """
    yield from table_differences(
        connection, count, [each for each in count.campaigns.values() if each.number not in destroyed]
    )
    held: dict[int, Sum] = {}
    for campaign, fate, later in reports.messages(connection):
        total = held.setdefault(campaign, Sum())
        total.add(fate)
        total.add_told(fate[0], later)
    told = fates.sums()
    for campaign in sorted((told.keys() | held.keys()) - set(destroyed)):
        mine, theirs = told.get(campaign, Sum()), held.get(campaign, Sum())
        if (mine.count, mine.sum) != (theirs.count, theirs.sum):
            yield from islice(_named(connection, campaign), _NAMED_AT_MOST)
        if (mine.told, mine.told_sum) != (theirs.told, theirs.told_sum):
            yield say("ends_differ", campaign=campaign, told=mine.told, held=theirs.told)


def _named(connection: Connection, campaign: int) -> Iterator[str]:
    fates = Fates(only=campaign)
    for entry in reports.entries_by_number(connection):
        if entry.campaign == campaign:
            try:
                fates.take(entry, entry.data())
            except (ValueError, KeyError, TypeError):
                continue
    fates.sums()
    yield from differences(campaign, fates.each, (fate for _, fate, _ in reports.messages(connection, campaign)))
