"""Finds the line a key stands on, since tomllib does not tell."""

import re
from collections.abc import Iterator, Sequence

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_TABLE = re.compile(rf"\s*\[\[?\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]\]?")
_PART = re.compile(_KEY)
_STRINGS = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|' + r"'''.*?'''|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'|#[^\n]*", re.DOTALL
)


def line_of(source: str, path: Sequence[str]) -> int | None:
    """Return the line, from 1, of the longest beginning of this path that the source writes out, or None.

    A key inside an inline table is found by the key that holds the table.
    """
    best: tuple[int, int] | None = None
    for line, written in _written(source):
        length = len(written)
        if list(path[:length]) == written and (best is None or length > best[0]):
            best = (length, line)
    return best[1] if best else None


def _written(source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each table header and each key with its line and its whole path."""
    table: list[str] = []
    depth = 0
    for number, line in enumerate(_without_strings(source).split("\n"), start=1):
        original = source.split("\n")[number - 1] if depth == 0 else ""
        header = _TABLE.match(original) if depth == 0 else None
        if header:
            table = _parts(header[1])
            yield number, table
            continue
        key = _DOTTED.match(original) if depth == 0 else None
        if key:
            yield number, [*table, *_parts(key[1])]
        depth = max(0, depth + sum(line.count(char) for char in "[{") - sum(line.count(char) for char in "]}"))


def _without_strings(source: str) -> str:
    """Blank every string and comment, keeping the line ends, so that brackets can be counted."""
    return _STRINGS.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def _parts(dotted: str) -> list[str]:
    return [part[1:-1] if part[0] in "\"'" else part for part in _PART.findall(dotted)]
