"""A decoder of encoded words written from RFC 2047 alone; the library's own has errors of its own."""

import base64
import re

_WORD = re.compile(r"=\?([!-<>-~]+?)\?([bBqQ])\?([!->@-~]+)\?=")
_Q_BYTE = re.compile(r"=([0-9A-F]{2})|_|([!-<>@-^`-~])")


class NotLegalError(AssertionError):
    """The text breaks a rule of RFC 2047; the message says which."""


def decoded(value: str) -> str:
    """Return what a reader makes of an unfolded header value: every encoded word decoded, blanks between two gone.

    A decoder must take each word alone, so each has to be whole UTF-8 (section 5). Raises NotLegalError.
    """
    pieces: list[str] = []
    was_word = False
    for token in re.split(r"([ \t]+)", value):
        word = _WORD.fullmatch(token)
        if word:
            if was_word and pieces and not pieces[-1].strip(" \t"):
                pieces.pop()
            pieces.append(_decoded_word(*word.groups()))
        elif "=?" in token:
            raise NotLegalError(f"this is neither an encoded word nor plain: {token!r}")
        else:
            pieces.append(token)
        was_word = bool(word) or (was_word and not token.strip(" \t"))
    return "".join(pieces)


def words_of(line: str) -> list[str]:
    """Return the encoded words of a line."""
    return [found[0] for found in _WORD.finditer(line)]


def _decoded_word(charset: str, encoding: str, payload: str) -> str:
    if charset.lower() != "utf-8":
        raise NotLegalError(f"{charset} is not what we write")
    try:
        return _bytes(encoding.lower(), payload).decode("utf-8")
    except ValueError as error:
        raise NotLegalError(f"a word does not stand alone: {error}") from None


def _bytes(encoding: str, payload: str) -> bytes:
    if encoding == "b":
        return base64.b64decode(payload, validate=True)
    found, at = bytearray(), 0
    while at < len(payload):
        sign = _Q_BYTE.match(payload, at)
        if sign is None:
            raise NotLegalError(f"{payload[at]!r} has no place in an encoded word")
        found += bytes.fromhex(sign[1]) if sign[1] else b" " if sign[0] == "_" else sign[0].encode("ascii")
        at = sign.end()
    return bytes(found)
