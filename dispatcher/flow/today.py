"""Campaigns, duties, slots and the sender's sign of life -> five lines: what needs somebody now, and what to type."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from dispatcher.errors import DispatcherError
from dispatcher.flow.heart import Heart, is_beating
from dispatcher.flow.matters import Matters
from dispatcher.flow.policy import Policy
from dispatcher.flow.retention import Retention
from dispatcher.flow.timing import too_near
from dispatcher.rules.actor import Role
from dispatcher.rules.alerts import AHEAD, AlertKind, Matter
from dispatcher.rules.budget import CEILING, FLOOR
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import IDLE, OVER, Language, State
from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage import campaigns, outbox, persons, requests, slots
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.heartbeats import Heartbeat
from dispatcher.storage.store import Store
from dispatcher.texts import CATALOGUES, format_date, text

_SCHEDULE = "dispatcher campaign schedule campaigns/FILE.toml"
_RECENTLY = timedelta(days=1)
_UNREAD = frozenset({AlertKind.INCOMING, AlertKind.DOOR_UNREAD})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to know: in words, what to type, and whether it needs somebody now; `values` have stable keys."""

    key: str
    said: str
    command: str | None = None
    needs_somebody: bool = False
    values: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """The five lines of a local day."""

    day: date
    lines: tuple[Line, ...]

    @property
    def needs_somebody(self) -> bool:
        """Say whether any of it needs somebody now."""
        return any(line.needs_somebody for line in self.lines)

    def as_json(self) -> dict[str, Json]:
        """Return the report with stable keys; times are UTC, days local."""
        told: dict[str, Json] = {"day": self.day.isoformat(), "attention": self.needs_somebody}
        for line in self.lines:
            said: dict[str, Json] = {"attention": line.needs_somebody, "says": line.said, "type": line.command}
            told[line.key] = said | line.values
        return told


