"""A no while a message is being handed over: it does not leave, however slow the mail server is (E-12)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from dispatcher.channels import RECALLED, MayGo, always
from dispatcher.rules.campaign import Kind
from dispatcher.rules.message import CampaignMessage, Email, Outcome, OutcomeKind, ServiceMessage
from dispatcher.wiring import Dispatcher
from tests.flow.carried import begin_by, look
from tests.workshop import Workshop

CLIENTS = 6


@dataclass(slots=True)
class Tarpit:
    """A mail server that lets the first message wait before it is asked for its words; meanwhile `happens`."""

    happens: Callable[[], object] = lambda: None
    name: str = "tarpit"
    sessions: int = 2
    now: float = 0.0
    waited: bool = False
    taken: list[str] = field(default_factory=list)
    slow: str = ""

    def ticks(self) -> float:
        """Return the seconds that have passed."""
        return self.now

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Tarpit"]:
        """Open a connection."""
        yield self

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Let one message wait, and for a second longer than what happens meanwhile."""
        assert isinstance(message.content, Email)
        recipient = message.content.recipient
        if recipient == self.slow and not self.waited:
            self.waited = True
            await asyncio.to_thread(self.happens)
            self.now += 1.0
        if not await may_go():
            return RECALLED
        self.taken.append(recipient)
        return Outcome(OutcomeKind.ACCEPTED, "250")


def leave(dispatcher: Dispatcher, who: str) -> None:
    """Say no as a client does by their link."""
    number = dispatcher.register.find(who)
    dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))


@pytest.mark.parametrize("slow", ["c0@posti.example", "c3@posti.example"])
def test_a_no_reaches_a_message_that_a_slow_server_lets_wait(workshop: Workshop, slow: str) -> None:
    """E-12: whoever says no between DATA and the body gets nothing; their message ends as withheld, the others go."""
    line = Tarpit(slow=slow)
    with workshop.opened() as dispatcher:
        begin_by(line, workshop, dispatcher, CLIENTS)
        line.happens = lambda: leave(dispatcher, slow)
        look(dispatcher)
        look(dispatcher)
        standing = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
        found = dispatcher.audit.year(2026)
    assert line.waited
    assert {f"c{n}@posti.example" for n in range(CLIENTS)} - {slow} == set(line.taken)
    assert CLIENTS - 1 == len(line.taken)
    assert ({"objection": 1}, CLIENTS - 1) == (dict(standing.withheld), standing.messages["email"]["accepted"])
    assert () == found.findings


@pytest.mark.parametrize(("unwanted", "reached"), [(Kind.OFFER, False), (Kind.TREATMENT_DAY, True)])
def test_a_topic_nobody_wants_any_more_does_not_leave(workshop: Workshop, unwanted: Kind, *, reached: bool) -> None:
    """E-12: who gives a topic up between DATA and the body gets nothing of it; what they still want comes once."""
    line = Tarpit(slow="c0@posti.example")
    with workshop.opened() as dispatcher:
        begin_by(line, workshop, dispatcher, CLIENTS)
        number = dispatcher.register.find("c0@posti.example")
        wanted = set(Kind) - {unwanted}
        line.happens = lambda: dispatcher.marks.choose_topics(number, wanted, dispatcher.persons.acting(None))
        look(dispatcher)
        line.slow = ""
        look(dispatcher)
    assert reached == ("c0@posti.example" in line.taken)
    assert CLIENTS - (not reached) == len(line.taken)


def test_a_no_of_one_who_shares_the_address_reaches_it_too(workshop: Workshop) -> None:
    """S-35: the message under way to an address stops for the no of another client who has it."""
    line = Tarpit(slow="c0@posti.example")
    with workshop.opened() as dispatcher:
        begin_by(line, workshop, dispatcher, CLIENTS)
        actor = dispatcher.persons.acting(None)
        shared = "90;Toinen;N;c0@posti.example;;fi;3.1.2026;;;3.1.2026"
        dispatcher.enrol.run(workshop.register(shared, name="more.csv"), actor)
        [other] = [each.number for each in dispatcher.register.listed("Toinen")]
        line.happens = lambda: dispatcher.preferences.withdraw(other, actor)
        look(dispatcher)
        look(dispatcher)
    assert "c0@posti.example" not in line.taken
    assert CLIENTS - 1 == len(line.taken)


def test_nothing_leaves_after_the_hours_have_ended(workshop: Workshop) -> None:
    """S-14: a message that a slow server holds over the end of the window goes out at the next opening."""
    line = Tarpit(slow="c2@posti.example")
    with workshop.opened() as dispatcher:
        begin_by(line, workshop, dispatcher, CLIENTS)
        line.happens = lambda: workshop.clock.set(datetime(2026, 11, 24, 19, 0, tzinfo=UTC))
        look(dispatcher)
        assert line.slow not in line.taken
        look(dispatcher)
        workshop.clock.set(datetime(2026, 11, 25, 5, 30, tzinfo=UTC))
        look(dispatcher)
    assert CLIENTS == len(line.taken) == len(set(line.taken))
