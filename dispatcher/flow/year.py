"""Slots, campaigns and the ledger -> the year at a glance, and what one more campaign would do to it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from dispatcher.campaign_files import read_campaign
from dispatcher.errors import RefusedError
from dispatcher.flow import audience
from dispatcher.flow.coverage import coverage
from dispatcher.flow.policy import Policy
from dispatcher.rendering.year_calendar import calendar_of
from dispatcher.rendering.year_picture import picture_of
from dispatcher.rules.audit import Recount
from dispatcher.rules.audit_records import CampaignRecord
from dispatcher.rules.budget import CEILING, WINDOW
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Campaign, Channel
from dispatcher.rules.decision import Send, Wait, decide
from dispatcher.rules.message import COUNTED
from dispatcher.rules.noted_days import NotedDay, OwnDay, Suggestion, noted_days, suggestions
from dispatcher.rules.studio import Studio
from dispatcher.rules.year import Glance, Standing, Trial, YearEntry, glance, one_more, slots_of, standing_of
from dispatcher.storage import clients, progress, reports, slots
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store

_TO_COME = frozenset({Standing.RESERVED, Standing.DRAFT, Standing.SCHEDULED, Standing.HELD})


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom one more campaign would reach: how many clients, and for how many it would be the twelfth in 365 days.

    `twelfth_at_most` counts those too for whom it would be the twelfth if every campaign planned before it reached
    them. `full` have had twelve already and would get nothing.
    """

    clients: int
    twelfth: int
    twelfth_at_most: int
    full: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one more campaign would do: to the year, and to the clients. `open_channels` may be used at its moment."""

    campaign: Campaign
    trial: Trial
    reach: Reach
    open_channels: tuple[Channel, ...]
    is_past: bool

    @property
    def fits(self) -> bool:
        """Say whether it could be scheduled as its file stands, as far as the year is concerned."""
        return self.trial.full is None and bool(self.open_channels) and not self.is_past


class Years:
    """Shows the year; it changes nothing. `lead` is how long before a noted day a campaign is suggested."""

    def __init__(self, store: Store, policy: Policy, own: Sequence[OwnDay], lead: timedelta) -> None:
        self._store = store
        self._policy = policy
        self._own = own
        self._lead = lead

    def this_year(self) -> int:
        """Return the year it is in the business zone."""
        return self._today().year

    def glance(self, wanted: int) -> Glance:
        """Return a year at a glance; one that is over is told by the ledger alone."""
        today = self._today()
        with self._store.reading() as connection:
            entries = self._told(connection, wanted) if wanted < today.year else _standing(connection)
        return glance(wanted, entries, today)

    def noted(self, wanted: int) -> list[NotedDay]:
        """Return the days of a year that clients mark."""
        return noted_days(wanted, self._own, self._policy.windows.country)

    def suggestions(self, wanted: int) -> list[Suggestion]:
        """Return dates of a year on which a campaign could go before a day that clients mark; none of a year over."""
        with self._store.reading() as connection:
            taken = slots_of(_standing(connection))
        noted = [*self.noted(wanted), *self.noted(wanted + 1)]
        return suggestions(wanted, noted, taken, self._today(), self._policy.windows, self._lead)

    def what_if(self, path: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> WhatIf:
        """Return what the campaign of a file would do beside the others.

        Raises CampaignFileError for a file that cannot be read, and RefusedError for one that has its slot already.
        """
        campaign = read_campaign(path, self._policy.zone)
        day, now = local_date(campaign.send_at, self._policy.zone), self._store.clock()
        windows = self._policy.windows_of(campaign)
        with self._store.reading() as connection:
            entries = _standing(connection)
            own = next((each for each in entries if each.name == campaign.name and each.holds_slot), None)
            if own is not None and own.standing in {Standing.RESERVED, Standing.DRAFT}:
                entries.remove(own)  # what it would take is its own slot
            elif own is not None:
                raise RefusedError(
                    f"{campaign.name} has its slot already, on {own.day.isoformat()}: "
                    "run `dispatcher campaign year` to see the year with it."
                )
            reach = self._reach(connection, campaign, day, entries, progress)
        return WhatIf(
            campaign=campaign,
            trial=one_more(day, entries),
            reach=reach,
            open_channels=tuple(each for each in campaign.channels if windows.is_open(each, campaign.send_at)),
            is_past=campaign.send_at < now,
        )

    def _reach(
        self,
        connection: Connection,
        campaign: Campaign,
        day: date,
        entries: Sequence[YearEntry],
        progress: Callable[[int, int], None],
    ) -> Reach:
        """Decide about everybody as at the campaign's moment, and count whose twelfth it would be (L-23)."""
        now = max(self._store.clock(), campaign.send_at)
        before = sum(each.standing in _TO_COME and timedelta() <= day - each.day < WINDOW for each in entries)
        facts = self._policy.facts(campaign, coverage(connection, self._policy))
        reached: Counter[int] = Counter()
        full = done = 0
        total = clients.count(connection)
        for chunk in audience.chunks(connection, self._store, self._policy, None, now):
            for known in chunk:
                if not campaign.audience.includes(known.client.language, known.client.last_visit):
                    continue
                got = len(known.facts.days)
                verdict = decide(known.facts, facts, now)
                full += got >= CEILING
                if got < CEILING and isinstance(verdict, Send | Wait):
                    reached[got] += 1
            done += len(chunk)
            progress(done, total)
        return Reach(
            clients=reached.total(),
            twelfth=reached[CEILING - 1],
            twelfth_at_most=sum(count for got, count in reached.items() if got + before >= CEILING - 1),
            full=full,
        )

    def _told(self, connection: Connection, wanted: int) -> list[YearEntry]:
        recount = Recount(wanted, self._policy.zone, self._policy.valid_for)
        for entry in reports.entries_by_number(connection):
            recount.take(entry)
        found = [_recounted(record, record.day) for record in recount.campaigns.values() if record.day is not None]
        standing = (each for each in recount.declared.values() if each.stands)
        found += [YearEntry(each.day, each.title, Standing.DECLARED, each.kind) for each in standing]
        return found + [YearEntry(each.date, each.title, Standing.SPENT) for each in recount.lost]

    def _today(self) -> date:
        return local_date(self._store.clock(), self._policy.zone)


