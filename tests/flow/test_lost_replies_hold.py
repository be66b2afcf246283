"""A provider that takes messages and never says so: the campaign is held before nobody knows of anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from dispatcher.channels import MayGo, always
from dispatcher.rules.breaker import AT_LEAST, Trip
from dispatcher.rules.campaign import State
from dispatcher.rules.message import CampaignMessage, Outcome, OutcomeKind, ServiceMessage
from tests.flow.carried import begin_by, look, narrow
from tests.workshop import Workshop

CLIENTS = 60


@dataclass(slots=True)
class Silent:
    """A provider whose replies are lost from some message on."""

    from_message: int = 0
    name: str = "silent"
    sessions: int = 2
    taken: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Silent"]:
        """Open a connection."""
        yield self

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message, and say so or not."""
        assert await may_go()
        self.taken.append(message.message_id)
        is_lost = len(self.taken) > self.from_message
        return Outcome(OutcomeKind.UNKNOWN, "503") if is_lost else Outcome(OutcomeKind.ACCEPTED, "250")


def test_replies_that_are_all_lost_hold_the_campaign(workshop: Workshop) -> None:
    """E-51: what is unknown is never sent again, so an outage must not use up everybody; released it goes on."""
    line = Silent(from_message=5)
    narrow(workshop, 8)
    with workshop.opened() as dispatcher:
        begin_by(line, workshop, dispatcher, CLIENTS)
        look(dispatcher)
        held = dispatcher.lifecycle.named("a")
        assert (State.HELD, Trip.LOST) == (held.state, held.held_reason)
        lost = len(line.taken) - 5
        assert AT_LEAST <= lost < CLIENTS // 2
        line.from_message = CLIENTS
        workshop.clock.advance(timedelta(minutes=5))
        dispatcher.lifecycle.release("a", dispatcher.persons.acting(None))
        look(dispatcher)
        assert State.FINISHED is dispatcher.lifecycle.named("a").state
        counts = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id).messages["email"]
        assert {"accepted": CLIENTS - lost, "unknown": lost} == dict(counts)
        assert () == dispatcher.audit.year(2026).findings
    assert CLIENTS == len(line.taken) == len(set(line.taken))
