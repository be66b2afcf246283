"""A year that is over -> verified, sealed, written as page and bundle, and told to the owners."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from dispatcher.errors import RefusedError, RenderingError
from dispatcher.flow.audit_bundle import check_bundle
from dispatcher.flow.audit_formats import to_text
from dispatcher.flow.audit_paper import to_pdf
from dispatcher.flow.audit_verify import Progress, Verifying
from dispatcher.flow.audit_year import YearAudit
from dispatcher.flow.bundling import Bundling
from dispatcher.flow.policy import Policy
from dispatcher.flow.sealing import Sealing
from dispatcher.keys import write_private
from dispatcher.rules.actor import Actor, duty
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.ledger import Entry, EntryKind, Json, stamp
from dispatcher.rules.seal import Seal, SealReason
from dispatcher.rules.studio import Studio
from dispatcher.storage import ledger, reports
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store
from dispatcher.texts import counted

FOLDER = "audits"
_ACTOR = duty("closing")


@dataclass(frozen=True, slots=True)
class Closed:
    """A year that was closed: what does not hold in it, under which seal, and the files that tell of it."""

    year: int
    findings: tuple[str, ...]
    decided: int
    seal: Seal
    files: tuple[Path, ...]
    unwritten: str | None = None

    def as_json(self) -> dict[str, Json]:
        """Return it with stable keys."""
        return {
            "year": self.year,
            "ok": not self.findings,
            "findings": list(self.findings),
            "decided_again": self.decided,
            "seal": {"number": self.seal.number, "words": self.seal.words()},
            "files": [str(path) for path in self.files],
            "unwritten": self.unwritten,
        }


class Closing:
    """Closes years: each once, from 2 January on."""

    def __init__(
        self, store: Store, policy: Policy, sealing: Sealing, bundling: Bundling, studio: Studio, directory: Path
    ) -> None:
        self._store = store
        self._policy = policy
        self._sealing = sealing
        self._bundling = bundling
        self._studio = studio
        self._directory = directory

    def when_due(self) -> str | None:
        """Close the year before this one where that is still to be done; say so in a sentence."""
        today = local_date(self._store.clock(), self._policy.zone)
        year = today.year - 1
        if today < date(today.year, 1, 2) or self._began() > year or self._entry(year) is not None:
            return None
        closed = self.close(year, _ACTOR)
        said = counted("findings", len(closed.findings), Language.EN) if closed.findings else "nothing to find"
        return f"the year {year} was closed under seal {closed.seal.number}: {said}"

    def close(self, year: int, actor: Actor, progress: Progress = lambda _done, _all: None) -> Closed:
        """Verify everything, seal it, and write the year's page and bundle; owners are told of it by mail.

        What does not hold stands in all of them. Raises RefusedError before 2 January of the next year, and for a year
        that was closed before.
        """
        self._refuse(year)
        verified = Verifying(self._store, self._policy.zone, self._sealing.file).run(progress)
        seal = self._sealing.set(SealReason.YEAR, actor, year)
        folder = self._directory / FOLDER / str(year)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        packed = folder / f"audit-{year}.zip"
        packed.unlink(missing_ok=True)  # of a closing that was cut short: no entry tells of it
        audited = self._bundling.write(year, packed, progress)
        checked = check_bundle(packed)
        findings = tuple(dict.fromkeys((*verified.findings, *audited.findings, *checked.verification.findings)))
        pages, unwritten = self._pages(folder, replace(audited, findings=findings))
        body: dict[str, Json] = {
            "year": year,
            "seal": seal.number,
            "bundle": hashlib.sha256(packed.read_bytes()).hexdigest(),
            "decided_again": verified.decided,
            "findings": len(findings),
            "campaigns": audited.slots.spent,
            "messages": audited.messages.accepted + audited.messages.unknown,
            "clients": audited.messages.clients,
        }
        entry = Entry(EntryKind.CLOSED, actor, body=body)
        self._store.write(lambda transaction: transaction.ledger.append(entry))
        return Closed(year, findings, verified.decided, seal, (packed, *pages), unwritten)

    def _pages(self, folder: Path, audited: YearAudit) -> tuple[list[Path], str | None]:
        """Write the pages that can be written; say why one cannot."""
        now, zone = self._store.clock(), self._policy.zone
        pages = [
            _put(folder / f"audit-{audited.year}.txt", to_text(audited).encode() + b"\n"),
            _put(folder / f"audit-{audited.year}.json", json.dumps(audited.as_json(), indent=1).encode() + b"\n"),
        ]
        try:
            pages.append(_put(folder / f"audit-{audited.year}.pdf", to_pdf(audited, self._studio, now, zone)))
        except RenderingError as error:
            return pages, str(error)
        return pages, None

    def _refuse(self, year: int) -> None:
        today = local_date(self._store.clock(), self._policy.zone)
        if today < date(year + 1, 1, 2):
            raise RefusedError(
                f"{year} can be closed from {year + 1}-01-02 on: until then `dispatcher audit year {year}` shows it."
            )
        if self._began() > year:
            raise RefusedError(f"This installation began after {year}: there is nothing to close.")
        told = self._entry(year)
        if told is not None:
            raise RefusedError(
                f"{year} was closed already, under seal {told['seal']}: see {self._directory / FOLDER / str(year)}."
            )

    def _began(self) -> int:
        with self._store.reading() as connection:
            return local_date(reports.began_at(connection), self._policy.zone).year

    def _entry(self, year: int) -> dict[str, Json] | None:
        with self._store.reading() as connection:
            return next((told for told in closed_years(connection) if told["year"] == year), None)


def closed_years(connection: Connection) -> list[dict[str, Json]]:
    """Return what the ledger tells of each year that was closed, oldest first, with the time as `at`."""
    told = ledger.entries_of_nobody(connection, EntryKind.CLOSED.value)
    return [{**entry.data(), "at": stamp(entry.at)} for entry in told]


def _put(path: Path, content: bytes) -> Path:
    path.unlink(missing_ok=True)
    write_private(path, content)
    return path
