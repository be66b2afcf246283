"""What a person does at the counter: look a client up, read the question aloud, put the answer on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.errors import RefusedError
from dispatcher.flow.answering import Answering, Newcomer, Said, has_just_said
from dispatcher.flow.cards import Card
from dispatcher.flow.looking import note_look
from dispatcher.flow.marks import Marks
from dispatcher.flow.persons import WORK_WITH_CLIENTS
from dispatcher.flow.preferences import Preferences
from dispatcher.flow.questioning import Asking
from dispatcher.register_files.cells import Cell, CellError, name_part
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import AddressError, masked, read_address
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import clients, persons
from dispatcher.storage.lookup import look_up
from dispatcher.storage.persons import Person
from dispatcher.storage.store import Store

PLACES = (Place.IN_PERSON, Place.PHONE, Place.EMAIL)
"""Where somebody at the desk hears an answer."""
REPLIES = (Reply.GRANTED, Reply.DECLINED)
"""What may be answered at the desk; a no to everything has a page of its own."""
_AT_ONCE = 20


class Trouble(StrEnum):
    """What is wrong with something typed at the desk."""

    NAME = "name"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Draft:
    """A client who is about to be written down, as typed: shown back before anything is recorded."""

    first_name: str
    last_name: str
    language: Language
    channel: Channel
    address: str

    @property
    def name(self) -> str:
        """Return the whole name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the desk read aloud and heard: the words by their SHA-256, and the answer to them."""

    channel: Channel
    language: Language
    wording: str
    reply: Reply
    place: Place


class Desk:
    """Acts for persons at the counter; every act names one of them.

    A number without a country code is read as one of `region`.
    """

    def __init__(
        self,
        store: Store,
        asking: Asking,
        answering: Answering,
        preferences: Preferences,
        marks: Marks,
        region: str = "FI",
    ) -> None:
        self._store = store
        self._asking = asking
        self._answering = answering
        self._preferences = preferences
        self._marks = marks
        self._region = region

    def person(self, actor: Actor) -> Person:
        """Return who works at the desk. Raises RefusedError for somebody who may not, or works here no longer."""
        with self._store.reading() as connection:
            found = next((each for each in persons.everyone(connection) if each.actor == actor), None)
        if found is None or found.ended_at is not None:
            raise RefusedError("This person works here no longer: start the desk for somebody who does.")
        if found.role not in WORK_WITH_CLIENTS:
            raise RefusedError(f"{found.name} is {found.role.value}: the desk is for owner and staff.")
        return found

    def search(self, words: str, actor: Actor) -> tuple[Sequence[Card], bool]:
        """Return the first clients these words fit, and whether there are more."""
        with self._store.reading() as connection:
            numbers = look_up(connection, words, _AT_ONCE + 1)
        self._note(actor, "search", len(numbers[:_AT_ONCE]))
        return self._asking.cards(numbers[:_AT_ONCE]), len(numbers) > _AT_ONCE

    def card(self, client: int, actor: Actor) -> Card:
        """Return a client. Raises NotFoundError for a number nobody has."""
        found = self._asking.card(client)
        self._note(actor, "client", 1, client)
        return found

    def question(self, channel: Channel, language: Language) -> str:
        """Return the words to read aloud."""
        return self._asking.question(channel, language)

    def answer(self, client: int, reading: Reading, actor: Actor) -> None:
        """Put an answer on record as this person heard it, once, however often the button is pressed.

        Raises RefusedError where the question is another one by now, and for what Answering refuses.
        """
        self.person(actor)
        self._note(actor, "answer", 1, client)
        self._answering.record(client, [self._said(reading)], actor, once=True)

    def withdraw(self, client: int, channel: Channel | None, actor: Actor) -> None:
        """Put a no on record, to everything unless a channel is named. Raises NotFoundError."""
        self.person(actor)
        self._note(actor, "withdraw", 1, client)
        self._preferences.withdraw(client, actor, channel)

    def withdraw_address(self, text: str, actor: Actor) -> None:
        """Put a no on record for an address that nobody in the register has. Raises RefusedError for no address."""
        self.person(actor)
        reached = self.reached(text)
        if reached is None:
            raise RefusedError(f"{masked(text)} is no address. Nothing was recorded.")
        self._note(actor, "withdraw address", 0)
        self._preferences.withdraw_address(reached, actor)

    def mark_child(self, client: int, actor: Actor, *, value: bool) -> None:
        """Mark a client as a child, or lift the mark. Raises NotFoundError."""
        self.person(actor)
        self._note(actor, "child", 1, client)
        (self._marks.mark_child if value else self._marks.unmark_child)(client, actor)

    def draft(self, first_name: str, last_name: str, language: Language, address: str) -> Draft | Trouble:
        """Return a client as they would be written down, or what is wrong with what was typed."""
        try:
            first, last = (name_part(Cell("name", part)) for part in (first_name, last_name))
        except CellError:
            return Trouble.NAME
        reached = self.reached(address)
        if not first and not last:
            return Trouble.NAME
        return Draft(first, last, language, *reached) if reached else Trouble.ADDRESS

    def known(self, channel: Channel, address: str, actor: Actor) -> list[Card]:
        """Return the clients who have this canonical address already."""
        with self._store.reading() as connection:
            found = clients.by_address(connection, [(channel, address)])
        numbers = sorted(set().union(*found.values()))
        self._note(actor, "address", len(numbers), numbers[0] if len(numbers) == 1 else None)
        return self._asking.cards(numbers)

    def enlist(self, draft: Draft, reading: Reading, actor: Actor) -> int:
        """Write a new client down with their answer, and return their number; the next import joins them.

        Pressed twice, it is the client of the first time. Raises RefusedError where somebody else has the address by
        now, and for what Answering refuses.
        """
        self.person(actor)
        newcomer = Newcomer(draft.first_name, draft.last_name, draft.language, {draft.channel: draft.address})
        said = self._said(reading)
        try:
            number = self._answering.enlist(newcomer, [said], actor)
        except RefusedError:
            before = self._just_enlisted(draft, said, actor)
            if before is None:
                raise
            return before
        self._note(actor, "new", 1, number)
        return number

    def reached(self, text: str) -> tuple[Channel, str] | None:
        """Return the channel and canonical form of an address as typed, or None for what is no address."""
        try:
            return read_address(text, self._region)
        except AddressError:
            return None

    def _note(self, actor: Actor, act: str, clients: int, client: int | None = None) -> None:
        """Put on record who does what to whom, before it is shown or done."""
        note_look(self._store, actor, f"desk {act}", clients, client)

    def _just_enlisted(self, draft: Draft, said: Said, actor: Actor) -> int | None:
        """Return whom this person wrote down a moment ago with the same name, address and answer, or None."""
        with self._store.reading() as connection:
            held = clients.by_address(connection, [(draft.channel, draft.address)]).values()
            known = clients.read(connection, sorted(frozenset().union(*held)))
            for number, client in known.items():
                is_same = (client.first_name, client.last_name) == (draft.first_name, draft.last_name)
                if is_same and has_just_said(connection, number, said, actor, self._store.clock()):
                    return number
        return None

    def _said(self, reading: Reading) -> Said:
        """Return what was heard, with the words as they stand; nobody vouches for words they did not read."""
        if reading.reply not in REPLIES or reading.place not in PLACES:
            raise RefusedError("The desk records a yes or a no, said here, by phone or by email.")
        words = self._asking.question(reading.channel, reading.language)
        if wording_hash(words) != reading.wording:
            raise RefusedError("The question has been changed meanwhile: read it out again. Nothing was recorded.")
        return Said(reading.reply, reading.channel, reading.place, words)
