"""An email as ready bytes: its own headers, a text and an HTML part, CRLF, 7-bit (E-20 to E-24)."""

import binascii
import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import css_inline

from dispatcher.errors import RenderingError
from dispatcher.rendering import checks, headers
from dispatcher.rendering.skeleton import Hole, Shape, Skeleton
from dispatcher.rendering.templates import FOLDER, Templates, Words, email_path
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.message import Email
from dispatcher.rules.studio import Studio

_BOUNDARY = "=_dispatcher_alternative"
"""Quoted-printable never puts "=_" into a body, so this cannot collide (RFC 2045, section 6.7)."""
_SENDER_ID = "dispatcher"
# Rules for dark screens and narrow ones cannot be inlined, and a link to a sheet is kept so that the check refuses it;
# without the flags both would be dropped in silence.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, keep_link_tags=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class EmailForm:
    """The email of one campaign for one shape of client: text, HTML with its styles inlined, and subject, with holes.

    `subject_line` is the finished header where the subject is the same for all.
    """

    text: Skeleton
    html: Skeleton
    subject: Skeleton
    subject_line: bytes | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one email needs beside its words."""

    to: str
    message_id: str
    date: datetime
    bounce_to: str | None = None


def compile_form(campaign: Campaign, templates: Templates, words: Words, studio: Studio, shape: Shape) -> EmailForm:
    """Return the email of a shape, checked for all that every email must hold (E-14, L-20, L-21).

    Raises RenderingError naming the template and what to write there.
    """
    must_show = checks.MustShow.of(studio, shape.language)
    text_path, html_path = (email_path(campaign, part) for part in ("body.txt", "body.html"))
    plain = words.render(text_path, shape).strip() + "\n"
    page = _INLINER.inline(words.render(html_path, shape))
    form_text, form_html = _cut(text_path, plain), _cut(html_path, page)
    checks.check_email_text(f"{FOLDER}/{text_path}", plain, must_show)
    checks.check_email_html(f"{FOLDER}/{html_path}", page, must_show)
    subject = _subject(campaign, templates, words, shape)
    line = None if subject.holes else headers.unstructured("Subject", subject.fill({}))
    return EmailForm(form_text, form_html, subject, line)


class EmailWriter:
    """Writes the emails of one campaign: the headers that are the same for all are made once."""

    def __init__(self, campaign: Campaign, studio: Studio, zone: ZoneInfo) -> None:
        self._studio = studio
        self._zone = zone
        sender, replies, self._bounces = (
            headers.checked_address(address, "dispatcher.toml")
            for address in (studio.sender, studio.email, studio.bounces)
        )
        self._from = headers.mailbox("From", studio.name, sender) + headers.mailbox("Reply-To", studio.name, replies)
        self._fixed = b"".join(
            (
                headers.token("MIME-Version", "1.0"),
                headers.mailbox("List-Id", studio.name, f"marketing.{studio.domain}"),
                headers.token("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                headers.token("Precedence", "bulk"),
                headers.token("X-Auto-Response-Suppress", "OOF, AutoReply"),
                headers.token("Feedback-ID", f"{_plain(campaign.name)}:{campaign.kind}:email:{_SENDER_ID}"),
                headers.token("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'),
            )
        )

    def write(self, form: EmailForm, values: Mapping[Hole, str], envelope: Envelope) -> Email:
        """Return the finished email of one client. Raises RenderingError if the envelope cannot be written."""
        to = headers.checked_address(envelope.to)
        link = headers.checked_link(values[Hole.OPT_OUT_URL])
        if values[Hole.ENDS_ON]:
            headers.checked_link(values[Hole.RENEW_URL])
        own_id = f"<{headers.checked_message_id(envelope.message_id)}@{self._studio.domain}>"
        escaped = {hole: html.escape(value) for hole, value in values.items()}
        content = (
            self._from,
            headers.token("To", to),
            form.subject_line or headers.unstructured("Subject", form.subject.fill(values)),
            headers.token("Date", format_datetime(envelope.date.astimezone(self._zone))),
            headers.token("Message-ID", own_id),
            headers.token("List-Unsubscribe", f"<{link}>"),
            self._fixed,
            _part("plain", form.text.fill(values)),
            _part("html", form.html.fill(escaped)),
            f"\r\n--{_BOUNDARY}--\r\n".encode("ascii"),
        )
        bounces = (
            headers.checked_address(envelope.bounce_to, "dispatcher.toml") if envelope.bounce_to else self._bounces
        )
        return Email(sender=bounces, recipient=to, content=b"".join(content))


def _part(subtype: str, words: str) -> bytes:
    # A body without any line end would get its soft line breaks as bare LF.
    ended = words if words.endswith("\n") else words + "\n"
    lines = ended.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    head = (
        f'\r\n--{_BOUNDARY}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode("ascii") + binascii.b2a_qp(lines.encode("utf-8"), istext=True)


def _subject(campaign: Campaign, templates: Templates, words: Words, shape: Shape) -> Skeleton:
    own = words.subject(shape.language)
    path = email_path(campaign, "subject.txt")
    if path not in templates:
        return _cut(path, own)
    return _cut(path, words.render(path, shape).strip())


def _cut(path: str, rendered: str) -> Skeleton:
    try:
        return Skeleton.cut(rendered)
    except RenderingError as error:
        raise RenderingError(f"{FOLDER}/{path}: {error}.") from None


def _plain(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in name)[:60]
