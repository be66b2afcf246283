"""One canonical form for every way an address is written, and what may be shown of it."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatcher.rules.address import AddressError, canonical, canonical_email, canonical_number, masked
from dispatcher.rules.campaign import Channel

AINO = "+358401234567"


@pytest.mark.parametrize(
    "written",
    [
        "+358401234567",
        "+358 40 123 4567",
        "+358 (0)40 123 4567",
        "00358 40 123 4567",
        "0401234567",
        "040 123 4567",
        "040-1234567",
        "040/123 4567",
        "(040) 123-4567",
        "040.123.4567",
        "  040 123 4567\n",
        "tel:+358-40-123-4567",
        "TEL:0401234567",
        "040\N{NO-BREAK SPACE}123\N{NO-BREAK SPACE}4567",
        "040\N{EN DASH}1234567",
        "040\N{NON-BREAKING HYPHEN}1234567",
        "\N{FULLWIDTH DIGIT ZERO}401234567",
    ],
)
def test_every_way_to_write_a_finnish_mobile_number_is_one_number(written: str) -> None:
    """S-08: trunk zero, brackets, dashes, slashes and the spaces of word processors make no second client."""
    assert AINO == canonical_number(written)
    assert AINO == canonical(Channel.SMS, written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("040 123456", "+35840123456"),
        ("0457 123 4567", "+3584571234567"),
        ("050 123 4567", "+358501234567"),
        ("+46 70 123 45 67", "+46701234567"),
        ("+47 406 12 345", "+4740612345"),
        ("+372 5123 4567", "+37251234567"),
    ],
)
def test_other_lengths_and_neighbours_are_read_too(written: str, expected: str) -> None:
    """S-08: Finnish numbers are of several lengths, and clients come from over the border."""
    assert expected == canonical_number(written)


def test_a_number_is_read_in_the_region_of_the_studio() -> None:
    """S-08: the default region is Finland; another may be asked for."""
    assert "+46701234567" == canonical(Channel.SMS, "070-123 45 67", region="SE")
    with pytest.raises(AddressError):
        canonical(Channel.SMS, "070-123 45 67")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("016 123 456", "not a mobile number"),
        ("09 123 4567", "not a mobile number"),
        ("+358 8 123 4567", "not a mobile number"),
        ("0800 12345", "not a mobile number"),
        ("0600 12345", "not a mobile number"),
        ("0700 12345", "not a mobile number"),
        ("029 535 0000", "not a mobile number"),
        ("020 812 3456", "not a mobile number"),
        ("112", "no such phone number"),
        ("16400", "no such phone number"),
        ("04012345678901", "no such phone number"),
        ("+358 49 123 4567", "no such phone number"),
        ("+358", "not a phone number"),
        ("", "not a phone number"),
        ("   ", "not a phone number"),
        ("-", "not a phone number"),
        ("Aino 040 123 4567", "not a phone number"),
        ("040 123 4567 (Aino)", "not a phone number"),
        ("040 123 4567 ext 5", "not a phone number"),
        ("0800-HIERONTA", "not a phone number"),
        ("040 123 4567, 050 123 4567", "not a phone number"),
        ("040 123 4567;050 123 4567", "not a phone number"),
        ("+358+401234567", "not a phone number"),
        ("040123456\x00", "not a phone number"),
        ("9" * 500, "not a phone number"),
    ],
)
def test_what_a_text_message_cannot_reach_is_refused(written: str, why: str) -> None:
    """S-08: landlines, service and premium numbers, short codes, two numbers in a cell, and no number at all."""
    with pytest.raises(AddressError, match=why):
        canonical_number(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("aino@mail.example", "aino@mail.example"),
        ("AINO@MAIL.EXAMPLE", "aino@mail.example"),
        ("Aino.Virtanen@Mail.Example", "aino.virtanen@mail.example"),
        ("  aino@mail.example\r\n", "aino@mail.example"),
        ("aino+tarjous@mail.example", "aino+tarjous@mail.example"),
        ("o'hara@mail.example", "o'hara@mail.example"),
        ("aino@hämeenlinna.example", "aino@xn--hmeenlinna-q5a.example"),
        ("aino@HÄMEENLINNA.example", "aino@xn--hmeenlinna-q5a.example"),
        ("aino@ha\N{COMBINING DIAERESIS}meenlinna.example", "aino@xn--hmeenlinna-q5a.example"),
        ("aino@XN--HMEENLINNA-Q5A.example", "aino@xn--hmeenlinna-q5a.example"),
        (f"{'x' * 64}@mail.example", f"{'x' * 64}@mail.example"),
    ],
)
def test_every_way_to_write_an_email_address_is_one_address(written: str, expected: str) -> None:
    """E-28: case and blanks make no second client, and a Finnish domain goes by its A-label."""
    assert expected == canonical_email(written)
    assert expected == canonical(Channel.EMAIL, written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "aino",
        "@mail.example",
        "aino@",
        "aino@mail",
        "aino@localhost",
        "aino@127.0.0.1",
        "aino@[127.0.0.1]",
        "aino@@mail.example",
        "a b@mail.example",
        ".aino@mail.example",
        "aino..v@mail.example",
        "aino@-mail.example",
        "aino@mail.example.",
        "aino@mail.example;",
        "aino@mail.example, bo@mail.example",
        "Aino <aino@mail.example>",
        '"a b"@mail.example',
        "mailto:aino@mail.example",
        "päivi@mail.example",
        "aino\N{ZERO WIDTH SPACE}@mail.example",
        "aino@mail\N{ZERO WIDTH SPACE}.example",
        "aino@mail.example\r\nBcc: bo@mail.example",
        "aino@mail.example\x00",
        f"{'x' * 65}@mail.example",
        f"aino@{'x' * 64}.example",
        f"aino@{'x.' * 130}example",
    ],
)
def test_what_is_no_single_address_is_refused(written: str) -> None:
    """E-25, E-28: names, lists, two lines, quoted and non-ASCII local parts are refused, never mended."""
    with pytest.raises(AddressError) as caught:
        canonical_email(written)
    assert str(caught.value)


_cells = st.text(max_size=60) | st.emails() | st.text(alphabet="0123456789+ ()-./\n", max_size=20)


@given(_cells)
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """A cell of a register can hold anything: it is one canonical address or an AddressError, and never a third."""
    for channel, form in ((Channel.EMAIL, r"[!-?A-~]+@[a-z0-9.-]+"), (Channel.SMS, r"\+[1-9][0-9]{6,14}")):
        try:
            found = canonical(channel, text)
        except AddressError:
            continue
        assert re.fullmatch(form, found)


_locals = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9+_-]{0,20}", fullmatch=True)
_labels = st.text(alphabet="abcxyzäöåéšđ0189ABÄÖ", min_size=1, max_size=12)


@given(_locals, _labels, st.sampled_from(["example", "EXAMPLE", "fi"]))
def test_a_canonical_email_address_is_its_own_canonical_form(local: str, label: str, ending: str) -> None:
    """What is stored and what is read from the next export meet, whatever case and alphabet they were typed in."""
    try:
        once = canonical_email(f"{local}@{label}.{ending}")
    except AddressError:
        assume(condition=False)
    assert once == canonical_email(once)
    assert once == canonical_email(f" {local.swapcase()}@{label.upper()}.{ending.swapcase()}")
    assert once == once.lower()
    assert once.isascii()


@given(st.integers(0, 9_999_999), st.sampled_from(["40", "41", "44", "45", "46", "50"]))
def test_a_canonical_number_is_its_own_canonical_form(number: int, prefix: str) -> None:
    """A number read again, in any region, is the same number."""
    try:
        once = canonical_number(f"0{prefix} {number:07}")
    except AddressError:
        assume(condition=False)
    assert f"+358{prefix}{number:07}" == once
    assert {once} == {canonical_number(once, region) for region in ("FI", "SE", "US")}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("maija@example.example", "m***@e***.example"),
        ("maija@mail.hotelli.fi", "m***@m***.fi"),
        ("m@e.fi", "m***@e***.fi"),
        ("aino@xn--hmeenlinna-q5a.fi", "a***@x***.fi"),
        ("aino@posti.xn--vermgensberater-ctb", "a***@p***.xn--vermgensberater-ctb"),
        ("+358401234567", "+358*****67"),
        ("040 123 4567", "040 *****67"),
        ("040123456", "*****"),
        ("112", "*****"),
        ("", "*****"),
        ("@", "***@***.***"),
        ("aino@", "a***@***.***"),
        ("aino@virtanen", "a***@***.***"),
        ("aino.virtanen@rovaniemi", "a***@***.***"),
        ("aino@mail.example, bo@other.example", "a***@m***.example"),
        ("aino@mail.example / 040 123 4567", "a***@m***.***"),
        ("aino@mail.040 123 4567", "a***@m***.***"),
        ("aino@mail.example bo", "a***@m***.***"),
        ("Aino Virtanen", "*****"),
        ("040 123 4567 Aino", "*****"),
        ("raskaana, soita 040 123 4567", "*****"),
    ],
)
def test_only_the_edges_of_an_address_are_shown(address: str, shown: str) -> None:
    """L-46: one letter on either side of the at sign and the ending; four and two digits; of anything else nothing."""
    assert shown == masked(address)


@given(st.text(min_size=2, max_size=30), st.text(min_size=2, max_size=30), st.sampled_from(["fi", "example", "com"]))
def test_the_hidden_part_of_an_email_address_never_shows(local: str, label: str, ending: str) -> None:
    """L-46: whatever stands around the at sign, no more than its edges is there to be read."""
    assume("@" not in local + label)
    assert f"{local[0]}***@{label[0]}***.{ending}" == masked(f"{local}@{label}.{ending}")


@given(_cells)
def test_a_masked_text_is_short_and_never_the_text(text: str) -> None:
    """L-46: of whatever stands in a cell, at most six characters and an ending are shown."""
    shown = masked(text)
    assert shown != text
    if "@" in text:
        local, _, rest = shown.partition("@")
        name, _, ending = rest.rpartition(".")
        assert max(len(local), len(name)) <= 4
        assert ending == "***" or re.fullmatch(r"[A-Za-z]{2,24}|xn--[A-Za-z0-9-]+", ending)
    else:
        assert len(shown) <= 11
        assert not any(char.isalpha() for char in shown.lower().removeprefix("tel:"))