class Today:
    """Looks at everything that may need somebody."""

    def __init__(self, store: Store, policy: Policy, matters: Matters, retention: Retention, heart: Heart) -> None:
        self._store = store
        self._policy = policy
        self._matters = matters
        self._retention = retention
        self._heart = heart

    def look(self) -> Report:
        """Return what needs somebody now; nothing is changed."""
        now = self._store.clock()
        today = local_date(now, self._policy.zone)
        with self._store.reading() as connection:
            every = [each for each in campaigns.all_scheduled(connection) if each.state not in OVER]
            year = _year(slots.every(connection), today)
        ahead = [each for each in every if each.state is not State.HELD]
        lines = (
            self._next(ahead, is_alone=not every),
            self._held(every),
            self._due(today),
            year,
            self._sender(ahead, now),
        )
        return Report(today, lines)

    def _next(self, ahead: Sequence[Scheduled], *, is_alone: bool) -> Line:
        """Return what goes out now or next, and what of the coming week has nothing to send yet."""
        line = self._coming(ahead, is_alone=is_alone)
        today = local_date(self._store.clock(), self._policy.zone)
        idle = [
            each
            for each in ahead
            if each.state in IDLE and local_date(each.send_at, self._policy.zone) - today <= AHEAD
        ]
        if idle:
            others = [each for each in idle if each.name != line.values["campaign"]]
            said = " ".join([line.said, *(f"{self._said_idle(each)}." for each in others)])
            line = replace(line, said=said, command=_SCHEDULE, needs_somebody=True)
        return replace(line, values={**line.values, "without_content": [each.name for each in idle]})

    def _said_idle(self, campaign: Scheduled) -> str:
        day = format_date(local_date(campaign.send_at, self._policy.zone))
        missing = "its content is missing" if campaign.state is State.RESERVED else "a draft, to be scheduled again"
        return f"{campaign.title} on {day}: {missing}"

    def _coming(self, ahead: Sequence[Scheduled], *, is_alone: bool) -> Line:
        """Return what goes out now, else what goes out next, with whom it reaches; `is_alone`: nothing is held."""
        sending = next((each for each in ahead if each.state is State.SENDING), None)
        if sending is not None:
            return self._sending(sending)
        if not ahead:
            said = "Nothing is scheduled." if is_alone else "Nothing goes out by itself."
            return Line("next", said, _SCHEDULE, values={"campaign": None})
        coming = ahead[0]
        local = coming.send_at.astimezone(self._policy.zone)
        is_idle = coming.state in IDLE
        counts = {} if is_idle else self._matters.counts(coming.name)
        with self._store.reading() as connection:
            today = local_date(self._store.clock(), self._policy.zone)
            near = too_near(local.date(), slots.near(connection, local.date(), coming.id, today=today))
        said = f"Next: {coming.title} on {format_date(local.date())} at {local:%H:%M}"
        if is_idle:
            said = f"Next: {self._said_idle(coming)}"
        if counts:
            said += f": {counts['email']} by email, {counts['sms']} by text message, as the register stands now"
        values: dict[str, Json] = {
            "campaign": coming.name,
            "state": coming.state.value,
            "send_at": stamp(coming.send_at),
            "counts": counts or None,
            "warnings": list(near),
        }
        said = " ".join([f"{said}.", *near])
        return Line("next", said, f"dispatcher campaign status {coming.name}", values=values)

    def _sending(self, sending: Scheduled) -> Line:
        with self._store.reading() as connection:
            left = outbox.count_open(connection, sending.id)
            next_due = outbox.next_due(connection, sending.id)
        said = f"Going out now: {sending.title}, {left} to go."
        if next_due is not None and next_due > self._store.clock():
            local = next_due.astimezone(self._policy.zone)
            said = f"Going out: {sending.title}, {left} to go, the next at {format_date(local.date())} {local:%H:%M}."
        values: dict[str, Json] = {
            "campaign": sending.name,
            "state": sending.state.value,
            "send_at": stamp(sending.send_at),
            "left": left,
        }
        return Line("next", said, f"dispatcher campaign status {sending.name}", values=values)

    def _held(self, every: Sequence[Scheduled]) -> Line:
        held = [each for each in every if each.state is State.HELD]
        values: dict[str, Json] = {
            "campaigns": [{"campaign": each.name, "reason": each.held_reason} for each in held],
        }
        if not held:
            return Line("held", "Nothing is held.", values=values)
        said = "; ".join(f"{each.title}: {_why(each.held_reason)}" for each in held)
        name = held[0].name
        command = f"dispatcher campaign release {name} (or cancel {name})"
        return Line("held", f"Held: {said}", command, needs_somebody=True, values=values)

    def _due(self, today: date) -> Line:
        every = self._matters.overdue()
        late = [each for each in every if each.kind not in _UNREAD]
        unread = [each for each in every if each.kind in _UNREAD]
        with self._store.reading() as connection:
            waiting = [each.due for each in requests.every(connection, only_open=True) if not each.is_overdue(today)]
        overview = self._retention.show()
        read = overview.last_reading
        values: dict[str, Json] = {
            "overdue": [{"what": matter.kind.value, **matter.details} for matter in late],
            "requests_open": len(waiting) + sum(matter.kind is AlertKind.REQUEST_OVERDUE for matter in late),
            "next_request_due": min(waiting).isoformat() if waiting else None,
            "register_read_at": stamp(read) if read else None,
            "to_be_removed": len(overview.due),
            "unread": [{"what": matter.kind.value, **matter.details} for matter in unread],
        }
        if every:
            told = {"Overdue": late, "Waiting": unread}
            said = " ".join(f"{how}: {'; '.join(map(_said_matter, those))}." for how, those in told.items() if those)
            return Line("due", said, _COMMANDS[every[0].kind], needs_somebody=True, values=values)
        known = [f"a request is due by {format_date(min(waiting))}"] if waiting else []
        if read is not None:
            known.append(f"the register was read on {format_date(local_date(read, self._policy.zone))}")
        command = "dispatcher client requests" if waiting else None
        if read is None:
            known.append("no whole register has been read yet")
            command = command or "dispatcher client import register.csv"
        return Line("due", f"Nothing is overdue: {', '.join(known)}.", command, values=values)

    def _sender(self, ahead: Sequence[Scheduled], now: datetime) -> Line:
        last = self._heart.last()
        is_needed = any(each.state is State.SENDING or each.send_at - now <= AHEAD for each in ahead)
        trouble = self._trouble(last, now)
        values: dict[str, Json] = {
            "running": is_beating(last, now),
            "started_at": stamp(last.started_at) if last else None,
            "seen_at": stamp(last.seen_at) if last else None,
            "stopped_at": stamp(last.stopped_at) if last and last.stopped_at else None,
            "version": last.version if last else None,
            "trouble": trouble,
            "clock_jumped_at": stamp(last.stepped_at) if last and last.stepped_at else None,
            "clock_jumped_by_seconds": last.stepped_by if last else None,
            "alerts_to": self._owners_told(),
        }
        if last is None or not is_beating(last, now):
            said = self._said_silence(last)
            is_dead = last is not None and last.stopped_at is None
            needs = is_needed or is_dead or trouble is not None
            return Line("sender", f"{said}{_added(trouble)}", "dispatcher run", needs_somebody=needs, values=values)
        if trouble is not None:
            return Line("sender", f"The sender runs, but: {trouble}", None, needs_somebody=True, values=values)
        said = f"The sender runs since {self._local(last.started_at)}."
        if last.stepped_at is not None and now - last.stepped_at <= _RECENTLY:
            said += f" Its clock jumped on {self._local(last.stepped_at)}: what was late by then is held."
        command = None
        if not values["alerts_to"]:
            said, command = f"{said} No owner gets alerts.", "dispatcher person reach NAME --email ADDRESS"
        return Line("sender", said, command, values=values)

    def _said_silence(self, last: Heartbeat | None) -> str:
        if last is None:
            return "The sender has never run."
        if last.stopped_at is not None:
            return f"The sender was stopped on {self._local(last.stopped_at)}."
        return f"The sender was last seen on {self._local(last.seen_at)}, and it did not stop in order."

    def _trouble(self, last: Heartbeat | None, now: datetime) -> str | None:
        """Return what keeps anything from being sent: of the database itself, else what the running sender says."""
        try:
            self._store.check_trusted()
        except DispatcherError as error:
            return str(error)
        return last.trouble if last is not None and is_beating(last, now) else None

    def _owners_told(self) -> int:
        with self._store.reading() as connection:
            return _owners_told(connection)

    def _local(self, moment: datetime) -> str:
        local = moment.astimezone(self._policy.zone)
        return f"{format_date(local.date())} {local:%H:%M}"


