"""What waits for a person -> shown, read where it lies, and released or withdrawn by them."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dispatcher.errors import RefusedError
from dispatcher.flow.incoming import Incoming
from dispatcher.flow.looking import note_look
from dispatcher.flow.persons import check_sees_whole
from dispatcher.mailbox import Mailbox
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import Json
from dispatcher.storage import clients, incoming
from dispatcher.storage.incoming import Incoming as Waiting
from dispatcher.storage.store import Store

Unseal = Callable[[Waiting, bytes], str | None]
"""Returns the words of a text message that was sealed, or None where nobody can open it any more."""
_LINES = frozenset("\n\t")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that came in, with the masked address of its client for its channel, where they have one."""

    waiting: Waiting
    address: str | None

    def as_json(self) -> dict[str, Json]:
        """Return it with stable keys; times are UTC."""
        return {**self.waiting.as_json(), "address": self.address}


class Inbox:
    """Shows a person what waits for them, and does what they say of it."""

    def __init__(self, store: Store, incoming_: Incoming, boxes: Iterable[Mailbox], unseal: Unseal) -> None:
        self._store = store
        self._incoming = incoming_
        self._boxes = {box.name: box for box in boxes}
        self._unseal = unseal

    def listed(self, *, only_waiting: bool = True) -> list[Item]:
        """Return what waits, or all that is still known, the oldest first; addresses masked."""
        with self._store.reading() as connection:
            found = incoming.listed(connection, only_waiting=only_waiting)
            held = clients.read(connection, {each.client for each in found})
        return [Item(each, _address(held.get(each.client), each.channel)) for each in found]

    def find(self, number: int) -> Item:
        """Return the one of this number, settled or not. Raises NotFoundError."""
        found = self._incoming.find(number)
        with self._store.reading() as connection:
            client = clients.read(connection, [found.client]).get(found.client)
        return Item(found, _address(client, found.channel))

    def words(self, number: int, actor: Actor) -> str:
        """Return what somebody wrote: a letter's words from its box, a text message's from where they are sealed.

        That this person looks is on record before. Words of a text message stay an hour once they have been read.
        Raises NotFoundError, RefusedError for an actor who may not see clients whole and for words that are gone, and
        MailboxError for a box that cannot be read.
        """
        with self._store.reading() as connection:
            check_sees_whole(connection, actor, "what a client wrote")
        found = self._incoming.find(number)
        note_look(self._store, actor, "inbox show", 1, found.client)
        said = self._text(found) if found.channel is Channel.SMS else self._letter(found)
        return _plain(said)

    def release(self, number: int, actor: Actor) -> bool:
        """Say that it was no no; return whether the client may be written to again, as far as this goes."""
        return self._incoming.release(number, actor)

    def withdraw(self, number: int, actor: Actor) -> None:
        """Say that it was a no to everything."""
        self._incoming.withdraw(number, actor)

    def _letter(self, found: Waiting) -> str:
        box = self._boxes.get(found.box)
        if box is None:
            raise RefusedError(
                f"Number {found.id} lies in {found.box}, which is not read any more: look in that inbox yourself, then "
                f"run `dispatcher inbox release {found.id}` or `dispatcher inbox withdraw {found.id}`."
            )
        return box.show(found.key)

    def _text(self, found: Waiting) -> str:
        now = self._store.clock()
        with self._store.reading() as connection:
            sealed = incoming.sealed_text(connection, found.id, now)
        said = self._unseal(found, sealed) if sealed is not None else None
        if said is None:
            raise RefusedError(
                f"The words of number {found.id} are not kept any more: ask the client what they wanted, then run "
                f"`dispatcher inbox release {found.id}` or `dispatcher inbox withdraw {found.id}`."
            )
        self._store.write(lambda tx: incoming.note_read(tx.connection, found.id, tx.now))
        return said


def _address(client: clients.Client | None, channel: Channel) -> str | None:
    held = client.addresses.get(channel) if client is not None else None
    return masked(held.canonical) if held is not None else None


def _plain(said: str) -> str:
    """Return words without what could command a terminal or turn them around."""
    return "".join(sign for sign in said if sign in _LINES or not unicodedata.category(sign).startswith("C"))
