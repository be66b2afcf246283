"""Hands emails to a mail server, one at a time on a connection that is kept (RFC 5321)."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from aiosmtplib import SMTP, SMTPHeloError, SMTPResponseException, SMTPServerDisconnected

from dispatcher.channels import RECALLED, MayGo, always
from dispatcher.channels.hosts import is_loopback
from dispatcher.channels.replies import Reply, outcome_of
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Blame, CampaignMessage, Email, Outcome, OutcomeKind, ServiceMessage

_TROUBLE = (Exception,)
# Not only SMTPException and OSError: what a server says, or a host name that cannot be one, may make the libraries
# raise anything, and an exception that escaped would end the sender and lose the message's fate.
_NO_CONNECTION = Outcome(OutcomeKind.DEFERRED, status="4.4.1", blame=Blame.CONNECTION)
_CONNECTION_LOST = Outcome(OutcomeKind.DEFERRED, status="4.4.2", blame=Blame.CONNECTION)
_REPLY_LOST = Outcome(OutcomeKind.UNKNOWN, status="4.4.2")
_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_GO_AHEAD = 354


class Tls(StrEnum):
    """How the connection is encrypted (E-43); it never falls back to plain text."""

    IMPLICIT = "implicit"
    """From the first byte, usually port 465."""
    STARTTLS = "starttls"
    """Demanded before anything else is said, usually port 587."""
    NONE = "none"
    """Not at all: on loopback only."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How to reach the mail server; the defaults are what a small provider accepts (E-55).

    `reply_timeout_seconds` is the wait for the reply to a finished message, 600 at least outside tests (E-51);
    `local_hostname` is what EHLO says, this machine's own name if empty. Raises ChannelError for `tls = "none"`
    anywhere but on loopback.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Tls = Tls.STARTTLS
    sessions: int = 2
    messages_per_connection: int = 100
    timeout_seconds: float = 30
    reply_timeout_seconds: float = 600
    local_hostname: str = ""

    def __post_init__(self) -> None:
        if self.tls is Tls.NONE and not is_loopback(self.host):
            raise ChannelError(
                f'the mail server {self.host} would be spoken to in plain text: write tls = "starttls" (port 587) '
                'or tls = "implicit" (port 465) in dispatcher.toml'
            )


class SmtpCarrier:
    """Carries emails through one mail server. `host` is whom the EU guard asks about (L-42)."""

    name = "smtp"

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._tls = None if settings.tls is Tls.NONE else ssl.create_default_context()
        self.host = settings.host
        self.sessions = settings.sessions

    @asynccontextmanager
    async def session(self) -> AsyncIterator["SmtpSession"]:
        """Open one connection. Raises ChannelError if the server cannot be reached, trusted or logged in to (E-53)."""
        session = SmtpSession(self._settings, self._tls)
        await session.open()
        try:
            yield session
        except BaseException:
            session.drop()
            raise
        await session.close()


