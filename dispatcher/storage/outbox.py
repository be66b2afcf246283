"""Messages still to go, and what became of those that went."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, literal, or_, select, update

from dispatcher.errors import JournalError
from dispatcher.rules.campaign import Channel
from dispatcher.rules.cost import Priced
from dispatcher.rules.message import COUNTED, MessageState, Outcome
from dispatcher.storage.hot import HotInsert, stored
from dispatcher.storage.outcomes import outcome_columns
from dispatcher.storage.tables import AddressTable, ClientAddressTable, InstallationTable, Moment, OutboxTable

RESTORED = "restored"
"""The code of a message of which nobody knows what became, because the database is an older copy."""
_OPEN = (MessageState.WAITING.value, MessageState.DEFERRED.value)


@dataclass(frozen=True, slots=True)
class Planned:
    """A row as planning writes it: waiting for its hand-off, or withheld with its reason."""

    campaign: int
    client: int
    message_id: str
    state: MessageState
    not_before: datetime
    channel: Channel | None = None
    address: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that a worker holds: until `lease_until`, and only as long as its fence is the newest."""

    id: int
    campaign: int
    client: int
    address: int | None
    channel: Channel
    message_id: str
    attempts: int
    fence: int
    planned_at: datetime
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """A message that an older copy of the database knew as open: it may have gone out since, so it counts on `day`."""

    client: int
    channel: Channel
    message_id: str
    day: date


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages of a campaign stand where: one count for a state, channel and reason."""

    campaign: int
    state: MessageState
    channel: Channel | None
    reason: str | None
    count: int


# These run for every message or batch, and building a statement costs several times what running it does.
_COLUMNS: list[Any] = [getattr(OutboxTable, name) for name in Claimed.__dataclass_fields__]
_THESE = OutboxTable.id.in_(bindparam("these", expanding=True))
_PLANNED = "campaign client address channel state reason message_id attempts not_before planned_at fence"
_ADD = HotInsert(OutboxTable, _PLANNED.split())
_DUE = (
    select(OutboxTable.id)
    .where(
        OutboxTable.campaign == bindparam("campaign"),
        OutboxTable.channel == bindparam("channel"),
        OutboxTable.state.in_(_OPEN),
        OutboxTable.not_before <= bindparam("now"),
        or_(OutboxTable.lease_until.is_(None), OutboxTable.lease_until <= bindparam("now")),
    )
    .order_by(OutboxTable.not_before, OutboxTable.id)
    .limit(bindparam("at_most"))
)
_DUE_AND_FREE = _DUE.with_for_update(skip_locked=True)
_CLAIM = (
    update(OutboxTable)
    .where(_THESE)
    .values(lease_until=bindparam("until"), fence=OutboxTable.fence + 1)
    .returning(*_COLUMNS)
)
_FENCES = (
    select(OutboxTable.id, OutboxTable.fence)
    .where(_THESE, OutboxTable.state.in_(_OPEN), OutboxTable.not_before <= bindparam("now"))
    .order_by(OutboxTable.id)
    .with_for_update()
)
_ATTEMPTED = (
    select(OutboxTable.id, OutboxTable.fence)
    .where(_THESE, OutboxTable.state == MessageState.ATTEMPTING.value)
    .order_by(OutboxTable.id)
    .with_for_update()
)
_NOT_RECALLED = select(OutboxTable.id, OutboxTable.fence).where(
    _THESE, OutboxTable.state == MessageState.ATTEMPTING.value, OutboxTable.recalled_at.is_(None)
)
_INTEND = (
    update(OutboxTable)
    .where(_THESE)
    .values(
        state=MessageState.ATTEMPTING.value,
        intent_at=bindparam("now"),
        day=bindparam("today"),
        attempts=OutboxTable.attempts + 1,
        lease_until=bindparam("until"),
        recalled_at=None,
    )
)
_PRICE = (
    update(OutboxTable)
    .where(OutboxTable.id == bindparam("row"))
    .values(segments=bindparam("parts"), part_price=bindparam("price"))
)
_WAITS_FOR_REPLAY = select(InstallationTable.needs_replay)
_HAS = select(ClientAddressTable.address).where(ClientAddressTable.client == bindparam("whose"))
_RECALL = (
    update(OutboxTable)
    .where(
        or_(OutboxTable.client == bindparam("whose"), OutboxTable.address.in_(_HAS)),
        OutboxTable.state == MessageState.ATTEMPTING.value,
        OutboxTable.recalled_at.is_(None),
    )
    .values(recalled_at=bindparam("now"))
)
_GIVE_BACK = (
    update(OutboxTable)
    .where(
        OutboxTable.id == bindparam("row"),
        OutboxTable.fence == bindparam("held"),
        OutboxTable.state != MessageState.ATTEMPTING.value,
    )
    .values(lease_until=None)
)
_SETTLE_THESE = update(OutboxTable).where(_THESE)


def add(connection: Connection, rows: Sequence[Planned]) -> None:
    """Write planned rows. The unique keys refuse a second message per client, and per address, of one campaign."""
    if not rows:
        return
    at = {moment: stored(moment, connection) for moment in {row.not_before for row in rows}}
    written = [
        (
            row.campaign,
            row.client,
            row.address,
            row.channel.value if row.channel else None,
            row.state.value,
            row.reason,
            row.message_id,
            0,
            at[row.not_before],
            at[row.not_before],
            0,
        )
        for row in rows
    ]
    _ADD.run(connection, written)


def claim(
    connection: Connection, campaign: int, now: datetime, lease_until: datetime, limit: int, channel: Channel
) -> list[Claimed]:
    """Take the next due messages of a campaign and channel; no other worker gets them before the lease has ended."""
    query = _DUE if connection.dialect.name == "sqlite" else _DUE_AND_FREE
    wanted = {"campaign": campaign, "channel": channel.value, "now": now, "at_most": limit}
    ids = list(connection.scalars(query, wanted))
    if not ids:
        return []
    taken = connection.execute(_CLAIM, {"these": ids, "until": lease_until})
    return [_claimed(row) for row in sorted(taken, key=lambda row: int(row.id))]


def still_held(connection: Connection, rows: Sequence[Claimed], now: datetime) -> set[int]:
    """Return which of these rows this worker still holds and may hand over: same fence, still open, still due.

    They are locked until the transaction ends, so that nobody claims them between this look and the intent.
    """
    return _with_fence(connection, _FENCES, rows, {"now": now})


def not_recalled(connection: Connection, rows: Sequence[Claimed]) -> set[int]:
    """Return which of these messages, their hand-off begun, may still leave: nobody has said no since."""
    return _with_fence(connection, _NOT_RECALLED, rows, {})


def recall(connection: Connection, client: int, now: datetime) -> None:
    """Let no message leave any more that is being handed over to this client, or to an address they have."""
    connection.execute(_RECALL, {"whose": client, "now": now})


def set_intents(connection: Connection, rows: Sequence[int], now: datetime, day: date, lease_until: datetime) -> None:
    """Write that these messages are about to be handed off; they count from this local day.

    Raises JournalError while the database waits for its replay: a worker may have looked before a copy was put back.
    """
    if connection.scalar(_WAITS_FOR_REPLAY):
        raise JournalError
    if rows:
        connection.execute(_INTEND, {"these": list(rows), "now": now, "today": day, "until": lease_until})


def set_prices(connection: Connection, priced: Mapping[int, Priced]) -> None:
    """Write what text messages that are about to be handed off will cost, by row."""
    if priced:
        rows = [{"row": row, "parts": each.parts, "price": str(each.part_price)} for row, each in priced.items()]
        connection.execute(_PRICE, rows)


def address_is_taken(connection: Connection, campaign: int, address: int) -> bool:
    """Say whether a message of this campaign goes, or went, to this address already."""
    query = select(func.count()).where(OutboxTable.campaign == campaign, OutboxTable.address == address)
    return bool(connection.scalar(query))


def move(connection: Connection, row: int, channel: Channel, address: int, now: datetime) -> None:
    """Give a claimed message to another channel and address, due at once."""
    values = {"channel": channel.value, "address": address, "lease_until": None, "not_before": now}
    connection.execute(update(OutboxTable).where(OutboxTable.id == row).values(**values))


def set_withheld(connection: Connection, row: int, reason: str) -> None:
    """Write that a planned message does not go, and why; its address is free again for nobody of this campaign."""
    connection.execute(
        update(OutboxTable)
        .where(OutboxTable.id == row)
        .values(state=MessageState.WITHHELD.value, reason=reason, address=None, lease_until=None, day=None)
    )


def give_back(connection: Connection, row: int, not_before: datetime) -> None:
    """Give a claimed row back, to be looked at again at this time."""
    connection.execute(update(OutboxTable).where(OutboxTable.id == row).values(lease_until=None, not_before=not_before))


def set_outcomes(
    connection: Connection, outcomes: Sequence[tuple[Claimed, Outcome, datetime | None]], provider: str, now: datetime
) -> set[int]:
    """Write what became of messages, and return the rows of which this worker was still the one to tell.

    With each stands when a deferred message may be tried again; without it a deferral is final.
    """
    mine = _with_fence(connection, _ATTEMPTED, [row for row, _, _ in outcomes], {})
    alike: dict[tuple[Outcome, datetime | None], list[int]] = defaultdict(list)
    told: dict[tuple[Outcome, datetime | None], dict[str, object]] = {}
    for row, outcome, again_at in outcomes:
        if row.id not in mine:
            continue
        key = (outcome, again_at)
        if key not in told:
            values = {**outcome_columns(outcome, provider, now, again_at), "blame": outcome.blame.value}
            parts = {} if outcome.segments is None else {"segments": outcome.segments}
            told[key] = {**values, **parts, "lease_until": None}
        alike[key].append(row.id)
    for ending, rows in alike.items():
        connection.execute(_SETTLE_THESE, {"these": rows, **told[ending]})
    return mine


def lost(connection: Connection, now: datetime, campaign: int | None = None) -> list[Claimed]:
    """Return the messages whose intent has no outcome and whose worker's lease has ended: nobody knows what became."""
    query = select(*_COLUMNS).where(OutboxTable.state == MessageState.ATTEMPTING.value, OutboxTable.lease_until <= now)
    if campaign is not None:
        query = query.where(OutboxTable.campaign == campaign)
    return [_claimed(row) for row in connection.execute(query)]


