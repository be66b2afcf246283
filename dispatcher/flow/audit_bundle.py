"""A year's bundle, checked on any machine: no database, no workspace, nothing but the file."""

import hashlib
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.audit import judged
from dispatcher.flow.audit_chain import ChainCheck
from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_destroyed import Destructions
from dispatcher.flow.audit_kept import altered_campaigns, altered_words
from dispatcher.flow.audit_seals import Restores, check_seals, places, sound_seals
from dispatcher.keys import is_signed_by
from dispatcher.rules import bundle
from dispatcher.rules.audit import Recount
from dispatcher.rules.audit_again import Again
from dispatcher.rules.calendar import local_date
from dispatcher.rules.destroyed import Stub, digest_of, read_destruction
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry, StoredGroup, read_stamp
from dispatcher.rules.seal import Seal, key_words, read_seal
from dispatcher.storage.ledger import Head
from dispatcher.storage.seals import Kept

_UNREAD = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
)
"""What reading altered bytes can raise: RuntimeError too, for members that are encrypted, packed in no known way or
nested too deep."""
_RECOUNTED = ("year", "campaigns", "declared", "slots", "messages", "asked", "noes", "requests", "letters", "held")
"""What of the audit in a bundle is recounted from its ledger; findings may tell of tables that no bundle holds."""


@dataclass(frozen=True, slots=True)
class BundleFound:
    """What came of checking a bundle: its year, what does not hold, and what to compare with paper."""

    year: int
    verification: Verification
    key: str
    last_seal: Seal | None

    @property
    def ok(self) -> bool:
        """Say whether everything in the bundle holds."""
        return self.verification.ok

    def as_json(self) -> dict[str, Json]:
        """Return everything with stable keys."""
        seal = self.last_seal
        told: dict[str, Json] | None = {"number": seal.number, "words": seal.words()} if seal else None
        return {"year": self.year, "key": self.key, "seal": told, **self.verification.as_json()}


@dataclass(slots=True)
class _Read:
    entries: list[StoredEntry] = field(default_factory=list)
    told: list[Seal] = field(default_factory=list)

    def among(self, numbers: Collection[int]) -> set[int]:
        """Return which of these numbers an entry has."""
        return {each.id for each in self.entries}.intersection(numbers)


