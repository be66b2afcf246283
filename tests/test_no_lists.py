"""What is read from a list of people who said no, and what is refused."""

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import RegisterFileError
from dispatcher.register_files import NoLine, System, open_no_list
from dispatcher.register_files.no_list import LONGEST_LINE
from dispatcher.rules.campaign import Channel

A, B = (Channel.EMAIL, "a@posti.example"), (Channel.EMAIL, "b@posti.example")
NUMBER = (Channel.SMS, "+358401234567")
MAILCHIMP = "Email Address,First Name,MEMBER_RATING,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,NOTES"
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"


def read(path: Path, text: str | bytes, system: System | None = None) -> list[NoLine]:
    """Write a file and return its lines."""
    file = path / "no.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(open_no_list(file, system).lines())


def found(lines: list[NoLine]) -> list[tuple[Channel, str]]:
    """Return every address, in order."""
    return [address for line in lines for address in line.addresses]


@pytest.mark.parametrize(
    "text",
    [
        "A@posti.example\n040 123 4567\n",
        "\ufeffosoite\r\n\r\nA@posti.example\r\n040 123 4567",
        "sähköposti;puhelin\nA@posti.example;040 123 4567\n",
        "nimi,puhelin,sähköposti\nA,040 123 4567,a@posti.example\n",
        "A@posti.example;040 123 4567",
        '"A@posti.example"\t"401234567"',
        "Anna Asiakas <A@posti.example>\n401234567.0\n",
        "Poistetut yhteystiedot\rA@posti.example\r+358 40 1234567\r",
    ],
)
def test_bare_addresses_and_numbers_in_any_form(tmp_path: Path, text: str) -> None:
    """One a line or in columns, mixed, with a header or without, as spreadsheets and people write them."""
    lines = read(tmp_path, text)
    assert {A, NUMBER} == set(found(lines))
    assert [] == [reason for line in lines for reason in line.rejections]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_of_a_list(tmp_path: Path, encoding: str) -> None:
    """Letters outside ASCII do not stand in the way of the addresses beside them."""
    assert [A, B] == found(
        read(tmp_path, "käyttäjä;email\nPäivi;a@posti.example\nÅsa;b@posti.example".encode(encoding))
    )


def test_what_is_no_address_is_rejected_with_its_line(tmp_path: Path) -> None:
    """A landline, a name, a hidden character: each is told with its line, masked, and the rest of the line is kept."""
    lines = read(tmp_path, "a@posti.example\n\n09 123 4567\nb@posti.example;Berit\nx\u200b@posti.example\nodd@@x")
    told = [(line.line, line.rejections[0]) for line in lines if line.rejections]
    assert [3, 4, 5, 6] == [line for line, _ in told]
    assert '"09 1*****67" is left out: this is not a mobile number' in told[0][1]
    assert '"Berit" is left out: this is neither an email address nor a mobile number.' == told[1][1]
    assert "hidden character (U+200B)" in told[2][1]
    assert "this is not an email address" in told[3][1]
    assert [A, B] == found(lines)


def test_under_a_header_only_its_columns_are_read(tmp_path: Path) -> None:
    """A number in a column that nobody named is not the client's: columns count by name, never guessed."""
    lines = read(tmp_path, "viitenumero;email\n0401234567;a@posti.example\n0401234568;\n")
    assert [A] == found(lines)
    assert ["There is neither an email address nor a phone number."] == list(lines[1].rejections)


def test_mailchimps_list_of_the_unsubscribed(tmp_path: Path) -> None:
    """Every row with a time of leaving has left, line breaks in a note included; the others have not."""
    rows = [
        'a@posti.example,A,2,"2024-01-01 10:00:00","Kesä","NORMAL",1,"two\nlines"',
        "c@posti.example,C,2,,,,2,",
        'b@posti.example,B,2,"2024-01-02 10:00:00",,,3,',
    ]
    lines = read(tmp_path, "\n".join([MAILCHIMP, *rows]), System.MAILCHIMP)
    assert [(2, [A], False), (4, [], True), (5, [B], False)] == [
        (line.line, list(line.addresses), line.is_skipped) for line in lines
    ]


@pytest.mark.parametrize(
    ("header", "system", "says"),
    [
        ("Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE", System.MAILCHIMP, "cleaned.*begins with `unsubscribed`"),
        ("Email Address,First Name,OPTIN_TIME", System.MAILCHIMP, "no column UNSUB_TIME.*`unsubscribed`"),
        ("uuid,email,name", System.LISTMONK, "no columns email and status"),
        ("CONTACT ID,FIRSTNAME", System.BREVO, "no column EMAIL or SMS.*blocklisted"),
    ],
)
def test_another_export_is_refused_and_says_which_is_meant(
    tmp_path: Path, header: str, system: System, says: str
) -> None:
    """Who was cleaned for bounces, or still is subscribed, has said no no: the right file is named."""
    with pytest.raises(RegisterFileError, match=says):
        read(tmp_path, f"{header}\na@posti.example,1,2", system)


