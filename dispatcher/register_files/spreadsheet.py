"""A spreadsheet (XLSX): which of its sheets is the register, and its rows, every cell as the text it shows."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from dispatcher.errors import RegisterFileError
from dispatcher.register_files.layout import names_an_address
from dispatcher.register_files.mapping import RegisterMap
from dispatcher.register_files.packing import broken, check_packing
from dispatcher.register_files.records import Record, filled

_Value = int | float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """The one sheet of a spreadsheet that is read."""

    path: Path
    sha256: str
    sheet: str
    header: list[str]
    _sheet: CalamineSheet = field(repr=False)
    encoding: str = "XLSX"
    delimiter: str = ""

    def records(self) -> Iterator[Record]:
        """Yield the records that are not blank, the header first, numbered as the spreadsheet shows them."""
        return filled(_records(self._sheet))

    def count(self) -> int:
        """Return how many records are not blank."""
        return sum(1 for _ in self.records())


def open_spreadsheet(path: Path, mapping: RegisterMap, wanted: str | None) -> Spreadsheet:
    """Open a spreadsheet at the sheet `wanted`, or else at the first visible one that has a column for an address.

    Raises RegisterFileError for what is no XLSX file, is protected by a password, broken, or larger than a register
    can be, for an empty sheet, and for one that is not there.
    """
    check_packing(path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            name, sheet, header = _chosen(path.name, workbook, mapping, wanted)
    except (CalamineError, ValueError):
        raise broken(path.name) from None
    return Spreadsheet(path, sha256, name, header, sheet)


def _chosen(
    name: str, workbook: CalamineWorkbook, mapping: RegisterMap, wanted: str | None
) -> tuple[str, CalamineSheet, list[str]]:
    """Return the sheet to read: its name, itself, its header; where none has an address, the first with a header."""
    found: list[tuple[str, CalamineSheet, list[str]]] = []
    for sheet_name in _names(name, workbook, wanted):
        sheet = workbook.get_sheet_by_name(sheet_name)
        header = _header(sheet)
        if header and names_an_address(header, mapping):
            return sheet_name, sheet, header
        found += [(sheet_name, sheet, header)] if header and not found else []
    if not found:
        raise RegisterFileError(f"{name} is empty: export the register again.")
    return found[0]


def _names(name: str, workbook: CalamineWorkbook, wanted: str | None) -> list[str]:
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if wanted is None:
        return [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    named = [sheet.name for sheet in sheets if sheet.name.casefold() == wanted.casefold()]
    if not named:
        there = ", ".join(sheet.name for sheet in sheets)
        raise RegisterFileError(f"{name} has no sheet {wanted!r}. Its sheets are: {there}.")
    return named[:1]


def _header(sheet: CalamineSheet) -> list[str]:
    """Return the cells of the first row that is not blank, without the blank ones at its end."""
    record = next(filled(_records(sheet)), None)
    cells = list(record.cells or []) if record else []
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _records(sheet: CalamineSheet) -> Iterator[Record]:
    for row, cells in enumerate(sheet.iter_rows(), 1):
        yield Record(row, [_text(cell) for cell in cells], (row, row))


def _text(value: _Value) -> str:
    """Return a cell as people would write it: whole numbers without a fraction, dates ISO, times to the minute.

    A spreadsheet keeps every number as a fraction and every time as a fraction of a day, which is right to the second.
    """
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.0f}" if value.is_integer() else repr(value)
        case datetime():
            moment = (value + timedelta(milliseconds=500)).replace(microsecond=0)
            return moment.isoformat(timespec="seconds" if moment.second else "minutes")
        case _:
            return str(value)
