"""What a name may hold, by whichever door it comes in."""

from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.names import BadNameError, HiddenCharacterError, checked_name, readable


@given(st.text())
def test_a_readable_text_is_all_printable_or_refused(text: str) -> None:
    """E-25: nothing hidden gets through and nothing is stripped but spaces; a readable text stays as it is."""
    hidden = [char for char in normalize("NFC", text) if not char.isprintable() and category(char) != "Zs"]
    if hidden:
        with pytest.raises(HiddenCharacterError) as refused:
            readable(text)
        assert f"U+{ord(hidden[0]):04X}" == refused.value.code
        return
    found = readable(text)
    assert found.isprintable()
    assert found == readable(found)
    assert " ".join(normalize("NFC", text).split()) == found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("A =?utf-8?q?Bcc?=", "encoded word"),
        ("=1", "formula"),
        ("＝1", "formula"),  # noqa: RUF001 - a look-alike is the point
        ("ｗｗｗ.x", "web address"),  # noqa: RUF001 - a look-alike is the point
        ("x" * 101, "longer than 100"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(name: str, says: str) -> None:
    """E-25, E-36: formulas, encoded words, web addresses and endless names."""
    with pytest.raises(BadNameError, match=says):
        checked_name(name)


@pytest.mark.parametrize("name", ["", "Ánte", "O'Brien", "Eeva-Maija", "x" * 100, "Ole = Olli"])
def test_a_name_stays_as_it_is(name: str) -> None:
    """Names are not corrected."""
    assert name == checked_name(name)