_COMMANDS = {
    AlertKind.REQUEST_OVERDUE: "dispatcher client requests",
    AlertKind.RETENTION_OVERDUE: "dispatcher retention show",
    AlertKind.YEAR_OVERDUE: "dispatcher retention show",
    AlertKind.IMPORT_STALE: "dispatcher client import register.csv",
    AlertKind.INCOMING: "dispatcher inbox list",
    AlertKind.DOOR_UNREAD: "dispatcher doctor",
}


def _owners_told(connection: Connection) -> int:
    return sum(
        person.role is Role.OWNER and person.ended_at is None and person.email is not None
        for person in persons.everyone(connection)
    )


def _year(every: Sequence[slots.SlotRow], today: date) -> Line:
    """Return what the calendar year holds, and what the notice leads a client to expect of it."""
    mine = [slot for slot in every if slot.day.year == today.year and slot.state != slots.SlotState.RETURNED.value]
    waiting = sum(slot.state == slots.SlotState.TAKEN.value for slot in mine)
    spent, left = len(mine) - waiting, max(CEILING - len(mine), 0)
    said = f"{today.year}: {spent} of {CEILING} spent, {waiting} planned, {left} left"
    missing = FLOOR - len(mine)
    said += f"; {missing} more would keep the {FLOOR} a year of the notice." if missing > 0 else "."
    values: dict[str, Json] = {
        "year": today.year,
        "ceiling": CEILING,
        "floor": FLOOR,
        "spent": spent,
        "planned": waiting,
        "left": left,
    }
    return Line("year", said, "dispatcher campaign list", values=values)


def _why(reason: str | None) -> str:
    key = f"alert_why_{reason}"
    if key in CATALOGUES[Language.EN]:
        return text(key, Language.EN)
    return f"{reason.replace('_', ' ')}." if reason else "held."


def _said_matter(matter: Matter) -> str:
    details = matter.details
    if matter.kind is AlertKind.REQUEST_OVERDUE:
        day = format_date(date.fromisoformat(str(details["date"])))
        return f"request {details['request']} ({details['kind']}) should have been answered by {day}"
    if matter.kind is AlertKind.RETENTION_OVERDUE:
        return f"{details['count']} clients should have been removed"
    if matter.kind is AlertKind.YEAR_OVERDUE:
        return f"the messages of {details['year']} should have been destroyed"
    if matter.kind is AlertKind.INCOMING:
        day = format_date(date.fromisoformat(str(details["date"])))
        letters = text("messages", Language.EN, count=details["count"])
        return f"{letters} of clients to be read, the oldest of {day}"
    if matter.kind is AlertKind.DOOR_UNREAD:
        day = format_date(date.fromisoformat(str(details["date"])))
        return f"nothing leaves until {details['door']} can be read, which failed on {day} at {details['time']}"
    days = int(str(details["days"]))
    return f"the register was last read {days} days ago" if days >= 0 else "the register has never been read as a whole"


def _added(trouble: str | None) -> str:
    return f" {trouble}" if trouble else ""
