"""Looks for what somebody was called in every byte of every file, in whatever spelling a program may have left it."""

import base64
import binascii
import quopri
from collections.abc import Iterable, Iterator
from pathlib import Path


def spellings(text: str) -> set[bytes]:
    """Return a text in UTF-8 and UTF-16, in hexadecimal, quoted-printable, and Base64 wherever it may begin."""
    plain = text.encode()
    found = {plain, text.encode("utf-16-le"), text.encode("utf-16-be"), quopri.encodestring(plain, header=False)}
    found |= {quopri.encodestring(plain, header=True), binascii.hexlify(plain), binascii.hexlify(plain).upper()}
    for shift in range(3):
        # The first and last characters of a shifted text depend on its neighbours: what lies between them does not.
        whole = base64.b64encode(b"\0" * shift + plain)
        found.add(whole[4 if shift else 0 : len(whole) - 4])
    return {each for each in found if len(each) > 4}


def files_of(*places: Path) -> Iterator[Path]:
    """Yield every file below these places."""
    for place in places:
        yield from (path for path in sorted(place.rglob("*")) if path.is_file())


def found_in(places: Iterable[Path], texts: Iterable[str]) -> set[str]:
    """Return which of these texts, in any spelling, stand in a file below these places."""
    wanted = {text: spellings(text) for text in texts}
    found: set[str] = set()
    for path in files_of(*places):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a server removes files as it goes
            continue
        found |= {text for text, spelt in wanted.items() if any(each in content for each in spelt)}
    return found
