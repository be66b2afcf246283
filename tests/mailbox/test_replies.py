"""What somebody wrote themselves is told from what they quote: a stop that is only quoted is never theirs."""

from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from dispatcher.mailbox.replies import own_words
from dispatcher.mailbox.words import MOST_TEXT, as_text, text_of
from dispatcher.rules.campaign import Language
from dispatcher.rules.letter import LetterKind
from dispatcher.rules.stop_words import Said, said_in_reply
from tests.mailbox.post import came, written

KEPT = Path(__file__).parents[1] / "rendering" / "kept"
OURS = {
    language: message_from_bytes((KEPT / f"offer.{language}.eml").read_bytes(), policy=default) for language in Language
}


def ours(language: Language, kind: str = "plain") -> str:
    """Return the words of a mail of ours."""
    part = OURS[language].get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


STOPS = "Lopeta\nÄlkää lähettäkö minulle enää mainoksia.\nUnsubscribe\nSluta skicka reklam."
QUOTED = "\n".join(f"> {line}" for line in STOPS.splitlines())
STUDIO = "Tunturituuli <hei@tunturituuli.example>"
OUTLOOK = f"{{frm}}: {STUDIO}\n{{sent}}: tiistai 24. marraskuuta 2026 9.30\n{{to}}: Maija\n{{subject}}: Kevät"
WAYS = {
    "gmail fi": f"ti 24. marrask. 2026 klo 9.30 {STUDIO} kirjoitti:\n\n{QUOTED}",
    "gmail fi, two lines": f"ti 24. marrask. 2026 klo 9.30 Tunturi (hei@tunturituuli.example)\nkirjoitti:\n\n{QUOTED}",
    "gmail sv": f"Den tis 24 nov. 2026 kl 09:30 skrev {STUDIO}:\n\n{QUOTED}",
    "gmail en": f"On Tue, Nov 24, 2026 at 9:30 AM {STUDIO} wrote:\n\n{QUOTED}",
    "gmail en, two lines": f"On Tue, Nov 24, 2026 at 9:30 AM Tunturi <\nhei@tunturituuli.example> wrote:\n\n{QUOTED}",
    "apple en": f"> On 24 Nov 2026, at 9.30, {STUDIO} wrote:\n> \n{QUOTED}",
    "without marks": f"On 24 Nov 2026, at 9.30, {STUDIO} wrote:\n\n{STOPS}",
    "thunderbird fi": f"Tunturituuli kirjoitti 24.11.2026 klo 9.30:\n{QUOTED}",
    "outlook fi": OUTLOOK.format(frm="Lähettäjä", sent="Lähetetty", to="Vastaanottaja", subject="Aihe")
    + f"\n\n{STOPS}",
    "outlook sv": OUTLOOK.format(frm="Från", sent="Skickat", to="Till", subject="Ämne") + f"\n\n{STOPS}",
    "outlook en": OUTLOOK.format(frm="From", sent="Sent", to="To", subject="Subject") + f"\n\n{STOPS}",
    "outlook, ruled": f"________________________________\nFrom: Tunturituuli\nSent: Tuesday\n\n{STOPS}",
    "outlook, bold": f"*From:* Tunturituuli\n*Sent:* Tuesday\n\n{STOPS}",
    "old outlook fi": f"-----Alkuperäinen viesti-----\n{STOPS}",
    "old outlook sv": f"-----Ursprungligt meddelande-----\n{STOPS}",
    "old outlook en": f"-----Original Message-----\n{STOPS}",
    "samsung": f"-------- Alkuperäinen viesti --------\n{STOPS}",
    "forwarded": f"---------- Forwarded message ---------\n{STOPS}",
    "apple, forwarded": f"Begin forwarded message:\n\n{STOPS}",
    "signature": f"-- \n{STOPS}",
    "bars": "\n".join(f"| {line}" for line in STOPS.splitlines()),
}
DEVICES = [
    "Lähetetty iPhonesta",
    "Skickat från min iPhone",
    "Sent from my Galaxy",
    "Hanki Outlook for iOS",
    "Get Outlook for Android",
]


def test_the_samples_would_stop_if_they_were_not_quoted() -> None:
    """What is quoted below says stop by every list."""
    assert Said.STOP is said_in_reply(STOPS)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_quoted_is_nobodys_stop(way: str) -> None:
    """E-35: a stop in what a mail program quotes, in each way that they do, is not what its reader said."""
    for device in ("", *DEVICES):
        body = f"Kiitos, tulen mielelläni!\n\n{device}\n{WAYS[way]}"
        assert "Kiitos, tulen mielelläni!" == own_words(body).splitlines()[0]
        assert LetterKind.OTHER is came(written(body=body)).kind


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["Lopeta", "Sluta", "STOP"])
def test_a_stop_above_a_quote_is_heard(way: str, word: str) -> None:
    """E-35: the same letters with a stop of the reader's own, above what is quoted."""
    assert LetterKind.STOP is came(written(body=f"{word}\n\n{WAYS[way]}")).kind


