"""The verdict of a service message: a pure rule of its own, since no yes is asked of what holds no offer.

A client gets one only if that address, or a person, asked for it just now, and only so many (E-34, E-46, L-05).
`decide` of rules/decision never answers for a service message, nor does `decide_service` for a campaign's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from dispatcher.rules.actor import ActorKind
from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import ServicePurpose

A_DAY = 1
"""How many an address gets on one local date at most."""
A_MONTH = 3
"""How many an address gets on any thirty local dates at most."""
AFTER_OBJECTION = 1
"""How many of those thirty dates' messages may come on or after the date of an objection that stands."""
MONTH = timedelta(days=30)
"""Half-open: d and d + 30 are not in one month."""
JUST_NOW = timedelta(hours=48)
"""How long what an address asked for is still what it asked for just now; a carrier may be away as long (E-50)."""
_MAY_ASK = frozenset({ActorKind.CLIENT, ActorKind.PERSON})


class ServiceReason(StrEnum):
    """Why a service message does not go now, in the order in which the reasons are asked."""

    NOT_ASKED_FOR = "not_asked_for"
    """Neither that address nor a person asked for it."""
    NO_LONGER_ASKED_FOR = "no_longer_asked_for"
    """It was asked for too long ago, or what it is about has gone."""
    CHILD = "child"
    """Nobody writes to somebody who is marked as a child."""
    RESTRICTED = "restricted"
    """Their data may be kept and not used (L-38)."""
    SUSPENDED = "suspended"
    """They wait for an answer about a right, and get only what they have asked for themselves."""
    ADDRESS_DEAD = "address_dead"
    """The address takes nothing any more; only a confirmation may show that it does."""
    SENDER_NOT_AUTHORISED = "sender_not_authorised"
    TOO_MANY = "too_many"
    """The address has had its share for today, or for thirty dates."""
    QUIET_HOURS = "quiet_hours"
    CANNOT_BE_WRITTEN = "cannot_be_written"
    """The address cannot stand in a message."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """Everything the verdict needs to know of one service message and its address.

    `to_person`: it goes to somebody who works with the program. `wanted`: what it is about still stands. `child`,
    `restricted` and `suspended` are of the client it goes to, if it is to one. `days` are the local dates of the
    service messages the address got, `objected_on` that of an objection which stands there.
    """

    purpose: ServicePurpose
    channel: Channel
    asked_by: ActorKind
    asked_at: datetime
    windows: Windows
    to_person: bool = False
    wanted: bool = True
    child: bool = False
    restricted: bool = False
    suspended: bool = False
    dead: bool = False
    authorised: bool = True
    days: tuple[date, ...] = ()
    objected_on: date | None = None


@dataclass(frozen=True, slots=True)
class ServiceSend:
    """Yes: it may be handed over now."""


@dataclass(frozen=True, slots=True)
class ServiceWait:
    """Not now: ask again at `until` (aware UTC)."""

    reason: ServiceReason
    until: datetime


@dataclass(frozen=True, slots=True)
class ServiceWithhold:
    """No: this service message does not go."""

    reason: ServiceReason


ServiceVerdict = ServiceSend | ServiceWait | ServiceWithhold


def decide_service(facts: ServiceFacts, now: datetime) -> ServiceVerdict:
    """Return the verdict for one service message and one moment.

    A receipt waits for the day and the hour at which it may go, since an offer waits for it; a restriction and an open
    request pass as well, a child gets none. A confirmation does not wait: whoever still wants it asks again. It is what
    the address itself asked for, so that neither of those two stands in its way.
    """
    if not facts.wanted:
        return ServiceWithhold(ServiceReason.NO_LONGER_ASKED_FOR)
    if facts.to_person:
        return ServiceSend()
    if facts.asked_by not in _MAY_ASK:
        return ServiceWithhold(ServiceReason.NOT_ASKED_FOR)
    if facts.child:
        return ServiceWithhold(ServiceReason.CHILD)
    is_patient = facts.purpose is ServicePurpose.RECEIPT
    if is_patient and (facts.restricted or facts.suspended):
        reason = ServiceReason.RESTRICTED if facts.restricted else ServiceReason.SUSPENDED
        return ServiceWait(reason, now + timedelta(days=1))
    if not is_patient and now - facts.asked_at > JUST_NOW:
        return ServiceWithhold(ServiceReason.NO_LONGER_ASKED_FOR)
    if facts.dead and facts.purpose is not ServicePurpose.CONFIRMATION:
        return ServiceWithhold(ServiceReason.ADDRESS_DEAD)
    return _now_or_later(facts, now, is_patient=is_patient)


def opens_on(days: Sequence[date], objected_on: date | None, today: date) -> date:
    """Return the first local date from today on that has room for one more service message to an address.

    Dates after today count as well: a clock that was set back must not make room.
    """
    day = today
    while not _has_room(days, objected_on, day):
        day += timedelta(days=1)
    return day


def _has_room(days: Sequence[date], objected_on: date | None, day: date) -> bool:
    near = [each for each in days if abs(each - day) < MONTH]
    if near.count(day) >= A_DAY or len(near) >= A_MONTH:
        return False
    return objected_on is None or sum(each >= objected_on for each in near) < AFTER_OBJECTION


def _now_or_later(facts: ServiceFacts, now: datetime, *, is_patient: bool) -> ServiceVerdict:
    zone = facts.windows.zone
    today = local_date(now, zone)
    opening = opens_on(facts.days, facts.objected_on, today)
    if not facts.authorised:
        reason, until = ServiceReason.SENDER_NOT_AUTHORISED, now + timedelta(days=1)
    elif opening > today:
        start = datetime.combine(opening, time.min, zone).astimezone(UTC)
        reason, until = ServiceReason.TOO_MANY, facts.windows.next_opening(facts.channel, start)
    elif is_patient and not facts.windows.is_open(facts.channel, now):
        reason, until = ServiceReason.QUIET_HOURS, facts.windows.next_opening(facts.channel, now)
    else:
        return ServiceSend()
    return ServiceWait(reason, until) if is_patient else ServiceWithhold(reason)
