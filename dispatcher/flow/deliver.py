"""Outbox -> verdict again -> intent -> channel -> outcome.

The verdict and the intent of a message are one transaction; the hand-off comes after it, the outcome in a transaction
of its own. A message whose worker dies in between is `unknown` and never sent again by itself (E-51, E-52).
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from dispatcher.channels import Carrier, Session
from dispatcher.errors import ChannelError, NoSlotError, StorageError
from dispatcher.flow import acts
from dispatcher.flow.backoff import again_at
from dispatcher.flow.breaker import FEEDS, Breaker
from dispatcher.flow.doors import Doors
from dispatcher.flow.gate import LEASE, Gate, Passed, Writing
from dispatcher.flow.handing import Handing, StillGoing, Tempo, Told, concerns_channel, is_due_at_once
from dispatcher.flow.lines import IDLE_SECONDS, Lines
from dispatcher.flow.outcomes import Outcomes, Settled
from dispatcher.flow.pacing import Pacing
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Press
from dispatcher.rules.actor import duty
from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.life import NO_SLOT, Act
from dispatcher.rules.message import Blame, CampaignMessage, Outcome, OutcomeKind, Sms
from dispatcher.storage import campaigns, handoffs, outbox, slots
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.handoffs import Claimed
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ACTOR = duty("delivery")
_CLAIMS_AHEAD = 4
"""How many windows are claimed in one go where nobody set a pace: a claim alone decides nothing."""

Report = Callable[[Outcome], None]


@dataclass(slots=True)
class DeliverReport:
    """What a run of deliveries came to; `blocked` names the channels whose carrier could not go on.

    `shut`: the campaign was held or cancelled on the way, the day ended, or a letter box could not be read.
    `miscounted` are text messages of which the provider told other parts than were foreseen (S-07).
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    miscounted: int = 0
    blocked: set[Channel] = field(default_factory=set)
    finished: bool = False
    shut: bool = False


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
    windows: Windows

    def may_go_on(self) -> bool:
        return self.channel not in self.report.blocked and not self.report.shut and not self.stop()

    def note(self, passed: Passed, outcome: Outcome) -> None:
        self.report.outcomes[outcome.kind.value] += 1
        self.report.miscounted += _is_miscounted(passed.message, outcome)
        if concerns_channel(outcome):
            self.report.blocked.add(self.channel)
        self.tell(outcome)


