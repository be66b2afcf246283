"""A mail server that does as it is told, and fails as real ones do: for the tests of carriers and of whole runs."""

import asyncio
import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from dispatcher.channels.smtp import SmtpCarrier, SmtpSettings, Tls
from dispatcher.rules.message import CampaignMessage, Email, Outcome, OutcomeKind

TAKEN = Outcome(OutcomeKind.ACCEPTED, "250", "2.0.0")
"""What becomes of a message this server takes."""

CONTENT = b"Subject: Kes=C3=A4\r\n\r\n.alku\r\n..kaksi\r\n.\r\na\tb  \r\nloppu.\r\n.viimeinen\r\n"
STUFFED = b"Subject: Kes=C3=A4\r\n\r\n..alku\r\n...kaksi\r\n..\r\na\tb  \r\nloppu.\r\n..viimeinen\r\n"
EMAIL = Email("b+1@bounce.studio.example", "anna@mail.example", CONTENT)
GROUPS = "250-mail.example\n250-PIPELINING\n250-ENHANCEDSTATUSCODES\n250 8BITMIME"
"""What a server answers to EHLO that offers PIPELINING."""
_DRIP = 0.02
"""Seconds between two lines of a tarpit."""


class Gone(StrEnum):
    """How a scripted server fails instead of answering."""

    RESET = "reset"
    SILENT = "silent"
    """It answers nothing any more."""
    MUTE = "mute"
    """It leaves this one command unanswered."""
    TARPIT = "tarpit"
    """It answers line by line and never comes to the last."""


class Kept(bytes):
    """Raw bytes after which the server goes on."""


class Forgetful(str):
    """A reply after which everything that was said in the same breath is forgotten, as by servers that flush."""

    __slots__ = ()


Act = str | bytes | Gone
"""A reply; raw bytes after which the server closes; or a way to fail."""

USUAL: dict[str, Act] = {
    "greeting": "220 mail.example ready",
    "EHLO": "250-mail.example\n250-ENHANCEDSTATUSCODES\n250 8BITMIME",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 go ahead",
    ".": "250 2.0.0 Ok: queued",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
    "STARTTLS": "220 2.0.0 Ready",
    "AUTH": "235 2.7.0 Ok",
}

_TURNS = {"RCPT": {"MAIL", "RCPT"}, "DATA": {"RCPT"}}
"""After which commands that were taken a command may come."""


@dataclass(frozen=True, slots=True)
class Dotted:
    """A message whose last dot the server has seen, whatever it answered then."""

    sender: str
    recipient: str
    message_id: str


