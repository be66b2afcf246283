"""What a provider tells of a message afterwards -> outbox, ledger, and what it says about the address or the client.

A provider that names our message has taken it, whatever became of its reply: an unknown is accepted then (S-26).
Calls may come twice and in any order; the end is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from dispatcher.flow.breaker import FEEDS, Breaker
from dispatcher.flow.outcomes import judge_address, object_for, outcome_body
from dispatcher.flow.service_entries import entry, receipt_came
from dispatcher.flow.services import object_to
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.decision import Reason
from dispatcher.rules.later import FINAL, Fate, Later, gravest
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.message import Blame, MessageState, Outcome, OutcomeKind, ServicePurpose
from dispatcher.storage import clients, later, outbox, services
from dispatcher.storage.database import Connection
from dispatcher.storage.later import Handed
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.services import Service
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

STATUS_PATH = "/webhooks/twilio/status"
"""Where on our own host Twilio tells what became of a message."""
SHA1, SHA256 = "HMAC_SHA1", "HMAC_SHA256"
"""How Twilio may sign such a call, in its own words (S-32)."""
_LOST = frozenset({MessageState.UNKNOWN, MessageState.ATTEMPTING})
_STATUSES = {each.value: each for each in Later if each is not Later.BOUNCED}
_TO_GO = frozenset({MessageState.WAITING, MessageState.DEFERRED})

BlameOf = Callable[[str], Blame]


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one of our messages: `by` says in a word how, such as "callback".

    `provider_id` is the provider's name for it, "" where it gave none; `fate` how far it came, and its error.
    """

    message_id: str
    provider: str
    provider_id: str
    by: str
    fate: Fate = field(default_factory=Fate)


@dataclass(frozen=True, slots=True)
class Write:
    """What keeps something that was told, with its locks; not `is_news` where it would change nothing."""

    work: Callable[[Transaction], object]
    wanted: list[Lock]
    is_news: bool = True


