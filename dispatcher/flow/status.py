"""How a campaign is getting on: what became of its messages, how fast they go, and when the last of them leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.errors import DispatcherError
from dispatcher.flow.doors import Doors
from dispatcher.flow.lifecycle import Lifecycle, Standing, standing_of
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Press
from dispatcher.rules.campaign import OVER, Channel, State
from dispatcher.rules.destroyed import Destruction
from dispatcher.rules.message import MessageState
from dispatcher.rules.pace import Pace, run_of
from dispatcher.storage import campaigns, destroyed, outbox, progress
from dispatcher.storage import pace as turns
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store

RATE_OVER = timedelta(minutes=5)
"""Over how long the rate is taken: long enough for a slow pace, short enough to show that something has stopped."""
_ENOUGH = 10
"""How many messages a rate has to rest on before the last one is foretold by it, and not by the pace alone."""
_REMAINING = (MessageState.WAITING, MessageState.DEFERRED, MessageState.ATTEMPTING)
_TO_GO = frozenset({State.SCHEDULED, State.SENDING})
_STILL = OVER | {State.HELD}


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """How a campaign stood at one moment.

    `rate` is how many messages a minute were handed over lately, None where none could be. `ends_at` is when the last
    one leaves, None where nobody can tell. `too_late` of them would leave after the offer has ended. `next_look` is
    when the next waiting message is looked at. `unread` says of each letter box that cannot be read why nothing leaves.
    `destroyed` is there where its messages went with their year: none of them is counted.
    """

    campaign: Scheduled
    at: datetime
    standing: Standing
    rate: float | None = None
    ends_at: datetime | None = None
    too_late: int = 0
    next_look: datetime | None = None
    unread: tuple[str, ...] = ()
    destroyed: Destruction | None = None

    @property
    def remaining(self) -> int:
        """Return how many messages have still to go, or are going now."""
        return sum(counts[state] for counts in self.standing.messages.values() for state in _REMAINING)

    @property
    def planned(self) -> int:
        """Return how many messages there are, the withheld aside."""
        return sum(counts.total() for counts in self.standing.messages.values())

    @property
    def is_still(self) -> bool:
        """Say whether nothing more happens by itself: the campaign is finished, held or cancelled."""
        return self.campaign.state in _STILL

    def counts(self) -> tuple[State, str | None, bool, Standing, tuple[str, ...]]:
        """Return what changes only where something happens; the clock alone changes nothing of it."""
        its = self.campaign
        return its.state, its.held_reason, its.planned_at is None, self.standing, self.unread

    def as_json(self) -> dict[str, object]:
        """Return the status with stable keys; times are UTC."""
        its = self.campaign
        return {
            "name": its.name,
            "title": its.title,
            "state": its.state.value,
            "held_reason": its.held_reason,
            "send_at": its.send_at,
            "begun_at": its.begun_at,
            "planned_at": its.planned_at,
            "finished_at": its.finished_at,
            "at": self.at,
            "planned": self.planned,
            "messages": {channel: dict(counts) for channel, counts in sorted(self.standing.messages.items())},
            "later": dict(self.standing.later),
            "may_have_arrived": self.standing.closed,
            "withheld": dict(self.standing.withheld),
            "remaining": self.remaining,
            "rate_per_minute": None if self.rate is None else round(self.rate, 1),
            "ends_at": self.ends_at,
            "too_late": self.too_late,
            "next_look": self.next_look,
            "doors_unread": list(self.unread),
            "destroyed": {"at": self.destroyed.at, "seal": self.destroyed.seal} if self.destroyed else None,
        }


class Status:
    """Tells how campaigns are getting on, from sums: a look costs the same however many messages there are."""

    def __init__(self, store: Store, policy: Policy, press: Press, lifecycle: Lifecycle, doors: Doors) -> None:
        self._store = store
        self._doors = doors
        self._policy = policy
        self._press = press
        self._lifecycle = lifecycle

    def of(self, name: str) -> CampaignStatus:
        """Return how the campaign of this name stands. Raises NotFoundError for a name none has."""
        number, now = self._lifecycle.named(name).id, self._store.clock()
        unread = tuple(self._doors.unread())
        with self._store.reading() as connection:
            campaign = campaigns.by_id(connection, number)
            found = CampaignStatus(
                campaign, now, standing_of(connection, number), next_look=outbox.next_due(connection, number)
            )
            if campaign.state in _TO_GO:
                found = replace(found, unread=unread)
            if campaign.state in OVER:
                gone = next((each for each in destroyed.told(connection) if number in each.campaigns), None)
                found = replace(found, destroyed=gone)
            if campaign.state is not State.SENDING or campaign.begun_at is None:
                return found
            since = now.replace(second=0, microsecond=0) - RATE_OVER
            lately = progress.handed_over(connection, number, since)
            hours = (now - max(since, campaign.begun_at)) / timedelta(hours=1)
            # In its first seconds a campaign has no rate that says anything.
            per_hour = {channel: count / hours for channel, count in lately.items()} if hours * 3600 >= 1 else {}
            found = replace(found, rate=sum(per_hour.values()) / 60)
            sure = {channel: rate for channel, rate in per_hour.items() if lately[channel] >= _ENOUGH}
            return self._with_end(connection, found, sure)

    def _with_end(
        self, connection: Connection, status: CampaignStatus, per_hour: Mapping[Channel, float]
    ) -> CampaignStatus:
        """Add when the last message leaves: as fast as lately, no faster than the pace, in open hours, after a rest."""
        try:
            campaign = self._press.frozen(connection, status.campaign).campaign
        except (DispatcherError, KeyError):
            return status  # words that cannot be made any more are found out about at their hand-off
        ends, too_late = [], 0
        for name, counts in status.standing.messages.items():
            left, channel = sum(counts[state] for state in _REMAINING), Channel(name)
            if not left:
                continue
            pace = _pace(self._policy.paces.get(channel), per_hour.get(channel))
            if pace is None:
                return status
            rests = turns.read(connection, channel).rests_until
            start = max(each for each in (status.at, status.next_look, rests) if each is not None)
            run = run_of(left, pace, self._policy.windows_of(campaign), channel, start, campaign.valid_until)
            ends += [leg.ends for leg in run.legs[-1:]]
            too_late += run.left
        return replace(status, ends_at=max(ends, default=None), too_late=too_late)


def _pace(told: Pace | None, per_hour: float | None) -> Pace | None:
    """Return how fast a channel goes on: as lately, where that is slower than it may."""
    if per_hour is None or (told is not None and told.per_hour <= per_hour):
        return told
    return Pace(per_hour) if told is None else replace(told, per_hour=per_hour)
