"""Delimited text: its bytes, its encoding, its delimiter, its header; then its records, as a stream.

The file is read three times with bounded memory: once for its hash and encoding, once for its structure, so that a
broken file is refused before the first row is handed out, and once for the rows.
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dispatcher.errors import RegisterFileError
from dispatcher.register_files.layout import known_columns
from dispatcher.register_files.mapping import RegisterMap
from dispatcher.register_files.records import Record, filled

LONGEST_ROW = 131_072
"""Characters of one row, line breaks in quotes included; it is also the longest cell Python's csv module reads."""
_CHUNK = 1 << 16
_MISQUOTED_ROWS = 1000
"""So many rows whose quotation marks are wrong make the whole file broken."""
_DELIMITERS = (";", ",", "\t")
_SEPARATOR_LINE = re.compile(r'"?sep=."?\s*', re.IGNORECASE)
_UTF8_AS_1252 = re.compile("Ã[¤¶¥„–…]")  # noqa: RUF001 - how ä ö å Ä Ö Å of UTF-8 look in Windows-1252


@dataclass(frozen=True, slots=True)
class Delimited:
    """A file of delimited text; `encoding` is UTF-8, UTF-16 or Windows-1252."""

    path: Path
    sha256: str
    encoding: str
    delimiter: str
    header: list[str]
    sheet: None = None

    def records(self) -> Iterator[Record]:
        """Yield the records that are not blank, the header first."""
        return filled(_records(self.path, self.encoding, self.delimiter))

    def count(self) -> int:
        """Return how many records are not blank. Raises RegisterFileError if the file does not hold together."""
        count = misquoted = 0
        for record in self.records():
            count += 1
            misquoted += record.cells is None
            if misquoted > _MISQUOTED_ROWS:
                raise RegisterFileError(
                    f"{self.path.name}: quotation marks stand in the wrong place in over {_MISQUOTED_ROWS:,} rows up "
                    f"to row {record.row}. Export the register again; nothing was read."
                )
        return count


def open_delimited(path: Path, mapping: RegisterMap) -> Delimited:
    """Open a file of delimited text.

    Encoding: a byte order mark decides, else strict UTF-8, else Windows-1252, over the whole file. Delimiter: comma,
    semicolon or tab, whichever shows most known columns in the header. Raises RegisterFileError for an empty file, one
    whose letters no single encoding explains, a quote that never closes and a row over 131,072 characters.
    """
    sha256, encoding = _survey(path)
    delimiter, header = _header(path, encoding, mapping)
    return Delimited(path, sha256, encoding, delimiter, header)


def _survey(path: Path) -> tuple[str, str]:
    """Return the file's hash and its encoding."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        decoders = _candidates(path.name, file.read(4))
        file.seek(0)
        lines = bad_line = 0
        mixed = False
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            for encoding, decoder in tuple(decoders.items()):
                try:
                    text = decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    bad_line = lines + 1 + chunk.count(b"\n", 0, error.start)
                    del decoders[encoding]
                else:
                    mixed = mixed or (encoding == "Windows-1252" and bool(_UTF8_AS_1252.search(text)))
            lines += chunk.count(b"\n")
    survivor = _survivor(decoders)
    if survivor is None or (survivor == "Windows-1252" and mixed):
        raise RegisterFileError(
            f"{path.name}, line {bad_line or lines + 1}: the letters are neither all UTF-8 nor all Windows-1252. "
            "Export the register again as CSV in UTF-8; nothing was read."
        )
    return digest.hexdigest(), survivor


def _candidates(name: str, start: bytes) -> dict[str, codecs.IncrementalDecoder]:
    if not start:
        raise RegisterFileError(f"{name} is empty: export the register again.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        names: tuple[str, ...] = ("UTF-16",)
    elif start.startswith(codecs.BOM_UTF8):
        names = ("UTF-8",)
    else:
        names = ("UTF-8", "Windows-1252")
    return {name: codecs.getincrementaldecoder(name)() for name in names}


def _survivor(decoders: dict[str, codecs.IncrementalDecoder]) -> str | None:
    """Return the first encoding in which the file also ends well."""
    for encoding, decoder in decoders.items():
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def _header(path: Path, encoding: str, mapping: RegisterMap) -> tuple[str, list[str]]:
    """Return the delimiter and the header's cells."""
    found: list[tuple[tuple[int, int], str, list[str]]] = []
    for delimiter in _DELIMITERS:
        record = next(filled(_records(path, encoding, delimiter)), None)
        if record is None:
            raise RegisterFileError(f"{path.name} is empty: export the register again.")
        if record.cells is not None:
            found.append(((known_columns(record.cells, mapping), len(record.cells)), delimiter, record.cells))
    if not found:
        raise RegisterFileError(f"{path.name}: the quotation marks of the header cannot be read. Export it again.")
    _, delimiter, header = max(found, key=lambda item: item[0])
    if any("\0" in cell for cell in header):
        raise RegisterFileError(f"{path.name} is not a text file: export the register as CSV (UTF-8).")
    return delimiter, header


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[Record]:
    """Yield every record of the file, blank ones included."""
    codec = "utf-8-sig" if encoding == "UTF-8" else encoding
    with path.open(encoding=codec, newline="") as file:
        lines = _Lines(file, path.name)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.begin_row()
            first = lines.number + 1
            cells = None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                if lines.ended:
                    raise lines.unclosed() from None
            yield Record(lines.row, cells, (first, lines.number))


class _Lines:
    """The lines of a file, refusing a row without end before it fills the memory."""

    def __init__(self, file: TextIO, name: str) -> None:
        self._file = file
        self._name = name
        self._taken = 0
        self.row = 0
        self.number = 0
        self.ended = False

    def begin_row(self) -> None:
        self.row += 1
        self._taken = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._line()
        if self.number == 1 and _SEPARATOR_LINE.fullmatch(line):
            line = self._line()  # a hint to the spreadsheet, which does not show it as a row
        if not line:
            self.ended = True
            raise StopIteration
        return line

    def _line(self) -> str:
        line = self._file.readline(LONGEST_ROW + 1 - self._taken)
        self._taken += len(line)
        self.number += bool(line)
        if self._taken > LONGEST_ROW:
            raise self.unclosed()
        return line

    def unclosed(self) -> RegisterFileError:
        return RegisterFileError(
            f"{self._name}, row {self.row}: a quotation mark opens and never closes, or the row is longer than "
            f"{LONGEST_ROW:,} characters. Export the register again; nothing was read."
        )
