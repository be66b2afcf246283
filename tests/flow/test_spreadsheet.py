"""What the program writes for a spreadsheet is shown there, never run."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.flow.spreadsheet import FORMULA_STARTS, csv_text, harmless

PROGRAM = Path(__file__).parent.parent.parent / "dispatcher"
WRITERS = {"flow/spreadsheet.py", "demo/export.py"}
"""Who writes CSV: the one function, and the demo's booking system, whose export is spoilt on purpose to be read."""


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_begins_as_a_formula(start: str) -> None:
    """A text that begins with = + - @, a tab or a line's end gets an apostrophe; the rest of it stays."""
    assert f"'{start}1+1" == harmless(f"{start}1+1")
    assert f"1{start}1" == harmless(f"1{start}1")


def test_numbers_stay_numbers() -> None:
    """A negative number, a day, nothing: what is no text cannot be a formula."""
    assert [-5, None, 0.5] == [harmless(cell) for cell in (-5, None, 0.5)]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=1), min_size=1))
def test_every_cell_of_a_table_is_harmless_and_whole(rows: list[list[str]]) -> None:
    """Whatever the cells are, a reader gets back as many, each as it was or with its apostrophe."""
    read = list(csv.reader(StringIO(csv_text(rows), newline=""), strict=True))
    assert [[harmless(cell) for cell in row] for row in rows] == read
    assert not any(cell.startswith(FORMULA_STARTS) for row in read for cell in row)


def test_there_is_one_writer_of_csv() -> None:
    """Nothing else in the program writes CSV, so that no export can forget it."""
    found = {
        file.relative_to(PROGRAM).as_posix()
        for file in PROGRAM.rglob("*.py")
        if any(word in file.read_text(encoding="utf-8") for word in ("csv.writer", "csv.DictWriter"))
    }
    assert found == WRITERS
