"""Answers and visits -> was the question asked at every booking, as the notice promises."""

from collections import defaultdict
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dispatcher.rules.asking import visited_unasked
from dispatcher.rules.ledger import Json
from dispatcher.storage import answers, clients
from dispatcher.storage.store import Store

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """How many clients have a visit on record, and how many of them were asked at their last one or since."""

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


def count_asked(store: Store, zone: ZoneInfo) -> Asked:
    """Count over the whole register who was asked at their last visit or since; those who are gone are left out."""
    visited = asked = 0
    after = -1
    with store.reading() as connection:
        while visits := clients.visits(connection, after, _CHUNK):
            after = visits[-1][0]
            given = defaultdict(list, answers.of_clients(connection, [number for number, _ in visits]))
            visited += len(visits)
            asked += sum(not visited_unasked(day, given[number], zone) for number, day in visits)
    return Asked(visited, asked)