class Returns:
    """Takes what providers tell afterwards; `blame_of` says whom an error concerns."""

    def __init__(self, store: Store, blame_of: BlameOf) -> None:
        self._store = store
        self._blame_of = blame_of
        self._breaker = Breaker()

    def take(self, told: Told) -> bool:
        """Keep what was told, on disk before it returns, and say whether the message is one of ours.

        Raises JournalError and StorageError where it cannot be kept.
        """
        self._store.check_trusted()
        with self._store.reading() as connection:
            write = self.write_of(connection, told)
        if write is None:
            return False
        self._store.write(write.work, wanted=write.wanted)
        return True

    def write_of(self, connection: Connection, told: Told) -> Write | None:
        """Return the write that keeps what was told, None where the message is not one of ours.

        It is written only where `Store.check_trusted` has nothing to say.
        """
        known = later.find(connection, told.message_id)
        service = None if known else services.find(connection, told.message_id)
        client = known.client if known else service.client if service else None
        addresses = clients.address_ids(connection, [client]).get(client, []) if client is not None else []
        if known is None and service is None:
            return None
        wanted = [Lock(LockKind.CLIENT, client)] if client is not None else []
        if known is not None and FEEDS.intersection(self._blame_of(code) for code in told.fate.codes):
            wanted.append(Lock(LockKind.CAMPAIGN, known.campaign))
        # A no that the provider knows of takes the locks of every other no.
        wanted += [Lock(LockKind.ADDRESS, address) for address in addresses]
        if service is not None:
            return Write(lambda transaction: self._service(transaction, service, told), wanted)
        return Write(lambda transaction: self.settle(transaction, told), wanted, is_news=_is_news(known, told))

    def settle(self, transaction: Transaction, told: Told, actor: Actor | None = None) -> bool:
        """Write what was told of a campaign's message and say whether any of it was news.

        `actor` is who told it, where that was not the provider. The transaction holds the locks of the message's client
        and of their addresses, and of its campaign where an error speaks of us rather than of the client.
        """
        found = later.find(transaction.connection, told.message_id, for_update=True)
        if found is None:
            return False
        actor = actor or Actor(ActorKind.PROVIDER, told.provider)
        is_news = self._taken(transaction, found, told, actor)
        fate = found.fate.joined(told.fate)
        if fate == found.fate:
            return is_news
        new = {code: self._blame_of(code) for code in sorted(fate.codes - found.fate.codes)}
        blame = gravest(self._blame_of(code) for code in fate.codes)
        later.set_fate(transaction.connection, found.id, fate, blame)
        if (fate.later in FINAL and fate.later is not found.fate.later) or new:
            transaction.ledger.append(_later_entry(found, fate, actor))
        for code, concerns in new.items():
            self._conclude(transaction, found, code, concerns, actor)
        self._breaker.look(transaction, found.channel, [(found.campaign, each) for each in new.values()])
        return True

    def _taken(self, transaction: Transaction, found: Handed, told: Told, actor: Actor) -> bool:
        """Write that the provider has the message, where that was not known; say whether it was news."""
        connection, now = transaction.connection, transaction.now
        if found.state in _LOST:
            later.set_accepted(connection, found.id, told.by, told.provider, told.provider_id, now)
            transaction.ledger.append(accepted_entry(found, told.by, actor))
        elif found.state in _TO_GO:
            # It was said not to have been taken, and it was: what matters is that it does not go a second time.
            reason = Reason.ALREADY_SENT_OR_UNKNOWN.value
            outbox.set_withheld(connection, found.id, reason)
            later.set_provider_id(connection, found.id, told.provider, told.provider_id)
            body: dict[str, Json] = {"reason": reason, "at": told.by, "message": found.message_id}
            transaction.ledger.append(
                Entry(EntryKind.WITHHELD, actor, client=found.client, campaign=found.campaign, body=body)
            )
        elif found.provider_id is None and told.provider_id and found.state is not MessageState.WITHHELD:
            later.set_provider_id(connection, found.id, told.provider, told.provider_id)
        else:
            return False
        return True

    def _conclude(self, transaction: Transaction, found: Handed, code: str, blame: Blame, actor: Actor) -> None:
        """Draw from an error what it says about the address or the client, as from one told at the hand-off."""
        if blame is Blame.OBJECTION:
            object_for(transaction, self._store.ring, found.client, actor)
        else:
            refused = Outcome(OutcomeKind.REFUSED, code, blame=blame)
            judge_address(transaction, found.address, found.channel, found.client, refused, actor)

    def _service(self, transaction: Transaction, service: Service, told: Told) -> None:
        """Write what was told of a service message: that it was taken, and what its error says about the address."""
        connection, actor = transaction.connection, Actor(ActorKind.PROVIDER, told.provider)
        now = transaction.now
        if services.set_taken(connection, service, told.by, told.provider, told.provider_id, now):
            accepted = Outcome(OutcomeKind.ACCEPTED, told.by)
            transaction.ledger.append(entry("outcome", service, actor, outcome_body(accepted, None)))
            if service.purpose is ServicePurpose.RECEIPT:
                receipt_came(transaction, service, actor)
        for code in sorted(told.fate.codes):
            blame = self._blame_of(code)
            if not services.set_error(connection, service, code):
                continue
            if blame is Blame.OBJECTION:
                object_to(transaction, self._store.ring, service, actor)
            else:
                address = clients.address_id(connection, service.channel, service.recipient)
                refused = Outcome(OutcomeKind.REFUSED, code, blame=blame)
                judge_address(transaction, address, service.channel, service.client, refused, actor)


def _is_news(found: Handed | None, told: Told) -> bool:
    """Say whether what was told may change what is known of a campaign's message."""
    if found is None or found.state in _LOST | _TO_GO:
        return True
    return (found.provider_id is None and bool(told.provider_id)) or found.fate.joined(told.fate) != found.fate


def accepted_entry(found: Handed, by: str, actor: Actor) -> Entry:
    """Return the outcome of a message of which it became known afterwards that it had been taken."""
    return outcome_entry(found, Outcome(OutcomeKind.ACCEPTED, by), actor)


def outcome_entry(found: Handed, outcome: Outcome, actor: Actor) -> Entry:
    """Return the outcome of a message of which nobody knew what had become."""
    body = {"message": found.message_id, **outcome_body(outcome, None)}
    return Entry(
        EntryKind.OUTCOME, actor, client=found.client, campaign=found.campaign, channel=found.channel, body=body
    )


def _later_entry(found: Handed, fate: Fate, actor: Actor) -> Entry:
    """Return what was told after the outcome; `was` is what had been told before, so that nothing counts twice."""
    body: dict[str, Json] = {
        "message": found.message_id,
        "later": fate.later.value if fate.later else None,
        "was": found.fate.later.value if found.fate.later else None,
        "codes": sorted(fate.codes),
    }
    return Entry(EntryKind.LATER, actor, client=found.client, campaign=found.campaign, channel=found.channel, body=body)


def text_fate(status: str, code: str) -> Fate:
    """Return the fate that a text message's status and error tell, in Twilio's words; one it has not, tells nothing."""
    told = _STATUSES.get(status)
    is_code = code.isascii() and code.isdecimal() and len(code) < 7 and int(code) > 0
    return Fate(told, frozenset({code}) if is_code else frozenset())
