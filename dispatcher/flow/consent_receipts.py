"""What a client gets to show what they agreed to and refused: consent receipts, for machines and for people (D-01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from dispatcher.flow.coverage import coverage
from dispatcher.flow.evidence import InForce, events_of, in_force, shown
from dispatcher.flow.known import unknown
from dispatcher.flow.papers import Papers
from dispatcher.flow.persons import check_sees_whole
from dispatcher.flow.policy import Policy
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rendering.document import Document
from dispatcher.rules import receipt, receipt_forms
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import ConsentState
from dispatcher.rules.decision import consent_for
from dispatcher.rules.ledger import Json
from dispatcher.rules.processing import Processing
from dispatcher.rules.receipt import Event, Subject
from dispatcher.storage import installation, notices
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import gather
from dispatcher.storage.store import Store
from dispatcher.texts import text


class ReceiptForm(StrEnum):
    """The field names a receipt is written in."""

    TS_27560 = "27560"
    KANTARA = "kantara"
    DPV = "dpv"


@dataclass(frozen=True, slots=True)
class Record:
    """The record of one channel: whom it is about, and every answer with its evidence."""

    subject: Subject
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt for a client, made at one moment: one record a channel."""

    client: Client
    language: Language
    issued_at: datetime
    records: Sequence[Record]


class ConsentReceipts:
    """Makes receipts of consent."""

    def __init__(self, store: Store, policy: Policy, processing: Processing, links: OptOutLinks) -> None:
        self._store = store
        self._policy = policy
        self._processing = processing
        self._links = links
        self._papers = Papers(processing, policy.zone)

    def make(self, client: int, channels: Sequence[Channel], actor: Actor, language: Language | None = None) -> Receipt:
        """Return the receipt of a client for these channels, in their own language unless another is asked for.

        What the answers mean now is what the gate would say. Raises NotFoundError, and RefusedError for an actor who
        may not see clients whole.
        """
        now = self._store.clock()
        today = local_date(now, self._policy.zone)
        with self._store.reading() as connection:
            check_sees_whole(connection, actor, "a receipt")
            known = gather(connection, self._store.ring, [client], None, today, now).get(client)
            if known is None:
                raise unknown(client)
            spoken = language or known.client.language
            facts = self._policy.any_campaign(coverage(connection, self._policy))
            workspace = installation.workspace_of(self._store.journal)
            notice = self._in_force(connection, spoken)
            events = events_of(connection, client, known.facts.answers, notice)
        records = []
        for channel in channels:
            consent = consent_for(known.facts, facts, channel, now)
            stands = consent.answer if consent.state is ConsentState.GRANTED else None
            given = stands.not_before if stands else None
            subject = Subject(
                workspace,
                client,
                spoken,
                channel,
                text(f"purpose_{channel}", spoken),
                consent,
                notice(given or now),
                self._ways_out(client, channel),
            )
            records.append(Record(subject, [each for each in events if each.answer.concerns(channel)]))
        return Receipt(known.client, spoken, now, records)

    def as_json(self, made: Receipt, form: ReceiptForm = ReceiptForm.TS_27560) -> dict[str, Json]:
        """Return a receipt with stable keys, in the field names of this form."""
        zone, about = self._policy.zone, self._processing
        if form is ReceiptForm.KANTARA:
            return {"receipts": [receipt_forms.kantara(each.subject, each.events, about) for each in made.records]}
        if form is ReceiptForm.DPV:
            return {"receipts": [receipt_forms.dpv(each.subject, each.events, about, zone) for each in made.records]}
        records = [receipt.record(each.subject, each.events, about, zone) for each in made.records]
        return receipt.receipt(records, made.issued_at, zone)

    def paper(self, made: Receipt) -> Document:
        """Return a receipt as a person reads it."""
        client, zone, about = made.client, self._policy.zone, self._processing.studio
        parties = [
            ", ".join(str(party[key]) for key in ("party_name", "party_address"))
            for party in receipt.parties(self._processing)[:-1]
        ]
        values = {
            "name": f"{client.first_name} {client.last_name}".strip(),
            "number": client.number,
            "issued_at": made.issued_at,
            "receipt_id": self.as_json(made)["receipt_id"],
            "records": [self._shown(each, client, zone) for each in made.records],
            "withdrawal": [made.records[0].subject.withdrawal[0], about.phone, about.email],
            "parties": parties,
        }
        return self._papers.write("receipt", made.language, values)

    def _shown(self, record: Record, client: Client, zone: ZoneInfo) -> dict[str, object]:
        subject = record.subject
        held = client.addresses.get(subject.channel)
        return {
            "channel": subject.channel.value,
            "state": subject.consent.state.value,
            "ends_at": subject.consent.ends_at,
            "address": held.canonical if held else None,
            "events": [shown(each, subject.language, zone) for each in record.events],
        }

    def _ways_out(self, client: int, channel: Channel) -> list[str]:
        studio = self._processing.studio
        link = self._links.url(OptOut(client, channel))
        return [link, f"tel:{studio.phone.replace(' ', '')}", f"mailto:{studio.email}", "in-person"]

    def _in_force(self, connection: Connection, language: Language) -> InForce:
        return in_force(notices.published(connection), self._processing.studio.notice_in(language), language)
