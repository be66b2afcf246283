"""Quoted-printable made once: the words that are the same for all are encoded when a campaign is compiled (E-20, E-22).

Each hole stands on lines of its own between soft line breaks, so that what fills it changes no byte beside it.
"""

import binascii
import re
from dataclasses import dataclass

from dispatcher.rendering.gaps import Values
from dispatcher.rendering.skeleton import Skeleton, Written

_BREAK = b"=\r\n"
_LINE = 76
"""Octets of a line at most, its soft break included (RFC 2045, section 6.7)."""
_AS_IT_IS = re.compile(r"(?!From )[ !-<>-~]{0,75}")
"""What can stand between two soft breaks unencoded."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A text as quoted-printable bytes, with holes in it."""

    pieces: tuple[bytes | Written, ...]

    @classmethod
    def of(cls, skeleton: Skeleton) -> "Quoted":
        """Return a skeleton encoded: CRLF, 7-bit, no line over 76 octets, ending with a line end."""
        pieces = list(skeleton.pieces)
        if not pieces or not isinstance(pieces[-1], str):
            pieces.append("\n")
        elif not pieces[-1].endswith("\n"):
            pieces[-1] += "\n"
        found: list[bytes | Written] = []
        for index, piece in enumerate(pieces):
            if index and not (isinstance(piece, str) and isinstance(pieces[index - 1], str)):
                found.append(_BREAK)
            found.append(_broken_off(encoded(piece)) if isinstance(piece, str) else piece)
        return cls(_joined(found))

    def fill(self, values: Values) -> list[bytes]:
        """Return the bytes of one client, in pieces."""
        return [piece if isinstance(piece, bytes) else _filled(piece(values)) for piece in self.pieces]


def encoded(words: str) -> bytes:
    """Return words as quoted-printable, every line end CRLF and every line at most 76 octets."""
    lines = words.replace("\r\n", "\n").replace("\r", "\n")
    found = binascii.b2a_qp(lines.encode("utf-8"), istext=True).replace(b"\n", b"\r\n")
    # A mail store that puts ">" before such a line would break the signature (RFC 4155).
    return re.sub(rb"(?m)^From ", b"=46rom ", found)


def _filled(words: str) -> bytes:
    return words.encode("ascii") if _AS_IT_IS.fullmatch(words) else _broken_off(encoded(words))


def _broken_off(lines: bytes) -> bytes:
    """Leave room on the last line for the soft break that follows it."""
    begin = lines.rfind(b"\n") + 1
    if len(lines) - begin < _LINE:
        return lines
    at = begin + _LINE - 4
    escape = lines.find(b"=", at - 2, at)
    at = at if escape < 0 else escape
    return lines[:at] + _BREAK + lines[at:]


def _joined(pieces: list[bytes | Written]) -> tuple[bytes | Written, ...]:
    found: list[bytes | Written] = []
    for piece in pieces:
        if found and isinstance(piece, bytes) and isinstance(found[-1], bytes):
            found[-1] += piece
        else:
            found.append(piece)
    return tuple(found)
