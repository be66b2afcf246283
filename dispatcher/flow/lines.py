"""The open sessions of every channel: taken by a run, given back at its end, kept open from one run to the next."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from dispatcher.channels import Carrier, Session
from dispatcher.errors import ChannelError
from dispatcher.rules.campaign import Channel

IDLE_SECONDS = 30.0
"""How long a session is kept that nobody uses: a mail server waits five minutes for a command (RFC 5321, 4.5.3.2)."""


@dataclass(frozen=True, slots=True)
class _Line:
    session: Session
    closing: AsyncExitStack
    since: float


class Lines:
    """Sessions that are kept open between runs, as long as somebody says so; `ticks` counts seconds."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._keeps = False
        self._idle: dict[Channel, list[_Line]] = {}

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep sessions open from one run to the next, and close them all at the end."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            await self.close_idle(0.0)

    @asynccontextmanager
    async def taken(self, channel: Channel, carrier: Carrier, count: int) -> AsyncIterator[list[Session]]:
        """Take so many open sessions of a channel, or fewer where the carrier or its server has no more.

        Raises ChannelError where not one can be opened.
        """
        await self.close_idle(IDLE_SECONDS)
        wanted = max(1, min(carrier.sessions, count))
        idle = self._idle.setdefault(channel, [])
        taken, self._idle[channel] = idle[:wanted], idle[wanted:]
        try:
            while len(taken) < wanted:
                closing = AsyncExitStack()
                try:
                    session = await closing.enter_async_context(carrier.session())
                except ChannelError:
                    if not taken:
                        raise
                    break  # a server that has no place for another goes on with those there are
                taken.append(_Line(session, closing, 0.0))
            yield [line.session for line in taken]
        except BaseException:
            await _close(taken)
            raise
        if self._keeps:
            self._idle[channel] += [_Line(line.session, line.closing, self._ticks()) for line in taken]
        else:
            await _close(taken)

    async def close_idle(self, seconds: float) -> None:
        """Close what nobody has used for so long."""
        now = self._ticks()
        for channel, lines in self._idle.items():
            old = [line for line in lines if now - line.since >= seconds]
            self._idle[channel] = [line for line in lines if now - line.since < seconds]
            await _close(old)


async def _close(lines: list[_Line]) -> None:
    await asyncio.gather(*(line.closing.aclose() for line in lines))
