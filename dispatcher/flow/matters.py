"""Campaigns, requests, retention and readings -> what somebody has to know of now: for the alerts and for `today`."""

from collections import Counter
from datetime import datetime, timedelta

from dispatcher.errors import DispatcherError
from dispatcher.flow import audience
from dispatcher.flow.audience import Counts
from dispatcher.flow.closing import closed_years
from dispatcher.flow.coverage import coverage
from dispatcher.flow.doors import Doors
from dispatcher.flow.due_years import DueYears
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Press
from dispatcher.flow.retention import Overview, Retention
from dispatcher.rules.alerts import AHEAD, LOOK_BACK, AlertKind, Matter
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import IDLE, Channel, State
from dispatcher.rules.ledger import Json, read_stamp
from dispatcher.rules.message import MessageState
from dispatcher.storage import campaigns, clients, incoming, progress, readings, requests
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store

_PAST = frozenset({State.SENDING, State.HELD, State.FINISHED, State.CANCELLED})
_DAY = timedelta(days=1)
_UNREAD_FOR = timedelta(minutes=15)
"""How long a letter box may fail before somebody is told: a server that is started again is back by then."""


class Matters:
    """Finds what the people who run the program have to hear of."""

    def __init__(
        self, store: Store, policy: Policy, press: Press, retention: Retention, years: DueYears, doors: Doors
    ) -> None:
        self._store = store
        self._doors = doors
        self._policy = policy
        self._press = press
        self._retention = retention
        self._years = years

    def of_campaigns(self) -> list[Matter]:
        """Return what campaigns call for: those that come up, that are held, that have gone out."""
        now = self._store.clock()
        with self._store.reading() as connection:
            found = campaigns.all_scheduled(connection)
            return [matter for each in found if (matter := self._of(connection, each, now)) is not None]

    def overdue(self) -> list[Matter]:
        """Return what should have been done by now: requests, removals, a fresh register."""
        now = self._store.clock()
        today = local_date(now, self._policy.zone)
        with self._store.reading() as connection:
            late = [each for each in requests.every(connection, only_open=True) if each.is_overdue(today)]
        found = [
            Matter(
                AlertKind.REQUEST_OVERDUE,
                str(each.id),
                {"request": each.id, "kind": each.kind, "date": each.due.isoformat()},
            )
            for each in late
        ]
        overview = self._retention.show()
        if overview.is_overdue:
            found.append(Matter(AlertKind.RETENTION_OVERDUE, "clients", {"count": len(overview.due)}))
        found += [Matter(AlertKind.YEAR_OVERDUE, str(year), {"year": year}) for year in self._years.show().overdue]
        stale = self.register_age(overview)
        if stale is not None:
            found.append(Matter(AlertKind.IMPORT_STALE, "register", {"days": stale}))
        return [*found, *self.unread()]

    def unread(self) -> list[Matter]:
        """Return what clients sent that waits for somebody to read it, and the letter boxes that cannot be read."""
        now, zone = self._store.clock(), self._policy.zone
        with self._store.reading() as connection:
            waiting = incoming.listed(connection)
        found = []
        if waiting:
            day = local_date(waiting[0].at, zone)
            # What comes after somebody has seen the others is news again.
            newest = str(max(each.id for each in waiting))
            found.append(Matter(AlertKind.INCOMING, newest, {"count": len(waiting), "date": day.isoformat()}))
        for row in self._doors.rows():
            if row.failing_since is not None and now - row.failing_since >= _UNREAD_FOR:
                local = row.failing_since.astimezone(zone)
                since: dict[str, Json] = {"date": local.date().isoformat(), "time": f"{local:%H:%M}"}
                found.append(Matter(AlertKind.DOOR_UNREAD, row.name, {"door": row.name, **since}))
        return found

    def of_years(self) -> list[Matter]:
        """Return the years that were closed lately, with what they came to: news, and nothing to be done."""
        now = self._store.clock()
        with self._store.reading() as connection:
            told = closed_years(connection)
        return [
            Matter(AlertKind.YEAR_CLOSED, str(each["year"]), each)
            for each in told
            if (at := read_stamp(each["at"])) is not None and now - at <= LOOK_BACK
        ]

    def register_age(self, overview: Overview) -> int | None:
        """Return how many days ago a whole register was read, where that is too long; None where it is in order.

        A register without anybody in it needs no fresh one.
        """
        if overview.is_register_fresh:
            return None
        with self._store.reading() as connection:
            if not clients.count(connection):
                return None
            last = readings.last_whole(connection)
        began = last.began_at if last is not None else None
        return (self._store.clock() - began).days if began is not None else -1

    def reach(self, scheduled: Scheduled) -> Counts | None:
        """Return whom a campaign would reach at its moment as the register stands now; None where it cannot be told."""
        try:
            with self._store.reading() as connection:
                campaign = self._press.frozen(connection, scheduled).campaign
                facts = self._policy.facts(campaign, coverage(connection, self._policy))
        except (DispatcherError, KeyError):
            return None
        at = max(self._store.clock(), scheduled.send_at)
        return audience.count(self._store, self._policy, facts, campaign.audience, at)

    def counts(self, name: str) -> dict[str, Json]:
        """Return how many a campaign would reach by each channel, and how many clients it does not; none if unknown."""
        with self._store.reading() as connection:
            scheduled = campaigns.by_name(connection, name)
        found = self.reach(scheduled) if scheduled is not None else None
        if found is None:
            return {}
        reached: dict[str, Json] = {channel.value: found.send[channel.value] for channel in Channel}
        return {**reached, "waiting": found.wait.total(), "withheld": found.withhold.total()}

    def _of(self, connection: Connection, campaign: Scheduled, now: datetime) -> Matter | None:
        zone = self._policy.zone
        known: dict[str, Json] = {"name": campaign.name, "title": campaign.title}
        if campaign.state is State.HELD:
            return Matter(AlertKind.HELD, str(campaign.id), known | {"reason": campaign.held_reason})
        if campaign.state is State.FINISHED:
            if campaign.finished_at is None or now - campaign.finished_at > LOOK_BACK:
                return None
            return Matter(AlertKind.FINISHED, str(campaign.id), known | _tally(connection, campaign))
        left = local_date(campaign.send_at, zone) - local_date(now, zone)
        if campaign.state in _PAST or not _DAY <= left <= AHEAD:
            return None
        local = campaign.send_at.astimezone(zone)
        known |= {"date": local.date().isoformat(), "time": f"{local:%H:%M}"}
        kind = AlertKind.SLOT_EVE if left == _DAY else AlertKind.SLOT_WEEK
        subject = f"{campaign.id}@{local.date().isoformat()}"
        if campaign.state in IDLE:
            # What was announced and is taken back is news again.
            return Matter(kind, f"{subject}@{campaign.state.value}", known | {"state": campaign.state.value})
        return Matter(kind, subject, known)


def _tally(connection: Connection, campaign: Scheduled) -> dict[str, Json]:
    """Return what became of a campaign: handed over by each channel, refused, unknown, and not sent."""
    sent: Counter[str] = Counter({channel.value: 0 for channel in Channel})
    others = Counter(refused=0, unknown=0, withheld=0)
    for place, count in progress.sums(connection, campaign.id).items():
        if place.state == MessageState.ACCEPTED and place.channel:
            sent[place.channel] += count
        elif place.state in others:
            others[place.state] += count
    return {**sent, **others}
