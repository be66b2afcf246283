"""Builds what audits, seals, bundles and closes, which all know where the seals are kept."""

from dataclasses import dataclass
from pathlib import Path

from dispatcher.flow.audit import Audit
from dispatcher.flow.bundling import Bundling
from dispatcher.flow.closing import Closing
from dispatcher.flow.deletions import Deletions
from dispatcher.flow.destroying import Destroying
from dispatcher.flow.due_years import DueYears
from dispatcher.flow.policy import Policy
from dispatcher.flow.sealing import Sealing
from dispatcher.rules.processing import Processing
from dispatcher.storage.seals import FILE, SealFile
from dispatcher.storage.store import Store


@dataclass(frozen=True, slots=True)
class Auditing:
    """What proves a year."""

    audit: Audit
    sealing: Sealing
    bundling: Bundling
    closing: Closing
    years: DueYears
    destroying: Destroying


def auditing_of(
    store: Store, policy: Policy, processing: Processing, directory: Path, deletions: Deletions, ledger_years: int
) -> Auditing:
    """Return what proves the years of the installation in a workspace, and what lets them go after `ledger_years`."""
    sealing = Sealing(store, policy, SealFile(directory / FILE))
    audit = Audit(store, policy, sealing.file, processing)
    bundling = Bundling(store, policy, audit, sealing.file)
    closing = Closing(store, policy, sealing, bundling, processing.studio, directory)
    years = DueYears(store, policy, directory, ledger_years)
    destroying = Destroying(store, policy, sealing, bundling, deletions, years, directory)
    return Auditing(audit, sealing, bundling, closing, years, destroying)