def test_listmonks_subscribers_by_their_status(tmp_path: Path) -> None:
    """Blocklisted and unsubscribed have left; enabled and disabled have not; an unknown word is nobody's guess."""
    words = ("blocklisted", "unsubscribed", "enabled", "disabled", "confirmed")
    rows = [f"{word},{word}@posti.example,,{{}},{word},," for word in words]
    lines = read(tmp_path, "\n".join([LISTMONK, *rows]), System.LISTMONK)
    assert ["blocklisted@posti.example", "unsubscribed@posti.example"] == [text for _, text in found(lines)]
    assert [False, False, True, True, False] == [line.is_skipped for line in lines]
    assert ('The status "confirmed" is not known: add the address by hand if it means a no.',) == lines[4].rejections


def test_brevos_filtered_contacts(tmp_path: Path) -> None:
    """Without a status everybody in the file counts, by email and by number; with one, those who left a channel."""
    lines = read(tmp_path, "CONTACT ID;EMAIL;SMS\n1;a@posti.example;358401234567\n", System.BREVO)
    assert [A, NUMBER] == found(lines)
    rows = ("a@posti.example,subscribed,subscribed", "b@posti.example,subscribed,unsubscribed")
    lines = read(tmp_path, "\n".join(["EMAIL,email_marketing,sms_marketing", *rows]), System.BREVO)
    assert ([B], True) == (found(lines), lines[0].is_skipped)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\xff\xfea\x00\x00\xdca\x00", "not a text file"),
        (b"a" * (LONGEST_LINE + 1), "longer than"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """An empty file, a spreadsheet, broken letters and a line without end are refused with a sentence."""
    with pytest.raises(RegisterFileError, match=says):
        read(tmp_path, content)


def test_bytes_that_are_no_spreadsheet_are_no_list(tmp_path: Path) -> None:
    """A name that promises a spreadsheet over bytes that are none, and no text either: no line of it is read."""
    path = tmp_path / "noes.xlsx"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(RegisterFileError, match="is no spreadsheet, whatever its name says"):
        open_no_list(path)


@pytest.mark.parametrize(
    ("header", "given", "whose"),
    [
        (MAILCHIMP, System.BREVO, System.MAILCHIMP),
        ("Email Address,First Name,MEMBER_RATING,OPTIN_TIME", System.BREVO, System.MAILCHIMP),
        (LISTMONK, System.BREVO, System.LISTMONK),
        (LISTMONK, System.MAILCHIMP, System.LISTMONK),
        ("CONTACT ID,EMAIL,SMS,ADDED_TIME,MODIFIED_TIME", System.LISTMONK, System.BREVO),
        ("EMAIL,email_marketing,sms_marketing", System.MAILCHIMP, System.BREVO),
    ],
)
def test_an_export_of_another_system_is_told_apart(tmp_path: Path, header: str, given: System, whose: System) -> None:
    """What one system calls its columns says nothing to another: nobody is taken for somebody who has left."""
    says = (
        f"no.csv has the columns of {whose.value.capitalize()}, not of {given.value.capitalize()}: give --from {whose}"
    )
    with pytest.raises(RegisterFileError, match=says):
        read(tmp_path, f"{header}\na@posti.example,1,2", given)


def test_a_missing_file_and_a_broken_export(tmp_path: Path) -> None:
    """A name that is no file, and a quotation mark that never closes, are refused before the first line."""
    with pytest.raises(RegisterFileError, match="check the file's name"):
        open_no_list(tmp_path / "none.csv")
    with pytest.raises(RegisterFileError, match="line 2: a quotation mark"):
        read(tmp_path, f'{MAILCHIMP}\na@posti.example,"open,\nb@posti.example,,,', System.MAILCHIMP)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """What is no file is refused before anything is read from it: nobody may ever write to it, or it has no end."""
    pipe = tmp_path / "noes.csv"
    os.mkfifo(pipe)
    with pytest.raises(RegisterFileError, match=r"noes\.csv is not a file"):
        open_no_list(pipe)


def test_a_long_list_is_a_stream(tmp_path: Path) -> None:
    """Memory does not grow with the file: four megabytes are read in less than one."""
    file = tmp_path / "no.csv"
    file.write_text("".join(f"not an address {number:>20}\n" for number in range(110_000)), encoding="utf-8")
    assert 4_000_000 > file.stat().st_size > 3_900_000
    tracemalloc.start()
    opened = open_no_list(file)
    assert (110_000, 110_000) == (opened.count, sum(1 for line in opened.lines() if line.rejections))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@settings(max_examples=200)
@given(lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), max_size=5))
def test_nothing_in_a_line_hides_the_next(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever stands in a line, quotation marks included, the address on the last one is read."""
    text = "\n".join(["osoite", *lines, "a@posti.example"])
    assert A in found(read(tmp_path_factory.mktemp("no"), text))
