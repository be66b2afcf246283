"""How many parts a text message takes: the vectors of the standard, and another counter's opinion."""

import unicodedata

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.sms import Encoding, Parts, measure

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2
BASE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
# What Finnish, Sámi and Estonian texts need beyond GSM-7, and what word processors put in.
FORCING = "áâõçëšžčđŋŧʒǥǧǩ’“”–—…\N{NO-BREAK SPACE}\t`"  # noqa: RUF001 - these are the letters meant
SMILE = "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", GSM7, 0, 1),
        ("ä" * 160, GSM7, 160, 1),
        ("ä" * 161, GSM7, 161, 2),
        ("a" * 306, GSM7, 306, 2),
        ("a" * 307, GSM7, 307, 3),
        ("€" * 80, GSM7, 160, 1),
        ("€" * 81, GSM7, 162, 2),
        ("a" * 152 + "€" + "a" * 20, GSM7, 174, 2),
        ("a" * 152 + "€" + "a" * 151, GSM7, 305, 2),
        ("a" * 152 + "€" + "a" * 152, GSM7, 306, 3),
        (SMILE * 35, UCS2, 70, 1),
        (SMILE * 36, UCS2, 72, 2),
        ("š" * 70, UCS2, 70, 1),
        ("a" * 69 + "š" + "a", UCS2, 71, 2),
        ("š" * 134, UCS2, 134, 2),
        ("š" * 135, UCS2, 135, 3),
        ("š" * 66 + SMILE + "š" * 66, UCS2, 134, 3),
        ("š" * 67 + SMILE + "š" * 65, UCS2, 134, 2),
        ("€" * 34 + "č", UCS2, 35, 1),
        ("\uffff", UCS2, 1, 1),
        ("\U00010000", UCS2, 2, 1),
    ],
)
def test_the_vectors_of_the_standard(text: str, encoding: Encoding, units: int, segments: int) -> None:
    """S-01, S-02: 160 or 153 septets, 70 or 67 code units, and nothing two units wide straddles two parts."""
    parts = measure(text)
    assert (encoding, units, segments) == (parts.encoding, parts.units, parts.segments)


def test_decomposed_letters_are_composed_first() -> None:
    """S-03: an ä typed as two characters does not force the small alphabet's end."""
    assert Parts("ä" * 160, GSM7, 160, 1) == measure("a\N{COMBINING DIAERESIS}" * 160)


def test_a_line_end_is_one_septet() -> None:
    """S-03: the two characters some systems end a line with become one."""
    assert Parts("a\nb\n", GSM7, 4, 1) == measure("a\r\nb\r\n")


@pytest.mark.parametrize("char", BASE)
def test_every_letter_of_the_alphabet_is_one_septet(char: str) -> None:
    """S-04: å, ä, ö, é, à, ü, ñ and the rest of the base table need no second alphabet."""
    assert Parts(char, GSM7, 1, 1) == measure(char)


@pytest.mark.parametrize("char", EXTENSION)
def test_every_sign_of_the_extension_is_two_septets(char: str) -> None:
    """S-01: the euro sign and the brackets cost two."""
    assert Parts(char, GSM7, 2, 1) == measure(char)


@pytest.mark.parametrize("char", FORCING)
def test_other_letters_force_ucs_2_and_are_named(char: str) -> None:
    """S-04: Sámi and Estonian letters, typographic marks, no-break space, tab and back-tick."""
    assert Parts(f"ab{char}", UCS2, 3, 1, char) == measure(f"ab{char}")


def test_the_letters_that_force_ucs_2_are_named_once_in_order() -> None:
    """S-05: the preview can say which letters made the message dearer."""
    parts = measure("Mažán šž’")  # noqa: RUF001 - the letters meant
    assert ("žáš’", UCS2) == (parts.forcing, parts.encoding)  # noqa: RUF001 - the same


def test_the_escape_character_itself_is_no_letter() -> None:
    """S-01: ESC announces the extension table and cannot be sent as text of its own."""
    assert UCS2 is measure("\x1b").encoding


_plain = st.text(alphabet=st.sampled_from(BASE + EXTENSION), min_size=1, max_size=700)
_rich = st.text(alphabet=st.sampled_from(BASE + EXTENSION + FORCING + SMILE + "ŊŦ\N{PARTY POPPER}"), min_size=1)
_anything = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=300)


@given(st.one_of(_plain, _rich, _anything))
def test_another_counter_agrees(text: str) -> None:
    """S-01, S-02: smsutil, given the text as it will be sent, counts the same parts in the same alphabet."""
    sent = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\x1b", "")
    if not sent:
        return
    theirs, ours = smsutil.split(sent), measure(text.replace("\x1b", ""))
    alphabet = {"gsm0338": GSM7, "utf_16_be": UCS2}[theirs.encoding]
    assert (sent, alphabet, len(theirs.parts)) == (ours.text, ours.encoding, ours.segments)
    assert theirs.total_bytes == ours.units * (2 if alphabet is UCS2 else 1)


@given(_anything)
def test_units_are_what_goes_over_the_air(text: str) -> None:
    """S-02: in UCS-2 the length is that of the UTF-16 encoding; a surrogate pair counts as the two it is."""
    parts = measure(text + "š")
    assert len(parts.text.encode("utf-16-be")) // 2 == parts.units
    assert -(-parts.units // 70) <= parts.segments <= max(1, -(-parts.units // 66))


@given(_anything)
def test_measuring_what_was_measured_changes_nothing(text: str) -> None:
    """S-03: the text given back is the text that is sent."""
    once = measure(text)
    assert once == measure(once.text)
