"""Intents -> sessions -> outcomes: what is under way between the gate and the ledger, and how much there may be."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from dispatcher.channels import RECALLED, ForesightedSession, MayGo, Session, nobody
from dispatcher.errors import StorageError
from dispatcher.flow.gate import Passed
from dispatcher.flow.outcomes import Settled
from dispatcher.flow.pacing import NOT_TRIED
from dispatcher.rules.message import Blame, CampaignMessage, Outcome, OutcomeKind
from dispatcher.storage.handoffs import Claimed

FRESH_SECONDS = 0.4
"""How long what the database said of a message is believed: a no takes effect within a second at any pace (E-12)."""
_COMPANY_SECONDS = 0.02
"""How long an outcome waits for others to share its commit: nothing beside the wait for a mail server's reply."""
_COMPANY = 128
"""How many outcomes need no further company."""
_CHANNEL_WIDE = frozenset({Blame.CONNECTION, Blame.QUOTA})


class Tempo:
    """Measures how many messages the sessions take in a second, from the last ones; `ticks` counts seconds."""

    def __init__(self, ticks: Callable[[], float], most: int) -> None:
        self._ticks = ticks
        self._ends: deque[float] = deque(maxlen=most + 1)

    def note(self) -> None:
        """Note that a session is through with a message."""
        self._ends.append(self._ticks())

    def per_second(self) -> float:
        """Return the rate; nought while nothing is known."""
        if len(self._ends) < 2:
            return 0.0
        return (len(self._ends) - 1) / max(self._ticks() - self._ends[0], 0.001)


class StillGoing:
    """Knows which of the messages under way may still leave, and asks again once that is no longer fresh.

    `ask` is given rows and returns those that may, or None where the whole campaign may not go on.
    """

    def __init__(self, ask: Callable[[list[Claimed]], set[int] | None], ticks: Callable[[], float]) -> None:
        self._ask = ask
        self._ticks = ticks
        self._known: dict[int, tuple[float, Claimed]] = {}
        self._asking = asyncio.Lock()
        self.is_shut = False

    def add(self, row: Claimed, asked: float) -> None:
        """Take up a message of which the gate has just said that it may go; `asked` is when the gate was."""
        self._known[row.id] = (asked, row)

    def shut(self) -> None:
        """Let nothing more leave: the campaign was held."""
        self.is_shut = True

    def end(self, row: Claimed) -> None:
        """Let go of a message."""
        self._known.pop(row.id, None)

    async def may_go(self, row: Claimed) -> bool:
        """Say whether a message may still leave, by no older knowledge than FRESH_SECONDS.

        Where the database cannot say, it may not.
        """
        if self._is_old(row):
            async with self._asking:
                if self._is_old(row):
                    await self._ask_again()
        return not self.is_shut and row.id in self._known

    def _is_old(self, row: Claimed) -> bool:
        known = self._known.get(row.id)
        return not self.is_shut and known is not None and self._ticks() - known[0] >= FRESH_SECONDS

    async def _ask_again(self) -> None:
        asked, rows = self._ticks(), [row for _, row in self._known.values()]
        try:
            good = await asyncio.to_thread(self._ask, rows)
        except StorageError:
            good = None
        if good is None:
            self.is_shut = True
            return
        for row in rows:
            if row.id in good:
                self._known[row.id] = (asked, row)
            else:
                self._known.pop(row.id, None)


