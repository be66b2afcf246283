"""What is read from a spreadsheet (XLSX), and what is refused before it can fill the memory."""

import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile
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
from dispatcher.rules.consent import Place, Reply
from tests.spreadsheets import Cell, Failed, Formula, write_workbook

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUESTION = AnswerColumn("lupa", (Channel.EMAIL,), Place.ONLINE, "Saako lähettää sähköpostia?", asked_column="kysytty")
MAPPING = RegisterMap(DEFAULT_COLUMNS, (QUESTION,), ZoneInfo("Europe/Helsinki"))
NAMES = ["Asiakasnumero", "Etunimi", "Sähköposti", "Puhelin", "Viimeisin käynti", "Lupa", "Kysytty"]
HEADER: list[Cell] = [*NAMES]
ANNA: list[Cell] = [1001, "Anna", "anna@posti.example", "040 123 4567", date(2026, 2, 3), "kyllä", date(2026, 2, 3)]
SHEET = "xl/worksheets/sheet1.xml"


def shown(hour: int, minute: int = 0, second: int = 0, microsecond: int = 0) -> datetime:
    """Return a time of 3 February 2026 as a spreadsheet keeps it: without a zone."""
    return datetime(2026, 2, 3, hour, minute, second, microsecond, tzinfo=UTC).replace(tzinfo=None)


def workbook(folder: Path, *rows: list[Cell], name: str = "asiakkaat.xlsx") -> Path:
    """Write a workbook with one sheet: the header, then these rows."""
    return write_workbook(folder / name, {"Asiakkaat": [HEADER, *rows]})


def rows_of(path: Path, sheet: str | None = None) -> list[RegisterRow | RejectedRow]:
    """Return the rows of a file."""
    return list(open_register(path, MAPPING, NOW, sheet).rows())


def taken(folder: Path, **changes: Cell) -> RegisterRow:
    """Return the one row that Anna's, changed, becomes."""
    cells = [changes.get(name.split()[0].casefold(), cell) for name, cell in zip(NAMES, ANNA, strict=True)]
    (row,) = rows_of(workbook(folder, cells))
    assert isinstance(row, RegisterRow), row
    return row


def refused(path: Path, sheet: str | None = None) -> str:
    """Return why a file is refused."""
    with pytest.raises(RegisterFileError) as error:
        open_register(path, MAPPING, NOW, sheet)
    assert path.name in str(error.value)
    return str(error.value)


def repacked(path: Path, change: Callable[[str, bytes], bytes | None], compression: int = ZIP_DEFLATED) -> Path:
    """Pack a workbook anew, its parts changed; None leaves one out."""
    with ZipFile(path) as file:
        parts = {entry.filename: change(entry.filename, file.read(entry)) for entry in file.infolist()}
    with ZipFile(path, "w", compression) as file:
        for name, content in parts.items():
            if content is not None:
                file.writestr(name, content)
    return path


def with_cells(folder: Path, cells: str) -> Path:
    """Write a workbook whose sheet has these cells as they stand."""
    sheet = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}'
    whole = f"{sheet}</sheetData></worksheet>".encode()
    return repacked(workbook(folder, ANNA), lambda name, content: whole if name == SHEET else content)


# What is read


def test_the_same_rows_are_the_same_from_both_files(tmp_path: Path) -> None:
    """CSV and XLSX of one register give the same rows, but for the number that a spreadsheet has cut its zero off."""
    text = tmp_path / "asiakkaat.csv"
    text.write_text(
        ";".join(NAMES)
        + "\n1001;Anna;anna@posti.example;040 123 4567;3.2.2026;kyllä;3.2.2026\n"
        + "1002;Áilu;ailu@posti.example;;;TRUE;3.2.2026 14:05\n"
        + "\n;Eeva;eeva@posti.example;401234568;;ei;\n"
        + "1004;=1+1;x@posti.example;;;;\n"
    )
    book = workbook(
        tmp_path,
        ANNA,
        [1002.0, "Áilu", " ailu@posti.example", None, None, True, shown(14, 5)],
        [],
        [None, "Eeva", "eeva@posti.example", 401234568, Formula("TODAY()"), "ei"],
        ["1004", "=1+1", "x@posti.example"],
    )
    one, other = open_register(text, MAPPING, NOW), open_register(book, MAPPING, NOW)
    assert list(one.rows()) == list(other.rows())
    assert (("UTF-8", ";", None), ("XLSX", "", "Asiakkaat")) == (
        (one.encoding, one.delimiter, one.sheet),
        (other.encoding, other.delimiter, other.sheet),
    )
    assert (one.used, one.dropped, one.missing) == (other.used, other.dropped, other.missing)
    assert 4 == one.row_count == other.row_count


