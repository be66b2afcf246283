"""An email as ready bytes: its own headers, a text and an HTML part, CRLF, 7-bit (E-20 to E-24)."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import css_inline

from dispatcher.errors import RenderingError
from dispatcher.rendering import checks, headers, mime
from dispatcher.rendering.skeleton import Hole, Shape, Skeleton
from dispatcher.rendering.templates import FOLDER, Templates, Words, email_path
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.message import Email
from dispatcher.rules.studio import Studio

_SENDER_ID = "dispatcher"
# Rules for dark screens and narrow ones cannot be inlined, and a link to a sheet is kept so that the check refuses it;
# without the flags both would be dropped in silence.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, keep_link_tags=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class EmailForm:
    """The email of one campaign for one shape of client: text, HTML with its styles inlined, and subject, with holes.

    `subject_line` is the finished header where the subject is the same for all. `picture` is the part of the picture
    its page shows, empty where it shows none.
    """

    text: Skeleton
    html: Skeleton
    subject: Skeleton
    subject_line: bytes | None
    picture: bytes = b""


def compile_form(campaign: Campaign, templates: Templates, words: Words, studio: Studio, shape: Shape) -> EmailForm:
    """Return the email of a shape, checked for all that every email must hold (E-14, L-20, L-21).

    Raises RenderingError naming the template and what to write there.
    """
    must_show = checks.MustShow.of(studio, shape.language)
    text_path, html_path = (email_path(campaign, part) for part in ("body.txt", "body.html"))
    plain, page = text_part(words, text_path, shape), html_part(words, html_path, shape)
    form_text, form_html = _cut(text_path, plain), _cut(html_path, page)
    checks.refuse(f"{FOLDER}/{text_path}", checks.email_text(plain, must_show))
    checks.refuse(f"{FOLDER}/{html_path}", checks.email_html(page, must_show, words.picture_url))
    subject = _cut(email_path(campaign, "subject.txt"), subject_of(campaign, templates, words, shape))
    line = None if subject.holes else headers.unstructured("Subject", subject.fill({}))
    return EmailForm(form_text, form_html, subject, line, words.picture_shown_by(page))


def text_part(words: Words, path: str, shape: Shape) -> str:
    """Return the text part that a template makes for a shape. Raises RenderingError."""
    return words.render(path, shape).strip() + "\n"


def html_part(words: Words, path: str, shape: Shape) -> str:
    """Return the HTML part that a template makes for a shape, its styles inlined. Raises RenderingError."""
    return _INLINER.inline(words.render(path, shape))


def subject_of(campaign: Campaign, templates: Templates, words: Words, shape: Shape) -> str:
    """Return the subject: what a template of its own makes, else the campaign's. Raises RenderingError."""
    own = words.subject(shape.language)
    path = email_path(campaign, "subject.txt")
    return words.render(path, shape).strip() if path in templates else own


class EmailWriter:
    """Writes the emails of one campaign: the headers that are the same for all are made once."""

    def __init__(self, campaign: Campaign, studio: Studio, zone: ZoneInfo) -> None:
        self._letterhead = mime.Letterhead(studio, zone)
        self._fixed = b"".join(
            (
                mime.VERSION,
                headers.mailbox("List-Id", studio.name, f"marketing.{studio.domain}"),
                headers.token("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                headers.token("Precedence", "bulk"),
                mime.NO_AUTO_REPLY,
                headers.token("Feedback-ID", f"{_plain(campaign.name)}:{campaign.kind}:email:{_SENDER_ID}"),
                mime.CONTENT_TYPE,
            )
        )

    def write(self, form: EmailForm, values: Mapping[Hole, str], envelope: mime.Envelope) -> Email:
        """Return the finished email of one client. Raises RenderingError if the envelope cannot be written."""
        link = headers.checked_link(values[Hole.OPT_OUT_URL])
        if values[Hole.ENDS_ON]:
            headers.checked_link(values[Hole.RENEW_URL])
        escaped = {hole: html.escape(value) for hole, value in values.items()}
        subject_line = form.subject_line or headers.unstructured("Subject", form.subject.fill(values))
        content = (
            self._letterhead.lines(envelope, subject_line),
            headers.token("List-Unsubscribe", f"<{link}>"),
            self._fixed,
            mime.alternatives(form.text.fill(values), form.html.fill(escaped), form.picture),
        )
        bounces = (
            headers.checked_address(envelope.bounce_to, "dispatcher.toml")
            if envelope.bounce_to
            else self._letterhead.bounces
        )
        return Email(sender=bounces, recipient=envelope.to, content=b"".join(content))


def _cut(path: str, rendered: str) -> Skeleton:
    try:
        return Skeleton.cut(rendered)
    except RenderingError as error:
        raise RenderingError(f"{FOLDER}/{path}: {error}.") from None


def _plain(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in name)[:60]
