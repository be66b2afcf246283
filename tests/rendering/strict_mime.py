"""A parser of mails that forgives nothing: what it takes, every relay and every mail program takes.

Written from RFC 5322, 2045 and 2046 alone, so that what our writer believes is not what checks it.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.rendering.rfc2047 import decoded, words_of

LONGEST_LINE, USUAL_LINE, LINE_WITH_WORD, BODY_LINE, WORD = 998, 78, 76, 76, 75
_HEADER = re.compile(rb"([!-9;-~]+): ([!-~](?:[ -~]*[!-~])?)")
_FOLDED = re.compile(rb"[ \t]([!-~](?:[ -~]*[!-~])?)")
_NEVER_FOLDED = frozenset({"list-unsubscribe", "list-unsubscribe-post", "message-id", "feedback-id"})
_REPEATED = frozenset({"dkim-signature", "received"})
_CONTENT_TYPE = re.compile(
    r"([a-z]+/[a-z0-9.+-]+)((?:; ?[a-z-]+=(?:\"[^\"\\]*\"|[!#-'*-.0-9A-Z^-~]+))*)", re.IGNORECASE
)
_PARAMETER = re.compile(r"; ?([a-z-]+)=(?:\"([^\"\\]*)\"|([^;\s]+))", re.IGNORECASE)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_QUOTED = re.compile(rb"(?:[!-<>-~ \t]|=[0-9A-F]{2})*=?")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


class NotStrictError(AssertionError):
    """The bytes break a rule; the message says which."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A mail or a part of one: its headers by lower-case name, unfolded, and its content or its parts."""

    headers: dict[str, str]
    kind: str
    content: bytes
    parts: tuple["Entity", ...]

    def text(self) -> str:
        """Return the content as text."""
        return self.content.decode("utf-8")

    def header(self, name: str) -> str:
        """Return a header as a reader sees it."""
        return decoded(self.headers[name.lower()])

    def leaves(self) -> Iterator["Entity"]:
        """Yield every part that has content, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


def read(raw: bytes) -> Entity:
    """Return the mail that these bytes are. Raises NotStrictError, or NotLegalError of an encoded word."""
    _refuse(not raw.isascii(), "a byte has eight bits")
    _refuse(b"\0" in raw, "there is a NUL")
    _refuse(re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is not None, "a line does not end in CRLF")
    _refuse(not raw.endswith(b"\r\n"), "the last line has no end")
    _refuse(max(map(len, raw.split(b"\r\n"))) > LONGEST_LINE, "a line has more than 998 octets")
    return _entity(raw, is_mail=True)


def _entity(raw: bytes, *, is_mail: bool) -> Entity:
    head, gap, body = raw.partition(b"\r\n\r\n")
    _refuse(not gap, "no empty line ends the headers")
    headers = _headers(head, is_mail=is_mail)
    kind, parameters = _content_type(headers.get("content-type", ""))
    if kind.startswith("multipart/"):
        _refuse(headers.get("content-transfer-encoding", "7bit").lower() != "7bit", "a multipart has an encoding")
        return Entity(headers, kind, b"", _parts(parameters["boundary"], body))
    _refuse(kind.startswith("text/") and parameters.get("charset", "").lower() != "utf-8", "a text is not UTF-8")
    content = _decoded_body(headers.get("content-transfer-encoding", ""), body)
    _refuse(kind.startswith("text/") and not _is_utf8(content), "a text is called UTF-8 and is not")
    return Entity(headers, kind, content, ())


def _headers(head: bytes, *, is_mail: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in head.split(b"\r\n"):
        first, more = _HEADER.fullmatch(line), _FOLDED.fullmatch(line)
        _refuse(first is None and more is None, f"this is no line of a header: {line!r}")
        if first is not None:
            name = first[1].decode("ascii").lower()
            _refuse(name in found and name not in _REPEATED, f"{name} is there twice")
            found[name] = first[2].decode("ascii")
        elif more is not None:
            _refuse(not name or name in _NEVER_FOLDED, f"{name} is folded")
            found[name] += line.decode("ascii")
        _check_length(name, line.decode("ascii"))
    if is_mail:
        for wanted in ("from", "to", "date", "message-id", "subject", "mime-version", "content-type"):
            _refuse(wanted not in found, f"{wanted} is missing")
    return found


def _check_length(name: str, line: str) -> None:
    words = words_of(line)
    _refuse(bool(words) and len(line) > LINE_WITH_WORD, f"a line with an encoded word is longer than 76: {line}")
    _refuse(any(len(word) > WORD for word in words), f"an encoded word is longer than 75: {line}")
    _refuse(name in _NEVER_FOLDED and "=?" in line, f"{name} is encoded")
    _refuse(len(line) > USUAL_LINE and name not in _NEVER_FOLDED, f"a line is longer than 78: {line}")


def _content_type(value: str) -> tuple[str, dict[str, str]]:
    found = _CONTENT_TYPE.fullmatch(value)
    if found is None:
        raise NotStrictError(f"this is no Content-Type: {value!r}")
    return found[1].lower(), {each[1].lower(): each[2] or each[3] for each in _PARAMETER.finditer(found[2])}


def _parts(boundary: str, body: bytes) -> tuple[Entity, ...]:
    _refuse(not _BOUNDARY.fullmatch(boundary), f"this is no boundary: {boundary!r}")
    delimiter = b"--" + boundary.encode("ascii")
    whole = b"\r\n" + body
    pieces = whole.split(b"\r\n" + delimiter)
    _refuse(bool(pieces[0].strip()), "there is something before the first boundary")
    _refuse(pieces[-1] not in {b"--\r\n", b"--"}, f"the closing boundary is missing, or more follows: {pieces[-1]!r}")
    _refuse(len(pieces) < 3, "a multipart has no part")
    _refuse(any(not piece.startswith(b"\r\n") for piece in pieces[1:-1]), "a boundary stands in a line")
    return tuple(_entity(piece.removeprefix(b"\r\n"), is_mail=False) for piece in pieces[1:-1])


def _decoded_body(encoding: str, body: bytes) -> bytes:
    lines = body.split(b"\r\n")
    _refuse(max(map(len, lines)) > BODY_LINE, "an encoded line is longer than 76")
    if encoding == "quoted-printable":
        for line in lines:
            _refuse(not _QUOTED.fullmatch(line), f"this is not quoted-printable: {line!r}")
            _refuse(line.endswith((b" ", b"\t")), f"a line ends in a blank: {line!r}")
        _refuse(lines[-1].endswith(b"="), "the last line is not ended")
        joined = b"\r\n".join(lines).replace(b"=\r\n", b"")
        return re.sub(rb"=([0-9A-F]{2})", lambda code: bytes.fromhex(code[1].decode("ascii")), joined)
    if encoding == "base64":
        filled = [line for line in lines if line]
        _refuse(not all(_BASE64.fullmatch(line) for line in filled), "this is not base64")
        return base64.b64decode(b"".join(filled), validate=True)
    raise NotStrictError(f"{encoding!r} may be changed on the way")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse(is_wrong: bool, why: str) -> None:  # noqa: FBT001 - reads as an assertion
    if is_wrong:
        raise NotStrictError(why)