@pytest.mark.parametrize("number", [401234567, 401234567.0, "401234567", "401234567,0"], ids=repr)
def test_a_number_that_lost_its_zero_gets_its_country(tmp_path: Path, number: Cell) -> None:
    """S-08: a phone number typed as a number is read as one of the register's country, and a remark says so, masked."""
    row = taken(tmp_path, puhelin=number)
    assert "+358401234567" == row.phone
    assert (
        "The phone number +358*****67 had lost its leading zero, as in a spreadsheet: it was read as one of FI.",
    ) == row.remarks


@pytest.mark.parametrize(
    "number", ["0401234567", "+358 40 123 4567", "358401234567", 358401234567, "00358401234567"], ids=repr
)
def test_a_whole_number_needs_no_remark(tmp_path: Path, number: Cell) -> None:
    """A number that has its zero or its country is read without a word."""
    row = taken(tmp_path, puhelin=number)
    assert ("+358401234567", ()) == (row.phone, row.remarks)


@pytest.mark.parametrize("number", [1001, 1001.0, "1001", Formula("A1", "1001")], ids=repr)
def test_a_customer_number_has_no_fraction(tmp_path: Path, number: Cell) -> None:
    """A spreadsheet keeps 1001 as 1001.0; the customer is still number 1001."""
    assert "1001" == taken(tmp_path, asiakasnumero=number).external_id


@pytest.mark.parametrize(
    ("cell", "first", "seconds"),
    [
        (date(2026, 2, 3), shown(0), 86_400),
        (shown(14, 5), shown(14, 5), 60),
        (shown(14, 5, 9), shown(14, 5, 9), 1),
        (shown(14, 4, 59, 999_900), shown(14, 5), 60),
        ("3.2.2026 14:05", shown(14, 5), 60),
    ],
    ids=["day", "minute", "second", "rounded", "text"],
)
def test_a_time_is_what_the_cell_shows(tmp_path: Path, cell: Cell, first: datetime, seconds: int) -> None:
    """L-07: a date is its local day and a time its minute, or its second where it has one, as in a text file."""
    (answer,) = taken(tmp_path, kysytty=cell).answers
    begins = first.replace(tzinfo=MAPPING.zone).astimezone(UTC)
    ends = begins + timedelta(seconds=seconds, microseconds=-1)
    assert (begins, ends) == (answer.not_before, answer.not_after)


@pytest.mark.parametrize(
    ("cell", "reply"),
    [
        (True, Reply.GRANTED),
        (False, Reply.DECLINED),
        (1, Reply.GRANTED),
        (0, Reply.DECLINED),
        ("x", Reply.GRANTED),
        (None, Reply.NOT_ASKED),
        (Formula('IF(A1;"x";"")'), Reply.NOT_ASKED),
        (Formula("A1", "ei"), Reply.DECLINED),
        (Failed("#N/A"), Reply.NOT_ASKED),
    ],
    ids=repr,
)
def test_a_reply_may_be_a_box_or_a_formula(tmp_path: Path, cell: Cell, reply: Reply) -> None:
    """A ticked box, a number and a computed word are replies; a formula nobody computed, or that failed, is none."""
    assert [reply] == [answer.reply for answer in taken(tmp_path, lupa=cell).answers]


def test_rows_are_numbered_as_the_spreadsheet_shows_them(tmp_path: Path) -> None:
    """Empty rows above and between count, also where the table begins further down and to the right."""
    rows: list[list[Cell]] = [[None, *HEADER], [None, *ANNA], [], [None, 2, "=x", "b@posti.example"]]
    path = write_workbook(tmp_path / "asiakkaat.xlsx", {"A": rows}, first_row=3)
    assert [(4, RegisterRow), (6, RejectedRow)] == [(row.row, type(row)) for row in rows_of(path)]


def test_the_first_sheet_with_addresses_is_read(tmp_path: Path) -> None:
    """A sheet of instructions and a hidden one are passed by; `--sheet` names any."""
    other: list[Cell] = [7, "Eeva", "eeva@posti.example"]
    sheets: dict[str, list[list[Cell]]] = {
        "Vanha": [HEADER, other],
        "Ohje": [["Lue tämä"], ["x"]],
        "Tyhjä": [],
        "Asiakkaat": [HEADER, ANNA],
    }
    path = write_workbook(tmp_path / "asiakkaat.xlsx", sheets, hidden=["Vanha"])
    assert "Asiakkaat" == open_register(path, MAPPING, NOW).sheet
    assert ["1001"] == [row.external_id for row in rows_of(path)]
    assert ["7"] == [row.external_id for row in rows_of(path, "vanha")]
    assert "no sheet 'Uusi'. Its sheets are: Vanha, Ohje, Tyhjä, Asiakkaat." in refused(path, "Uusi")
    assert "no column for an email address" in refused(path, "Ohje")
    assert "is empty" in refused(path, "Tyhjä")


