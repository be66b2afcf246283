"""Hands emails to a mail server, one at a time on a connection that is kept (RFC 5321)."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from aiosmtplib import SMTP, SMTPHeloError, SMTPResponseException

from dispatcher.channels import RECALLED, MayGo, always
from dispatcher.channels.hosts import is_loopback
from dispatcher.channels.pipelining import ConfusedError, LostError, Wire, WireError
from dispatcher.channels.replies import Reply, outcome_of
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Blame, CampaignMessage, Email, Outcome, OutcomeKind, ServiceMessage

_TROUBLE = (Exception,)
# Not only SMTPException and OSError: what a server says, or a host name that cannot be one, may make the libraries
# raise anything, and an exception that escaped would end the sender and lose the message's fate.
_NO_CONNECTION = Outcome(OutcomeKind.DEFERRED, status="4.4.1", blame=Blame.CONNECTION)
_CONNECTION_LOST = Outcome(OutcomeKind.DEFERRED, status="4.4.2", blame=Blame.CONNECTION)
_REPLY_LOST = Outcome(OutcomeKind.UNKNOWN, status="4.4.2")
_TAKEN = Outcome(OutcomeKind.ACCEPTED, "250", "2.0.0")
_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_XTEXT = re.compile(r"[!-*,-<>-~]*")
_DUE = (b"2", b"2", b"354")
"""What the replies to MAIL, RCPT and DATA begin with where all is well."""


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


@dataclass(slots=True)
class _Offer:
    """Whether a server that offers PIPELINING is taken at its word; what one session learns, all know."""

    is_believed: bool = True
    has_worked: bool = False

    def doubt(self, error: WireError) -> None:
        """Learn from replies that did not come: a server that has done it before may just have been cut off."""
        if isinstance(error, ConfusedError) or not self.has_worked:
            self.is_believed = False


class SmtpCarrier:
    """Carries emails through one mail server. `host` is whom the EU guard asks about (L-42)."""

    name = "smtp"

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._tls = None if settings.tls is Tls.NONE else ssl.create_default_context()
        self._offer = _Offer()
        self.host = settings.host
        self.sessions = settings.sessions

    @asynccontextmanager
    async def session(self) -> AsyncIterator["SmtpSession"]:
        """Open one connection. Raises ChannelError if the server cannot be reached, trusted or logged in to (E-53)."""
        session = SmtpSession(self._settings, self._tls, self._offer)
        await session.open()
        try:
            yield session
        except BaseException:
            session.drop()
            raise
        await session.close()


class SmtpSession:
    """One connection, reopened when it is lost or has carried its share; it carries one message at a time."""

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext | None, offer: _Offer) -> None:
        self._settings = settings
        self._offer = offer
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
        self._wire: Wire | None = None
        self._offers_groups = self._offers_size = self._offers_dsn = self._is_group = False
        self._limit = 0
        self._carried = 0
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect, encrypt, greet and log in. Raises ChannelError."""
        self._carried = 0
        client = self._client
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await self._greet()
            period = min(self._settings.timeout_seconds, self._settings.reply_timeout_seconds)
            self._wire = Wire(cast("asyncio.Transport", client.transport), period)
        except _TROUBLE as error:
            self.drop()
            raise ChannelError(
                f"the mail server {self._settings.host}:{self._settings.port} cannot be used: {_reason(error)}; "
                "check its host, port, tls and login in dispatcher.toml"
            ) from error
        self._offers_groups = client.supports_extension("pipelining")
        self._offers_size = client.supports_extension("size")
        self._offers_dsn = client.supports_extension("dsn")
        limit = client.esmtp_extensions.get("size", "").strip()
        self._limit = int(limit) if limit.isdecimal() and len(limit) <= 20 else 0  # RFC 1870: 20 digits

    async def close(self) -> None:
        """Say goodbye and close, whatever the server makes of it."""
        if self._wire is not None and self._wire.is_clean and self._client.protocol is not None:
            self._wire.give_back(self._client.protocol)
            with suppress(*_TROUBLE):
                await self._client.quit()
        self.drop()

    def drop(self) -> None:
        """Cut the connection at once; nothing that waits to be written is written any more."""
        if self._wire is not None:
            self._wire.abort()
            self._wire = None
        if isinstance(self._client.transport, asyncio.WriteTransport):
            self._client.transport.abort()
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
        wire = self._wire
        if wire is None or not wire.is_clean:
            # Closed meanwhile, or told to go by a 421 nobody had asked for: nothing was said yet, so begin anew.
            self.drop()
            await self.open()
        elif self._carried >= self._settings.messages_per_connection:
            await self.close()
            await self.open()
        if 0 < self._limit < len(email.content):
            return outcome_of(Reply(552, "5.3.4"))
        no = await self._address(message_id, email)
        if no is not None:
            return no
        if not await may_go():
            self.drop()  # after the server's 354 there is no other way back
            return RECALLED
        return await self._give(email.content)

    async def _address(self, message_id: str, email: Email) -> Outcome | None:
        """Say the envelope; return None where the server waits for the body, else what that makes of the message."""
        is_kept = self._carried > 0
        while True:
            wire = self._in_use()
            heard = wire.heard
            try:
                replies = await self._say_envelope(wire, message_id, email)
            except WireError as error:
                if not is_kept or wire.heard > heard:
                    self._doubt(error)
                    raise
            else:
                if _is_go_ahead(replies):
                    self._offer.has_worked |= self._is_group
                    return None
                if not (is_kept and _is_goodbye(replies[0])):
                    return await self._declined(replies)
            # A kept connection may have been closed for idleness meanwhile. Until its first reply it may not even have
            # heard us, and without a body nothing is delivered: say it once more on a new one.
            is_kept = False
            self.drop()
            await self.open()

    async def _say_envelope(self, wire: Wire, message_id: str, email: Email) -> list[bytes]:
        """Say MAIL, RCPT and DATA, as one group where the server offers it (E-54), and return the replies.

        One at a time, nothing more is said after a reply that was not due.
        """
        self._carried += 1
        self._is_group = self._offers_groups and self._offer.is_believed
        seconds = self._settings.timeout_seconds
        mail, recipient = self._sender(message_id, email), self._recipient(email)
        if self._is_group:
            return await wire.say(f"{mail}{recipient}DATA\r\n".encode("ascii"), 3, seconds)
        replies: list[bytes] = []
        for words, due in zip((mail, recipient, "DATA\r\n"), _DUE, strict=True):
            replies += await wire.say(words.encode("ascii"), 1, seconds)
            if not replies[-1].startswith(due):
                break
        return replies

    async def _give(self, content: bytes) -> Outcome:
        wire = self._in_use()
        if not wire.is_clean:
            raise LostError
        body = _stuffed(content)
        try:
            # From here on every trouble is a doubt, one of our own making included.
            (raw,) = await wire.say(body, 1, self._settings.reply_timeout_seconds)
            if raw.startswith(b"250 2.0.0 "):
                return _TAKEN
            reply = Reply.parsed(raw)
            if reply.kind is None:
                self.drop()
                return Outcome(OutcomeKind.UNKNOWN, str(reply.code), reply.status)
            outcome = outcome_of(reply)
        except _TROUBLE:
            self.drop()
            return _REPLY_LOST
        if reply.kind is not OutcomeKind.ACCEPTED:
            await self._clear(reply, outcome)
        return outcome

    async def _declined(self, replies: list[bytes]) -> Outcome:
        """Return what an envelope comes to that was not taken, and leave the connection fit for the next, or none."""
        at = next(index for index, (raw, due) in enumerate(zip(replies, _DUE, strict=False)) if not raw.startswith(due))
        reply, later = Reply.parsed(replies[at]), replies[at + 1 :]
        is_no = reply.kind in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}
        # Neither a yes nor a no where one was due, or a yes to what follows a no: out of step with the commands.
        is_out_of_step = not is_no or any(raw.startswith(b"2") for raw in later)
        if is_out_of_step or (self._is_group and reply.is_about_pipelining):
            self._offer.is_believed &= not self._is_group
            self.drop()
            return Outcome(OutcomeKind.DEFERRED, str(reply.code), reply.status, blame=Blame.CONNECTION)
        outcome = outcome_of(reply, names_recipient=at > 0)
        if any(raw.startswith(b"354") for raw in later):
            # The server takes a body for an envelope it has refused (RFC 2920, 3.1): it must not get one.
            self.drop()
        else:
            await self._clear(reply, outcome)
        return outcome

    async def _clear(self, reply: Reply, outcome: Outcome) -> None:
        """Take the refused transaction back (E-55), or the connection where that is what was refused."""
        if outcome.blame is Blame.CONNECTION or reply.code == 421:
            self.drop()
            return
        try:
            (raw,) = await self._in_use().say(b"RSET\r\n", 1, self._settings.timeout_seconds)
        except WireError:
            self.drop()
        else:
            if not raw.startswith(b"2"):
                self.drop()

    def _in_use(self) -> Wire:
        if self._wire is None:
            raise LostError
        return self._wire

    def _doubt(self, error: WireError) -> None:
        if self._is_group:
            self._offer.doubt(error)

    async def _greet(self) -> None:
        try:
            await self._client.ehlo()
        except SMTPHeloError:
            await self._client.helo()

    def _sender(self, message_id: str, email: Email) -> str:
        size = f" SIZE={len(email.content)}" if self._offers_size else ""
        notice = f" RET=HDRS ENVID={_xtext(message_id)}" if self._offers_dsn else ""
        return f"MAIL FROM:<{email.sender}>{size}{notice}\r\n"

    def _recipient(self, email: Email) -> str:
        return f"RCPT TO:<{email.recipient}>{' NOTIFY=FAILURE' if self._offers_dsn else ''}\r\n"


