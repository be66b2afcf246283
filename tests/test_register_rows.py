"""What the rows of a register export become: names, numbers, languages, replies and their times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.register_files import (
    DEFAULT_COLUMNS,
    NO_WORDS,
    NOT_ASKED_WORDS,
    WITHDRAWN_WORDS,
    YES_WORDS,
    Field,
    RegisterRow,
    open_register,
)
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from tests.register_exports import (
    ANNA,
    EMAIL_QUESTION,
    MAPPING,
    NOW,
    WORDING,
    export_of,
    rejection_of,
    row_of,
    rows_of,
    utc,
    write_export,
)


@pytest.mark.parametrize(
    "hidden",
    ["\x00", "\x07", "\n", "\r", "\x1b[2J", "\x85", "\u2028", "\u202e", "\u2066", "\u200e", "\u200f", "\u200b"],
)
@pytest.mark.parametrize("column", ["etunimi", "sukunimi", "sähköposti", "puhelin", "kieli", "markkinointilupa"])
def test_hidden_characters_reject_the_row(tmp_path: Path, hidden: str, column: str) -> None:
    """E-25: control characters and marks of direction are refused, never stripped, wherever they are read."""
    row = rejection_of(tmp_path, {column: f"{ANNA[column]}{hidden}"})
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
    row = rejection_of(tmp_path, {column: name})
    assert column == row.column
    assert says in row.reason


def test_names_are_tidied(tmp_path: Path) -> None:
    """Names come in NFC, trimmed, with single spaces; a lone dash is no name."""
    row = row_of(tmp_path, {"etunimi": "  Anna\u00a0 Sofia ", "sukunimi": "Ma\u0308ki"})
    assert ("Anna Sofia", "Mäki") == (row.first_name, row.last_name)
    assert not row_of(tmp_path, {"etunimi": " - "}).first_name


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
    assert "+358401234567" == row_of(tmp_path, {"puhelin": written}).phone


@pytest.mark.parametrize("written", ["09 1234 5678", "112", "0401234567, 0501234567", "040 123 4567 Anna", "4,01E+08"])
def test_a_number_no_text_message_reaches_is_left_out(tmp_path: Path, written: str) -> None:
    """S-08: a landline, a short number or two numbers are left out with a remark while an email address remains."""
    row = row_of(tmp_path, {"puhelin": written})
    assert (None, 1) == (row.phone, len(row.remarks))
    assert written not in row.remarks[0]


def test_an_unreadable_email_is_left_out_while_a_number_remains(tmp_path: Path) -> None:
    """The remark shows the address masked."""
    row = row_of(tmp_path, {"sähköposti": "anna@@posti.example"})
    assert (None, "+358401234567") == (row.email, row.phone)
    assert ("The email address a***@@***.example cannot be read and was left out.",) == row.remarks


@pytest.mark.parametrize(
    ("email", "phone"), [("", ""), ("-", "-"), ("anna.maki@", "09 1234 5678"), ("", "0401234567 / 0501234567")]
)
def test_a_row_without_any_usable_address_is_rejected(tmp_path: Path, email: str, phone: str) -> None:
    """The reason names both columns and shows no address."""
    row = rejection_of(tmp_path, {"sähköposti": email, "puhelin": phone})
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
    row = row_of(tmp_path, {"kieli": word})
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
    rows = rows_of(tmp_path, export_of(*({"markkinointilupa": f" {word.upper()}"} for word in sorted(words))))
    assert {reply} == {answer.reply for row in rows if isinstance(row, RegisterRow) for answer in row.answers}
    assert len(words) == len(rows)


def test_a_word_nobody_explained_is_never_a_yes(tmp_path: Path) -> None:
    """The row is rejected, naming the word and the words there are."""
    row = rejection_of(tmp_path, {"markkinointilupa": "ehkä"})
    assert "markkinointilupa" == row.column
    assert '"ehkä" is not a reply: granted is 1, ' in row.reason
    assert "declined is 0, " in row.reason


def test_a_word_in_two_sets_is_the_no(tmp_path: Path) -> None:
    """A column of bans with its words the other way round never turns a ban into a yes."""
    ban = replace(EMAIL_QUESTION, yes=frozenset({"Kyllä", "x"}), withdrawn=frozenset({"KYLLÄ"}))
    mapping = replace(MAPPING, answers=(ban,))
    assert [Reply.WITHDRAWN] == [answer.reply for answer in row_of(tmp_path, {}, mapping).answers]


def test_one_column_may_answer_for_two_channels(tmp_path: Path) -> None:
    """A column for both channels gives one answer each; a no that names no channel is one no for all (L-01)."""
    both = replace(EMAIL_QUESTION, channels=tuple(Channel), closes_all=True)
    mapping = replace(MAPPING, answers=(both,))
    assert list(Channel) == [answer.channel for answer in row_of(tmp_path, {}, mapping).answers]
    assert [None] == [answer.channel for answer in row_of(tmp_path, {"markkinointilupa": "ei"}, mapping).answers]


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("3.2.2026", utc(2, 22), utc(3, 22)),
        ("03.02.2026", utc(2, 22), utc(3, 22)),
        ("2026-02-03", utc(2, 22), utc(3, 22)),
        ("3.2.2026 14.05", utc(3, 12, 5), utc(3, 12, 6)),
        ("3.2.2026 klo 14.05", utc(3, 12, 5), utc(3, 12, 6)),
        ("2026-02-03T14:05:00+02:00", utc(3, 12, 5), utc(3, 12, 5) + timedelta(seconds=1)),
        ("2026-02-03 12:05:00.250Z", utc(3, 12, 5), utc(3, 12, 5) + timedelta(seconds=1)),
        ("25.10.2026 03:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 31, tzinfo=UTC)),
        ("25.10.2026", datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2026, 10, 25, 22, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_span_it_can_mean(tmp_path: Path, written: str, first: datetime, last: datetime) -> None:
    """L-07: a date is its local day, a time its minute or second, a repeated hour both its occurrences."""
    (answer,) = row_of(tmp_path, {"kysytty": written}).answers
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
    row = rejection_of(tmp_path, {"kysytty": written})
    assert ("kysytty", ()) == (row.column, row.noes)


def test_an_answer_of_today_is_no_future(tmp_path: Path) -> None:
    """A date without a time is in the future only if its whole day is."""
    (answer,) = row_of(tmp_path, {"kysytty": "23.11.2026"}).answers
    assert datetime(2026, 11, 22, 22, tzinfo=UTC) == answer.not_before


def test_a_missing_time_comes_from_the_mapping_or_nowhere(tmp_path: Path) -> None:
    """L-07: an empty cell takes the bounds of the mapping, and without those the answer has no time."""
    (answer,) = row_of(tmp_path, {"kysytty": ""}).answers
    assert (None, None) == (answer.not_before, answer.not_after)
    bound = replace(MAPPING, answers=(replace(EMAIL_QUESTION, not_before=utc(1, 0), not_after=utc(9, 0)),))
    (answer,) = row_of(tmp_path, {"kysytty": ""}, bound).answers
    assert (utc(1, 0), utc(9, 0)) == (answer.not_before, answer.not_after)


def test_endless_texts_reject_the_row(tmp_path: Path) -> None:
    """A customer number and the text of a question have their greatest lengths."""
    mapping = replace(
        MAPPING,
        columns={**DEFAULT_COLUMNS, "sukunimi": Field.EXTERNAL_ID},
        answers=(replace(EMAIL_QUESTION, wording_column="kieli"),),
    )
    row = rejection_of(tmp_path, {"sukunimi": "1" * 101}, mapping)
    assert ("sukunimi", None, "anna@posti.example") == (row.column, row.external_id, row.email)
    assert "2,000" in rejection_of(tmp_path, {"kieli": "x" * 2001}, mapping).reason


def test_place_and_wording_of_the_file_come_first(tmp_path: Path) -> None:
    """L-04: an empty cell takes what the mapping says; a place nobody knows is no place, and a remark."""
    mapping = replace(MAPPING, answers=(replace(EMAIL_QUESTION, wording_column="kieli"),))
    (answer,) = row_of(tmp_path, {"missä": "", "kieli": "sv"}, mapping).answers
    assert (Place.ONLINE, "sv") == (answer.place, answer.wording)
    row = row_of(tmp_path, {"missä": "kuussa", "kieli": ""}, mapping)
    assert [(None, WORDING)] == [(answer.place, answer.wording) for answer in row.answers]
    assert ('The place "kuussa" is not known: the answer is kept without one.',) == row.remarks


def test_a_visit_may_date_an_answer(tmp_path: Path) -> None:
    """One column may serve twice: as the last visit and as the day the question was asked."""
    mapping = replace(MAPPING, answers=(replace(EMAIL_QUESTION, asked_column="Viimeisin käynti"),))
    found = open_register(write_export(tmp_path, export_of({})), mapping, NOW)
    assert "last_visit, answer for email" == found.used["viimeisin käynti"]
    assert "kysytty" in found.dropped
    (row,) = found.rows()
    assert isinstance(row, RegisterRow)
    assert [utc(2, 22)] == [answer.not_before for answer in row.answers]


def test_a_visit_to_come_is_left_out(tmp_path: Path) -> None:
    """A booking ahead is no last visit; the client is kept."""
    row = row_of(tmp_path, {"viimeisin käynti": "24.11.2026"})
    assert (None, ("The last visit lies in the future and was left out.",)) == (row.last_visit, row.remarks)
    assert "viimeisin käynti" == rejection_of(tmp_path, {"viimeisin käynti": "31.2.2026"}).column


@pytest.mark.parametrize(
    ("change", "not_before"),
    [({"etunimi": "=1"}, utc(3, 12, 5)), ({"kysytty": "31.2.2026"}, None), ({"kysytty": "1.1.2027"}, None)],
)
def test_a_rejected_row_still_says_no(tmp_path: Path, change: dict[str, str], not_before: datetime | None) -> None:
    """L-06: a no needs no evidence, so a fault elsewhere in the row cannot lose it; a yes is lost with its row."""
    row = rejection_of(tmp_path, {**change, "markkinointilupa": "ei"})
    assert ("anna@posti.example", "+358401234567") == (row.email, row.phone)
    assert [(Reply.DECLINED, not_before)] == [(no.reply, no.not_before) for no in row.noes]
    assert () == rejection_of(tmp_path, change).noes


# Whatever the file holds
