"""Letters that nobody should write: whatever is in the inbox, reading it raises nothing and makes nobody leave."""

import random
import time
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.mailbox.letters import MOST_BYTES, Reader, shown
from dispatcher.mailbox.replies import own_words
from dispatcher.rules.letter import LetterKind
from tests.mailbox.post import ADDRESSES, AT, BACK, LINK, complaint, read, report, written

TO = f"To: {BACK.bounce_to}\r\nCc: {BACK.reply_to}\r\n".encode()
ALL = Reader(ADDRESSES, takes_all=True)
_NAMES = ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Subject", "Return-Path", "MIME-Version")
_VALUES = (
    "multipart/report; report-type=delivery-status; boundary=b",
    "multipart/mixed; boundary=b",
    "multipart/mixed",
    "multipart/mixed; boundary=",
    "message/rfc822",
    "message/delivery-status",
    "message/feedback-report",
    "message/partial; number=1",
    "text/plain; charset=utf-7",
    "text/plain; charset*=x''%ff",
    "text/html; charset=\x00",
    "text",
    "base64",
    "quoted-printable",
    "x-uuencode",
    "=?utf-8?b?////?=",
    "=?x-none?q?a?=",
    "\udcff",
    "<>",
)
_PIECES = (
    b"--b\r\n",
    b"--b--\r\n",
    b"\r\n",
    b"Action: failed\r\nStatus: 5.1.1\r\n",
    b"Feedback-Type: abuse\r\n",
    b"begin 644 x\r\n!!!!\r\nend\r\n",
    b"> Lopeta\r\n",
    b"\xff\xfe\x00",
    b"=\r\n=3",
    b"<blockquote>" * 50,
    b"&#xD800;&#99999999;",
)
_heads = st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES)), max_size=5)
_bodies = st.lists(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=40)), max_size=25).map(b"".join)


