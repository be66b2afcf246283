"""An inbox read from a Maildir on this machine: nothing is moved from new to cur, and nothing is renamed.

A letter is new by the time in its name, which its mail server gave it. One that was long on its way into the folder is
not missed for that: what is a little older than the mark is looked at once more.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispatcher.errors import MailboxError
from dispatcher.links import MailAddresses
from dispatcher.mailbox import AT_ONCE, Seen
from dispatcher.mailbox.letters import MOST_BYTES, MOST_OF_HEAD, Reader, shown
from dispatcher.mailbox.places import place_id
from dispatcher.rules.letter import Letter

_FOLDERS = ("new", "cur")
_ON_THE_WAY = int(timedelta(minutes=15).total_seconds())
"""Seconds that a letter may take from the time in its name until it can be seen."""
_LONGEST_KEY = 200
"""Characters of a letter's name that are kept as they are."""
_TIME = re.compile(r"(\d{9,11})\.")


@dataclass(frozen=True, slots=True, order=True)
class _File:
    """One letter in the folder: the second in its name, its name without flags, and where it lies."""

    second: int
    key: str
    path: Path

    @property
    def short(self) -> str:
        """Return a short name by which the mark remembers it."""
        return hashlib.sha256(self.key.encode("utf-8", "surrogateescape")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Mark:
    """Until when a folder has been read, and which letters of the last minutes before that were handed over."""

    second: int = 0
    known: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Reached:
    """How far a look has come: the newest second, and by their short names the seconds of what was handed over."""

    second: int
    handed: dict[str, int]


class MaildirMailbox:
    """Reads one Maildir; with `takes_all` everything in it is meant for the program. `clock` gives aware UTC."""

    name = "maildir"

    def __init__(
        self, path: Path, addresses: MailAddresses, clock: Callable[[], datetime], *, takes_all: bool = False
    ) -> None:
        self._path = path
        self._reader = Reader(addresses, takes_all)
        self._clock = clock
        self._place = place_id(str(path))

    def read(self, mark: str, seen: Seen) -> str:
        """Hand over every letter to us after a mark, oldest first, and return the new mark. Raises MailboxError."""
        now = int(self._clock().timestamp())
        last = self._last(mark, now)
        reached = _Reached(last.second, dict.fromkeys(last.known, last.second))
        files = sorted(
            file for file in self._files() if file.second >= last.second - _ON_THE_WAY and file.short not in last.known
        )
        for at in range(0, len(files), AT_ONCE):
            letters: list[Letter] = []
            try:
                self._read_on(files[at : at + AT_ONCE], now, letters, reached)
            finally:
                seen(letters, self._mark(reached))
        return self._mark(reached)

    def _read_on(self, files: Sequence[_File], now: int, letters: list[Letter], reached: _Reached) -> None:
        """Add the letters to us among these, and note after each file how far that is."""
        for file in files:
            letter = self._letter(file)
            if letter:
                letters.append(letter)
                reached.handed[file.short] = file.second
            reached.second = max(reached.second, min(file.second, now))

    def _mark(self, reached: _Reached) -> str:
        known = {short: second for short, second in reached.handed.items() if second >= reached.second - _ON_THE_WAY}
        reached.handed = known
        return f"{self._place}:{reached.second}:{','.join(sorted(known))}"

    def show(self, key: str) -> str:
        """Return the text of a letter. Raises MailboxError where it is not there any more."""
        found = next((file for file in self._files() if file.key == key), None)
        raw = _content(found.path, MOST_BYTES) if found else None
        if raw is None:
            raise MailboxError("The letter is not in the inbox any more: it was moved or deleted there.")
        return shown(raw)

    def _last(self, mark: str, now: int) -> _Mark:
        """Return what a mark says; one of another folder, or from a clock that ran ahead, says nothing."""
        place, _, rest = mark.partition(":")
        second, _, known = rest.partition(":")
        if place != self._place or not second.isdecimal() or int(second) > now:
            return _Mark()
        return _Mark(int(second), frozenset(filter(None, known.split(","))))

    def _files(self) -> Iterator[_File]:
        for folder in _FOLDERS:
            try:
                entries = list(os.scandir(self._path / folder))
            except (FileNotFoundError, NotADirectoryError):
                raise MailboxError(
                    f"There is no Maildir at {self._path}: it holds the folders new, cur and tmp. Correct [mailbox] "
                    "path."
                ) from None
            except OSError as error:
                raise MailboxError(
                    f"The Maildir {self._path} cannot be read ({error.strerror}): run the program as a user who may "
                    "read it, or correct [mailbox] path."
                ) from None
            for entry in entries:
                with suppress(FileNotFoundError):
                    if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                        yield _File(_second(entry), _key(entry.name), Path(entry.path))

    def _letter(self, file: _File) -> Letter | None:
        head = self._read(file, MOST_OF_HEAD)
        if head is None or not (self._reader.takes_all or self._reader.is_for_us(head)):
            return None
        raw = self._read(file, MOST_BYTES) if len(head) == MOST_OF_HEAD else head
        at = datetime.fromtimestamp(file.second, UTC)
        return self._reader.letter(raw, file.key, at) if raw is not None else None

    def _read(self, file: _File, most: int) -> bytes | None:
        """Return the beginning of a letter, wherever a mail program has put it meanwhile; None where it is gone."""
        raw = _content(file.path, most)
        if raw is None:
            moved = next((each for each in self._files() if each.key == file.key), None)
            raw = _content(moved.path, most) if moved else None
        return raw


def is_maildir(path: Path) -> bool:
    """Say whether a folder is laid out as a Maildir."""
    return all((path / folder).is_dir() for folder in _FOLDERS)


def _key(name: str) -> str:
    """Return a file's name without flags, as text that can be kept also where it is long or no UTF-8."""
    key = name.partition(":")[0].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _second(entry: os.DirEntry[str]) -> int:
    """Return the second in a letter's name, else that of the file."""
    found = _TIME.match(entry.name)
    return int(found[1]) if found else int(entry.stat(follow_symlinks=False).st_mtime)


def _content(path: Path, most: int) -> bytes | None:
    """Return the beginning of a file without noting that it was read, None where it is gone. Raises MailboxError."""
    try:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | getattr(os, "O_NOATIME", 0))
        except PermissionError:  # only the owner of a file may leave its time of reading as it is
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            return file.read(most)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MailboxError(
            f"A letter in {path.parent} cannot be read ({error.strerror}): run the program as a user who may read it."
        ) from None
