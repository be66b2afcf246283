"""An email as ready bytes: its own headers, a text and an HTML part, CRLF, 7-bit (E-20 to E-24)."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import css_inline

from dispatcher.rendering import checks, headers, mime
from dispatcher.rendering.gaps import Hole, Trace, Values
from dispatcher.rendering.quoted import Quoted
from dispatcher.rendering.skeleton import Shape, Skeleton
from dispatcher.rendering.templates import FOLDER, Templates, Words, email_path, located
from dispatcher.rendering.ways import Ways
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.message import Email
from dispatcher.rules.studio import Studio

_SENDER_ID = "dispatcher"
# Rules for dark screens and narrow ones cannot be inlined, and a link to a sheet is kept so that the check refuses it;
# without the flags both would be dropped in silence.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, keep_link_tags=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class EmailForm:
    """The email of one campaign for one shape of client: text, HTML with its styles inlined, and subject.

    Each is made and checked for every way through its template, and encoded where the wire wants it so.
    """

    text: Ways["Part"]
    html: Ways["Part"]
    subject: Ways["Subject"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body, and the same as the bytes it is sent as.

    `picture` is the picture that a page shows, as the part of a mail; empty where it shows none.
    """

    skeleton: Skeleton
    quoted: Quoted
    picture: bytes

    @classmethod
    def of(cls, skeleton: Skeleton, picture: bytes = b"") -> "Part":
        """Return the part that a skeleton makes."""
        return cls(skeleton, Quoted.of(skeleton), picture)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject; `line` is the finished header where it is the same for all."""

    skeleton: Skeleton
    line: bytes | None

    @classmethod
    def of(cls, skeleton: Skeleton) -> "Subject":
        """Return the subject that a skeleton makes. Raises RenderingError if no header can hold it (E-25)."""
        same = skeleton.is_same_for_all
        return cls(skeleton, headers.unstructured("Subject", skeleton.fill({})) if same else None)

    def header(self, values: Values) -> bytes:
        """Return the header of one client. Raises RenderingError if no header can hold it."""
        return self.line or headers.unstructured("Subject", self.skeleton.fill(values))


def compile_form(campaign: Campaign, templates: Templates, words: Words, studio: Studio, shape: Shape) -> EmailForm:
    """Return the email of a shape, checked for all that every email must hold (E-14, L-20, L-21).

    Raises RenderingError naming the template and what to write there.
    """
    must_show = checks.MustShow.of(studio, shape.language)
    text_path, html_path, subject_path = (
        email_path(campaign, part) for part in ("body.txt", "body.html", "subject.txt")
    )

    def plain(trace: Trace) -> Part:
        rendered = text_part(words, text_path, shape, trace)
        skeleton = located(text_path, lambda: Skeleton.of_text(rendered, trace))
        checks.refuse(f"{FOLDER}/{text_path}", checks.email_text(rendered, must_show))
        return Part.of(skeleton)

    def page(trace: Trace) -> Part:
        rendered = html_part(words, html_path, shape, trace)
        skeleton = located(html_path, lambda: Skeleton.of_html(rendered, trace))
        checks.refuse(f"{FOLDER}/{html_path}", checks.email_html(rendered, must_show, words.picture_url))
        return Part.of(skeleton, words.picture_shown_by(rendered))

    def subject(trace: Trace) -> Subject:
        rendered = subject_of(campaign, templates, words, shape, trace)
        return Subject.of(located(subject_path, lambda: Skeleton.of_text(rendered, trace)))

    return EmailForm(Ways(plain), Ways(page), Ways(subject))


def text_part(words: Words, path: str, shape: Shape, trace: Trace) -> str:
    """Return the text part that a template makes for a shape. Raises RenderingError."""
    return words.render(path, shape, trace).strip() + "\n"


def html_part(words: Words, path: str, shape: Shape, trace: Trace) -> str:
    """Return the HTML part that a template makes for a shape, its styles inlined. Raises RenderingError."""
    return _INLINER.inline(words.render(path, shape, trace))


def subject_of(campaign: Campaign, templates: Templates, words: Words, shape: Shape, trace: Trace) -> str:
    """Return the subject: what a template of its own makes, else the campaign's. Raises RenderingError."""
    own = words.subject(shape.language)
    path = email_path(campaign, "subject.txt")
    return words.render(path, shape, trace).strip() if path in templates else own


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

    def write(self, form: EmailForm, values: Values, envelope: mime.Envelope) -> Email:
        """Return the finished email of one client. Raises RenderingError if the envelope cannot be written."""
        link = headers.checked_link(values[Hole.OPT_OUT_URL])
        if values[Hole.ENDS_ON]:
            headers.checked_link(values[Hole.RENEW_URL])
        page = form.html.of(values)
        content = (
            self._letterhead.lines(envelope, form.subject.of(values).header(values)),
            headers.token("List-Unsubscribe", _ways_out(link, envelope)),
            self._fixed,
            *mime.alternatives(form.text.of(values).quoted.fill(values), page.quoted.fill(values), page.picture),
        )
        return Email(self._letterhead.bounces(envelope), recipient=envelope.to, content=b"".join(content))


def _ways_out(link: str, envelope: mime.Envelope) -> str:
    """Return where an opt-out goes: by web first, since a reader takes the first way it knows, then by mail (E-01)."""
    if envelope.ways_back is None:
        return f"<{link}>"
    return f"<{link}>, <mailto:{headers.checked_address(envelope.ways_back.opt_out, 'dispatcher.toml')}>"


def _plain(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in name)[:60]
