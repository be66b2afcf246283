"""Builds what audits, seals, bundles and closes, which all know where the seals are kept."""

from dataclasses import dataclass
from pathlib import Path

from dispatcher.flow.audit import Audit
from dispatcher.flow.bundling import Bundling
from dispatcher.flow.closing import Closing
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


def auditing_of(store: Store, policy: Policy, processing: Processing, directory: Path) -> Auditing:
    """Return what proves the years of the installation in a workspace."""
    sealing = Sealing(store, policy, SealFile(directory / FILE))
    audit = Audit(store, policy, sealing.file, processing)
    bundling = Bundling(store, policy, audit, sealing.file)
    return Auditing(audit, sealing, bundling, Closing(store, policy, sealing, bundling, processing.studio, directory))
