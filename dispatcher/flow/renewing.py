"""A yes that ends soon -> a page that asks anew -> a new yes; only while the old one stands (L-09)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dispatcher.errors import RefusedError
from dispatcher.flow.answering import Answering, Said
from dispatcher.flow.coverage import coverage
from dispatcher.flow.policy import Policy
from dispatcher.links import Renewal, RenewalLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import masked
from dispatcher.rules.calendar import last_day, local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Consent, ConsentState, Place, Reply
from dispatcher.rules.decision import consent_for
from dispatcher.storage import clients
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import gather
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction
from dispatcher.texts import format_date, text

_ACTOR = Actor(ActorKind.CLIENT)


class Prospect(StrEnum):
    """What may become of a renewal link now."""

    OPEN = "open"
    """The yes it was made for stands: it can be given anew."""
    DONE = "done"
    """It has just been given anew."""
    ALREADY = "already"
    """Another yes stands in its place: this link, or the client elsewhere, has renewed it."""
    ENDED = "ended"
    """The yes has ended; a link in a message lifts no end."""
    CLOSED = "closed"
    """A no, a new address or an erasure came since. Which of them is nobody's business who only has the link."""


@dataclass(frozen=True, slots=True)
class Renewable:
    """What a renewal page shows: the prospect, the channel, the masked address, the client's language.

    `ends_at` is when the standing yes ends (aware UTC); None unless one stands.
    """

    prospect: Prospect
    channel: Channel
    address: str | None = None
    language: Language | None = None
    ends_at: datetime | None = None


class Renewing:
    """Shows and takes the renewal of a yes.

    A link works once by construction, without a row of its own: it names the answer it renews, and after a renewal the
    client's yes rests on another.
    """

    def __init__(self, store: Store, links: RenewalLinks, policy: Policy, answering: Answering) -> None:
        self._store = store
        self._links = links
        self._policy = policy
        self._answering = answering

    def look(self, token: str) -> Renewable:
        """Return what a link can do now, and change nothing. Raises LinkError for a link not made here."""
        link = self._links.read(token)
        with self._store.reading() as connection:
            return self._prospect(connection, link, self._store.clock())

    def renew(self, token: str, language: Language) -> Renewable:
        """Put a new yes on record, to the question that the page showed in this language; durable when this returns.

        Only where the yes behind the link still stands, as decided in the same transaction; else nothing changes, and
        the prospect says why. Raises LinkError for a link not made here and StorageError where nothing could be kept,
        and for a database that is behind its journal: the no that ended the old yes may stand there.
        """
        link = self._links.read(token)
        self._store.check_trusted()
        with self._store.reading() as connection:
            ids = clients.address_ids(connection, [link.client]).get(link.client, [])
        wanted = [Lock(LockKind.ADDRESS, address) for address in ids] + [Lock(LockKind.CLIENT, link.client)]
        try:
            return self._store.write(self._work(link, language), wanted=wanted)
        except RefusedError:
            return Renewable(Prospect.CLOSED, link.channel)

    def day(self, moment: datetime, language: Language) -> str:
        """Return the local day of a moment as the language writes it."""
        return format_date(local_date(moment, self._policy.zone), language)

    def last_day(self, moment: datetime, language: Language) -> str:
        """Return the last local day before a moment, the whole of it, as the language writes it."""
        return format_date(last_day(moment, self._policy.zone), language)

    def _work(self, link: Renewal, language: Language) -> Callable[[Transaction], Renewable]:
        def work(transaction: Transaction) -> Renewable:
            found = self._prospect(transaction.connection, link, transaction.now)
            if found.prospect is not Prospect.OPEN:
                return found
            wording = text(f"renewal_question_{link.channel}", language)
            said = Said(Reply.GRANTED, link.channel, Place.RENEWAL, wording)
            self._answering.record_in(transaction, link.client, [said], _ACTOR)
            return replace(found, prospect=Prospect.DONE, ends_at=transaction.now + self._policy.valid_for)

        return work

    def _prospect(self, connection: Connection, link: Renewal, now: datetime) -> Renewable:
        today = local_date(now, self._policy.zone)
        # The facts of a verdict, so that an objection of the address and a replaced address count here as well.
        known = gather(connection, self._store.ring, [link.client], None, today, now).get(link.client)
        if known is None:
            return Renewable(Prospect.CLOSED, link.channel)
        campaign = self._policy.any_campaign(coverage(connection, self._policy))
        consent = consent_for(known.facts, campaign, link.channel, now)
        prospect = _prospect(consent, link)
        # Who has a link that opens nothing learns nothing by it.
        if prospect in {Prospect.CLOSED, Prospect.ENDED}:
            return Renewable(prospect, link.channel, language=known.client.language)
        address = known.client.addresses.get(link.channel)
        shown = masked(address.canonical) if address else None
        return Renewable(prospect, link.channel, shown, known.client.language, consent.ends_at)


def _prospect(consent: Consent, link: Renewal) -> Prospect:
    if consent.state is ConsentState.GRANTED:
        is_same = consent.answer is not None and consent.answer.entry == link.entry
        return Prospect.OPEN if is_same else Prospect.ALREADY
    return Prospect.ENDED if consent.state is ConsentState.EXPIRED else Prospect.CLOSED
