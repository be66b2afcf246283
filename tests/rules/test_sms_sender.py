"""Whom a text message may come from."""

import pytest

from dispatcher.rules.address import AddressError
from dispatcher.rules.sms_sender import checked_sender, is_number


@pytest.mark.parametrize(
    "sender", ["Tunturi", "Spa 3", "Revontuli 2", "abc", "12345678a", "+358401234567", "+4670123456"]
)
def test_a_sender_that_the_networks_take(sender: str) -> None:
    """S-12: 3 to 11 letters, digits and single spaces with a letter among them, or a number in E.164."""
    assert sender == checked_sender(sender)


@pytest.mark.parametrize(
    ("sender", "told"),
    [
        ("Tu", "3 to 11 letters"),
        ("Tunturituuli", "3 to 11 letters"),
        ("12345", "a letter among them"),
        ("Tun  turi", "single spaces"),
        (" Tunturi", "single spaces"),
        ("Tunturi ", "single spaces"),
        ("Tun-turi", "3 to 11 letters"),
        ("Tun’turi", "3 to 11 letters"),  # noqa: RUF001 - the sign meant
        ("0401234567", "as \\+358"),
        ("+0401234567", "as \\+358"),
        ("Hämy", "have 'Hamy' authorised"),
        ("Åsas Spa", "have 'Asas Spa' authorised"),
        ("Info", "says nothing of who sends"),
        ("TARJOUS", "says nothing of who sends"),
        ("sms", "says nothing of who sends"),
    ],
)
def test_a_sender_that_no_network_takes(sender: str, told: str) -> None:
    """S-12: too short or long, without a letter, spaced, with other signs, with å, ä, ö, or anybody's name."""
    with pytest.raises(AddressError, match=told):
        checked_sender(sender)


def test_only_a_number_can_be_answered() -> None:
    """S-10: nobody can answer a name, and nobody a sender that is not chosen yet."""
    assert [True, False, False] == [is_number(each) for each in ("+358401234567", "Tunturi", "")]
