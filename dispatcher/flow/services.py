"""Service messages asked for -> verdict -> intent -> channel -> outcome, apart from every campaign.

As with a campaign's: the verdict and the intent are one transaction, the outcome another, and a message whose sender
died in between is `unknown` and never sent again by itself (E-51, E-52).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from dispatcher.channels import Carrier, Session
from dispatcher.errors import ChannelError
from dispatcher.flow.backoff import CONNECTION_PAUSE, again_at
from dispatcher.flow.outcomes import has_ended, judge_address, object_for, outcome_body
from dispatcher.flow.recording import suppress_stranger
from dispatcher.flow.service_entries import entry, receipt_came
from dispatcher.flow.service_gate import ServiceGate
from dispatcher.keys import KeyRing
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.message import Blame, Outcome, OutcomeKind, ServiceMessage, ServicePurpose
from dispatcher.rules.service import MONTH
from dispatcher.storage import clients, services
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.services import Service
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

LEASE = timedelta(minutes=20)
"""After how long without an outcome a hand-off is lost where another sender may be alive (E-51)."""
_ALONE = Lock(LockKind.SERVICE, 0)
"""Held by every verdict: two senders must not both see room for one more to an address."""


class Services:
    """Hands service messages over, one at a time by each channel."""

    def __init__(self, store: Store, gate: ServiceGate, carriers: Mapping[Channel, Carrier]) -> None:
        self._store = store
        self._gate = gate
        self._carriers = carriers

    def recover(self, *, alone: bool) -> int:
        """Mark as unknown what an earlier sender left without an outcome, and return how many.

        `alone` says that no other sender can be alive; else only what was begun longer ago than a lease counts.
        """

        def work(transaction: Transaction) -> int:
            until = transaction.now if alone else transaction.now - LEASE
            lost = services.lost(transaction.connection, until)
            for service in lost:
                crash = Outcome(OutcomeKind.UNKNOWN, code="crash")
                # Named, so that an erasure knows where a copy may lie.
                carrier = self._carriers.get(service.channel)
                self._settle(transaction, service, crash, carrier.name if carrier else "", None)
            return len(lost)

        return self._store.write(work)

    async def once(self, stop: Callable[[], bool] = lambda: False) -> str | None:
        """Hand over what is due now, until `stop` says so, and return a sentence where anything was done.

        Raises JournalError and StorageError, and ChannelError where a carrier cannot be reached; what waits for it
        rests for a minute then.
        """
        if await asyncio.to_thread(self._next) is None:
            return None
        await asyncio.to_thread(self._store.check_trusted)
        await asyncio.to_thread(self.recover, alone=False)
        told: Counter[str] = Counter()
        while not stop() and (service := await asyncio.to_thread(self._next)) is not None:
            await self._work_through(service.channel, told, stop)
        return ", ".join(f"{count} {word}" for word, count in sorted(told.items())) or None

    def purge(self) -> None:
        """Let go of the rows, and the addresses in them, that no limit needs any more."""

        def work(transaction: Transaction) -> None:
            now = transaction.now
            day = local_date(now, self._gate.policy.zone) - MONTH
            services.purge(transaction.connection, now - MONTH - timedelta(days=1), day)

        self._store.write(work)

    async def _work_through(self, channel: Channel, told: Counter[str], stop: Callable[[], bool]) -> None:
        """Open a session of this channel and hand over what is due by it, as long as that is next."""
        carrier = self._carriers[channel]
        try:
            async with carrier.session() as session:
                while not stop():
                    service = await asyncio.to_thread(self._next)
                    if service is None or service.channel is not channel:
                        return
                    if not await self._hand_over(session, carrier.name, service, told):
                        await asyncio.to_thread(self._rest, channel)
        except ChannelError:
            await asyncio.to_thread(self._rest, channel)
            raise

    async def _hand_over(self, session: Session, provider: str, service: Service, told: Counter[str]) -> bool:
        """Decide about one message and hand it over; say whether the carrier can go on."""
        decided = await asyncio.to_thread(self._decide, service)
        if decided is None:
            return True
        intended, message = decided
        outcome = await session.hand_over(message)
        await asyncio.to_thread(self._keep, intended, outcome, provider)
        told[outcome.kind.value] += 1
        return outcome.blame not in {Blame.CONNECTION, Blame.QUOTA}

    def _next(self) -> Service | None:
        with self._store.reading() as connection:
            return services.next_due(connection, self._store.clock())

    def _decide(self, service: Service) -> tuple[Service, ServiceMessage] | None:
        return self._store.write(
            lambda transaction: self._gate.decide(transaction, service), wanted=[_ALONE, *_locks(service)]
        )

    def _rest(self, channel: Channel) -> None:
        def work(transaction: Transaction) -> None:
            services.rest(transaction.connection, channel, transaction.now, transaction.now + CONNECTION_PAUSE)

        self._store.write(work)

    def _keep(self, service: Service, outcome: Outcome, provider: str) -> None:
        again = None
        if outcome.kind is OutcomeKind.DEFERRED:
            now = self._store.clock()
            again = again_at(outcome, service.attempts - 1, service.due_at, now, None, service.channel)
        wanted = _locks(service)
        if outcome.blame is Blame.OBJECTION:
            # A no that the provider knows of takes the locks of every other no.
            with self._store.reading() as connection:
                ids = clients.address_ids(connection, [service.client or 0]).get(service.client or 0, [])
            wanted += [Lock(LockKind.ADDRESS, address) for address in ids]
        self._store.write(
            lambda transaction: self._settle(transaction, service, outcome, provider, again), wanted=wanted
        )

    def _settle(
        self, transaction: Transaction, service: Service, outcome: Outcome, provider: str, again: datetime | None
    ) -> None:
        connection, actor = transaction.connection, Actor(ActorKind.PROVIDER, provider)
        if not services.set_outcome(connection, service, outcome, provider, transaction.now, again):
            return
        transaction.ledger.append(entry("outcome", service, actor, outcome_body(outcome, again)))
        if outcome.blame is Blame.OBJECTION:
            object_to(transaction, self._store.ring, service, actor)
        elif has_ended(outcome, again):
            address = clients.address_id(connection, service.channel, service.recipient)
            judge_address(transaction, address, service.channel, service.client, outcome, actor)
        elif outcome.kind is OutcomeKind.ACCEPTED and service.purpose is ServicePurpose.RECEIPT:
            receipt_came(transaction, service, actor)


def object_to(transaction: Transaction, ring: KeyRing, service: Service, actor: Actor) -> None:
    """Keep the no that the provider knows of: the client's, or that of an address nobody has been named for."""
    if service.client is not None:
        object_for(transaction, ring, service.client, actor)
        return
    now = transaction.now
    answer = Answer(0, Reply.WITHDRAWN, None, None, now, now, Place.PROVIDER)
    suppress_stranger(transaction, ring, answer, actor, {service.channel: service.recipient})


def _locks(service: Service) -> list[Lock]:
    return [Lock(LockKind.CLIENT, service.client)] if service.client is not None else []