def test_what_a_sheet_lacks_is_said(tmp_path: Path) -> None:
    """Where no sheet has addresses, the first one's columns are named; one of a patient register is refused (L-44)."""
    path = write_workbook(tmp_path / "asiakkaat.xlsx", {"A": [["Nimi"], ["Anna"]], "B": [["x"]]})
    assert "no column for an email address or a phone number. Its columns are: Nimi." in refused(path)
    path = write_workbook(tmp_path / "asiakkaat.xlsx", {"A": [["Potilasnumero", "Email"], [1, "a@posti.example"]]})
    assert "patient register" in refused(path)
    assert "no clients" in refused(write_workbook(tmp_path / "asiakkaat.xlsx", {"A": [HEADER]}))


def test_columns_of_a_spreadsheet_are_an_allow_list(tmp_path: Path) -> None:
    """L-43: what nobody named is dropped by name, and columns without a name at the end are none."""
    path = write_workbook(
        tmp_path / "asiakkaat.xlsx", {"A": [["Email", "Hoito", None, None], ["a@posti.example", "kuppaus", None, None]]}
    )
    found = open_register(path, MAPPING, NOW)
    assert ("Hoito",) == found.dropped
    assert "kuppaus" not in repr(list(found.rows()))


@pytest.mark.parametrize("name", ["=?utf-8?q?x?=", "A\u202eb", "A\u200fb", "A\x0bb", "=cmd|x", "https://x.example"])
def test_a_hostile_name_rejects_its_row(tmp_path: Path, name: str) -> None:
    """E-25, E-36: formulas, encoded words, hidden characters and links are refused in a spreadsheet as in text."""
    good, bad, after = rows_of(workbook(tmp_path, ANNA, [2, name.replace("\x0b", "_x000B_"), "b@posti.example"], ANNA))
    assert isinstance(bad, RejectedRow)
    assert ("Etunimi", 3) == (bad.column, bad.row)
    assert isinstance(good, RegisterRow)
    assert isinstance(after, RegisterRow)


def test_a_spreadsheet_changed_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    """What was checked is what is read."""
    path = workbook(tmp_path, ANNA, ANNA)
    found = open_register(path, MAPPING, NOW)
    assert list(found.rows()) == list(found.rows())
    workbook(tmp_path, ANNA)
    with pytest.raises(RegisterFileError, match="changed while it was read"):
        list(found.rows())


# What is refused


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04" + bytes(99), "broken spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + bytes(5_000), "of an old kind (.xls): save it as XLSX or CSV"),
        (b"\xd0\xcf\x11\xe0", "of an old kind (.xls)"),
        (bytes(range(256)), "asiakkaat.xlsx is no spreadsheet, whatever its name says"),
        (b"\x07\x00email\n", "asiakkaat.xlsx is no spreadsheet, whatever its name says"),
        (
            b"\xd0\xcf\x11\xe0" + bytes(26) + b"\x09\x00" + bytes(16) + b"\x02\x00\x00\x00" + bytes(1484)
            + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password: save it without one",
        ),
    ],
    ids=["cut", "xls", "begun", "bytes", "controls", "encrypted"],
)  # fmt: skip
def test_what_is_no_xlsx_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """Old, protected and broken spreadsheets are refused with what to do."""
    path = tmp_path / "asiakkaat.xlsx"
    path.write_bytes(content)
    assert says in refused(path)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("content.xml", "an OpenDocument (.ods) spreadsheet: save it as XLSX or CSV"),
        ("xl/workbook.bin", "a binary (.xlsb) spreadsheet"),
        ("word/document.xml", "a packed file without a spreadsheet in it"),
    ],
)
def test_other_packed_files_are_refused(tmp_path: Path, part: str, says: str) -> None:
    """What other programs pack is named, where it is known."""
    path = tmp_path / "asiakkaat.xlsx"
    with ZipFile(path, "w") as file:
        file.writestr(part, "x")
    assert says in refused(path)


def test_parts_under_a_password_are_refused(tmp_path: Path) -> None:
    """A zip with a password of its own is protected as well."""
    path = workbook(tmp_path, ANNA)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    assert "protected by a password" in refused(path)


