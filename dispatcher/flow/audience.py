"""Whom a campaign would reach now, and for each other client the reason why not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.flow.policy import Policy
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Audience
from dispatcher.rules.decision import CampaignFacts, Send, Verdict, Wait, decide
from dispatcher.storage import clients
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.store import Store

CHUNK = 500


@dataclass(slots=True)
class Counts:
    """How many clients get a Send by which channel, wait for which reason, or are withheld for which."""

    send: Counter[str] = field(default_factory=Counter)
    wait: Counter[str] = field(default_factory=Counter)
    withhold: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        if isinstance(verdict, Send):
            self.send[verdict.channel.value] += 1
        elif isinstance(verdict, Wait):
            self.wait[verdict.reason.value] += 1
        else:
            self.withhold[verdict.reason.value] += 1

    @property
    def reachable(self) -> int:
        """Return how many may be written to, now or when what they wait for has come."""
        return self.send.total() + self.wait.total()


def chunks(
    connection: Connection, store: Store, policy: Policy, campaign: int | None, now: datetime
) -> Iterator[list[Known]]:
    """Yield everybody in the register in order of number, a chunk at a time."""
    after = -1
    today = local_date(now, policy.zone)
    while numbers := clients.page(connection, after, CHUNK):
        after = numbers[-1]
        known = gather(connection, store.ring, numbers, campaign, today, now)
        yield [known[number] for number in numbers if number in known]


def count(store: Store, policy: Policy, facts: CampaignFacts, audience: Audience, now: datetime) -> Counts:
    """Count the verdicts of everybody the audience includes, at this moment."""
    counts = Counts()
    with store.reading() as connection:
        for chunk in chunks(connection, store, policy, None, now):
            for known in chunk:
                if audience.includes(known.client.language, known.client.last_visit):
                    counts.add(decide(known.facts, facts, now))
    return counts
