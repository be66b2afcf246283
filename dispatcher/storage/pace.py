"""How fast each channel goes at present: one row a channel, which every process that sends by it locks and moves."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from dispatcher.rules.campaign import Channel
from dispatcher.rules.pace import WHOLE
from dispatcher.storage.database import insert_new
from dispatcher.storage.tables import PaceHourTable, PaceTable

_READ = select(PaceTable.next_at, PaceTable.share, PaceTable.rests_until).where(PaceTable.channel == bindparam("this"))
_LOCK_ALL = (
    select(PaceTable.channel, PaceTable.next_at, PaceTable.share, PaceTable.rests_until)
    .order_by(PaceTable.channel)
    .with_for_update()
)
_KEEP = update(PaceTable).where(PaceTable.channel == bindparam("this"))
_SPENT = select(func.sum(PaceHourTable.count)).where(
    PaceHourTable.channel == bindparam("this"), PaceHourTable.hour > bindparam("since")
)
_OLDEST = select(func.min(PaceHourTable.hour)).where(
    PaceHourTable.channel == bindparam("this"), PaceHourTable.hour > bindparam("since")
)
_ADD = (
    update(PaceHourTable)
    .where(PaceHourTable.channel == bindparam("this"), PaceHourTable.hour == bindparam("in_hour"))
    .values(count=PaceHourTable.count + bindparam("more"))
)


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is: when the next message may go, at how many thousandths of the pace, and after which rest."""

    next_at: datetime | None = None
    share: int = WHOLE
    rests_until: datetime | None = None


def read(connection: Connection, channel: Channel) -> Turn:
    """Return how a channel stands."""
    found = connection.execute(_READ, {"this": channel.value}).one_or_none()
    return Turn(*found) if found else Turn()


def locked(connection: Connection, channel: Channel) -> Turn:
    """Return how a channel stands; no other process moves it before this transaction has ended.

    Every channel is locked, always in the same order: a commit may move several, and two of them must not wait for
    each other crosswise.
    """
    found = _all_locked(connection)
    if channel.value not in found:
        insert_new(connection, PaceTable, [{"channel": each, "share": WHOLE} for each in sorted(Channel)])
        found = _all_locked(connection)
    return found[channel.value]


def _all_locked(connection: Connection) -> dict[str, Turn]:
    return {row.channel: Turn(row.next_at, row.share, row.rests_until) for row in connection.execute(_LOCK_ALL)}


def keep(connection: Connection, channel: Channel, turn: Turn) -> None:
    """Write how a channel stands from now on; its row is locked."""
    values = {"next_at": turn.next_at, "share": turn.share, "rests_until": turn.rests_until}
    connection.execute(_KEEP, {"this": channel.value, **values})


def spent(connection: Connection, channel: Channel, since: datetime) -> int:
    """Return how many messages were handed over in the hours that began after `since`."""
    return int(connection.scalar(_SPENT, {"this": channel.value, "since": since}) or 0)


def oldest(connection: Connection, channel: Channel, since: datetime) -> datetime | None:
    """Return the first hour after `since` in which anything was handed over."""
    return connection.scalar(_OLDEST, {"this": channel.value, "since": since})


def count(connection: Connection, channel: Channel, hour: datetime, more: int, forget: datetime) -> None:
    """Count messages handed over in this hour, and let go of the hours before `forget`; the channel is locked."""
    told = {"this": channel.value, "in_hour": hour, "more": more}
    if not connection.execute(_ADD, told).rowcount:
        connection.execute(insert(PaceHourTable), {"channel": channel.value, "hour": hour, "count": more})
        old = (PaceHourTable.channel == channel.value, PaceHourTable.hour < forget)
        connection.execute(delete(PaceHourTable).where(*old))