@pytest.mark.parametrize("part", ["xl/workbook.xml", SHEET, "xl/_rels/workbook.xml.rels"])
@pytest.mark.parametrize("content", [b"", b"<worksheet>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"\xff\x00"])
def test_broken_parts_are_refused(tmp_path: Path, part: str, content: bytes) -> None:
    """Whatever part is broken, one sentence says so; entities of XML are not read at all."""
    path = repacked(workbook(tmp_path, ANNA), lambda name, whole: content if name == part else whole)
    assert "broken spreadsheet" in refused(path) or "empty" in refused(path)


def test_a_bomb_by_its_own_word_is_not_unpacked(tmp_path: Path) -> None:
    """A zip whose directory says that it is far larger than a register is refused before a byte of it is unpacked."""
    path = workbook(tmp_path, ANNA)
    with ZipFile(path, "a", ZIP_DEFLATED) as file, file.open("xl/media/image1.bin", "w") as part:
        for _ in range(250):
            part.write(bytes(1_000_000))
    began = time.process_time()
    assert "larger than a register can be" in refused(path)
    assert time.process_time() - began < 0.5


def test_a_bomb_that_lies_is_refused_as_it_unpacks(tmp_path: Path) -> None:
    """What counts is how many bytes come out, not what the directory says of them."""
    path = workbook(tmp_path, ANNA)
    with ZipFile(path, "a", ZIP_DEFLATED) as file, file.open("xl/media/image1.bin", "w") as part:
        for _ in range(250):
            part.write(bytes(1_000_000))
    content = bytearray(path.read_bytes())
    for size in re.finditer(re.escape(struct.pack("<I", 250_000_000)), bytes(content)):
        content[size.start() : size.end()] = struct.pack("<I", 1_000)
    path.write_bytes(content)
    with ZipFile(path) as file:
        assert 1_000 == file.getinfo("xl/media/image1.bin").file_size
    assert "larger than a register can be" in refused(path)


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row><c r='a1'/></row><row r='900000'><c/><c/><c/><c/><c/><c/></row>",
        f"<row>{'<c/>' * 9000}</row>{'<row/>' * 900}<row><c><v>1</v></c></row>",
    ],
    ids=["corners", "implicit cells", "implicit rows"],
)
def test_a_sheet_with_far_corners_is_refused(tmp_path: Path, cells: str) -> None:
    """Two cells at the corners of a sheet would be billions to whoever reads it whole: it is measured first."""
    assert "which is no register" in refused(with_cells(tmp_path, cells))


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A99999999999"><v>1</v></c></row>',
        '<row r="4294967296"><c r="A4294967297"><v>1</v></c></row>',
        '<row r="1"><c r="A0"/><c r="AAAAAAA1"/></row>',
        '<row r="-1"><c/></row>',
    ],
)
def test_a_cell_that_is_nowhere_is_refused(tmp_path: Path, cells: str) -> None:
    """A place that no sheet has is not passed over: the library would count to it, or end the process."""
    assert "broken spreadsheet" in refused(with_cells(tmp_path, cells))


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.dat", "xl/media/image1.png"])
@pytest.mark.parametrize("before", [b"", b"\x89PNG", bytes((1 << 16) - 60)])
def test_a_sheet_by_another_name_is_refused(tmp_path: Path, part: str, before: bytes) -> None:
    """The library reads whatever part the workbook calls a sheet: one that hides from being measured is refused."""
    far = b'<row r="9"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    path = repacked(
        workbook(tmp_path, ANNA),
        lambda name, whole: (
            before + whole.replace(b"</sheetData>", far)
            if name == SHEET
            else whole.replace(SHEET[3:].encode(), part[3:].encode())
        ),
    )
    with ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(part if name == SHEET else name, content)
    assert "broken spreadsheet" in refused(path)


def test_a_part_packed_in_another_way_is_refused(tmp_path: Path) -> None:
    """A spreadsheet program stores or deflates; nothing else is unpacked."""
    assert "broken" in refused(repacked(workbook(tmp_path, ANNA), lambda _name, content: content, ZIP_LZMA))


def test_a_text_file_has_no_sheets(tmp_path: Path) -> None:
    """To name a sheet of a CSV file is a mistake worth a sentence."""
    path = tmp_path / "asiakkaat.csv"
    path.write_text("Email\na@posti.example\n")
    assert "leave out --sheet" in refused(path, "A")


def test_any_broken_byte_is_rows_or_one_error(tmp_path: Path) -> None:
    """No byte changed anywhere in a spreadsheet leads to anything but rows and RegisterFileError."""
    whole = workbook(tmp_path, ANNA).read_bytes()
    path = tmp_path / "other.xlsx"
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            rows_of(path)
        except RegisterFileError as error:
            assert "other.xlsx" in str(error)  # noqa: PT017 - most changes are refused, and some change nothing read


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A sheet of 40,000 rows is read in less than 150 MB more than an empty one, by a process of its own."""
    source = (
        "import resource, sys; from pathlib import Path; from tests.test_spreadsheets import rows_of;"
        "n = len(rows_of(Path(sys.argv[1]))); print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )

    def peak(rows: int) -> int:
        path = workbook(tmp_path, *([number, *ANNA[1:]] for number in range(rows)))
        done = subprocess.run(
            [sys.executable, "-c", source, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        count, kilobytes = map(int, done.stdout.split())
        assert rows == count
        return kilobytes

    assert peak(40_000) - peak(1) < 150_000
