"""A mail server's log -> what became of the mails whose Message-ID stands in it: Postfix, Exim, or any other.

Lines are read one after another and forgotten, so that a log of any size can be read; of a line only what is asked for
is looked at, since the rest of it is about other people's mail.
"""

import gzip
import re
import sys
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from dispatcher.errors import RefusedError

STANDARD_INPUT = Path("-")
"""The name by which a log is read from standard input, as from `journalctl -u postfix@-`."""
_LONGEST_LINE = 64 * 1024
_TELL_EVERY = 20_000
"""Lines between two reports of how far it has come."""
_GZIP = b"\x1f\x8b"
_MESSAGE_ID = re.compile(rb"(?<![0-9A-Za-z])([0-9a-f]{32})@")
_NO_LOG_LINE = re.compile(rb"\s|I |Message-ID:", re.IGNORECASE)
"""How the header of a stored mail begins, our own preview or the log of refused mails: nobody took it by that."""
_REFUSING = re.compile(rb"reject|refus|denied|discard|blocked", re.IGNORECASE)
_QUEUED_AS = re.compile(
    rb"\]: ([0-9A-Za-z]{5,20}): (?:resent-)?message-id=<"
    rb"|(?:^| )([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}) <= "
)
_OF_QUEUE = re.compile(
    rb"\]: (?P<postfix>[0-9A-Za-z]{5,20}): "
    rb"(?:(?P<gone>removed)|(?P<taken>from=<.*\(queue active\))"
    rb"|(?P<reject>milter-reject: END-OF-MESSAGE|reject: (?:header|body) )|.*\bstatus=(?P<status>\w+))"
    rb"|(?:^| )(?P<exim>[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}) (?P<sign>=>|->|==|\*\*|Completed)"
)
_CODE = re.compile(rb"(?:\bdsn=|(?<![\d.\[]))([245]\.\d{1,3}\.\d{1,3})(?![\d.])")


class Fortune(IntEnum):
    """What a log tells of a mail; where it tells several things, the last of these holds."""

    SEEN = 1
    """Its Message-ID stands there, and of Postfix that it was queued: the server took it."""
    REFUSED = 2
    """The server looked at the whole of it and did not take it."""
    QUEUED = 3
    """It was in the server's queue: handed on, or still to be."""
    BOUNCED = 4
    """The server took it and gave it up."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What logs tell of one mail; `code` is the enhanced status of a bounce or refusal, "" where there is none."""

    fortune: Fortune
    code: str = ""


class MailLogs:
    """Looks in one log after another for some Message-IDs: our own part of them, 32 hexadecimal digits.

    Logs that follow each other are read in order: a queue goes on in the next of them.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = {each.encode() for each in wanted}
        self._queues: dict[bytes, bytes] = {}
        self._found: dict[bytes, Traced] = {}

    @property
    def found(self) -> Mapping[str, Traced]:
        """What has been found so far, by Message-ID."""
        return {name.decode(): traced for name, traced in self._found.items()}

    @staticmethod
    def require(path: Path) -> None:
        """Raise RefusedError unless a log can be opened, though nothing is looked for in it."""
        try:
            with _opened(path):
                pass
        except OSError as error:
            raise _unreadable(path, error) from None

    def read(self, path: Path, tell: Callable[[int, int], None] = lambda _done, _all: None) -> None:
        """Read a log, packed by gzip or not; `tell` is given the bytes read and the bytes there are, where
        that is known.

        Raises RefusedError naming a file that cannot be read to its end.
        """
        try:
            with _opened(path) as (lines, position, size):
                for count, line in enumerate(iter(lambda: lines.readline(_LONGEST_LINE), b""), 1):
                    self._take(line)
                    if size and count % _TELL_EVERY == 0:
                        tell(position(), size)
                if size:
                    tell(size, size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise RefusedError(f"{path} is packed and damaged, or not whole: nothing was recorded.") from None
        except OSError as error:
            raise _unreadable(path, error) from None

    def _take(self, line: bytes) -> None:
        named = _MESSAGE_ID.search(line)
        while named is not None and named[1] not in self._wanted:
            named = _MESSAGE_ID.search(line, named.end())
        if named is not None:
            self._name(named[1], line)
        elif self._queues:
            self._follow(line)

    def _name(self, message: bytes, line: bytes) -> None:
        """Take a line that names one of ours: a server took it, unless the line says another thing."""
        queued = _QUEUED_AS.search(line)
        if queued is not None:
            self._queues[queued[1] or queued[2]] = message
            if queued[1]:
                return  # Postfix writes this as soon as it has read the header: the rest may never have come
        if queued is None and (_NO_LOG_LINE.match(line) or _REFUSING.search(line)):
            return
        self._tell(message, Traced(Fortune.SEEN))

    def _follow(self, line: bytes) -> None:
        """Take a line about one of the queues that ours are in."""
        about = _OF_QUEUE.search(line)
        if about is None:
            # A server gives the name of a queue again: what is taken up under it now is another's.
            taken_up = _QUEUED_AS.search(line)
            if taken_up is not None:
                self._queues.pop(taken_up[1] or taken_up[2], None)
            return
        queue = about["postfix"] or about["exim"]
        message = self._queues.get(queue)
        if message is None:
            return
        if about["gone"] or about["sign"] == b"Completed":
            del self._queues[queue]
            return
        is_given_up = about["sign"] == b"**" or about["status"] in {b"bounced", b"expired"}
        if about["taken"]:
            self._tell(message, Traced(Fortune.SEEN))
            return
        fortune = Fortune.BOUNCED if is_given_up else Fortune.REFUSED if about["reject"] else Fortune.QUEUED
        code = _CODE.search(line, about.end("postfix") if about["postfix"] else about.end("exim"))
        told = code[1].decode() if code and fortune is not Fortune.QUEUED else ""
        self._tell(message, Traced(fortune, told))

    def _tell(self, message: bytes, traced: Traced) -> None:
        known = self._found.get(message)
        if known is None or traced.fortune > known.fortune:
            self._found[message] = traced
        elif traced.fortune is known.fortune and not known.code:
            self._found[message] = replace(known, code=traced.code)


def _unreadable(path: Path, error: OSError) -> RefusedError:
    return RefusedError(f"{path} cannot be read ({error.strerror}): nothing was recorded.")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, Callable[[], int], int]]:
    """Give the lines of a log, how many bytes of it have been read, and how many there are (0 where nobody knows)."""
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer, lambda: 0, 0
        return
    with path.open("rb") as raw:
        is_packed = raw.read(2) == _GZIP
        raw.seek(0)
        size = path.stat().st_size
        if not is_packed:
            yield raw, raw.tell, size
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            yield unpacked, raw.tell, size  # type: ignore[misc] # it reads as any binary file