@dataclass
class MailServer:
    """A mail server on a raw socket that follows a script, and notes what it was told.

    A list in the script is followed reply by reply, and its last one stays. `record` is a file to which every message
    is written, one a line, before its dot is answered; `is_synced` has each line on the disk by then. `groups` counts
    the commands that came together with others, `ahead` those that came with a body, `unfinished` is what was begun and
    not ended when a client went. As a real one it says no to what follows a no, unless it `is_lax`: then only the
    script speaks.
    """

    script: dict[str, Act | list[Act]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    record: Path | None = None
    is_synced: bool = False
    is_lax: bool = False
    port: int = 0
    connections: int = 0
    groups: int = 0
    ahead: int = 0
    talks: set[asyncio.Task[None]] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    unfinished: list[bytes] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, *, is_implicit: bool = False) -> AsyncIterator["MailServer"]:
        """Serve on loopback, in this loop, while the block runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls if is_implicit else None)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
        await asyncio.gather(*self.talks)

    @contextmanager
    def beside(self) -> Iterator["MailServer"]:
        """Serve on loopback from a thread of its own while the block runs, for senders in other processes."""
        ready = threading.Event()
        loop = asyncio.new_event_loop()
        over = asyncio.Event()

        async def serve() -> None:
            async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
                self.port = server.sockets[0].getsockname()[1]
                ready.set()
                await over.wait()
            for talk in self.talks:
                talk.cancel()
            await asyncio.gather(*self.talks, return_exceptions=True)

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        try:
            assert ready.wait(30)
            yield self
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()
            loop.close()

    def taken(self) -> list[Dotted]:
        """Return what stands in the record."""
        assert self.record is not None
        lines = self.record.read_text(encoding="utf-8").splitlines() if self.record.exists() else []
        return [Dotted(**json.loads(line)) for line in lines]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task:
            self.talks.add(task)
        with suppress(ConnectionError, EOFError, ssl.SSLError):
            await _Talk(self, reader, writer).converse()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    def next(self, step: str) -> Act:
        """Return what the script says to do next at a step."""
        act = self.script.get(step, USUAL.get(step, "500 5.5.2 what?"))
        if not isinstance(act, list):
            return act
        return act[0] if len(act) == 1 else act.pop(0)

    def keep(self, envelope: list[str], body: bytes) -> None:
        """Note a message whose dot has come."""
        self.bodies.append(body)
        if self.record is None:
            return
        wanted = b"message-id:"
        ids = [line[len(wanted) :].strip() for line in body.split(b"\r\n") if line.lower().startswith(wanted)]
        dotted = Dotted(envelope[0], envelope[1], ids[0].decode("ascii", "replace") if ids else "")
        line = json.dumps({name: getattr(dotted, name) for name in Dotted.__slots__}) + "\n"
        with self.record.open("a", encoding="utf-8") as file:
            file.write(line)
            if self.is_synced:
                file.flush()
                os.fsync(file.fileno())


class _Talk:
    """One connection of a client."""

    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._heard = b""
        self._envelope = ["", ""]
        self._taken = ""

    async def converse(self) -> None:
        is_open = await self._answer("greeting")
        while is_open and (line := await self._until(b"\n")):
            self._server.groups += bool(self._heard)
            said = line.decode().rstrip()
            self._server.said.append(said)
            verb = said.split(maxsplit=1)[0].upper()
            if verb in {"MAIL", "RCPT"}:
                self._envelope[verb == "RCPT"] = said.partition("<")[2].partition(">")[0]
            answer = self._out_of_turn(verb) or self._server.next(verb)
            if verb in {"MAIL", "RSET"}:
                self._taken = ""
            if verb in {"MAIL", "RCPT"} and _is_yes(answer):
                self._taken = verb
            is_open = await self._answer(verb, answer)
            if is_open and verb == "STARTTLS" and self._server.tls:
                await self._writer.start_tls(self._server.tls)
            if is_open and verb == "DATA" and _asks_for_body(answer):
                body = (await self._until(b"\r\n.\r\n"))[:-3]
                self._server.ahead += self._heard.count(b"\n")
                self._server.keep(self._envelope, body)
                is_open = await self._answer(".")

    def _out_of_turn(self, verb: str) -> Act | None:
        """Return what a server says to a command whose forerunner it has refused."""
        if self._server.is_lax or verb not in _TURNS or self._taken in _TURNS[verb]:
            return None
        return "554 5.5.1 no valid recipients" if self._taken == "MAIL" else "503 5.5.1 MAIL first"

    async def _until(self, end: bytes) -> bytes:
        """Return what was said up to this end; raises EOFError where the client is gone before it."""
        while end not in self._heard:
            heard = await self._reader.read(65536)
            if not heard:
                self._server.unfinished += [self._heard] if self._heard else []
                raise EOFError
            self._heard += heard
        found, mark, self._heard = self._heard.partition(end)
        return found + mark

    async def _answer(self, step: str, act: Act | None = None) -> bool:
        act = self._server.next(step) if act is None else act
        if act is Gone.SILENT:
            await self._reader.read()
        if act is Gone.TARPIT:
            await self._drip()
        if act is Gone.RESET:
            gone = self._writer.get_extra_info("socket")
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        if isinstance(act, Gone):
            return act is Gone.MUTE
        self._writer.write(act if isinstance(act, bytes) else act.replace("\n", "\r\n").encode() + b"\r\n")
        await self._writer.drain()
        if isinstance(act, Forgetful):
            self._heard = b""
        return isinstance(act, Kept) or (isinstance(act, str) and not act.startswith(("221", "421")))

    async def _drip(self) -> None:
        while not self._reader.at_eof():
            self._writer.write(b"250-wait\r\n")
            await self._writer.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._reader.read(1), _DRIP)


def _is_yes(act: Act) -> bool:
    return act is Gone.MUTE or (act.startswith(b"2") if isinstance(act, bytes) else act.startswith("2"))


def _asks_for_body(act: Act) -> bool:
    return act.startswith(b"354") if isinstance(act, bytes) else act.startswith("354")


def campaign_message(number: int = 1, email: Email = EMAIL) -> CampaignMessage:
    """A campaign message of its own id."""
    return CampaignMessage(f"m{number}", email)


def carrier(port: int, **changes: Any) -> SmtpCarrier:
    """A carrier to loopback, quick to give up."""
    settings = SmtpSettings(
        "127.0.0.1", port, tls=Tls.NONE, timeout_seconds=5, reply_timeout_seconds=5, local_hostname="studio.example"
    )
    return SmtpCarrier(replace(settings, **changes))


def hand_over(server: MailServer, *emails: Email, **changes: Any) -> list[Outcome]:
    """Hand emails over to a scripted server in one session."""

    async def talk() -> list[Outcome]:
        async with server.running(), carrier(server.port, **changes).session() as session:
            return [await session.hand_over(campaign_message(i, email)) for i, email in enumerate(emails, 1)]

    return asyncio.run(talk())
