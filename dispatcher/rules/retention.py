"""How long what is kept: when a client has had their year, and what an erasure leaves behind (G.2, L-36, L-37)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import VALID_FOR, Answer, ConsentState, Reply, fold


class EraseReason(StrEnum):
    """Why a client's data goes."""

    REQUEST = "request"
    """The client asked for it (Article 17)."""
    AGE = "age"
    """Their year is over."""
    GONE = "gone"
    """The register has not named them for a while."""
    BLOCK_ENDED = "block_ended"
    """A legal block had kept a part of a client who was erased before, and it has ended."""


class Basis(StrEnum):
    """What a client's year counts from."""

    VISIT = "last_visit"
    ANSWER = "last_answer"
    CREATED = "created"
    GONE = "gone_from_register"


class Keeper(StrEnum):
    """What stands in the way of removing a client who is due."""

    RESTRICTED = "restricted"
    BLOCKED = "blocked"
    ASKING = "open_request"


@dataclass(frozen=True, slots=True)
class Periods:
    """How long what is kept: clients after their last visit, clients who are gone, copies of the database.

    Nobody is removed unless a register was read within `register`. `valid_for` is how long a yes stands.
    """

    client: timedelta = timedelta(days=365)
    gone: timedelta = timedelta(days=30)
    register: timedelta = timedelta(days=31)
    backups: timedelta = timedelta(days=90)
    valid_for: timedelta = VALID_FOR

    @property
    def suppressed(self) -> timedelta:
        """Return how long an objection outlives an erasure, from its own date (L-36).

        Until every yes before it has expired, and the copies that could bring one back with it.
        """
        return self.valid_for + self.backups


@dataclass(frozen=True, slots=True)
class Held:
    """What retention needs to know of a client; every day is a local date."""

    created: date
    last_visit: date | None = None
    last_answer: date | None = None
    gone_since: date | None = None
    restricted: bool = False
    blocked: bool = False
    asking: bool = False

    @property
    def keeper(self) -> Keeper | None:
        """Return what keeps the client though they may be due, or None (L-38)."""
        found = {Keeper.ASKING: self.asking, Keeper.BLOCKED: self.blocked, Keeper.RESTRICTED: self.restricted}
        return next((keeper for keeper, is_so in found.items() if is_so), None)


@dataclass(frozen=True, slots=True)
class Due:
    """The local day from which a client has had their time, why, and what it counts from."""

    on: date
    reason: EraseReason
    basis: Basis
    since: date


def due(held: Held, periods: Periods) -> Due:
    """Return when a client is due for removal: the year after the last visit, or sooner if the register names them not.

    With no visit on record the year counts from the last answer, and with none from the day they came in.
    """
    basis, since = _beginning(held)
    by_age = Due(since + periods.client, EraseReason.AGE, basis, since)
    if held.gone_since is None:
        return by_age
    gone = Due(held.gone_since + periods.gone, EraseReason.GONE, Basis.GONE, held.gone_since)
    return min(by_age, gone, key=lambda each: each.on)


def is_past(last_visit: date | None, today: date, periods: Periods) -> bool:
    """Say whether the year after this visit is over: whom no register knows yet does not come in any more (G.2).

    Without a visit nobody can tell, and whoever comes in has a year from then.
    """
    return due(Held(created=today, last_visit=last_visit), periods).on <= today


def _beginning(held: Held) -> tuple[Basis, date]:
    if held.last_visit is not None:
        return Basis.VISIT, held.last_visit
    if held.last_answer is not None:
        return Basis.ANSWER, held.last_answer
    return Basis.CREATED, held.created


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection that outlives its client: for one channel, or for every one, and when it was said."""

    channel: Channel | None
    at: datetime


def left_behind(
    answers: Iterable[Answer],
    now: datetime,
    periods: Periods,
    told: Iterable[Answer] = (),
    *,
    is_child: bool = False,
) -> list[Objection]:
    """Return what an erasure has to keep of these answers: the objections that stand, and nothing else (L-35).

    A no at a booking is no objection and leaves nothing, but for one that took back a yes: were it forgotten, an older
    export would bring that yes back to life. It may be one of all that was `told`, for an address the client has left.
    A child's mark goes with the child: each yes of theirs that has not ended is met by an objection as of now. What has
    outlived its own end is not kept.
    """
    given = list(answers)
    yeses = [answer for answer in (*given, *told) if answer.reply is Reply.GRANTED]
    found = {channel: _standing(given, yeses, channel, now, periods) for channel in Channel}
    standing = {channel: no for channel, no in found.items() if no and no.latest() + periods.suppressed > now}
    closed = [each for each in Channel if is_child and _may_come_back(yeses, each, now, periods)]
    noes = set(standing.values())
    if not closed and len(standing) == len(Channel) and len(noes) == 1 and next(iter(noes)).channel is None:
        return [Objection(None, next(iter(noes)).latest())]
    kept = {channel: Objection(channel, no.latest()) for channel, no in standing.items()}
    return list((kept | {channel: Objection(channel, now) for channel in closed}).values())


def _standing(
    given: list[Answer], yeses: list[Answer], channel: Channel, now: datetime, periods: Periods
) -> Answer | None:
    consent = fold(given, channel, now, periods.valid_for)
    if consent.objected:
        return consent.answer
    if consent.state not in {ConsentState.DECLINED, ConsentState.WITHDRAWN}:
        return None
    comes_back = fold(yeses, channel, now, periods.valid_for).state is ConsentState.GRANTED
    return consent.answer if comes_back else None


def _may_come_back(yeses: list[Answer], channel: Channel, now: datetime, periods: Periods) -> bool:
    """Say whether a yes for this channel has not ended, with or without the evidence that would let it be used."""
    ends = [yes.ends_at(periods.valid_for) for yes in yeses if yes.concerns(channel)]
    return any(end is None or end > now for end in ends)
