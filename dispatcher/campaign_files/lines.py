"""On which line each key of a TOML text stands: tomllib reads the values and forgets where they were."""

import re
import tomllib
from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]
"""The keys, and the places in lists from 0, that lead to a value."""

_DEEPEST = 4
"""A campaign file nests no deeper: what lies below is found by what holds it."""
_GAP = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_PART = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}|\'\'\'(?:[^\']|\'(?!\'\'))*\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_lines(source: str) -> Mapping[Path, int]:
    """Return the line, from 1, on which each key and each item of a list is first written.

    `source` is a text tomllib has read. Dotted and quoted keys, tables, inline tables and lists are all walked.
    """
    return _Walk(source.replace("\r\n", "\n")).lines


def line_of(path: Sequence[str | int], lines: Mapping[Path, int]) -> int:
    """Return the line of a key, else of the nearest thing around it that is written; 1 where nothing is."""
    for length in range(len(path), 0, -1):
        if tuple(path[:length]) in lines:
            return lines[tuple(path[:length])]
    return 1


class _Walk:
    """One walk over a text, from its beginning to its end."""

    def __init__(self, source: str) -> None:
        self.lines: dict[Path, int] = {}
        self._source = source
        self._at = 0
        self._line = 1
        self._counted = 0
        table: Path = ()
        while self._skip() < len(source):
            if source[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        brackets = 2 if self._source.startswith("[[", self._at) else 1
        self._at += brackets
        table = self._key(())
        self._skip()
        self._at += brackets
        return table

    def _pair(self, holder: Path) -> None:
        path = self._key(holder)
        self._skip()
        self._at += 1  # the equals sign
        self._value(path)

    def _key(self, holder: Path) -> Path:
        path = holder
        while True:
            self._skip()
            part = self._take(_PART)
            path = (*path, tomllib.loads(f"key = {part}")["key"] if part[0] in "\"'" else part)[:_DEEPEST]
            self._note(path)
            if not self._source.startswith(".", self._skip()):
                return path
            self._at += 1

    def _value(self, path: Path) -> None:
        start = self._source[self._skip()]
        if start == "[":
            self._list(path)
        elif start == "{":
            self._inline(path)
        else:
            self._take(_STRING if start in "\"'" else _SCALAR)

    def _list(self, path: Path) -> None:
        self._at += 1
        number = 0
        while self._source[self._skip()] != "]":
            if self._source[self._at] == ",":
                self._at += 1
                number += 1
            else:
                item = (*path, number)[:_DEEPEST]
                self._note(item)
                self._value(item)
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._source[self._skip()] != "}":
            if self._source[self._at] == ",":
                self._at += 1
            else:
                self._pair(path)
        self._at += 1

    def _skip(self) -> int:
        """Go past blanks, line ends and comments, and return where that leads."""
        self._take(_GAP)
        return self._at

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._source, self._at)
        if found is None:
            raise ValueError(f"nothing of the form {pattern.pattern} at {self._at}")
        self._at = found.end()
        return found[0]

    def _note(self, path: Path) -> None:
        """Remember the line of a key that has just been read, or of the item that begins here."""
        self._line += self._source.count("\n", self._counted, self._at)
        self._counted = self._at
        self.lines.setdefault(path, self._line)
