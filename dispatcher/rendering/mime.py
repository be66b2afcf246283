"""What every email is made of, a campaign's or a service message: the lines of its sender, and its two parts (E-20)."""

import binascii
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from dispatcher.rendering import headers
from dispatcher.rendering.enclosure import related
from dispatcher.rules.studio import Studio

_BOUNDARY = "=_dispatcher_alternative"
"""Quoted-printable never puts "=_" into a body, so this cannot collide (RFC 2045, section 6.7)."""
CONTENT_TYPE = headers.token("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"')
VERSION = headers.token("MIME-Version", "1.0")
NO_AUTO_REPLY = headers.token("X-Auto-Response-Suppress", "OOF, AutoReply")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one email needs beside its words."""

    to: str
    message_id: str
    date: datetime
    bounce_to: str | None = None


class Letterhead:
    """The first lines of a studio's emails; those that are the same for all are made once.

    Raises RenderingError if an address of the settings cannot stand in a header.
    """

    def __init__(self, studio: Studio, zone: ZoneInfo) -> None:
        self._zone = zone
        self._domain = studio.domain
        sender, replies, self.bounces = (
            headers.checked_address(address, "dispatcher.toml")
            for address in (studio.sender, studio.email, studio.bounces)
        )
        self._from = headers.mailbox("From", studio.name, sender) + headers.mailbox("Reply-To", studio.name, replies)

    def lines(self, envelope: Envelope, subject_line: bytes) -> bytes:
        """Return sender, recipient, subject, date and Message-ID. Raises RenderingError."""
        to = headers.checked_address(envelope.to)
        own_id = f"<{headers.checked_message_id(envelope.message_id)}@{self._domain}>"
        return b"".join(
            (
                self._from,
                headers.token("To", to),
                subject_line,
                headers.token("Date", format_datetime(envelope.date.astimezone(self._zone))),
                headers.token("Message-ID", own_id),
            )
        )


def alternatives(words: str, page: str, picture: bytes = b"") -> bytes:
    """Return the body of a mail: its words as text and its page as HTML, for the header `CONTENT_TYPE`.

    `picture` is the part of the picture that the page shows, if it shows one.
    """
    shown = part("html", page)
    return b"".join(
        (
            f"\r\n--{_BOUNDARY}\r\n".encode("ascii"),
            part("plain", words),
            f"\r\n--{_BOUNDARY}\r\n".encode("ascii"),
            related(shown, picture) if picture else shown,
            f"\r\n--{_BOUNDARY}--\r\n".encode("ascii"),
        )
    )


def part(subtype: str, words: str) -> bytes:
    """Return one part of a body, quoted-printable, with its headers."""
    # A body without any line end would get its soft line breaks as bare LF.
    ended = words if words.endswith("\n") else words + "\n"
    lines = ended.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode("ascii") + binascii.b2a_qp(lines.encode("utf-8"), istext=True)
