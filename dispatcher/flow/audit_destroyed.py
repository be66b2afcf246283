"""Years whose messages were destroyed: are what is gone, what stays of it, and what was told of it one and the same.

A stub in the place of an entry is accepted where an entry tells of its year with the very same stubs, where that year
had been closed before under a seal that covers all that is gone, where it was old enough, and where a seal stands
after. All else is damage.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dispatcher.flow.audit_chain import ChainCheck
from dispatcher.flow.audit_year import DestroyedFigures
from dispatcher.rules.calendar import local_date
from dispatcher.rules.destroyed import GOING, LATE, MESSAGES, OVER, Destruction, Stub, last_to_go, read_destruction
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry
from dispatcher.rules.sayings import say
from dispatcher.rules.seal import Seal, SealReason
from dispatcher.rules.sentence import Sentence

Digests = Callable[[int], tuple[int, str]]
"""How many stubs a year has, and the SHA-256 over them."""
_CLOSED, _DESTROYED, _CAMPAIGN = EntryKind.CLOSED.value, EntryKind.DESTROYED.value, EntryKind.CAMPAIGN.value
_UNREAD = (ValueError, KeyError, TypeError, AttributeError)
_NAMED_AT_MOST = 20


@dataclass(slots=True)
class _Course:
    """How far a campaign came by the entries that stand: the last one's instant, and whether any is of a message."""

    last: datetime
    has_messages: bool = False
    is_over: bool = False


