"""Is the ledger whole: every digest, every group's hash, every link and every head."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from dispatcher.flow.audit_damage import (
    COMPARED_AT_MOST,
    Break,
    Damage,
    Verification,
    entry_in_place,
    extra_entry,
    group_in_place,
)
from dispatcher.rules.destroyed import Stub
from dispatcher.rules.ledger import GENESIS, EntryKind, StoredEntry, StoredGroup
from dispatcher.rules.sayings import say
from dispatcher.storage.ledger import Head

_TOLD_EVERY = 1_000
Held = StoredEntry | Stub
"""An entry, or what stays of one that was destroyed."""


@dataclass(slots=True)
class Gone:
    """What is gone of a year: how many entries, the first by its number, and where the last groups of them stand.

    `ends` is the last position in each chain, `latest` when the last of these groups was committed.
    """

    first: int
    latest: datetime
    count: int = 0
    ends: dict[int, int] = field(default_factory=dict)

    def add(self, stub: Stub, group: StoredGroup) -> None:
        """Count a stub in its group."""
        self.count += 1
        self.first = min(self.first, stub.id)
        self.latest = max(self.latest, group.committed_at)
        self.ends[group.chain] = max(group.position, self.ends.get(group.chain, 0))


class ChainCheck:
    """Reads a ledger twice: its entries group by group, then its groups link by link.

    `hashes` are those of the groups at the `watched` chains and positions. `gone` is what stubs stand for, year by
    year, and `noted` where the groups stand that `link` is given.
    """

    def __init__(self, among: Callable[[Collection[int]], set[int]], watched: Collection[tuple[int, int]] = ()) -> None:
        self._among = among
        self._watched = watched
        self.hashes: dict[tuple[int, int], str] = {}
        self.gone: dict[int, Gone] = {}
        self.noted: dict[int, tuple[int, int]] = {}
        self._firsts: dict[int | None, Break] = {}
        self._places = 0
        self._lacks_groups = False
        self._altered: list[StoredEntry] = []
        self._refuted: list[tuple[StoredGroup, list[str]]] = []
        self._stray: list[Held] = []
        self._entries = self._groups = 0
        self._opened = False

    def read(self, groups: Iterable[StoredGroup], entries: Iterable[Held], tell: Callable[[int], None]) -> None:
        """Read groups by number, entries by group and number; `tell` hears how many entries have been read.

        A stub stands in the place of an entry that was destroyed: whether it may, others say.
        """
        for group, own in _paired(groups, entries):
            before = self._entries
            self._entries += len(own)
            if before // _TOLD_EVERY != self._entries // _TOLD_EVERY:
                tell(self._entries)
            self._opened = self._opened or bool(own and own[0].kind == EntryKind.OPENED)
            if group is None:
                self._stray = self._stray or own
                self._places += self._stray is not own
                continue
            self._groups += 1
            bad = [entry for entry in own if entry.digest != entry.expected_digest()]
            if Stub in map(type, own):
                self._miss(group, own)
            digests = [entry.digest for entry in own]
            if bad or len(own) != group.entries or group.hash != group.expected_hash(digests):
                self._diagnose(group, own, bad)

    def link(self, groups: Iterable[StoredGroup], heads: Sequence[Head], noting: Collection[int] = ()) -> None:
        """Follow each chain through its groups, in order of position, to its head; note where these groups stand."""
        last: dict[int, StoredGroup] = {}
        for group in groups:
            if group.id in noting:
                self.noted[group.id] = (group.chain, group.position)
            before = last.get(group.chain)
            if (group.chain, group.position) in self._watched:
                self.hashes[group.chain, group.position] = group.hash
            expected = before.position + 1 if before else 1
            if group.position > expected:
                self._gap(group.chain, expected, group.position - 1)
            elif group.previous != (before.hash if before else GENESIS):
                about = {"group": group.id, "before": before.id} if before else {"group": group.id}
                self._break(Damage.ALTERED_GROUP, group, say("link" if before else "link_begins", **about))
            last[group.chain] = group
        ends = {head.chain: head for head in heads}
        for chain in sorted(last.keys() | ends.keys()):
            self._end(chain, last.get(chain), ends.get(chain))

    def result(self) -> Verification:
        """Return what was found, once both readings are done."""
        if not self._opened:
            self._add(Break(Damage.MISSING_ENTRY, None, 0, say("not_opened")))
        if self._stray:
            self._add(self._in_no_group(self._stray))
        firsts = sorted(self._firsts.values(), key=_place)
        breaks = tuple(self._swapped(each) for each in firsts)
        return Verification(self._entries, self._groups, breaks, self._places)

    def _miss(self, group: StoredGroup, own: list[Held]) -> None:
        """Count the stubs of a group apart from its entries."""
        for each in own:
            if isinstance(each, Stub):
                self._entries -= 1
                self.gone.setdefault(each.year, Gone(each.id, group.committed_at)).add(each, group)

    def _diagnose(self, group: StoredGroup, own: list[Held], bad: list[Held]) -> None:
        """Say what kind of damage a group has suffered that does not hold."""
        altered = [each for each in bad if isinstance(each, StoredEntry)]
        self._altered += altered[: COMPARED_AT_MOST - len(self._altered)]
        if len(own) > group.entries:
            extra = extra_entry(group, own, bad)
            about = {"group": group.id, "entries": say("entries", count=group.entries), "held": len(own)}
            says = say("extra_named", **about, entry=extra) if extra else say("extra", **about)
            self._break(Damage.EXTRA_ENTRY, group, says, extra)
        elif len(own) < group.entries:
            self._missing(group, own)
        elif bad:
            says = say("altered_entry", entry=bad[0].id, what=bad[0].kind, group=group.id)
            self._break(Damage.ALTERED_ENTRY, group, says, bad[0].id)
        else:
            if len(self._refuted) < COMPARED_AT_MOST:
                self._refuted.append((group, [entry.digest for entry in own]))
            says = say("altered_group", group=group.id, first=own[0].id, last=own[-1].id)
            self._break(Damage.ALTERED_GROUP, group, says)

    def _missing(self, group: StoredGroup, own: list[Held]) -> None:
        lacks = group.entries - len(own)
        holes = self._holes([entry.id for entry in own], lacks) if own else []
        about = {"group": group.id, "entries": say("entries", count=group.entries), "held": len(own), "lacks": lacks}
        is_named = 0 < len(holes) <= 2 * lacks
        says = say("missing_named", **about, holes=" / ".join(map(str, holes))) if is_named else say("missing", **about)
        self._break(Damage.MISSING_ENTRY, group, says, holes[0] if len(holes) == 1 else None)

    def _holes(self, numbers: list[int], lacks: int) -> list[int]:
        """Return the numbers in and beside a group that no entry has."""
        span = range(max(1, numbers[0] - lacks), numbers[-1] + lacks + 1)
        absent = set(span[: 4 * COMPARED_AT_MOST]) - set(numbers)
        return sorted(absent - self._among(absent))

    def _gap(self, chain: int, first: int, last: int) -> None:
        about = {"chain": chain, "first": first}
        says = say("gap", **about) if first == last else say("gaps", **about, last=last, lacks=last - first + 1)
        self._add(Break(Damage.MISSING_GROUP, chain, first, says))

    def _end(self, chain: int, last: StoredGroup | None, head: Head | None) -> None:
        position, end = (last.position, last.hash) if last else (0, GENESIS)
        if head is None:
            self._add(Break(Damage.HEAD, chain, position, say("no_head", chain=chain)))
        elif head.position > position:
            self._gap(chain, position + 1, head.position)
        elif head.position < position:
            says = say("beyond_head", chain=chain, position=position, head=head.position)
            self._add(Break(Damage.HEAD, chain, head.position + 1, says))
        elif head.hash != end:
            says = say("other_head", chain=chain, position=position)
            self._add(Break(Damage.HEAD, chain, position, says))

    def _break(self, damage: Damage, group: StoredGroup, sentence: str, entry: int | None = None) -> None:
        self._add(Break(damage, group.chain, group.position, sentence, group.id, entry))

    def _add(self, found: Break) -> None:
        """Count a broken place, and keep it if it is the first of its chain."""
        self._places += 1
        self._lacks_groups = self._lacks_groups or found.damage is Damage.MISSING_GROUP
        first = self._firsts.get(found.chain)
        if first is None or _place(found) < _place(first):
            self._firsts[found.chain] = found

    def _in_no_group(self, run: list[Held]) -> Break:
        """Name entries without a group: their group is missing where a chain lacks one, else nobody chained them."""
        first, last = run[0], run[-1]
        about = {"first": first.id, "group": first.group}
        says = say("stray", **about) if first is last else say("strays", **about, last=last.id)
        return Break(Damage.MISSING_GROUP if self._lacks_groups else Damage.EXTRA_ENTRY, None, 0, says, None, first.id)

    def _swapped(self, found: Break) -> Break:
        """Return this break, or where two have only changed places, the break that says so."""
        if found.damage is Damage.ALTERED_ENTRY:
            other = entry_in_place(found.entry, self._altered)
            says = say("entries_swapped", one=found.entry, other=other)
        elif found.damage is Damage.ALTERED_GROUP:
            other = group_in_place(found.group, self._refuted)
            says = say("groups_swapped", one=found.group, other=other)
        else:
            return found
        return found if other is None else replace(found, damage=Damage.REORDERED, sentence=says)


def _paired(groups: Iterable[StoredGroup], entries: Iterable[Held]) -> Iterator[tuple[StoredGroup | None, list[Held]]]:
    """Yield each group with its entries, and entries that stand in no group by themselves."""
    runs = groupby(entries, key=attrgetter("group"))
    run = next(runs, None)
    for group in groups:
        while run is not None and run[0] < group.id:
            yield None, list(run[1])
            run = next(runs, None)
        if run is not None and run[0] == group.id:
            yield group, list(run[1])
            run = next(runs, None)
        else:
            yield group, []
    while run is not None:
        yield None, list(run[1])
        run = next(runs, None)


def _place(found: Break) -> tuple[bool, int, int, int]:
    return (found.chain is None, found.chain or 0, found.position, found.entry or 0)
