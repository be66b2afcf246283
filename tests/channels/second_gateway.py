"""Another SMS service than Twilio: plain HTTPS with JSON, for a host in the EU or on this machine, nowhere else.

It shows what a channel has to be; nothing of the program knows that there is such a one.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from dispatcher.channels import RECALLED, MayGo, always
from dispatcher.channels.hosts import is_loopback
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Blame, CampaignMessage, Outcome, OutcomeKind, ServiceMessage, Sms
from dispatcher.rules.places import EEA
from tests.faults.certificates import Certificate

KEY = "key-of-the-gateway"
_REASONS = {"no_such_number": Blame.ADDRESS, "opted_out": Blame.OBJECTION, "filtered": Blame.POLICY}
_NOT_TAKEN = frozenset({401, 403, 429})


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where the gateway is, by host and port, in which country, and how its certificate is known.

    Raises ChannelError for a country outside the EU and EEA; this machine itself is always allowed (L-42).
    """

    host: str
    port: int
    trust: ssl.SSLContext
    country: str = ""
    timeout_seconds: float = 5

    def __post_init__(self) -> None:
        if not is_loopback(self.host) and self.country not in EEA:
            raise ChannelError(f"The gateway {self.host} is not in the EU: choose another")


class GatewayCarrier:
    """Carries text messages through the gateway."""

    name = "gateway"
    sessions = 2

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def session(self) -> AsyncIterator["GatewaySession"]:
        """Open one connection; it is made by the first message, and again after one that was lost."""
        session = GatewaySession(self._settings)
        try:
            yield session
        finally:
            session.close()


class GatewaySession:
    """One connection to the gateway; it carries one message at a time."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Hand one message over: what fails before a byte of it is written is deferred, what fails after is unknown."""
        sms = message.content
        if not isinstance(sms, Sms):
            raise TypeError("the gateway carries text messages only")
        is_written = False
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                reader, writer = await self._connected()
                if not await may_go():
                    return RECALLED
                is_written = True
                writer.write(_request(self._settings.host, message.message_id, sms))
                await writer.drain()
                return _outcome(*await _answer(reader))
        except (OSError, EOFError, TimeoutError, ValueError):
            self.close()
            if is_written:
                return Outcome(OutcomeKind.UNKNOWN)
            return Outcome(OutcomeKind.DEFERRED, blame=Blame.CONNECTION)

    def close(self) -> None:
        """Cut the connection: whatever was to be read has been, and TLS's goodbye would outlive the loop."""
        if self._line is not None:
            self._line[1].transport.abort()
            self._line = None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._line is None:
            settings = self._settings
            self._line = await asyncio.open_connection(settings.host, settings.port, ssl=settings.trust)
        return self._line


def _request(host: str, name: str, sms: Sms) -> bytes:
    asked = {"id": name, "to": sms.recipient, "text": sms.text, "valid_for": sms.validity_seconds}
    body = json.dumps(asked).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}"
    return f"{head}\r\nContent-Type: application/json\r\n\r\n".encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
    return status, dict(json.loads(await reader.readexactly(int(headers["content-length"]))))


def _outcome(status: int, body: Mapping[str, Any]) -> Outcome:
    if status == 201:
        return Outcome(OutcomeKind.ACCEPTED, "201", provider_id=str(body["ref"]), segments=int(body["parts"]))
    if status == 422:
        reason = str(body["reason"])
        return Outcome(OutcomeKind.REFUSED, reason, blame=_REASONS.get(reason, Blame.MESSAGE))
    if status in _NOT_TAKEN:
        return Outcome(OutcomeKind.DEFERRED, str(status), blame=Blame.CONNECTION)
    return Outcome(OutcomeKind.UNKNOWN, str(status))


@dataclass
class Gateway:
    """The gateway itself on loopback, while its `with` block runs: what it has taken, and what it answers whom.

    `answers` has a status and a body by number; a status of 0 cuts the connection after the message was taken.
    """

    certificate: Certificate
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    taken: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = self.certificate.context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def settings(self) -> GatewaySettings:
        """Return how to reach it."""
        trust = ssl.create_default_context(cafile=str(self.certificate.file))
        return GatewaySettings("localhost", self._server.server_address[1], trust)

    def answer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Take a message, unless the script says another thing, and return the answer."""
        status, body = self.answers.get(asked["to"], (201, {"ref": f"G{len(self.taken) + 1}", "parts": 1}))
        if status in {0, 201, 500}:
            self.taken.append(asked)
        return status, body

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                is_known = self.headers["Authorization"] == f"Bearer {KEY}"
                status, body = gateway.answer(asked) if is_known else (401, {})
                if status == 0:
                    self.close_connection = True
                    return
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