class SmtpSession:
    """One connection, reopened when it is lost or has carried its share; it carries one message at a time."""

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._client = SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password if settings.username else None,
            local_hostname=settings.local_hostname or None,
            timeout=settings.timeout_seconds,
            use_tls=settings.tls is Tls.IMPLICIT,
            start_tls=settings.tls is Tls.STARTTLS,
            tls_context=tls,
        )
        self._carried = 0
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect, encrypt, greet and log in. Raises ChannelError."""
        self._carried = 0
        try:
            await self._client.connect()
            if self._client.is_ehlo_or_helo_needed:
                await self._greet()
        except _TROUBLE as error:
            self.drop()
            raise ChannelError(
                f"the mail server {self._settings.host}:{self._settings.port} cannot be used: {_reason(error)}; "
                "check its host, port, tls and login in dispatcher.toml"
            ) from error

    async def close(self) -> None:
        """Say goodbye and close, whatever the server makes of it."""
        with suppress(*_TROUBLE):
            await self._client.quit()
        self.drop()

    def drop(self) -> None:
        """Cut the connection at once; nothing that waits to be written is written any more."""
        transport = self._client.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        self._client.close()

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Hand one email over, bytes as they are (E-27), and return what became of it.

        Whatever is lost before the body was given to the connection is deferred; after it, every doubt is unknown
        (E-51). Raises TypeError for anything but an email.
        """
        email = message.content
        if not isinstance(email, Email):
            raise TypeError("the mail server carries emails only")
        unfit = _unfit(email)
        if unfit:
            return unfit
        async with self._turn:
            try:
                return await self._transact(message.message_id, email, may_go)
            except ChannelError:
                return _NO_CONNECTION
            except _TROUBLE:
                self.drop()
                return _CONNECTION_LOST
            except BaseException:
                # Cancelled between two commands: the next message must not inherit this one's envelope.
                self.drop()
                raise

    async def _transact(self, message_id: str, email: Email, may_go: MayGo) -> Outcome:
        await self._ready()
        if self._is_too_big(email):
            return outcome_of(Reply(552, "5.3.4"))
        reply = await self._mail(message_id, email)
        if reply.kind is not OutcomeKind.ACCEPTED:
            return await self._declined(reply, names_recipient=False)
        reply = await self._say(b"RCPT", *self._recipient(email))
        if reply.kind is not OutcomeKind.ACCEPTED:
            return await self._declined(reply)
        reply = await self._say(b"DATA")
        if reply.code != _GO_AHEAD:
            return await self._declined(reply)
        if not await may_go():
            self.drop()  # after the server's 354 there is no other way back
            return RECALLED
        return await self._give(email.content)

    async def _ready(self) -> None:
        if self._client.is_connected and self._carried < self._settings.messages_per_connection:
            return
        if self._client.is_connected:
            await self.close()
        await self.open()

    async def _mail(self, message_id: str, email: Email) -> Reply:
        if self._carried:
            # A kept connection may have been closed for idleness meanwhile; nothing was said yet, so begin anew.
            with suppress(*_TROUBLE):
                reply = await self._say(b"MAIL", *self._sender(message_id, email))
                if reply.code != 421:
                    self._carried += 1
                    return reply
            self.drop()
            await self.open()
        self._carried += 1
        return await self._say(b"MAIL", *self._sender(message_id, email))

    async def _give(self, content: bytes) -> Outcome:
        protocol = self._client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("connection lost")
        protocol.write(_stuffed(content))
        try:
            reply = Reply(*await protocol.read_response(timeout=self._settings.reply_timeout_seconds))
        except _TROUBLE:
            self.drop()
            return _REPLY_LOST
        if reply.kind is None:
            self.drop()
            return Outcome(OutcomeKind.UNKNOWN, str(reply.code), reply.status)
        return outcome_of(reply) if reply.kind is OutcomeKind.ACCEPTED else await self._declined(reply)

    async def _declined(self, reply: Reply, *, names_recipient: bool = True) -> Outcome:
        if reply.kind not in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}:
            # Neither a yes nor a no where one was due: the replies are out of step with the commands.
            self.drop()
            return Outcome(OutcomeKind.DEFERRED, str(reply.code), reply.status, blame=Blame.CONNECTION)
        outcome = outcome_of(reply, names_recipient=names_recipient)
        if outcome.blame is Blame.CONNECTION:
            self.drop()
        else:
            await self._reset()
        return outcome

    async def _reset(self) -> None:
        try:
            await self._client.rset()
        except _TROUBLE:
            self.drop()

    async def _greet(self) -> None:
        try:
            await self._client.ehlo()
        except SMTPHeloError:
            await self._client.helo()

    async def _say(self, *words: bytes) -> Reply:
        return Reply(*await self._client.execute_command(*words))

    def _sender(self, message_id: str, email: Email) -> list[bytes]:
        words = [f"FROM:<{email.sender}>"]
        if self._client.supports_extension("size"):
            words.append(f"SIZE={len(email.content)}")
        if self._client.supports_extension("dsn"):
            words += ["RET=HDRS", f"ENVID={_xtext(message_id)}"]
        return [word.encode("ascii") for word in words]

    def _recipient(self, email: Email) -> list[bytes]:
        words = [f"TO:<{email.recipient}>"]
        if self._client.supports_extension("dsn"):
            words.append("NOTIFY=FAILURE")
        return [word.encode("ascii") for word in words]

    def _is_too_big(self, email: Email) -> bool:
        limit = self._client.esmtp_extensions.get("size", "").strip()
        return limit.isdecimal() and len(limit) <= 20 and 0 < int(limit) < len(email.content)  # RFC 1870: 20 digits


def _unfit(email: Email) -> Outcome | None:
    """Return why an email cannot go over any connection, or None."""
    if email.sender and not _ADDRESS.fullmatch(email.sender):
        return Outcome(OutcomeKind.DEFERRED, "553", "5.1.7", blame=Blame.CONNECTION)
    if not _ADDRESS.fullmatch(email.recipient):
        return outcome_of(Reply(553, "5.1.3" if email.recipient.isascii() else "5.6.7"))
    ends = email.content.count(b"\r\n")
    is_clean = ends == email.content.count(b"\r") == email.content.count(b"\n") and b"\0" not in email.content
    # A bare LF would be altered on the way, and a server that takes it for a line end can be made to see two mails
    # in one (E-21); eight-bit bytes may be recoded on the way and break the signature (E-22).
    return None if is_clean and email.content.isascii() else outcome_of(Reply(554, "5.6.0"))


def _stuffed(content: bytes) -> bytes:
    """Return the bytes of the DATA phase: dots doubled at line starts, and the lone dot at the end (RFC 5321 4.5.2)."""
    text = content if content.endswith(b"\r\n") else content + b"\r\n"
    return (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def _xtext(text: str) -> str:
    """Return text as xtext (RFC 3461, section 4)."""
    return "".join(
        char if "!" <= char <= "~" and char not in "+=" else "".join(f"+{byte:02X}" for byte in char.encode())
        for char in text
    )


def _reason(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"it answered {error.code} {Reply(error.code, error.message).status}".rstrip()
    return str(error) or type(error).__name__
