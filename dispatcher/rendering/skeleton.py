"""A text compiled once with holes in it: what differs from client to client is filled in last."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from markupsafe import Markup

from dispatcher.errors import RenderingError
from dispatcher.rendering.gaps import MARK, Gap, Hole, Trace, Values, cut, has_tags, mark_of, marks_in
from dispatcher.rendering.remembered import Remembered, Written
from dispatcher.rules.campaign import Campaign, Language


@dataclass(frozen=True, slots=True)
class Shape:
    """What a template may decide upon: the language, whether a first name and a day of the yes are known.

    `renewing`: the yes ends soon, and the message asks whether to go on.
    """

    language: Language
    named: bool
    dated: bool
    renewing: bool = False


def shapes_of(campaign: Campaign) -> list[Shape]:
    """Return every shape of client that a campaign can meet."""
    languages = campaign.audience.languages or frozenset(Language)
    return [Shape(*each) for each in product(sorted(languages), (True, False), (True, False), (True, False))]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A text in pieces, some of them to be written for each client."""

    pieces: tuple[str | Written, ...]

    @classmethod
    def of_text(cls, rendered: str, trace: Trace) -> "Skeleton":
        """Return the skeleton of a plain text with marks. Raises RenderingError if a mark came apart."""
        return cls(tuple(each if isinstance(each, str) else _plain(each) for each in cut(rendered, trace)))

    @classmethod
    def of_html(cls, rendered: str, trace: Trace) -> "Skeleton":
        """Return the skeleton of a page with marks; they are filled as the inliner writes text and attributes.

        Raises RenderingError if a mark came apart, or stands where a browser reads no text.
        """
        places = iter(_places(rendered))
        found = [each if isinstance(each, str) else _escaped(each, next(places)) for each in cut(rendered, trace)]
        return cls(tuple(found))

    @property
    def is_same_for_all(self) -> bool:
        """Say whether nothing of the text differs from client to client."""
        return all(isinstance(piece, str) for piece in self.pieces)

    def fill(self, values: Values) -> str:
        """Return the text of one client."""
        return "".join([piece if isinstance(piece, str) else piece(values) for piece in self.pieces])


def is_only(hole: Hole, rendered: str) -> bool:
    """Say whether a piece of text is this hole and nothing beside it."""
    return rendered.strip() == mark_of(hole)


def _plain(gap: Gap) -> Written:
    hole = gap.hole
    if hole is not None:
        return lambda values: values[hole]
    return Remembered(lambda values: str(gap.resolve(values)))


def _escaped(gap: Gap, escape: Callable[[str], str]) -> Written:
    hole = gap.hole
    if hole is not None:
        return lambda values: escape(values[hole])

    def written(values: Values) -> str:
        value = gap.resolve(values)
        if has_tags(value):
            raise RenderingError("a template makes tags anew for each client: write them around it (E-36)")
        return escape(value.unescape() if isinstance(value, Markup) else str(value))

    return Remembered(written)


def _text(words: str) -> str:
    """Return text as HTML's own serialisation writes it (HTML, section 13.3)."""
    return html.escape(words, quote=False).replace("\N{NO-BREAK SPACE}", "&nbsp;")


def _attribute(words: str) -> str:
    """Return an attribute's value as HTML's own serialisation writes it."""
    return words.replace("&", "&amp;").replace("\N{NO-BREAK SPACE}", "&nbsp;").replace('"', "&quot;")


def _places(rendered: str) -> list[Callable[[str], str]]:
    """Return, for each mark of a page in order, how what fills it is written there.

    The page is HTML's own serialisation, as the inliner writes it: every attribute stands between double quotes.
    """
    found: list[Callable[[str], str]] = []
    for piece in _PIECES.finditer(rendered):
        marks = marks_in(piece[0])
        if not piece[0].startswith("<"):
            found.append(_text)
        elif marks:
            quoted = () if piece["unread"] else _QUOTED.findall(piece[0])
            styled = marks_in("".join(_STYLE.findall(piece[0])))
            if styled or marks != sum(marks_in(value) for value in quoted):
                raise RenderingError(
                    "what differs from client to client stands in a style, a comment or a tag: print it in the text"
                )
            found += [_attribute] * marks
    return found


_PIECES = re.compile(
    r"(?P<unread><!--.*?-->|<(?P<raw>style|script|xmp|iframe|noembed|noframes|noscript)\b.*?</(?P=raw)\s*>)"
    r'|<[!/a-z][^">]*(?:"[^"]*"[^">]*)*>|' + MARK,
    re.DOTALL | re.IGNORECASE,
)
_QUOTED = re.compile('"[^"]*"')
_STYLE = re.compile(r'\sstyle="[^"]*"')
