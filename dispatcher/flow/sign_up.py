"""The public page -> a confirmation to the address that was typed -> from there, and only then, an answer.

Until the address itself has confirmed, nothing about any client changes: whoever types somebody else's address can
overturn no no of theirs, and is told nothing about them (E-46, X-04).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dispatcher.errors import LinkError
from dispatcher.flow.answering import Answering, Newcomer, Said
from dispatcher.flow.meant import meant
from dispatcher.flow.questions import question
from dispatcher.flow.service_entries import ask
from dispatcher.flow.service_gate import ServiceGate
from dispatcher.flow.wishes import lift
from dispatcher.keys import KeyRing
from dispatcher.links import Confirm, ConfirmLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import canonical, masked
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.message import ServicePurpose
from dispatcher.rules.service import ServiceSend
from dispatcher.rules.wishes import More
from dispatcher.rules.wording import normal, wording_hash
from dispatcher.storage import clients, services, sign_ups
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.services import Asked
from dispatcher.storage.sign_ups import Typed, Waiting
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import keep_wordings, wording_texts
from dispatcher.storage.writer import Transaction

LONGEST_NAME = 40
"""Letters of the longest first name that is kept; whatever is longer is none to greet anybody by."""
_CLIENT = Actor(ActorKind.CLIENT)
_TRIES = 5
_BETWEEN = " -'\N{RIGHT SINGLE QUOTATION MARK}"


@dataclass(frozen=True, slots=True)
class Question:
    """The question as the page shows it: a yes to it names these exact words."""

    channel: Channel
    words: str
    digest: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What the page of a confirmation shows: who is asked, by the masked address, and which words.

    `wish` is what a client asked for by the link of a message; None for a sign-up.
    """

    address: str
    words: str
    language: Language
    channel: Channel
    wish: More | None = None


