"""What is read from a register export, and what is refused."""

import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import RegisterFileError
from dispatcher.register_files import (
    YES_WORDS,
    RegisterFile,
    RegisterRow,
    RejectedRow,
    open_register,
)
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from tests.register_exports import (
    ANNA,
    HEADER,
    MAPPING,
    NOW,
    WORDING,
    export_of,
    refusal_of,
    row_of,
    rows_of,
    utc,
    write_export,
)


def test_a_row_becomes_a_client(tmp_path: Path) -> None:
    """A row gives names, canonical addresses, language, last visit, and the reply with its span, place and wording."""
    row = row_of(tmp_path, {})
    assert (2, "Anna", "Mäki") == (row.row, row.first_name, row.last_name)
    assert ("anna@posti.example", "+358401234567") == (row.email, row.phone)
    assert (Language.FI, date(2026, 2, 3), ()) == (row.language, row.last_visit, row.remarks)
    (answer,) = row.answers
    assert (Reply.GRANTED, Channel.EMAIL, Place.PHONE, WORDING) == (
        *(answer.reply, answer.channel),
        *(answer.place, answer.wording),
    )
    assert (utc(3, 12, 5), utc(3, 12, 6) - timedelta(microseconds=1)) == (answer.not_before, answer.not_after)


# The file


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("codec", "encoding"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")],
)
def test_every_usual_form_of_csv_reads_the_same(
    tmp_path: Path, codec: str, encoding: str, delimiter: str, line_end: str
) -> None:
    """Encoding, delimiter and line end are found out, and the rows are the same in all of them."""
    text = export_of({"sukunimi": "Ström-Öhman"}).replace("\r\n", line_end).replace(";", delimiter)
    found = open_register(write_export(tmp_path, text.encode(codec)), MAPPING, NOW)
    assert (encoding, delimiter, 1) == (found.encoding, found.delimiter, found.row_count)
    (row,) = found.rows()
    assert isinstance(row, RegisterRow)
    assert ("Ström-Öhman", "+358401234567", 1) == (row.last_name, row.phone, len(row.answers))


def test_the_encoding_is_decided_over_the_whole_file(tmp_path: Path) -> None:
    """A letter of Windows-1252 far from the start is still read as that letter."""
    many = export_of(*({"etunimi": "Anna", "sukunimi": "Maki"} for _ in range(2_000))).replace("sähköposti", "email")
    text = many.replace("missä", "missa").replace("viimeisin käynti", "last visit").replace("kyllä", "yes")
    content = text.encode("ascii") + "Åsa;Mäki;asa@posti.example;;;;;;\r\n".encode("cp1252")
    found = open_register(write_export(tmp_path, content), MAPPING, NOW)
    *_, last = found.rows()
    assert isinstance(last, RegisterRow)
    assert ("Windows-1252", "Åsa", "Mäki") == (found.encoding, last.first_name, last.last_name)


@pytest.mark.parametrize(
    "content",
    [
        export_of({}).encode() + "Åsa".encode("cp1252"),
        export_of({}).encode("utf-8-sig") + b"\xe4",
        export_of({}).encode("cp1252") + b"\x81",
        export_of({}).encode("utf-16") + b"\x00",
    ],
    ids=["both", "mark of UTF-8", "neither", "UTF-16"],
)
def test_letters_of_two_encodings_are_never_guessed(tmp_path: Path, content: bytes) -> None:
    """A file that no single encoding explains is refused, naming the line."""
    assert "line 3" in refusal_of(tmp_path, content) or content.startswith(b"\xff\xfe")


def test_columns_are_an_allow_list(tmp_path: Path) -> None:
    """L-43: treatments, notes and unknown columns are dropped by name, and nothing of them is in any row."""
    text = "Etunimi,Hoito, SÄHKÖPOSTI ,Terapeutin huomiot,,Puhelin 2\nAnna,kuppaus,anna@posti.example,selkäkipu,x,y\n"
    found = open_register(write_export(tmp_path, text), MAPPING, NOW)
    assert ("Hoito", "Terapeutin huomiot", "(column 5, without a name)", "Puhelin 2") == found.dropped
    assert {"Etunimi": "first_name", "SÄHKÖPOSTI": "email"} == found.used
    assert ("markkinointilupa", "kysytty", "missä") == found.missing
    assert not [word for word in ("kuppaus", "selkä") if word in repr(list(found.rows()))]


@pytest.mark.parametrize(
    "header",
    [
        "Etunimi;Sähköposti;Puhelin;Kieli;Viimeisin käynti;Asiakasnumero",
        "Förnamn;E-post;Telefon;Språk;Senaste besök;Kundnummer",
        "First name;E-mail;Mobile phone;Language;Last visit;Customer number",
    ],
)
def test_column_names_are_known_in_three_languages(tmp_path: Path, header: str) -> None:
    """The names Finnish booking systems use are read without a mapping, in Finnish, Swedish and English."""
    (row,) = rows_of(tmp_path, f"{header}\nEva;eva@posti.example;0401234567;sv;2026-02-03;1001\n")
    expected = RegisterRow(
        2, "1001", "Eva", "", "eva@posti.example", "+358401234567", Language.SV, date(2026, 2, 3), (), ()
    )
    assert expected == row


