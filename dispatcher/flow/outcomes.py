"""What became of a message -> outbox, ledger, and what it says about the address or the client."""

from datetime import datetime

from dispatcher.flow.recording import record_no
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.storage import clients, outbox
from dispatcher.storage.outbox import Claimed
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


class Outcomes:
    """Writes outcomes down."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(
        self, transaction: Transaction, row: Claimed, outcome: Outcome, provider: str, again_at: datetime | None
    ) -> bool:
        """Write an outcome, and say whether it was this worker's to tell.

        `again_at` is when a deferred message may be tried again; a deferral without it is final.
        """
        actor = Actor(ActorKind.PROVIDER, provider)
        mine = outbox.set_outcome(transaction.connection, row, outcome, provider, transaction.now, again_at)
        if not mine:
            return False
        given_up = outcome.kind is OutcomeKind.DEFERRED and again_at is None
        body: dict[str, Json] = {
            "message": row.message_id,
            "outcome": OutcomeKind.REFUSED.value if given_up else outcome.kind.value,
            "code": outcome.code,
            "status": outcome.status,
            "blame": outcome.blame.value,
        }
        if given_up:
            body["given_up"] = True
        if outcome.segments is not None:
            body["segments"] = outcome.segments
        transaction.ledger.append(
            Entry(EntryKind.OUTCOME, actor, client=row.client, campaign=row.campaign, channel=row.channel, body=body)
        )
        if outcome.blame is Blame.ADDRESS and outcome.kind is OutcomeKind.REFUSED:
            self._bury(transaction, row, outcome, actor)
        if outcome.blame is Blame.OBJECTION:
            self._object(transaction, row, actor)
        return True

    def _bury(self, transaction: Transaction, row: Claimed, outcome: Outcome, actor: Actor) -> None:
        """Mark the address dead: no objection, only nothing more there (rules.md, after E-55)."""
        address = row.address
        if address is None:
            return
        code = outcome.status or outcome.code
        clients.mark_dead(transaction.connection, address, code, transaction.now)
        body: dict[str, Json] = {"event": "dead", "address": address, "code": code}
        transaction.ledger.append(Entry(EntryKind.ADDRESS, actor, client=row.client, channel=row.channel, body=body))

    def _object(self, transaction: Transaction, row: Claimed, actor: Actor) -> None:
        """Record what the provider knows: this client said no, to every channel (21610, L-01)."""
        now = transaction.now
        answer = Answer(0, Reply.WITHDRAWN, None, None, now, now, Place.PROVIDER)
        held = clients.read(transaction.connection, [row.client]).get(row.client)
        addresses = {channel: address.canonical for channel, address in held.addresses.items()} if held else {}
        record_no(transaction, self._store.ring, row.client, answer, actor, addresses)
