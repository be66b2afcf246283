"""Messages between their claim and their outcome: who holds them, which may still leave, what became of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, or_, select, update

from dispatcher.errors import JournalError
from dispatcher.rules.campaign import Channel
from dispatcher.rules.cost import Priced
from dispatcher.rules.message import MessageState, Outcome
from dispatcher.rules.values import value
from dispatcher.storage import progress
from dispatcher.storage.hot import Hot, among, read_moment
from dispatcher.storage.outbox import IS_ATTEMPTED, IS_OPEN
from dispatcher.storage.outcomes import outcome_columns
from dispatcher.storage.tables import AddressTable, ClientAddressTable, InstallationTable, Moment, OutboxTable


@value
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


# These run for every batch, or for every no: their texts are made once.
_COLUMNS: list[Any] = [getattr(OutboxTable, name) for name in Claimed.__dataclass_fields__]
_THESE = among(OutboxTable.id, "these")
_HELD = select(OutboxTable.id, OutboxTable.fence).where(_THESE)
_DUE = (
    select(OutboxTable.id)
    .where(
        OutboxTable.campaign == bindparam("campaign"),
        OutboxTable.channel == bindparam("channel"),
        IS_OPEN,
        OutboxTable.not_before <= bindparam("now"),
        or_(OutboxTable.lease_until.is_(None), OutboxTable.lease_until <= bindparam("now")),
    )
    .order_by(OutboxTable.not_before, OutboxTable.id)
    .limit(bindparam("at_most"))
)
_DUE_ALONE, _DUE_AND_FREE = Hot(_DUE), Hot(_DUE.with_for_update(skip_locked=True))
_CLAIM = Hot(
    update(OutboxTable)
    .where(_THESE)
    .values(lease_until=bindparam("until"), fence=OutboxTable.fence + 1)
    .returning(*_COLUMNS)
)
_FENCES = Hot(
    _HELD.where(IS_OPEN, OutboxTable.not_before <= bindparam("now")).order_by(OutboxTable.id).with_for_update()
)
_ATTEMPTED = Hot(_HELD.where(IS_ATTEMPTED).order_by(OutboxTable.id).with_for_update())
_NOT_RECALLED = Hot(_HELD.where(IS_ATTEMPTED, OutboxTable.recalled_at.is_(None)))
_INTEND = Hot(
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
_WAITS_FOR_REPLAY = Hot(select(InstallationTable.needs_replay))
_HAVE = select(ClientAddressTable.address).where(among(ClientAddressTable.client, "whose"))
_RECALL = Hot(
    update(OutboxTable)
    .where(
        or_(among(OutboxTable.client, "whose"), OutboxTable.address.in_(_HAVE)),
        IS_ATTEMPTED,
        OutboxTable.recalled_at.is_(None),
    )
    .values(recalled_at=bindparam("now"))
)
_ENDED = select(*_COLUMNS).where(IS_ATTEMPTED, OutboxTable.lease_until <= bindparam("now"))
_LOST, _LOST_OF_ONE = Hot(_ENDED), Hot(_ENDED.where(OutboxTable.campaign == bindparam("campaign")))
_GIVE_BACK = (
    update(OutboxTable)
    .where(
        OutboxTable.id == bindparam("row"),
        OutboxTable.fence == bindparam("held"),
        OutboxTable.state != MessageState.ATTEMPTING.value,
    )
    .values(lease_until=None)
)
_OUTCOME = (
    update(OutboxTable)
    .where(_THESE)
    .values(
        {name: bindparam(name) for name in ("state", "outcome_at", "code", "provider", "provider_id", "blame")}
        | {
            "lease_until": None,
            "segments": func.coalesce(bindparam("parts", type_=Integer), OutboxTable.segments),
            "not_before": func.coalesce(bindparam("again", type_=Moment), OutboxTable.not_before),
        }
    )
)
_SETTLE, _SETTLE_UNCOUNTED = Hot(_OUTCOME), Hot(_OUTCOME.values(day=None))


def claim(
    connection: Connection, campaign: int, now: datetime, lease_until: datetime, limit: int, channel: Channel
) -> list[Claimed]:
    """Take the next due messages of a campaign and channel; no other worker gets them before the lease has ended."""
    due = _DUE_ALONE if connection.dialect.name == "sqlite" else _DUE_AND_FREE
    found = due.rows(connection, campaign=campaign, channel=channel.value, now=now, at_most=limit)
    if not found:
        return []
    taken = _CLAIM.rows(connection, these=[row[0] for row in found], until=lease_until)
    return sorted(map(_claimed, taken), key=lambda row: row.id)


def still_held(connection: Connection, rows: Sequence[Claimed], now: datetime) -> set[int]:
    """Return which of these rows this worker still holds and may hand over: same fence, still open, still due.

    They are locked until the transaction ends, so that nobody claims them between this look and the intent.
    """
    return _with_fence(connection, _FENCES, rows, now=now)


def not_recalled(connection: Connection, rows: Sequence[Claimed]) -> set[int]:
    """Return which of these messages, their hand-off begun, may still leave: nobody has said no since."""
    return _with_fence(connection, _NOT_RECALLED, rows)


def recall(connection: Connection, clients: Sequence[int], now: datetime) -> None:
    """Let no message leave any more that is being handed over to these clients, or to an address they have."""
    _RECALL.run(connection, whose=list(clients), now=now)


def set_intents(
    connection: Connection, rows: Sequence[Claimed], now: datetime, day: date, lease_until: datetime
) -> None:
    """Write that these messages are about to be handed off; they count from this local day.

    Raises JournalError while the database waits for its replay: a worker may have looked before a copy was put back.
    """
    if _WAITS_FOR_REPLAY.one(connection):
        raise JournalError
    if rows:
        progress.intended(connection, ((row.campaign, row.channel, row.attempts > 0) for row in rows))
        _INTEND.run(connection, these=[row.id for row in rows], now=now, today=day, until=lease_until)


def set_prices(connection: Connection, priced: Mapping[int, Priced]) -> None:
    """Write what text messages that are about to be handed off will cost, by row."""
    if priced:
        rows = [{"row": row, "parts": each.parts, "price": str(each.part_price)} for row, each in priced.items()]
        connection.execute(_PRICE, rows)


def give_back(connection: Connection, row: int, not_before: datetime) -> None:
    """Give a claimed row back, to be looked at again at this time."""
    connection.execute(update(OutboxTable).where(OutboxTable.id == row).values(lease_until=None, not_before=not_before))


def give_back_all(connection: Connection, rows: Sequence[Claimed]) -> None:
    """Give claimed rows back that were never decided."""
    if rows:
        connection.execute(_GIVE_BACK, [{"row": row.id, "held": row.fence} for row in rows])


def set_outcomes(
    connection: Connection, outcomes: Sequence[tuple[Claimed, Outcome, datetime | None]], provider: str, now: datetime
) -> set[int]:
    """Write what became of messages, and return the rows of which this worker was still the one to tell.

    With each stands when a deferred message may be tried again; without it a deferral is final.
    """
    mine = _with_fence(connection, _ATTEMPTED, [row for row, _, _ in outcomes])
    alike: dict[tuple[Outcome, datetime | None, int, Channel], list[int]] = defaultdict(list)
    for row, outcome, again_at in outcomes:
        if row.id in mine:
            alike[outcome, again_at, row.campaign, row.channel].append(row.id)
    for (outcome, again_at, campaign, channel), rows in alike.items():
        columns = outcome_columns(outcome, provider, now, again_at)
        again = columns.pop("not_before", None)
        settle = _SETTLE_UNCOUNTED if columns.pop("day", now) is None else _SETTLE
        settle.run(connection, these=rows, again=again, **columns, blame=outcome.blame.value, parts=outcome.segments)
        progress.settled(connection, campaign, channel, str(columns["state"]), len(rows))
    return mine


def lost(connection: Connection, now: datetime, campaign: int | None = None) -> list[Claimed]:
    """Return the messages whose intent has no outcome and whose worker's lease has ended: nobody knows what became."""
    if campaign is None:
        return [_claimed(row) for row in _LOST.rows(connection, now=now)]
    return [_claimed(row) for row in _LOST_OF_ONE.rows(connection, now=now, campaign=campaign)]


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
        IS_OPEN,
        OutboxTable.not_before < until,
        OutboxTable.address.in_(there),
    )
    connection.execute(update(OutboxTable).where(*waiting).values(not_before=until))


def free_claims(connection: Connection) -> None:
    """Take back every claim on messages still to go: whoever held them is gone."""
    connection.execute(
        update(OutboxTable)
        .where(IS_OPEN, OutboxTable.lease_until.is_not(None))
        .values(lease_until=None, fence=OutboxTable.fence + 1)
    )


def _with_fence(connection: Connection, query: Hot, rows: Sequence[Claimed], **wanted: Any) -> set[int]:
    """Return which of these rows a query finds under the fence that their worker knows."""
    found = query.rows(connection, these=[row.id for row in rows], **wanted)
    fences: dict[int, int] = dict(map(tuple, found))
    return {row.id for row in rows if fences.get(row.id) == row.fence}


def _claimed(row: Sequence[Any]) -> Claimed:
    number, campaign, client, address, channel, message_id, attempts, fence, planned_at, not_before = row
    times = read_moment(planned_at), read_moment(not_before)
    return Claimed(number, campaign, client, address, Channel(channel), message_id, attempts, fence, *times)