def calendar_file(seen: Glance, studio: Studio, now: datetime) -> bytes:
    """Return a year as an iCalendar file."""
    return calendar_of(seen, studio.name, studio.domain, now)


def picture_file(seen: Glance, noted: Sequence[NotedDay], suggested: Sequence[Suggestion], studio: Studio) -> bytes:
    """Return a year as a drawing (SVG)."""
    return picture_of(seen, noted, suggested, studio.name).encode("utf-8")


def _recounted(record: CampaignRecord, day: date) -> YearEntry:
    state = record.state.value if record.state else None
    sent: Counter[Channel] = Counter()
    for (where, channel), count in record.standing.items():
        if where in COUNTED:
            sent[channel] += count
    standing = standing_of(record.slot or "", state)
    return YearEntry(day, record.title, standing, record.kind or None, record.name or None, record.number, +sent)


def _standing(connection: Connection) -> list[YearEntry]:
    """Return every slot as the tables have it, with the messages that count of its campaign."""
    sent: Mapping[int, Counter[Channel]] = defaultdict(Counter)
    for place, count in progress.sums(connection).items():
        if place.channel and place.state in COUNTED:
            sent[place.campaign][Channel(place.channel)] += count
    return [
        YearEntry(
            day=row.day,
            title=row.title,
            standing=standing_of(row.state, row.campaign_state),
            kind=row.kind,
            name=row.name,
            number=row.campaign,
            sent=sent.get(row.campaign or 0, Counter()),
        )
        for row in slots.every(connection)
    ]
