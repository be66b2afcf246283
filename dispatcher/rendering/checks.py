"""What every message must show, and what none may do: looked at once, when a campaign is compiled.

A look returns every fault it finds. Compiling a campaign refuses the first that is an error; the check tells all.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from dispatcher.errors import RenderingError, Severity
from dispatcher.rendering.gaps import Hole, between_marks, mark_of, without_marks
from dispatcher.rendering.headers import has_controls
from dispatcher.rendering.page import Page
from dispatcher.rendering.pictures import LARGEST as LARGEST_PICTURE
from dispatcher.rendering.skeleton import is_only
from dispatcher.rules.campaign import Language
from dispatcher.rules.places import LOOPBACK
from dispatcher.rules.sms_words import is_shortener
from dispatcher.rules.studio import Studio
from dispatcher.texts import text

LARGEST_HTML = 100_000
"""Bytes of HTML beyond which a mailbox provider cuts the end off, and the opt-out link with it (E-33)."""
_NEARLY = 80_000
"""Bytes of HTML from which the next paragraph may be the one too many."""
LARGEST_MAIL = 400_000
"""Bytes of a whole mail, its picture included: servers and phones take it without making anybody wait."""
LONGEST_SUBJECT = 75
"""Characters of a subject that a list of mails shows."""
_FREE = str.maketrans("", "", "\t\r\n")
"""The controls a body may hold."""
_OWN_LINKS = (Hole.OPT_OUT_URL, Hole.RENEW_URL)
"""The only links that may differ from client to client."""
_SCHEMES = frozenset({"https", "mailto", "tel", "sms"})
_FOLLOWING = re.compile(r"utm_|mc_[ce]id$|[fg]b?clid$|_hs[em]|mkt_tok|vero_")
"""Parameters by which a visit is counted as this mail's."""
_ADDRESS = re.compile(r"\bhttp://[^\s<>]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with what a template made, and what mends it, as clauses.

    `near` are pieces of the source by which its line can be found, the best first.
    """

    what: str
    fix: str
    rule: str = ""
    severity: Severity = Severity.ERROR
    near: tuple[str, ...] = ()

    def sentence(self, file: str) -> str:
        """Return the fault as a sentence about this file."""
        return f"{file}: {self.what}: {self.fix}{f' ({self.rule})' if self.rule else ''}."


@dataclass(frozen=True, slots=True)
class MustShow:
    """What a reader must find (L-20 to L-22): each as it is printed, with what to write in the template."""

    name: str
    marker: str
    sms_marker: str
    identity: tuple[tuple[str, str, str], ...]
    notice: str

    @classmethod
    def of(cls, studio: Studio, language: Language) -> "MustShow":
        """Return what messages of this studio must show in this language."""
        return cls(
            name=studio.name,
            marker=text("marker", language),
            sms_marker=text("sms_marker", language),
            identity=(
                ("the business id", studio.business_id, "{{ studio.business_id }}"),
                ("the postal address", studio.postal_address, "{{ studio.postal_address }}"),
            ),
            notice=studio.notice_in(language),
        )

    def in_email(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, words and remedy of what both parts of an email must show in plain sight."""
        return (
            ("the business name", self.name, "{{ studio.name }}"),
            ("that it is advertising", self.marker, '{{ t("marker") }}'),
            *self.identity,
        )

    def in_sms(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, words and remedy of what a text message must show (S-10)."""
        return (
            ("the business name", self.name, "{{ studio.name }}"),
            ("that it is advertising", self.sms_marker, '{{ t("sms_marker") }}'),
        )


def refuse(file: str, faults: Sequence[Fault]) -> None:
    """Raise RenderingError for the first of these faults that is an error."""
    for fault in faults:
        if fault.severity is Severity.ERROR:
            raise RenderingError(fault.sentence(file))


def email_text(rendered: str, must_show: MustShow) -> list[Fault]:
    """Return what the text part lacks of what it must show, its controls, and links that anybody could read."""
    return [
        *words_shown(rendered, must_show.in_email()),
        *opt_out_shown(shown=mark_of(Hole.OPT_OUT_URL) in rendered),
        *(() if must_show.notice in rendered else [_lacks("the link to the privacy notice", "{{ notice_url }}")]),
        *open_links(rendered),
    ]


def email_html(rendered: str, must_show: MustShow, picture_url: str = "") -> list[Fault]:
    """Return what the HTML lacks of what it must show, loads, follows or hides (E-32, E-33, L-40, L-45).

    `picture_url` is what names the picture the mail carries, if it carries one.
    """
    page = Page.read(rendered)
    return [
        *_size(rendered),
        *_tags(page),
        *_pictures(page, picture_url),
        *words_shown(" ".join(page.words), must_show.in_email()),
        *opt_out_shown(shown=any(is_only(Hole.OPT_OUT_URL, link) for link in page.links)),
        *(
            ()
            if must_show.notice in page.links
            else [_lacks("the link to the privacy notice", '<a href="{{ notice_url }}">')]
        ),
        *(fault for link in page.hrefs for fault in _link(link)),
    ]


def subject(rendered: str) -> list[Fault]:
    """Return whether a subject is longer than a list of mails shows."""
    length = len(without_marks(rendered))
    if length <= LONGEST_SUBJECT:
        return []
    what = f"the subject has {length} characters, and mail programs show {LONGEST_SUBJECT}"
    return [Fault(what, "say the offer at its beginning, or shorten it", "", Severity.WARNING, (rendered,))]


def _size(rendered: str) -> Iterator[Fault]:
    size = len(rendered.encode("utf-8", "replace"))
    if size > LARGEST_HTML:
        yield Fault(f"it makes more than {LARGEST_HTML // 1000} kB of HTML", "shorten it", "E-33")
    elif size > _NEARLY:
        most = LARGEST_HTML // 1000
        what = f"it makes more than {_NEARLY // 1000} kB of HTML, and at {most} kB mail programs cut the end off"
        yield Fault(what, "shorten it", "E-33", Severity.WARNING)


def _tags(page: Page) -> Iterator[Fault]:
    for loading in page.loading:
        what = f"{loading.what} would load something when the mail is opened"
        yield Fault(what, "take it out", "E-32, L-40", near=loading.near)
    for tag, near in page.forbidden:
        yield Fault(f"<{tag}> has no place in a mail", "take it out", near=(near,))
    for tag, near in page.scripted:
        yield Fault(f"<{tag}> would run a script", "take it out", near=(near,))


def _pictures(page: Page, own: str) -> Iterator[Fault]:
    for picture in page.pictures:
        if not (picture.alt or "").strip() and picture.source == own:
            what, fix = "the offer's picture has no words for who does not see it", 'write alt="{{ offer.image.alt }}"'
            yield Fault(what, fix, "L-45", near=("offer.image.url", "<img"))
        elif picture.alt is None:
            what, fix = "a picture has no words for who does not see it", 'write alt="..." (alt="" for a mere ornament)'
            yield Fault(what, fix, "L-45", near=(picture.source, "<img"))
        if picture.is_pixel:
            what = "a picture is one pixel large, as trackers are"
            yield Fault(what, "take it out", "L-40", near=(picture.source, "<img"))
        if picture.size > LARGEST_PICTURE:
            what = f"a picture has {picture.size // 1000} kB"
            fix = f"save it with fewer pixels, {LARGEST_PICTURE // 1000} kB at most"
            yield Fault(what, fix, "", Severity.WARNING, (picture.source[:60], "<img"))
        if picture.source.startswith("cid:") and picture.source != own:
            what = "a picture is to be an attachment, and nothing of that name is attached"
            fix = "name the file with image under [offer] and write {{ offer.image.url }}, or leave it out"
            yield Fault(what, fix, near=(picture.source,))
    if own and own not in {picture.source for picture in page.pictures}:
        what = "the campaign names a picture, and nobody would see it"
        fix = "show {{ offer.image.url }} with its alt, width and height, as layouts/email.html.j2 does"
        yield Fault(what, fix, "", Severity.WARNING)


def _link(link: str) -> Iterator[Fault]:
    """Return what is wrong with one link of the HTML part (L-40)."""
    bare, pieces = without_marks(link), tuple(each for each in _own_text(link) if each)
    if any(is_only(hole, link) for hole in _OWN_LINKS):
        return
    if bare != link:
        what = "a link differs from client to client"
        yield Fault(what, "only the opt-out link and the renewal link may", "L-40", near=pieces)
        return
    if not bare.strip():
        what = "a link leads nowhere for some clients"
        fix = "put {{ renew_url }} between {% if client.ends_on %} and {% endif %}"
        yield Fault(what, fix, near=("renew_url",))
        return
    parts = urlsplit(bare)
    scheme = parts.scheme.lower()
    if scheme == "http" and parts.hostname not in LOOPBACK:
        yield _open(bare)
    elif scheme not in _SCHEMES and scheme != "http":
        yield Fault(f"no mail program follows this link ({bare[:60]})", "begin it with https://", near=(bare,))
    elif is_shortener(parts.hostname or ""):
        what = f"a link goes through {parts.hostname}, where somebody else counts who follows it"
        yield Fault(what, "write the address it leads to", "S-13, L-40", Severity.WARNING, (bare,))
    elif any(_FOLLOWING.match(name.lower()) for name, _ in parse_qsl(parts.query)):
        what = "a link counts its visitors as readers of this mail"
        yield Fault(what, "take what stands behind the ? out", "L-40", Severity.WARNING, (bare,))


def _own_text(link: str) -> Sequence[str]:
    return sorted(between_marks(link), key=len, reverse=True)


def open_links(rendered: str) -> Iterator[Fault]:
    """Return the links of a text that anybody on the way could read."""
    for link in dict.fromkeys(_ADDRESS.findall(rendered)):
        if urlsplit(link).hostname not in LOOPBACK:
            yield _open(link)


def _open(link: str) -> Fault:
    return Fault(f"a link is not encrypted ({link[:60]})", "write https:// instead of http://", near=(link,))


def words_shown(words: str, wanted: tuple[tuple[str, str, str], ...]) -> Iterator[Fault]:
    """Return which of these words are not there, and whether a control character is."""
    line = " ".join(words.split())
    if has_controls(words.translate(_FREE)):
        yield Fault("it prints a control character", "look for it in the template and the campaign")
    for what, shown, remedy in wanted:
        if " ".join(shown.split()) not in line:
            yield _lacks(what, remedy)


def opt_out_shown(*, shown: bool) -> list[Fault]:
    """Return what is wrong where the opt-out link is not shown."""
    return [] if shown else [_lacks("the opt-out link", "{{ opt_out_url }}")]


def _lacks(what: str, remedy: str) -> Fault:
    return Fault(f"it does not show {what}", f"write {remedy} where everybody sees it", "L-20, L-21")
