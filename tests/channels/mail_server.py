"""A mail server that does as it is told, for the tests of the carrier."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from dispatcher.channels.smtp import SmtpCarrier, SmtpSettings, Tls
from dispatcher.rules.message import CampaignMessage, Email, Outcome, OutcomeKind

TAKEN = Outcome(OutcomeKind.ACCEPTED, "250", "2.0.0")
"""What becomes of a message this server takes."""

CONTENT = b"Subject: Kes=C3=A4\r\n\r\n.alku\r\n..kaksi\r\n.\r\na\tb  \r\nloppu.\r\n.viimeinen\r\n"
STUFFED = b"Subject: Kes=C3=A4\r\n\r\n..alku\r\n...kaksi\r\n..\r\na\tb  \r\nloppu.\r\n..viimeinen\r\n"
EMAIL = Email("b+1@bounce.studio.example", "anna@mail.example", CONTENT)


class Gone(StrEnum):
    """How a scripted server fails instead of answering."""

    RESET = "reset"
    SILENT = "silent"
    """It answers nothing any more."""
    MUTE = "mute"
    """It leaves this one command unanswered."""


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


@dataclass
class MailServer:
    """A mail server on a raw socket that follows a script, and notes what it was told.

    A list in the script is followed reply by reply, and its last one stays.
    """

    script: dict[str, Act | list[Act]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    port: int = 0
    connections: int = 0
    talks: set[asyncio.Task[None]] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, *, is_implicit: bool = False) -> AsyncIterator["MailServer"]:
        """Serve on loopback while the block runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls if is_implicit else None)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
        await asyncio.gather(*self.talks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task:
            self.talks.add(task)
        with suppress(ConnectionError, EOFError, ssl.SSLError):
            await self._converse(reader, writer)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_open = await self._answer("greeting", reader, writer)
        while is_open and (line := await reader.readline()):
            self.said.append(line.decode().rstrip())
            verb = self.said[-1].split(maxsplit=1)[0].upper()
            expects_body = verb == "DATA" and str(self._next("DATA", keep=True)).startswith("354")
            is_open = await self._answer(verb, reader, writer)
            if is_open and verb == "STARTTLS" and self.tls:
                await writer.start_tls(self.tls)
            if is_open and expects_body:
                self.bodies.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                is_open = await self._answer(".", reader, writer)

    async def _answer(self, step: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        act = self._next(step)
        if act is Gone.SILENT:
            await reader.read()
        if act is Gone.RESET:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        if isinstance(act, Gone):
            return act is Gone.MUTE
        writer.write(act if isinstance(act, bytes) else act.replace("\n", "\r\n").encode() + b"\r\n")
        await writer.drain()
        return isinstance(act, str) and not act.startswith(("221", "421"))

    def _next(self, step: str, *, keep: bool = False) -> Act:
        act = self.script.get(step, USUAL.get(step, "500 5.5.2 what?"))
        if not isinstance(act, list):
            return act
        return act[0] if keep or len(act) == 1 else act.pop(0)


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
