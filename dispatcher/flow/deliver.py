"""Outbox -> verdict again -> intent -> channel -> outcome.

The verdict and the intent of a message are one transaction; the hand-off comes after it, the outcome in a transaction
of its own. A message whose worker dies in between is `unknown` and never sent again by itself (E-51, E-52).
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatcher.channels import Carrier, Session
from dispatcher.flow.gate import Gate, Passed
from dispatcher.flow.outcomes import Outcomes
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Press
from dispatcher.rules.actor import duty
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.storage import campaigns, outbox
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.outbox import Claimed
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ACTOR = duty("delivery")
LEASE = timedelta(minutes=20)
"""How long a worker holds what it claims: longer than the longest wait for a mail server's reply (E-51)."""
CONNECTION_PAUSE = timedelta(minutes=1)
"""How long a channel rests after trouble that concerns no single message."""
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(hours=48)

Report = Callable[[Outcome], None]


@dataclass(slots=True)
class DeliverReport:
    """What a run of deliveries came to; `blocked` names the channels whose carrier could not go on."""

    outcomes: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    blocked: set[Channel] = field(default_factory=set)
    finished: bool = False


class Deliver:
    """Hands messages over, each channel by its carrier."""

    def __init__(self, store: Store, policy: Policy, press: Press, carriers: Mapping[Channel, Carrier]) -> None:
        self._store = store
        self._policy = policy
        self._carriers = carriers
        self._gate = Gate(store, policy, press)
        self._outcomes = Outcomes(store)

    def recover(self, *, alone: bool) -> int:
        """Mark as unknown what an earlier worker left without an outcome, and return how many.

        `alone` says that no other worker can be alive (one sender process); else only ended leases count.
        """

        def work(transaction: Transaction) -> int:
            until = datetime.max.replace(tzinfo=transaction.now.tzinfo) if alone else transaction.now
            lost = outbox.lost(transaction.connection, until)
            for row in lost:
                self._outcomes.write(transaction, row, Outcome(OutcomeKind.UNKNOWN, code="crash"), "", None)
            if alone:
                outbox.free_claims(transaction.connection)
            return len(lost)

        return self._store.write(work)

    async def run(self, scheduled: Scheduled, tell: Report = lambda _outcome: None) -> DeliverReport:
        """Hand over every message of a campaign that is due now.

        Raises JournalError, RenderingError, StorageError, and ChannelError where a carrier cannot be reached.
        """
        await asyncio.to_thread(self._store.check_trusted)
        report = DeliverReport()
        await _all_to_their_end(
            self._run_channel(scheduled, channel, carrier, report, tell) for channel, carrier in self._carriers.items()
        )
        report.finished = await asyncio.to_thread(self._finish, scheduled)
        return report

    async def _run_channel(
        self, scheduled: Scheduled, channel: Channel, carrier: Carrier, report: DeliverReport, tell: Report
    ) -> None:
        """Work through what is due by one channel, a batch at a time, over open sessions."""
        claimed = await asyncio.to_thread(self._claim, scheduled.id, channel)
        if not claimed:
            return
        async with AsyncExitStack() as stack:
            sessions = [
                await stack.enter_async_context(carrier.session()) for _ in range(min(carrier.sessions, len(claimed)))
            ]
            while claimed and channel not in report.blocked:
                decided = await asyncio.to_thread(self._gate.decide, scheduled, claimed)
                report.withheld.update(decided.withheld)
                await self._hand_over(decided.passed, sessions, carrier, report, tell)
                claimed = await asyncio.to_thread(self._claim, scheduled.id, channel)

    async def _hand_over(
        self, passed: list[Passed], sessions: list[Session], carrier: Carrier, report: DeliverReport, tell: Report
    ) -> None:
        """Share the messages among the sessions; each outcome goes to the writer as it comes.

        No session waits for the disk before its next message: their intents are on it already, and outcomes that come
        while a commit is under way share the next one. Once an outcome cannot be kept, nothing more is handed over.
        """
        waiting: asyncio.Queue[Passed] = asyncio.Queue()
        for each in passed:
            waiting.put_nowait(each)
        records: list[asyncio.Future[bool]] = []

        async def work(session: Session) -> None:
            while not waiting.empty() and not any(record.done() and record.exception() for record in records):
                row, message = waiting.get_nowait()
                outcome = await session.hand_over(message)
                records.append(asyncio.wrap_future(self._record(row, outcome, carrier.name)))
                report.outcomes[outcome.kind.value] += 1
                if outcome.blame is Blame.CONNECTION:
                    report.blocked.add(message.channel)
                tell(outcome)

        try:
            await _all_to_their_end(work(session) for session in sessions)
        finally:
            await _all_to_their_end(records)

    def _record(self, row: Claimed, outcome: Outcome, provider: str) -> Future[bool]:
        again_at = self._again_at(row, outcome)
        return self._store.submit(
            lambda transaction: self._outcomes.write(transaction, row, outcome, provider, again_at)
        )

    def _claim(self, campaign: int, channel: Channel) -> list[Claimed]:
        def work(transaction: Transaction) -> list[Claimed]:
            now = transaction.now
            return outbox.claim(transaction.connection, campaign, now, now + LEASE, self._policy.batch, channel)

        return self._store.write(work)

    def _again_at(self, row: Claimed, outcome: Outcome) -> datetime | None:
        """Return when a deferred message may be tried again, or None where it is given up after 48 hours (E-50)."""
        now = self._store.clock()
        if outcome.blame is Blame.CONNECTION:
            return now + (outcome.retry_after or CONNECTION_PAUSE)
        if now - row.planned_at >= GIVE_UP_AFTER:
            return None
        backoff = min(FIRST_PAUSE * (1 << min(row.attempts, 10)), LONGEST_PAUSE)
        return now + max(backoff, outcome.retry_after or timedelta(0)) * random.uniform(1.0, 1.25)  # noqa: S311 - jitter

    def _finish(self, scheduled: Scheduled) -> bool:
        """Close a campaign of which nothing is left to do, and say whether it is closed now."""

        def work(transaction: Transaction) -> bool:
            current = campaigns.by_id(transaction.connection, scheduled.id)
            if current.state is not State.SENDING or current.planned_at is None:
                return current.state is State.FINISHED
            if outbox.count_open(transaction.connection, scheduled.id):
                return False
            campaigns.set_state(transaction.connection, scheduled.id, State.FINISHED, transaction.now)
            transaction.ledger.append(
                Entry(EntryKind.CAMPAIGN, _ACTOR, campaign=scheduled.id, body={"event": "finished"})
            )
            return True

        return self._store.write(work, wanted=[Lock(LockKind.CAMPAIGN, scheduled.id)])


async def _all_to_their_end(works: Iterable[Awaitable[Any]]) -> None:
    """Run these side by side and raise the first error once all have ended.

    Nobody is cancelled for another's trouble: a hand-off cut short in the middle would be `unknown` for no reason.
    """
    for ended in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