@dataclass(frozen=True, slots=True)
class SignUp:
    """Takes sign-ups in and confirms them; `channels` are those the page asks about, in its order."""

    store: Store
    answering: Answering
    gate: ServiceGate
    links: ConfirmLinks
    channels: Sequence[Channel]
    confirm_within: timedelta
    region: str

    def questions(self, language: Language) -> list[Question]:
        """Return the questions of the page, each with its SHA-256."""
        with self.store.reading() as connection:
            words = {channel: normal(question(connection, channel, language)) for channel in self.channels}
        return [Question(channel, text, wording_hash(text)) for channel, text in words.items()]

    def read_address(self, channel: Channel, typed: str) -> str:
        """Return the canonical form of what was typed. Raises AddressError."""
        return canonical(channel, typed, self.region)

    def ask(self, asked: Question, address: str, first_name: str, language: Language) -> None:
        """Take a sign-up in and ask for the confirmation that goes to this canonical address.

        What is written and how long it takes do not depend on who has the address. Where the address has had its share
        of service messages, no other is asked for, and nobody is told.
        """
        typed = Typed(asked.channel, address, _name(first_name), language, asked.digest)
        confirmation = ServicePurpose.CONFIRMATION

        def work(transaction: Transaction) -> None:
            connection, now = transaction.connection, transaction.now
            keep_wordings(connection, [asked.words], now)
            number = sign_ups.add(connection, typed, now, now + self.confirm_within)
            wanted = Asked(confirmation, asked.channel, address, language, {"sign_up": number})
            may_go = isinstance(self.gate.foresee(connection, wanted, _CLIENT.kind, now), ServiceSend)
            if may_go and not services.is_under_way(connection, confirmation, asked.channel, address, None):
                ask(transaction, wanted, _CLIENT)

        self.store.write(work)

    def look(self, token: str) -> Asking | None:
        """Return what a confirmation's link asks, and change nothing; None for one that was used or is out of date.

        Raises LinkError for a link not made here.
        """
        link = self.links.read(token)
        with self.store.reading() as connection:
            waiting = sign_ups.find(connection, link.sign_up, self.store.clock())
            words = wording_texts(connection, [waiting.wording]).get(waiting.wording) if waiting else None
        if waiting is None or words is None or waiting.channel is not link.channel:
            return None
        return Asking(masked(waiting.canonical), words, waiting.language, waiting.channel, waiting.wish)

    def done_in(self, token: str) -> Language | None:
        """Return the language of what a link asked, if it has been confirmed and is still remembered.

        Raises LinkError for a link not made here.
        """
        link = self.links.read(token)
        with self.store.reading() as connection:
            return sign_ups.confirmed_in(connection, link.sign_up)

    def confirm(self, token: str) -> bool:
        """Record the yes of whoever holds the address, and say whether there was one to confirm.

        It is the client's who asked for it by the link of a message, if the address is still theirs. Of a sign-up it is
        a client's with this address if exactly one client has it, else a new client's: of several nobody can tell who
        it is. Raises LinkError for a link not made here, RefusedError where the client's yes cannot be taken, and
        JournalError for a database that is behind its journal, where a new client would get a number of old.
        """
        link = self.links.read(token)
        self.store.check_trusted()
        for _ in range(_TRIES):
            found = self._try(link)
            if found is not None:
                return found
        raise LinkError("The address kept changing hands: open the link again.")

    def purge(self) -> None:
        """Forget the sign-ups that nobody has confirmed in time."""
        self.store.write(lambda transaction: sign_ups.purge(transaction.connection, transaction.now))

    def _try(self, link: Confirm) -> bool | None:
        """Confirm under the locks of those who have the address now; None where others have it by then."""
        with self.store.reading() as connection:
            waiting = sign_ups.find(connection, link.sign_up, self.store.clock())
            if waiting is None or waiting.channel is not link.channel:
                return False
            holders = _holders(connection, self.store.ring, waiting)
            addresses = clients.address_ids(connection, sorted(holders))
        wanted = [Lock(LockKind.CLIENT, number) for number in holders]
        wanted += [Lock(LockKind.ADDRESS, each) for ids in addresses.values() for each in ids]

        def work(transaction: Transaction) -> bool | None:
            still = sign_ups.find(transaction.connection, link.sign_up, transaction.now)
            if still is None:
                return False
            if _holders(transaction.connection, self.store.ring, still) != holders:
                return None
            return self._take_in(transaction, still, holders)

        # The register's lock keeps two newcomers, or two presses of one button, from coming in side by side.
        return self.store.write(work, wanted=[*wanted, Lock(LockKind.REGISTER, 0)], urgent=True)

    def _take_in(self, transaction: Transaction, waiting: Waiting, holders: frozenset[int]) -> bool:
        connection, now = transaction.connection, transaction.now
        channel, words = waiting.channel, wording_texts(connection, [waiting.wording]).get(waiting.wording)
        if words is None:
            return False
        if waiting.client is not None and waiting.client not in holders:
            return False
        if len(holders) == 1 and clients.read(connection, holders):
            (number,) = holders
        else:
            newcomer = Newcomer(waiting.first_name, "", waiting.language, {channel: waiting.canonical})
            number = self.answering.enlist_in(transaction, newcomer, [], _CLIENT, confirmed=True)
        address = clients.address_rows(connection, [(channel, waiting.canonical)], now)[channel, waiting.canonical]
        clients.set_confirmed(connection, number, channel, address, now)
        body: dict[str, Json] = {"event": "confirmed", "address": address}
        transaction.ledger.append(Entry(EntryKind.ADDRESS, _CLIENT, client=number, channel=channel, body=body))
        place = Place.PREFERENCES if waiting.wish else Place.SIGN_UP
        self.answering.record_in(transaction, number, [Said(Reply.GRANTED, channel, place, words)], _CLIENT)
        if waiting.wish is not None:
            lift(transaction, number, waiting.wish, _CLIENT)
        sign_ups.set_confirmed(connection, waiting, now)
        return True


def _holders(connection: Connection, ring: KeyRing, waiting: Waiting) -> frozenset[int]:
    """Return who has the address, or had it before a restore forgot them: of several the one who asked, if they did."""
    if waiting.client is not None:
        address = (waiting.channel, waiting.canonical)
        return clients.by_address(connection, [address]).get(address, frozenset()) & {waiting.client}
    return meant(connection, ring, None, {waiting.channel: waiting.canonical})


def _name(typed: str) -> str:
    """Return a first name as it may be kept: letters, spaces and hyphens; nothing for what is no name (E-36)."""
    name = unicodedata.normalize("NFC", " ".join(typed.split()))
    is_name = len(name) <= LONGEST_NAME and all(letter.isalpha() or letter in _BETWEEN for letter in name)
    return name if is_name else ""
