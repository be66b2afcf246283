"""Outbox -> verdict again -> intent -> channel -> outcome.

The verdict and the intent of a message are one transaction; the hand-off comes after it, the outcome in a transaction
of its own. A message whose worker dies in between is `unknown` and never sent again by itself (E-51, E-52).
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from dispatcher.channels import Carrier, Session
from dispatcher.errors import ChannelError, NoSlotError
from dispatcher.flow import acts
from dispatcher.flow.backoff import CONNECTION_PAUSE, again_at
from dispatcher.flow.gate import Gate, Passed
from dispatcher.flow.outcomes import Outcomes, Settled
from dispatcher.flow.pacing import Pacing
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Press
from dispatcher.rules.actor import duty
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.life import NO_SLOT, Act
from dispatcher.rules.message import Blame, CampaignMessage, Outcome, OutcomeKind, Sms
from dispatcher.storage import campaigns, outbox, slots
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.outbox import Claimed
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ACTOR = duty("delivery")
LEASE = timedelta(minutes=20)
"""How long a worker holds what it claims: longer than the longest wait for a mail server's reply (E-51)."""
_COMPANY_SECONDS = 0.01
"""How long an outcome waits for others to share its commit: nothing beside the wait for a mail server's reply."""
_ASKED_EVERY = 0.5
"""Seconds after which a run looks again whether its campaign was held: an act takes effect within one."""

Report = Callable[[Outcome], None]


