"""What the published privacy notices cover, as a verdict asks it."""

from dispatcher.flow.policy import Policy
from dispatcher.rules.decision import Coverage
from dispatcher.storage import notices
from dispatcher.storage.database import Connection


def coverage(connection: Connection, policy: Policy) -> Coverage:
    """Return what the notices cover; nothing is read where no provider reaches outside the EU (L-42)."""
    if not policy.needs_notice:
        return Coverage()
    return Coverage(policy.needs_notice, notices.covered_spans(connection))
