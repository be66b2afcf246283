"""Small XLSX files, written as a spreadsheet program does, and a register read from them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

import pytest

from dispatcher.errors import RegisterFileError
from dispatcher.register_files import (
    DEFAULT_COLUMNS,
    AnswerColumn,
    RegisterMap,
    RegisterRow,
    RejectedRow,
    open_register,
)
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs>'
    "</styleSheet>"
)
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zone


class Formula(NamedTuple):
    """A cell with a formula; without a value where no spreadsheet program has computed it."""

    text: str
    value: str | None = None


class Failed(NamedTuple):
    """A cell whose formula failed, as `#N/A`."""

    code: str


Cell = str | float | bool | date | datetime | Formula | Failed | None
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUESTION = AnswerColumn("lupa", (Channel.EMAIL,), Place.ONLINE, "Saako lähettää sähköpostia?", asked_column="kysytty")
MAPPING = RegisterMap(DEFAULT_COLUMNS, (QUESTION,), ZoneInfo("Europe/Helsinki"))
NAMES = ["Asiakasnumero", "Etunimi", "Sähköposti", "Puhelin", "Viimeisin käynti", "Lupa", "Kysytty"]
HEADER: list[Cell] = [*NAMES]
ANNA: list[Cell] = [1001, "Anna", "anna@posti.example", "040 123 4567", date(2026, 2, 3), "kyllä", date(2026, 2, 3)]


def write_workbook(
    path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]], *, hidden: Sequence[str] = (), first_row: int = 1
) -> Path:
    """Write a workbook of these sheets, their rows from `first_row` on; None is an empty cell."""
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        names = list(sheets)
        listed = "".join(
            f'<sheet name={quoteattr(name)} sheetId="{at}" r:id="rId{at}"'
            f' state="{"hidden" if name in hidden else "visible"}"/>'
            for at, name in enumerate(names, 1)
        )
        related = "".join(
            f'<Relationship Id="rId{at}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>'
            for at in range(1, len(names) + 1)
        )
        book = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        file.writestr("[Content_Types].xml", _TYPES)
        file.writestr("_rels/.rels", f'<Relationships xmlns="{_RELATIONS}">{book}</Relationships>')
        file.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_RELATIONS}">{related}'
            f'<Relationship Id="rId{len(names) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        )
        file.writestr("xl/styles.xml", _STYLES)
        for at, rows in enumerate(sheets.values(), 1):
            with file.open(f"xl/worksheets/sheet{at}.xml", "w") as sheet:
                sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
                for row, cells in enumerate(rows, first_row):
                    written = "".join(_cell(f"{_letters(place)}{row}", value) for place, value in enumerate(cells))
                    sheet.write(f'<row r="{row}">{written}</row>'.encode())
                sheet.write(b"</sheetData></worksheet>")
    return path


def _letters(place: int) -> str:
    above, rest = divmod(place, 26)
    return (_letters(above - 1) if above else "") + chr(ord("A") + rest)


def _cell(at: str, value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
        case Formula(text, computed):
            shown = f"<v>{escape(computed)}</v>" if computed is not None else ""
            return f'<c r="{at}" t="str"><f>{escape(text)}</f>{shown}</c>'
        case Failed(code):
            return f'<c r="{at}" t="e"><v>{code}</v></c>'
        case datetime():
            return f'<c r="{at}" s="2"><v>{(value - _DAY_ZERO).total_seconds() / 86_400!r}</v></c>'
        case date():
            return f'<c r="{at}" s="1"><v>{(value - _DAY_ZERO.date()).days}</v></c>'
        case str():
            return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
        case _:
            return f'<c r="{at}"><v>{value!r}</v></c>'


def workbook(folder: Path, *rows: list[Cell], name: str = "asiakkaat.xlsx") -> Path:
    """Write a workbook with one sheet: the header, then these rows."""
    return write_workbook(folder / name, {"Asiakkaat": [HEADER, *rows]})


def rows_of(path: Path, sheet: str | None = None) -> list[RegisterRow | RejectedRow]:
    """Return the rows of a file."""
    return list(open_register(path, MAPPING, NOW, sheet).rows())


def refused(path: Path, sheet: str | None = None) -> str:
    """Return why a file is refused."""
    with pytest.raises(RegisterFileError) as error:
        open_register(path, MAPPING, NOW, sheet)
    assert path.name in str(error.value)
    return str(error.value)
