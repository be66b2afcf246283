"""Hands emails to a mail server, one at a time on a connection that is kept (RFC 5321)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from aiosmtplib import SMTP, SMTPHeloError, SMTPResponseException

from dispatcher.channels import RECALLED, MayGo, Peek, always, nobody
from dispatcher.channels.hosts import is_loopback
from dispatcher.channels.pipelining import ConfusedError, Due, LostError, Wire, WireError
from dispatcher.channels.replies import Reply, is_goodbye, outcome_of
from dispatcher.channels.smtp_ahead import Ahead, Offers
from dispatcher.channels.smtp_words import envelope, stuffed, unfit
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Blame, CampaignMessage, Email, Outcome, OutcomeKind, ServiceMessage

_TROUBLE = (Exception,)
# Not only SMTPException and OSError: what a server says, or a host name that cannot be one, may make the libraries
# raise anything, and an exception that escaped would end the sender and lose the message's fate.
_NO_CONNECTION = Outcome(OutcomeKind.DEFERRED, status="4.4.1", blame=Blame.CONNECTION)
_CONNECTION_LOST = Outcome(OutcomeKind.DEFERRED, status="4.4.2", blame=Blame.CONNECTION)
_REPLY_LOST = Outcome(OutcomeKind.UNKNOWN, status="4.4.2")
_TAKEN = Outcome(OutcomeKind.ACCEPTED, "250", "2.0.0")
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


class SmtpCarrier:
    """Carries emails through one mail server. `host` is whom the EU guard asks about (L-42)."""

    name = "smtp"

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._tls = None if settings.tls is Tls.NONE else ssl.create_default_context()
        self._offers = Offers()
        self.host = settings.host
        self.sessions = settings.sessions

    @asynccontextmanager
    async def session(self) -> AsyncIterator["SmtpSession"]:
        """Open one connection. Raises ChannelError if the server cannot be reached, trusted or logged in to (E-53)."""
        session = SmtpSession(self._settings, self._tls, self._offers)
        await session.open()
        try:
            yield session
        except BaseException:
            session.drop()
            raise
        await session.close()


class SmtpSession:
    """One connection, reopened when it is lost or has carried its share; it carries one message at a time.

    Where the server offers PIPELINING, the envelope of the message that comes next goes with a body (RFC 2920, 3.1), so
    that each message costs one wait for the server and not two.
    """

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext | None, offers: Offers) -> None:
        self._settings = settings
        self._offers = offers
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
        self._peek: Peek = nobody
        self._ahead: Ahead | None = None

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
        wire, protocol = self._wire, self._client.protocol
        if wire is not None and wire.is_clean and self._ahead is None and protocol is not None:
            wire.give_back(protocol)
            with suppress(*_TROUBLE):
                await self._client.quit()
        self.drop()

    def drop(self) -> None:
        """Cut the connection at once; nothing that waits to be written is written any more."""
        self._ahead = None
        if self._wire is not None:
            self._wire.abort()
            self._wire = None
        if isinstance(self._client.transport, asyncio.WriteTransport):
            self._client.transport.abort()
        self._client.close()

    def look_ahead(self, peek: Peek) -> None:
        """Learn whom to ask which message comes next; an envelope that was said for one that does not is hung up on."""
        if self._ahead is not None:
            self.drop()
        self._peek = peek

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Hand one email over, bytes as they are (E-27), and return what became of it.

        Whatever is lost before the body was given to the connection is deferred; after it, every doubt is unknown
        (E-51). Raises TypeError for anything but an email.
        """
        email = message.content
        if not isinstance(email, Email):
            raise TypeError("the mail server carries emails only")
        if self._ahead is None or not self._ahead.is_of(message.message_id, email):
            no = unfit(email)
            if no is not None:
                return no
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
        wire, ahead = self._wire, self._ahead
        if ahead is not None and ahead.is_of(message_id, email):
            self._ahead = None
        else:
            ahead = None
            if wire is None or not wire.is_clean or self._ahead is not None:
                # Closed meanwhile, or told to go by a 421 nobody had asked for, or waiting for a body that does not
                # come: nothing was said yet, so begin anew.
                self.drop()
                await self.open()
            elif self._carried >= self._settings.messages_per_connection:
                await self.close()
                await self.open()
            if self._is_too_large(email):
                return outcome_of(Reply(552, "5.3.4"))
        no = await self._address(message_id, email, ahead.due if ahead else None)
        if no is not None:
            return no
        if not await may_go():
            self.drop()  # after the server's 354 there is no other way back
            return RECALLED
        return await self._give(email.content)

    async def _address(self, message_id: str, email: Email, ahead: Due | None) -> Outcome | None:
        """Say the envelope; return None where the server waits for the body, else what that makes of the message.

        `ahead` are the replies that are due where it was said with the body before.
        """
        is_kept = self._carried > 0
        while True:
            replies: list[bytes] = ahead.replies if ahead else []
            try:
                if ahead:
                    await ahead.all()
                else:
                    await self._say_envelope(message_id, email, replies)
            except WireError as error:
                is_over = not is_kept or bool(replies)
                self._doubt(error, is_ahead=ahead is not None, is_over=is_over)
                if is_over:
                    raise
            else:
                if _is_go_ahead(replies):
                    self._offers.groups.has_worked |= self._is_group
                    if ahead:
                        self._offers.ahead.works()
                    return None
                if not self._is_to_be_said_again(replies[0], is_kept=is_kept, is_ahead=ahead is not None):
                    return await self._declined(replies)
            # A kept connection may have been closed for idleness meanwhile. Until its first reply it may not even have
            # heard us, and without a body nothing is delivered: say it once more on a new one. So too where MAIL was
            # refused that came with a body: whatever the words, that may be all the server did not like.
            is_kept, ahead = False, None
            self.drop()
            await self.open()

    def _doubt(self, error: WireError, *, is_ahead: bool, is_over: bool) -> None:
        if is_ahead:
            self._offers.ahead.fails()
            self._offers.ahead.doubt(error)
        if is_over and self._is_group:
            self._offers.groups.doubt(error)

    def _is_to_be_said_again(self, raw: bytes, *, is_kept: bool, is_ahead: bool) -> bool:
        if is_ahead and not raw.startswith(_DUE[0]):
            self._offers.ahead.fails(for_good=Reply.parsed(raw).is_about_pipelining)
            return True
        return is_kept and is_goodbye(raw)

    async def _say_envelope(self, message_id: str, email: Email, replies: list[bytes]) -> None:
        """Say MAIL, RCPT and DATA, as one group where the server offers it (E-54), and take the replies.

        One at a time, nothing more is said after a reply that was not due.
        """
        wire = self._in_use()
        self._carried += 1
        self._is_group = self._offers_groups and self._offers.groups.is_believed
        words = self._envelope(message_id, email)
        if self._is_group:
            await self._say(wire, "".join(words), replies, 3)
            return
        for each, last in zip(words, _DUE, strict=True):
            await self._say(wire, each, replies)
            if not replies[-1].startswith(last):
                return

    async def _say(self, wire: Wire, words: str, replies: list[bytes], count: int = 1) -> None:
        """Say commands and take the replies, those included that come before trouble. Raises WireError."""
        due = Due(count, self._settings.timeout_seconds)
        wire.say(words.encode("ascii"), due)
        try:
            await due.all()
        finally:
            replies += due.replies

    async def _give(self, content: bytes) -> Outcome:
        wire = self._in_use()
        if not wire.is_clean:
            raise LostError
        words, due = stuffed(content), Due(1, self._settings.reply_timeout_seconds)
        following = self._following()
        try:
            # From here on every trouble is a doubt, one of our own making included.
            if following is None:
                wire.say(words, due)
            else:
                next_words, self._ahead = following
                self._carried += 1
                wire.say(words + next_words, due, self._ahead.due)
            (raw,) = await due.all()
            if self._ahead is not None and not await self._ahead.is_in_step():
                self._offers.ahead.fails(for_good=True)
                raise ConfusedError
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

    def _following(self) -> tuple[bytes, Ahead] | None:
        """Return the envelope of the message that comes next, where it may go with the body of this one."""
        is_believed = self._is_group and self._offers.are_believed
        if not is_believed or self._carried >= self._settings.messages_per_connection:
            return None
        message = self._peek()
        email = message.content if message else None
        if message is None or not isinstance(email, Email) or unfit(email) or self._is_too_large(email):
            return None
        words = "".join(self._envelope(message.message_id, email)).encode("ascii")
        return words, Ahead(message.message_id, email, Due(3, self._settings.timeout_seconds))

    async def _declined(self, replies: list[bytes]) -> Outcome:
        """Return what an envelope comes to that was not taken, and leave the connection fit for the next, or none."""
        at = next(index for index, (raw, due) in enumerate(zip(replies, _DUE, strict=False)) if not raw.startswith(due))
        reply, later = Reply.parsed(replies[at]), replies[at + 1 :]
        is_no = reply.kind in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}
        # Neither a yes nor a no where one was due, or a yes to what follows a no: out of step with the commands.
        is_out_of_step = not is_no or any(raw.startswith(b"2") for raw in later)
        if is_out_of_step or (self._is_group and reply.is_about_pipelining):
            self._offers.groups.is_believed &= not self._is_group
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
        if self._ahead is not None:
            return  # the end of a body ends its transaction, whatever comes of it; the next has begun already
        replies: list[bytes] = []
        try:
            await self._say(self._in_use(), "RSET\r\n", replies)
        except WireError:
            self.drop()
        else:
            if not replies[0].startswith(b"2"):
                self.drop()

    def _in_use(self) -> Wire:
        if self._wire is None:
            raise LostError
        return self._wire

    async def _greet(self) -> None:
        try:
            await self._client.ehlo()
        except SMTPHeloError:
            await self._client.helo()

    def _envelope(self, message_id: str, email: Email) -> tuple[str, str, str]:
        return envelope(email, message_id, has_size=self._offers_size, has_dsn=self._offers_dsn)

    def _is_too_large(self, email: Email) -> bool:
        return 0 < self._limit < len(email.content)


def _is_go_ahead(replies: list[bytes]) -> bool:
    """Return whether the server has taken the whole envelope and waits for the body."""
    return len(replies) == 3 and all(map(bytes.startswith, replies, _DUE))


def _reason(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"it answered {error.code} {Reply(error.code, error.message).status}".rstrip()
    return str(error) or type(error).__name__
