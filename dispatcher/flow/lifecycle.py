"""What the owner, or the program's own caution, does to a campaign that has its slot: hold, release, cancel."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.errors import NoSlotError, NotFoundError, RefusedError
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.budget import room_for
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import MOVES, State
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import campaigns, outbox
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_AT_ONCE = 200
INTERRUPTED = "interrupted"
"""Why a campaign is held that was being sent when the program stopped for too long."""
LATE = "late"
"""Why a campaign is held whose moment passed while nothing ran (invariant 6)."""


@dataclass(slots=True)
class Standing:
    """How a campaign stands: its messages by channel and state, and the clients left out by reason."""

    messages: dict[str, Counter[str]] = field(default_factory=dict)
    withheld: Counter[str] = field(default_factory=Counter)


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
        """Return the campaign of this name, the last cancelled one where no other has it. Raises NotFoundError."""
        with self._store.reading() as connection:
            found = campaigns.by_name(connection, name)
            for campaign in campaigns.all_scheduled(connection) if found is None else ():
                if campaign.name == name and (found is None or campaign.id > found.id):
                    found = campaign
        if found is None:
            raise NotFoundError(f"No campaign {name!r} has been scheduled: run `dispatcher campaign list`.")
        return found

    def standing(self, campaign: int) -> Standing:
        """Return how many messages of a campaign stand where."""
        found = Standing()
        with self._store.reading() as connection:
            for tally in outbox.tallies(connection, campaign):
                if tally.reason is not None:
                    found.withheld[tally.reason] += tally.count
                elif tally.channel is not None:
                    counts = found.messages.setdefault(tally.channel.value, Counter())
                    counts[tally.state.value] += tally.count
        return found

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
                with suppress(RefusedError):  # somebody has just held or cancelled it: that is as well
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
        self._refuse_full(campaign)
        self._move(campaign, State.SENDING if campaign.begun_at else State.SCHEDULED, actor)

    def _refuse_full(self, campaign: Scheduled) -> None:
        """Refuse a release on a day on which the year has no room for the campaign beside the others."""
        day = local_date(max(campaign.send_at, self._store.clock()), self._policy.zone)
        with self._store.reading() as connection:
            full = room_for(day, campaigns.slots_near(connection, day, besides=campaign.id))
        if full is not None:
            raise NoSlotError(
                f"{campaign.name} cannot go on: {full.period} hold twelve campaigns beside it. "
                f"The first free date is {full.first_free.isoformat()}."
            )

    def hold_interrupted(self, actor: Actor) -> list[str]:
        """Hold what was being sent when the program stopped and has been silent for longer than the grace.

        Messages that wait for an hour of their own are not late. Return the names of the campaigns held (invariant 6).
        """
        now = self._store.clock()
        with self._store.reading() as connection:
            sending = [each for each in campaigns.all_scheduled(connection) if each.state is State.SENDING]
            # One of which nothing is left to go is not interrupted: the next round closes it.
            sending = [each for each in sending if not each.planned_at or outbox.count_open(connection, each.id)]
            since = {each.id: outbox.silent_since(connection, each.id) for each in sending}
        held = []
        for campaign in sending:
            silent = since[campaign.id] or campaign.begun_at
            if silent is not None and self._is_interrupted(silent, now):
                with suppress(RefusedError):
                    self._move(campaign, State.HELD, actor, reason=INTERRUPTED)
                    held.append(campaign.name)
        return held

    def _is_interrupted(self, silent: datetime, now: datetime) -> bool:
        zone = self._policy.zone
        if now <= silent:
            return False
        return now - silent > self._policy.grace or local_date(now, zone) != local_date(silent, zone)

    def cancel(self, name: str, actor: Actor) -> None:
        """Cancel a campaign; its slot comes back if it has not begun, and what waits is withheld."""
        campaign = self.named(name)
        self._move(campaign, State.CANCELLED, actor)
        while self._withhold_some(campaign.id, actor):
            pass

    def _withhold_some(self, campaign: int, actor: Actor) -> int:
        """Withhold the next messages that wait for a cancelled campaign, and return how many."""

        def work(transaction: Transaction) -> int:
            waiting = outbox.open_of_campaign(transaction.connection, campaign, _AT_ONCE)
            reason = Reason.CAMPAIGN_CANCELLED.value
            for row, client, message_id in waiting:
                outbox.set_withheld(transaction.connection, row, reason)
                body = {"reason": reason, "at": "cancellation", "message": message_id}
                transaction.ledger.append(Entry(EntryKind.WITHHELD, actor, client=client, campaign=campaign, body=body))
            return len(waiting)

        return self._store.write(work, wanted=[Lock(LockKind.CAMPAIGN, campaign)])

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
            if to is State.SENDING:
                outbox.wait_no_longer_than(transaction.connection, campaign.id, transaction.now)
            if to is State.SCHEDULED:
                # A campaign released after its moment begins now: the grace counts from its release.
                campaigns.set_moment(transaction.connection, campaign.id, max(current.send_at, transaction.now))

        day = local_date(campaign.send_at, self._policy.zone)
        years = [Lock(LockKind.YEAR, day.year + offset) for offset in (-1, 0, 1)]
        self._store.write(work, wanted=[*years, Lock(LockKind.CAMPAIGN, campaign.id)])
