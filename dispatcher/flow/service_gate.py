"""The verdict of a service message at hand-off, in the transaction of its intent, and the message itself."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from dispatcher.errors import RenderingError
from dispatcher.flow.policy import Policy
from dispatcher.flow.service_entries import entry
from dispatcher.links import Confirm, ConfirmLinks, MailAddresses, OptOut, OptOutLinks
from dispatcher.rendering.alert import Alert
from dispatcher.rendering.mime import Envelope
from dispatcher.rendering.service import Confirmation, Letter, Receipt, ServiceRenderer, Stopped
from dispatcher.rules import validity
from dispatcher.rules.actor import ActorKind, duty
from dispatcher.rules.alerts import AlertKind
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Consent, ConsentState, Place, fold
from dispatcher.rules.message import ServiceMessage, ServicePurpose
from dispatcher.rules.service import (
    MONTH,
    ServiceFacts,
    ServiceReason,
    ServiceVerdict,
    ServiceWait,
    ServiceWithhold,
    decide_service,
)
from dispatcher.storage import alerts, answers, clients, persons, services, sign_ups
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import gather
from dispatcher.storage.services import Asked, Service
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import wording_texts
from dispatcher.storage.writer import Transaction

_ACTOR = duty("services")


@dataclass(frozen=True, slots=True)
class ServiceGate:
    """Decides whether a service message may be handed over now, and makes it."""

    store: Store
    policy: Policy
    renderer: ServiceRenderer
    opt_out_links: OptOutLinks
    confirm_links: ConfirmLinks
    addresses: MailAddresses | None = None
    """What makes the addresses that answer a mail, where an inbox is read."""

    def foresee(self, connection: Connection, asked: Asked, asked_by: ActorKind, now: datetime) -> ServiceVerdict:
        """Return what the verdict would be of a message that is about to be asked for; nothing is changed."""
        return decide_service(self._facts(connection, asked, asked_by, now, now, wanted=True), now)

    def decide(self, transaction: Transaction, service: Service) -> tuple[Service, ServiceMessage] | None:
        """Take the verdict and, where it lets the message go, write its intent; None where it does not go now.

        Raises JournalError while the database waits for its replay.
        """
        connection, now = transaction.connection, transaction.now
        if not services.is_still_due(connection, service, now):
            return None
        letter = self._letter(connection, service, now)
        asked_by = ActorKind(service.details["asked_by"])
        facts = self._facts(connection, service, asked_by, service.asked_at, now, wanted=letter is not None)
        facts = self._of_client(connection, service, facts, now)
        verdict = decide_service(facts, now)
        if isinstance(verdict, ServiceWait):
            services.set_waiting(connection, service, verdict.reason.value, verdict.until)
            return None
        if isinstance(verdict, ServiceWithhold) or letter is None:
            reason = verdict.reason if isinstance(verdict, ServiceWithhold) else ServiceReason.NO_LONGER_ASKED_FOR
            self._withhold(transaction, service, reason)
            return None
        try:
            message = self._message(service, letter, now)
        except RenderingError:
            self._withhold(transaction, service, ServiceReason.CANNOT_BE_WRITTEN)
            return None
        intended = services.set_intent(connection, service, now, local_date(now, self.policy.zone))
        transaction.ledger.append(entry("sent", service, _ACTOR, {"attempt": intended.attempts}))
        return intended, message

    def _withhold(self, transaction: Transaction, service: Service, reason: ServiceReason) -> None:
        services.set_withheld(transaction.connection, service, reason.value)
        transaction.ledger.append(entry("withheld", service, _ACTOR, {"reason": reason.value}))

    def _message(self, service: Service, letter: Letter | Stopped | Alert, now: datetime) -> ServiceMessage:
        if isinstance(letter, Stopped) or (service.channel is Channel.SMS and not isinstance(letter, Alert)):
            sms = self.renderer.sms(letter, service.recipient)
            seconds = validity.of_service(self.policy.windows, now)
            return ServiceMessage(service.message_id, service.purpose, replace(sms, validity_seconds=seconds))
        ways_back = self.addresses.of_service(service.client, service.message_id) if self.addresses else None
        envelope = Envelope(service.recipient, service.message_id, now, ways_back)
        return ServiceMessage(service.message_id, service.purpose, self.renderer.email(letter, envelope))

    def _letter(self, connection: Connection, service: Service, now: datetime) -> Letter | Stopped | Alert | None:
        """Return what a message says, or None where what it is about no longer stands."""
        if service.purpose is ServicePurpose.STOPPED:
            return Stopped(service.language)
        if service.purpose is ServicePurpose.CONFIRMATION:
            return self._confirmation(connection, service, now)
        if service.purpose is ServicePurpose.REPORT:
            return self._alert(connection, service)
        return self._receipt(connection, service, now)

    def _confirmation(self, connection: Connection, service: Service, now: datetime) -> Confirmation | None:
        number = int(service.details["sign_up"])
        waiting = sign_ups.find(connection, number, now)
        question = _question(connection, waiting.wording) if waiting else None
        if waiting is None or question is None:
            return None
        link = self.confirm_links.url(Confirm(number, service.channel))
        until = local_date(waiting.expires_at, self.policy.zone)
        return Confirmation(waiting.language, question, link, until, is_change=waiting.wish is not None)

    def _alert(self, connection: Connection, service: Service) -> Alert | None:
        """Return an alert to a person who works here and has that address still, about a matter that still stands."""
        told = dict(service.details)
        kind, number = AlertKind(told.pop("alert_kind")), int(told.pop("alert"))
        del told["asked_by"]
        wants = any(
            person.id == service.person and person.email == service.recipient and person.ended_at is None
            for person in persons.everyone(connection)
        )
        if not wants or not alerts.stands(connection, number):
            return None
        return Alert(service.language, kind, told)

    def _receipt(self, connection: Connection, service: Service, now: datetime) -> Receipt | None:
        client, channel = service.client or 0, service.channel
        known = gather(connection, self.store.ring, [client], None, local_date(now, self.policy.zone), now).get(client)
        held = known.client.addresses.get(channel) if known else None
        if known is None or held is None or held.canonical != service.recipient or not held.awaits_receipt:
            return None
        if fold(known.facts.answers, channel, now, self.policy.valid_for).state is not ConsentState.GRANTED:
            return None
        question = _question(connection, service.details["wording"])
        if question is None:
            return None
        link = self.opt_out_links.url(OptOut(client, channel))
        day, place = date.fromisoformat(service.details["day"]), Place(service.details["place"])
        return Receipt(service.language, question, link, day, place)

    def _facts(
        self,
        connection: Connection,
        about: Asked | Service,
        asked_by: ActorKind,
        asked_at: datetime,
        now: datetime,
        *,
        wanted: bool,
    ) -> ServiceFacts:
        today = local_date(now, self.policy.zone)
        address = clients.address_id(connection, about.channel, about.recipient)
        return ServiceFacts(
            purpose=about.purpose,
            channel=about.channel,
            asked_by=asked_by,
            asked_at=asked_at,
            windows=self.policy.windows,
            to_person=about.person is not None,
            wanted=wanted,
            dead=address is not None and clients.is_dead(connection, address),
            authorised=about.channel in self.policy.authorised,
            days=services.days_of(connection, about.channel, about.recipient, today - MONTH),
            objected_on=self._objected_on(connection, about.channel, about.recipient, address, now),
        )

    def _of_client(self, connection: Connection, service: Service, facts: ServiceFacts, now: datetime) -> ServiceFacts:
        """Add what is known of the client a message goes to: whose receipt it is, or who alone has the address."""
        address = (service.channel, service.recipient)
        holders = clients.by_address(connection, [address]).get(address, frozenset())
        number = service.client or (next(iter(holders)) if len(holders) == 1 else 0)
        today = local_date(now, self.policy.zone)
        known = gather(connection, self.store.ring, [number], None, today, now).get(number)
        if known is None:
            return facts
        marks = known.facts
        return replace(facts, child=marks.child, restricted=marks.restricted, suspended=marks.suspended)

    def _objected_on(
        self, connection: Connection, channel: Channel, canonical: str, address: int | None, now: datetime
    ) -> date | None:
        """Return the local date of the last objection that stands at an address, of a client or of a stranger."""
        today = local_date(now, self.policy.zone)
        holders = clients.by_address(connection, [(channel, canonical)]).get((channel, canonical), frozenset())
        known = gather(connection, self.store.ring, holders, None, today, now)
        told = [list(each.facts.answers) for each in known.values()]
        if not told:
            # Nobody has the address: only what was kept of strangers and of the erased speaks.
            row = address or 0
            told += answers.suppressed(connection, self.store.ring, {(channel, canonical): row}, now).values()
        dates = [_objection_date(fold(given, channel, now), self.policy) for given in told]
        return max((each for each in dates if each is not None), default=None)


def _question(connection: Connection, wording: str) -> str | None:
    return wording_texts(connection, [wording]).get(wording)


def _objection_date(consent: Consent, policy: Policy) -> date | None:
    if not consent.objected or consent.answer is None:
        return None
    return local_date(consent.answer.latest(), policy.zone)
