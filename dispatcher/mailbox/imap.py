"""An inbox read over IMAP4rev1 (RFC 3501): examined, never selected, so that the server itself lets nothing be marked.

First only the headers that say where a letter was sent are asked for; the letters to us alone are then fetched, each
up to a limit.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from dispatcher.errors import MailboxError
from dispatcher.links import MailAddresses
from dispatcher.mailbox import AT_ONCE, Seen
from dispatcher.mailbox.folder_names import encoded
from dispatcher.mailbox.letters import MOST_BYTES, Reader, shown
from dispatcher.mailbox.places import place_id
from dispatcher.mailbox.recipients import HEADERS
from dispatcher.rules.letter import Letter

_PATIENCE = 30.0
"""Seconds that the server may take for each of its answers."""
_LISTED_AT_ONCE = 90_000
"""Letters whose numbers are asked for in one go: more could make a line longer than the library reads."""
_MOST_OF_ADDRESSES = 16 * 1024
_MOST_OF_ANSWER = MOST_BYTES + 1024
_UID = re.compile(rb"\bUID (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"')
_MONTHS = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"]
_ADDRESSES = f"BODY.PEEK[HEADER.FIELDS ({' '.join(HEADERS).upper()})]<0.{_MOST_OF_ADDRESSES}>"
_LETTER = f"(UID INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)"


class Tls(StrEnum):
    """How the connection is encrypted; `NONE` only to this machine."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Which inbox is read; with `takes_all` everything in its folder is meant for the program."""

    host: str
    port: int
    tls: Tls
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    takes_all: bool = False


