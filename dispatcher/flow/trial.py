"""A campaign file -> one message to a person of the installation, marked as a test, outside budget and counts.

It is a service message: it names no client, its opt-out link opts nobody out, and it is never tried again by itself.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dispatcher.channels import Carrier
from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.freezing import Frozen, content_hash, freeze
from dispatcher.flow.outcomes import outcome_body
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Prepared, Press
from dispatcher.flow.service_entries import entry
from dispatcher.links import OptOutLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import masked
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.message import Outcome, OutcomeKind, ServiceMessage, ServicePurpose, Sms
from dispatcher.rules.service import ServiceFacts, ServiceSend, decide_service
from dispatcher.storage import ledger, persons, services
from dispatcher.storage.database import Connection
from dispatcher.storage.persons import Person
from dispatcher.storage.services import Asked, Service
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

__all__ = ["Tested", "Trial", "TrialReport", "channels_tested", "content_hash"]


@dataclass(frozen=True, slots=True)
class Tested:
    """One test message: by which channel, to which masked address, what became of it, and its parts if it is an SMS."""

    channel: Channel
    address: str
    outcome: OutcomeKind
    code: str
    parts: int | None


@dataclass(frozen=True, slots=True)
class TrialReport:
    """What a test sent: which content, by its hash, to whom; `missing` are channels the person has no address for."""

    name: str
    content: str
    person: str
    language: Language
    sent: tuple[Tested, ...]
    missing: tuple[Channel, ...]

    @property
    def ok(self) -> bool:
        """Say whether every message was taken over."""
        return all(each.outcome is OutcomeKind.ACCEPTED for each in self.sent)


class Trial:
    """Sends campaigns to the persons of the installation, to see what clients would get."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        press: Press,
        templates: Path,
        links: OptOutLinks,
        carriers: Mapping[Channel, Carrier],
    ) -> None:
        self._store = store
        self._policy = policy
        self._press = press
        self._templates = templates
        self._links = links
        self._carriers = carriers

    def run(self, path: Path, actor: Actor, to: str | None = None, language: Language | None = None) -> TrialReport:
        """Send one message by each channel of the campaign to the person named, else to who acts.

        Raises CampaignFileError or RenderingError for a faulty campaign, NotFoundError and RefusedError for a person
        who does not work here or has no address, ChannelError where a carrier cannot be used, JournalError where the
        database may not be trusted.
        """
        self._store.check_trusted()
        frozen = freeze(path, self._templates, self._policy)
        prepared = self._press.prepare(frozen.campaign, frozen.templates, frozen.picture)
        person = self._person(actor, to)
        spoken = _language(frozen.campaign, language)
        reach = _reach(person)
        addresses = {channel: reach[channel] for channel in frozen.campaign.channels}
        if not any(addresses.values()):
            raise RefusedError(
                f"{person.name} has no address a test could go to: "
                f'run `dispatcher person reach "{person.name}" --email ADDRESS --phone NUMBER`.'
            )
        sent = [
            asyncio.run(self._send(_Test(frozen, prepared, person, actor, spoken, channel, address)))
            for channel, address in addresses.items()
            if address
        ]
        missing = tuple(channel for channel, address in addresses.items() if not address)
        return TrialReport(frozen.campaign.name, frozen.content_hash, person.name, spoken, tuple(sent), missing)

    def require(self, path: Path, frozen: Frozen, actor: Actor) -> list[str]:
        """Send a test of this content to who acts, unless one of it has gone before by each channel, and say to whom.

        A channel by which who acts is not reached is left untested and named. Raises what `run` does, and RefusedError
        where a message was not taken over.
        """
        with self._store.reading() as connection:
            tested = channels_tested(connection, frozen.content_hash)
        untested = set(frozen.campaign.channels) - tested
        if not untested:
            return []
        person = self._person(actor, None)
        if tested and not any(_reach(person)[channel] for channel in untested):
            return _untested(untested, person)
        report = self.run(path, actor)
        if report.content != frozen.content_hash:
            raise RefusedError(f"{path} was changed while it was being looked at: try again. Nothing was scheduled.")
        if not report.ok:
            failed = ", ".join(f"{each.channel} to {each.address} ({each.code})" for each in report.sent)
            raise RefusedError(
                f"The test of {report.name} was not taken over: {failed}. Nothing was scheduled; try again: "
                f"`dispatcher campaign test {path}`."
            )
        sent = [f"a test went to {report.person} by {each.channel} at {each.address}" for each in report.sent]
        return [*sent, *_untested(untested & set(report.missing), person)]

    def _person(self, actor: Actor, to: str | None) -> Person:
        with self._store.reading() as connection:
            working = [each for each in persons.everyone(connection) if each.ended_at is None]
        for person in working:
            if person.actor == actor if to is None else person.name.casefold() == to.casefold():
                return person
        known = ", ".join(person.name for person in working)
        raise NotFoundError(f"A test goes to somebody who works here only, with --to NAME. Known: {known}.")

    async def _send(self, test: "_Test") -> Tested:
        """Decide, hand over and keep what became of it; the intent is on disk before the hand-off begins."""
        carrier = self._carriers[test.channel]
        async with carrier.session() as session:
            service, message = await asyncio.to_thread(self._intend, test)
            outcome = await session.hand_over(message)
            await asyncio.to_thread(self._keep, test, service, outcome, carrier.name)
        parts = message.content.segments if isinstance(message.content, Sms) else None
        return Tested(test.channel, masked(test.address), outcome.kind, outcome.status or outcome.code, parts)

    def _intend(self, test: "_Test") -> tuple[Service, ServiceMessage]:
        def work(transaction: Transaction) -> tuple[Service, ServiceMessage]:
            connection, now = transaction.connection, transaction.now
            facts = ServiceFacts(
                ServicePurpose.TEST, test.channel, ActorKind.PERSON, now, self._policy.windows, to_person=True
            )
            if not isinstance(decide_service(facts, now), ServiceSend):
                raise RefusedError("The test may not go now.")
            asked = Asked(
                ServicePurpose.TEST,
                test.channel,
                test.address,
                test.language,
                {"content": test.frozen.content_hash, "asked_by": test.actor.kind.value},
                person=test.person.id,
            )
            service = services.read(connection, services.add(connection, asked, now))
            service = services.set_intent(connection, service, now, local_date(now, self._policy.zone))
            content = test.prepared.trial(
                test.person.name.split()[0],
                test.language,
                test.address,
                self._links.test_url(test.channel),
                service.message_id,
                now,
            )
            transaction.ledger.append(
                entry("asked", service, test.actor, test.told()), entry("sent", service, test.actor, test.told())
            )
            return service, ServiceMessage(service.message_id, ServicePurpose.TEST, content)

        return self._store.write(work)

    def _keep(self, test: "_Test", service: Service, outcome: Outcome, provider: str) -> None:
        def work(transaction: Transaction) -> None:
            connection, actor = transaction.connection, Actor(ActorKind.PROVIDER, provider)
            if services.set_outcome(connection, service, outcome, provider, transaction.now, None):
                body = outcome_body(outcome, None)
                transaction.ledger.append(entry("outcome", service, actor, {**body, **test.told()}))

        self._store.write(work)


