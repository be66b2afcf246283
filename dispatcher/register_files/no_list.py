"""Lists of people who said no: bare addresses and numbers, or another system's export of who has left it.

A list is read twice as a stream: once for its structure, so that a broken file is refused before the first line is
handed out, and once for its lines. What is no address is a rejection of its line; the rest of it is kept.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO

from dispatcher.errors import RegisterFileError
from dispatcher.register_files.cells import Cell, CellError, number, plain, quoted
from dispatcher.register_files.leavers import System, columns_of, has_left
from dispatcher.register_files.mapping import DEFAULT_COLUMNS, Field, header_key
from dispatcher.register_files.packing import check_is_text
from dispatcher.rules.address import AddressError, canonical_email, masked
from dispatcher.rules.campaign import Channel

LONGEST_LINE = 131_072
"""Characters of one line; a file with a longer one is no list."""
_DELIMITERS = (";", ",", "\t")
_SEPARATORS = re.compile("[;,\t]")
_IN_BRACKETS = re.compile(r".*<([^<>]+)>")
_DIGIT = re.compile(r"\d")
_FEW = 5
_MARKED = re.compile(r"[@\d]")
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_FIELDS = {Field.EMAIL: Channel.EMAIL, Field.PHONE: Channel.SMS}


_Said = Sequence[tuple[str, Channel | None]]
"""The cells of a line that hold addresses, each with its channel where its column tells it."""


@dataclass(frozen=True, slots=True)
class NoLine:
    """A line of a list: the addresses that say no, canonical, and what of it is no address, in masked sentences.

    `line` is the number of its first line in the file. `is_skipped`: the export says that this one has not left.
    """

    line: int
    addresses: tuple[tuple[Channel, str], ...] = ()
    rejections: tuple[str, ...] = ()
    is_skipped: bool = False


@dataclass(frozen=True, slots=True)
class NoList:
    """A list that can be read: `lines` gives its lines, as often as asked; `count` says how many there are."""

    path: Path
    system: System | None
    region: str
    count: int

    def lines(self) -> Iterator[NoLine]:
        """Yield every line that is not blank, a header left out."""
        with _reading(self.path) as texts:
            if self.system is not None:
                yield from _exported(self.path.name, texts, self.system, self.region)
            else:
                yield from (_line(line, said, self.region) for line, said in _bare(texts))


def open_no_list(path: Path, system: System | None = None, region: str = "FI") -> NoList:
    """Open a list of people who said no: bare addresses and numbers, or the export of a system they have left.

    Bare ones stand one a line, or between commas, semicolons or tabs; under a header that names columns for email or
    phone only those are read. Numbers are read with `region` as their country (S-08). Raises RegisterFileError for a
    file that cannot be read to its end, a spreadsheet, one without a line, and an export that does not say who left.
    """
    with _reading(path) as texts:
        if system is None:
            count = sum(1 for _ in _bare(texts))
        else:
            first, rows = _records(path.name, texts)
            columns_of(path.name, first, system)
            count = sum(1 for _ in rows)
    if not count:
        raise RegisterFileError(f"{path.name} is empty: there is nobody in it who said no.")
    return NoList(path, system, region, count)


@contextmanager
def _reading(path: Path) -> Iterator[Iterator[str]]:
    """Give the lines of a file as text; what fails on the way is told in our words."""
    try:
        encoding = _encoding(path)
        errors = "strict" if encoding == "utf-16" else "surrogateescape"
        with path.open(encoding=encoding, errors=errors) as file:
            yield iter(_Lines(file, path.name))
    except OSError as error:
        raise RegisterFileError(f"{path.name} cannot be read ({error.strerror}): check the file's name.") from None
    except UnicodeError:
        raise RegisterFileError(f"{path.name} is not a text file: save it as CSV (UTF-8).") from None


def _encoding(path: Path) -> str:
    if path.exists() and not path.is_file():
        # A pipe nobody writes to would be waited for, and a device may have no end.
        raise RegisterFileError(f"{path.name} is not a file: give the name of the list.")
    with path.open("rb") as file:
        start = file.read(4)
    if start in _SPREADSHEETS:
        raise RegisterFileError(f"{path.name} is a spreadsheet: save it as CSV (UTF-8) and import that file.")
    check_is_text(path)
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


class _Lines:
    """The lines of a file, refusing one without end before it fills the memory."""

    def __init__(self, file: TextIO, name: str) -> None:
        self._file = file
        self._name = name
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        while text := self._file.readline(LONGEST_LINE + 1):
            self._number += 1
            if len(text) > LONGEST_LINE:
                raise RegisterFileError(
                    f"{self._name}, line {self._number} is longer than {LONGEST_LINE:,} characters: it is no list."
                )
            yield _decoded(text)


def _decoded(text: str) -> str:
    """Return a line whose bytes are not UTF-8 as Windows-1252 reads it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogateescape").decode("cp1252", errors="replace")
    return text


