"""Speaks SMTP over a connection that is open already: commands in groups, every reply in order (RFC 2920)."""

import asyncio
from collections import deque

_LONGEST = 32_768
"""Octets of an unfinished reply after which a server is not listened to any more; RFC 5321 asks for 512 a line."""
_MORE = ord("-")
_GOODBYE = b"421"


class WireError(Exception):
    """The connection gave no replies that could be paired with what was said; it must not be used again."""


class LostError(WireError):
    """The connection is closed."""


class ConfusedError(WireError):
    """Nothing came in time, or what came is no reply: the other end may not be doing what was said."""


class Due:
    """The replies that are due to some commands; `replies` are those that came, whole and raw, in order."""

    __slots__ = ("_count", "_error", "_is_over", "_waiting", "deadline", "replies", "seconds")

    def __init__(self, count: int, seconds: float) -> None:
        self.replies: list[bytes] = []
        self.seconds = seconds
        self.deadline = 0.0
        """When they are overdue, by the loop's clock; it begins to run when nothing else is due before them."""
        self._count = count
        self._is_over = False
        self._error: WireError | None = None
        self._waiting: asyncio.Future[None] | None = None

    async def all(self) -> list[bytes]:
        """Return the replies once all are there, or the last of them is a 421.

        Raises LostError or ConfusedError for replies that do not come.
        """
        if not self._is_over:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if self._error is not None:
            raise self._error
        return self.replies

    def take(self, reply: bytes, code: bytes) -> bool:
        """Take the next reply, and say whether no other is due: after a 421, which closes the connection, none is."""
        self.replies.append(reply)
        if len(self.replies) < self._count and code != _GOODBYE:
            return False
        self._end()
        return True

    def fail(self, error: WireError) -> None:
        """Let nobody wait for these any more."""
        if not self._is_over:
            self._error = error
            self._end()

    def _end(self) -> None:
        self._is_over = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Wire(asyncio.Protocol):
    """Our end of an open connection: says some commands at a time, and hears the reply to each.

    `period` is the shortest wait it will be asked for, in seconds: one timer watches over all of them.
    """

    def __init__(self, transport: asyncio.Transport, period: float) -> None:
        self._transport = transport
        self._period = period
        self._loop = asyncio.get_running_loop()
        self._due: deque[Due] = deque()
        self._rest = b""
        self._timer: asyncio.TimerHandle | None = None
        self._is_lost = False
        transport.set_protocol(self)

    @property
    def is_clean(self) -> bool:
        """Whether the connection is open, and nothing came that was not asked for, such as a late 421."""
        return not (self._is_lost or self._rest or self._transport.is_closing())

    def say(self, words: bytes, *due: Due) -> None:
        """Write commands at once, to which these replies are due, one group after the other.

        Raises LostError before anything is written where the connection is not clean.
        """
        if not self.is_clean:
            raise LostError
        if not self._due:
            self._begin(due[0])
        self._due.extend(due)
        self._transport.write(words)

    def abort(self) -> None:
        """Cut the connection; nothing that waits to be written is written any more."""
        self._is_lost = True
        self._transport.abort()
        self._stop_watching()

    def give_back(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol go on with the connection."""
        self._transport.set_protocol(protocol)
        self._is_lost = True
        self._stop_watching()

    def data_received(self, data: bytes) -> None:
        """Take what the server says; asyncio calls this."""
        data = self._rest + data
        start = begin = 0
        while self._due and (end := data.find(b"\n", start)) >= 0:
            code = data[start : start + 3]
            if not code.isdigit() or data[start + 3] not in b" -\r\n" or not data.startswith(code, begin):
                self._fail(ConfusedError())
                break
            is_last, start = data[start + 3] != _MORE, end + 1
            if not is_last:
                continue
            reply, begin = data[begin:start], start
            if self._due[0].take(reply, code):
                self._due.popleft()
                if code == _GOODBYE:
                    self._fail(LostError())
                elif self._due:
                    self._begin(self._due[0])
        # What comes when nothing is due was not asked for, and shows that the connection is out of step.
        self._rest = data[begin:]
        if len(self._rest) > _LONGEST:
            self._rest = self._rest[:_LONGEST]
            self._fail(ConfusedError())

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is closed; asyncio calls this."""
        self._is_lost = True
        error = LostError()
        error.__cause__ = exc
        self._fail(error)

    def _begin(self, due: Due) -> None:
        due.deadline = self._loop.time() + due.seconds
        if self._timer is None:
            self._watch(min(due.seconds, self._period))

    def _fail(self, error: WireError) -> None:
        while self._due:
            self._due.popleft().fail(error)

    def _watch(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """See whether the replies are overdue: never more than a period ahead, so that no wait needs its own timer."""
        self._timer = None
        if not self._due:
            return
        left = self._due[0].deadline - self._loop.time()
        if left <= 0:
            self._fail(ConfusedError())
        else:
            self._watch(min(left, self._period))

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
