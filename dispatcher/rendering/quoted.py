"""Quoted-printable made once: the words that are the same for all are encoded when a campaign is compiled (E-20, E-22).

Each hole stands on lines of its own between soft line breaks, so that what fills it changes no byte beside it.
"""

import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from dispatcher.rendering.gaps import Values
from dispatcher.rendering.remembered import Written
from dispatcher.rendering.skeleton import Skeleton

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
        pieces: list[str | Written] = []
        for piece in (*skeleton.pieces, ""):
            before = pieces[-1] if pieces else None
            if isinstance(piece, str) and isinstance(before, str):
                pieces[-1] = before + piece
            else:
                pieces.append(piece)
        last = len(pieces) - 1
        found: list[bytes | Written] = []
        for index, piece in enumerate(pieces):
            if isinstance(piece, str):
                ended = piece if index < last or piece.endswith("\n") else f"{piece}\n"
                begin, end = _BREAK if index else b"", _BREAK if index < last else b""
                found.append(begin + _broken_off(encoded(ended)) + end)
            else:
                found += [_BREAK, piece] if index and not isinstance(pieces[index - 1], str) else [piece]
        return cls(tuple(found))

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
    return words.encode("ascii") if _AS_IT_IS.fullmatch(words) else _encoded_alone(words)


@lru_cache(maxsize=4096)  # many clients share a name, a day, a sentence; what differs for each, a link, is plain
def _encoded_alone(words: str) -> bytes:
    return _broken_off(encoded(words))


def _broken_off(lines: bytes) -> bytes:
    """Leave room on the last line for the soft break that follows it."""
    begin = lines.rfind(b"\n") + 1
    if len(lines) - begin < _LINE:
        return lines
    at = begin + _LINE - 4
    escape = lines.find(b"=", at - 2, at)
    at = at if escape < 0 else escape
    return lines[:at] + _BREAK + lines[at:]
