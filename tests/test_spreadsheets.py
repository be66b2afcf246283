"""What is read from a spreadsheet (XLSX): the rows of a text file of the same register."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import RegisterFileError
from dispatcher.register_files import RegisterRow, RejectedRow, open_register
from dispatcher.rules.consent import Reply
from tests.spreadsheets import (
    ANNA,
    HEADER,
    MAPPING,
    NAMES,
    NOW,
    Cell,
    Failed,
    Formula,
    refused,
    rows_of,
    workbook,
    write_workbook,
)


def shown(hour: int, minute: int = 0, second: int = 0, microsecond: int = 0) -> datetime:
    """Return a time of 3 February 2026 as a spreadsheet keeps it: without a zone."""
    return datetime(2026, 2, 3, hour, minute, second, microsecond, tzinfo=UTC).replace(tzinfo=None)


def taken(folder: Path, **changes: Cell) -> RegisterRow:
    """Return the one row that Anna's, changed, becomes."""
    cells = [changes.get(name.split()[0].casefold(), cell) for name, cell in zip(NAMES, ANNA, strict=True)]
    (row,) = rows_of(workbook(folder, cells))
    assert isinstance(row, RegisterRow), row
    return row


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
