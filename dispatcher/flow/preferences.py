"""Click, STOP, desk -> answer; durable before anybody is told, and in force for everything not yet handed off.

The gate asks again at every hand-off, so a no needs no list of what to stop: what waits for that client is withdrawn
here for the owner's eyes, and would be withheld anyway.
"""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.errors import LinkError, NotFoundError, StorageError
from dispatcher.flow.concern import Concern, seen
from dispatcher.flow.known import unknown
from dispatcher.flow.policy import Policy
from dispatcher.flow.reopening import Reopening
from dispatcher.flow.wishes import Wishes
from dispatcher.flow.withdrawing import (
    locks_by_address,
    locks_of_no,
    withdraw_addresses,
    withdraw_client,
    withdraw_clients,
)
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply, is_repeated
from dispatcher.rules.wishes import Less
from dispatcher.storage import answers, clients, erasure, handoffs, outbox, returning
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

TEST = Concern(None, None, is_test=True)
"""What the link of a test message concerns: nobody."""


class Preferences:
    """Takes every no in."""

    def __init__(self, store: Store, links: OptOutLinks, policy: Policy, reopening: Reopening | None = None) -> None:
        self.reopening = reopening
        """Asks those who want more for a confirmation; None where more can only be had from a person."""
        self._store = store
        self._links = links
        self._policy = policy

    def read(self, token: str) -> OptOut | None:
        """Return what a link stands for; None for one of a test message. Raises LinkError for one not made here."""
        try:
            return self._links.read(token)
        except LinkError:
            if self._links.is_test(token):
                return None
            raise

    def is_cut(self, token: str) -> bool:
        """Say whether a link that was not read looks like one whose end was lost on the way."""
        return self._links.is_cut(token)

    def look_at(self, links: Sequence[OptOut]) -> list[Concern]:
        """Return whom each of these links concerns, and change nothing (E-09)."""
        with self._store.reading() as connection:
            known = clients.read(connection, {link.client for link in links})
            return [_concern(connection, link, known.get(link.client)) for link in links]

    def look_closely_at(self, links: Sequence[OptOut]) -> list[Concern]:
        """Return what `look_at` does, with what was agreed and what can be chosen."""
        with self._store.reading() as connection:
            return seen(connection, self._store.ring, self._policy, links, self._store.clock())

    def rehearse(self) -> list[Concern]:
        """Look at one client, and return what was seen: the first who comes need not wait for what first use makes.

        Nothing is changed, though it goes the way of a no, up to the journal: each has its connection then.
        """
        with self._store.reading() as connection:
            numbers = clients.page(connection, 0, 1)

        def work(transaction: Transaction) -> None:
            connection, now = transaction.connection, transaction.now
            _who_has_just_said_so(connection, numbers, now)
            erasure.addresses_left(connection, numbers)
            handoffs.recall(connection, [], now)
            outbox.open_of_clients(connection, [], for_update=True)

        self._store.write(work, urgent=True)
        self._store.check_trusted()
        links = [OptOut(number, Channel.EMAIL) for number in numbers]
        self.look_at(links)
        return self.look_closely_at(links)

    def leave_together(self, asked: Sequence[tuple[OptOut, Place]]) -> None:
        """Record that the clients behind these links said no to everything, in one commit: all of them or nobody.

        On disk when this returns (E-11). A second time within a minute adds nothing (E-10), and a later one only moves
        the no on, so that it beats a yes from in between that has yet to arrive (L-07). A link without a row behind it
        is kept all the same. Raises StorageError where it could not be kept.
        """
        places: dict[int, Place] = {}
        for link, place in asked:
            places.setdefault(link.client, place)
        numbers = list(places)

        def work(transaction: Transaction) -> None:
            connection, now = transaction.connection, transaction.now
            repeated = _who_has_just_said_so(connection, numbers, now)
            known = clients.read(connection, numbers)
            noes = {
                number: (known.get(number), Answer(0, Reply.WITHDRAWN, None, now, now, now, place))
                for number, place in places.items()
                if number not in repeated
            }
            if noes:
                withdraw_clients(transaction, self._store.ring, noes, Actor(ActorKind.CLIENT))

        self._store.write(work, wanted=self._locks_of(numbers), urgent=True)

    def choose(self, link: OptOut | None, less: Less) -> bool:
        """Record what the client behind a link wants less of; on disk when this returns. Say whether it could be kept.

        No yes is given by it, and nothing is opened: False for what would. A link without a row behind it, or None, of
        a test message, changes nothing. Raises StorageError where it could not be kept, and for a client whom a restore
        forgot, with whom nothing but a no can be kept until they are back.
        """
        if link is None:
            return True
        try:
            return Wishes(self._store, self._policy).choose(link.client, less, Actor(ActorKind.CLIENT))
        except NotFoundError:
            with self._store.reading() as connection:
                if returning.is_missed(connection, link.client):
                    raise StorageError("A restore forgot this client: import the register again.") from None
            return True

    def lessen(self, client: int, wanted: Sequence[Less], actor: Actor) -> Concern:
        """Record what a client told a person they want less of, and return what holds now; on disk when this returns.

        Raises NotFoundError for a number that no client has.
        """
        for less in wanted:
            Wishes(self._store, self._policy).choose(client, less, actor, Place.DESK)
        return self.look_closely_at([OptOut(client, Channel.EMAIL)])[0]

    def withdraw(self, client: int, actor: Actor, channel: Channel | None = None) -> None:
        """Record a no that a client said at the desk, by phone or in a letter; `channel` only if they named one.

        Raises NotFoundError for a number that no client has.
        """
        with self._store.reading() as connection:
            known = clients.read(connection, [client])
        if not known:
            raise unknown(client)

        def work(transaction: Transaction) -> None:
            now = transaction.now
            answer = Answer(0, Reply.WITHDRAWN, channel, now, now, now, Place.DESK)
            held = clients.read(transaction.connection, [client]).get(client)
            withdraw_client(transaction, self._store.ring, client, held, answer, actor)

        self._store.write(work, wanted=self._locks_of([client]), urgent=True)

    def withdraw_address(
        self, address: tuple[Channel, str], actor: Actor, channel: Channel | None = None, place: Place = Place.DESK
    ) -> list[int]:
        """Record a no for an address, canonical, whoever has it; return the clients who do.

        Where nobody has it, its keyed hash is kept (L-35): it gets nothing if it ever comes, until a later explicit
        yes. `channel` only if they named one.
        """
        with self._store.reading() as connection:
            known = clients.by_address(connection, [address]).get(address, frozenset())
            wanted = locks_by_address(connection, sorted(known))

        def work(transaction: Transaction) -> list[int]:
            now = transaction.now
            answer = Answer(0, Reply.WITHDRAWN, channel, now, now, now, place)
            return withdraw_addresses(transaction, self._store.ring, [address], answer, actor).clients

        return self._store.write(work, wanted=wanted, urgent=True)

    def _locks_of(self, numbers: Sequence[int]) -> list[Lock]:
        with self._store.reading() as connection:
            return locks_of_no(connection, numbers)


def _concern(connection: Connection, link: OptOut, client: Client | None) -> Concern:
    if client is None:
        return Concern(None, None, is_gone=not returning.is_missed(connection, link.client))
    address = client.addresses.get(link.channel)
    return Concern(masked(address.canonical) if address else None, client.language)


def _who_has_just_said_so(connection: Connection, numbers: Sequence[int], now: datetime) -> set[int]:
    """Return for whom a no to everything is on record that counts until now, so that a second click adds nothing."""
    given = answers.of_clients(connection, numbers)
    return {number for number, said in given.items() if is_repeated(said, None, now)}
