"""Connections are kept from one run to the next, and closed when nobody uses them or the sender ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dispatcher.channels import Carrier, MayGo, always
from dispatcher.errors import ChannelError
from dispatcher.flow.lines import IDLE_SECONDS, Lines
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import CampaignMessage, Outcome, OutcomeKind, ServiceMessage


class Counted:
    """A carrier that counts its open sessions, of which a server may have `most`."""

    name = "counted"

    def __init__(self, sessions: int = 3, most: int = 9) -> None:
        self.sessions = sessions
        self._most = most
        self.opened = self.open = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Counted"]:
        """Open a session, or say that there is no place for it."""
        if self.open >= self._most:
            raise ChannelError("too many connections")
        self.opened += 1
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Take a message that may go."""
        assert message.message_id
        assert await may_go()
        return Outcome(OutcomeKind.ACCEPTED)


async def use(lines: Lines, carrier: Carrier, count: int) -> int:
    """Take sessions as a run does, and return how many there were."""
    async with lines.taken(Channel.EMAIL, carrier, count) as sessions:
        return len(sessions)


def test_sessions_are_closed_after_a_run_unless_they_are_kept() -> None:
    """A single run leaves nothing open; a sender keeps its connections from run to run, and closes them at its end."""
    carrier, lines = Counted(), Lines(lambda: 0.0)

    async def work() -> None:
        assert 3 == await use(lines, carrier, 10)
        assert (3, 0) == (carrier.opened, carrier.open)
        async with lines.kept():
            assert 1 == await use(lines, carrier, 1)
            assert 3 == await use(lines, carrier, 10)
            assert 3 == await use(lines, carrier, 10)
            assert (6, 3) == (carrier.opened, carrier.open)
        assert 0 == carrier.open

    asyncio.run(work())


def test_an_idle_session_is_closed() -> None:
    """What nobody has used for a while is closed before a server does it, and opened anew when it is wanted."""
    now = [0.0]
    carrier, lines = Counted(), Lines(lambda: now[0])

    async def work() -> None:
        async with lines.kept():
            await use(lines, carrier, 2)
            now[0] = IDLE_SECONDS - 1
            await use(lines, carrier, 1)
            now[0] = IDLE_SECONDS
            await lines.close_idle(IDLE_SECONDS)
            assert 1 == carrier.open
            await use(lines, carrier, 1)
            assert 2 == carrier.opened

    asyncio.run(work())


def test_a_server_with_one_place_gets_one_session() -> None:
    """What a server refuses beyond the first session is done without; where it has no place at all, that is said."""
    lines = Lines(lambda: 0.0)
    assert 1 == asyncio.run(use(lines, Counted(most=1), 10))
    with pytest.raises(ChannelError, match="too many"):
        asyncio.run(use(lines, Counted(most=0), 10))


def test_a_session_of_a_run_that_failed_is_not_used_again() -> None:
    """A run that ends in an error closes its sessions: nobody knows what state they are in."""
    carrier, lines = Counted(), Lines(lambda: 0.0)

    async def work() -> None:
        async with lines.kept():
            with pytest.raises(OSError, match="gone"):
                async with lines.taken(Channel.EMAIL, carrier, 1):
                    raise OSError("gone")
            assert 0 == carrier.open

    asyncio.run(work())
