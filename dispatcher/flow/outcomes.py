"""What became of a message -> outbox, ledger, and what it says about the address, the client, the channel."""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.flow import soft_bounces
from dispatcher.flow.breaker import Breaker
from dispatcher.flow.pacing import Pacing
from dispatcher.flow.recording import record_no
from dispatcher.keys import KeyRing
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.rules.values import value
from dispatcher.storage import clients, handoffs
from dispatcher.storage.handoffs import Claimed
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


@value
class Settled:
    """A message and its outcome; `again_at` is when a deferred one may be tried again, without it that is final."""

    row: Claimed
    outcome: Outcome
    again_at: datetime | None = None


class Outcomes:
    """Writes outcomes down."""

    def __init__(self, store: Store, pacing: Pacing, breaker: Breaker) -> None:
        self._store = store
        self._pacing = pacing
        self._breaker = breaker

    def write(self, transaction: Transaction, settled: Sequence[Settled], channel: Channel, provider: str) -> bool:
        """Write outcomes of one channel; one that is no longer this worker's to tell changes nothing.

        Return whether a campaign was held for them.
        """
        actor, connection, now = Actor(ActorKind.PROVIDER, provider), transaction.connection, transaction.now
        told = [(each.row, each.outcome, each.again_at) for each in settled]
        held = handoffs.set_outcomes(connection, told, provider, now)
        mine = [each for each in settled if each.row.id in held]
        transaction.ledger.append(*(_entry(each, actor) for each in mine))
        for each in mine:
            if has_ended(each.outcome, each.again_at):
                judge_address(transaction, each.row.address, each.row.channel, each.row.client, each.outcome, actor)
            if each.outcome.blame is Blame.OBJECTION:
                object_for(transaction, self._store.ring, each.row.client, actor)
        self._pacing.heard(connection, channel, [each.outcome for each in mine], now)
        return self._breaker.look(transaction, channel, [(each.row.campaign, each.outcome.blame) for each in mine])


def has_ended(outcome: Outcome, again_at: datetime | None) -> bool:
    """Say whether this was a message's last no: a refusal, or a deferral that is given up."""
    return outcome.kind is OutcomeKind.REFUSED or (outcome.kind is OutcomeKind.DEFERRED and again_at is None)


def judge_address(
    transaction: Transaction, address: int | None, channel: Channel, client: int | None, outcome: Outcome, actor: Actor
) -> None:
    """Draw from a message's last no what it says of its address: dead at once, or dead once it was so for long."""
    is_dead = outcome.blame is Blame.ADDRESS and outcome.kind is OutcomeKind.REFUSED
    if is_dead or soft_bounces.note(transaction, address, outcome.blame):
        bury(transaction, address, channel, client, outcome, actor)


def bury(
    transaction: Transaction, address: int | None, channel: Channel, client: int | None, outcome: Outcome, actor: Actor
) -> None:
    """Mark the address dead: no objection, only nothing more there (rules.md, after E-55)."""
    if address is None:
        return
    code = outcome.status or outcome.code
    clients.mark_dead(transaction.connection, address, code, transaction.now)
    body: dict[str, Json] = {"event": "dead", "address": address, "code": code}
    transaction.ledger.append(Entry(EntryKind.ADDRESS, actor, client=client, channel=channel, body=body))


def object_for(transaction: Transaction, ring: KeyRing, client: int, actor: Actor) -> None:
    """Record what the provider knows: this client said no, to every channel (21610, L-01)."""
    now = transaction.now
    answer = Answer(0, Reply.WITHDRAWN, None, None, now, now, Place.PROVIDER)
    held = clients.read(transaction.connection, [client]).get(client)
    addresses = {channel: address.canonical for channel, address in held.addresses.items()} if held else {}
    record_no(transaction, ring, client, answer, actor, addresses.items())


def outcome_body(outcome: Outcome, again_at: datetime | None) -> dict[str, Json]:
    """Return what the ledger keeps of an outcome; a deferral that is not tried again is a refusal, given up."""
    given_up = outcome.kind is OutcomeKind.DEFERRED and again_at is None
    body: dict[str, Json] = {
        "outcome": OutcomeKind.REFUSED.value if given_up else outcome.kind.value,
        "code": outcome.code,
        "status": outcome.status,
        "blame": outcome.blame.value,
    }
    if given_up:
        body["given_up"] = True
    if outcome.segments is not None:
        body["segments"] = outcome.segments
    return body


def _entry(each: Settled, actor: Actor) -> Entry:
    row = each.row
    body = {"message": row.message_id, **outcome_body(each.outcome, each.again_at)}
    return Entry(EntryKind.OUTCOME, actor, client=row.client, campaign=row.campaign, channel=row.channel, body=body)
