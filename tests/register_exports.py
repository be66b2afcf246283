"""A register export for the tests of its reading: one whole row, and what becomes of it changed."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
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

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WORDING = "Saammeko lähettää sinulle tarjouksia sähköpostilla?"
EMAIL_QUESTION = AnswerColumn(
    "markkinointilupa", (Channel.EMAIL,), Place.ONLINE, WORDING, asked_column="kysytty", place_column="missä"
)
MAPPING = RegisterMap(DEFAULT_COLUMNS, (EMAIL_QUESTION,), HELSINKI)
HEADER = "etunimi;sukunimi;sähköposti;puhelin;kieli;viimeisin käynti;markkinointilupa;kysytty;missä"
ANNA = {
    "etunimi": "Anna",
    "sukunimi": "Mäki",
    "sähköposti": "anna@posti.example",
    "puhelin": "040 123 4567",
    "kieli": "fi",
    "viimeisin käynti": "3.2.2026",
    "markkinointilupa": "kyllä",
    "kysytty": "3.2.2026 14:05",
    "missä": "puhelin",
}


def write_export(folder: Path, content: str | bytes) -> Path:
    """Write an export and return its path."""
    path = folder / "asiakkaat.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def export_of(*changes: dict[str, str]) -> str:
    """Return an export with one row per change to Anna's."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER.split(";"), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(ANNA | change for change in changes)
    return text.getvalue()


def rows_of(folder: Path, content: str | bytes, mapping: RegisterMap = MAPPING) -> list[RegisterRow | RejectedRow]:
    """Return what an export is read as."""
    return list(open_register(write_export(folder, content), mapping, NOW).rows())


def row_of(folder: Path, change: dict[str, str], mapping: RegisterMap = MAPPING) -> RegisterRow:
    """Return the row that a change to Anna's becomes; it must be taken."""
    (row,) = rows_of(folder, export_of(change), mapping)
    assert isinstance(row, RegisterRow), row
    return row


def rejection_of(folder: Path, change: dict[str, str], mapping: RegisterMap = MAPPING) -> RejectedRow:
    """Return the refusal of a changed row that stands between two good ones, which it must not touch."""
    before, row, after = rows_of(folder, export_of({}, change, {}), mapping)
    assert isinstance(before, RegisterRow)
    assert replace(before, row=4) == after
    assert isinstance(row, RejectedRow), row
    assert 3 == row.row
    return row


def refusal_of(folder: Path, content: str | bytes, mapping: RegisterMap = MAPPING) -> str:
    """Return the sentence with which an export is refused as a whole."""
    with pytest.raises(RegisterFileError) as error:
        open_register(write_export(folder, content), mapping, NOW)
    assert "asiakkaat.csv" in str(error.value)
    return str(error.value)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of February 2026."""
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)
