"""What every email is made of, a campaign's or a service message: the lines of its sender, and its two parts (E-20)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.links import WaysBack
from dispatcher.rendering import enclosure, headers
from dispatcher.rules.studio import Studio

_BOUNDARY = "=_dispatcher_alternative"
"""Quoted-printable never puts "=_" into a body, so this cannot collide (RFC 2045, section 6.7)."""
CONTENT_TYPE = headers.token("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"')
VERSION = headers.token("MIME-Version", "1.0")
NO_AUTO_REPLY = headers.token("X-Auto-Response-Suppress", "OOF, AutoReply")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one email needs beside its words; without ways back it is answered at the studio's own addresses."""

    to: str
    message_id: str
    date: datetime
    ways_back: WaysBack | None = None


class Letterhead:
    """The first lines of a studio's emails; those that are the same for all are made once.

    Raises RenderingError if an address of the settings cannot stand in a header.
    """

    def __init__(self, studio: Studio, zone: ZoneInfo) -> None:
        self._zone = zone
        self._domain = studio.domain
        self._name = studio.name
        sender, replies, self._bounces = (
            headers.checked_address(address, "dispatcher.toml")
            for address in (studio.sender, studio.email, studio.bounces)
        )
        self._from = headers.mailbox("From", studio.name, sender)
        self._reply_to = headers.mailbox("Reply-To", studio.name, replies)

    def lines(self, envelope: Envelope, subject_line: bytes) -> bytes:
        """Return sender, recipient, subject, date and Message-ID. Raises RenderingError."""
        to = headers.checked_address(envelope.to)
        own_id = f"<{headers.checked_message_id(envelope.message_id)}@{self._domain}>"
        return b"".join(
            (
                self._from,
                self._answered_at(envelope.ways_back),
                headers.token("To", to),
                subject_line,
                _date_line(envelope.date, self._zone),
                headers.token("Message-ID", own_id),
            )
        )

    def bounces(self, envelope: Envelope) -> str:
        """Return the sender of the envelope, to whom a mail that cannot be delivered comes back (E-60)."""
        back = envelope.ways_back
        return headers.checked_address(back.bounce_to, "dispatcher.toml") if back else self._bounces

    def _answered_at(self, back: WaysBack | None) -> bytes:
        if back is None:
            return self._reply_to
        return headers.mailbox("Reply-To", self._name, headers.checked_address(back.reply_to, "dispatcher.toml"))


@lru_cache(maxsize=16)  # a whole batch of messages has one
def _date_line(date: datetime, zone: ZoneInfo) -> bytes:
    return headers.token("Date", format_datetime(date.astimezone(zone)))


def alternatives(words: Sequence[bytes], page: Sequence[bytes], picture: bytes = b"") -> Iterator[bytes]:
    """Yield the body of a mail: its words as text and its page as HTML, both quoted-printable already (E-22, E-23).

    `picture` is what `enclosure` made of the picture that the page shows, if it shows one.
    """
    yield _NEXT
    yield _PLAIN
    yield from words
    yield _NEXT
    if picture:
        yield enclosure.BEFORE_PAGE
    yield _HTML
    yield from page
    yield picture
    yield _END


def _head(subtype: str) -> bytes:
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode("ascii")


_PLAIN, _HTML = _head("plain"), _head("html")
_NEXT, _END = f"\r\n--{_BOUNDARY}\r\n".encode("ascii"), f"\r\n--{_BOUNDARY}--\r\n".encode("ascii")
