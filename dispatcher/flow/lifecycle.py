"""What the owner, or the program's own caution, does to a campaign that has its slot: hold, release, revise, cancel."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow import acts
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import State
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Entry, EntryKind, stamp
from dispatcher.rules.life import UNMADE, Act
from dispatcher.rules.message import MessageState
from dispatcher.storage import campaigns, outbox, pace, progress, slots
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_AT_ONCE = 200
_TURN_OF_THE_DAY = timedelta(minutes=5)
"""A message that was due just before midnight and is looked at just after it was not slept through."""
BY_HAND = "by_hand"
"""Why a campaign is held that a person held."""
INTERRUPTED = "interrupted"
"""Why a campaign is held that was being sent when the program stopped for too long."""
LATE = "late"
"""Why a campaign is held whose moment passed while nothing ran (invariant 6)."""

Hours = Callable[[Connection, Scheduled], Windows]
"""Returns when a campaign may leave."""


@dataclass(slots=True)
class Standing:
    """How a campaign stands: its messages by channel and state, and the clients left out by reason.

    `closed` of the unknown ones were given up on: they may have arrived. `later` is what was told of messages after
    their outcomes: how many came how far.
    """

    messages: dict[str, Counter[str]] = field(default_factory=dict)
    withheld: Counter[str] = field(default_factory=Counter)
    closed: int = 0
    later: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Released:
    """A campaign that goes on: when (at once where that has passed), and on which local date its slot lies."""

    send_at: datetime
    day: date


class Lifecycle:
    """Looks at campaigns and moves them between the states of their life."""

    def __init__(self, store: Store, policy: Policy, hours: Hours | None = None) -> None:
        self._store = store
        self._policy = policy
        self._hours = hours or (lambda _connection, _campaign: policy.windows)

    def all(self) -> list[Scheduled]:
        """Return every campaign that has a slot or had one, by its moment."""
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
        with self._store.reading() as connection:
            return standing_of(connection, campaign)

    def next_due(self, campaign: int) -> datetime | None:
        """Return when the next waiting message of a campaign is looked at, or None where none waits."""
        with self._store.reading() as connection:
            return outbox.next_due(connection, campaign)

    def due(self, actor: Actor) -> list[Scheduled]:
        """Return the campaigns to work on now.

        One whose moment passed by more than the grace is held, not fired, and so is one that slept into another day.
        Reservations and drafts whose date is over lapse, and what a hand-off left open of a cancelled one is withheld.
        """
        self.lapse()
        self._close_cancelled(actor)
        now = self._store.clock()
        with self._store.reading() as connection:
            found = campaigns.due(connection, now)
            slept = {each.id for each in found if self._has_slept(connection, each, now)}
        fit = []
        for campaign in found:
            late = campaign.state is State.SCHEDULED and now - campaign.send_at > self._policy.grace
            if late or campaign.id in slept:
                with suppress(RefusedError):  # somebody has just held or cancelled it: that is as well
                    self._do(campaign, Act.HOLD, actor, reason=LATE if late else INTERRUPTED)
            else:
                fit.append(campaign)
        return fit

    def _close_cancelled(self, actor: Actor) -> None:
        """Withhold what came back to the outbox after its campaign had been cancelled."""
        with self._store.reading() as connection:
            ended = [each for each in campaigns.all_scheduled(connection) if each.state is State.CANCELLED]
            left = [each.id for each in ended if each.begun_at and outbox.next_due(connection, each.id) is not None]
        for campaign in left:
            while self._withhold_some(campaign, actor):
                pass

    def lapse(self) -> list[str]:
        """Let lapse the reservations and drafts whose date is over, and return their names; their slots come back."""
        today = local_date(self._store.clock(), self._policy.zone)
        with self._store.reading() as connection:
            if not slots.over(connection, today):
                return []
        work, zone = acts.lapse_over, self._policy.zone
        return self._store.write(lambda transaction: work(transaction, zone), wanted=acts.year_locks(today))

    def hold(self, name: str, actor: Actor) -> None:
        """Hold a campaign: nothing more of it is handed over until it is released."""
        self._do(self.named(name), Act.HOLD, actor, reason=BY_HAND)

    def hold_unmade(self, campaign: Scheduled, actor: Actor) -> None:
        """Hold a campaign whose frozen words make no message any more, as after a change of the settings."""
        with suppress(RefusedError):  # held already, at the hand-off or by somebody
            self._do(campaign, Act.HOLD, actor, reason=UNMADE)

    def revise(self, name: str, actor: Actor) -> None:
        """Take a campaign that has not begun back to a draft; it keeps its slot until its file is scheduled again."""
        self._do(self.named(name), Act.REVISE, actor)

    def release(self, name: str, actor: Actor) -> Released:
        """Let a held campaign go on from where it was: at its moment, or at its next open hour where that has passed.

        The year is asked again, for the day it goes on. Raises NoSlotError where it has no room beside the others.
        """
        campaign = self.named(name)
        wanted = acts.year_locks(campaign.send_at.date(), self._store.clock().date())
        return self._store.write(
            lambda transaction: self._release(transaction, campaign, actor),
            wanted=[*wanted, Lock(LockKind.CAMPAIGN, campaign.id)],
        )

    def _release(self, transaction: Transaction, campaign: Scheduled, actor: Actor) -> Released:
        connection, zone = transaction.connection, self._policy.zone
        current = campaigns.by_id(connection, campaign.id, for_update=True)
        send_at = self._goes_on_at(connection, current, transaction.now)
        day = local_date(send_at, zone)
        told = {} if current.begun_at else {"send_at": stamp(send_at)}
        acts.do(transaction, current.id, Act.RELEASE, actor, told=told)
        if current.begun_at is not None:
            # Its slot stays where it was spent; what is left goes out on another day, which must have room as well.
            acts.room_beside(transaction, current.name, day, zone, besides=current.id)
            outbox.wait_no_longer_than(connection, current.id, transaction.now)
            campaigns.set_released(connection, current.id, transaction.now)
            return Released(send_at, slots.day_of(connection, current.id) or day)
        acts.take_slot(transaction, current, day, actor, zone)
        campaigns.set_moment(connection, current.id, send_at)
        return Released(send_at, day)

    def _goes_on_at(self, connection: Connection, campaign: Scheduled, now: datetime) -> datetime:
        """Return the campaign's moment, or the next hour at which it may leave: the grace counts from there."""
        if campaign.begun_at is not None:
            return now
        if campaign.send_at >= now:
            return campaign.send_at
        windows = self._hours(connection, campaign)
        return min(windows.next_opening(channel, now) for channel in campaign.channels)

    def hold_interrupted(self, actor: Actor) -> list[str]:
        """Hold what was being sent when the program stopped and has been silent for longer than the grace.

        Messages that wait for an hour of their own are not late. Return the names of the campaigns held (invariant 6).
        """
        now = self._store.clock()
        with self._store.reading() as connection:
            sending = [each for each in campaigns.all_scheduled(connection) if each.state is State.SENDING]
            # One of which nothing is left to go is not interrupted: the next round closes it.
            sending = [each for each in sending if not each.planned_at or outbox.count_open(connection, each.id)]
            since = {each.id: _silent_since(connection, each) for each in sending}
        held = []
        for campaign in sending:
            silent = since[campaign.id]
            if silent is not None and self._is_interrupted(silent, now):
                with suppress(RefusedError):
                    self._do(campaign, Act.HOLD, actor, reason=INTERRUPTED)
                    held.append(campaign.name)
        return held

    def _is_interrupted(self, silent: datetime, now: datetime) -> bool:
        zone = self._policy.zone
        if now <= silent:
            return False
        return now - silent > self._policy.grace or local_date(now, zone) != local_date(silent, zone)

    def _has_slept(self, connection: Connection, campaign: Scheduled, now: datetime) -> bool:
        """Say whether something of a campaign was due on an earlier day and has not moved since: nobody was awake."""
        if campaign.state is not State.SENDING:
            return False
        zone = self._policy.zone
        today, due = local_date(now, zone), outbox.next_due(connection, campaign.id)
        waits = campaign.planned_at is not None and (due is None or local_date(due, zone) >= today)
        silent = None if waits else _silent_since(connection, campaign)
        return silent is not None and now - silent >= _TURN_OF_THE_DAY and local_date(silent, zone) < today

    def cancel(self, name: str, actor: Actor) -> None:
        """Cancel a campaign; its slot comes back if it has not begun, and what waits is withheld."""
        campaign = self.named(name)
        self._do(campaign, Act.CANCEL, actor)
        while self._withhold_some(campaign.id, actor):
            pass

    def _withhold_some(self, campaign: int, actor: Actor) -> int:
        """Withhold the next messages that wait for a cancelled campaign, and return how many."""

        def work(transaction: Transaction) -> int:
            waiting = outbox.open_of_campaign(transaction.connection, campaign, _AT_ONCE, for_update=True)
            reason = Reason.CAMPAIGN_CANCELLED.value
            for row, client, message_id in waiting:
                outbox.set_withheld(transaction.connection, row, reason)
                body = {"reason": reason, "at": "cancellation", "message": message_id}
                transaction.ledger.append(Entry(EntryKind.WITHHELD, actor, client=client, campaign=campaign, body=body))
            return len(waiting)

        return self._store.write(work, wanted=[Lock(LockKind.CAMPAIGN, campaign)])

    def _do(self, campaign: Scheduled, act: Act, actor: Actor, *, reason: str | None = None) -> None:
        def work(transaction: Transaction) -> None:
            before = acts.do(transaction, campaign.id, act, actor, reason=reason)
            if act is Act.CANCEL and before.begun_at is None:
                acts.return_slot(transaction, campaign.id, actor)

        years = acts.year_locks(local_date(campaign.send_at, self._policy.zone))
        self._store.write(work, wanted=[*years, Lock(LockKind.CAMPAIGN, campaign.id)])


def standing_of(connection: Connection, campaign: int) -> Standing:
    """Return how many messages of a campaign stand where."""
    found = Standing()
    for place, count in progress.sums(connection, campaign).items():
        if place.state == MessageState.WITHHELD:
            found.withheld[place.reason] += count
        elif place.state == progress.TOLD:
            found.later[place.reason] += count
        else:
            found.messages.setdefault(place.channel, Counter())[place.state] += count
        if place.reason == progress.CLOSED:
            found.closed += count
    return found


def _silent_since(connection: Connection, campaign: Scheduled) -> datetime | None:
    """Return since when nothing of a begun campaign has moved though something was due and no channel of it rests."""
    silent = outbox.silent_since(connection, campaign.id) or campaign.begun_at
    rested = [pace.read(connection, channel).rests_until for channel in campaign.channels]
    return max((each for each in (silent, campaign.released_at, *rested) if each is not None), default=None)
