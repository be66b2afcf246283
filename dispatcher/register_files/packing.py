"""What a spreadsheet is packed in, looked through before anything parses it: a small file could fill any memory.

An XLSX file is a zip archive of XML. Its directory says how large the parts are, and need not be right; and a sheet
with two cells, in its first and its last corner, is 17 billion cells to whoever reads it whole. So every part is
unpacked once, piece by piece, its bytes counted and the cells of its sheet measured.
"""

import codecs
import re
import zlib
from copy import copy
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from dispatcher.errors import RegisterFileError

LARGEST = 200_000_000
"""Bytes of all parts, unpacked."""
MOST_CELLS = 5_000_000
"""Cells of one sheet, the empty ones between its corners included: a hundred thousand clients of fifty columns."""
_MOST_PARTS = 10_000
_TIGHTEST = 200
"""How many times larger than the file its parts may be, from a size on that hurts."""
_HURTS = 20_000_000
_CHUNK = 1 << 16
_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls"})
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
"""Control characters that no text begins with; tabs and the ends of lines and pages are not among them."""
_ROW = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_POSITION = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII | re.IGNORECASE)
_ENCRYPTED = 1
_CELLS = b"sheetData"
"""The element in which a sheet has its cells."""


def is_packed(path: Path) -> bool:
    """Say whether a file begins as spreadsheets do, old and new, and as no text does."""
    with path.open("rb") as file:
        return file.read(4) in {_ZIP, _COMPOUND}


def check_is_text(path: Path) -> None:
    """Raise RegisterFileError for what a spreadsheet's name stands on and is neither packed like one nor text."""
    if path.suffix.casefold() not in _SUFFIXES:
        return
    with path.open("rb") as file:
        start = file.read(_CHUNK)
    if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and _NO_TEXT.search(start):
        raise RegisterFileError(
            f"{path.name} is no spreadsheet, whatever its name says, and no text: export it again; nothing was read."
        )


def check_packing(path: Path) -> None:
    """Raise RegisterFileError unless this is an XLSX file that can be read in bounded memory."""
    name = path.name
    with path.open("rb") as file:
        if file.read(4) == _COMPOUND:
            raise _compound(name, file)
    if path.stat().st_size > LARGEST:
        raise _too_large(name)
    try:
        with ZipFile(path) as archive:
            packed = path.stat().st_size
            _check_parts(name, packed, archive.infolist())
            _unpack(name, archive, packed)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, expat.ExpatError, UnicodeError, ValueError):
        raise broken(name) from None


def broken(name: str) -> RegisterFileError:
    """Return the refusal of a spreadsheet that cannot be read."""
    return RegisterFileError(f"{name} is a broken spreadsheet: open it, save it anew as XLSX or CSV; nothing was read.")


def _compound(name: str, file: BinaryIO) -> RegisterFileError:
    """Return what is wrong with a compound file: a password on a new spreadsheet, or a spreadsheet of before 2007."""
    head = b"\0" * 4 + file.read(508)
    shift, first = int.from_bytes(head[30:32], "little"), int.from_bytes(head[48:52], "little")
    file.seek((first + 1) << min(shift, 12))
    if "EncryptedPackage".encode("utf-16-le") in file.read(_CHUNK):
        return _locked(name)
    return RegisterFileError(f"{name} is of an old kind (.xls): save it as XLSX or CSV (UTF-8) and import that file.")


def _locked(name: str) -> RegisterFileError:
    return RegisterFileError(f"{name} is protected by a password: save it without one and import that file.")


def _too_large(name: str) -> RegisterFileError:
    return RegisterFileError(
        f"{name} is larger than a register can be: unpacked it has over {LARGEST // 1_000_000} MB, or it is packed "
        "more tightly than a spreadsheet program packs. Export the register again as CSV (UTF-8); nothing was read."
    )


def _check_parts(name: str, size: int, parts: list[ZipInfo]) -> None:
    """Check what the directory of the archive says."""
    names = {part.filename.casefold() for part in parts}
    if "content.xml" in names or "xl/workbook.bin" in names:
        kind = "an OpenDocument (.ods)" if "content.xml" in names else "a binary (.xlsb)"
        raise RegisterFileError(f"{name} is {kind} spreadsheet: save it as XLSX or CSV (UTF-8) and import that file.")
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise _locked(name)
    if "xl/workbook.xml" not in names:
        raise RegisterFileError(f"{name} is a packed file without a spreadsheet in it: give the export itself.")
    if len(parts) > _MOST_PARTS or any(part.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for part in parts):
        raise broken(name)
    _check_size(name, sum(part.file_size for part in parts), size)


def _check_size(name: str, unpacked: int, packed: int) -> None:
    if unpacked > LARGEST or unpacked > max(_HURTS, packed * _TIGHTEST):
        raise _too_large(name)


def _unpack(name: str, archive: ZipFile, packed: int) -> None:
    """Unpack every part, piece by piece, and measure the sheets among them."""
    unpacked = 0
    for part in archive.infolist():
        whole = copy(part)
        whole.file_size = LARGEST + 1  # read to its real end, whatever the directory says of it
        is_xml = part.filename.casefold().endswith(".xml")
        area = _Area(name) if is_xml else _NoSheet(name)
        with archive.open(whole) as content:
            while chunk := content.read(_CHUNK):
                unpacked += len(chunk)
                _check_size(name, unpacked, packed)
                area.read(chunk)
        area.read(b"", is_last=True)


class _NoSheet:
    """Looks through a part that is no XML by its name; a workbook may call it a sheet, and then it would be read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._end = b""

    def read(self, chunk: bytes, *, is_last: bool = False) -> None:  # noqa: ARG002 - as the other reads
        """Read on. Raises RegisterFileError for a sheet by another name."""
        seen = self._end + chunk
        if _CELLS in seen:
            raise broken(self._name)
        self._end = seen[1 - len(_CELLS) :]


class _Area:
    """Measures how far the cells of a sheet reach; a part that is no sheet has none."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._row = self._column = self._lowest = self._farthest = 0
        self._is_sheet = False
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._element
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Read on. Raises RegisterFileError for a sheet too large, ExpatError for what is no XML."""
        self._parser.Parse(chunk, is_last)

    def _element(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == _CELLS.decode():
            self._is_sheet = True
        elif tag == "row":
            self._begin_row(attributes.get("r"))
        elif tag == "c":
            self._cell(attributes.get("r"))

    def _begin_row(self, number: str | None) -> None:
        """Take in a row; one that does not say its number comes after the last one."""
        self._column = 0
        if number is None:
            self._row += 1
        elif _ROW.fullmatch(number):
            self._row = int(number)
        elif self._is_sheet:
            raise broken(self._name)

    def _cell(self, position: str | None) -> None:
        """Take in a cell; one that does not say where it stands comes after the last one."""
        self._column += 1
        row = self._row
        if position is not None:
            found = _POSITION.fullmatch(position)
            if found is None:
                if self._is_sheet:
                    raise broken(self._name)
                return  # in a part that is no sheet, a shape may have an attribute of this name
            self._column, row = _number(found[1]), int(found[2])
        self._lowest, self._farthest = max(self._lowest, row), max(self._farthest, self._column)
        if self._lowest * self._farthest > MOST_CELLS:
            raise RegisterFileError(
                f"{self._name}: a sheet reaches down to row {self._lowest:,} and over {self._farthest:,} columns, "
                "which is no register. Delete what stands far off, or export the register as CSV; nothing was read."
            )

    def _doctype(self, *_said: object) -> None:
        raise broken(self._name)


def _number(letters: str) -> int:
    """Return the number of a column, counted from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