def test_a_column_name_in_decomposed_letters_is_the_same_name(tmp_path: Path) -> None:
    """Names of columns are compared in NFC, whatever the exporting machine writes."""
    (row,) = rows_of(tmp_path, "Nimi;Sa\u0308hko\u0308posti\nEva Stro\u0308m;eva@posti.example\n")
    assert isinstance(row, RegisterRow)
    assert ("", "Eva Ström") == (row.first_name, row.last_name)


def test_a_whole_name_never_becomes_a_first_name(tmp_path: Path) -> None:
    """One column for the whole name fills the last name; beside columns of their own it is dropped."""
    found = open_register(write_export(tmp_path, "Nimi;Etunimi;Email\nEva Ström;Eva;eva@posti.example\n"), MAPPING, NOW)
    (row,) = found.rows()
    assert isinstance(row, RegisterRow)
    assert ("Eva", "", ("Nimi",)) == (row.first_name, row.last_name, found.dropped)


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    """Blank rows and cells of several lines count as the rows they are; a `sep=` line is not shown and not counted."""
    text = 'sep=;\nEmail;Notes\na@posti.example;"one\ntwo"\n\n;\nb@posti.example;\n'
    assert [2, 5] == [row.row for row in rows_of(tmp_path, text)]


def test_the_same_file_reads_the_same_twice(tmp_path: Path) -> None:
    """`rows` starts anew each time, and the hash is that of the bytes."""
    found = open_register(write_export(tmp_path, export_of({}, {})), MAPPING, NOW)
    assert list(found.rows()) == list(found.rows())
    assert 64 == len(found.sha256)


def test_a_file_changed_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    """What was checked is what is read: a change is noticed before the first row, and after the last one."""
    found = open_register(write_export(tmp_path, export_of({}, {})), MAPPING, NOW)
    rows = found.rows()
    assert isinstance(next(rows), RegisterRow)
    write_export(tmp_path, export_of({}))
    with pytest.raises(RegisterFileError, match="changed while it was read"):
        list(rows)
    with pytest.raises(RegisterFileError, match="changed while it was read"):
        next(found.rows())


def test_letters_that_change_while_they_are_read_are_an_error(tmp_path: Path) -> None:
    """A file rewritten in another encoding under the reader is one clear error, not a traceback."""
    found = open_register(write_export(tmp_path, export_of(*({} for _ in range(500)))), MAPPING, NOW)
    rows = found.rows()
    next(rows)
    write_export(tmp_path, b"\xe4" * 100_000)
    with pytest.raises(RegisterFileError, match="changed while it was read"):
        list(rows)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty"),
        (HEADER, "no clients"),
        ("Etunimi;Sukunimi\nAnna;Mäki\n", "no column for an email address"),
        ("Anna;anna@posti.example\n", "seems to be a client"),
        ("Email;EMAIL\na@posti.example;b@posti.example\n", '"Email" (column 1) and "EMAIL" (column 2)'),
        ("Puhelin;Gsm\n0401234567;0401234568\n", '"Puhelin" (column 1) and "Gsm" (column 2)'),
        ("Potilasnumero;Email\n1;a@posti.example\n", "patient register"),
        (b"PK\x03\x04" + bytes(range(256)), "broken spreadsheet"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "neither all UTF-8"),
        (export_of({}).encode("utf-16-le"), "not a text file"),
        (export_of({}) + 'Anna;"Mäki;anna@posti.example\n', "row 3: a quotation mark opens and never closes"),
        (export_of({}) + 'Anna;"Mäki;anna@posti.example\n' + "x;" * 70_000, "row 3: a quotation mark opens"),
        (export_of({}) + '"An"na;x\n' * 1001, "over 1,000 rows"),
        ('"etu"nimi;email\nAnna;a@posti.example\n', "quotation marks of the header"),
    ],
)
def test_a_broken_file_is_refused_before_its_first_row(tmp_path: Path, content: str | bytes, says: str) -> None:
    """A file that cannot be read as a whole is one error that says what to do, and no row of it is handed out."""
    message = refusal_of(tmp_path, content)
    assert says in message


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A directory, a missing file and a device are errors, not tracebacks."""
    for path in (tmp_path, tmp_path / "missing.csv", Path("/dev/zero")):
        with pytest.raises(RegisterFileError, match=path.name):
            open_register(path, MAPPING, NOW)


@pytest.mark.parametrize("unit", [b"x", b'"a\n";'], ids=["one line", "one row of many quoted lines"])
def test_200_megabytes_without_a_row_do_not_fill_the_memory(tmp_path: Path, unit: bytes) -> None:
    """A row without end is refused after a bounded piece of it, however long the file is."""
    path = tmp_path / "asiakkaat.csv"
    with path.open("wb") as file:
        file.write(HEADER.encode() + b"\n")
        piece = unit * (1_000_000 // len(unit))
        for _ in range(200):
            file.write(piece)
    tracemalloc.start()
    with pytest.raises(RegisterFileError, match="row 2"):
        open_register(path, MAPPING, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    path.unlink()
    assert peak < 16_000_000


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Twice the rows take the same memory, within a tenth of a megabyte."""

    def peak(rows: int) -> int:
        path = write_export(tmp_path, export_of(*({"etunimi": f"Anna {number}"} for number in range(rows))))
        tracemalloc.start()
        for _ in open_register(path, MAPPING, NOW).rows():
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    small, large = peak(1_500), peak(3_000)  # both larger than one piece of reading
    assert large < small + 100_000