class Deliver:
    """Hands messages over, each channel by its carrier; `ticks` counts seconds and never goes back."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        press: Press,
        carriers: Mapping[Channel, Carrier],
        doors: Doors,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._policy = policy
        self._carriers = carriers
        self._press = press
        self._gate = Gate(store, policy, press, doors)
        self._pacing = Pacing(policy.paces)
        self._outcomes = Outcomes(store, self._pacing, Breaker())
        self._ticks = ticks
        self._lines = Lines(self._tick)
        self._tempos: dict[Channel, Tempo] = {}
        self._owed: list[tuple[_Run, list[Settled], list[Claimed]]] = []

    def recover(self, *, alone: bool) -> int:
        """Mark as unknown what an earlier worker left without an outcome, and return how many.

        `alone` says that no other worker can be alive (one sender process); else only ended leases count.
        """

        def work(transaction: Transaction) -> int:
            until = datetime.max.replace(tzinfo=transaction.now.tzinfo) if alone else transaction.now
            lost = handoffs.lost(transaction.connection, until)
            self._give_up_on(transaction, lost)
            if alone:
                handoffs.free_claims(transaction.connection)
            return len(lost)

        return self._store.write(work)

    def _give_up_on(self, transaction: Transaction, lost: list[Claimed]) -> None:
        crash = Outcome(OutcomeKind.UNKNOWN, code="crash")
        for channel in Channel:
            mine = [Settled(row, crash) for row in lost if row.channel is channel]
            # Named, so that an erasure knows where a copy may lie.
            self._outcomes.write(transaction, mine, channel, _name(self._carriers.get(channel)))

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """Keep connections open from one run to the next."""
        async with self._lines.kept():
            yield

    async def close_idle(self) -> None:
        """Close the connections that nobody has used for a while."""
        await self._lines.close_idle(IDLE_SECONDS)

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
        await asyncio.to_thread(self._catch_up)
        report, day = DeliverReport(), self._today()
        windows = await asyncio.to_thread(self._windows, scheduled)
        await _all_to_their_end(
            self._run_channel(_Run(scheduled, channel, carrier, report, tell, stop, day, windows))
            for channel, carrier in self._carriers.items()
        )
        report.finished = await asyncio.to_thread(self._finish, scheduled)
        return report

    async def _run_channel(self, run: _Run) -> None:
        """Work through what is due by one channel, over open sessions."""
        claimed = await asyncio.to_thread(self._claim, run)
        if not claimed:
            return
        try:
            await asyncio.to_thread(self._move_slot, run.scheduled, run.day)
            async with self._lines.taken(run.channel, run.carrier, len(claimed)) as sessions:
                taken, claimed = claimed, []
                await self._work_through(run, taken, sessions)
        except ChannelError:
            await asyncio.to_thread(self._rest, run.channel)
            raise
        finally:
            await asyncio.to_thread(self._give_back, run, claimed)

    async def _work_through(self, run: _Run, claimed: list[Claimed], sessions: list[Session]) -> None:
        """Hand claimed messages over, and what can be claimed after them.

        Intents are written only for what the sessions can hand over within a second, as measured on the way, and
        for no more than the window; the next are decided while the last are handed over.
        """
        still = StillGoing(partial(self._may_leave, run), self._tick)
        told = Told(run.note, partial(self._settled, run), partial(self._keep, run), lambda: not run.may_go_on())
        tempo = self._tempos.setdefault(run.channel, Tempo(self._tick, self._policy.window))
        handing = Handing(sessions, still, told, tempo)
        left, are_more = claimed, True
        try:
            while handing.may_go_on:
                most = min(self._policy.window, max(len(sessions), int(tempo.per_second())))
                if not left or (are_more and len(left) < most):
                    more = await asyncio.to_thread(self._claim, run)
                    left, are_more = left + more, bool(more)
                    if not left:
                        break
                room = await handing.room(most, len(left))
                if not room:
                    break
                batch, left = left[:room], left[room:]
                try:
                    left = await self._pass_gate(run, handing, batch, left)
                except BaseException:
                    left = batch + left
                    raise
        finally:
            try:
                await handing.end()
            finally:
                run.report.shut = run.report.shut or still.is_shut
                if handing.unwritten:
                    self._owed.append((run, handing.unwritten, []))
                await asyncio.to_thread(self._give_back, run, left)

    async def _pass_gate(self, run: _Run, handing: Handing, batch: list[Claimed], left: list[Claimed]) -> list[Claimed]:
        """Ask the gate about a batch, have handed over what passes, and return the rows that are still claimed."""
        asked, known = self._tick(), handing.take_known()
        first = self._writing(run, known) if known else None
        try:
            decided = await self._gate.decide(run.scheduled, batch, run.day, first)
        except BaseException:
            handing.put_back(known)
            raise
        handing.wrote(known)
        if decided.shut:
            run.report.shut = True
            return batch + left
        run.report.withheld.update(decided.withheld)
        run.report.shut = run.report.shut or decided.unread
        if decided.intended:
            make = partial(asyncio.to_thread, self._gate.make, run.scheduled, decided)
            handing.add([each.row for each in decided.intended], make, asked)
        unused = len(batch) - len(decided.intended)
        if unused:
            await asyncio.to_thread(self._give_turns_back, run.channel, unused)
        return left

    def _keep(self, run: _Run, settled: list[Settled]) -> Future[bool]:
        work, wanted = self._writing(run, settled)
        return self._store.submit(work, wanted=wanted)

    def _writing(self, run: _Run, settled: list[Settled]) -> Writing:
        # A no that the provider knows of takes the locks of every other no.
        objecting = [each.row for each in settled if each.outcome.blame is Blame.OBJECTION]
        wanted = [Lock(LockKind.CLIENT, row.client) for row in objecting]
        wanted += [Lock(LockKind.ADDRESS, row.address) for row in objecting if row.address is not None]
        if any(each.outcome.blame in FEEDS for each in settled):
            wanted.append(Lock(LockKind.CAMPAIGN, run.scheduled.id))
        return Writing(lambda each: self._outcomes.write(each, settled, run.channel, run.carrier.name), wanted)

    def _settled(self, run: _Run, row: Claimed, outcome: Outcome) -> Settled:
        if outcome.kind is not OutcomeKind.DEFERRED:
            return Settled(row, outcome)
        if is_due_at_once(outcome):
            return Settled(row, outcome, row.not_before)  # it is due since then, and late if nobody was awake
        now = self._store.clock()
        return Settled(row, outcome, again_at(outcome, row.attempts, row.planned_at, now, run.windows, run.channel))

    def _claim(self, run: _Run) -> list[Claimed]:
        """Take the next due messages, as many as the channel's pace lets go now; none while its window is closed."""
        channel, most = run.channel, _CLAIMS_AHEAD * self._policy.window

        def work(transaction: Transaction) -> list[Claimed]:
            connection, now = transaction.connection, transaction.now
            if not run.windows.is_open(channel, now):
                opening = run.windows.next_opening(channel, now)
                outbox.postpone(connection, run.scheduled.id, channel, now, opening)
                return []
            room = self._pacing.take(connection, channel, now, most)
            if not room:
                return []
            claimed = handoffs.claim(connection, run.scheduled.id, now, now + LEASE, room, channel)
            self._pacing.give_back(connection, channel, room - len(claimed), now)
            return claimed

        return self._store.write(work)

    def _catch_up(self) -> None:
        """Write down what a database in trouble did not take: it is known, so it is no `unknown`."""
        while self._owed:
            run, settled, rows = self._owed[0]
            if settled:
                self._keep(run, settled).result()
            self._return(run, rows)
            del self._owed[0]

    def _give_back(self, run: _Run, rows: list[Claimed]) -> None:
        try:
            self._return(run, rows)
        except StorageError:
            self._owed.append((run, [], rows))
            raise

    def _return(self, run: _Run, rows: list[Claimed]) -> None:
        if not rows:
            return

        def work(transaction: Transaction) -> None:
            handoffs.give_back_all(transaction.connection, rows)
            self._pacing.give_back(transaction.connection, run.channel, len(rows), transaction.now)

        self._store.write(work)

    def _give_turns_back(self, channel: Channel, unused: int) -> None:
        if channel in self._policy.paces:
            self._store.write(lambda each: self._pacing.give_back(each.connection, channel, unused, each.now))

    def _rest(self, channel: Channel) -> None:
        """Let a channel whose carrier cannot be reached rest for a while."""
        trouble = [Outcome(OutcomeKind.DEFERRED, blame=Blame.CONNECTION)]
        self._store.write(lambda each: self._pacing.heard(each.connection, channel, trouble, each.now))

    def _tick(self) -> float:
        return self._ticks()

    def _today(self) -> date:
        return local_date(self._store.clock(), self._policy.zone)

    def _windows(self, scheduled: Scheduled) -> Windows:
        with self._store.reading() as connection:
            return self._policy.windows_of(self._press.frozen(connection, scheduled).campaign)

    def _may_leave(self, run: _Run, rows: list[Claimed]) -> set[int] | None:
        """Return which of these messages may still leave, or None where the campaign, the day or the hours are over."""
        now = self._store.clock()
        if local_date(now, self._policy.zone) != run.day or not run.windows.is_open(run.channel, now):
            return None
        with self._store.reading() as connection:
            if campaigns.by_id(connection, run.scheduled.id).state is not State.SENDING:
                return None
            return handoffs.not_recalled(connection, rows)

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
        """Close a campaign of which nothing is left to do, and say whether it is closed now.

        What a worker that is gone left without an outcome is given up on once its lease has ended.
        """

        def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            current = campaigns.by_id(connection, scheduled.id)
            if current.state is not State.SENDING or current.planned_at is None:
                return current.state is State.FINISHED
            self._give_up_on(transaction, handoffs.lost(connection, transaction.now, scheduled.id))
            if outbox.count_open(connection, scheduled.id):
                return False
            acts.do(transaction, scheduled.id, Act.FINISH, _ACTOR)
            return True

        return self._store.write(work, wanted=[Lock(LockKind.CAMPAIGN, scheduled.id)])


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
