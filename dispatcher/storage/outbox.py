"""Messages still to go, and what became of those that went."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, bindparam, case, func, literal, or_, select, update

from dispatcher.rules.campaign import Channel
from dispatcher.rules.cost import Priced
from dispatcher.rules.message import COUNTED, MessageState
from dispatcher.rules.values import value
from dispatcher.storage import progress
from dispatcher.storage.hot import Hot, HotInsert, among, one_of, stored
from dispatcher.storage.progress import Place
from dispatcher.storage.tables import Moment, OutboxTable

RESTORED = "restored"
"""The code of a message of which nobody knows what became, because the database is an older copy."""
IS_OPEN = one_of(OutboxTable.state, (MessageState.WAITING.value, MessageState.DEFERRED.value))
IS_ATTEMPTED = one_of(OutboxTable.state, (MessageState.ATTEMPTING.value,))


@value
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
class Closed:
    """A message that an older copy of the database knew as open: it may have gone out since, so it counts on `day`."""

    client: int
    channel: Channel
    message_id: str
    day: date


# These run for every message or batch, and building a statement costs several times what running it does.
_PLANNED = "campaign client address channel state reason message_id attempts not_before planned_at fence"
_ADD = HotInsert(OutboxTable, _PLANNED.split())
_OPEN_OF_CLIENTS = (
    select(OutboxTable.client, OutboxTable.id, OutboxTable.campaign, OutboxTable.message_id)
    .where(among(OutboxTable.client, "clients"), IS_OPEN)
    .order_by(OutboxTable.id)
)
_LOOK, _LOOK_AND_LOCK = Hot(_OPEN_OF_CLIENTS), Hot(_OPEN_OF_CLIENTS.with_for_update())
_WITHHOLD = Hot(
    update(OutboxTable)
    .where(among(OutboxTable.id, "these"))
    .values(state=MessageState.WITHHELD.value, reason=bindparam("reason"), address=None, lease_until=None, day=None)
)


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
    counted = progress.draft(connection)
    for campaign, _, _, channel, state, reason, *_ in written:
        counted.entered(Place(campaign, channel or "", state, reason or ""))


def address_is_taken(connection: Connection, campaign: int, address: int) -> bool:
    """Say whether a message of this campaign goes, or went, to this address already."""
    query = select(func.count()).where(OutboxTable.campaign == campaign, OutboxTable.address == address)
    return bool(connection.scalar(query))


def move(connection: Connection, row: int, channel: Channel, address: int, now: datetime) -> None:
    """Give a claimed message to another channel and address, due at once."""
    progress.changing(connection, [row], channel=channel)
    values = {"channel": channel.value, "address": address, "lease_until": None, "not_before": now}
    connection.execute(update(OutboxTable).where(OutboxTable.id == row).values(**values))


def set_withheld(connection: Connection, row: int, reason: str) -> None:
    """Write that a planned message does not go, and why; its address is free again for nobody of this campaign."""
    withhold(connection, [row], reason)


def withhold(connection: Connection, rows: Sequence[int], reason: str) -> None:
    """Write the same of several messages."""
    if rows:
        progress.changing(connection, rows, state=MessageState.WITHHELD, reason=reason)
        _WITHHOLD.run(connection, these=list(rows), reason=reason)


def set_unknown(connection: Connection, campaign: int, day: date, now: datetime) -> list[Closed]:
    """Write that nobody knows what became of any message of a campaign that is still open, and return them.

    They count from `day`, or from the day of their intent where it is known; no worker holds them any longer.
    """
    still_open = (OutboxTable.campaign == campaign, or_(IS_OPEN, IS_ATTEMPTED))
    these = list(connection.scalars(select(OutboxTable.id).where(*still_open).with_for_update()))
    progress.changing(connection, these, state=MessageState.UNKNOWN)
    statement = (
        update(OutboxTable)
        .where(*still_open)
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


def open_of_client(connection: Connection, client: int, *, for_update: bool = False) -> list[tuple[int, int, str]]:
    """Return the row, campaign and message id of each message still waiting for a client.

    `for_update` keeps everybody else from them meanwhile, whoever cancels their campaign included.
    """
    found = open_of_clients(connection, [client], for_update=for_update)
    return [(row, campaign, message_id) for _, row, campaign, message_id in found]


def open_of_clients(
    connection: Connection, clients: Sequence[int], *, for_update: bool = False
) -> list[tuple[int, int, int, str]]:
    """Return the same for several clients: client, row, campaign and message id, in the order of the rows."""
    look = _LOOK_AND_LOCK if for_update else _LOOK
    return [(*map(int, ids), message_id) for *ids, message_id in look.rows(connection, clients=list(clients))]


def open_of_campaign(
    connection: Connection, campaign: int, limit: int, *, for_update: bool = False
) -> list[tuple[int, int, str]]:
    """Return the row, client and message id of the next messages of a campaign that still wait.

    `for_update` keeps everybody else from them meanwhile: a client may say no to one of them at the same moment.
    """
    query = (
        select(OutboxTable.id, OutboxTable.client, OutboxTable.message_id)
        .where(OutboxTable.campaign == campaign, IS_OPEN)
        .order_by(OutboxTable.id)
        .limit(limit)
    )
    found = connection.execute(query.with_for_update() if for_update else query)
    return [(row.id, row.client, row.message_id) for row in found]


def count_open(connection: Connection, campaign: int) -> int:
    """Return how many messages of a campaign are waiting, deferred or being handed over."""
    query = select(func.count()).where(OutboxTable.campaign == campaign, or_(IS_OPEN, IS_ATTEMPTED))
    return int(connection.scalar(query) or 0)


def has_left(connection: Connection, campaign: int) -> bool:
    """Say whether any message of a campaign has had its intent."""
    query = select(OutboxTable.id).where(OutboxTable.campaign == campaign, OutboxTable.intent_at.is_not(None)).limit(1)
    return connection.scalar(query) is not None


def next_due(connection: Connection, campaign: int) -> datetime | None:
    """Return when the next waiting message of a campaign may be looked at, or None where none waits."""
    query = select(func.min(OutboxTable.not_before)).where(OutboxTable.campaign == campaign, IS_OPEN)
    return connection.scalar(query)


def silent_since(connection: Connection, campaign: int) -> datetime | None:
    """Return since when nothing of a campaign has moved though a message was due, or None where none was planned."""
    last = connection.scalar(select(func.max(OutboxTable.intent_at)).where(OutboxTable.campaign == campaign))
    due = next_due(connection, campaign)
    return max((each for each in (last, due) if each is not None), default=None)


def wait_no_longer_than(connection: Connection, campaign: int, now: datetime) -> None:
    """Let what was due before a campaign was held be due from its release on."""
    overdue = (OutboxTable.campaign == campaign, IS_OPEN, OutboxTable.not_before < now)
    connection.execute(update(OutboxTable).where(*overdue).values(not_before=now))


def postpone(connection: Connection, campaign: int, channel: Channel, now: datetime, until: datetime) -> None:
    """Let what is due by a channel, and held by nobody, wait until its hours: it is due from then on, not late."""
    due = (
        OutboxTable.campaign == campaign,
        OutboxTable.channel == channel.value,
        IS_OPEN,
        OutboxTable.not_before <= now,
        or_(OutboxTable.lease_until.is_(None), OutboxTable.lease_until <= now),
    )
    # What has been tried already keeps its beginning: a deferral is given up by its age.
    planned = case((OutboxTable.attempts == 0, literal(until, Moment)), else_=OutboxTable.planned_at)
    connection.execute(update(OutboxTable).where(*due).values(not_before=until, planned_at=planned))


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