# One row's faults


@pytest.mark.parametrize("cells", ["Anna;Mäki;anna@posti.example", f"{';'.join(ANNA.values())};one more"])
def test_a_wrong_number_of_cells_rejects_the_row(tmp_path: Path, cells: str) -> None:
    """Cells that may have slipped into other columns are not read at all, not even for a no."""
    good, bad = rows_of(tmp_path, f"{export_of({})}{cells}\n")
    assert isinstance(good, RegisterRow)
    assert isinstance(bad, RejectedRow)
    assert (3, "", None, ()) == (bad.row, bad.column, bad.email, bad.noes)
    assert "the header 9" in bad.reason


def test_empty_cells_beyond_the_header_are_harmless(tmp_path: Path) -> None:
    """Delimiters at the end of a row, as some systems write them, shift nothing."""
    (row,) = rows_of(tmp_path, "Email;Etunimi\na@posti.example;Anna;;\n")
    assert isinstance(row, RegisterRow)
    assert "Anna" == row.first_name


def test_a_misplaced_quotation_mark_rejects_its_lines_only(tmp_path: Path) -> None:
    """The lines a stray quotation mark swallows are named; the rows around them are read."""
    good, bad, after = rows_of(tmp_path, export_of({}) + '"An"na;x\n' + ";".join(ANNA.values()) + "\n")
    assert isinstance(bad, RejectedRow)
    assert (3, True) == (bad.row, "line 3" in bad.reason)
    assert isinstance(good, RegisterRow)
    assert replace(good, row=4) == after


def _outcome(content: bytes) -> Iterator[RegisterRow | RejectedRow]:
    with tempfile.TemporaryDirectory() as folder, suppress(RegisterFileError):
        yield from open_register(write_export(Path(folder), content), MAPPING, NOW).rows()


_CELL = st.one_of(st.text(max_size=12), st.sampled_from([*ANNA.values(), "ei", "", '"', "31.2.2026", "1.1.2027", "\n"]))
_CHANGES = st.lists(st.dictionaries(st.sampled_from(sorted(ANNA)), _CELL, max_size=3), min_size=1, max_size=3)


@settings(max_examples=300)
@given(_CHANGES)
def test_no_row_is_a_yes_that_is_not_one(changes: list[dict[str, str]]) -> None:
    """Whatever the cells hold: a yes only for a word of the yes set, never after now, never from a rejected row."""
    rows = list(_outcome(export_of(*changes).encode("utf-8", "replace")))
    assert [2 + number for number in range(len(changes))] == [row.row for row in rows]
    for row, change in zip(rows, changes, strict=True):
        word = (ANNA | change)["markkinointilupa"].strip().casefold()
        answers = row.answers if isinstance(row, RegisterRow) else row.noes
        said_yes = Reply.GRANTED in {answer.reply for answer in answers}
        assert said_yes == (isinstance(row, RegisterRow) and word in YES_WORDS)
        assert all(a.not_before <= min(NOW, a.not_after) for a in answers if a.not_before and a.not_after)


@settings(max_examples=200)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_rows_or_one_error(content: bytes, after_header: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    """No file whatever leads to anything but rows, rejected rows and RegisterFileError."""
    rows = list(_outcome(HEADER.encode() + b"\n" + content if after_header else content))
    assert all(isinstance(row, RegisterRow | RejectedRow) for row in rows)


@settings(max_examples=100)
@given(
    st.text(st.characters(codec="cp1252", categories=["L"]), min_size=1, max_size=30),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    st.sampled_from([";", ",", "\t"]),
)
def test_letters_survive_every_encoding(name: str, codec: str, delimiter: str) -> None:
    """A name comes out as it went in."""
    content = delimiter.join(["Etunimi", "Sähköposti"]) + f"\n{delimiter.join([name, 'a@posti.example'])}\n"
    rows = list(_outcome(content.encode(codec)))
    assert [name] == [row.first_name for row in rows if isinstance(row, RegisterRow)]


def test_a_register_file_says_what_it_is_without_its_insides(tmp_path: Path) -> None:
    """Printing an open file shows neither the mapping's wording nor a client."""
    found: RegisterFile = open_register(write_export(tmp_path, export_of({})), MAPPING, NOW)
    assert not [word for word in (WORDING, "anna@") if word in repr(found)]
