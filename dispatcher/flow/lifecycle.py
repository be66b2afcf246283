"""What the owner, or the program's own caution, does to a campaign that has its slot: hold, release, cancel."""

from datetime import datetime

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import MOVES, State
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import campaigns, outbox
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.outbox import Tally
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

LATE = "late"
"""Why a campaign is held whose moment passed while nothing ran (design.md, invariant 6)."""


class Lifecycle:
    """Looks at campaigns and moves them between the states of their life."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def all(self) -> list[Scheduled]:
        """Return every campaign that has been scheduled, by its moment."""
        with self._store.reading() as connection:
            return campaigns.all_scheduled(connection)

    def named(self, name: str) -> Scheduled:
        """Return the campaign of this name. Raises NotFoundError."""
        with self._store.reading() as connection:
            found = campaigns.by_name(connection, name)
        if found is None:
            raise NotFoundError(f"No campaign {name!r} has been scheduled: run `dispatcher campaign list`.")
        return found

    def tallies(self, campaign: int) -> list[Tally]:
        """Return how many messages of a campaign stand where."""
        with self._store.reading() as connection:
            return outbox.tallies(connection, campaign)

    def next_due(self, campaign: int) -> datetime | None:
        """Return when the next waiting message of a campaign is looked at, or None where none waits."""
        with self._store.reading() as connection:
            return outbox.next_due(connection, campaign)

    def due(self, actor: Actor) -> list[Scheduled]:
        """Return the campaigns to work on now; one whose moment passed by more than the grace is held, not fired."""
        now = self._store.clock()
        with self._store.reading() as connection:
            found = campaigns.due(connection, now)
        fit = []
        for campaign in found:
            if campaign.state is State.SCHEDULED and now - campaign.send_at > self._policy.grace:
                self._move(campaign, State.HELD, actor, reason=LATE)
            else:
                fit.append(campaign)
        return fit

    def hold(self, name: str, actor: Actor) -> None:
        """Hold a campaign: nothing more of it is handed over until it is released."""
        self._move(self.named(name), State.HELD, actor, reason="by_hand")

    def release(self, name: str, actor: Actor) -> None:
        """Let a held campaign go on from where it was: at its moment, or at once where that has passed."""
        campaign = self.named(name)
        if campaign.state is not State.HELD:
            raise RefusedError(f"{name} is {campaign.state.value}, not held: there is nothing to release.")
        self._move(campaign, State.SENDING if campaign.begun_at else State.SCHEDULED, actor)

    def cancel(self, name: str, actor: Actor) -> None:
        """Cancel a campaign; its slot comes back if it has not begun."""
        self._move(self.named(name), State.CANCELLED, actor)

    def _move(self, campaign: Scheduled, to: State, actor: Actor, *, reason: str | None = None) -> None:
        def work(transaction: Transaction) -> None:
            current = campaigns.by_id(transaction.connection, campaign.id)
            if to not in MOVES[current.state]:
                allowed = ", ".join(sorted(MOVES[current.state])) or "nothing: it has ended"
                raise RefusedError(
                    f"{campaign.name} is {current.state.value} and cannot become {to.value}. It can become: {allowed}."
                )
            campaigns.set_state(transaction.connection, campaign.id, to, transaction.now, reason=reason)
            body = {"event": to.value, "reason": reason}
            transaction.ledger.append(Entry(EntryKind.CAMPAIGN, actor, campaign=campaign.id, body=body))
            if to is State.CANCELLED and current.begun_at is None:
                campaigns.return_slot(transaction.connection, campaign.id)
                transaction.ledger.append(
                    Entry(EntryKind.SLOT, actor, campaign=campaign.id, body={"event": "returned"})
                )
            if to is State.SCHEDULED:
                # A campaign released after its moment begins now: the grace counts from its release.
                campaigns.set_moment(transaction.connection, campaign.id, max(current.send_at, transaction.now))

        day = local_date(campaign.send_at, self._policy.zone)
        years = [Lock(LockKind.YEAR, day.year + offset) for offset in (-1, 0, 1)]
        self._store.write(work, wanted=[*years, Lock(LockKind.CAMPAIGN, campaign.id)])
