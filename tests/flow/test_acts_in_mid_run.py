"""What happens to a campaign while it is being sent: held, cancelled, slept through, begun late on the day before."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from dispatcher.channels import RECALLED, MayGo, always
from dispatcher.flow.lifecycle import INTERRUPTED
from dispatcher.rules.actor import duty
from dispatcher.rules.campaign import Campaign, Channel, Kind, State
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.life import NO_SLOT
from dispatcher.rules.message import CampaignMessage, MessageState, Outcome, OutcomeKind, ServiceMessage
from dispatcher.storage import ledger, slots
from dispatcher.wiring import Dispatcher
from tests.flow.carried import begin_by, look
from tests.workshop import ZONE, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
EVENING = datetime(2026, 12, 1, 20, 59, 59, tzinfo=ZONE)
CLIENTS = 60


@dataclass(slots=True)
class Line:
    """A slow mail server that counts what it is given, and seconds; at one message something happens.

    Where it `freezes`, nothing else goes on meanwhile.
    """

    name: str = "line"
    sessions: int = 2
    seconds: float = 0.01
    at: int = -1
    happens: Callable[[], object] = lambda: None
    freezes: bool = False
    now: float = 0.0
    turns: dict[asyncio.AbstractEventLoop, asyncio.Lock] = field(default_factory=dict)
    taken: list[tuple[str, float]] = field(default_factory=list)

    def ticks(self) -> float:
        """Return the seconds that have passed."""
        return self.now

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Line"]:
        """Open a connection."""
        yield self

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message that may still go."""
        async with self.turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            self.now += self.seconds
            if not await may_go():
                return RECALLED
            self.taken.append((message.message_id, self.now))
            if len(self.taken) == self.at and self.freezes:
                self.happens()
            elif len(self.taken) == self.at:
                await asyncio.to_thread(self.happens)
        return Outcome(OutcomeKind.ACCEPTED, code="250")


def standing(dispatcher: Dispatcher) -> dict[str, int]:
    """Return how many messages of the campaign stand where."""
    found = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
    return {**dict(found.messages.get("email", {})), **dict(found.withheld)}


@pytest.mark.parametrize("act", ["hold", "cancel"])
def test_an_act_takes_effect_within_a_second(workshop: Workshop, act: str) -> None:
    """Held or cancelled in mid-run, a campaign stops within a second, though the server has just become slow.

    Nothing else is lost: what had been decided and not handed over is known as that, and released it goes out once.
    """
    line = Line(at=30)
    with workshop.opened() as dispatcher:
        actor = begin_by(line, workshop, dispatcher, CLIENTS, MOMENT)
        acted: list[float] = []

        def happens() -> None:
            getattr(dispatcher.lifecycle, act)("a", actor)
            acted.append(line.now)
            line.seconds = 0.4

        line.happens = happens
        look(dispatcher)
        late = [at for _, at in line.taken if at > acted[0] + 1]
        assert [] == late
        assert 30 <= len(line.taken) < CLIENTS
        accepted = len(line.taken)
        if act == "hold":
            look(dispatcher)
            assert accepted == len(line.taken)
            dispatcher.lifecycle.release("a", actor)
        else:
            dispatcher.lifecycle.due(duty("planning"))
            left = {MessageState.ACCEPTED.value: accepted, "campaign_cancelled": CLIENTS - accepted}
            assert left == {state: count for state, count in standing(dispatcher).items() if count}
        look(dispatcher)
        assert (CLIENTS if act == "hold" else accepted) == len(line.taken) == len({name for name, _ in line.taken})
        assert () == dispatcher.audit.year(2026).findings


@pytest.mark.parametrize(("slept", "goes_on"), [(timedelta(hours=3), True), (timedelta(hours=23), False)])
def test_a_run_cut_by_sleep(workshop: Workshop, slept: timedelta, *, goes_on: bool) -> None:
    """Invariant 6: a run cut by sleep goes on inside the same day's window, and is held on another day."""
    line = Line(at=30, freezes=True)
    with workshop.opened() as dispatcher:
        actor = begin_by(line, workshop, dispatcher, CLIENTS, MOMENT)

        def happens() -> None:
            workshop.clock.advance(slept)
            line.now += slept.total_seconds()

        line.happens = happens
        look(dispatcher)
        look(dispatcher)
        found = dispatcher.lifecycle.named("a")
        if goes_on:
            assert (CLIENTS, State.FINISHED) == (len(line.taken), found.state)
            return
        assert (State.HELD, INTERRUPTED) == (found.state, found.held_reason)
        assert 30 == len(line.taken)
        dispatcher.lifecycle.release("a", actor)
        look(dispatcher)
        assert CLIENTS == len(line.taken) == len({name for name, _ in line.taken})
        assert () == dispatcher.audit.year(2026).findings


