"""The file itself: its bytes, its encoding, its delimiter, its header; then its rows, as a stream.

The file is read three times with bounded memory: once for its hash and encoding, once for its structure, so that a
broken file is refused before the first row is handed out, and once for the rows.
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from dispatcher.errors import RegisterFileError
from dispatcher.register_files.layout import Layout, known_columns, lay_out
from dispatcher.register_files.mapping import RegisterMap
from dispatcher.register_files.rows import RegisterRow, RejectedRow, RowNames, RowReader

LONGEST_ROW = 131_072
"""Characters of one row, line breaks in quotes included; it is also the longest cell Python's csv module reads."""
_CHUNK = 1 << 16
_MISQUOTED_ROWS = 1000
"""So many rows whose quotation marks are wrong make the whole file broken."""
_DELIMITERS = (";", ",", "\t")
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATOR_LINE = re.compile(r'"?sep=."?\s*', re.IGNORECASE)
_UTF8_AS_1252 = re.compile("Ã[¤¶¥„–…]")  # noqa: RUF001 - how ä ö å Ä Ö Å of UTF-8 look in Windows-1252


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """An export that can be read: `rows` gives its rows, as often as asked.

    `encoding` is UTF-8, UTF-16 or Windows-1252. `used` leads from a column's name to what it is used for; `dropped`
    names the columns left unread; `missing` the columns of answers the mapping names and the file has not: nobody's
    answer can be read from those. `row_count` are the rows that are not blank, to show progress by.
    """

    path: Path
    sha256: str
    encoding: str
    delimiter: str
    used: Mapping[str, str]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    row_count: int
    _reader: RowReader = field(repr=False)
    _stamp: tuple[int, int] = field(repr=False)

    def rows(self) -> Iterator[RegisterRow | RejectedRow]:
        """Yield every row that is not blank, in order.

        Raises RegisterFileError if the file was changed since it was opened: before the first row if it was by then,
        else after the last one or where it can no longer be read.
        """
        return map(self._read, self._rows())

    def names(self) -> Iterator[RowNames]:
        """Yield whom each row names, as far as that can be read. Raises RegisterFileError as `rows` does."""
        found = (self._reader.names(record.cells) for record in self._rows() if record.cells is not None)
        return (named for named in found if named is not None)

    def _rows(self) -> Iterator["_Record"]:
        try:
            self._refuse_changes()
            records = _filled(_records(self.path, self.encoding, self.delimiter))
            yield from islice(records, 1, None)
        except (OSError, UnicodeError):
            raise self._changed() from None
        self._refuse_changes()

    def _refuse_changes(self) -> None:
        if _stamp(self.path) != self._stamp:
            raise self._changed()

    def _changed(self) -> RegisterFileError:
        return RegisterFileError(f"{self.path.name} was changed while it was read: run the import again.")

    def _read(self, record: "_Record") -> RegisterRow | RejectedRow:
        if record.cells is not None:
            return self._reader.read(record.row, record.cells)
        first, last = record.lines
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        reason = f"A quotation mark stands in the wrong place, so {where} of the file cannot be read: correct it."
        return RejectedRow(record.row, "", reason)


def open_register(path: Path, mapping: RegisterMap, now: datetime) -> RegisterFile:
    """Open a register export (CSV) and read its header.

    `now` (aware UTC) is what an answer may not lie after. Encoding: a byte order mark decides, else strict UTF-8, else
    Windows-1252, over the whole file. Delimiter: comma, semicolon or tab, whichever shows most known columns in the
    header. Raises RegisterFileError if the file cannot be read as a whole, has no usable header, no column for an
    address or no row, names one column twice, holds a quote that never closes or a row over 131,072 characters, or
    comes from a patient register (L-44).
    """
    try:
        stamp = _stamp(path)
        sha256, encoding = _survey(path)
        delimiter, header = _header(path, encoding, mapping)
        layout = lay_out(path.name, header, mapping)
        row_count = _count(path, encoding, delimiter) - 1
    except OSError as error:
        raise RegisterFileError(f"{path.name} cannot be read ({error.strerror}): check the file's name.") from None
    if row_count < 1:
        raise RegisterFileError(f"{path.name} has column names and no clients: export the register again.")
    return RegisterFile(
        path,
        sha256,
        encoding,
        delimiter,
        used=layout.used,
        dropped=layout.dropped,
        missing=layout.missing,
        row_count=row_count,
        _reader=_reader(layout, mapping, now),
        _stamp=stamp,
    )


def _reader(layout: Layout, mapping: RegisterMap, now: datetime) -> RowReader:
    return RowReader(layout.width, layout.fields, layout.questions, mapping.zone, mapping.region, now)


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file is written to: its size and the time of its last change."""
    if not path.is_file():
        raise RegisterFileError(f"{path.name} is not a file: give the name of the register export.")
    found = path.stat()
    return found.st_size, found.st_mtime_ns


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
    if start in _SPREADSHEETS:
        raise RegisterFileError(f"{name} is a spreadsheet: save it as CSV (UTF-8) and import that file.")
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
        record = next(_filled(_records(path, encoding, delimiter)), None)
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


def _count(path: Path, encoding: str, delimiter: str) -> int:
    """Return how many rows are not blank, the header included, having seen that the file holds together."""
    count = misquoted = 0
    for record in _filled(_records(path, encoding, delimiter)):
        count += 1
        misquoted += record.cells is None
        if misquoted > _MISQUOTED_ROWS:
            raise RegisterFileError(
                f"{path.name}: quotation marks stand in the wrong place in over {_MISQUOTED_ROWS:,} rows up to row "
                f"{record.row}. Export the register again; nothing was read."
            )
    return count


class _Record(NamedTuple):
    """One row: the number a spreadsheet shows, its cells (None if its quotes are wrong), its first and last line."""

    row: int
    cells: list[str] | None
    lines: tuple[int, int]


def _filled(records: Iterator[_Record]) -> Iterator[_Record]:
    """Yield the records that are not blank."""
    return (record for record in records if record.cells is None or any(cell.strip() for cell in record.cells))


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[_Record]:
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
            yield _Record(lines.row, cells, (first, lines.number))


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