def check_bundle(path: Path) -> BundleFound:
    """Check a bundle. Raises NotFoundError where there is no file, RefusedError for one that is no bundle at all."""
    if not path.exists():
        raise NotFoundError(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as packed:
            return _Checking(packed).run()
    except _UNREAD as error:
        raise RefusedError(f"{path.name} is no bundle, or so damaged that it cannot be read ({error}).") from None


def made_at(path: Path) -> datetime | None:
    """Return when a bundle was made, None where there is none, and the first of all times where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as packed:
            made = read_stamp(json.loads(packed.read(bundle.MANIFEST))["made_at"])
    except FileNotFoundError:
        return None
    except _UNREAD:
        made = None
    return made or datetime.min.replace(tzinfo=UTC)


class _Checking:
    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed
        self._content = packed.read(bundle.MANIFEST)
        self._manifest: dict[str, Any] = json.loads(self._content)
        self._signature: dict[str, Any] = json.loads(packed.read(bundle.SIGNATURE))
        self._findings: list[str] = []

    def run(self) -> BundleFound:
        self._check_members()
        publics: dict[str, str] = json.loads(self._packed.read(bundle.KEYS))
        if self._signature["public"] not in publics.values():
            self._findings.append("The manifest is signed with a key that is not among the bundle's keys.")
        seals = [read_seal(json.loads(line)) for line in self._lines(bundle.SEALS)]
        zone, valid_for = ZoneInfo(self._manifest["zone"]), timedelta(days=self._manifest["valid_for_days"])
        read, gone = _Read(), Destructions(zone, frozenset(self._destroyed()))
        check = self._chain(read, gone, seals)
        restores, again = Restores(), Again()
        recount = Recount(self._manifest["year"], zone, valid_for)
        for entry in sorted(read.entries, key=lambda entry: entry.id):
            restores.take(entry)
            if not gone.hides(entry):
                recount.take(entry, again.take(entry))
        recount.close()
        kept = Kept(tuple(seals), is_there=True)
        beside = check_seals(read.told, kept, check.hashes, publics.values(), restores.found)
        sound = sound_seals([*read.told, *seals], check.hashes, publics.values())
        made_at = read_stamp(self._manifest["made_at"])
        if made_at is None:
            raise ValueError("the manifest has no time")
        today = local_date(made_at, zone)
        chain = check.result()
        self._findings += again.findings + beside.findings + gone.findings(check, sound, self._digest_of)
        self._compare(judged(recount, chain, (), today).as_json())
        self._findings += altered_words(json.loads(self._packed.read(bundle.WORDINGS)), recount.agreed_to())
        self._findings += altered_campaigns(recount.campaigns.values(), self._frozen)
        last = max(seals, key=lambda seal: seal.number, default=None)
        found = replace(
            chain,
            decided=again.decided,
            contradictions=tuple(self._findings),
            remarks=(*beside.remarks, *gone.remarks(check)),
        )
        return BundleFound(recount.year, found, key_words(self._signature["public"]), last)

    def _check_members(self) -> None:
        if not is_signed_by(self._signature["public"], self._signature["signature"], self._content):
            self._findings.append("The manifest does not carry the signature of its key: it was altered.")
        told: Mapping[str, str] = self._manifest["files"]
        names = self._packed.namelist()
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._findings.append(f"{name} is in the bundle twice.")
        held = set(names) - {bundle.MANIFEST, bundle.SIGNATURE}
        self._findings += [f"{name} was put into the bundle later." for name in sorted(held - told.keys())]
        missing = sorted(told.keys() - held)
        if missing:
            raise ValueError(f"{', '.join(missing)} missing")
        self._findings += [
            f"{name} was altered: it does not carry the hash in the manifest."
            for name in sorted(told)
            if self._hash(name) != told[name]
        ]

    def _hash(self, name: str) -> str:
        with self._packed.open(name) as member:
            return hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]

    def _chain(self, read: _Read, gone: Destructions, seals: list[Seal]) -> ChainCheck:
        heads = [Head(*head) for head in json.loads(self._packed.read(bundle.HEADS))]
        check = ChainCheck(read.among, places(seals))
        check.read(self._groups(), gone.merged(self._entries(read, gone), self._stubs()), lambda _done: None)
        ordered = sorted(self._groups(), key=lambda group: (group.chain, group.position))
        check.link(ordered, heads, gone.groups())
        return check

    def _entries(self, read: _Read, gone: Destructions) -> Iterator[StoredEntry]:
        for line in self._lines(bundle.ENTRIES):
            entry = bundle.read_entry(line)
            read.entries.append(entry)
            gone.take(entry)
            if entry.kind == EntryKind.SEAL.value:
                read.told.append(read_seal(entry.data()))
            yield entry

    def _destroyed(self) -> Iterator[int]:
        """Yield the campaigns whose messages entries tell to be destroyed."""
        for line in self._lines(bundle.ENTRIES):
            if f'"{EntryKind.DESTROYED}"' in line:
                entry = bundle.read_entry(line)
                yield from read_destruction(entry).campaigns if entry.kind == EntryKind.DESTROYED.value else ()

    def _stubs(self) -> Iterator[Stub]:
        """Yield the stubs, of which a bundle has none where no year was destroyed."""
        for line in self._lines(bundle.STUBS) if bundle.STUBS in self._packed.namelist() else ():
            yield bundle.read_stub(line)

    def _digest_of(self, year: int) -> tuple[int, str]:
        return digest_of(sorted((each.id, each.digest) for each in self._stubs() if each.year == year))

    def _groups(self) -> Iterator[StoredGroup]:
        for line in self._lines(bundle.GROUPS):
            yield bundle.read_group(line)

    def _lines(self, name: str) -> Iterator[str]:
        with self._text(name) as lines:
            yield from lines

    @contextmanager
    def _text(self, name: str) -> Iterator[io.TextIOWrapper]:
        with self._packed.open(name) as member, io.TextIOWrapper(member, encoding="ascii", newline="\n") as lines:
            yield lines

    def _frozen(self, campaign: int) -> dict[str, bytes]:
        prefix = f"{bundle.FROZEN}{campaign}/"
        names = [name for name in self._packed.namelist() if name.startswith(prefix)]
        return {name.removeprefix(prefix): self._packed.read(name) for name in names}

    def _compare(self, recounted: Mapping[str, Json]) -> None:
        """Hold every figure of the audit in the bundle against what its ledger comes to."""
        page: Mapping[str, Any] = json.loads(self._packed.read(bundle.PAGE))
        again: Mapping[str, Any] = json.loads(json.dumps(recounted))
        self._findings += [
            f"The audit in the bundle tells other {name} than its ledger."
            for name in _RECOUNTED
            if page[name] != again[name]
        ]
