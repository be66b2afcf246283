"""The poster by the till: a drawing with a code that a telephone reads; the counter card is the same at half size."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import segno

from dispatcher.rendering.paper import pdf
from dispatcher.rendering.sheets import sheet

_WIDTH, _HEIGHT = 210, 297
"""Millimetres, the size of A4; everything is drawn on this and scaled."""
_CODE, _CODE_TOP, _FOOT = 66, 158, 272
"""How wide the code is, where it begins at the highest, and where the foot does."""
_MARGIN = 22
_LETTER, _BOLD = 0.5, 0.6
"""How wide a letter is, as a part of its size, in the widest face that may stand in for the first."""
_QUIET = 4
"""Modules around the code that stay white (ISO/IEC 18004)."""


class Size(StrEnum):
    """What is printed: a poster (A4), or a card for the counter (A6)."""

    A4 = "a4"
    CARD = "card"


_SCALE = {Size.A4: 1.0, Size.CARD: 0.5}


@dataclass(frozen=True, slots=True)
class Poster:
    """What stands on a poster; `words` are the questions, `identity` the lines at the foot."""

    language: str
    studio: str
    heading: str
    words: Sequence[str]
    scan: str
    url: str
    leave: Sequence[str]
    identity: Sequence[str]


def poster_svg(poster: Poster, size: Size) -> str:
    """Return the poster as a drawing of its own: no font, picture or script is loaded from anywhere."""
    letters = 6.4 if len(poster.words) == 1 else 5.2
    name = _Column(_MARGIN, 20)
    name.write(poster.studio, 7, 1.2, after=0, bold=True)
    column = _Column(_MARGIN, 92)
    column.write(poster.heading, 13.5, 1.15, after=15, bold=True)
    for question in poster.words:
        column.write(question, letters, 1.45, after=letters * 2.1)
    top = max(column.y, _CODE_TOP)
    beside = _Column(_MARGIN + _CODE + 9, top + 7)
    beside.write(poster.scan, 5.6, 1.4, after=9)
    address = poster.url.removeprefix("https://")
    # An address is copied as it stands: it is written smaller rather than broken.
    beside.write(address, min(4.6, beside.room / (len(address) * _BOLD)), 1.35, after=12, bold=True)
    for sentence in poster.leave:
        beside.write(sentence, 4.8, 1.4, after=8.5)
    foot = _Column(_MARGIN, _FOOT)
    for line in poster.identity:
        foot.write(line, 4.2, 1.3, after=6)
    modules, path = code_path(poster.url)
    scale = _SCALE[size]
    return sheet(
        "poster.svg",
        {
            "poster": poster,
            "width": f"{_WIDTH * scale:g}mm",
            "height": f"{_HEIGHT * scale:g}mm",
            "margin": _MARGIN,
            "rule": _FOOT - 8,
            "lines": [*name.lines, *column.lines, *beside.lines, *foot.lines],
            "code": {"path": path, "x": _MARGIN, "y": round(top, 2), "side": _CODE, "modules": modules + 2 * _QUIET},
            "quiet": _QUIET,
        },
    )


def poster_pdf(poster: Poster, size: Size, day: Mapping[str, int]) -> bytes:
    """Return the drawing as a PDF of its size, dated with this day. Raises RenderingError without typst."""
    scale = _SCALE[size]
    data = {
        "svg": poster_svg(poster, size),
        "width": _WIDTH * scale,
        "height": _HEIGHT * scale,
        "language": poster.language,
        "title": f"{poster.studio}: {poster.heading}",
        "alt": " ".join([poster.heading, *poster.words, poster.scan, poster.url, *poster.leave, *poster.identity]),
        "printed_on": day,
    }
    return pdf("poster", data)


def code_path(url: str) -> tuple[int, str]:
    """Return how many modules the code of a web address is wide, and its dark ones as the path of a drawing."""
    matrix = segno.make(url, error="q", micro=False).matrix
    runs = (f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(matrix) for x, length in _runs(row))
    return len(matrix), "".join(runs)


def _runs(row: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where each run of dark modules begins, and how long it is."""
    x = 0
    for dark, modules in groupby(row):
        length = len(list(modules))
        if dark:
            yield x, length
        x += length


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float
    x: float
    y: float
    bold: bool


class _Column:
    """Writes texts below each other, each line broken where the paper ends."""

    def __init__(self, x: float, y: float) -> None:
        self.lines: list[_Line] = []
        self.y = y
        self._x = x

    @property
    def room(self) -> float:
        """Return how wide the column is."""
        return _WIDTH - _MARGIN - self._x

    def write(self, said: str, size: float, leading: float, *, after: float, bold: bool = False) -> None:
        """Write a text, and leave this much room below its last line."""
        letters = int(self.room / (size * (_BOLD if bold else _LETTER)))
        lines = textwrap.wrap(said, letters, break_long_words=False, break_on_hyphens=False)
        for at, line in enumerate(lines):
            self.lines.append(_Line(line, size, self._x, round(self.y + at * size * leading, 2), bold))
        self.y += (len(lines) - 1) * size * leading + after
