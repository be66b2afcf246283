"""What header lines look like on the wire."""

import base64
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.errors import RenderingError
from dispatcher.rendering import headers

_WORD = re.compile(r"=\?utf-8\?([bq])\?([^? ]*)\?=", re.IGNORECASE)
_HOSTILE = "=?utf-8?q?x=0D=0ABcc:=20evil@evil.example?="
_FINNISH = ["kesän", "ystävänpäivä", "öljyt", "Åland", "hetkiä", "sinulle", "tarjous", "äkkilähtö", "löyly"]
_SAMI = ["Áilu", "Ánte", "čáppa", "giđđa", "ŧeađuš", "ŋuolla", "ʒuʒʒ", "ǥuoǥ", "ǩerjj"]
_OTHERS = ["🎁", "👩‍👩‍👧", "Spa", '"spa"', "a\\b", "(x)", "<b>", _HOSTILE, "=?", "?=", "=?utf-8?b?aGVp?="]
_PHRASES = st.one_of(
    st.lists(st.sampled_from([*_FINNISH, *_SAMI, *_OTHERS]), min_size=1, max_size=20).map(" ".join),
    st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=120),
).filter(lambda phrase: bool(phrase.strip()))
_CONTROLS = ["\r", "\n", "\r\n", "\0", "\t", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800"]


def _value(raw: bytes, name: str) -> str:
    """Return the unfolded value of a header (RFC 5322, section 2.2.3)."""
    line = re.sub(r"\r\n(?=[ \t])", "", raw.decode("ascii"))
    assert line.startswith(f"{name}: ")
    assert line.endswith("\r\n")
    assert line.count("\r\n") == 1
    return line[len(name) + 2 : -2]


def _bytes(encoding: str, payload: str) -> bytes:
    if encoding.lower() == "b":
        return base64.b64decode(payload, validate=True)
    spaced = payload.replace("_", " ").encode("ascii")
    return re.sub(rb"=([0-9A-F]{2})", lambda code: bytes.fromhex(code[1].decode()), spaced)


def _decoded(value: str) -> str:
    """Return what a reader makes of a value (RFC 2047): blanks between encoded words go, their bytes are joined."""
    words = value.split(" ")
    if not all(_WORD.fullmatch(word) for word in words if word):
        assert "=?" not in value
        return value
    return b"".join(_bytes(*found) for found in _WORD.findall(value)).decode("utf-8")


@given(_PHRASES)
def test_a_subject_comes_back_as_it_was_written(phrase: str) -> None:
    """E-26, E-25: Finnish, Sámi, emoji, and words that only look encoded are read as they were written."""
    assert phrase == _decoded(_value(headers.unstructured("Subject", phrase), "Subject"))


@pytest.mark.parametrize("phrase", [" Hei", "Hei ", " Hei sinä ", "\N{NO-BREAK SPACE}Hei"])
def test_a_blank_at_an_end_is_encoded(phrase: str) -> None:
    """E-26: readers take blanks off the ends of what is plain, so such a phrase is an encoded word."""
    raw = headers.unstructured("Subject", phrase)
    assert b"=?utf-8?" in raw
    assert phrase == _decoded(_value(raw, "Subject"))


@given(_PHRASES)
def test_a_display_name_comes_back_as_it_was_written(phrase: str) -> None:
    """E-26: a name before an address is read as it was written, quotes and backslashes included."""
    value = _value(headers.mailbox("From", phrase, "hei@studio.example"), "From")
    name, _, address = value.rpartition(" ")
    read = re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else _decoded(name)
    assert (phrase, "<hei@studio.example>") == (read, address)


@given(_PHRASES)
@example("Hieronta (Hyvä Olo), Kuusela ja St. Moritz")
def test_encoded_words_of_a_display_name_are_a_phrase(phrase: str) -> None:
    """E-26: before an address, only letters, digits and ! * + - / stand unencoded in a word (RFC 2047, 5, rule 3)."""
    value = _value(headers.mailbox("From", phrase, "hei@studio.example"), "From")
    words = [] if value.startswith('"') else _WORD.findall(value)
    assert not [said for how, said in words if how.lower() == "q" and not re.fullmatch(r"[A-Za-z0-9!*+/=_-]*", said)]


@given(_PHRASES)
def test_lines_with_encoded_words_are_short(phrase: str) -> None:
    """E-20: a line that holds an encoded word has at most 76 octets, the word itself at most 75."""
    for raw in (headers.unstructured("Subject", phrase), headers.mailbox("From", phrase, "hei@studio.example")):
        for line in raw.decode("ascii").split("\r\n"):
            assert max([0, *(len(word[0]) for word in _WORD.finditer(line))]) <= 75
            assert len(line) <= 76


@pytest.mark.parametrize("control", _CONTROLS)
def test_a_control_character_is_refused(control: str) -> None:
    """E-25: a line end in a subject or name is an error and never dropped in silence."""
    with pytest.raises(RenderingError, match="The header Subject holds a line end or another control"):
        headers.unstructured("Subject", f"Tarjous{control}Bcc: x@evil.example")
    with pytest.raises(RenderingError, match="The header From holds"):
        headers.mailbox("From", f"Hoitola{control}", "hei@studio.example")


def test_a_hostile_name_makes_no_header() -> None:
    """E-25: an encoded line end in data stays text, whichever Python serialises it (CVE-2024-6923)."""
    raw = headers.unstructured("Subject", _HOSTILE)
    assert b"Bcc" not in raw.replace(b"Bcc=3A", b"")
    assert raw.count(b"\r\n") == raw.count(b"\r\n ") + 1


def test_an_empty_header_is_refused() -> None:
    """A subject of blanks is an error that says so."""
    with pytest.raises(RenderingError, match="Subject would be empty"):
        headers.unstructured("Subject", " ")


@pytest.mark.parametrize("value", ["a\r\nb", "=?utf-8?q?x?=", "ä", "", "x" * 998])
def test_a_token_is_one_line_of_ascii(value: str) -> None:
    """E-03: what may neither be folded nor encoded is refused if it would have to be."""
    with pytest.raises(RenderingError, match="cannot be written on one line"):
        headers.token("List-Unsubscribe", value)


@pytest.mark.parametrize(
    "address",
    [
        "päivi@posti.example",
        "a@b.example\r\nBcc: c@evil.example",
        "a b@posti.example",
        "a@b@posti.example",
        "<a@posti.example>",
        "a@posti.example,b@evil.example",
        "=?utf-8?q?a?=@posti.example",
        "a@hyvä.example",
        "aino",
        "",
    ],
)
def test_an_address_that_would_begin_something_new_is_refused(address: str) -> None:
    """E-28: one plain address or nothing; the message hides most of it."""
    with pytest.raises(RenderingError, match="cannot be written to") as refusal:
        headers.checked_address(address)
    assert not address or address not in str(refusal.value)


@pytest.mark.parametrize(
    "link",
    [
        "https://m.example/u/a b",
        "https://m.example/>",
        "mailto:a@b.example",
        "https://m.example/ä",
        "https://m\r\n",
        "",
    ],
)
def test_a_link_that_would_break_its_brackets_is_refused(link: str) -> None:
    """E-01: an opt-out link is one web address of plain characters."""
    with pytest.raises(RenderingError, match="holds a character that no link holds"):
        headers.checked_link(link)


def test_a_message_id_is_plain() -> None:
    """E-24: nothing but letters, digits, dots, lines and underscores goes before the @."""
    with pytest.raises(RenderingError, match="message id"):
        headers.checked_message_id("a>b")