@pytest.mark.parametrize("way", [way for way in WAYS if QUOTED in WAYS[way]])
def test_a_stop_below_a_quote_is_heard(way: str) -> None:
    """E-35: some write below what they quote."""
    assert LetterKind.STOP is came(written(body=f"{WAYS[way]}\n\nLopettakaa viestien lähettäminen.")).kind


@pytest.mark.parametrize("language", Language)
def test_our_own_mail_quoted_without_any_mark_is_no_stop(language: Language) -> None:
    """E-35: a mail program that gives our mail back as if its reader had written it makes nobody leave by our words."""
    for body in (ours(language), f"Kiitos!\n\n{ours(language)}", as_text(ours(language, "html"))):
        assert LetterKind.OTHER is came(written(body=body)).kind


@pytest.mark.parametrize("language", Language)
def test_our_own_page_quoted_without_any_mark_is_no_stop(language: Language) -> None:
    """E-35: the same of a reply that is a page and no text."""
    raw = written(body="Kiitos!").replace(b"text/plain", b"text/html")
    page = ours(language, "html").encode("ascii", "xmlcharrefreplace")
    assert LetterKind.OTHER is came(raw.replace(b"Kiitos!", page)).kind


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote">On Tue<blockquote class="gmail_quote">Lopeta</blockquote></div>',
        "<blockquote type=cite><p>Lopeta</p></blockquote>",
        '<hr><div id="divRplyFwdMsg"><b>From:</b> x</div><div>Lopeta</div>',
        '<div id="appendonsend"></div><p>Lopeta</p>',
        '<div class="yahoo_quoted"><div>Lopeta</div></div>',
        '<div class="moz-cite-prefix">Maija kirjoitti:<br></div><blockquote>Lopeta</blockquote>',
        "<style>p { x: 'Lopeta' }</style><script>Lopeta</script><head><title>Lopeta</title></head>",
        "<blockquote><div>Lopeta",
    ],
)
def test_what_a_page_marks_as_quoted_is_left_out(quote: str) -> None:
    """E-35: pages quote by their tags, closed or not; what a person is shown has it all the same."""
    assert ("Kiitos!", Said.OTHER) == (as_text(f"<p>Kiitos!</p>{quote}"), said_in_reply(as_text(f"<p>Hei</p>{quote}")))
    if "<style>" not in quote:
        assert "Lopeta" in as_text(f"<p>Kiitos!</p>{quote}", whole=True)


def test_a_page_alone_can_stop() -> None:
    """E-35: a reply without a text part is read by its page."""
    page = b"<html><body><div dir=ltr>Lopettakaa&nbsp;mainokset<br></div><br><blockquote>Hei</blockquote></body></html>"
    raw = written(body="x").replace(b"text/plain", b"text/html").replace(b"\n\nx", b"\n\n" + page)
    assert LetterKind.STOP is came(raw).kind


def test_an_attachment_says_nothing() -> None:
    """A text that is attached, or a letter within the letter, is not what its sender said."""
    for kind in ("text/plain; name=a.txt\nContent-Disposition: attachment", "message/rfc822\n\nSubject: x"):
        body = f"--b\nContent-Type: text/plain\n\nHei\n--b\nContent-Type: {kind}\n\nLopeta\n--b--\n"
        raw = written(body="x").replace(b'text/plain; charset="utf-8"', b'multipart/mixed; boundary="b"')
        assert "Hei" == text_of(message_from_bytes(raw.partition(b"\n\n")[0] + f"\n\n{body}".encode()))


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-8", "utf-16", "x-unknown", "", "ascii"])
def test_any_charset_is_read_somehow(charset: str) -> None:
    """A letter in a charset that is wrong, unknown or missing is read as well as it can be."""
    codec = charset if charset in {"iso-8859-1", "windows-1252", "utf-8", "utf-16"} else "utf-8"
    head = f'To: x\nContent-Type: text/plain; charset="{charset}"\nContent-Transfer-Encoding: 8bit\n\n'
    assert "Älkää" in text_of(message_from_bytes(head.encode() + "Älkää".encode(codec))) or charset == "ascii"


def test_a_long_letter_is_cut() -> None:
    """What is read of a letter is limited, however its text is written."""
    for body in ("x" * (10 * MOST_TEXT), "y\n" * (10 * MOST_TEXT)):
        assert len(text_of(message_from_bytes(f"To: x\n\n{body}".encode()))) <= MOST_TEXT
        assert len(as_text(body)) <= MOST_TEXT
