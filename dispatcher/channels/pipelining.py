"""Speaks SMTP over a connection that is open already: commands in groups, every reply in order (RFC 2920)."""

import asyncio

_LONGEST = 32_768
"""Octets of an unfinished reply after which a server is not listened to any more; RFC 5321 asks for 512 a line."""
_MORE = ord("-")


class WireError(Exception):
    """The connection gave no replies that could be paired with what was said; it must not be used again."""


class LostError(WireError):
    """The connection is closed."""


class ConfusedError(WireError):
    """Nothing came in time, or what came is no reply: the other end may not be doing what was said."""


class Wire(asyncio.Protocol):
    """Our end of an open connection: says some commands at a time, and returns the reply to each.

    `period` is the shortest wait it will be asked for, in seconds: one timer watches over all of them. `heard` counts
    the replies so far.
    """

    def __init__(self, transport: asyncio.Transport, period: float) -> None:
        self._transport = transport
        self._period = period
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[list[bytes]] | None = None
        self._replies: list[bytes] = []
        self._rest = b""
        self._due = 0
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_lost = False
        self.heard = 0
        transport.set_protocol(self)

    @property
    def is_clean(self) -> bool:
        """Whether the connection is open, and nothing came that was not asked for, such as a late 421."""
        return not (self._is_lost or self._rest or self._transport.is_closing())

    async def say(self, words: bytes, count: int, seconds: float) -> list[bytes]:
        """Write commands at once and return the reply to each, whole and raw, in order.

        After a 421, which closes the connection, the rest is not waited for. Raises LostError before anything is
        written where the connection is not clean, and LostError or ConfusedError for replies that do not come.
        """
        if not self.is_clean:
            raise LostError
        waiting: asyncio.Future[list[bytes]] = self._loop.create_future()
        self._waiting = waiting
        self._replies = []
        self._due = count
        self._deadline = self._loop.time() + seconds
        if self._timer is None:
            self._watch(min(seconds, self._period))
        self._transport.write(words)
        try:
            return await waiting
        finally:
            self._waiting = None

    def abort(self) -> None:
        """Cut the connection; nothing that waits to be written is written any more."""
        self._is_lost = True
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def give_back(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol go on with the connection."""
        self._transport.set_protocol(protocol)
        self._is_lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data: bytes) -> None:
        """Take what the server says; asyncio calls this."""
        data = self._rest + data
        waiting = self._waiting
        if waiting is None or waiting.done():
            self._rest = data[:_LONGEST]
            return
        start = begin = 0
        while (end := data.find(b"\n", start)) >= 0:
            code = data[start : start + 3]
            if not code.isdigit() or data[start + 3] not in b" -\r\n" or not data.startswith(code, begin):
                self._fail(ConfusedError())
                break
            is_last, start = data[start + 3] != _MORE, end + 1
            if not is_last:
                continue
            self._replies.append(data[begin:start])
            self.heard += 1
            begin = start
            if len(self._replies) == self._due or code == b"421":
                # Whatever comes after these was not asked for, and shows that the connection is out of step.
                waiting.set_result(self._replies)
                break
        self._rest = data[begin:]
        if len(self._rest) > _LONGEST:
            self._fail(ConfusedError())

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is closed; asyncio calls this."""
        self._is_lost = True
        error = LostError()
        error.__cause__ = exc
        self._fail(error)

    def _fail(self, error: WireError) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    def _watch(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """See whether the replies are overdue: never more than a period ahead, so that no wait needs its own timer."""
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        left = self._deadline - self._loop.time()
        if left <= 0:
            self._fail(ConfusedError())
        else:
            self._watch(min(left, self._period))
