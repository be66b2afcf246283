"""What a letter is: by the address it came to, by who wrote it, and only then by what it says."""

import tracemalloc
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from dispatcher.mailbox.letters import MOST_BYTES, Reader, shown
from dispatcher.rules.letter import Letter, LetterKind
from tests.mailbox.post import (
    ADDRESSES,
    AT,
    BACK,
    BOUNCE,
    FORGED,
    MESSAGE,
    OPT_OUT,
    REPLY,
    came,
    read,
    report,
    written,
)

ALL = Reader(ADDRESSES, takes_all=True)


def test_a_reply_that_says_stop() -> None:
    """E-35: a reply to the client's own address that says stop is a stop, whoever From says it is."""
    letter = came(written(body="Lopeta", From="Joku Muu <joku@muu.example>"))
    assert Letter("1", AT, LetterKind.STOP, REPLY) == letter


@pytest.mark.parametrize("body", ["Kiitos!", "", "Onko teillä aikaa perjantaina?", "Peru", "Peruuta aika", "Cancel"])
def test_a_reply_that_says_anything_else_waits(body: str) -> None:
    """E-35: whatever is not surely a stop, an appointment that is cancelled among it, waits for a person."""
    assert Letter("1", AT, LetterKind.OTHER, REPLY) == came(written(body=body))


@pytest.mark.parametrize("body", ["", "unsubscribe", "Hei hei", "Kiitos, mutta älkää huoliko!"])
@pytest.mark.parametrize("headers", [{}, {"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"}])
def test_what_comes_to_the_opt_out_address_opts_out(body: str, headers: dict[str, str]) -> None:
    """E-13: the token decides, not the words, not the sender, and not whether a mail program wrote it by itself."""
    letter = came(written(BACK.opt_out, body, From="scanner@other.example", Subject="", **headers))
    assert Letter("1", AT, LetterKind.STOP, OPT_OUT) == letter


@pytest.mark.parametrize("name", ["Delivered_To", "X_Original_To", "Envelope_To", "X_Delivered_To", "Cc", "To"])
def test_where_it_came_is_read_from_what_servers_write(name: str) -> None:
    """E-13: the address is found where a server notes it, also where To names another, as with a blind copy."""
    headers = {"To": "Joku <joku@muu.example>", name: f"Tunturituuli <{BACK.opt_out.upper()}>"}
    assert (LetterKind.STOP, OPT_OUT) == (came(written(**headers)).kind, came(written(**headers)).token.lower())


@pytest.mark.parametrize("name", ["From", "Reply_To", "Sender", "Subject", "References", "X_Token", "Resent_From"])
def test_what_only_its_sender_claims_is_nothing(name: str) -> None:
    """E-13, E-60: a token anywhere else makes a letter none of ours."""
    assert read(written("hei@tunturituuli.example", "Lopeta", **{name: BACK.opt_out})) is None


@pytest.mark.parametrize("to", ["hei@tunturituuli.example", "hei+uutiset@tunturituuli.example", "muu@muu.example", ""])
def test_other_mail_is_not_looked_at(to: str) -> None:
    """What came to the owner is the owner's, whatever it says; in a folder of the program's own it is looked at."""
    assert read(written(to, "Lopeta")) is None
    assert Letter("1", AT, LetterKind.STOP) == came(written(to, "Lopeta"), ALL)


def test_a_damaged_token_waits_for_a_person() -> None:
    """E-60: what looks like a token and is none of ours leads to nobody, and is not lost either."""
    assert Letter("1", AT, LetterKind.OTHER) == came(written(FORGED, "Hei"))
    assert Letter("1", AT, LetterKind.AUTOMATIC) == came(
        report("", "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1", to=FORGED)
    )


def test_an_answer_to_a_test_is_nobodys() -> None:
    """Who answers a test message, or opts out of one by mail, is no client."""
    to = ADDRESSES.of_test(MESSAGE).reply_to
    assert [None, None] == [read(written(to, "Lopeta"), reader) for reader in (Reader(ADDRESSES), ALL)]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Auto_Submitted": "auto-generated; owner-email=x"},
        {"Precedence": "bulk"},
        {"Precedence": "junk"},
        {"Precedence": "auto_reply"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"X_Autorespond": "Loma"},
        {"Subject": "Automaattinen vastaus: Kevät tulee"},
        {"Subject": "=?utf-8?q?Fr=C3=A5nvaro?= Re: Kevät"},
        {"Subject": "Out of office: Kevät"},
        {"Subject": "Poissaoloviesti"},
    ],
)
def test_automatic_replies_suspend_nobody(headers: dict[str, str]) -> None:
    """E-30: an out-of-office is automatic by any of its signs (RFC 3834)."""
    assert Letter("1", AT, LetterKind.AUTOMATIC, REPLY) == came(written(body="Olen lomalla 5.12. saakka.", **headers))