@dataclass(frozen=True, slots=True)
class _Test:
    """One message of a test before it is handed over."""

    frozen: Frozen
    prepared: Prepared
    person: Person
    actor: Actor
    language: Language
    channel: Channel
    address: str

    def told(self) -> dict[str, Json]:
        """Return what every entry about it says: of which campaign and content, to which person by number."""
        return {
            "name": self.frozen.campaign.name,
            "content": self.frozen.content_hash,
            "person": self.person.id,
        }


def channels_tested(connection: Connection, content_hash: str) -> frozenset[Channel]:
    """Return by which channels a test of exactly this content was handed over to a carrier that took it."""
    wanted = {
        "event": "outcome",
        "purpose": ServicePurpose.TEST.value,
        "content": content_hash,
        "outcome": OutcomeKind.ACCEPTED.value,
    }
    found = ledger.entries_of_nobody(connection, EntryKind.SERVICE.value)
    return frozenset(
        Channel(each.channel)
        for each in found
        if each.channel is not None and wanted.items() <= {key: each.data().get(key) for key in wanted}.items()
    )


def _reach(person: Person) -> Mapping[Channel, str | None]:
    return {Channel.EMAIL: person.email, Channel.SMS: person.phone}


def _untested(channels: Collection[Channel], person: Person) -> list[str]:
    """Return what to say of channels by which nothing could be shown to a person."""
    options = {Channel.EMAIL: "--email ADDRESS", Channel.SMS: "--phone NUMBER"}
    return [
        f"no test went by {channel}: tell where it reaches you with "
        f'`dispatcher person reach "{person.name}" {options[channel]}`'
        for channel in Channel
        if channel in channels
    ]


def _language(campaign: Campaign, language: Language | None) -> Language:
    spoken = [each for each in Language if not campaign.audience.languages or each in campaign.audience.languages]
    if language is not None and language not in spoken:
        raise RefusedError(f"{campaign.name} has no messages in {language}: choose {', '.join(spoken)}.")
    return language or spoken[0]
