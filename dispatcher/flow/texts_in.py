"""A text message that came in -> a no, or something that waits for a person; on disk before it is answered.

Whichever way it comes, told at once by the webhook or read from the service's list, and however often: it is dealt with
once, by the service's own name for it, and a no counts from when it was sent (S-33 to S-35).
"""

import re
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatcher.flow.incoming import put_in
from dispatcher.flow.meant import meant
from dispatcher.flow.service_entries import ask
from dispatcher.flow.service_gate import ServiceGate
from dispatcher.flow.withdrawing import locks_by_address, withdraw_addresses
from dispatcher.keys import KeyRing
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import AddressError, canonical_number
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply, fold
from dispatcher.rules.incoming import Arrived, Class
from dispatcher.rules.message import ServicePurpose
from dispatcher.rules.service import JUST_NOW, MONTH, ServiceSend
from dispatcher.rules.stop_words import NOES, Said, said_in_text
from dispatcher.storage import answers, clients, services, texts_in
from dispatcher.storage.database import Connection
from dispatcher.storage.incoming import Incoming as Waiting
from dispatcher.storage.services import Asked
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

INBOUND_PATH = "/webhooks/twilio/inbound"
"""Where on our own host Twilio tells of a text message that came in."""
BOX = "twilio"
"""What a text message that waits for a person is said to lie in."""
SEAL = "text-in"
"""The label under which the words of such a text are encrypted."""
STRANGERS_FOR = timedelta(days=30)
"""How long the service's name for a stranger's text is kept, so that it is dealt with once."""
_CLIENT = Actor(ActorKind.CLIENT)
_WAITS = {Said.OTHER: Class.OTHER, Said.HELP: Class.HELP, Said.STOP_OR_APPOINTMENT: Class.APPOINTMENT}
_TOLD = {"STOP": Said.STOP, "START": Said.START, "HELP": Said.HELP}
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TextIn:
    """One text message as the service told of it; printing it shows neither number nor words.

    `sid` is the service's name for it, `at` when it came (aware UTC), None for just now. `opt_out` is what the service
    itself made of it, "STOP", "START" or "HELP", and "" where it made nothing: then it has not answered it either.
    """

    sid: str
    sender: str = field(repr=False)
    at: datetime | None
    body: str = field(repr=False)
    opt_out: str = ""


@dataclass(frozen=True, slots=True)
class TextsIn:
    """Takes in what clients text; `confirms` says whether a no is confirmed to them by a text of ours."""

    store: Store
    gate: ServiceGate
    region: str
    confirms: bool

    def take(self, text: TextIn) -> Said:
        """Take in one text message and return what it amounts to; the rest is as for `take_all`."""
        self.take_all([text])
        return understood(text)

    def take_all(self, texts: Sequence[TextIn]) -> None:
        """Take in text messages in their order; they share commits, and a second time they change nothing.

        A no closes every channel of everybody who has the number, and is kept for the number where nobody has it
        (S-35). Anything else of a client waits for a person, of nobody's nothing is kept. On disk when this returns.
        Raises JournalError and StorageError where one of them cannot be kept; every other is kept nevertheless.
        """
        with self.store.reading() as connection:
            known = texts_in.known(connection, [each.sid for each in texts])
            waiting = [self._submitted(connection, each) for each in texts if each.sid not in known]
        trouble = [why for each in waiting if each and (why := each.exception())]
        if trouble:
            raise trouble[0]

    def purge(self) -> None:
        """Let go of the service's names for what strangers sent long ago."""
        self.store.write(lambda tx: texts_in.purge_strangers(tx.connection, tx.now - STRANGERS_FOR))

    def _submitted(self, connection: Connection, text: TextIn) -> Future[None] | None:
        """Queue what has to be written of a text message, if anything has."""
        said, number = understood(text), number_of(text.sender, self.region)
        if number is None:
            return None  # a name or a short number, which nobody in the register can have
        holders = self._holders(connection, number)
        if not holders and said not in NOES:
            return None

        def work(transaction: Transaction) -> None:
            if not texts_in.is_known(transaction.connection, text.sid):
                self._take(transaction, text, said, (Channel.SMS, number))

        return self.store.submit(work, wanted=locks_by_address(connection, sorted(holders)), urgent=True)

    def _take(self, transaction: Transaction, text: TextIn, said: Said, address: tuple[Channel, str]) -> None:
        connection, now = transaction.connection, transaction.now
        at = min(text.at or now, now)
        holders = self._holders(connection, address[1])
        if said in NOES:
            having = clients.by_address(connection, [address]).get(address, frozenset())
            is_asked = self.confirms and not text.opt_out and now - at <= JUST_NOW
            is_confirmed = is_asked and _is_news(connection, having, now)
            answer = Answer(0, Reply.WITHDRAWN, None, at, at, now, Place.SMS_REPLY)
            withdraw_addresses(transaction, self.store.ring, [address], answer, _CLIENT)
            if is_confirmed:
                self._confirm(transaction, address, having)
        if said in _WAITS:
            for client in sorted(holders):
                sealed = self.store.ring.seal(SEAL, text.body, _about(client, text.sid))
                put_in(transaction, Arrived(client, Channel.SMS, at, _WAITS[said], BOX, text.sid, sealed))
        if holders or said in NOES:
            texts_in.add(connection, text.sid, sorted(holders) or [0], said.value, at)

    def _confirm(self, transaction: Transaction, address: tuple[Channel, str], having: Collection[int]) -> None:
        """Ask for one plain confirmation, where the clients `having` the number have not had one lately."""
        connection, now = transaction.connection, transaction.now
        channel, number = address
        purpose = ServicePurpose.STOPPED
        if services.has_had(connection, purpose, channel, number, now - MONTH):
            return
        first = min(having)
        language = clients.read(connection, [first])[first].language
        wanted = Asked(purpose, channel, number, language, {}, first if len(having) == 1 else None)
        if isinstance(self.gate.foresee(connection, wanted, _CLIENT.kind, now), ServiceSend):
            ask(transaction, wanted, _CLIENT)

    def _holders(self, connection: Connection, number: str) -> Collection[int]:
        """Return who has the number, or had it before a restore forgot them."""
        return meant(connection, self.store.ring, None, {Channel.SMS: number})


def unsealed(ring: KeyRing, waiting: Waiting, sealed: bytes) -> str | None:
    """Return the words of a text that waits, or None where nobody can open them any more."""
    return ring.unseal(SEAL, sealed, _about(waiting.client, waiting.key))


def understood(text: TextIn) -> Said:
    """Return what a text message amounts to: its own words, and what the service made of them.

    A no of either is a no (S-34).
    """
    said, told = said_in_text(text.body), _TOLD.get(text.opt_out.strip().upper())
    if said in NOES or told is None:
        return said
    return told if told is Said.STOP or said in {Said.OTHER, Said.HELP, Said.START} else said


def number_of(sender: str, region: str) -> str | None:
    """Return the canonical form of the number a text came from, or None where a name or a short number sent it."""
    try:
        return canonical_number(sender, region)
    except AddressError:
        return sender if _E164.fullmatch(sender) else None


def _is_news(connection: Connection, having: Collection[int], now: datetime) -> bool:
    """Say whether a no by text changes anything for one of those who have the number.

    What is on record already was confirmed when it was said; also where a restore has forgotten that.
    """
    given = answers.of_clients(connection, sorted(having))
    return any(not fold(given.get(each, []), Channel.SMS, now).objected for each in having)


def _about(client: int, sid: str) -> str:
    return f"{client}:{sid}"
