"""A campaign's moment and audience -> when its messages leave, and what is to be said of that beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.flow.policy import Policy
from dispatcher.rules.budget import Slot
from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import Campaign, Channel
from dispatcher.rules.ledger import Json, stamp
from dispatcher.rules.pace import Leg, Pace, Run, run_of
from dispatcher.storage import slots
from dispatcher.storage.store import Store
from dispatcher.texts import format_date

SPACING = timedelta(days=14)
"""Campaigns closer to each other than this are warned about."""
_ROUND = timedelta(minutes=5)
_LEGS_SAID = 3
_BY = {Channel.EMAIL: "email", Channel.SMS: "text message"}


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a campaign leaves, in sentences: `plan` for each channel, `warnings`, and `refusals` that block it.

    `runs` has each channel that reaches somebody and has a pace of its own.
    """

    runs: Mapping[Channel, Run]
    plan: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Return the timetable with stable keys; times are UTC."""
        return {
            "runs": {channel.value: _run_json(run) for channel, run in self.runs.items()},
            "plan": list(self.plan),
            "warnings": list(self.warnings),
            "refusals": list(self.refusals),
        }


class Timing:
    """Foretells when campaigns leave."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def of(self, campaign: Campaign, counts: Mapping[Channel, int], besides: int | None = None) -> Timetable:
        """Return the timetable of a campaign that reaches so many by each channel.

        `besides` is the number of the campaign itself where it has a slot already, which is no neighbour of its own.
        """
        windows, zone = self._policy.windows_of(campaign), self._policy.zone
        day = local_date(campaign.send_at, zone)
        with self._store.reading() as connection:
            near = slots.near(connection, day, besides, today=local_date(self._store.clock(), zone))
        reached = {channel: counts.get(channel, 0) for channel in campaign.channels if counts.get(channel)}
        paces = self._policy.paces
        runs = {
            channel: run_of(count, paces[channel], windows, channel, campaign.send_at, campaign.valid_until)
            for channel, count in reached.items()
            if channel in paces
        }
        plan, warnings = [], too_near(day, near)
        for channel, count in reached.items():
            if channel in runs:
                plan.append(said_run(count, channel, paces[channel], runs[channel], campaign.send_at, zone))
                warnings += _run_warnings(channel, runs[channel], day, zone)
            else:
                plan.append(_unpaced(count, channel, windows.next_opening(channel, campaign.send_at), day, zone))
        return Timetable(runs, tuple(plan), tuple(warnings), closed(campaign, windows))


def holidays_body(campaign: Campaign) -> dict[str, Json]:
    """Return what the ledger keeps of a campaign to which the holidays were opened: why (S-14)."""
    reason = campaign.open_on_holidays
    return {} if reason is None else {"open_on_holidays": reason}


def closed(campaign: Campaign, windows: Windows) -> tuple[str, ...]:
    """Return why a campaign cannot begin at its moment, if no channel of it may be used then (S-14)."""
    if any(windows.is_open(channel, campaign.send_at) for channel in campaign.channels):
        return ()
    opening = min(windows.next_opening(channel, campaign.send_at) for channel in campaign.channels)
    local = opening.astimezone(windows.zone)
    said = (
        f"At the moment of {campaign.name} nothing of it may leave. The next open hour of its channels is "
        f"{local:%Y-%m-%dT%H:%M:%S}: write that send_at, or a later one, in its file."
    )
    opened = windows.with_holidays()
    if any(opened.is_open(channel, campaign.send_at) for channel in campaign.channels):
        said += ' To send on this public holiday all the same, write open_on_holidays = "why" in it.'
    return (said,)


def too_near(day: date, taken: Sequence[Slot]) -> list[str]:
    """Return a sentence for each campaign that lies closer than fourteen days to this day."""
    near = sorted((slot for slot in taken if abs(slot.date - day) < SPACING), key=lambda slot: slot.date)
    return [
        f"{_apart(abs(slot.date - day).days)} {slot.title} on {format_date(slot.date)}: clients expect offers 6 to 12 "
        "times a year, so leave two weeks between two of them."
        for slot in near
    ]


def said_run(count: int, channel: Channel, pace: Pace, run: Run, send_at: datetime, zone: ZoneInfo) -> str:
    """Return a run in words: "612 by email, 200 an hour: 10:00 to about 13:05"."""
    day = local_date(send_at, zone)
    legs = [_said_leg(leg, run, day, zone) for leg in run.legs]
    if len(legs) > _LEGS_SAID:
        legs = [legs[0], "…", legs[-1]]
    return f"{count} by {_BY[channel]}, {_said_pace(pace)}: {'; '.join(legs) or 'none before the offer ends'}"


def _said_leg(leg: Leg, run: Run, day: date, zone: ZoneInfo) -> str:
    begins, ends = leg.begins.astimezone(zone), leg.ends.astimezone(zone)
    on = "" if begins.date() == day else f"{format_date(begins.date())} "
    how_many = "" if len(run.legs) == 1 and not run.left else f" ({leg.count})"
    is_last = leg is run.legs[-1] and not run.left
    until = f"about {_rounded_up(ends):%H:%M}" if is_last else f"{ends:%H:%M}"
    return f"{on}{begins:%H:%M} to {until}{how_many}"


def _run_warnings(channel: Channel, run: Run, day: date, zone: ZoneInfo) -> list[str]:
    warnings = []
    if run.legs and local_date(run.legs[-1].begins, zone) > day:
        last = run.legs[-1]
        warnings.append(
            f"By {_BY[channel]} it cannot finish on its day: it goes on in the next open hours and ends on "
            f"{format_date(local_date(last.begins, zone))} at about {_rounded_up(last.ends.astimezone(zone)):%H:%M}."
        )
    if run.left:
        warnings.append(
            f"{run.left} by {_BY[channel]} would come too late for the offer and would not be sent: send earlier, or "
            "write a later valid_until."
        )
    return warnings


def _unpaced(count: int, channel: Channel, opening: datetime, day: date, zone: ZoneInfo) -> str:
    begins = opening.astimezone(zone)
    on = "" if begins.date() == day else f"{format_date(begins.date())} "
    return f"{count} by {_BY[channel]}: from {on}{begins:%H:%M} on, as fast as they are taken"


def _said_pace(pace: Pace) -> str:
    per_second = pace.per_hour / 3600
    return f"{per_second:g} a second" if per_second >= 1 else f"{pace.per_hour:g} an hour"


def _apart(days: int) -> str:
    if days == 0:
        return "On the same day as"
    return f"Only {days} day{'s' if days > 1 else ''} from"


def _rounded_up(local: datetime) -> datetime:
    """Return a time of day rounded up to five minutes, except that no day is left by it."""
    minutes = timedelta(minutes=local.minute % 5, seconds=local.second, microseconds=local.microsecond)
    rounded = local if not minutes else local + (_ROUND - minutes)
    return rounded if rounded.date() == local.date() else local


def _run_json(run: Run) -> dict[str, Json]:
    return {
        "left": run.left,
        "legs": [{"begins": stamp(leg.begins), "ends": stamp(leg.ends), "count": leg.count} for leg in run.legs],
    }
