"""Answers and visits -> was the question asked at every booking, as the notice promises; and who may be written to."""

from dataclasses import dataclass
from datetime import datetime

from dispatcher.flow.audience import Counts, chunks
from dispatcher.flow.coverage import coverage
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.asking import visited_unasked
from dispatcher.rules.decision import decide
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.storage import ledger
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

LOOKED_OVER = "looked_over"
"""What the ledger calls it when it was counted, after an import, how many had been asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How many clients in the register have a visit on record, and how many were asked at their last one or since."""

    visited: int
    asked: int

    @property
    def share(self) -> float | None:
        """Return the share of those who were asked, or None where nobody has visited."""
        return self.asked / self.visited if self.visited else None

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        share = round(self.share, 3) if self.share is not None else None
        return {"visited": self.visited, "asked": self.asked, "share": share}


def look_over(store: Store, policy: Policy, now: datetime) -> tuple[Counts, Asked]:
    """Count over the whole register who may be written to, and who was asked at their last visit or since.

    Verdicts are those of a campaign by every channel in an open hour. One pass, because reading the answers is most of
    the work; who is gone from the register does not count as having visited.
    """
    counts, visited, asked = Counts(), 0, 0
    with store.reading() as connection:
        facts = policy.any_campaign(coverage(connection, policy))
        for known in (known for chunk in chunks(connection, store, policy, None, now) for known in chunk):
            counts.add(decide(known.facts, facts, now))
            last_visit = known.client.last_visit
            if last_visit is not None and known.facts.in_register:
                visited += 1
                asked += not visited_unasked(last_visit, known.given, policy.zone)
    return counts, Asked(visited, asked)


def keep_asked(store: Store, asked: Asked, actor: Actor) -> None:
    """Put on record how many had been asked, for the audit: only where it is not what was put there last."""

    def work(transaction: Transaction) -> None:
        told: dict[str, Json] = {"event": LOOKED_OVER, "visited": asked.visited, "asked": asked.asked}
        known = [each.data() for each in ledger.entries_of_nobody(transaction.connection, EntryKind.IMPORT.value)]
        if told != next((body for body in reversed(known) if body.get("event") == LOOKED_OVER), None):
            transaction.ledger.append(Entry(EntryKind.IMPORT, actor, body=told))

    store.write(work)
