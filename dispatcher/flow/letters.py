"""A letter that came to an address of ours -> a no, an outcome, something for a person to read, or nothing.

The token in the address decides whose it is, never who wrote it (E-13, E-60): what carries none of ours changes
nothing. Of a letter the program keeps client, time and class (E-64). Read again it changes nothing, in whatever order.
"""

from dispatcher.errors import LinkError
from dispatcher.flow.incoming import Incoming
from dispatcher.flow.returns import Returns, Told
from dispatcher.flow.withdrawing import locks_of_no, withdraw_by_letter
from dispatcher.links import Bounce, MailAddresses
from dispatcher.mailbox import Mailbox
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place
from dispatcher.rules.incoming import Arrived, Class
from dispatcher.rules.later import Fate, Later
from dispatcher.rules.letter import Letter, LetterKind
from dispatcher.storage import later, services
from dispatcher.storage.store import Store

_PROVIDER = "smtp"
_NOES = {LetterKind.STOP: Place.MAILTO, LetterKind.COMPLAINT: Place.COMPLAINT}
_WHO = {LetterKind.STOP: Actor(ActorKind.CLIENT), LetterKind.COMPLAINT: Actor(ActorKind.PROVIDER, "feedback")}


class Letters:
    """Draws from each letter what follows from it."""

    def __init__(self, store: Store, addresses: MailAddresses, returns: Returns, incoming: Incoming) -> None:
        self._store = store
        self._addresses = addresses
        self._returns = returns
        self._incoming = incoming

    def take(self, letter: Letter, box: str) -> None:
        """Take one letter of a box; what follows from it is on disk when this returns.

        Raises JournalError and StorageError where it cannot be kept: then the letter is read again.
        """
        match letter.kind:
            case LetterKind.BOUNCE:
                self._bounce(letter)
            case LetterKind.STOP | LetterKind.COMPLAINT:
                self._no(letter)
            case LetterKind.OTHER:
                self._wait(letter, box)
            case LetterKind.AUTOMATIC | LetterKind.NOT_SPAM:
                pass

    def _bounce(self, letter: Letter) -> None:
        """Tell of the message that it did not arrive, and of the address what the code says (E-50, E-60, E-61)."""
        message = self._message(letter.token)
        if message is None or not letter.is_permanent:
            return
        code = letter.status or letter.code
        fate = Fate(Later.BOUNCED, frozenset({code} if code else ()))
        self._returns.take(Told(message, _PROVIDER, "", "bounce", fate))

    def _no(self, letter: Letter) -> None:
        """Record a no to every channel (L-01, E-13, E-62)."""
        client = self._client(letter.token)
        if client is None:
            return
        with self._store.reading() as connection:
            wanted = locks_of_no(connection, [client])
        ring, place, actor = self._store.ring, _NOES[letter.kind], _WHO[letter.kind]
        self._store.write(
            lambda transaction: withdraw_by_letter(transaction, ring, client, place, letter.at, actor),
            wanted=wanted,
            urgent=True,
        )

    def _wait(self, letter: Letter, box: str) -> None:
        client = self._client(letter.token)
        if client is not None:
            self._incoming.put(Arrived(client, Channel.EMAIL, letter.at, Class.OTHER, box, letter.key))

    def _message(self, token: str) -> str | None:
        """Return the id of the message that the token of a bounce stands for, or None for any other token."""
        try:
            found = self._addresses.read(token)
        except LinkError:
            return None
        return found.message_id if isinstance(found, Bounce) else None

    def _client(self, token: str) -> int | None:
        """Return whose the token is, or None for a test's, one of a message to nobody's, and one not made here."""
        if self._addresses.is_test(token):
            return None
        try:
            found = self._addresses.read(token)
        except LinkError:
            return None
        return self._client_of(found.message_id) if isinstance(found, Bounce) else found.client

    def _client_of(self, message_id: str) -> int | None:
        with self._store.reading() as connection:
            known = later.find(connection, message_id)
            service = None if known else services.find(connection, message_id)
        return known.client if known else service.client if service else None


class MailDoor:
    """The door that is a mailbox."""

    def __init__(self, mailbox: Mailbox, letters: Letters) -> None:
        self._mailbox = mailbox
        self._letters = letters

    @property
    def name(self) -> str:
        """Return how the box is called."""
        return self._mailbox.name

    def read(self, mark: str) -> str:
        """Take every letter that came after a mark and return the new mark: all of it is on disk by then.

        Raises MailboxError for a box that cannot be read, JournalError and StorageError as `Letters.take` does.
        """
        return self._mailbox.read(mark, lambda letter: self._letters.take(letter, self.name))
