"""A mail server that keeps its own record: each mail it takes is in a file before it is answered.

It offers PIPELINING, and a script says where it takes its time, refuses, or goes away without a word.
"""

import asyncio
import os
import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from dispatcher.demo.loopback import listen
from dispatcher.demo.smtp_double import ReceivedMail

END = "."
"""The step that ends a mail: its last byte is here, its answer is not."""
_MESSAGE_ID = re.compile(rb"^Message-ID: *<([^@>]+)@", re.IGNORECASE | re.MULTILINE)
_PATH = re.compile(rb"<([^>]*)>")
_LONGEST = 1 << 20
_USUAL = {"MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", END: "250 2.0.0 Kept", "RSET": "250 2.0.0 Ok"}
_OFFERS = "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES"


@dataclass(frozen=True, slots=True)
class Act:
    """What is done at a step: wait these seconds, then answer (as usual, where nothing is said) or reset."""

    waits: float = 0.0
    says: str | None = None
    resets: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail whose last byte was here at a second of the machine's own clock (`monotonic`)."""

    message_id: str
    recipient: str
    at: float


Script = Callable[[str, str], Act]
"""What to do at a step ("MAIL", "RCPT", "DATA", ".") for a recipient, who is not known before RCPT."""


def as_usual(_step: str, _recipient: str) -> Act:
    """Take everything at once."""
    return Act()


@dataclass(slots=True)
class Sink:
    """A mail server while its `with` block runs, on a thread of its own; `script` and `on_taken` may be changed.

    `on_taken` is called between the record and the answer.
    """

    record: Path
    script: Script = as_usual
    on_taken: Callable[[Taken], None] = lambda _taken: None
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    received: list[ReceivedMail] = field(default_factory=list)
    open_mails: int = 0
    _news: threading.Condition = field(default_factory=threading.Condition)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _leaving: asyncio.Event = field(default_factory=asyncio.Event)
    _talks: set[asyncio.Task[None]] = field(default_factory=set)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        listener = listen()
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=[listener], name=f"sink-{self.port}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._leaving.set)
        if self._thread is not None:
            self._thread.join()
        self._loop.close()

    def wait_until(self, is_so: Callable[[], bool], seconds: float = 60) -> bool:
        """Wait until something is so, looked at whenever a mail has come a step further; say whether it is."""
        with self._news:
            return self._news.wait_for(is_so, seconds)

    def recorded(self) -> list[tuple[str, str]]:
        """Return the message id and recipient of each mail, from the file."""
        lines = self.record.read_text(encoding="ascii").splitlines() if self.record.exists() else []
        return [(message_id, recipient) for message_id, recipient in (line.split() for line in lines)]

    def _run(self, listener: socket.socket) -> None:
        self._loop.run_until_complete(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._talk, sock=listener, limit=_LONGEST)
        async with server:
            await self._leaving.wait()
            for talk in list(self._talks):
                talk.cancel()
            await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with suppress(ConnectionError, EOFError, asyncio.CancelledError):
                await _Talk(self, reader, writer).run()
        finally:
            writer.transport.abort()
            self._talks.discard(task)

    def keep(self, mail: ReceivedMail) -> None:
        """Put a mail on record, and tell whoever waits for it."""
        found = _MESSAGE_ID.search(mail.content)
        assert found, mail.content[:500]
        taken = Taken(found[1].decode("ascii"), mail.recipient, monotonic())
        with self.record.open("a", encoding="ascii") as file:
            file.write(f"{taken.message_id} {taken.recipient}\n")
            file.flush()
            os.fsync(file.fileno())
        with self._news:
            self.taken.append(taken)
            self.received.append(mail)
            self._news.notify_all()
        self.on_taken(taken)

    def goes_on(self, mails: int) -> None:
        """Note that mails were begun, or ended, by this number."""
        with self._news:
            self.open_mails += mails
            self._news.notify_all()


class _Talk:
    """One connection."""

    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sink = sink
        self._reader = reader
        self._writer = writer
        self._sender = self._recipient = ""
        self._has_begun = False

    async def run(self) -> None:
        try:
            await self._say("220 sink.example ESMTP")
            while line := await self._reader.readline():
                verb = line.split(maxsplit=1)[0].decode("ascii").upper() if line.strip() else ""
                if not await self._follow(verb, line):
                    return
        finally:
            self._end()

    async def _follow(self, verb: str, line: bytes) -> bool:
        if verb in {"EHLO", "HELO"}:
            return await self._say(_OFFERS)
        if verb == "QUIT":
            await self._say("221 2.0.0 Bye")
            return False
        if verb == "RSET":
            self._end()
        if verb == "MAIL":
            self._end()
            self._sender, self._recipient = _path(line), ""
            self._has_begun = True
            self._sink.goes_on(+1)
        if verb == "RCPT":
            recipient = _path(line)
            act = self._sink.script(verb, recipient)
            if act.says is None:
                self._recipient = recipient
            return await self._do(act, verb)
        if verb == "DATA":
            return await self._body()
        return await self._do(self._sink.script(verb, self._recipient), verb)

    async def _body(self) -> bool:
        if not self._recipient:
            return await self._say("503 5.5.1 Whom for?")
        if not await self._do(self._sink.script("DATA", self._recipient), "354 Go on"):
            return False
        content = (await self._reader.readuntil(b"\r\n.\r\n"))[:-3]
        self._sink.keep(ReceivedMail(self._sender, self._recipient, content))
        goes_on = await self._do(self._sink.script(END, self._recipient), END)
        self._end()
        return goes_on

    async def _do(self, act: Act, step: str) -> bool:
        if act.waits:
            await asyncio.sleep(act.waits)
        if act.resets:
            self._writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            return False
        return await self._say(act.says or _USUAL.get(step, step if step.startswith("354") else "502 5.5.2 What?"))

    async def _say(self, reply: str) -> bool:
        self._writer.write(reply.encode("ascii") + b"\r\n")
        await self._writer.drain()
        return True

    def _end(self) -> None:
        if self._has_begun:
            self._has_begun = False
            self._sink.goes_on(-1)


def _path(line: bytes) -> str:
    found = _PATH.search(line)
    return found[1].decode("ascii") if found else ""
