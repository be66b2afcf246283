"""What is under way between the gate and the ledger: never more than the window, and nothing of it is lost."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from threading import Event

import pytest
from sqlalchemy import func, select

from dispatcher.channels import MayGo, always
from dispatcher.errors import RenderingError, StorageError
from dispatcher.flow import handing
from dispatcher.flow.gate import Decided, Gate
from dispatcher.flow.handing import Tempo
from dispatcher.flow.outcomes import Outcomes
from dispatcher.flow.preparing import Prepared
from dispatcher.rules.campaign import State
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.life import UNMADE
from dispatcher.rules.message import CampaignMessage, MessageState, Outcome, OutcomeKind, ServiceMessage
from dispatcher.storage import ledger
from dispatcher.storage.tables import OutboxTable
from dispatcher.wiring import Dispatcher
from tests.flow.carried import begin_by, narrow
from tests.workshop import Workshop

CLIENTS, WINDOW = 40, 8


@dataclass(slots=True)
class Watched:
    """A mail server that looks at the outbox whenever it is given a message."""

    look: Callable[[], int] = lambda: 0
    name: str = "watched"
    sessions: int = 3
    breaks_at: int = 0
    open_at_once: list[int] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Watched"]:
        """Open a connection."""
        yield self

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message, or break in the middle of it."""
        self.open_at_once.append(await asyncio.to_thread(self.look))
        assert await may_go()
        self.taken.append(message.message_id)
        if len(self.taken) == self.breaks_at:
            raise OSError("the wire broke")
        return Outcome(OutcomeKind.ACCEPTED, "250")


@dataclass(slots=True)
class Slow(Watched):
    """A mail server that answers its first message after all the others."""

    all_others: asyncio.Event = field(default_factory=asyncio.Event)

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message; the first one waits."""
        outcome = await Watched.hand_over(self, message, may_go)
        if len(self.taken) == CLIENTS:
            self.all_others.set()
        if self.taken[0] == message.message_id:
            await self.all_others.wait()
        return outcome


def begin(workshop: Workshop, dispatcher: Dispatcher, line: Watched) -> None:
    """Begin a campaign by this server, and let it look at what is open."""
    begin_by(line, workshop, dispatcher, CLIENTS)
    line.look = lambda: attempting(dispatcher)


def attempting(dispatcher: Dispatcher) -> int:
    """Return how many messages have an intent and no outcome."""
    query = select(func.count()).where(OutboxTable.state == MessageState.ATTEMPTING.value)
    with dispatcher.store.reading() as connection:
        return int(connection.scalar(query) or 0)


def test_no_more_is_under_way_than_the_window(workshop: Workshop) -> None:
    """E-52: at every hand-off there are no more open intents than the window, and the window is made use of."""
    narrow(workshop, WINDOW)
    line = Watched()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        asyncio.run(dispatcher.rounds.once())
    assert CLIENTS == len(line.taken) == len(set(line.taken))
    assert line.sessions < max(line.open_at_once) <= WINDOW


def test_a_batch_is_what_no_session_has_in_hand(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the tempo is known, as many are decided together as the window leaves room for beside the sessions."""
    narrow(workshop, WINDOW)
    line = Watched()
    with workshop.opened() as dispatcher:
        monkeypatch.setattr(dispatcher.deliver, "_ticks", lambda: 0.0)  # the tempo of a machine that is never busy
        begin(workshop, dispatcher, line)
        asyncio.run(dispatcher.rounds.once())
        with dispatcher.store.reading() as connection:
            groups = [entry.group for entry in ledger.entries(connection, [EntryKind.SEND.value])]
    batches = list(Counter(groups).values())
    assert CLIENTS == sum(batches)
    assert all(size >= WINDOW - line.sessions for size in batches[3:-1]), batches


def test_a_slow_reply_holds_one_message_and_no_batch(workshop: Workshop) -> None:
    """E-52: while one session waits for its reply, all the others are handed over, batch upon batch."""
    narrow(workshop, WINDOW)
    line = Slow()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        asyncio.run(asyncio.wait_for(dispatcher.rounds.once(), 60))
    assert CLIENTS == len(line.taken) == len(set(line.taken))


def test_a_window_narrower_than_the_sessions_holds_as_well(workshop: Workshop) -> None:
    """E-52: whoever wants one unknown at most has one connection at work, however many there may be."""
    narrow(workshop, 1)
    line = Watched()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        asyncio.run(dispatcher.rounds.once())
    assert (CLIENTS, 1) == (len(line.taken), max(line.open_at_once))


def test_somebody_who_is_told_and_breaks_stops_the_run(workshop: Workshop) -> None:
    """E-52: trouble with what is told of an outcome ends the run in order; the outcome itself is kept."""
    narrow(workshop, WINDOW)
    line = Watched()
    told: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        told.append(outcome)
        if len(told) > 2:
            raise OSError("nobody listens")

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        with pytest.raises(OSError, match="nobody listens"):
            asyncio.run(asyncio.wait_for(dispatcher.rounds.once(on_outcome=tell), 20))
        assert 0 == attempting(dispatcher)
        counts = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id).messages["email"]
    assert len(line.taken) == counts["accepted"] < CLIENTS


