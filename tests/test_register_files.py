"""What is read from a register export, and what is refused."""

import csv
import io
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import RegisterFileError
from dispatcher.register_files import (
    DEFAULT_COLUMNS,
    NO_WORDS,
    NOT_ASKED_WORDS,
    WITHDRAWN_WORDS,
    YES_WORDS,
    AnswerColumn,
    Field,
    RegisterFile,
    RegisterMap,
    RegisterRow,
    RejectedRow,
    open_register,
)
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply

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


def _write(folder: Path, content: str | bytes) -> Path:
    path = folder / "asiakkaat.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _file(*changes: dict[str, str]) -> str:
    """Return an export with one row per change to Anna's."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER.split(";"), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(ANNA | change for change in changes)
    return text.getvalue()


def _rows(folder: Path, content: str | bytes, mapping: RegisterMap = MAPPING) -> list[RegisterRow | RejectedRow]:
    return list(open_register(_write(folder, content), mapping, NOW).rows())


def _taken(folder: Path, change: dict[str, str], mapping: RegisterMap = MAPPING) -> RegisterRow:
    (row,) = _rows(folder, _file(change), mapping)
    assert isinstance(row, RegisterRow), row
    return row


def _rejected(folder: Path, change: dict[str, str], mapping: RegisterMap = MAPPING) -> RejectedRow:
    """Return the refusal of a changed row that stands between two good ones, which it must not touch."""
    before, row, after = _rows(folder, _file({}, change, {}), mapping)
    assert isinstance(before, RegisterRow)
    assert replace(before, row=4) == after
    assert isinstance(row, RejectedRow), row
    assert 3 == row.row
    return row


def _refused(folder: Path, content: str | bytes, mapping: RegisterMap = MAPPING) -> str:
    with pytest.raises(RegisterFileError) as error:
        open_register(_write(folder, content), mapping, NOW)
    assert "asiakkaat.csv" in str(error.value)
    return str(error.value)


def _utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


def test_a_row_becomes_a_client(tmp_path: Path) -> None:
    """A row gives names, canonical addresses, language, last visit, and the reply with its span, place and wording."""
    row = _taken(tmp_path, {})
    assert (2, "Anna", "Mäki") == (row.row, row.first_name, row.last_name)
    assert ("anna@posti.example", "+358401234567") == (row.email, row.phone)
    assert (Language.FI, date(2026, 2, 3), ()) == (row.language, row.last_visit, row.remarks)
    (answer,) = row.answers
    assert (Reply.GRANTED, Channel.EMAIL, Place.PHONE, WORDING) == (
        *(answer.reply, answer.channel),
        *(answer.place, answer.wording),
    )
    assert (_utc(3, 12, 5), _utc(3, 12, 6) - timedelta(microseconds=1)) == (answer.not_before, answer.not_after)


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
    text = _file({"sukunimi": "Ström-Öhman"}).replace("\r\n", line_end).replace(";", delimiter)
    found = open_register(_write(tmp_path, text.encode(codec)), MAPPING, NOW)
    assert (encoding, delimiter, 1) == (found.encoding, found.delimiter, found.row_count)
    (row,) = found.rows()
    assert isinstance(row, RegisterRow)
    assert ("Ström-Öhman", "+358401234567", 1) == (row.last_name, row.phone, len(row.answers))


def test_the_encoding_is_decided_over_the_whole_file(tmp_path: Path) -> None:
    """A letter of Windows-1252 far from the start is still read as that letter."""
    many = _file(*({"etunimi": "Anna", "sukunimi": "Maki"} for _ in range(2_000))).replace("sähköposti", "email")
    text = many.replace("missä", "missa").replace("viimeisin käynti", "last visit").replace("kyllä", "yes")
    content = text.encode("ascii") + "Åsa;Mäki;asa@posti.example;;;;;;\r\n".encode("cp1252")
    found = open_register(_write(tmp_path, content), MAPPING, NOW)
    *_, last = found.rows()
    assert isinstance(last, RegisterRow)
    assert ("Windows-1252", "Åsa", "Mäki") == (found.encoding, last.first_name, last.last_name)


@pytest.mark.parametrize(
    "content",
    [
        _file({}).encode() + "Åsa".encode("cp1252"),
        _file({}).encode("utf-8-sig") + b"\xe4",
        _file({}).encode("cp1252") + b"\x81",
        _file({}).encode("utf-16") + b"\x00",
    ],
    ids=["both", "mark of UTF-8", "neither", "UTF-16"],
)
def test_letters_of_two_encodings_are_never_guessed(tmp_path: Path, content: bytes) -> None:
    """A file that no single encoding explains is refused, naming the line."""
    assert "line 3" in _refused(tmp_path, content) or content.startswith(b"\xff\xfe")


def test_columns_are_an_allow_list(tmp_path: Path) -> None:
    """L-43: treatments, notes and unknown columns are dropped by name, and nothing of them is in any row."""
    text = "Etunimi,Hoito, SÄHKÖPOSTI ,Terapeutin huomiot,,Puhelin 2\nAnna,kuppaus,anna@posti.example,selkäkipu,x,y\n"
    found = open_register(_write(tmp_path, text), MAPPING, NOW)
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
    (row,) = _rows(tmp_path, f"{header}\nEva;eva@posti.example;0401234567;sv;2026-02-03;1001\n")
    expected = RegisterRow(
        2, "1001", "Eva", "", "eva@posti.example", "+358401234567", Language.SV, date(2026, 2, 3), (), ()
    )
    assert expected == row


def test_a_column_name_in_decomposed_letters_is_the_same_name(tmp_path: Path) -> None:
    """Names of columns are compared in NFC, whatever the exporting machine writes."""
    (row,) = _rows(tmp_path, "Nimi;Sa\u0308hko\u0308posti\nEva Stro\u0308m;eva@posti.example\n")
    assert isinstance(row, RegisterRow)
    assert ("", "Eva Ström") == (row.first_name, row.last_name)


def test_a_whole_name_never_becomes_a_first_name(tmp_path: Path) -> None:
    """One column for the whole name fills the last name; beside columns of their own it is dropped."""
    found = open_register(_write(tmp_path, "Nimi;Etunimi;Email\nEva Ström;Eva;eva@posti.example\n"), MAPPING, NOW)
    (row,) = found.rows()
    assert isinstance(row, RegisterRow)
    assert ("Eva", "", ("Nimi",)) == (row.first_name, row.last_name, found.dropped)


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    """Blank rows and cells of several lines count as the rows they are; a `sep=` line is not shown and not counted."""
    text = 'sep=;\nEmail;Notes\na@posti.example;"one\ntwo"\n\n;\nb@posti.example;\n'
    assert [2, 5] == [row.row for row in _rows(tmp_path, text)]


def test_the_same_file_reads_the_same_twice(tmp_path: Path) -> None:
    """`rows` starts anew each time, and the hash is that of the bytes."""
    found = open_register(_write(tmp_path, _file({}, {})), MAPPING, NOW)
    assert list(found.rows()) == list(found.rows())
    assert 64 == len(found.sha256)


def test_a_file_changed_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    """What was checked is what is read: a change is noticed before the first row, and after the last one."""
    found = open_register(_write(tmp_path, _file({}, {})), MAPPING, NOW)
    rows = found.rows()
    assert isinstance(next(rows), RegisterRow)
    _write(tmp_path, _file({}))
    with pytest.raises(RegisterFileError, match="changed while it was read"):
        list(rows)
    with pytest.raises(RegisterFileError, match="changed while it was read"):
        next(found.rows())


def test_letters_that_change_while_they_are_read_are_an_error(tmp_path: Path) -> None:
    """A file rewritten in another encoding under the reader is one clear error, not a traceback."""
    found = open_register(_write(tmp_path, _file(*({} for _ in range(500)))), MAPPING, NOW)
    rows = found.rows()
    next(rows)
    _write(tmp_path, b"\xe4" * 100_000)
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
        (_file({}).encode("utf-16-le"), "not a text file"),
        (_file({}) + 'Anna;"Mäki;anna@posti.example\n', "row 3: a quotation mark opens and never closes"),
        (_file({}) + 'Anna;"Mäki;anna@posti.example\n' + "x;" * 70_000, "row 3: a quotation mark opens"),
        (_file({}) + '"An"na;x\n' * 1001, "over 1,000 rows"),
        ('"etu"nimi;email\nAnna;a@posti.example\n', "quotation marks of the header"),
    ],
)
def test_a_broken_file_is_refused_before_its_first_row(tmp_path: Path, content: str | bytes, says: str) -> None:
    """A file that cannot be read as a whole is one error that says what to do, and no row of it is handed out."""
    message = _refused(tmp_path, content)
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
        path = _write(tmp_path, _file(*({"etunimi": f"Anna {number}"} for number in range(rows))))
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
    good, bad = _rows(tmp_path, f"{_file({})}{cells}\n")
    assert isinstance(good, RegisterRow)
    assert isinstance(bad, RejectedRow)
    assert (3, "", None, ()) == (bad.row, bad.column, bad.email, bad.noes)
    assert "the header 9" in bad.reason


def test_empty_cells_beyond_the_header_are_harmless(tmp_path: Path) -> None:
    """Delimiters at the end of a row, as some systems write them, shift nothing."""
    (row,) = _rows(tmp_path, "Email;Etunimi\na@posti.example;Anna;;\n")
    assert isinstance(row, RegisterRow)
    assert "Anna" == row.first_name


def test_a_misplaced_quotation_mark_rejects_its_lines_only(tmp_path: Path) -> None:
    """The lines a stray quotation mark swallows are named; the rows around them are read."""
    good, bad, after = _rows(tmp_path, _file({}) + '"An"na;x\n' + ";".join(ANNA.values()) + "\n")
    assert isinstance(bad, RejectedRow)
    assert (3, True) == (bad.row, "line 3" in bad.reason)
    assert isinstance(good, RegisterRow)
    assert replace(good, row=4) == after


@pytest.mark.parametrize(
    "hidden",
    ["\x00", "\x07", "\n", "\r", "\x1b[2J", "\x85", "\u2028", "\u202e", "\u2066", "\u200e", "\u200f", "\u200b"],
)
@pytest.mark.parametrize("column", ["etunimi", "sukunimi", "sähköposti", "puhelin", "kieli", "markkinointilupa"])
def test_hidden_characters_reject_the_row(tmp_path: Path, hidden: str, column: str) -> None:
    """E-25: control characters and marks of direction are refused, never stripped, wherever they are read."""
    row = _rejected(tmp_path, {column: f"{ANNA[column]}{hidden}"})
    assert column == row.column
    assert f"U+{ord(hidden[0]):04X}" in row.reason


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("=?utf-8?q?Bcc?=", "formula"),
        ("A =?utf-8?q?Bcc?=", "encoded word"),
        ("=HYPERLINK(1)", "formula"),
        ("+1", "formula"),
        ("-1+1", "formula"),
        ("@SUM(1)", "formula"),
        ("＝1", "formula"),  # noqa: RUF001 - a look-alike is the point
        ("https://x.example", "web address"),
        ("see WWW.x", "web address"),
        ("ｗｗｗ.x", "web address"),  # noqa: RUF001 - a look-alike is the point
        ("x" * 101, "longer than 100"),
    ],
)
@pytest.mark.parametrize("column", ["etunimi", "sukunimi"])
def test_a_name_that_is_no_name_rejects_the_row(tmp_path: Path, column: str, name: str, says: str) -> None:
    """E-25, E-36: formulas, encoded words, web addresses and endless names are refused with their column."""
    row = _rejected(tmp_path, {column: name})
    assert column == row.column
    assert says in row.reason


def test_names_are_tidied(tmp_path: Path) -> None:
    """Names come in NFC, trimmed, with single spaces; a lone dash is no name."""
    row = _taken(tmp_path, {"etunimi": "  Anna\u00a0 Sofia ", "sukunimi": "Ma\u0308ki"})
    assert ("Anna Sofia", "Mäki") == (row.first_name, row.last_name)
    assert not _taken(tmp_path, {"etunimi": " - "}).first_name


# Addresses


@pytest.mark.parametrize(
    "written",
    [
        *("401234567", "0401234567", "358401234567", "00358 40 1234567", "040-1234567", "(040) 123 4567"),
        *("+358 (0)40 1234567", "401234567.0", "401234567,0", "358401234567.0", "040\u00a0123\u00a04567"),
    ],
)
def test_numbers_are_read_as_people_and_spreadsheets_write_them(tmp_path: Path, written: str) -> None:
    """S-08: a lost leading zero, a country code without its plus and a trailing `.0` all lead to one number."""
    assert "+358401234567" == _taken(tmp_path, {"puhelin": written}).phone


@pytest.mark.parametrize("written", ["09 1234 5678", "112", "0401234567, 0501234567", "040 123 4567 Anna", "4,01E+08"])
def test_a_number_no_text_message_reaches_is_left_out(tmp_path: Path, written: str) -> None:
    """S-08: a landline, a short number or two numbers are left out with a remark while an email address remains."""
    row = _taken(tmp_path, {"puhelin": written})
    assert (None, 1) == (row.phone, len(row.remarks))
    assert written not in row.remarks[0]


def test_an_unreadable_email_is_left_out_while_a_number_remains(tmp_path: Path) -> None:
    """The remark shows the address masked."""
    row = _taken(tmp_path, {"sähköposti": "anna@@posti.example"})
    assert (None, "+358401234567") == (row.email, row.phone)
    assert ("The email address a***@@***.example cannot be read and was left out.",) == row.remarks


@pytest.mark.parametrize(
    ("email", "phone"), [("", ""), ("-", "-"), ("anna.maki@", "09 1234 5678"), ("", "0401234567 / 0501234567")]
)
def test_a_row_without_any_usable_address_is_rejected(tmp_path: Path, email: str, phone: str) -> None:
    """The reason names both columns and shows no address."""
    row = _rejected(tmp_path, {"sähköposti": email, "puhelin": phone})
    assert "sähköposti, puhelin" == row.column
    assert not [text for text in ("anna.maki", "1234 5678", "1234567") if text in row.reason]


@pytest.mark.parametrize(
    ("word", "language", "remarks"),
    [
        *(("", Language.FI, 0), ("Suomi", Language.FI, 0), ("RUOTSI", Language.SV, 0), ("sv-FI", Language.SV, 0)),
        *(("en_GB", Language.EN, 0), ("englanti", Language.EN, 0), ("se", Language.FI, 1), ("viro", Language.FI, 1)),
    ],
)
def test_languages_have_many_words(tmp_path: Path, word: str, language: Language, remarks: int) -> None:
    """A language that is none of the three becomes Finnish with a remark; `se` is Sámi, not Swedish."""
    row = _taken(tmp_path, {"kieli": word})
    assert (language, remarks) == (row.language, len(row.remarks))


# Replies and their times


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (YES_WORDS, Reply.GRANTED),
        (NO_WORDS, Reply.DECLINED),
        (WITHDRAWN_WORDS, Reply.WITHDRAWN),
        (NOT_ASKED_WORDS, Reply.NOT_ASKED),
    ],
)
def test_every_reply_is_kept(tmp_path: Path, words: frozenset[str], reply: Reply) -> None:
    """L-06: yes, no, withdrawn and not asked are answers, in any case of letters."""
    rows = _rows(tmp_path, _file(*({"markkinointilupa": f" {word.upper()}"} for word in sorted(words))))
    assert {reply} == {answer.reply for row in rows if isinstance(row, RegisterRow) for answer in row.answers}
    assert len(words) == len(rows)


def test_a_word_nobody_explained_is_never_a_yes(tmp_path: Path) -> None:
    """The row is rejected, naming the word and the words there are."""
    row = _rejected(tmp_path, {"markkinointilupa": "ehkä"})
    assert "markkinointilupa" == row.column
    assert '"ehkä" is not a reply: granted is 1, ' in row.reason
    assert "declined is 0, " in row.reason


def test_a_word_in_two_sets_is_the_no(tmp_path: Path) -> None:
    """A column of bans with its words the other way round never turns a ban into a yes."""
    ban = replace(EMAIL_QUESTION, yes=frozenset({"Kyllä", "x"}), withdrawn=frozenset({"KYLLÄ"}))
    mapping = replace(MAPPING, answers=(ban,))
    assert [Reply.WITHDRAWN] == [answer.reply for answer in _taken(tmp_path, {}, mapping).answers]


def test_one_column_may_answer_for_two_channels(tmp_path: Path) -> None:
    """A column for both channels gives one answer each; a no that names no channel is one no for all (L-01)."""
    both = replace(EMAIL_QUESTION, channels=tuple(Channel), closes_all=True)
    mapping = replace(MAPPING, answers=(both,))
    assert list(Channel) == [answer.channel for answer in _taken(tmp_path, {}, mapping).answers]
    assert [None] == [answer.channel for answer in _taken(tmp_path, {"markkinointilupa": "ei"}, mapping).answers]


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("3.2.2026", _utc(2, 22), _utc(3, 22)),
        ("03.02.2026", _utc(2, 22), _utc(3, 22)),
        ("2026-02-03", _utc(2, 22), _utc(3, 22)),
        ("3.2.2026 14.05", _utc(3, 12, 5), _utc(3, 12, 6)),
        ("3.2.2026 klo 14.05", _utc(3, 12, 5), _utc(3, 12, 6)),
        ("2026-02-03T14:05:00+02:00", _utc(3, 12, 5), _utc(3, 12, 5) + timedelta(seconds=1)),
        ("2026-02-03 12:05:00.250Z", _utc(3, 12, 5), _utc(3, 12, 5) + timedelta(seconds=1)),
        ("25.10.2026 03:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 31, tzinfo=UTC)),
        ("25.10.2026", datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2026, 10, 25, 22, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_span_it_can_mean(tmp_path: Path, written: str, first: datetime, last: datetime) -> None:
    """L-07: a date is its local day, a time its minute or second, a repeated hour both its occurrences."""
    (answer,) = _taken(tmp_path, {"kysytty": written}).answers
    assert (first, last - timedelta(microseconds=1)) == (answer.not_before, answer.not_after)


@pytest.mark.parametrize(
    "written",
    [
        *("31.2.2026", "2026-13-01", "3.2.26", "3/2/2026", "46056", "3.2.2026 25:00", "1.1.0001", "31.12.9999"),
        *("29.3.2026 03:30", "2026-02-03T14:05+25:00", "eilen", "٣.٢.٢٠٢٦"),
        *("24.11.2026", "23.11.2026 14:01", "2026-11-23T12:00:01Z"),
    ],
)
def test_an_impossible_or_future_answer_rejects_the_row(tmp_path: Path, written: str) -> None:
    """A date that does not exist, is ambiguous or is yet to come is named with row and column."""
    row = _rejected(tmp_path, {"kysytty": written})
    assert ("kysytty", ()) == (row.column, row.noes)


def test_an_answer_of_today_is_no_future(tmp_path: Path) -> None:
    """A date without a time is in the future only if its whole day is."""
    (answer,) = _taken(tmp_path, {"kysytty": "23.11.2026"}).answers
    assert datetime(2026, 11, 22, 22, tzinfo=UTC) == answer.not_before


def test_a_missing_time_comes_from_the_mapping_or_nowhere(tmp_path: Path) -> None:
    """L-07: an empty cell takes the bounds of the mapping, and without those the answer has no time."""
    (answer,) = _taken(tmp_path, {"kysytty": ""}).answers
    assert (None, None) == (answer.not_before, answer.not_after)
    bound = replace(MAPPING, answers=(replace(EMAIL_QUESTION, not_before=_utc(1, 0), not_after=_utc(9, 0)),))
    (answer,) = _taken(tmp_path, {"kysytty": ""}, bound).answers
    assert (_utc(1, 0), _utc(9, 0)) == (answer.not_before, answer.not_after)


def test_endless_texts_reject_the_row(tmp_path: Path) -> None:
    """A customer number and the text of a question have their greatest lengths."""
    mapping = replace(
        MAPPING,
        columns={**DEFAULT_COLUMNS, "sukunimi": Field.EXTERNAL_ID},
        answers=(replace(EMAIL_QUESTION, wording_column="kieli"),),
    )
    row = _rejected(tmp_path, {"sukunimi": "1" * 101}, mapping)
    assert ("sukunimi", None, "anna@posti.example") == (row.column, row.external_id, row.email)
    assert "2,000" in _rejected(tmp_path, {"kieli": "x" * 2001}, mapping).reason


def test_place_and_wording_of_the_file_come_first(tmp_path: Path) -> None:
    """L-04: an empty cell takes what the mapping says; a place nobody knows is no place, and a remark."""
    mapping = replace(MAPPING, answers=(replace(EMAIL_QUESTION, wording_column="kieli"),))
    (answer,) = _taken(tmp_path, {"missä": "", "kieli": "sv"}, mapping).answers
    assert (Place.ONLINE, "sv") == (answer.place, answer.wording)
    row = _taken(tmp_path, {"missä": "kuussa", "kieli": ""}, mapping)
    assert [(None, WORDING)] == [(answer.place, answer.wording) for answer in row.answers]
    assert ('The place "kuussa" is not known: the answer is kept without one.',) == row.remarks


def test_a_visit_may_date_an_answer(tmp_path: Path) -> None:
    """One column may serve twice: as the last visit and as the day the question was asked."""
    mapping = replace(MAPPING, answers=(replace(EMAIL_QUESTION, asked_column="Viimeisin käynti"),))
    found = open_register(_write(tmp_path, _file({})), mapping, NOW)
    assert "last_visit, answer for email" == found.used["viimeisin käynti"]
    assert "kysytty" in found.dropped
    (row,) = found.rows()
    assert isinstance(row, RegisterRow)
    assert [_utc(2, 22)] == [answer.not_before for answer in row.answers]


def test_a_visit_to_come_is_left_out(tmp_path: Path) -> None:
    """A booking ahead is no last visit; the client is kept."""
    row = _taken(tmp_path, {"viimeisin käynti": "24.11.2026"})
    assert (None, ("The last visit lies in the future and was left out.",)) == (row.last_visit, row.remarks)
    assert "viimeisin käynti" == _rejected(tmp_path, {"viimeisin käynti": "31.2.2026"}).column


@pytest.mark.parametrize(
    ("change", "not_before"),
    [({"etunimi": "=1"}, _utc(3, 12, 5)), ({"kysytty": "31.2.2026"}, None), ({"kysytty": "1.1.2027"}, None)],
)
def test_a_rejected_row_still_says_no(tmp_path: Path, change: dict[str, str], not_before: datetime | None) -> None:
    """L-06: a no needs no evidence, so a fault elsewhere in the row cannot lose it; a yes is lost with its row."""
    row = _rejected(tmp_path, {**change, "markkinointilupa": "ei"})
    assert ("anna@posti.example", "+358401234567") == (row.email, row.phone)
    assert [(Reply.DECLINED, not_before)] == [(no.reply, no.not_before) for no in row.noes]
    assert () == _rejected(tmp_path, change).noes


# Whatever the file holds


def _outcome(content: bytes) -> Iterator[RegisterRow | RejectedRow]:
    with tempfile.TemporaryDirectory() as folder, suppress(RegisterFileError):
        yield from open_register(_write(Path(folder), content), MAPPING, NOW).rows()


_CELL = st.one_of(st.text(max_size=12), st.sampled_from([*ANNA.values(), "ei", "", '"', "31.2.2026", "1.1.2027", "\n"]))
_CHANGES = st.lists(st.dictionaries(st.sampled_from(sorted(ANNA)), _CELL, max_size=3), min_size=1, max_size=3)


@settings(max_examples=300)
@given(_CHANGES)
def test_no_row_is_a_yes_that_is_not_one(changes: list[dict[str, str]]) -> None:
    """Whatever the cells hold: a yes only for a word of the yes set, never after now, never from a rejected row."""
    rows = list(_outcome(_file(*changes).encode("utf-8", "replace")))
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
    found: RegisterFile = open_register(_write(tmp_path, _file({})), MAPPING, NOW)
    assert not [word for word in (WORDING, "anna@") if word in repr(found)]
