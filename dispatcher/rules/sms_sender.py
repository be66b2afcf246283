"""Whom a text message comes from, as the networks take it, and whether that can be answered (S-10, S-12)."""

import re

from dispatcher.rules.address import AddressError

_NAME = re.compile(r"[0-9A-Za-z]+( [0-9A-Za-z]+)*")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_LENGTHS = range(3, 12)
_PLAIN = str.maketrans("åäöÅÄÖ", "aaoAAO")
_GENERIC = frozenset(
    """
    ad ads alert auth bank code erbjudande hieronta hoitola ilmoitus info kampanj kampanja mainos massage
    message notice offer offers otp pankki promo reklam salon service sms spa stop studio tarjous test testi
    text tieto varaus verify viesti
    """.split()  # noqa: SIM905 - read as words
)
"""Names that say nothing of who sends: the networks refuse them."""


def is_number(sender: str) -> bool:
    """Say whether a sender is a number, which a client can answer; a name can be answered by nobody (S-10)."""
    return _NUMBER.fullmatch(sender) is not None


def checked_sender(sender: str) -> str:
    """Return a sender that the networks take: a number in E.164, or a name of the studio's own (S-12).

    Raises AddressError that says what to write.
    """
    if is_number(sender):
        return sender
    plain = sender.translate(_PLAIN)
    if plain != sender:
        raise AddressError(f"a sender has no å, ä or ö: have {plain!r} authorised and write that")
    if not _NAME.fullmatch(sender) or len(sender) not in _LENGTHS or not re.search("[A-Za-z]", sender):
        raise AddressError(
            "write a name of 3 to 11 letters a-z, digits and single spaces, a letter among them, or a number as +358…"
        )
    if sender.casefold() in _GENERIC:
        raise AddressError(f"{sender!r} says nothing of who sends, and the networks refuse it: write the studio's name")
    return sender
