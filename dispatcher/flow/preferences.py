"""Click, STOP, desk -> answer; durable before anybody is told, and in force for everything not yet handed off.

The gate asks again at every hand-off, so a no needs no list of what to stop: what waits for that client is withdrawn
here for the owner's eyes, and would be withheld anyway.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.errors import NotFoundError
from dispatcher.flow.recording import record_no, suppress_stranger
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import answers, clients, outbox
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_SAME_CLICK = timedelta(minutes=1)
"""How long a click and its repetition by a mail program or an impatient hand are one."""


@dataclass(frozen=True, slots=True)
class Concern:
    """Whom an opt-out page concerns: the masked address and the language; None where no row is behind the token."""

    address: str | None
    language: Language | None


class Preferences:
    """Takes every no in."""

    def __init__(self, store: Store, links: OptOutLinks) -> None:
        self._store = store
        self._links = links

    def look(self, token: str) -> Concern:
        """Return whom a link concerns, and change nothing (E-09). Raises LinkError for a link not made here."""
        link = self._links.read(token)
        with self._store.reading() as connection:
            client = clients.read(connection, [link.client]).get(link.client)
        if client is None:
            return Concern(None, None)
        address = client.addresses.get(link.channel)
        return Concern(masked(address.canonical) if address else None, client.language)

    def leave(self, token: str, place: Place) -> None:
        """Record that the client behind a link said no to everything; on disk when this returns (E-11).

        A second time within a minute adds nothing (E-10), and a later one only moves the no on, so that it beats a yes
        from in between that has yet to arrive (L-07). A link without a row behind it is kept all the same. Raises
        LinkError for a link not made here and StorageError where the no could not be kept.
        """
        link = self._links.read(token)
        self._withdraw(link.client, place, Actor(ActorKind.CLIENT), None, link)

    def withdraw(self, client: int, actor: Actor, channel: Channel | None = None) -> None:
        """Record a no that a client said at the desk, by phone or in a letter; `channel` only if they named one.

        Raises NotFoundError for a number that no client has.
        """
        with self._store.reading() as connection:
            known = clients.read(connection, [client])
        if not known:
            raise NotFoundError(f"No client has the number {client}: run `dispatcher client list` to find it.")
        self._withdraw(client, Place.DESK, actor, channel, None)

    def withdraw_address(self, address: tuple[Channel, str], actor: Actor) -> list[int]:
        """Record a no for an address, canonical, whoever has it; return the clients who do.

        Where nobody has it, its keyed hash is kept, and it gets nothing if it ever comes (L-35).
        """
        with self._store.reading() as connection:
            holders = sorted(clients.by_address(connection, [address]).get(address, frozenset()))
        for client in holders:
            self.withdraw(client, actor)
        if not holders:

            def work(transaction: Transaction) -> None:
                now = transaction.now
                answer = Answer(0, Reply.WITHDRAWN, None, now, now, now, Place.DESK)
                suppress_stranger(transaction, self._store.ring, answer, actor, dict([address]))

            self._store.write(work, wanted=[Lock(LockKind.REGISTER, 0)], urgent=True)
        return holders

    def _withdraw(self, client: int, place: Place, actor: Actor, channel: Channel | None, link: OptOut | None) -> None:
        with self._store.reading() as connection:
            ids = clients.address_ids(connection, [client]).get(client, [])
        wanted = [Lock(LockKind.ADDRESS, address) for address in ids] + [Lock(LockKind.CLIENT, client)]

        def work(transaction: Transaction) -> None:
            connection, now = transaction.connection, transaction.now
            if link is not None and _has_just_said_so(connection, client, now):
                return
            known = clients.read(connection, [client]).get(client)
            addresses = {kind: held.canonical for kind, held in known.addresses.items()} if known else {}
            answer = Answer(0, Reply.WITHDRAWN, channel, now, now, now, place)
            record_no(transaction, self._store.ring, client, answer, actor, addresses)
            self._withhold_waiting(transaction, client, channel, actor)

        self._store.write(work, wanted=wanted, urgent=True)

    def _withhold_waiting(self, transaction: Transaction, client: int, channel: Channel | None, actor: Actor) -> None:
        """Withhold what waits for a client who has closed every channel."""
        if channel is not None:
            return
        for row, campaign, message_id in outbox.open_of_client(transaction.connection, client):
            outbox.set_withheld(transaction.connection, row, Reason.OBJECTION.value)
            body = {"reason": Reason.OBJECTION.value, "at": "withdrawal", "message": message_id}
            transaction.ledger.append(Entry(EntryKind.WITHHELD, actor, client=client, campaign=campaign, body=body))


def _has_just_said_so(connection: Connection, client: int, now: datetime) -> bool:
    """Say whether a no to everything is on record that counts until now, so that a second click adds nothing."""
    noes = [
        answer
        for answer in answers.of_clients(connection, [client]).get(client, [])
        if answer.reply is Reply.WITHDRAWN and answer.channel is None
    ]
    return any(now - no.latest() < _SAME_CLICK for no in noes)