def last_outcomes(
    connection: Connection, campaign: int, channel: Channel, since: datetime | None, limit: int
) -> list[tuple[str | None, str | None]]:
    """Return whom the last outcomes of a campaign by a channel concerned, newest first, and at which address."""
    query = (
        select(OutboxTable.blame, AddressTable.canonical)
        .join(AddressTable, AddressTable.id == OutboxTable.address, isouter=True)
        .where(OutboxTable.campaign == campaign, OutboxTable.channel == channel.value)
        .where(OutboxTable.outcome_at.is_not(None), OutboxTable.blame.is_not(None))
        .order_by(OutboxTable.outcome_at.desc(), OutboxTable.id.desc())
        .limit(limit)
    )
    if since is not None:
        query = query.where(OutboxTable.outcome_at > since)
    return [(row.blame, row.canonical) for row in connection.execute(query)]


def postpone_domain(connection: Connection, campaign: int, domain: str, until: datetime) -> None:
    """Let what a campaign still has for the addresses of a mail domain wait."""
    there = select(AddressTable.id).where(
        AddressTable.channel == Channel.EMAIL.value, AddressTable.canonical.endswith(f"@{domain}", autoescape=True)
    )
    waiting = (
        OutboxTable.campaign == campaign,
        OutboxTable.channel == Channel.EMAIL.value,
        OutboxTable.state.in_(_OPEN),
        OutboxTable.not_before < until,
        OutboxTable.address.in_(there),
    )
    connection.execute(update(OutboxTable).where(*waiting).values(not_before=until))


