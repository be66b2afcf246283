"""The one canonical form of an address: email-validator's normal form, E.164."""

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from dispatcher.rules.campaign import Channel

_NUMBER = re.compile(r"(?:tel:)?[\d\s()+./\u2010-\u2015-]+", re.IGNORECASE)
"""How numbers are written. The library would read letters as keys of a telephone, and drop a name or an extension."""
_ENDING = re.compile(r"[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{1,59}")
_MOBILE = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}


class AddressError(ValueError):
    """The text is not an address of this channel; the message says why in one sentence."""


def canonical(channel: Channel, text: str, region: str = "FI") -> str:
    """Return the canonical form of an address of this channel.

    Raises AddressError. Emails get a lower-case local part as well, since no mailbox provider in use tells them apart
    and one client must not count as two; domains become A-labels (E-28). Numbers are read with `region` as default
    (S-08).
    """
    return canonical_email(text) if channel is Channel.EMAIL else canonical_number(text, region)


def read_address(text: str, region: str = "FI") -> tuple[Channel, str]:
    """Return the channel and the canonical form of an address of either channel: only an email address has an @.

    Raises AddressError.
    """
    channel = Channel.EMAIL if "@" in text else Channel.SMS
    return channel, canonical(channel, text, region)


def canonical_email(text: str) -> str:
    """Return the canonical form of an email address, or raise AddressError."""
    cleaned = unicodedata.normalize("NFC", text.strip())
    try:
        found = validate_email(cleaned, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise AddressError(str(error)) from None
    return found.ascii_email.lower() if found.ascii_email else found.normalized.lower()


def canonical_number(text: str, region: str = "FI") -> str:
    """Return a mobile number in E.164, or raise AddressError for anything a text message cannot reach (S-08)."""
    written = text.strip()
    if not _NUMBER.fullmatch(written):
        raise AddressError("this is not a phone number")
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        raise AddressError("this is not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise AddressError("no such phone number exists in the numbering plan")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise AddressError("this is not a mobile number, so it cannot take text messages")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked(address: str) -> str:
    """Return the address with all but its edges hidden (L-46): `m***@e***.example`, `+358*****67`.

    What is not an address may be masked too, as a cell that holds two, or a name: no more of it is shown.
    """
    if "@" not in address:
        return f"{address[:4]}*****{address[-2:]}" if len(address) > 9 and _NUMBER.fullmatch(address) else "*****"
    local, _, domain = address.partition("@")
    name, _, ending = domain.rpartition(".")
    return f"{local[:1]}***@{name[:1]}***.{ending if name and _ENDING.fullmatch(ending) else '***'}"
