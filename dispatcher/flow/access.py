"""A client who asks what is kept of them -> everything, for machines and for people (L-30, Articles 15 and 20)."""

import email
import email.policy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, cast

from dispatcher.errors import RenderingError
from dispatcher.flow.coverage import coverage
from dispatcher.flow.evidence import events_of, in_force, shown
from dispatcher.flow.inbox import Unseal
from dispatcher.flow.known import unknown
from dispatcher.flow.papers import Papers
from dispatcher.flow.persons import check_sees_whole
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Press
from dispatcher.flow.requests import Requests
from dispatcher.rendering.document import Document
from dispatcher.rules import receipt
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer
from dispatcher.rules.decision import Reason, Send, consent_for
from dispatcher.rules.incoming import Settled
from dispatcher.rules.ledger import EntryKind, Json, stamp
from dispatcher.rules.message import Email
from dispatcher.rules.processing import Processing
from dispatcher.rules.receipt import Event
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.rules.stop_words import NOES
from dispatcher.storage import answers, campaigns, dossier, incoming, notices, requests, soft_bounces, texts_in
from dispatcher.storage.clients import Client, HeldAddress
from dispatcher.storage.database import Connection
from dispatcher.storage.dossier import Block, Kept, Profile, Sent, Served
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.incoming import Incoming as Waiting
from dispatcher.storage.ledger import entries_of_clients
from dispatcher.storage.requests import Request
from dispatcher.storage.store import Store
from dispatcher.storage.texts_in import Dealt
from dispatcher.texts import reason_text

_WHAT = "a client's copy"


@dataclass(frozen=True, slots=True)
class Content:
    """The words of a message, made anew from the frozen templates; a text message has no subject."""

    subject: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Received:
    """What the client sent that waits for a person or has; `text` only of a text message whose words are still kept."""

    waiting: Waiting
    text: str | None


@dataclass(frozen=True, slots=True)
class Copy:
    """Everything kept of one client at one moment; `contents` are by message id, of those that left or may have."""

    made_at: datetime
    language: Language
    client: Client
    profile: Profile
    known: Known
    consents: Mapping[Channel, tuple[str, datetime | None]]
    events: tuple[Event, ...]
    messages: tuple[Sent, ...]
    contents: Mapping[str, Content]
    services: tuple[Served, ...]
    suppressions: tuple[Kept, ...]
    requests: tuple[Request, ...]
    blocks: tuple[Block, ...]
    received: tuple[Received, ...]
    texts: tuple[Dealt, ...]
    bounces: Mapping[int, Sequence[tuple[str, datetime]]]


