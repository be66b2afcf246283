"""The file itself, delimited text or a spreadsheet: its header, then its rows, as a stream.

A broken file is refused before the first row is handed out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from dispatcher.errors import RegisterFileError
from dispatcher.register_files.delimited import open_delimited
from dispatcher.register_files.layout import Layout, lay_out
from dispatcher.register_files.mapping import RegisterMap
from dispatcher.register_files.packing import check_is_text, is_packed
from dispatcher.register_files.records import Content, Record
from dispatcher.register_files.rows import RegisterRow, RejectedRow, RowNames, RowReader
from dispatcher.register_files.spreadsheet import open_spreadsheet


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """An export that can be read: `rows` gives its rows, as often as asked.

    `encoding` is UTF-8, UTF-16, Windows-1252 or XLSX; `sheet` names the sheet of a spreadsheet, which has no
    `delimiter`. `used` leads from a column's name to what it is used for; `dropped` names the columns left unread;
    `missing` the columns of answers the mapping names and the file has not: nobody's answer can be read from those.
    `asks` says whether the file has a column of answers that the mapping knows.
    `row_count` are the rows that are not blank, to show progress by.
    """

    path: Path
    sha256: str
    encoding: str
    delimiter: str
    sheet: str | None
    used: Mapping[str, str]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    asks: bool
    row_count: int
    _content: Content = field(repr=False)
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

    def _rows(self) -> Iterator[Record]:
        try:
            self._refuse_changes()
            yield from islice(self._content.records(), 1, None)
        except (OSError, UnicodeError):
            raise self._changed() from None
        self._refuse_changes()

    def _refuse_changes(self) -> None:
        if _stamp(self.path) != self._stamp:
            raise self._changed()

    def _changed(self) -> RegisterFileError:
        return RegisterFileError(f"{self.path.name} was changed while it was read: run the import again.")

    def _read(self, record: Record) -> RegisterRow | RejectedRow:
        if record.cells is not None:
            return self._reader.read(record.row, record.cells)
        first, last = record.lines
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        reason = f"A quotation mark stands in the wrong place, so {where} of the file cannot be read: correct it."
        return RejectedRow(record.row, "", reason)


def open_register(path: Path, mapping: RegisterMap, now: datetime, sheet: str | None = None) -> RegisterFile:
    """Open a register export, CSV or XLSX, and read its header.

    `now` (aware UTC) is what an answer may not lie after. `sheet` names the sheet of a spreadsheet; without it the
    first one is read whose header has a column for an address. Raises RegisterFileError if the file cannot be read as
    a whole, has no usable header, no column for an address or no row, names one column twice, or comes from a patient
    register (L-44); and for what `open_delimited` and `open_spreadsheet` refuse.
    """
    try:
        stamp = _stamp(path)
        content = _content(path, mapping, sheet)
        layout = lay_out(path.name, content.header, mapping)
        row_count = content.count() - 1
    except OSError as error:
        raise RegisterFileError(f"{path.name} cannot be read ({error.strerror}): check the file's name.") from None
    if row_count < 1:
        raise RegisterFileError(f"{path.name} has column names and no clients: export the register again.")
    return RegisterFile(
        path,
        content.sha256,
        content.encoding,
        content.delimiter,
        content.sheet,
        used=layout.used,
        dropped=layout.dropped,
        missing=layout.missing,
        asks=bool(layout.questions),
        row_count=row_count,
        _content=content,
        _reader=_reader(layout, mapping, now),
        _stamp=stamp,
    )


def _content(path: Path, mapping: RegisterMap, sheet: str | None) -> Content:
    if is_packed(path):
        return open_spreadsheet(path, mapping, sheet)
    if sheet is not None:
        raise RegisterFileError(f"{path.name} has no sheets, since it is no spreadsheet: leave out --sheet.")
    check_is_text(path)
    return open_delimited(path, mapping)


def _reader(layout: Layout, mapping: RegisterMap, now: datetime) -> RowReader:
    return RowReader(layout.width, layout.fields, layout.questions, mapping.zone, mapping.region, now)


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file is written to: its size and the time of its last change."""
    if not path.is_file():
        raise RegisterFileError(f"{path.name} is not a file: give the name of the register export.")
    found = path.stat()
    return found.st_size, found.st_mtime_ns