Make = Callable[[], Awaitable[list[Passed]]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a run is told and asked of messages under way.

    `keep` has outcomes written and says in the end whether the campaign was held for them.
    """

    outcome: Callable[[Passed, Outcome], None]
    settled: Callable[[Claimed, Outcome], Settled]
    keep: Callable[[list[Settled]], Future[bool]]
    stops: Callable[[], bool]


class Handing:
    """Hands over what has its intent, by several sessions at once, and has every outcome written as it comes.

    No session waits for the disk before its next message: their intents are on it already. Once an outcome cannot be
    kept, or somebody says stop, nothing more is handed over; what is left is known not to have been tried.
    """

    def __init__(self, sessions: list[Session], still: StillGoing, told: Told, tempo: Tempo) -> None:
        self._still = still
        self._told = told
        self._tempo = tempo
        self._waiting: deque[Passed] = deque()
        self._moved = asyncio.Event()
        self._came = asyncio.Event()
        self._record = _Record(told.keep, self._written, still.shut)
        self._is_last = self._is_broken = False
        self._goal = 0
        self._making: asyncio.Task[None] | None = None
        self._unmade: BaseException | None = None
        self.under_way = 0
        """Messages with an intent whose outcome is not on its way to the disk yet."""
        self._ahead: list[list[Passed]] = [[] for _ in sessions]
        """For each session, the message it was told comes next, as long as it has not been given that."""
        works = zip(sessions, self._ahead, strict=True)
        self._works = [asyncio.create_task(self._work(session, ahead)) for session, ahead in works]
        self._minding = asyncio.create_task(self._mind_the_slow())

    @property
    def unwritten(self) -> list[Settled]:
        """Return what is known of messages and could not be written down."""
        return self._record.unwritten

    @property
    def may_go_on(self) -> bool:
        """Say whether more may be handed over."""
        broken = self._is_broken or self._unmade or self._record.trouble
        return not (broken or self._told.stops() or self._still.is_shut)

    def add(self, rows: list[Claimed], make: Make, asked: float) -> None:
        """Take messages up that have their intent; `make` makes them, and `asked` is when the gate was asked.

        They are made while the next are decided, in their order.
        """
        self.under_way += len(rows)
        self._making = asyncio.create_task(self._made(rows, make, asked, self._making))

    async def _made(self, rows: list[Claimed], make: Make, asked: float, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        try:
            passed = await make()
        except BaseException as error:  # noqa: BLE001 - whatever it was, `end` raises it
            self._unmade = self._unmade or error
            self._record.add(*(self._told.settled(row, not_tried()) for row in rows))
            self._moved.set()
            return
        for each in passed:
            self._still.add(each.row, asked)
        self._waiting.extend(passed)
        self._came.set()

    async def room(self, most: int, waiting: int) -> int:
        """Wait until more may be under way, or nothing more may be, and return how many may; `most` in all.

        What a batch costs beside its messages is shared by as many as can be: where more are `waiting` than there is
        room for, all is waited for that is not in a session's hands, and never for one that is slow.
        """
        wanted = min(waiting, max(1, most // 2, most - len(self._works)))
        self._goal = most - wanted
        while self.may_go_on and self._open > self._goal:
            self._moved.clear()
            with suppress(TimeoutError):
                # Looks up now and then: a stop comes without an outcome.
                await asyncio.wait_for(self._moved.wait(), 0.2)
        return max(0, most - self._open) if self.may_go_on else 0

    @property
    def _open(self) -> int:
        """Return how many are under way of which nothing is known yet: what is known is written before the next."""
        return self.under_way - self._record.known

    def take_known(self) -> list[Settled]:
        """Take the outcomes that nobody has begun to write: they share the commit of the next intents."""
        return self._record.take()

    def wrote(self, known: list[Settled]) -> None:
        """Take note that outcomes taken are on disk."""
        self._written(len(known))

    def put_back(self, known: list[Settled]) -> None:
        """Have outcomes taken written by themselves after all: nothing came of the commit they were to share."""
        if known:
            self._record.add(*known)

    async def end(self) -> None:
        """Return once every message is handed over or known not to be, and every outcome is on disk.

        Raises what kept an outcome away from it, and RenderingError for a message that could not be made.
        """
        if self._making is not None:
            await self._making
        self._is_last = True
        self._came.set()
        try:
            ended = await asyncio.gather(*self._works, return_exceptions=True)
        finally:
            self._minding.cancel()
        while self._waiting:
            row, _ = self._waiting.popleft()
            self._record.add(self._told.settled(row, not_tried()))
        await self._record.finish()
        for each in (self._unmade, *ended):
            if isinstance(each, BaseException):
                raise each

    async def _work(self, session: Session, ahead: list[Passed]) -> None:
        if isinstance(session, ForesightedSession):
            session.look_ahead(partial(self._look_ahead, ahead))
        try:
            while self.may_go_on:
                if not ahead and not self._waiting:
                    # What a slow session was told comes next may be for this one yet.
                    if self._is_last and not any(self._ahead):
                        return
                    self._came.clear()
                    await self._came.wait()
                    continue
                passed = ahead.pop() if ahead else self._waiting.popleft()
                if self._is_last:
                    self._came.set()
                await self._hand_over(session, passed)
        except BaseException:
            self._is_broken = True  # nobody may know what became of this one; the others end in order
            raise
        finally:
            self._waiting.extendleft(ahead)
            ahead.clear()
            self._came.set()
            if isinstance(session, ForesightedSession):
                session.look_ahead(nobody)

    def _look_ahead(self, ahead: list[Passed]) -> CampaignMessage | None:
        # Where there is not one for every session, each is for whoever is free first.
        if len(self._waiting) < len(self._works) or not self.may_go_on:
            return None
        ahead.append(self._waiting.popleft())
        return ahead[0].message

    async def _mind_the_slow(self) -> None:
        """Let others have what a session was told comes next and does not come to: a slow server holds one message."""
        seen: list[Passed | None] = [None] * len(self._ahead)
        while True:
            await asyncio.sleep(FRESH_SECONDS)
            for ahead, before in zip(self._ahead, seen, strict=True):
                if ahead and ahead[0] is before:
                    self._waiting.append(ahead.pop())
                    self._came.set()
            seen = [ahead[0] if ahead else None for ahead in self._ahead]

    async def _hand_over(self, session: Session, passed: Passed) -> None:
        row = passed.row
        outcome = await session.hand_over(passed.message, self._asks(row))
        self._still.end(row)
        self._tempo.note()
        self._record.add(self._told.settled(row, outcome))
        self._told.outcome(passed, outcome)
        if self._open <= self._goal:
            self._moved.set()

    def _asks(self, row: Claimed) -> MayGo:
        def may_go() -> Awaitable[bool]:
            return self._still.may_go(row)

        return may_go

    def _written(self, count: int) -> None:
        self.under_way -= count
        self._moved.set()


def not_tried() -> Outcome:
    """Return what became of a message that was never handed over, so that it is no `unknown`."""
    return Outcome(OutcomeKind.DEFERRED, code=NOT_TRIED)


def concerns_channel(outcome: Outcome) -> bool:
    """Say whether an outcome makes its whole channel wait."""
    return outcome.blame in _CHANNEL_WIDE


def is_due_at_once(outcome: Outcome) -> bool:
    """Say whether a message never came as far as its provider, so that it may be asked about again at once."""
    return outcome.code in {NOT_TRIED, RECALLED.code}


class _Record:
    """Has outcomes written that nobody takes to share another commit; those of a few milliseconds share one.

    `written` is told how many are on their way to the disk, and `shut` that the campaign was held for one of them.
    `unwritten` are those that a database in trouble did not take.
    """

    def __init__(
        self, write: Callable[[list[Settled]], Future[bool]], written: Callable[[int], None], shut: Callable[[], None]
    ) -> None:
        self._write = write
        self._written = written
        self._shut = shut
        self.unwritten: list[Settled] = []
        self._waiting: list[Settled] = []
        self._writing: asyncio.Task[None] | None = None
        self._enough = asyncio.Event()
        self._is_last = False
        self.trouble: BaseException | None = None

    @property
    def known(self) -> int:
        """Return how many outcomes nobody has begun to write."""
        return len(self._waiting)

    def take(self) -> list[Settled]:
        """Take what nobody has begun to write, to write it elsewhere."""
        taken, self._waiting = self._waiting, []
        return taken

    def add(self, *settled: Settled) -> None:
        """Have more outcomes written soon."""
        self._waiting += settled
        if len(self._waiting) >= _COMPANY:
            self._enough.set()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Return once all is on disk. Raises what kept an outcome away from it."""
        self._is_last = True
        self._enough.set()
        if self._writing is not None:
            await self._writing
        if self.trouble is not None:
            raise self.trouble

    async def _run(self) -> None:
        while self._waiting:
            if not self._is_last:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._enough.wait(), _COMPANY_SECONDS)
            taken = self.take()
            if not self._is_last:
                self._enough.clear()
            if not taken:
                continue
            writing = asyncio.wrap_future(self._write(taken))
            # Writes keep their order: what is decided from now on is committed with these, or after them.
            self._written(len(taken))
            (ended,) = await asyncio.gather(writing, return_exceptions=True)
            if isinstance(ended, BaseException):
                self.trouble = self.trouble or ended
                self.unwritten += taken
            elif ended:
                self._shut()