@dataclass(slots=True)
class Destructions:
    """Takes the entries and the stubs of a ledger, and judges what was destroyed once all have been taken.

    `campaigns` are those that entries tell to be destroyed, and `zone` says which year a moment lies in. In `told` and
    `closed` stands what the entries tell, in `held` how many stubs of each year have their entry beside them still.
    """

    zone: ZoneInfo
    campaigns: Collection[int] = frozenset()
    told: list[Destruction] = field(default_factory=list)
    closed: list[tuple[int, dict[str, Json]]] = field(default_factory=list)
    held: Counter[int] = field(default_factory=Counter)
    _findings: list[str] = field(default_factory=list)
    _left: list[StoredEntry] = field(default_factory=list)
    _courses: dict[int, _Course] = field(default_factory=dict)

    def merged(self, entries: Iterable[StoredEntry], stubs: Iterator[Stub]) -> Iterator[StoredEntry | Stub]:
        """Yield each entry, and each stub that stands where none does; both come by group and number."""
        stub = next(stubs, None)
        for entry in entries:
            while stub is not None and (stub.group, stub.id) < (entry.group, entry.id):
                yield stub
                stub = next(stubs, None)
            if stub is not None and stub.id == entry.id:
                self.held[stub.year] += 1
                if (stub.group, stub.digest) != (entry.group, entry.digest):
                    self._find(say("stub_forged", entry=entry.id))
                if entry.kind not in GOING:
                    self._find(say("stub_of_another", entry=entry.id, what=entry.kind))
                stub = next(stubs, None)
            elif self.hides(entry) and len(self._left) < _NAMED_AT_MOST:
                self._left.append(entry)
            yield entry
        while stub is not None:
            yield stub
            stub = next(stubs, None)

    def watched(self) -> frozenset[str]:
        """Return the kinds of entries that matter here; of all others nobody need ask."""
        return frozenset({_CLOSED, _DESTROYED} | ({_CAMPAIGN, *MESSAGES} if self.campaigns else set()))

    def hides(self, entry: StoredEntry) -> bool:
        """Say whether an entry is of a message that is destroyed: whether it stands still or not, nothing counts it."""
        return entry.campaign in self.campaigns and entry.kind in MESSAGES

    def take(self, entry: StoredEntry) -> bool:
        """Take the next entry, and say whether it `hides` it."""
        kind = entry.kind
        try:
            if kind == _DESTROYED:
                self.told.append(read_destruction(entry))
            elif kind == _CLOSED:
                self.closed.append((entry.id, entry.data()))
            elif self.campaigns and entry.campaign is not None and (kind in MESSAGES or kind == _CAMPAIGN):
                self._follow(entry, entry.campaign)
        except _UNREAD:
            self._find(say("unread", entry=entry.id, what=kind))
        return self.hides(entry)

    def groups(self) -> frozenset[int]:
        """Return the groups whose places in their chains have to be known, to say what a seal covers."""
        return frozenset([each.group for each in self.told] + [each.group for each in self._left])

    def findings(self, check: ChainCheck, seals: Sequence[Seal], digests: Digests) -> list[str]:
        """Return what does not hold; `seals` are those that do."""
        found = list(self._findings)
        years = {each.year for each in self.told}
        for year, gone in sorted(check.gone.items()):
            if year not in years:
                found.append(say("stub_alone", year=year, count=gone.count, entry=gone.first))
        for told in self.told:
            found += self._against(told, check, seals, digests)
            if any(other.year == told.year and other.entry < told.entry for other in self.told):
                found.append(say("destroyed_twice", entry=told.entry, year=told.year))
        return found

    def remarks(self, check: ChainCheck) -> list[str]:
        """Return what a reader should know: which years were destroyed, and where that is not done yet."""
        said: list[str] = []
        for told in self.told:
            said.append(say("destroyed", year=told.year, day=self._day(told.at), seal=told.seal))
            if told.findings:
                said.append(say("destroyed_despite", year=told.year, count=told.findings))
            if check.gone.get(told.year) is None or self.held[told.year]:
                said.append(say("destroyed_unfinished", year=told.year))
        years = {each.year for each in self.told}
        return said + [say("destruction_begun", year=year) for year in sorted(self.held.keys() - years)]

    def of_year(self, year: int, check: ChainCheck) -> list[str]:
        """Return what of this the reader of a year's audit should know."""
        said: list[str] = [
            each for each in self.remarks(check) if isinstance(each, Sentence) and each.values["year"] == year
        ]
        return said + [say("destroyed_before", year=each.year) for each in self.told if each.year == year - 1]

    def figures(self, year: int) -> DestroyedFigures | None:
        """Return what is known of a year that was destroyed: what it came to when it was closed."""
        told = next((each for each in self.told if each.year == year), None)
        if told is None:
            return None
        closed = next((body for _, body in self.closed if _is_closing(body, told)), {})
        campaigns, messages, clients = (closed.get(name) for name in ("campaigns", "messages", "clients"))
        return DestroyedFigures(self._day(told.at), told.seal, told.entries, campaigns, messages, clients)

    def _find(self, finding: str) -> None:
        if len(self._findings) < _NAMED_AT_MOST:
            self._findings.append(finding)

    def _day(self, moment: datetime) -> date:
        return local_date(moment, self.zone)

    def _follow(self, entry: StoredEntry, campaign: int) -> None:
        course = self._courses.setdefault(campaign, _Course(entry.at))
        course.last = max(course.last, entry.at)
        if entry.kind == _CAMPAIGN:
            course.is_over = entry.data().get("event") in OVER
        else:
            course.has_messages = True

    def _against(self, told: Destruction, check: ChainCheck, seals: Sequence[Seal], digests: Digests) -> Iterator[str]:
        about = {"entry": told.entry, "year": told.year}
        gone = check.gone.get(told.year)
        count, digest = digests(told.year)
        if (count, digest) != (told.entries, told.digest):
            yield say("destroyed_otherwise", **about, count=told.entries, held=count)
        if told.kept < 1 or told.year > last_to_go(self._day(told.at), told.kept):
            yield say("destroyed_early", **about, day=self._day(told.at))
        if not any(number < told.entry and _is_closing(body, told) for number, body in self.closed):
            yield say("destroyed_unclosed", **about, seal=told.seal)
        under = next((each for each in seals if each.number == told.seal and _is_of_year(each, told.year)), None)
        if under is None or (gone is not None and any(not _covers(under, place) for place in gone.ends.items())):
            yield say("destroyed_uncovered", **about, seal=told.seal)
        if gone is not None:
            if self._day(gone.latest).year > told.year:
                yield say("destroyed_of_another", **about)
            place = check.noted.get(told.group)
            if place is None or not any(each.at >= told.at and _covers(each, place) for each in seals):
                yield say("destroyed_unsealed", **about)
        yield from self._left_over(told, check, under)

    def _left_over(self, told: Destruction, check: ChainCheck, under: Seal | None) -> Iterator[str]:
        """Yield what the year's destruction should have taken, and which has no stub."""
        for entry in self._left:
            place = check.noted.get(entry.group)
            is_late = entry.kind in LATE and not (under and place and _covers(under, place))
            if entry.campaign in told.campaigns and not is_late:
                yield say("destroyed_left", entry=entry.id, campaign=entry.campaign, year=told.year)
        for campaign, course in sorted(self._courses.items()):
            is_whole = course.is_over and course.has_messages and self._day(course.last).year == told.year
            if is_whole and campaign not in self.campaigns:
                yield say("destroyed_in_part", entry=told.entry, campaign=campaign, year=told.year)


def _is_closing(body: dict[str, Json], told: Destruction) -> bool:
    names = ("year", "seal", "bundle", "findings")
    return all(body.get(name) == getattr(told, name) for name in names)


def _is_of_year(seal: Seal, year: int) -> bool:
    return seal.reason is SealReason.YEAR and seal.about == year


def _covers(seal: Seal, place: tuple[int, int]) -> bool:
    """Say whether a seal was set over this place of a chain, or one after it."""
    return any(chain == place[0] and position >= place[1] for chain, position, _ in seal.heads)
