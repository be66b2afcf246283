"""A letter that came to an address of ours -> a no, an outcome, something for a person to read, or nothing.

The token in the address decides whose it is, never who wrote it (E-13, E-60): what carries none of ours changes
nothing. Of a letter the program keeps client, time and class (E-64). Read again it changes nothing, in whatever order.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from dispatcher.errors import DispatcherError, LinkError
from dispatcher.flow.incoming import put_in
from dispatcher.flow.returns import Returns, Told
from dispatcher.flow.withdrawing import is_on_record, locks_of_no, withdraw_by_letter
from dispatcher.links import Bounce, MailAddresses
from dispatcher.mailbox import Mailbox
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place
from dispatcher.rules.incoming import Arrived, Class
from dispatcher.rules.later import Fate, Later
from dispatcher.rules.letter import Letter, LetterKind
from dispatcher.storage import doors, incoming, later, services
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_PROVIDER = "smtp"
_NOES = {LetterKind.STOP: Place.MAILTO, LetterKind.COMPLAINT: Place.COMPLAINT}
_WHO = {LetterKind.STOP: Actor(ActorKind.CLIENT), LetterKind.COMPLAINT: Actor(ActorKind.PROVIDER, "feedback")}


@dataclass(frozen=True, slots=True)
class _Deed:
    """What a letter has written, with its locks; `must_trust` what a database behind its journal must not take."""

    work: Callable[[Transaction], object]
    wanted: Sequence[Lock]
    is_urgent: bool = False
    must_trust: bool = False


class Letters:
    """Draws from each letter what follows from it."""

    def __init__(self, store: Store, addresses: MailAddresses, returns: Returns) -> None:
        self._store = store
        self._addresses = addresses
        self._returns = returns

    def take(self, letters: Iterable[Letter], box: str) -> None:
        """Take letters of a box; what follows from them is on disk when this returns.

        They share commits, the noes first, and what is known already is not written again. Raises JournalError and
        StorageError where one of them cannot be kept: then they are read again, and every other is kept nevertheless.
        """
        deeds, trouble = [], list[BaseException]()
        for letter in letters:
            try:
                with self._store.reading() as connection:
                    deed = self._deed(connection, letter, box)
            except Exception as why:  # noqa: BLE001 - whatever one letter stumbles over, the others are kept
                trouble.append(why)
            else:
                deeds += [deed] if deed else []
        waiting = [self._submitted(deed) for deed in deeds if not deed.must_trust]
        in_doubt = [deed for deed in deeds if deed.must_trust]
        try:
            if in_doubt:
                self._store.check_trusted()
                waiting += map(self._submitted, in_doubt)
        except DispatcherError as why:
            trouble.append(why)
        trouble += filter(None, [each.exception() for each in waiting])
        if trouble:
            raise trouble[0]

    def _submitted(self, deed: _Deed) -> Future[object]:
        return self._store.submit(deed.work, wanted=deed.wanted, urgent=deed.is_urgent)

    def _deed(self, connection: Connection, letter: Letter, box: str) -> _Deed | None:
        """Return what has to be written of a letter, None where nothing follows from it, or nothing new."""
        match letter.kind:
            case LetterKind.BOUNCE:
                return self._bounce(connection, letter)
            case LetterKind.STOP | LetterKind.COMPLAINT:
                return self._no(connection, letter)
            case LetterKind.OTHER:
                return self._wait(connection, letter, box)
            case LetterKind.AUTOMATIC | LetterKind.NOT_SPAM:
                return None

    def _bounce(self, connection: Connection, letter: Letter) -> _Deed | None:
        """Tell of the message that it did not arrive, and of the address what the code says (E-50, E-60, E-61)."""
        message = self._message(letter.token)
        if message is None or not letter.is_permanent:
            return None
        code = letter.status or letter.code
        fate = Fate(Later.BOUNCED, frozenset({code} if code else ()))
        write = self._returns.write_of(connection, Told(message, _PROVIDER, "", "bounce", fate))
        return _Deed(write.work, write.wanted, must_trust=True) if write and write.is_news else None

    def _no(self, connection: Connection, letter: Letter) -> _Deed | None:
        """Record a no to every channel (L-01, E-13, E-62)."""
        client, place, actor = self._client(connection, letter.token), _NOES[letter.kind], _WHO[letter.kind]
        if client is None or is_on_record(connection, client, place, letter.at, self._store.clock()):
            return None
        ring = self._store.ring
        return _Deed(
            lambda transaction: withdraw_by_letter(transaction, ring, client, place, letter.at, actor),
            locks_of_no(connection, [client]),
            is_urgent=True,
        )

    def _wait(self, connection: Connection, letter: Letter, box: str) -> _Deed | None:
        client = self._client(connection, letter.token)
        if client is None:
            return None
        came = Arrived(client, Channel.EMAIL, letter.at, Class.OTHER, box, letter.key)
        if incoming.is_known(connection, came):
            return None
        wanted = [Lock(LockKind.CLIENT, client)]
        return _Deed(lambda transaction: put_in(transaction, came), wanted, is_urgent=True)

    def _message(self, token: str) -> str | None:
        """Return the id of the message that the token of a bounce stands for, or None for any other token."""
        try:
            found = self._addresses.read(token)
        except LinkError:
            return None
        return found.message_id if isinstance(found, Bounce) else None

    def _client(self, connection: Connection, token: str) -> int | None:
        """Return whose the token is, or None for a test's, one of a message to nobody's, and one not made here."""
        if self._addresses.is_test(token):
            return None
        try:
            found = self._addresses.read(token)
        except LinkError:
            return None
        return _client_of(connection, found.message_id) if isinstance(found, Bounce) else found.client


def _client_of(connection: Connection, message_id: str) -> int | None:
    known = later.find(connection, message_id)
    service = None if known else services.find(connection, message_id)
    return known.client if known else service.client if service else None


class MailDoor:
    """The door that is a mailbox."""

    def __init__(self, store: Store, mailbox: Mailbox, letters: Letters) -> None:
        self._store = store
        self._mailbox = mailbox
        self._letters = letters

    @property
    def name(self) -> str:
        """Return how the box is called."""
        return self._mailbox.name

    def read(self, mark: str) -> str:
        """Take every letter that came after a mark and return the new mark: all of it is on disk by then.

        The mark moves on the way, behind what is on disk, so that a look that is cut off is gone on with where it was.
        Raises MailboxError for a box that cannot be read, JournalError and StorageError as `Letters.take` does.
        """
        reached = mark

        def seen(letters: Sequence[Letter], to: str) -> None:
            nonlocal reached
            self._letters.take(letters, self.name)
            if to != reached:
                before = reached
                self._store.write(lambda transaction: doors.move(transaction.connection, self.name, before, to))
                reached = to

        return self._mailbox.read(mark, seen)
