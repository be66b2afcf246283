"""Looks for what somebody was called in every byte of every file, in whatever spelling a program may have left it."""

import base64
import binascii
import hashlib
import os
import quopri
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_seen: dict[bytes, dict[str, bool]] = {}
"""By the digest of what a file held: which texts have been looked for in it, and whether they stood there.

A server's databases are three hundred files of which a test changes a dozen.
"""


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


def contents_of(*places: Path) -> Iterator[bytes]:
    """Yield what every file below these places holds; what a server removes meanwhile holds nothing."""
    for place in places:
        for folder, _, names in os.walk(place):
            for path in (Path(folder, name) for name in sorted(names)):
                if path.is_file():
                    with suppress(FileNotFoundError):
                        yield path.read_bytes()


def found_in(places: Iterable[Path], texts: Iterable[str]) -> set[str]:
    """Return which of these texts, in any spelling, stand in a file below these places."""
    wanted = {text: spellings(text) for text in texts}
    found: set[str] = set()
    for content in contents_of(*places):
        seen = _seen.setdefault(hashlib.blake2b(content).digest(), {})
        for text in wanted.keys() - seen.keys():
            seen[text] = any(each in content for each in wanted[text])
        found |= {text for text in wanted if seen[text]}
    return found
