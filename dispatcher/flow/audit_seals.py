"""The ledger beside what stands outside it: the seals, and the journal that no restore of the database takes back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.errors import JournalError
from dispatcher.keys import KeyKind, KeyRing, is_signed_by, public_of
from dispatcher.rules.ledger import GENESIS, EntryKind, StoredEntry, stamp
from dispatcher.rules.sayings import say
from dispatcher.rules.seal import FIRST, Seal
from dispatcher.rules.sentence import Sentence
from dispatcher.storage import installation
from dispatcher.storage.database import Connection
from dispatcher.storage.journal import Journal, JournalKind
from dispatcher.storage.seals import Kept

Hashes = Mapping[tuple[int, int], str]
"""The hash of the group at each chain and position that a seal names."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore as its entry tells it: seals set after `since` and before `at` sealed what it took back."""

    entry: int
    since: datetime
    at: datetime

    def took_back(self, seal: Seal) -> bool:
        """Say whether this restore took back what a seal had sealed."""
        return self.since <= seal.at <= self.at


@dataclass(slots=True)
class Restores:
    """Notes every restore that entries tell of; entries come in order of number.

    Of each `group` it needs the first entry alone, since the entries of one commit share their time.
    """

    found: list[Restored] = field(default_factory=list)
    group: int = 0
    _last: datetime | None = None
    _before: datetime | None = None

    def take(self, entry: StoredEntry) -> None:
        """Take the next entry."""
        if entry.group != self.group:
            self.group, self._before = entry.group, self._last
        self._last = entry.at
        if entry.kind == EntryKind.RESTORE.value:
            self.found.append(Restored(entry.id, self._before or entry.at, entry.at))


@dataclass(slots=True)
class Beside:
    """What does not hold, a sentence each, and what a reader should know."""

    findings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def public_keys(ring: KeyRing) -> dict[str, str]:
    """Return the public half of every seal key of this installation, old ones too, by the key's id."""
    return {key.id: public_of(key) for key in ring.all(KeyKind.SEAL)}


def places(seals: Collection[Seal]) -> frozenset[tuple[int, int]]:
    """Return every chain and position that these seals name."""
    return frozenset((chain, position) for seal in seals for chain, position, _ in seal.heads)


def check_seals(
    told: Sequence[Seal], kept: Kept, hashes: Hashes, publics: Collection[str], restores: Sequence[Restored]
) -> Beside:
    """Hold every seal, of the ledger and of the file, against its signature, its key and the chains it sealed."""
    beside = Beside()
    beside.findings += [say("seal_line", number=number) for number in kept.unread]
    in_ledger = {seal.hash() for seal in told}
    every = {seal.hash(): seal for seal in (*told, *kept.seals)}
    ordered = sorted(every.values(), key=lambda seal: (seal.number, seal.hash()))
    for seal in ordered:
        wrong = _forged(seal, publics) or _contradicted(seal, hashes)
        if wrong is None:
            continue
        if seal.hash() not in in_ledger and _forged(seal, publics) is None:
            restore = next((each for each in restores if each.took_back(seal)), None)
            if restore is not None:
                about = {"seal": _named(seal), "entry": restore.entry, "words": seal.words()}
                beside.remarks.append(say("seal_taken_back", **about))
                continue
        beside.findings.append(wrong)
    if kept.is_there:
        beside.findings += _gaps(ordered, told, kept, in_ledger, restores)
    elif told:
        beside.remarks.append(say("no_seal_file"))
    return beside


def sound_seals(seals: Collection[Seal], hashes: Hashes, publics: Collection[str]) -> list[Seal]:
    """Return those of these seals that carry the signature of a key of ours and fit the chains, each once."""
    every = {seal.hash(): seal for seal in seals}
    return [seal for seal in every.values() if not (_forged(seal, publics) or _contradicted(seal, hashes))]


def check_journal(connection: Connection, journal: Journal, restores: Sequence[Restored]) -> Beside:
    """Hold the ledger against the journal: nothing the journal knows may be missing, and it knows every restore."""
    beside = Beside()
    try:
        behind = installation.why_untrusted(connection, journal)
        known = {record.at for record in journal.records() if record.kind is JournalKind.RESTORED}
    except JournalError as error:
        beside.findings.append(str(error))
        return beside
    if behind is not None:
        beside.findings.append(behind)
    for restore in restores:
        if stamp(restore.at) in known:
            beside.remarks.append(say("restored", entry=restore.entry))
        else:
            beside.findings.append(say("restore_put_in", entry=restore.entry))
    return beside


def _forged(seal: Seal, publics: Collection[str]) -> Sentence | None:
    if not is_signed_by(seal.public, seal.signature, seal.content()):
        return say("forged", seal=_named(seal))
    return None if seal.public in publics else say("forged_key", seal=_named(seal))


def _contradicted(seal: Seal, hashes: Hashes) -> Sentence | None:
    for chain, position, end in seal.heads:
        found = hashes.get((chain, position), GENESIS if position == 0 else None)
        if found != end:
            about = {"seal": _named(seal), "chain": chain, "position": position, "words": seal.words()}
            return say("seal_cut" if found is None else "seal_rewritten", **about)
    return None


def _gaps(
    ordered: Sequence[Seal], told: Sequence[Seal], kept: Kept, in_ledger: Collection[str], restores: Sequence[Restored]
) -> list[str]:
    """Return what is missing from the row of seals, or from the ledger though the file has it."""
    found: list[str] = []
    before = FIRST
    for seal in ordered:
        if seal.previous != before:
            found.append(say("seal_row", seal=_named(seal)))
        before = seal.hash()
    in_file = {seal.hash() for seal in kept.seals}
    found += [say("seal_unkept", seal=_named(seal)) for seal in told if seal.hash() not in in_file]
    found += [
        say("seal_untold", seal=_named(seal))
        for seal in kept.seals
        if seal.hash() not in in_ledger and not any(each.took_back(seal) for each in restores)
    ]
    return found


def _named(seal: Seal) -> Sentence:
    return say("seal", number=seal.number, at=f"{seal.at:%Y-%m-%d %H:%M} UTC")