@dataclass(slots=True)
class DeliverReport:
    """What a run of deliveries came to; `blocked` names the channels whose carrier could not go on.

    `shut`: the campaign was held or cancelled on the way, or the day ended. `miscounted` are text messages of which the
    provider told other parts than were foreseen (S-07).
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    miscounted: int = 0
    blocked: set[Channel] = field(default_factory=set)
    finished: bool = False
    shut: bool = False


class Deliver:
    """Hands messages over, each channel by its carrier; `ticks` counts seconds and never goes back."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        press: Press,
        carriers: Mapping[Channel, Carrier],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._policy = policy
        self._carriers = carriers
        self._press = press
        self._gate = Gate(store, policy, press)
        self._pacing = Pacing(policy.paces)
        self._outcomes = Outcomes(store)
        self._ticks = ticks

    def recover(self, *, alone: bool) -> int:
        """Mark as unknown what an earlier worker left without an outcome, and return how many.

        `alone` says that no other worker can be alive (one sender process); else only ended leases count.
        """

        def work(transaction: Transaction) -> int:
            until = datetime.max.replace(tzinfo=transaction.now.tzinfo) if alone else transaction.now
            lost = outbox.lost(transaction.connection, until)
            crash = Outcome(OutcomeKind.UNKNOWN, code="crash")
            for channel in Channel:
                mine = [Settled(row, crash) for row in lost if row.channel is channel]
                # Named, so that an erasure knows where a copy may lie.
                self._outcomes.write(transaction, mine, _name(self._carriers.get(channel)))
            if alone:
                outbox.free_claims(transaction.connection)
            return len(lost)

        return self._store.write(work)

    async def run(
        self,
        scheduled: Scheduled,
        tell: Report = lambda _outcome: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> DeliverReport:
        """Hand over every message of a campaign that is due now, until `stop` says so.

        Raises JournalError, RenderingError, StorageError, and ChannelError where a carrier cannot be reached.
        """
        await asyncio.to_thread(self._store.check_trusted)
        report, day = DeliverReport(), self._today()
        await _all_to_their_end(
            self._run_channel(_Run(scheduled, channel, carrier, report, tell, stop, day))
            for channel, carrier in self._carriers.items()
        )
        report.finished = await asyncio.to_thread(self._finish, scheduled)
        return report

    async def _run_channel(self, run: "_Run") -> None:
        """Work through what is due by one channel, a claim at a time, over open sessions."""
        claimed = await asyncio.to_thread(self._claim, run.scheduled, run.channel)
        if not claimed:
            return
        await asyncio.to_thread(self._move_slot, run.scheduled, run.day)
        async with AsyncExitStack() as stack:
            try:
                sessions = [
                    await stack.enter_async_context(run.carrier.session())
                    for _ in range(min(run.carrier.sessions, len(claimed)))
                ]
            except ChannelError:
                await asyncio.to_thread(self._give_back, claimed, self._store.clock() + CONNECTION_PAUSE)
                raise
            window = len(sessions)
            while claimed and run.may_go_on():
                window = await self._work_through(run, claimed, sessions, window)
                claimed = []
                if run.may_go_on():
                    claimed = await asyncio.to_thread(self._claim, run.scheduled, run.channel)
            await asyncio.to_thread(self._give_back, claimed, None)

    async def _work_through(self, run: "_Run", claimed: list[Claimed], sessions: list[Session], window: int) -> int:
        """Decide and hand over what was claimed, a window at a time, and return the window found.

        Intents are written only for what the sessions can hand over within a second, measured as it goes: whoever says
        no later than that is heard.
        """
        left = list(claimed)
        try:
            while left and run.may_go_on():
                batch, left = left[:window], left[window:]
                began = self._ticks()
                pulse = _Pulse(partial(self._goes_on, run), self._ticks)
                try:
                    decided = await asyncio.to_thread(self._gate.decide, run.scheduled, batch, run.day)
                except BaseException:
                    left = batch + left
                    raise
                if decided.shut:
                    left, run.report.shut = batch + left, True
                    break
                self._pacing.spend(run.channel, len(decided.passed), self._store.clock())
                run.report.withheld.update(decided.withheld)
                await self._hand_over(decided.passed, sessions, run, pulse)
                pace = len(batch) / max(self._ticks() - began, 0.001)
                window = max(len(sessions), min(int(pace), self._policy.batch))
        finally:
            if left:
                await asyncio.to_thread(self._give_back, left, None)
        return window

    async def _hand_over(self, passed: list[Passed], sessions: list[Session], run: "_Run", pulse: "_Pulse") -> None:
        """Share the messages among the sessions; each outcome goes to the writer as it comes.

        No session waits for the disk before its next message: their intents are on it already, and outcomes that come
        while a commit is under way share the next one. Once an outcome cannot be kept, or somebody says stop, nothing
        more is handed over, and once the campaign is held, cancelled or slept into another day, within a second. What
        is left of the batch is known not to have been tried.
        """
        waiting: asyncio.Queue[Passed] = asyncio.Queue()
        for each in passed:
            waiting.put_nowait(each)
        record = _Record(lambda settled: self._keep(settled, run.carrier.name))

        async def work(session: Session) -> None:
            while self._may_hand_over(run, record) and await pulse.goes_on() and not waiting.empty():
                row, message = waiting.get_nowait()
                outcome = await session.hand_over(message)
                record.add(Settled(row, outcome, self._again_at(row, outcome)))
                run.report.outcomes[outcome.kind.value] += 1
                run.report.miscounted += _is_miscounted(message, outcome)
                if outcome.blame is Blame.CONNECTION:
                    run.report.blocked.add(message.channel)
                run.tell(outcome)

        try:
            await _all_to_their_end(work(session) for session in sessions)
        finally:
            while not waiting.empty():
                # Never handed over: that is known, so it is no `unknown`.
                row, _ = waiting.get_nowait()
                kept = Outcome(OutcomeKind.DEFERRED, code="not_tried", blame=Blame.CONNECTION)
                # It is due again as soon as the campaign is released, or the sender is back.
                again = self._store.clock() if pulse.is_shut or run.stop() else self._again_at(row, kept)
                record.add(Settled(row, kept, again))
            run.report.shut = run.report.shut or pulse.is_shut
            await record.finish()

    @staticmethod
    def _may_hand_over(run: "_Run", record: "_Record") -> bool:
        return record.trouble is None and not run.stop()

    def _give_back(self, rows: list[Claimed], not_before: datetime | None) -> None:
        if rows:
            self._store.write(lambda transaction: outbox.give_back_all(transaction.connection, rows, not_before))

    def _keep(self, settled: list[Settled], provider: str) -> Future[None]:
        # A no that the provider knows of takes the locks of every other no.
        objecting = [each.row for each in settled if each.outcome.blame is Blame.OBJECTION]
        wanted = [Lock(LockKind.CLIENT, row.client) for row in objecting]
        wanted += [Lock(LockKind.ADDRESS, row.address) for row in objecting if row.address is not None]
        return self._store.submit(
            lambda transaction: self._outcomes.write(transaction, settled, provider), wanted=wanted
        )

    def _claim(self, scheduled: Scheduled, channel: Channel) -> list[Claimed]:
        """Take the next due messages, as many as the channel's pace lets go now; none while its window is closed."""
        with self._store.reading() as connection:
            windows = self._policy.windows_of(self._press.frozen(connection, scheduled).campaign)

        def work(transaction: Transaction) -> list[Claimed]:
            connection, now = transaction.connection, transaction.now
            if not windows.is_open(channel, now):
                opening = windows.next_opening(channel, now)
                outbox.postpone(connection, scheduled.id, channel, now, opening)
                return []
            room = self._pacing.room(connection, channel, now, self._policy.batch)
            return outbox.claim(connection, scheduled.id, now, now + LEASE, room, channel) if room else []

        return self._store.write(work)

    def _again_at(self, row: Claimed, outcome: Outcome) -> datetime | None:
        return again_at(outcome, row.attempts, row.planned_at, self._store.clock())

    def _today(self) -> date:
        return local_date(self._store.clock(), self._policy.zone)

    def _goes_on(self, run: "_Run") -> bool:
        """Say whether the campaign is still being sent, and the day of this run is not over."""
        with self._store.reading() as connection:
            state = campaigns.by_id(connection, run.scheduled.id).state
        return state is State.SENDING and self._today() == run.day

    def _move_slot(self, scheduled: Scheduled, day: date) -> None:
        """Move a campaign's slot to the day of its first hand-off, where it began late on the day before.

        Where the year has no room there, the campaign is held.
        """
        with self._store.reading() as connection:
            if slots.day_of(connection, scheduled.id) == day or outbox.has_left(connection, scheduled.id):
                return

        def work(transaction: Transaction) -> None:
            connection, zone = transaction.connection, self._policy.zone
            current = campaigns.by_id(connection, scheduled.id, for_update=True)
            settled = slots.day_of(connection, current.id) == day or outbox.has_left(connection, current.id)
            if current.state is not State.SENDING or settled:
                return
            try:
                acts.room_beside(transaction, current.name, day, zone, besides=current.id)
            except NoSlotError:
                acts.do(transaction, current.id, Act.HOLD, _ACTOR, reason=NO_SLOT)
            else:
                acts.spend_slot(transaction, current, day, _ACTOR)

        self._store.write(work, wanted=[*acts.year_locks(day), Lock(LockKind.CAMPAIGN, scheduled.id)])

    def _finish(self, scheduled: Scheduled) -> bool:
        """Close a campaign of which nothing is left to do, and say whether it is closed now."""

        def work(transaction: Transaction) -> bool:
            current = campaigns.by_id(transaction.connection, scheduled.id)
            if current.state is not State.SENDING or current.planned_at is None:
                return current.state is State.FINISHED
            if outbox.count_open(transaction.connection, scheduled.id):
                return False
            acts.do(transaction, scheduled.id, Act.FINISH, _ACTOR)
            return True

        return self._store.write(work, wanted=[Lock(LockKind.CAMPAIGN, scheduled.id)])


@dataclass(frozen=True, slots=True)
class _Run:
    """One channel of one campaign at work."""

    scheduled: Scheduled
    channel: Channel
    carrier: Carrier
    report: DeliverReport
    tell: Report
    stop: Callable[[], bool]
    day: date

    def may_go_on(self) -> bool:
        return self.channel not in self.report.blocked and not self.report.shut and not self.stop()


class _Pulse:
    """Asks twice a second at most whether a run still goes on; once it does not, it is shut for good."""

    def __init__(self, ask: Callable[[], bool], ticks: Callable[[], float]) -> None:
        self._ask = ask
        self._ticks = ticks
        self._asked = ticks()
        self._asking = asyncio.Lock()
        self.is_shut = False

    async def goes_on(self) -> bool:
        """Say whether the next message may be handed over; the gate has just been asked when this begins."""
        async with self._asking:  # no session goes on while another waits for the answer
            if not self.is_shut and self._ticks() - self._asked >= _ASKED_EVERY:
                self._asked = self._ticks()
                self.is_shut = not await asyncio.to_thread(self._ask)
        return not self.is_shut


class _Record:
    """Has outcomes written as they come; those of the next hundredth of a second share one commit."""

    def __init__(self, write: Callable[[list[Settled]], Future[None]]) -> None:
        self._write = write
        self._waiting: list[Settled] = []
        self._writing: asyncio.Task[None] | None = None
        self._was_last = asyncio.Event()
        self.trouble: BaseException | None = None

    def add(self, settled: Settled) -> None:
        """Have one more outcome written soon."""
        self._waiting.append(settled)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Return once all is on disk. Raises what kept an outcome away from it."""
        self._was_last.set()
        if self._writing is not None:
            await self._writing
        if self.trouble is not None:
            raise self.trouble

    async def _run(self) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._was_last.wait(), _COMPANY_SECONDS)
            taken, self._waiting = self._waiting, []
            (ended,) = await asyncio.gather(asyncio.wrap_future(self._write(taken)), return_exceptions=True)
            if isinstance(ended, BaseException):
                self.trouble = self.trouble or ended


def _is_miscounted(message: CampaignMessage, outcome: Outcome) -> bool:
    content = message.content
    return isinstance(content, Sms) and outcome.segments not in {None, content.segments}


def _name(carrier: Carrier | None) -> str:
    return carrier.name if carrier else ""


async def _all_to_their_end(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run these side by side and raise the first error once all have ended.

    Nobody is cancelled for another's trouble: a hand-off cut short in the middle would be `unknown` for no reason.
    """
    for ended in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