def set_unknown(connection: Connection, campaign: int, day: date, now: datetime) -> list[Closed]:
    """Write that nobody knows what became of any message of a campaign that is still open, and return them.

    They count from `day`, or from the day of their intent where it is known; no worker holds them any longer.
    """
    still_open = OutboxTable.state.in_((*_OPEN, MessageState.ATTEMPTING.value))
    statement = (
        update(OutboxTable)
        .where(OutboxTable.campaign == campaign, still_open)
        .values(
            state=MessageState.UNKNOWN.value,
            outcome_at=now,
            code=RESTORED,
            day=func.coalesce(OutboxTable.day, day),
            lease_until=None,
            fence=OutboxTable.fence + 1,
        )
        .returning(OutboxTable.id, OutboxTable.client, OutboxTable.channel, OutboxTable.message_id, OutboxTable.day)
    )
    rows = sorted(connection.execute(statement), key=lambda row: int(row.id))
    return [Closed(row.client, Channel(row.channel), row.message_id, row.day) for row in rows]


def free_claims(connection: Connection) -> None:
    """Take back every claim on messages still to go: whoever held them is gone."""
    connection.execute(
        update(OutboxTable)
        .where(OutboxTable.state.in_(_OPEN), OutboxTable.lease_until.is_not(None))
        .values(lease_until=None, fence=OutboxTable.fence + 1)
    )


def open_of_client(connection: Connection, client: int) -> list[tuple[int, int, str]]:
    """Return the row, campaign and message id of each message still waiting for a client."""
    query = select(OutboxTable.id, OutboxTable.campaign, OutboxTable.message_id).where(
        OutboxTable.client == client, OutboxTable.state.in_(_OPEN)
    )
    return [(row.id, row.campaign, row.message_id) for row in connection.execute(query)]


def open_of_campaign(connection: Connection, campaign: int, limit: int) -> list[tuple[int, int, str]]:
    """Return the row, client and message id of the next messages of a campaign that still wait."""
    query = (
        select(OutboxTable.id, OutboxTable.client, OutboxTable.message_id)
        .where(OutboxTable.campaign == campaign, OutboxTable.state.in_(_OPEN))
        .order_by(OutboxTable.id)
        .limit(limit)
    )
    return [(row.id, row.client, row.message_id) for row in connection.execute(query)]