def test_an_out_of_office_comes_to_the_envelope() -> None:
    """RFC 3834: automatic replies go to the envelope sender, and are no bounce there."""
    raw = written(BACK.bounce_to, "Olen lomalla.", Auto_Submitted="auto-replied", Return_Path="<>")
    assert Letter("1", AT, LetterKind.AUTOMATIC, BOUNCE) == came(raw)


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "no"}, {"Precedence": "list"}, {"List_Id": "<hei.groups.example>"}]
)
def test_people_are_taken_for_people(headers: dict[str, str]) -> None:
    """E-35: what a group of addresses adds to every mail it passes on does not make a machine of who wrote it."""
    assert LetterKind.STOP is came(written(body="Lopettakaa.", **headers)).kind


def test_a_stop_outweighs_a_subject() -> None:
    """E-35: words in a subject are a guess; a no in the letter is none."""
    assert LetterKind.STOP is came(written(body="Lopeta", Subject="Lomalla ollessani")).kind


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Subject": "STOP"}, LetterKind.STOP),
        ({"Subject": "Re: Stop kiireelle"}, LetterKind.OTHER),
        ({"Subject": "STOP", "In_Reply_To": "<1@tunturituuli.example>"}, LetterKind.OTHER),
    ],
)
def test_a_subject_counts_where_it_is_its_writers(headers: dict[str, str], kind: LetterKind) -> None:
    """E-35: the subject of a reply is ours; that of a new letter is what its writer had to say."""
    assert kind is came(written(body="Terveisin Maija", **headers)).kind


def test_a_no_comes_before_a_reply() -> None:
    """E-13: a letter to both addresses is an opt-out."""
    assert OPT_OUT == came(written(f"{BACK.reply_to}, {BACK.opt_out}", "Hei")).token


def test_a_huge_letter_is_read_at_its_beginning() -> None:
    """What somebody says stands before what they attach; of any letter no more than the limit is looked at."""
    letter = message_from_bytes(written(body="Lopeta"), policy=default)
    assert isinstance(letter, EmailMessage)
    letter.add_attachment(bytes(4 * MOST_BYTES), "image", "jpeg", filename="kuva.jpg")
    raw = letter.as_bytes()
    tracemalloc.start()
    assert LetterKind.STOP is came(raw).kind
    assert tracemalloc.get_traced_memory()[1] < 16 * MOST_BYTES
    tracemalloc.stop()


def test_headers_without_an_end_are_cut() -> None:
    """A letter that is nothing but headers, for megabytes, is read as far as the limit."""
    endless = b"".join(b"X-%d: y\r\n" % number for number in range(200_000))
    assert read(endless) is None
    assert LetterKind.OTHER is came(f"To: {BACK.reply_to}\r\n".encode() + endless).kind


def test_a_letter_is_shown_whole_and_harmless() -> None:
    """A person sees who wrote, when, and everything, quotes as well; no sign of it can drive a terminal."""
    body = "Haluaisin siirtää ajan.\n\n> Hei Maija!\n\x1b[2Jpois\x07\u202e"
    raw = written(body=body, Subject="=?utf-8?q?Kev=C3=A4t?=", Date="Tue, 24 Nov 2026 09:30:00 +0200")
    text = shown(raw)
    assert text.startswith(
        "From: Maija <maija@posti.example>\nDate: Tue, 24 Nov 2026 09:30:00 +0200\nSubject: Kevät\n\n"
    )
    assert "Haluaisin siirtää ajan." in text
    assert "> Hei Maija!" in text
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "(no words)" in shown(b"To: x\r\n\r\n")


def test_nothing_of_what_a_letter_says_is_kept() -> None:
    """E-64: time, token and class are all there is of a letter afterwards: no word, subject or address."""
    letter = came(written(body="Salainen terveysasia", Subject="Salainen aihe"))
    told = repr(letter)
    assert not [word for word in ("Salainen", "terveysasia", "maija", "posti.example") if word in told]
    assert {"key", "at", "kind", "token", "status", "code", "is_permanent"} == {*Letter.__slots__}
