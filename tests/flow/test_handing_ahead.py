"""What a session is told comes next: it is given that, or another is, and nothing is lost in between."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from threading import Event

from dispatcher.channels import MayGo, Peek, always, nobody
from dispatcher.flow.gate import Passed
from dispatcher.flow.handing import Handing, StillGoing, Tempo, Told
from dispatcher.flow.outcomes import Settled
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.message import CampaignMessage, Email, Outcome, OutcomeKind, ServiceMessage
from dispatcher.storage.handoffs import Claimed
from tests.conftest import NOON
from tests.flow.carried import narrow
from tests.flow.test_handing import CLIENTS, WINDOW, Slow, Watched, attempting, begin
from tests.workshop import Workshop


@dataclass(slots=True)
class Foresighted(Watched):
    """A mail server whose only session asks what comes next; at the seventh message it is told to stop."""

    sessions: int = 1
    peek: Peek = nobody
    told: list[str] = field(default_factory=list)
    stops: Event = field(default_factory=Event)

    def look_ahead(self, peek: Peek) -> None:
        """Learn whom to ask."""
        self.peek = peek

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message, which has to be the one it was told of."""
        assert [message.message_id] == self.told or not self.told
        following = self.peek()
        self.told = [following.message_id] if following else []
        if len(self.taken) == 6:
            self.stops.set()
        return await Watched.hand_over(self, message, may_go)


@dataclass(slots=True)
class SlowAndForesighted(Slow):
    """A mail server that answers its first message after all the others, and asks what comes next on each session."""

    sessions: int = 2
    announced: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def session(self) -> AsyncIterator["AskingConnection"]:  # type: ignore[override]
        """Open a connection."""
        yield AskingConnection(self)


@dataclass(slots=True)
class AskingConnection:
    """One connection to it."""

    line: SlowAndForesighted
    peek: Peek = nobody

    def look_ahead(self, peek: Peek) -> None:
        """Learn whom to ask."""
        self.peek = peek

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message, and ask for the one after the first."""
        if not self.line.announced and (following := self.peek()):
            self.line.announced.append(following.message_id)
        return await self.line.hand_over(message, may_go)


def test_a_slow_reply_gives_up_what_its_session_was_told(workshop: Workshop) -> None:
    """E-52: what a slow session was told comes next is handed over by another, so that it holds one message alone."""
    narrow(workshop, WINDOW)
    line = SlowAndForesighted()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        asyncio.run(asyncio.wait_for(dispatcher.rounds.once(), 60))
    assert CLIENTS == len(line.taken) == len(set(line.taken))
    assert 1 == len(set(line.announced) & set(line.taken[1:]))


def test_what_a_session_was_told_comes_next(workshop: Workshop) -> None:
    """E-54: a session is given the very message it was told of; each goes once, within the window."""
    narrow(workshop, WINDOW)
    line = Foresighted()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        asyncio.run(dispatcher.rounds.once())
    assert CLIENTS == len(line.taken) == len(set(line.taken))
    assert max(line.open_at_once) <= WINDOW
    assert line.peek is nobody


def test_a_stop_gives_back_what_a_session_was_told(workshop: Workshop) -> None:
    """E-51: a message that was told of and not handed over any more was not tried: no unknown, and it goes later."""
    narrow(workshop, WINDOW)
    line = Foresighted()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, line)
        asyncio.run(dispatcher.rounds.once(stop=line.stops.is_set))
        assert len(line.taken) == 7
        assert 0 == attempting(dispatcher)
        (told,), line.told = line.told, []
        assert told not in line.taken
        asyncio.run(dispatcher.rounds.once())
        assert State.FINISHED is dispatcher.lifecycle.named("a").state
        assert () == dispatcher.audit.year(2026).findings
    assert CLIENTS == len(line.taken) == len(set(line.taken))


@dataclass(slots=True)
class Gated:
    """A session that asks what comes next, and answers once it is let."""

    taken: list[str]
    enough: asyncio.Event
    is_open: asyncio.Event
    most: int
    peek: Peek = nobody

    def look_ahead(self, peek: Peek) -> None:
        """Learn whom to ask."""
        self.peek = peek

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message."""
        assert await may_go()
        self.taken.append(message.message_id)
        self.peek()
        if len(self.taken) == self.most:
            self.enough.set()
        await self.is_open.wait()
        return Outcome(OutcomeKind.ACCEPTED, "250")


def test_at_the_end_of_a_run_too_a_slow_session_holds_one_message() -> None:
    """E-52: who has nothing left to do waits for what a slow session was told comes next, and hands that over."""
    rows = [Claimed(number, 1, number, number, Channel.EMAIL, f"m{number}", 0, 1, NOON, NOON) for number in range(4)]

    async def run() -> list[str]:
        taken: list[str] = []
        enough, slow, quick = asyncio.Event(), asyncio.Event(), asyncio.Event()
        quick.set()
        written: Future[bool] = Future()
        written.set_result(False)

        async def make() -> list[Passed]:
            mail = Email("b@studio.example", "anna@mail.example", b"")
            return [Passed(row, CampaignMessage(row.message_id, mail)) for row in rows]

        told = Told(lambda *_: None, Settled, lambda _settled: written, lambda: False)
        still = StillGoing(lambda known: {row.id for row in known}, lambda: 0.0)
        sessions = [Gated(taken, enough, gate, len(rows)) for gate in (slow, quick)]
        handing = Handing([*sessions], still, told, Tempo(lambda: 0.0, WINDOW))
        handing.add(rows, make, 0.0)
        ending = asyncio.create_task(handing.end())
        await asyncio.wait_for(enough.wait(), 20)
        slow.set()
        await ending
        return taken

    assert {"m0", "m1", "m2", "m3"} == set(asyncio.run(run()))
