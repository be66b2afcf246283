"""A mail server on loopback that keeps every mail it is given and delivers none."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dispatcher.demo.loopback import HOST, listen

Script = Callable[[str], str | None]
"""What to answer a recipient: a whole reply such as "550 5.1.1 no such user", or None to take the mail."""


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One mail as it was taken, dots unstuffed: the envelope and the exact bytes."""

    sender: str
    recipient: str
    content: bytes


class SmtpDouble:
    """A mail server while its `with` block runs: `host`, `port` and, from any thread, what it has `received`."""

    host = HOST

    def __init__(self, script: Script | None = None) -> None:
        self._inbox = _Inbox(script)
        self._controller = _Controller(self._inbox, listen())
        self.port: int = self._controller.port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.close()

    @property
    def received(self) -> list[ReceivedMail]:
        """Every mail taken so far, oldest first; one for each recipient."""
        return self._inbox.mails()


class _Inbox:
    """The handler aiosmtpd calls; its method names are aiosmtpd's."""

    def __init__(self, script: Script | None) -> None:
        self._script = script
        self._mails: list[ReceivedMail] = []
        self._lock = threading.Lock()

    def mails(self) -> list[ReceivedMail]:
        with self._lock:
            return list(self._mails)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds it by this name and calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self._script(address) if self._script else None
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        sender, content = envelope.mail_from or "", bytes(envelope.original_content or b"")
        with self._lock:
            self._mails += [ReceivedMail(sender, recipient, content) for recipient in envelope.rcpt_tos]
        return "250 2.0.0 OK: kept"


class _Controller(Controller):
    """aiosmtpd's controller on a socket of ours, since port 0 makes its own start-up probe fail."""

    def __init__(self, inbox: _Inbox, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        super().__init__(
            inbox, hostname=HOST, port=port, server_hostname="mail.example", ident="double", ready_timeout=30
        )
        self._listener = listener
        self._connections: list[SMTP] = []

    def factory(self) -> SMTP:
        connection = SMTP(self.handler, **self.SMTP_kwargs)
        self._connections.append(connection)
        return connection

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener)

    def close(self) -> None:
        """Cut what is still connected, so that no connection outlives its loop, then stop."""
        asyncio.run_coroutine_threadsafe(self._cut(), self.loop).result()
        self.stop()

    async def _cut(self) -> None:
        for connection in self._connections:
            if isinstance(connection.transport, asyncio.WriteTransport):
                connection.transport.abort()
        this = asyncio.current_task()
        handlers = [task for task in asyncio.all_tasks() if task is not this]
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await asyncio.sleep(0)