class Access:
    """Makes the copy of a client's data."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        press: Press,
        processing: Processing,
        requests_: Requests,
        unseal: Unseal,
    ) -> None:
        self._store = store
        self._unseal = unseal
        self._requests = requests_
        self._policy = policy
        self._press = press
        self._processing = processing
        self._papers = Papers(processing, policy.zone)

    def asked(
        self, client: int, identity: IdentityCheck | None, actor: Actor, language: Language | None = None
    ) -> tuple[int, Copy]:
        """Put on record that a client asks for a copy, and return the request's number and the copy.

        Raises NotFoundError, and RefusedError while nobody has checked who asks; for an actor who may not see clients
        whole nothing is put on record.
        """
        with self._store.reading() as connection:
            check_sees_whole(connection, actor, _WHAT)
        request = self._requests.begin(client, RequestKind.ACCESS, identity, actor)
        return request, self.copy(client, actor, language)

    def copy(self, client: int, actor: Actor, language: Language | None = None) -> Copy:
        """Return everything that is kept of a client, in their language unless another is asked for.

        Raises NotFoundError, and RefusedError for an actor who may not see clients whole.
        """
        now = self._store.clock()
        with self._store.reading() as connection:
            check_sees_whole(connection, actor, _WHAT)
            profile = dossier.profile(connection, client)
            today = local_date(now, self._policy.zone)
            known = gather(connection, self._store.ring, [client], None, today, now).get(client)
            if profile is None or known is None:
                raise unknown(client)
            spoken = language or profile.language
            notice = in_force(notices.published(connection), self._processing.studio.notice_in(spoken), spoken)
            facts = self._policy.any_campaign(coverage(connection, self._policy))
            folded = {channel: consent_for(known.facts, facts, channel, now) for channel in Channel}
            held = {channel: address.canonical for channel, address in known.client.addresses.items()}
            sent = dossier.messages(connection, client)
            return Copy(
                made_at=now,
                language=spoken,
                client=known.client,
                profile=profile,
                known=known,
                consents={channel: (consent.state.value, consent.ends_at) for channel, consent in folded.items()},
                events=tuple(events_of(connection, client, known.facts.answers, notice)),
                messages=tuple(sent),
                contents=self._contents(connection, known.client, sent),
                services=tuple(dossier.services(connection, client)),
                suppressions=tuple(dossier.suppressions(connection, self._store.ring, held, now)),
                requests=tuple(requests.every(connection, client=client)),
                blocks=tuple(dossier.blocks(connection, client)),
                received=tuple(self._received(connection, client, now)),
                texts=tuple(texts_in.of(connection, client)),
                bounces=soft_bounces.of(connection, [each.id for each in known.client.addresses.values()]),
            )

    def as_json(self, copy: Copy) -> dict[str, Json]:
        """Return a copy with stable keys (docs/rights.md): what a client can take elsewhere; times are UTC."""
        zone, about = self._policy.zone, self._processing
        return {
            "format": "consent-dispatcher/access/1",
            "made_at": stamp(copy.made_at),
            "language": copy.language.value,
            "controller": receipt.parties(about)[0],
            "client": _plain(asdict(copy.profile)),
            "addresses": {
                channel.value: _address(held, copy.bounces.get(held.id, ()))
                for channel, held in copy.client.addresses.items()
            },
            "consent": {
                channel.value: {"state": state, "ends_at": stamp(ends) if ends else None}
                for channel, (state, ends) in copy.consents.items()
            },
            "answers": [_answer(each) for each in copy.events],
            "messages": [
                _plain(asdict(each))
                | {"subject": content.subject if content else None, "text": content.text if content else None}
                for each in copy.messages
                for content in [copy.contents.get(each.message_id)]
            ],
            "service_messages": [_plain(asdict(each)) for each in copy.services],
            "suppressions": [_plain(asdict(each)) for each in copy.suppressions],
            "requests": [each.as_json() for each in copy.requests],
            "blocks": [_plain(asdict(each)) for each in copy.blocks],
            "received": [each.waiting.as_json() | {"text": each.text} for each in copy.received],
            "texts": [{"at": stamp(each.at), "taken_for": each.said} for each in copy.texts],
            "purposes": ["direct_marketing", "evidence_of_consent"],
            "profiling": False,
            "automated_decisions": False,
            "sources": ["booking_system", "client", "message_provider"],
            "recipients": [_plain(asdict(each)) for each in about.processors],
            "periods": _plain(asdict(about.periods)),
            "rights": ["access", "correction", "erasure", "restriction", "objection", "portability", "withdrawal"],
            "authority": receipt.parties(about)[-1],
            "privacy_notice": about.studio.notice_in(copy.language),
            "zone": zone.key,
        }

    def paper(self, copy: Copy) -> Document:
        """Return a copy as a person reads it."""
        zone, language = self._policy.zone, copy.language
        values = {
            "made_at": copy.made_at,
            "profile": copy.profile,
            "addresses": [
                {
                    "channel": channel.value,
                    "address": held.canonical,
                    "dead": held.dead,
                    "changed_at": held.changed_at,
                }
                for channel, held in copy.client.addresses.items()
            ],
            "consents": [
                {"channel": channel.value, "state": state, "ends_at": ends}
                for channel, (state, ends) in copy.consents.items()
            ],
            "answers": [shown(each, language, zone) for each in copy.events],
            "messages": [_message(each, copy.contents.get(each.message_id), language) for each in copy.messages],
            "services": [
                asdict(each) | {"channel": each.channel.value, "at": each.outcome_at or each.asked_at}
                for each in copy.services
            ],
            "suppressions": copy.suppressions,
            "requests": copy.requests,
            "blocks": copy.blocks,
            "received": _came_in(copy),
        }
        return self._papers.write("export", language, values)

    def _received(self, connection: Connection, client: int, now: datetime) -> Iterator[Received]:
        for each in incoming.listed(connection, only_waiting=False, client=client):
            sealed = incoming.sealed_text(connection, each.id, now)
            yield Received(each, self._unseal(each, sealed) if sealed is not None else None)

    def _contents(self, connection: Connection, client: Client, sent: list[Sent]) -> dict[str, Content]:
        """Return the words of what left, made from the bytes each campaign was frozen with."""
        relied = {
            str(body["message"]): body["answer"]
            for body in (
                entry.data() for entry in entries_of_clients(connection, EntryKind.SEND.value, [client.number])
            )
        }
        given = {each.entry: each for each in answers.of_clients(connection, [client.number]).get(client.number, [])}
        found = {}
        for each in sent:
            answer = given.get(cast("int", relied.get(each.message_id)))
            if each.intent_at is not None and each.channel is not None and answer is not None:
                content = self._content(connection, client, each, answer)
                if content is not None:
                    found[each.message_id] = content
        return found

    def _content(self, connection: Connection, client: Client, sent: Sent, answer: Answer) -> Content | None:
        """Return the words of one message, or None where its address or its templates can no longer be used."""
        if sent.channel is None or sent.address is None or sent.intent_at is None:
            return None
        who = replace(client, addresses={sent.channel: HeldAddress(0, sent.address)})
        try:
            prepared = self._press.frozen(connection, campaigns.by_id(connection, sent.campaign))
            message = prepared.message(
                who, Send(sent.channel, answer), sent.message_id, sent.intent_at, is_shared=False
            ).content
        except RenderingError:
            return None
        if not isinstance(message, Email):
            return Content(None, message.text)
        mail = email.message_from_bytes(message.content, policy=email.policy.default)
        body = mail.get_body(("plain",))
        return Content(str(mail["Subject"]), body.get_content() if body else "")


def _came_in(copy: Copy) -> list[dict[str, object]]:
    """Return what the client sent, the oldest first; a text that waits for nobody stands with what it was taken for."""
    waits: list[dict[str, object]] = [
        {
            "at": each.waiting.at,
            "channel": each.waiting.channel.value,
            "settled": each.waiting.settled.value if each.waiting.settled else None,
            "text": each.text,
        }
        for each in copy.received
    ]
    told = {each.waiting.key for each in copy.received}
    waits += [
        {
            "at": each.at,
            "channel": Channel.SMS.value,
            "settled": (Settled.WITHDRAWN if each.said in NOES else Settled.RELEASED).value,
            "text": None,
        }
        for each in copy.texts
        if each.sid not in told
    ]
    return sorted(waits, key=lambda each: str(each["at"]))


def _address(held: HeldAddress, bounces: Iterable[tuple[str, datetime]]) -> dict[str, Json]:
    return {
        "address": held.canonical,
        "dead": held.dead,
        "changed_at": stamp(held.changed_at) if held.changed_at else None,
        "awaits_receipt": held.awaits_receipt,
        "soft_bounces": [{"kind": kind, "at": stamp(at)} for kind, at in bounces],
    }


def _answer(event: Event) -> dict[str, Json]:
    answer = event.answer
    return {
        "reply": answer.reply.value,
        "channel": answer.channel.value if answer.channel else None,
        "not_before": stamp(answer.not_before) if answer.not_before else None,
        "not_after": stamp(answer.not_after) if answer.not_after else None,
        "recorded_at": stamp(answer.recorded_at),
        "place": answer.place.value if answer.place else None,
        "recorded_by": event.collector,
        "wording": event.wording,
        "wording_sha256": answer.wording,
        "notice_version": event.notice.version,
        "source": answer.source,
    }


def _message(sent: Sent, content: Content | None, language: Language) -> dict[str, object]:
    known = sent.reason in set(Reason)
    return {
        "title": sent.title,
        "at": sent.intent_at or sent.planned_at,
        "channel": sent.channel.value if sent.channel else None,
        "state": sent.state,
        "reason": reason_text(Reason(sent.reason), language) if sent.reason and known else sent.reason,
        "address": sent.address,
        "subject": content.subject if content else None,
        "text": content.text if content else None,
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Json]:
    """Return values as JSON writes them: times as the ledger does, days as ISO 8601."""

    def plain(value: Any) -> Json:
        if isinstance(value, datetime):
            return stamp(value)
        return value.isoformat() if isinstance(value, date) else value

    return {name: plain(value) for name, value in values.items()}
