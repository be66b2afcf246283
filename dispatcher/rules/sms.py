"""How many parts a text message takes (3GPP TS 23.038 and 23.040)."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_BASE = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
SIGNS = {
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{SINGLE LOW-9 QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{DOUBLE LOW-9 QUOTATION MARK}": '"',
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
    "\N{HYPHEN}": "-",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
    "\N{THIN SPACE}": " ",
    "\t": " ",
    "\N{SOFT HYPHEN}": "",
    "\N{ZERO WIDTH SPACE}": "",
    "\N{ZERO WIDTH NO-BREAK SPACE}": "",
}
"""Typographic signs that would halve the room of a part, and the plain ones that say the same (S-06)."""
_PLAIN = str.maketrans(SIGNS)
_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_PART = {"GSM-7": 153, "UCS-2": 67}


class Encoding(StrEnum):
    """The alphabet a text message is sent in."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Parts:
    """A text as it will be sent: its NFC form, alphabet, length in units of that alphabet, and number of parts.

    `forcing` are the characters that force UCS-2, in order of appearance.
    """

    text: str
    encoding: Encoding
    units: int
    segments: int
    forcing: str = ""


def measure(text: str) -> Parts:
    """Return how a text is sent (S-01 to S-04): NFC first, line ends as LF, a character never straddling two parts."""
    normal = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    forcing = "".join(dict.fromkeys(char for char in normal if char not in _BASE and char not in _EXTENSION))
    encoding = Encoding.UCS2 if forcing else Encoding.GSM7
    widths = [_width(char, encoding) for char in normal]
    units = sum(widths)
    segments = 1 if units <= _SINGLE[encoding] else _filled(widths, _PART[encoding])
    return Parts(normal, encoding, units, segments, forcing)


def plain(words: str) -> str:
    """Return words with plain signs for the typographic ones (S-06); no letter of anybody's name is one of them."""
    return words.translate(_PLAIN)


def _width(char: str, encoding: Encoding) -> int:
    if encoding is Encoding.UCS2:
        return 2 if ord(char) > 0xFFFF else 1
    return 2 if char in _EXTENSION else 1


def _filled(widths: list[int], room: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