def test_planning_cut_by_sleep_is_held_too(workshop: Workshop) -> None:
    """Invariant 6: a campaign that had begun and planned nothing yet does not go on by itself on another day."""
    line = Line()
    with workshop.opened() as dispatcher:
        actor = begin_by(line, workshop, dispatcher, CLIENTS, MOMENT)
        dispatcher.plan._begin(dispatcher.lifecycle.named("a"))
        workshop.clock.advance(timedelta(days=1))
        look(dispatcher)
        assert (State.HELD, []) == (dispatcher.lifecycle.named("a").state, line.taken)
        dispatcher.lifecycle.release("a", actor)
        look(dispatcher)
        assert CLIENTS == len(line.taken)


def test_what_waits_for_the_next_window_was_not_slept_through(workshop: Workshop) -> None:
    """A run that cannot finish today goes on in the next window by itself; its slot lies on the day of its hand-off.

    It began in the last second of the day's window, and its first message leaves the next morning (invariant 3).
    """
    line = Line()
    with workshop.opened() as dispatcher:
        begin_by(line, workshop, dispatcher, CLIENTS, EVENING)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        workshop.clock.advance(timedelta(seconds=3))
        look(dispatcher)
        assert [] == line.taken
        workshop.clock.set(datetime(2026, 12, 2, 7, 0, tzinfo=ZONE))
        look(dispatcher)
        assert CLIENTS == len(line.taken)
        with dispatcher.store.reading() as connection:
            days = [slot.date for slot in slots.near(connection, date(2026, 12, 1))]
            told = [entry.data()["event"] for entry in ledger.entries(connection, [EntryKind.SLOT.value])]
        assert ([date(2026, 12, 2)], ["taken", "spent", "moved"]) == (days, told)
        found = dispatcher.audit.year(2026)
        assert ((), date(2026, 12, 2)) == (found.findings, found.campaigns[0].day)


def test_a_first_hand_off_in_a_full_year_is_held(workshop: Workshop) -> None:
    """Invariant 3: begun on New Year's Eve, a campaign leaves nothing on New Year's Day where the new year is full."""
    line = Line()
    eve = EVENING.replace(day=31)
    with workshop.opened() as dispatcher:
        actor = begin_by(line, workshop, dispatcher, CLIENTS, eve)
        for each in range(12):
            moment = datetime(2027, 12, 20 + each, 8, 0, tzinfo=UTC)
            bare = Campaign(f"c{each}", f"C{each}", Kind.OFFER, moment, (Channel.EMAIL,), {}, "offer")
            dispatcher.schedule.take(bare, {}, actor)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        workshop.clock.advance(timedelta(seconds=3))
        look(dispatcher)
        workshop.clock.set(datetime(2027, 1, 1, 7, 0, tzinfo=ZONE))
        look(dispatcher)
        found = dispatcher.lifecycle.named("a")
        assert (State.HELD, NO_SLOT, []) == (found.state, found.held_reason, line.taken)
        dispatcher.lifecycle.cancel("c3", actor)
        dispatcher.lifecycle.release("a", actor)
        look(dispatcher)
        assert CLIENTS == len(line.taken)
        assert () == dispatcher.audit.year(2027).findings


def test_released_in_the_night_it_waits_for_its_hour(workshop: Workshop) -> None:
    """Invariant 6: the grace counts from the next open hour, so that a release at night is not late in the morning."""
    line = Line()
    with workshop.opened() as dispatcher:
        actor = begin_by(line, workshop, dispatcher, CLIENTS, MOMENT)
        dispatcher.lifecycle.hold("a", actor)
        workshop.clock.set(datetime(2026, 12, 1, 22, 0, tzinfo=ZONE))
        released = dispatcher.lifecycle.release("a", actor)
        morning = datetime(2026, 12, 2, 7, 0, tzinfo=ZONE)
        assert (morning, date(2026, 12, 2)) == (released.send_at, released.day)
        with dispatcher.store.reading() as connection:
            assert [date(2026, 12, 2)] == [slot.date for slot in slots.near(connection, released.day)]
        look(dispatcher)
        assert [] == line.taken
        workshop.clock.set(morning)
        look(dispatcher)
        assert CLIENTS == len(line.taken)
        assert () == dispatcher.audit.year(2026).findings