def _bare(texts: Iterator[str]) -> Iterator[tuple[int, _Said]]:
    """Yield the cells of a list without a system behind it: under a header those of its columns, else every one."""
    numbered = ((line, text.strip()) for line, text in enumerate(texts, 1) if text.strip())
    first = next(numbered, None)
    if first is None:
        return
    delimiter = max(_DELIMITERS, key=first[1].count)
    columns = _columns([header_key(cell) for cell in _cells(first[1], delimiter)])
    is_header = bool(columns) or not _MARKED.search(first[1])
    for line, text in numbered if is_header else chain([first], numbered):
        if columns:
            yield line, _picked(_cells(text, delimiter), columns)
        else:
            yield line, [(cell, None) for cell in _SEPARATORS.split(text)]


def _picked(cells: Sequence[str], columns: Sequence[tuple[int, Channel]]) -> _Said:
    return [(cells[index], channel) for index, channel in columns if index < len(cells)]


def _columns(keys: Sequence[str]) -> list[tuple[int, Channel]]:
    fields = ((index, DEFAULT_COLUMNS.get(key)) for index, key in enumerate(keys))
    return [(index, _FIELDS[field]) for index, field in fields if field in _FIELDS]


def _cells(text: str, delimiter: str) -> list[str]:
    """Return the cells of one line; a quotation mark that never closes ends with its line."""
    return next(csv.reader([text], delimiter=delimiter), [])


def _records(name: str, texts: Iterator[str]) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header of an export, and its rows that are not blank, each with the number of its first line."""
    first = next(texts, "")
    reader = csv.reader(chain([first], texts), delimiter=max(_DELIMITERS, key=first.count), strict=True)

    def rows() -> Iterator[tuple[int, list[str]]]:
        line = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error:
            raise RegisterFileError(
                f"{name}, line {line}: a quotation mark stands in the wrong place or never closes. Export it again."
            ) from None

    records = rows()
    return next(records, (1, []))[1], records


def _exported(name: str, texts: Iterator[str], system: System, region: str) -> Iterator[NoLine]:
    header, rows = _records(name, texts)
    columns = columns_of(name, header, system)
    for line, cells in rows:
        left = has_left(cells, columns, system)
        if isinstance(left, str):
            yield NoLine(line, rejections=(left,))
        elif not left:
            yield NoLine(line, is_skipped=True)
        else:
            yield _line(line, _picked(cells, columns.addresses), region)


def _line(line: int, said: _Said, region: str) -> NoLine:
    addresses: dict[tuple[Channel, str], None] = {}
    rejections: list[str] = []
    for text, channel in said:
        try:
            found = _address(text, channel, region)
        except (AddressError, CellError) as error:
            reason = error.reason if isinstance(error, CellError) else str(error)
            rejections.append(f"{_shown(text)} is left out: {reason.rstrip('.')}.")
            continue
        if found is not None:
            addresses[found] = None
    if not addresses and not rejections:
        rejections.append("There is neither an email address nor a phone number.")
    return NoLine(line, tuple(addresses), tuple(rejections))


def _address(text: str, channel: Channel | None, region: str) -> tuple[Channel, str] | None:
    """Return the address of a cell, None for an empty one. Raises AddressError or CellError."""
    written = plain(Cell("", text)).strip("\"' ")
    bracketed = _IN_BRACKETS.fullmatch(written)
    bare = bracketed[1].strip() if bracketed else written
    if not bare:
        return None
    if channel is Channel.EMAIL or (channel is None and "@" in bare):
        try:
            return Channel.EMAIL, canonical_email(bare)
        except AddressError:
            raise AddressError("this is not an email address") from None
    if channel is None and not _DIGIT.search(bare):
        raise AddressError("this is neither an email address nor a mobile number")
    return Channel.SMS, number(bare, region)


def _shown(text: str) -> str:
    """Return the beginning of a cell as a message may show it; what may be a number is masked (L-46)."""
    return f'"{masked(text.strip())}"' if len(_DIGIT.findall(text)) > _FEW else quoted(text)
