"""What every message must show, and what none may do: looked at once, when a campaign is compiled."""

from dataclasses import dataclass
from html.parser import HTMLParser

from dispatcher.errors import RenderingError
from dispatcher.rendering.headers import has_controls
from dispatcher.rendering.skeleton import Hole, Skeleton, is_only, without_gaps
from dispatcher.rules.campaign import Language
from dispatcher.rules.studio import Studio
from dispatcher.texts import text

LARGEST_HTML = 100_000
"""Bytes of HTML beyond which a mailbox provider cuts the end off, and the opt-out link with it (E-33)."""
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_UNSEEN = frozenset({"head", "style", "title", "script", "template"})
_FORBIDDEN = frozenset({"script", "link", "iframe", "form", "object", "embed", "base", "video", "audio"})
_FREE = str.maketrans("", "", "\t\r\n")
"""The controls a body may hold."""
_OWN_LINKS = (Hole.OPT_OUT_URL, Hole.RENEW_URL)
"""The only links that may differ from client to client."""
_LOADING = frozenset({"src", "srcset", "background", "poster", "data"})


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


def check_email_text(file: str, rendered: str, must_show: MustShow) -> None:
    """Raise RenderingError if the text part lacks what it must show, or holds control characters."""
    _check_words(file, rendered, must_show.in_email())
    _check_opt_out(file, shown=Hole.OPT_OUT_URL in Skeleton.cut(rendered).holes)
    if must_show.notice not in rendered:
        raise _lacks(file, "the link to the privacy notice", "{{ notice_url }}")


def check_email_html(file: str, rendered: str, must_show: MustShow) -> None:
    """Raise RenderingError if the HTML lacks what it must show, loads anything, or follows anybody (E-32, L-40)."""
    if len(rendered.encode("utf-8", "replace")) > LARGEST_HTML:
        raise RenderingError(f"{file} makes more than {LARGEST_HTML // 1000} kB of HTML: shorten it (E-33).")
    reader = _Reader(file)
    reader.feed(rendered)
    reader.close()
    _check_words(file, " ".join(reader.words), must_show.in_email())
    _check_opt_out(file, shown=any(is_only(Hole.OPT_OUT_URL, link) for link in reader.links))
    if must_show.notice not in reader.links:
        raise _lacks(file, "the link to the privacy notice", '<a href="{{ notice_url }}">')
    if not all(link.strip() for link in reader.links):
        raise RenderingError(
            f"{file}: a link leads nowhere for some clients: put {{{{ renew_url }}}} between {{% if client.ends_on %}} "
            "and {% endif %}."
        )


def check_sms(file: str, rendered: str, must_show: MustShow) -> None:
    """Raise RenderingError if the text message lacks what it must show (S-10)."""
    _check_words(file, rendered, must_show.in_sms())
    _check_opt_out(file, shown=Hole.OPT_OUT_URL in Skeleton.cut(rendered).holes)


class _Reader(HTMLParser):
    """Collects what a reader sees and can follow; raises for whatever a mail must not do."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self._file = file
        self._hidden = [False]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._refuse(tag, given)
        if tag == "a" and not self._hidden[-1]:
            self.links.append(given.get("href", ""))
        if tag not in _VOID:
            unseen = "display:none" in given.get("style", "").replace(" ", "").lower() or "hidden" in given
            self._hidden.append(self._hidden[-1] or unseen or tag in _UNSEEN)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self._hidden) > 1:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden[-1]:
            self.words.append(data)
        elif "@import" in data or "url(" in data:
            raise self._loads("a style")

    def _refuse(self, tag: str, given: dict[str, str]) -> None:
        if tag in _FORBIDDEN:
            raise RenderingError(f"{self._file}: <{tag}> has no place in a mail: take it out.")
        if "url(" in given.get("style", "") or any(not _is_inside(given[name]) for name in _LOADING & set(given)):
            raise self._loads(f"<{tag}>")
        if any(name.startswith("on") for name in given):
            raise RenderingError(f"{self._file}: <{tag}> would run a script: take it out.")
        link = given.get("href", "")
        if without_gaps(link) != link and not any(is_only(hole, link) for hole in _OWN_LINKS):
            raise RenderingError(
                f"{self._file}: a link differs from client to client: only the opt-out link and the renewal link may "
                "(L-40)."
            )

    def _loads(self, what: str) -> RenderingError:
        return RenderingError(
            f"{self._file}: {what} would load something when the mail is opened: take it out (E-32, L-40)."
        )


def _is_inside(source: str) -> bool:
    return source.startswith(("cid:", "data:"))


def _check_words(file: str, words: str, wanted: tuple[tuple[str, str, str], ...]) -> None:
    line = " ".join(words.split())
    if has_controls(words.translate(_FREE)):
        raise RenderingError(f"{file} prints a control character: look for it in the template and the campaign.")
    for what, shown, remedy in wanted:
        if " ".join(shown.split()) not in line:
            raise _lacks(file, what, remedy)


def _check_opt_out(file: str, *, shown: bool) -> None:
    if not shown:
        raise _lacks(file, "the opt-out link", "{{ opt_out_url }}")


def _lacks(file: str, what: str, remedy: str) -> RenderingError:
    return RenderingError(f"{file} does not show {what}: write {remedy} where everybody sees it (L-20, L-21).")
