"""How far each campaign is: counted while a transaction grows, and kept as sums by minute.

A page that is looked at every second must not count fifty thousand messages each time. So whatever changes where a
message stands says so here, in the same transaction, and the sums are the count of the outbox at every commit.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from dispatcher.errors import StorageError
from dispatcher.rules.campaign import Channel
from dispatcher.rules.later import Later
from dispatcher.rules.message import MessageState
from dispatcher.storage.hot import Hot, HotInsert, among, one_of, stored
from dispatcher.storage.tables import OutboxTable, ProgressTable

CLOSED = "closed"
"""Stands as the reason of an unknown message that was given up on: it may have arrived."""
TOLD = "told"
"""Stands as the state of what was told of a message after its outcome, which is its reason: "delivered"."""
OPTION = "dispatcher_progress"
"""The option of a connection that holds the draft of its transaction."""
_HANDED_OVER = (MessageState.ACCEPTED, MessageState.REFUSED, MessageState.UNKNOWN)
_ADD = HotInsert(
    ProgressTable,
    ("campaign", "channel", "minute", "state", "reason", "count"),
    "ON CONFLICT (campaign, channel, minute, state, reason) DO UPDATE SET count = progress.count + excluded.count",
)
_STAND = Hot(
    select(
        OutboxTable.campaign,
        func.coalesce(OutboxTable.channel, ""),
        OutboxTable.state,
        func.coalesce(OutboxTable.reason, ""),
        OutboxTable.closed_at.is_not(None),
    ).where(among(OutboxTable.id, "rows"))
)
_WAS_TOLD = Hot(
    select(OutboxTable.campaign, OutboxTable.channel, OutboxTable.later).where(OutboxTable.id == bindparam("row"))
)
_ALL_TOLD = Hot(
    select(OutboxTable.campaign, OutboxTable.channel, OutboxTable.later).where(
        among(OutboxTable.id, "rows"), OutboxTable.later.is_not(None)
    )
)
_KEYS = (ProgressTable.campaign, ProgressTable.channel, ProgressTable.state, ProgressTable.reason)
_SUM = func.sum(ProgressTable.count)
_ALL_SUMS = select(*_KEYS, _SUM).group_by(*_KEYS).having(_SUM != 0).order_by(*_KEYS)
_SUMS = Hot(_ALL_SUMS)
_SUMS_OF_ONE = Hot(_ALL_SUMS.where(ProgressTable.campaign == bindparam("campaign")))
_LATELY = Hot(
    select(ProgressTable.channel, _SUM)
    .where(
        ProgressTable.campaign == bindparam("campaign"),
        ProgressTable.minute >= bindparam("since"),
        one_of(ProgressTable.state, [state.value for state in _HANDED_OVER]),
        ProgressTable.reason == "",
    )
    .group_by(ProgressTable.channel)
)


class Place(NamedTuple):
    """Where a message stands; `channel` and `reason` are empty where there is none."""

    campaign: int
    channel: str
    state: str
    reason: str = ""


class ProgressDraft:
    """What a transaction changes of the sums; the writer writes it just before the commit."""

    def __init__(self, now: datetime) -> None:
        self._minute = now.replace(second=0, microsecond=0)
        self._changes: Counter[Place] = Counter()

    def entered(self, place: Place, count: int = 1) -> None:
        """Count messages that stand here now."""
        self._changes[place] += count

    def left(self, place: Place, count: int = 1) -> None:
        """Count messages that stood here and do no longer."""
        self._changes[place] -= count

    def mark(self) -> Counter[Place]:
        """Return a mark to go `back_to` when the savepoint around some changes is rolled back."""
        return self._changes.copy()

    def back_to(self, mark: Counter[Place]) -> None:
        """Forget the changes since the mark."""
        self._changes = mark

    def close(self, connection: Connection) -> None:
        """Add the changes to the sums, always in the same order: two writers never wait for each other crosswise."""
        minute = stored(self._minute, connection)
        rows = [
            (place.campaign, place.channel, minute, place.state, place.reason, count)
            for place, count in sorted(self._changes.items())
            if count
        ]
        if rows:
            _ADD.run(connection, rows)


def draft(connection: Connection) -> ProgressDraft:
    """Return the draft of the transaction under way. Raises StorageError for a change that goes by the writer."""
    found = connection.get_execution_options().get(OPTION)
    if not isinstance(found, ProgressDraft):
        raise StorageError("What becomes of messages is written through the writer, which keeps count of it.")
    return found


def changing(
    connection: Connection,
    rows: Iterable[int],
    *,
    state: MessageState | None = None,
    reason: str = "",
    channel: Channel | None = None,
) -> None:
    """Count these rows of the outbox as they are about to stand; what is not given stays as it is.

    It is called right before the change, which has to reach every one of them.
    """
    counted = draft(connection)
    for campaign, by, was, why, is_closed in _STAND.rows(connection, rows=list(rows)):
        before = Place(campaign, by, was, CLOSED if is_closed else why)
        counted.left(before)
        after = before if state is None else before._replace(state=state.value, reason=reason)
        counted.entered(after if channel is None else after._replace(channel=channel.value))


def intended(connection: Connection, rows: Iterable[tuple[int, Channel, bool]]) -> None:
    """Count messages about to be handed over, each by its campaign, its channel, and whether it had been deferred."""
    counted = draft(connection)
    for (campaign, channel, was_deferred), count in Counter(rows).items():
        before = MessageState.DEFERRED if was_deferred else MessageState.WAITING
        counted.left(Place(campaign, channel.value, before.value), count)
        counted.entered(Place(campaign, channel.value, MessageState.ATTEMPTING.value), count)


def settled(connection: Connection, campaign: int, channel: Channel, state: str, count: int) -> None:
    """Count messages that were being handed over and have their outcome now."""
    counted = draft(connection)
    counted.left(Place(campaign, channel.value, MessageState.ATTEMPTING.value), count)
    counted.entered(Place(campaign, channel.value, state), count)


def telling(connection: Connection, row: int, later: Later | None) -> None:
    """Count what is about to be written down of a message after its outcome, beside where it stands."""
    counted = draft(connection)
    for campaign, channel, before in _WAS_TOLD.rows(connection, row=row):
        if before is not None:
            counted.left(Place(campaign, channel, TOLD, before))
        if later is not None:
            counted.entered(Place(campaign, channel, TOLD, later.value))


def leaving(connection: Connection, rows: Iterable[int]) -> None:
    """Count these rows of the outbox no longer, nor what was told of them: they are about to be deleted."""
    counted = draft(connection)
    these = list(rows)
    for campaign, by, state, why, is_closed in _STAND.rows(connection, rows=these):
        counted.left(Place(campaign, by, state, CLOSED if is_closed else why))
    for campaign, by, later in _ALL_TOLD.rows(connection, rows=these):
        counted.left(Place(campaign, by, TOLD, later))


def sums(connection: Connection, campaign: int | None = None) -> dict[Place, int]:
    """Return how many messages stand where, of one campaign or of all; places without any are left out."""
    found = _SUMS.rows(connection) if campaign is None else _SUMS_OF_ONE.rows(connection, campaign=campaign)
    return {Place(*place): int(count) for *place, count in found}


def handed_over(connection: Connection, campaign: int, since: datetime) -> dict[Channel, int]:
    """Return how many messages of a campaign were handed over by each channel from this minute on.

    What was put off is not among them: it goes again.
    """
    return {
        Channel(channel): max(int(count), 0)
        for channel, count in _LATELY.rows(connection, campaign=campaign, since=since)
        if channel
    }