def made(head: list[tuple[str, str]], body: bytes) -> bytes:
    """Return a letter with these headers and whatever stands below them."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    return TO + lines.encode("utf-8", "surrogateescape") + b"\r\n" + body


@given(_heads, _bodies)
@example([("Content-Type", "message/delivery-status")], b"Action: failed")
@example([("Content-Type", "text/plain"), ("Content-Transfer-Encoding", "base64")], b"\xff=a")
def test_broken_letters_are_read_somehow(head: list[tuple[str, str]], body: bytes) -> None:
    """E-61, E-62: headers that lie about what follows, parts without an end, bytes of no charset: a letter of ours."""
    raw = made(head, body)
    letter = read(raw)
    assert letter is not None
    assert letter.token
    assert isinstance(shown(raw), str)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_are_none_of_ours(raw: bytes) -> None:
    """Whatever bytes lie in the inbox, nothing is raised, and they are no no of anybody."""
    assert read(raw) is None
    letter = ALL.letter(raw, "1", AT)
    assert letter is not None
    assert "" == letter.token
    assert isinstance(shown(raw), str)


@given(st.integers(0, 2**32), st.sampled_from(["report", "complaint", "reply"]))
def test_whole_letters_with_changed_bytes(seed: int, kind: str) -> None:
    """A real report, complaint or reply with some of its bytes changed, lost or doubled raises nothing."""
    chance = random.Random(seed)  # noqa: S311 - what is wanted is that it can be done again
    raw = bytearray(
        {
            "report": report("Reporting-MTA: dns; x", "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 x"),
            "complaint": complaint("abuse", f"List-Unsubscribe: <{LINK}>\r\n\r\nHei", to=BACK.bounce_to),
            "reply": written(body="Hei!\n\n> Lopeta\n"),
        }[kind]
    )
    for _ in range(chance.randint(1, 30)):
        place = chance.randrange(len(raw))
        match chance.randrange(3):
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                del raw[place : place + chance.randint(1, 20)]
            case _:
                raw[place:place] = raw[place : place + chance.randint(1, 20)]
        if not raw:
            return
    read(bytes(raw))
    shown(bytes(raw))


_WORDS = st.sampled_from(["Kiitos paljon!", "Tulen perjantaina.", "Onko teillä aikaa?", "Tack, vi ses!", "See you", ""])
_STOPS = st.sampled_from(
    [
        "Lopeta",
        "STOP",
        "Unsubscribe",
        "Älkää lähettäkö enää mainoksia",
        "Sluta skicka reklam",
        "Please stop sending ads",
    ]
)
_HEADS = st.sampled_from(
    [
        "ti 24. marrask. 2026 klo 9.30 {who} kirjoitti:",
        "Den tis 24 nov. 2026 kl 09:30 skrev {who}:",
        "On Tue, 24 Nov 2026 at 9:30, {who} wrote:",
        "{who} kirjoitti 24.11.2026 klo 9.30:",
        "-----Alkuperäinen viesti-----",
        "-----Original Message-----",
        "Från: {who}\nSkickat: den 24 november 2026\nTill: Maija",
        "________________________________\nLähettäjä: {who}\nLähetetty: 24.11.2026",
        "Begin forwarded message:",
    ]
)


@given(_WORDS, _HEADS, st.lists(_STOPS, min_size=1, max_size=4), st.sampled_from(["", "> ", ">", ">> ", "> > "]))
def test_no_quoted_words_make_anybody_leave(words: str, head: str, stops: list[str], mark: str) -> None:
    """E-35: a stop that somebody else wrote, quoted in any way below words that are none, is never a stop."""
    who = "Tunturituuli <hei@tunturituuli.example>"
    body = "\n".join([words, "", head.format(who=who), "", *(f"{mark}{stop}" for stop in stops)])
    letter = read(written(body=body))
    assert letter is not None
    assert LetterKind.OTHER is letter.kind, own_words(body)


@given(
    _WORDS, _STOPS, st.sampled_from(["blockquote", 'div class="gmail_quote"', "blockquote><div", "blockquote><p>a</p"])
)
def test_no_quoted_page_makes_anybody_leave(words: str, stop: str, tag: str) -> None:
    """E-35: the same of pages, also those that never close what they open."""
    raw = EmailMessage()
    raw["To"] = BACK.reply_to
    raw.set_content(f"<div>{words}</div><{tag}><p>{stop}</p>", subtype="html")
    letter = read(raw.as_bytes())
    assert letter is not None
    assert LetterKind.OTHER is letter.kind


def _nested(depth: int) -> bytes:
    """Return a letter within a letter within a letter."""
    inner = b"Content-Type: message/rfc822\r\n\r\n" * depth
    return TO + inner + b"Subject: x\r\n\r\nHei"


def _boxes(depth: int) -> bytes:
    """Return parts within parts within parts."""
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(depth))
    return TO + opened + b"\r\nHei"


_PAGE = TO + b"Content-Type: text/html\r\n\r\n"
_REPORT = b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
HURTING = {
    "letters within letters": _nested(50),
    "letters without end": _nested(5000),
    "parts within parts": _boxes(50),
    "parts without end": _boxes(3000),
    "many parts": TO + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 20_000,
    "encoded words": TO + b"Subject: " + b"=?utf-8?q?a?= " * 15_000 + b"\r\n\r\nHei",
    "headers": TO + b"X: y\r\n" * 30_000 + b"\r\nHei",
    "addresses": b"To: " + b"hei+a@tunturituuli.example, " * 9_000 + b"\r\n" + TO + b"\r\nHei",
    "quotes of a page": _PAGE + b"<div><blockquote>" * 10_000,
    "tags that end nothing": _PAGE + b"<b><blockquote></p>" * 10_000,
    "comments": _PAGE + b"<!--" * 50_000,
    "entities": _PAGE + b"&lt" * 80_000,
    "attributes": _PAGE + b"<a class=" * 25_000,
    "scripts": _PAGE + b"<script>" * 25_000,
    "marks": TO + b"\r\n" + b"> " * 100_000,
    "dates": TO + b"\r\n" + b"a 24.11.2026 <x@" * 15_000,
    "dates, by lines": TO + b"\r\n" + b"a 24.11.2026 <x@ 9.30 <x@ 24.12.2026 (y@ 2026 <@ \n" * 4_000,
    "attributions": TO + b"\r\n" + b"skrev " * 40_000,
    "attributions, by lines": TO + b"\r\n" + (b"skrev wrote " * 40 + b"\n") * 400,
    "rules": TO + b"\r\n" + b"----------" * 20_000,
    "heads of mails": TO + b"\r\n" + b"From: a\n" * 30_000,
    "recipients": TO + b"\r\n" + b"<a@b.example>:\n" * 10_000,
    "groups": TO + _REPORT + b"Action: failed\r\nStatus: 5.1.1\r\n\r\n" * 6_000,
}


@pytest.mark.parametrize("name", HURTING)
def test_letters_made_to_hurt_are_read_in_time(name: str) -> None:
    """Nested, endless and repetitive letters cost seconds of the processor and not minutes."""
    raw = HURTING[name]
    assert len(raw) <= 2 * MOST_BYTES
    before = time.process_time()
    read(raw)
    shown(raw)
    assert time.process_time() - before < 10