def _is_go_ahead(replies: list[bytes]) -> bool:
    """Return whether the server has taken the whole envelope and waits for the body."""
    return len(replies) == 3 and all(map(bytes.startswith, replies, _DUE))


def _is_goodbye(raw: bytes) -> bool:
    """Return whether a server closes a connection for no reason but that it is old, or has carried its share."""
    reply = Reply.parsed(raw)
    return reply.code == 421 and (reply.is_about_share or outcome_of(reply).blame is Blame.CONNECTION)


def _unfit(email: Email) -> Outcome | None:
    """Return why an email cannot go over any connection, or None."""
    if email.sender and not _ADDRESS.fullmatch(email.sender):
        return Outcome(OutcomeKind.DEFERRED, "553", "5.1.7", blame=Blame.CONNECTION)
    if not _ADDRESS.fullmatch(email.recipient):
        if email.recipient.isascii():
            return outcome_of(Reply(553, "5.1.3"))
        return Outcome(OutcomeKind.REFUSED, "553", "5.6.7")  # only SMTPUTF8 could carry it (E-28)
    content = email.content
    ends = content.count(b"\n")
    is_clean = ends == content.count(b"\r") == content.count(b"\r\n") and b"\0" not in content
    # A bare LF would be altered on the way, and a server that takes it for a line end can be made to see two mails
    # in one (E-21); eight-bit bytes may be recoded on the way and break the signature (E-22).
    return None if is_clean and content.isascii() else outcome_of(Reply(554, "5.6.0"))


def _stuffed(content: bytes) -> bytes:
    """Return the bytes of the DATA phase: dots doubled at line starts, and the lone dot at the end (RFC 5321 4.5.2)."""
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _xtext(text: str) -> str:
    """Return text as xtext (RFC 3461, section 4)."""
    if _XTEXT.fullmatch(text):
        return text
    return "".join(
        char if _XTEXT.fullmatch(char) else "".join(f"+{byte:02X}" for byte in char.encode()) for char in text
    )


def _reason(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"it answered {error.code} {Reply(error.code, error.message).status}".rstrip()
    return str(error) or type(error).__name__
