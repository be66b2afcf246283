"""Ledger -> the year, verified: recomputed from the entries alone, then held against the tables that serve screens."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from dispatcher.flow.audit_compare import table_differences
from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_figures import beside_figures
from dispatcher.flow.audit_seals import public_keys, sound_seals
from dispatcher.flow.audit_verify import Progress, Verifying, read_whole, without_a_search
from dispatcher.flow.audit_year import (
    YearAudit,
    campaign_figures,
    campaigns_of,
    declared_figures,
    message_figures,
    slot_figures,
)
from dispatcher.flow.policy import Policy
from dispatcher.rules.audit import Recount
from dispatcher.rules.audit_counts import slot_findings, slot_remarks
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.processing import Processing
from dispatcher.rules.sayings import say
from dispatcher.rules.seal import Seal
from dispatcher.rules.sentence import Sentence
from dispatcher.storage import destroyed, reports, seals
from dispatcher.storage.database import Connection
from dispatcher.storage.seals import SealFile
from dispatcher.storage.store import Store


def _quiet(_done: int, _all: int) -> None:
    """Tell nobody."""


class Audit:
    """Audits the ledger; it changes nothing, and reads one consistent state however long it takes.

    `file` is where the seals are kept, `processing` tells which company carries text messages, and why it may.
    """

    def __init__(
        self, store: Store, policy: Policy, file: SealFile | None = None, processing: Processing | None = None
    ) -> None:
        self._store = store
        self._processing = processing
        self._file = file
        self._policy = policy

    def verify(self, progress: Progress = _quiet) -> Verification:
        """Recompute every digest, group and chain (D-03), and hold all of it against whatever tells it as well.

        Every message is decided again from the entries before it, every seal checked, the journal and the tables
        compared. The first broken place of each chain is named.
        """
        return Verifying(self._store, self._policy.zone, self._file).run(progress)

    def year(self, year: int, progress: Progress = _quiet) -> YearAudit:
        """Recount a calendar year of local dates from the ledger, and compare the count with every table."""
        with without_a_search(), self._store.reading() as connection, reports.as_it_stands(connection):
            return self.read_year(connection, year, progress)

    def read_year(self, connection: Connection, year: int, progress: Progress = _quiet) -> YearAudit:
        """Recount a year from a state of the database that others are read from as well."""
        zone, valid_for = self._policy.zone, self._policy.valid_for
        told, publics = seals.in_ledger(connection), public_keys(self._store.ring).values()
        reading = read_whole(connection, told, lambda: Recount(year, zone, valid_for), progress, zone)
        recount, check, gone = reading.took, reading.check, reading.destroyed
        recount.close()
        sound = sound_seals(told, check.hashes, publics)
        standing = [each for each in campaigns_of(recount) if each.number not in gone.campaigns]
        differences = [
            *gone.findings(check, sound, partial(destroyed.digest_of_year, connection)),
            *table_differences(connection, recount, standing),
        ]
        today = local_date(self._store.clock(), zone)
        audited = judged(recount, reading.chain, differences, today, told[-1] if told else None)
        remarks = (*audited.remarks, *gone.of_year(year, check), *self._transfers())
        return replace(audited, remarks=remarks, destroyed=gone.figures(year))

    def _transfers(self) -> Iterator[Sentence]:
        """Yield why text messages may go by a company whose people reach data from outside the EU (L-42)."""
        about = self._processing
        carrier = about.carrier(Channel.SMS) if about else None
        if about and about.transfer_note and carrier and carrier.reaches_outside:
            yield say("transfer", company=carrier.name, note=about.transfer_note)


def judged(
    recount: Recount, chain: Verification, differences: Sequence[str], today: date, seal: Seal | None = None
) -> YearAudit:
    """Return the audit of a recount that has been closed; `today` says whether its year is over.

    `seal` is the last one set.
    """
    figures = slot_figures(recount)
    more = (say("unnamed", count=recount.unnamed),) if recount.unnamed else ()
    restored = tuple(say("restored", entry=number) for number in recount.restored)
    beside = beside_figures(recount.beside)
    late = recount.beside.requests.overdue(today)
    return YearAudit(
        year=recount.year,
        campaigns=tuple(campaign_figures(record) for record in campaigns_of(recount)),
        declared=declared_figures(recount),
        slots=figures,
        messages=message_figures(recount),
        asked=beside.asked,
        noes=beside.noes,
        requests=beside.requests,
        letters=beside.letters,
        held=beside.held,
        restores=recount.beside.restores,
        chain=chain,
        findings=(
            *chain.findings,
            *slot_findings(recount.year, recount.spent()),
            *recount.findings,
            *more,
            *late,
            *differences,
        ),
        seal=seal,
        remarks=(*slot_remarks(recount.year, figures.spent, today), *restored, *recount.texts.remarks()),
    )
