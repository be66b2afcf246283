"""Header lines as they stand on the wire.

The library's own policies fold long links into encoded words, lose spaces between Finnish words, and let an encoded
line end in a name become a header of its own (rules.md, section 0, items 1, 2 and 4). So each line is written here:
7-bit, CRLF, folded only between encoded words.
"""

import re
from email.header import Header
from functools import lru_cache

from dispatcher.errors import RenderingError
from dispatcher.rules.address import masked

_LINE = 76
"""The longest line that may hold an encoded word (RFC 2047, section 2)."""
_NEVER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
"""Controls of either set, lone surrogates, and the separators of lines and paragraphs (E-25)."""
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_LINK = re.compile(r"https?://[!#-;=?-~]+")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9._-]+")
_ASCII = re.compile(r"[ -~]+")


def unstructured(name: str, value: str) -> bytes:
    """Return a header of free text; what is not plain ASCII, or only looks encoded, becomes encoded words (E-26).

    Raises RenderingError for a control character, which is never dropped in silence (E-25).
    """
    return _line(name, _written(name, _clean(name, value), quoted=False))


def mailbox(name: str, phrase: str, address: str) -> bytes:
    """Return a header of a display name and an address in angle brackets."""
    words = _written(name, _clean(name, phrase), quoted=True)
    last = words.rpartition("\r\n")[2] if "\r\n" in words else f"{name}: {words}"
    gap = " " if len(last) + len(address) + 3 <= _LINE else "\r\n "
    return _line(name, f"{words}{gap}<{address}>")


def token(name: str, value: str) -> bytes:
    """Return a header of plain ASCII on one line, never folded and never encoded (E-03)."""
    if not _ASCII.fullmatch(value) or "=?" in value or len(name) + 2 + len(value) > 998:
        raise RenderingError(f"The header {name} cannot be written on one line of plain letters.")
    return _line(name, value)


def checked_address(address: str, home: str = "the register") -> str:
    """Return an address that can stand in a header and an envelope as it is; `home` is where it can be corrected.

    Raises RenderingError for anything else: a non-ASCII local part needs SMTPUTF8 (E-28), and blanks, brackets or
    line ends would begin something new.
    """
    if not _ADDRESS.fullmatch(address) or "=?" in address:
        raise RenderingError(f"The address {masked(address)!a} cannot be written to: correct it in {home}.")
    return address


def checked_link(link: str) -> str:
    """Return a web address that can stand in a header, a text and an attribute as it is (E-01)."""
    if not _LINK.fullmatch(link) or len(link) > 900:
        raise RenderingError("A link of ours holds a character that no link holds: check public_url in the settings.")
    return link


def checked_message_id(message_id: str) -> str:
    """Return a message id that can stand in a Message-ID."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise RenderingError(f"The message id {message_id!a} holds a character that no message id holds.")
    return message_id


def has_controls(value: str) -> bool:
    """Say whether a text holds anything that no single line may hold (E-25)."""
    return _NEVER.search(value) is not None


def _clean(name: str, value: str) -> str:
    if not value.strip():
        raise RenderingError(f"The header {name} would be empty: write something there.")
    if has_controls(value):
        raise RenderingError(f"The header {name} holds a line end or another control character: write it as one line.")
    return value


@lru_cache(maxsize=256)  # subjects and names of the studio are the same for all, or for many
def _written(name: str, value: str, *, quoted: bool) -> str:
    plain = '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"')) if quoted else value
    fits = len(name) + 2 + len(plain) <= _LINE
    if value.isascii() and "=?" not in value and value == value.strip() and fits:
        return plain
    return Header(value, "utf-8", maxlinelen=_LINE, header_name=name).encode(linesep="\r\n")


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode("ascii")
