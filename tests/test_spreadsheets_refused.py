"""What is no register in a spreadsheet (XLSX) is refused, before it can fill the memory."""

import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from dispatcher.errors import RegisterFileError
from tests.spreadsheets import ANNA, refused, rows_of, workbook

ROOT = Path(__file__).parent.parent
SHEET = "xl/worksheets/sheet1.xml"


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
        "import resource, sys; from pathlib import Path; from tests.spreadsheets import rows_of;"
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
