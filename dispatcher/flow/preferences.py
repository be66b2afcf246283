"""Click, STOP, desk -> answer; durable before anybody is told, and in force for everything not yet handed off.

The gate asks again at every hand-off, so a no needs no list of what to stop: what waits for that client is withdrawn
here for the owner's eyes, and would be withheld anyway.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.errors import NotFoundError
from dispatcher.flow.known import unknown
from dispatcher.flow.marks import Marks
from dispatcher.flow.withdrawing import locks_of_no, withdraw_addresses, withdraw_client
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel, Kind, Language
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.storage import answers, clients, returning
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_SAME_CLICK = timedelta(minutes=1)
"""How long a click and its repetition by a mail program or an impatient hand are one."""


@dataclass(frozen=True, slots=True)
class Concern:
    """Whom an opt-out page concerns: the masked address and the language; None where no row is behind the token.

    `is_gone`: nor will there be one, since nobody gets the number again. Whoever was erased and has come back since has
    another, and nothing may lead from the one to the other (L-33, L-35): the link can stop nothing any more. `is_test`:
    the link stood in a test message and stands for nobody.
    """

    address: str | None
    language: Language | None
    is_gone: bool = False
    is_test: bool = False


class Preferences:
    """Takes every no in."""

    def __init__(self, store: Store, links: OptOutLinks) -> None:
        self._store = store
        self._links = links

    def look(self, token: str) -> Concern:
        """Return whom a link concerns, and change nothing (E-09). Raises LinkError for a link not made here."""
        if self._links.is_test(token):
            return Concern(None, None, is_test=True)
        link = self._links.read(token)
        with self._store.reading() as connection:
            client = clients.read(connection, [link.client]).get(link.client)
            is_missed = client is None and returning.is_missed(connection, link.client)
        if client is None:
            return Concern(None, None, is_gone=not is_missed)
        address = client.addresses.get(link.channel)
        return Concern(masked(address.canonical) if address else None, client.language)

    def leave(self, token: str, place: Place) -> None:
        """Record that the client behind a link said no to everything; on disk when this returns (E-11).

        A second time within a minute adds nothing (E-10), and a later one only moves the no on, so that it beats a yes
        from in between that has yet to arrive (L-07). A link without a row behind it is kept all the same; one of a
        test message changes nothing. Raises LinkError for a link not made here and StorageError where the no could not
        be kept.
        """
        if self._links.is_test(token):
            return
        link = self._links.read(token)
        self._withdraw(link.client, place, Actor(ActorKind.CLIENT), None, link)

    def choose(self, token: str, kind: Kind) -> None:
        """Record that the client behind a link wants this topic only; on disk when this returns.

        No yes is given by it. A link without a row behind it, or of a test message, changes nothing. Raises LinkError
        and StorageError as `leave` does.
        """
        if self._links.is_test(token):
            return
        link = self._links.read(token)
        with suppress(NotFoundError):
            Marks(self._store).choose_topics(link.client, {kind}, Actor(ActorKind.CLIENT))

    def withdraw(self, client: int, actor: Actor, channel: Channel | None = None) -> None:
        """Record a no that a client said at the desk, by phone or in a letter; `channel` only if they named one.

        Raises NotFoundError for a number that no client has.
        """
        with self._store.reading() as connection:
            known = clients.read(connection, [client])
        if not known:
            raise unknown(client)
        self._withdraw(client, Place.DESK, actor, channel, None)

    def withdraw_address(
        self, address: tuple[Channel, str], actor: Actor, channel: Channel | None = None, place: Place = Place.DESK
    ) -> list[int]:
        """Record a no for an address, canonical, whoever has it; return the clients who do.

        Where nobody has it, its keyed hash is kept (L-35): it gets nothing if it ever comes, until a later explicit
        yes. `channel` only if they named one.
        """
        with self._store.reading() as connection:
            known = clients.by_address(connection, [address]).get(address, frozenset())
            ids = clients.address_ids(connection, sorted(known))
        wanted = {Lock(LockKind.ADDRESS, each) for held in ids.values() for each in held}
        wanted |= {Lock(LockKind.CLIENT, client) for client in known}
        # Without it, an import could bring the address in between the look and the commit.
        wanted.add(Lock(LockKind.REGISTER, 0))

        def work(transaction: Transaction) -> list[int]:
            now = transaction.now
            answer = Answer(0, Reply.WITHDRAWN, channel, now, now, now, place)
            return withdraw_addresses(transaction, self._store.ring, [address], answer, actor).clients

        return self._store.write(work, wanted=wanted, urgent=True)

    def _withdraw(self, client: int, place: Place, actor: Actor, channel: Channel | None, link: OptOut | None) -> None:
        with self._store.reading() as connection:
            wanted = locks_of_no(connection, client)

        def work(transaction: Transaction) -> None:
            connection, now = transaction.connection, transaction.now
            if link is not None and _has_just_said_so(connection, client, now):
                return
            answer = Answer(0, Reply.WITHDRAWN, channel, now, now, now, place)
            known = clients.read(connection, [client]).get(client)
            withdraw_client(transaction, self._store.ring, client, known, answer, actor)

        self._store.write(work, wanted=wanted, urgent=True)


def _has_just_said_so(connection: Connection, client: int, now: datetime) -> bool:
    """Say whether a no to everything is on record that counts until now, so that a second click adds nothing."""
    noes = [
        answer
        for answer in answers.of_clients(connection, [client]).get(client, [])
        if answer.reply is Reply.WITHDRAWN and answer.channel is None
    ]
    return any(now - no.latest() < _SAME_CLICK for no in noes)
