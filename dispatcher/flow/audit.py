"""Ledger -> the year, verified: recomputed from the entries alone, then held against the tables that serve screens."""

from collections.abc import Callable, Sequence
from datetime import date

from dispatcher.flow.audit_chain import ChainCheck
from dispatcher.flow.audit_compare import campaign_differences, slot_differences, tally_differences
from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_figures import beside_figures
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
from dispatcher.storage import campaigns, ledger, reports, slots, tallies
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store

Progress = Callable[[int, int], None]
"""Called with how many entries have been read and how many there are to read; a year reads each twice."""
_TOLD_EVERY = 1_000


def _quiet(_done: int, _all: int) -> None:
    """Tell nobody."""


class Audit:
    """Audits the ledger; it changes nothing, and reads one consistent state however long it takes."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def verify(self, progress: Progress = _quiet) -> Verification:
        """Recompute every digest, group and chain, and name the first broken place of each chain (D-03)."""
        with self._store.reading() as connection, reports.as_it_stands(connection):
            total = reports.count_entries(connection)
            return _verify(connection, total, total, progress)

    def year(self, year: int, progress: Progress = _quiet) -> YearAudit:
        """Recount a calendar year of local dates from the ledger, and compare the count with every table."""
        with self._store.reading() as connection, reports.as_it_stands(connection):
            total = reports.count_entries(connection)
            chain = _verify(connection, total, 2 * total, progress)
            recount = Recount(year, self._policy.zone, self._policy.valid_for)
            for done, entry in enumerate(reports.entries_by_number(connection), start=1):
                recount.take(entry)
                if done % _TOLD_EVERY == 0:
                    progress(total + done, 2 * total)
            recount.close()
            differences = _differences(connection, recount)
        progress(2 * total, 2 * total)
        return judged(recount, chain, differences, local_date(self._store.clock(), self._policy.zone))


def judged(recount: Recount, chain: Verification, differences: Sequence[str], today: date) -> YearAudit:
    """Return the audit of a recount that has been closed; `today` says whether its year is over."""
    figures = slot_figures(recount)
    more = (f"{recount.unnamed} more findings like these are not named.",) if recount.unnamed else ()
    restored = tuple(f"Entry {number} tells of a restore." for number in recount.restored)
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
        remarks=(*slot_remarks(recount.year, figures.spent, today), *restored, *recount.texts.remarks()),
    )


def _verify(connection: Connection, total: int, to_read: int, progress: Progress) -> Verification:
    check = ChainCheck(lambda numbers: reports.entries_among(connection, numbers))
    check.read(
        reports.groups_by_number(connection),
        reports.entries_by_group(connection),
        lambda done: progress(done, to_read),
    )
    check.link(reports.groups_by_chain(connection), ledger.heads(connection))
    progress(total, to_read)
    return check.result()


def _differences(connection: Connection, recount: Recount) -> list[str]:
    """Return every difference between the ledger's count and the tables; messages only for campaigns of the year."""
    return [
        *campaign_differences(recount.campaigns, campaigns.all_scheduled(connection)),
        *slot_differences(recount, slots.every(connection)),
        *tally_differences(campaigns_of(recount), tallies.counted(connection)),
    ]