def count_open(connection: Connection, campaign: int) -> int:
    """Return how many messages of a campaign are waiting, deferred or being handed over."""
    query = select(func.count()).where(
        OutboxTable.campaign == campaign, OutboxTable.state.in_((*_OPEN, MessageState.ATTEMPTING.value))
    )
    return int(connection.scalar(query) or 0)


def has_left(connection: Connection, campaign: int) -> bool:
    """Say whether any message of a campaign has had its intent."""
    query = select(OutboxTable.id).where(OutboxTable.campaign == campaign, OutboxTable.intent_at.is_not(None)).limit(1)
    return connection.scalar(query) is not None


def next_due(connection: Connection, campaign: int) -> datetime | None:
    """Return when the next waiting message of a campaign may be looked at, or None where none waits."""
    query = select(func.min(OutboxTable.not_before)).where(
        OutboxTable.campaign == campaign, OutboxTable.state.in_(_OPEN)
    )
    return connection.scalar(query)


def silent_since(connection: Connection, campaign: int) -> datetime | None:
    """Return since when nothing of a campaign has moved though a message was due, or None where none was planned."""
    last = connection.scalar(select(func.max(OutboxTable.intent_at)).where(OutboxTable.campaign == campaign))
    due = next_due(connection, campaign)
    return max((each for each in (last, due) if each is not None), default=None)


def wait_no_longer_than(connection: Connection, campaign: int, now: datetime) -> None:
    """Let what was due before a campaign was held be due from its release on."""
    overdue = (OutboxTable.campaign == campaign, OutboxTable.state.in_(_OPEN), OutboxTable.not_before < now)
    connection.execute(update(OutboxTable).where(*overdue).values(not_before=now))


def postpone(connection: Connection, campaign: int, channel: Channel, now: datetime, until: datetime) -> None:
    """Let what is due by a channel, and held by nobody, wait until its hours: it is due from then on, not late."""
    due = (
        OutboxTable.campaign == campaign,
        OutboxTable.channel == channel.value,
        OutboxTable.state.in_(_OPEN),
        OutboxTable.not_before <= now,
        or_(OutboxTable.lease_until.is_(None), OutboxTable.lease_until <= now),
    )
    # What has been tried already keeps its beginning: a deferral is given up by its age.
    planned = case((OutboxTable.attempts == 0, literal(until, Moment)), else_=OutboxTable.planned_at)
    connection.execute(update(OutboxTable).where(*due).values(not_before=until, planned_at=planned))


def give_back_all(connection: Connection, rows: Sequence[Claimed]) -> None:
    """Give claimed rows back that were never decided."""
    if rows:
        connection.execute(_GIVE_BACK, [{"row": row.id, "held": row.fence} for row in rows])


def tallies(connection: Connection, campaign: int | None = None) -> list[Tally]:
    """Return how many messages stand where, of one campaign or of all."""
    columns = (OutboxTable.campaign, OutboxTable.state, OutboxTable.channel, OutboxTable.reason)
    query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    if campaign is not None:
        query = query.where(OutboxTable.campaign == campaign)
    return [
        Tally(row[0], MessageState(row[1]), Channel(row[2]) if row[2] else None, row[3], row[4])
        for row in connection.execute(query)
    ]


def texts_between(connection: Connection, first: date, last: date, part_price: Decimal) -> Counter[Priced]:
    """Return the text messages that left, or may have, on these local dates, each included, by what they are paid for.

    One of which no parts are known counts as one, and one without a price of its own as `part_price` a part.
    """
    parts = func.coalesce(OutboxTable.segments, 1)
    query = (
        select(parts, OutboxTable.part_price, func.count())
        .where(
            OutboxTable.channel == Channel.SMS.value,
            OutboxTable.state.in_([state.value for state in COUNTED]),
            OutboxTable.day.between(first, last),
        )
        .group_by(parts, OutboxTable.part_price)
    )
    found: Counter[Priced] = Counter()
    for row in connection.execute(query):
        found[Priced(row[0], Decimal(row[1]) if row[1] else part_price)] += row[2]
    return found


def _with_fence(connection: Connection, query: Any, rows: Sequence[Claimed], wanted: Mapping[str, Any]) -> set[int]:
    """Return which of these rows a query finds under the fence that their worker knows."""
    found = connection.execute(query, {"these": [row.id for row in rows], **wanted})
    fences = {row.id: row.fence for row in found}
    return {row.id for row in rows if fences.get(row.id) == row.fence}


def _claimed(row: Any) -> Claimed:
    values = dict(zip(Claimed.__dataclass_fields__, row, strict=True))
    return Claimed(**{**values, "channel": Channel(values["channel"])})