class ImapMailbox:
    """Reads one folder of an IMAP server, over a connection of its own each time."""

    name = "imap"

    def __init__(self, settings: ImapSettings, addresses: MailAddresses, patience: float = _PATIENCE) -> None:
        self._settings = settings
        self._reader = Reader(addresses, settings.takes_all)
        self._patience = patience
        self._place = place_id(settings.host, settings.username, settings.folder)

    def read(self, mark: str, seen: Seen) -> str:
        """Hand over every letter to us after a mark, in the order of their numbers, and return the new mark.

        Where the server has numbered the folder anew, all of it is read again. Raises MailboxError.
        """
        with self._opened() as folder:
            last = self._last(mark, folder.validity)
            numbers = folder.numbers_after(last)
            for at in range(0, len(numbers), AT_ONCE):
                letters: list[Letter] = []
                try:
                    for number in self._ours(folder, numbers[at : at + AT_ONCE]):
                        letter = self._letter(folder, number)
                        if letter:
                            letters.append(letter)
                        last = number
                    last = max(last, *numbers[at : at + AT_ONCE])
                finally:
                    seen(letters, f"{self._place}:{folder.validity}:{last}")
            return f"{self._place}:{folder.validity}:{last}"

    def show(self, key: str) -> str:
        """Return the text of a letter. Raises MailboxError where it is not there any more."""
        validity, _, number = key.partition(":")
        with self._opened() as folder:
            if validity != str(folder.validity) or not number.isdecimal():
                raise MailboxError(
                    "The inbox has numbered its letters anew since this one came: look for it in your mail program."
                )
            found = folder.letter(int(number))
        if found is None:
            raise MailboxError("The letter is not in the inbox any more: it was moved or deleted there.")
        return shown(found.raw)

    def _last(self, mark: str, validity: int) -> int:
        place, _, rest = mark.partition(":")
        numbered, _, last = rest.partition(":")
        return int(last) if (place, numbered) == (self._place, str(validity)) and last.isdecimal() else 0

    def _letter(self, folder: "_Folder", number: int) -> Letter | None:
        found = folder.letter(number)
        return self._reader.letter(found.raw, f"{folder.validity}:{number}", found.at) if found else None

    def _ours(self, folder: "_Folder", batch: Sequence[int]) -> Iterator[int]:
        """Yield the numbers of the letters to us among these, lowest first."""
        if self._reader.takes_all:
            yield from batch
            return
        try:
            heads = folder.addresses(batch)
        except _RefusedError:
            # One of them is what the server stumbles over: asked one by one, those before it are handed over.
            for number in batch:
                yield from (each for each, head in folder.address(number) if self._reader.is_for_us(head))
        else:
            yield from sorted(number for number, head in heads if self._reader.is_for_us(head))

    @contextmanager
    def _opened(self) -> Iterator["_Folder"]:
        asked = self._settings
        where = f"The IMAP server {asked.host} (port {asked.port})"
        try:
            with _connection(asked, self._patience) as connection:
                _log_in(connection, asked)
                yield _examined(connection, asked.folder)
        except _LetterError as error:
            came = f", which came on {error.at:%Y-%m-%d at %H:%M} UTC" if error.at else ""
            raise MailboxError(
                f"{where} does not hand over letter number {error.number} of {asked.folder}{came}. Read it in your "
                "mail program; if it is a no, run `dispatcher consent withdraw`. Then move it to another folder, or "
                "delete it: until then nothing is sent, and it is tried again."
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise MailboxError(
                f"{where} shows a certificate that is not to be trusted: {error.verify_message}. Nothing was "
                "told to it. Check [mailbox] host, or have whoever runs the server renew its certificate."
            ) from None
        except ssl.SSLError as error:
            raise MailboxError(
                f"{where} does not speak TLS as asked ({error.reason or 'no answer'}): check [mailbox] port and tls; "
                '993 goes with "implicit", 143 with "starttls".'
            ) from None
        except TimeoutError:
            raise MailboxError(f"{where} does not answer in {self._patience:.0f} seconds: it is tried again.") from None
        except UnicodeError:
            raise MailboxError(
                f"{where} cannot be reached: no machine has such a name. Check [mailbox] host."
            ) from None
        except OSError as error:
            raise MailboxError(
                f"{where} cannot be reached ({error.strerror or 'the connection broke off'}): it is tried again. If "
                "that lasts, check [mailbox] host and port, and the network."
            ) from None
        except imaplib.IMAP4.error:
            raise MailboxError(f"{where} broke off or answered what cannot be read: it is tried again.") from None


@dataclass(frozen=True, slots=True)
class _Fetched:
    raw: bytes
    at: datetime


class _RefusedError(imaplib.IMAP4.error):
    """The server answered NO: it understood, and does not."""


class _LetterError(Exception):
    """The server has a letter and does not hand it over; `at` is when it came, where it tells that much."""

    def __init__(self, number: int, at: datetime | None) -> None:
        super().__init__(number)
        self.number, self.at = number, at


class _Folder:
    """One folder that was examined: its letters by their numbers, none of them marked by looking."""

    def __init__(self, connection: imaplib.IMAP4, validity: int, size: int) -> None:
        self._connection = connection
        self._size = size
        self.validity = validity

    def numbers_after(self, last: int) -> list[int]:
        """Return the numbers of the letters after one, lowest first."""
        if self._size == 0:
            return []
        if self._size <= _LISTED_AT_ONCE:
            # What ends in * names the last letter, also where its number is lower (RFC 3501, section 9).
            return sorted(number for number in self._found(f"{last + 1}:*") if number > last)
        highest = max(self._found("*"), default=0)
        starts = range(last + 1, highest + 1, _LISTED_AT_ONCE)
        windows = (f"{start}:{min(start + _LISTED_AT_ONCE - 1, highest)}" for start in starts)
        return sorted(number for window in windows for number in self._found(window))

    def _found(self, wanted: str) -> set[int]:
        _, found = self._asked("SEARCH", "UID", wanted)
        return {int(word) for line in found if isinstance(line, bytes) for word in line.split() if word.isdigit()}

    def addresses(self, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        """Return, by number, the headers that say where letters were sent."""
        wanted = ",".join(map(str, numbers))
        return [(number, head) for number, _, head in self._fetched(wanted, f"(UID {_ADDRESSES})")]

    def address(self, number: int) -> list[tuple[int, bytes]]:
        """Return the same of one letter, nothing where it is gone. Raises _LetterError where the server refuses it."""
        try:
            return [(found, head) for found, head in self.addresses([number]) if found == number]
        except _RefusedError:
            self._check_gone(number)
            return []

    def letter(self, number: int) -> _Fetched | None:
        """Return a letter up to the limit, and when the server got it; None where it is gone.

        Raises _LetterError where the server refuses it.
        """
        try:
            for found, told, raw in self._fetched(str(number), _LETTER):
                if found == number:
                    return _Fetched(raw, _taken_at(told))
        except _RefusedError:
            self._check_gone(number)
        return None

    def _check_gone(self, number: int) -> None:
        """Raise _LetterError where a letter that was refused is there: one deleted meanwhile is too (RFC 2180, 4.1)."""
        if number not in self._found(str(number)):
            return
        answer: list[bytes | tuple[bytes, bytes] | None] = []
        with suppress(_RefusedError):
            _, answer = self._asked("FETCH", str(number), "(INTERNALDATE)")
        dates = [each for each in answer if isinstance(each, bytes) and _DATE.search(each)]
        raise _LetterError(number, _taken_at(dates[0]) if dates else None)

    def _fetched(self, numbers: str, wanted: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield number, what was told beside, and the text of each letter; what else a server tells is left out."""
        _, answer = self._asked("FETCH", numbers, wanted)
        told, text = b"", None
        for item in [*answer, (b"", b"")]:
            if isinstance(item, tuple):
                number = _UID.search(told)
                if text is not None and number:
                    yield int(number[1]), told, text
                told, text = item[0], item[1]
            elif isinstance(item, bytes):
                told += b" " + item

    def _asked(self, command: str, *arguments: str) -> tuple[str, list[bytes | tuple[bytes, bytes] | None]]:
        status, answer = self._connection.uid(command, *arguments)
        if status == "NO":
            raise _RefusedError(command)
        if status != "OK":
            raise imaplib.IMAP4.error(command)
        return status, answer


@contextmanager
def _connection(asked: ImapSettings, patience: float) -> Iterator[imaplib.IMAP4]:
    """Give a connection and close it again, with a farewell where the server still listens."""
    connection = _connected(asked, patience)
    listens = True
    try:
        yield connection
    except (imaplib.IMAP4.error, OSError):
        listens = False
        raise
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            if listens:
                connection.logout()
        with suppress(OSError):
            connection.shutdown()


def _connected(asked: ImapSettings, patience: float) -> imaplib.IMAP4:
    """Open a connection whose certificate has been verified, before a name or a password is told."""
    if asked.tls is Tls.NONE:
        return _Plain(asked.host, asked.port, timeout=patience)
    trusted = ssl.create_default_context()
    if asked.tls is Tls.IMPLICIT:
        return _Encrypted(asked.host, asked.port, ssl_context=trusted, timeout=patience)
    connection = _Plain(asked.host, asked.port, timeout=patience)
    try:
        connection.starttls(ssl_context=trusted)
    except imaplib.IMAP4.error:
        connection.shutdown()
        raise MailboxError(
            f"The IMAP server {asked.host} offers no STARTTLS at port {asked.port}, and without TLS nothing is told to "
            'it: write tls = "implicit" and port = 993 into [mailbox].'
        ) from None
    except OSError:
        connection.shutdown()
        raise
    return connection


def _log_in(connection: imaplib.IMAP4, asked: ImapSettings) -> None:
    told = f"\0{asked.username}\0{asked.password}".encode()
    try:
        if "AUTH=PLAIN" in connection.capabilities:
            connection.authenticate("PLAIN", lambda _: told)
        else:
            connection.login(asked.username, asked.password)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, UnicodeError):
        raise MailboxError(
            f"The IMAP server {asked.host} refuses {asked.username} or the password: correct [mailbox] username, or "
            "mailbox_password in secrets.toml. Many providers want a password made for programs."
        ) from None


def _examined(connection: imaplib.IMAP4, folder: str) -> _Folder:
    quoted = encoded(folder).replace("\\", "\\\\").replace('"', '\\"')
    try:
        status, answer = connection.select(f'"{quoted}"', readonly=True)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        status, answer = "NO", [None]
    if status != "OK":
        raise MailboxError(
            f'There is no folder "{folder}" in the inbox: write its whole name into [mailbox] folder, as the server '
            'has it, such as "INBOX.Dispatcher" or "INBOX/Dispatcher".'
        )
    _, validity = connection.response("UIDVALIDITY")
    number = validity[0] if validity and isinstance(validity[0], bytes) else b""
    if not number.isdigit():
        raise imaplib.IMAP4.error("UIDVALIDITY")
    size = answer[0] if answer and isinstance(answer[0], bytes) else b"1"
    return _Folder(connection, int(number), int(size) if size.isdigit() else 1)


def _taken_at(told: bytes) -> datetime:
    found = _DATE.search(told)
    if found is None:
        raise imaplib.IMAP4.error("INTERNALDATE")
    day, month, year, hour, minute, second, sign, ahead, minutes = found.groups()
    offset = timedelta(hours=int(ahead), minutes=int(minutes)) * (1 if sign == b"+" else -1)
    try:
        numbers = [int(year), _MONTHS.index(month.lower()) + 1, *map(int, (day, hour, minute, second))]
        return datetime(*numbers, tzinfo=timezone(offset)).astimezone(UTC)  # type: ignore[misc, arg-type] # six numbers
    except (ValueError, OverflowError):
        raise imaplib.IMAP4.error("INTERNALDATE") from None


class _Bounded(imaplib.IMAP4):
    """A connection over which a server can hand no more at once than was asked for."""

    def read(self, size: int) -> bytes:
        """Read so many bytes. Raises abort for more than any answer of ours has."""
        if size > _MOST_OF_ANSWER:
            raise self.abort("an answer of this size was not asked for")
        return super().read(size)


class _Plain(_Bounded):
    """Without TLS, or before it."""


class _Encrypted(_Bounded, imaplib.IMAP4_SSL):
    """With TLS from the first byte on."""