def test_a_session_that_breaks_loses_one_message_and_no_other(workshop: Workshop) -> None:
    """E-51: what broke in the middle is unknown for good; the others in its window go out, once."""
    narrow(workshop, WINDOW)
    line = Watched(breaks_at=11)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        with pytest.raises(OSError, match="the wire broke"):
            asyncio.run(dispatcher.rounds.once())
        assert 1 == attempting(dispatcher)
        assert 1 == dispatcher.deliver.recover(alone=True)
        asyncio.run(dispatcher.rounds.once())
        standing = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
        assert State.FINISHED is dispatcher.lifecycle.named("a").state
        assert () == dispatcher.audit.year(2026).findings
    counts = standing.messages["email"]
    assert (CLIENTS - 1, 1) == (counts["accepted"], counts["unknown"])
    assert CLIENTS == len(line.taken) == len(set(line.taken))


def test_a_mail_that_cannot_be_made_holds_the_campaign(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-36: emails are made after their intents are on disk; where one cannot be, nobody's fate is unknown."""
    narrow(workshop, WINDOW)
    line, made, broken = Watched(), Prepared.message, [0]

    def message(self: Prepared, *given: object, **more: object) -> CampaignMessage:
        broken[0] -= 1
        if not broken[0]:
            raise RenderingError("The template fails for one client.")
        return made(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Prepared, "message", message)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        broken[0] = 5
        [worked] = asyncio.run(dispatcher.rounds.once())
        held = dispatcher.lifecycle.named("a")
        assert (State.HELD, UNMADE) == (held.state, held.held_reason)
        assert "The template fails" in str(worked.trouble)
        assert 0 == attempting(dispatcher)
        assert len(line.taken) < 5
        dispatcher.lifecycle.release("a", dispatcher.persons.acting(None))
        asyncio.run(dispatcher.rounds.once())
        assert State.FINISHED is dispatcher.lifecycle.named("a").state
        assert () == dispatcher.audit.year(2026).findings
    assert CLIENTS == len(line.taken) == len(set(line.taken))


def test_what_a_database_in_trouble_did_not_take_is_written_later(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-52: outcomes and claims that could not be written are kept and written once that works: nobody is unknown."""
    narrow(workshop, WINDOW)
    line, write, is_full = Watched(), Outcomes.write, Event()

    def fails(self: Outcomes, *given: object) -> bool:
        if is_full.is_set():
            raise StorageError("The disk is full.")
        return write(self, *given)  # type: ignore[arg-type]

    is_full.set()
    monkeypatch.setattr(Outcomes, "write", fails)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        with pytest.raises(StorageError, match="full"):
            asyncio.run(dispatcher.rounds.once())
        given = len(line.taken)
        assert 0 < given <= attempting(dispatcher) <= WINDOW
        with pytest.raises(StorageError, match="full"):
            asyncio.run(dispatcher.rounds.once())
        assert given == len(line.taken)
        is_full.clear()
        asyncio.run(dispatcher.rounds.once())
        standing = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
        assert State.FINISHED is dispatcher.lifecycle.named("a").state
        assert () == dispatcher.audit.year(2026).findings
    assert {"accepted": CLIENTS} == {state: count for state, count in standing.messages["email"].items() if count}
    assert CLIENTS == len(line.taken) == len(set(line.taken))


def test_outcomes_share_the_commit_of_the_next_intents(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-52: what is known when the next are decided is written with them, so that two steps wait for the disk once."""
    monkeypatch.setattr(handing, "_COMPANY_SECONDS", 3_600)  # nothing is written for having waited
    narrow(workshop, WINDOW)
    line = Watched()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        asyncio.run(dispatcher.rounds.once())
        together: dict[int, set[str]] = defaultdict(set)
        with dispatcher.store.reading() as connection:
            for entry in ledger.entries(connection, [EntryKind.SEND.value, EntryKind.OUTCOME.value]):
                together[entry.group].add(entry.kind)
    assert {"send", "outcome"} in together.values()
    assert [{"outcome"}] == [kinds for kinds in together.values() if "send" not in kinds], "only the last have no next"


def test_outcomes_are_kept_where_the_commit_they_shared_was_not(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-52: where the next cannot be decided, what is known of the last is written by itself: nobody is unknown."""
    narrow(workshop, WINDOW)
    line, decide, calls = Watched(), Gate._decide, [0]

    def fails(self: Gate, *given: object) -> Decided:
        calls[0] += 1
        if calls[0] == 3:
            raise StorageError("The disk is full.")
        return decide(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Gate, "_decide", fails)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        with pytest.raises(StorageError, match="full"):
            asyncio.run(dispatcher.rounds.once())
        given = len(line.taken)
        assert (0, True) == (attempting(dispatcher), 0 < given < CLIENTS)
        asyncio.run(dispatcher.rounds.once())
        assert () == dispatcher.audit.year(2026).findings
    assert CLIENTS == len(line.taken) == len(set(line.taken))


def test_the_tempo_follows_a_server_that_becomes_slow() -> None:
    """The window is what the sessions take in a second: it shrinks while a server lets everybody wait."""
    now = [0.0]
    tempo = Tempo(lambda: now[0], 128)
    assert 0 == tempo.per_second()
    for _ in range(128):
        now[0] += 0.01
        tempo.note()
    assert 100 == round(tempo.per_second())
    now[0] += 30
    assert tempo.per_second() < 5
