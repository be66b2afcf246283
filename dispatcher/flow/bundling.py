"""A year -> one file that anybody can check: the ledger without a name in it, and everything the ledger names."""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from dispatcher.errors import RefusedError
from dispatcher.flow.audit import Audit
from dispatcher.flow.audit_seals import public_keys
from dispatcher.flow.audit_verify import Progress
from dispatcher.flow.audit_year import YearAudit
from dispatcher.flow.policy import Policy
from dispatcher.keys import KeyKind, public_of, signed
from dispatcher.rules import bundle
from dispatcher.rules.ledger import Json, canonical, stamp
from dispatcher.rules.seal import key_words
from dispatcher.storage import campaigns, destroyed, ledger, reports, seals, wordings
from dispatcher.storage.database import Connection
from dispatcher.storage.seals import SealFile
from dispatcher.storage.store import Store

_TAKEN = "There is a file {path} already: give the bundle another name."
_DATED = (1980, 1, 1, 0, 0, 0)
"""The date of every member: when a bundle was made stands in its manifest, and the same year makes the same bytes."""


class Bundling:
    """Writes bundles; `file` is where the seals are kept."""

    def __init__(self, store: Store, policy: Policy, audit: Audit, file: SealFile) -> None:
        self._store = store
        self._audit = audit
        self._policy = policy
        self._file = file

    def write(self, year: int, path: Path, progress: Progress) -> YearAudit:
        """Audit a year, write its bundle to a new file, and return the audit that is in it.

        Raises RefusedError where there is such a file, or where it cannot be written; nothing is left behind then.
        """
        if os.path.lexists(path):  # said before a long reading rather than after it
            raise RefusedError(_TAKEN.format(path=path))
        draft = path.with_name(f"{path.name}.new")
        try:
            draft.unlink(missing_ok=True)
            with draft.open("xb") as file:
                draft.chmod(0o600)
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                    audit = self._fill(packed, year, progress)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            raise RefusedError(_TAKEN.format(path=path)) from None
        except OSError as error:
            raise RefusedError(f"{path} cannot be written ({error.strerror}). Nothing was written.") from None
        finally:
            draft.unlink(missing_ok=True)
        return audit

    def _fill(self, packed: zipfile.ZipFile, year: int, progress: Progress) -> YearAudit:
        hashes: dict[str, Json] = {}
        now = self._store.clock()
        with self._store.reading() as connection, reports.as_it_stands(connection):
            audit = self._audit.read_year(connection, year, progress)
            for name, lines in self._members(connection, audit, now):
                hashes[name] = _add(packed, name, lines)
            manifest: dict[str, Json] = {
                "format": bundle.FORMAT,
                "year": audit.year,
                "workspace": seals.workspace(connection),
                "made_at": stamp(now),
                "zone": self._policy.zone.key,
                "valid_for_days": self._policy.valid_for.days,
                "files": hashes,
            }
        content = canonical(manifest).encode("ascii")
        key = self._store.ring.current(KeyKind.SEAL)
        _add(packed, bundle.MANIFEST, [content])
        told: dict[str, Json] = {"key": key.id, "public": public_of(key), "signature": signed(key, content)}
        _add(packed, bundle.SIGNATURE, [canonical(told).encode("ascii")])
        return audit

    def _members(
        self, connection: Connection, audit: YearAudit, now: datetime
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        going = destroyed.going(connection)  # cut short, what is destroyed stands still: nobody is handed it any more
        entries = (each for each in reports.entries_by_group(connection) if each.id not in going)
        yield bundle.ENTRIES, (_line(bundle.entry_line(each)) for each in entries)
        yield bundle.GROUPS, (_line(bundle.group_line(each)) for each in reports.groups_by_number(connection))
        if destroyed.count(connection):
            yield bundle.STUBS, (_line(bundle.stub_line(each)) for each in destroyed.stubs_by_group(connection))
        heads: list[Json] = [[head.chain, head.position, head.hash] for head in ledger.heads(connection)]
        yield bundle.HEADS, [canonical(heads).encode("ascii")]
        kept = self._file.read()
        told = kept.seals if kept.is_there else seals.in_ledger(connection)
        yield bundle.SEALS, (_line(canonical(seal.as_json())) for seal in told)
        yield bundle.KEYS, [_pretty(dict(public_keys(self._store.ring)))]
        texts = {each.sha256: each.text for each in wordings.every(connection)}
        yield bundle.WORDINGS, [_pretty(dict(texts))]
        yield bundle.PAGE, [_pretty(audit.as_json())]
        for campaign in campaigns.all_scheduled(connection):
            for path, content in sorted(campaigns.frozen(connection, campaign.id).items()):
                yield f"{bundle.FROZEN}{campaign.id}/{path}", [content]
        yield bundle.SCHEMA, [(files("dispatcher.flow") / "bundle.schema.json").read_bytes()]
        yield bundle.README, [self._readme(audit, now).encode()]

    def _readme(self, audit: YearAudit, now: datetime) -> str:
        words = key_words(public_of(self._store.ring.current(KeyKind.SEAL)))
        seal = f"Seal {audit.seal.number}: {audit.seal.words()}" if audit.seal else "There is no seal."
        return _README.format(year=audit.year, made=stamp(now), seal=seal, key=words)


def _add(packed: zipfile.ZipFile, name: str, parts: Iterable[bytes]) -> str:
    """Write a member part by part and return the SHA-256 of its content."""
    digest = hashlib.sha256()
    about = zipfile.ZipInfo(name, _DATED)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = 0o600 << 16
    with packed.open(about, "w") as member:
        for part in parts:
            digest.update(part)
            member.write(part)
    return digest.hexdigest()


def _line(text: str) -> bytes:
    return text.encode("ascii") + b"\n"


def _pretty(told: Json) -> bytes:
    return (json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


_README = """The marketing audit {year}, as one file. Made {made}.

It holds the ledger (clients are random numbers in it; nobody is named), the wordings of the questions, the campaign
files as they were sent, the public keys, the seals, and the audit. What each file means: bundle.schema.json, and
docs/bundle.md of Dispatcher.

To check it, with no database:

    dispatcher audit verify THIS-FILE
    python check_bundle.py THIS-FILE      (docs/check_bundle.py: a short program, needs only the package `cryptography`)

Then compare with what stands on paper: the mails that told the owner what each campaign came to, and the printed audit.

    {seal}
    Key: {key}

A file that checks out but names another seal or key than the paper was not made by this installation.
"""
