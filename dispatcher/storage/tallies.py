"""Counts the messages of the outbox one by one: for who must not rely on the sums, as an audit must not."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import MessageState
from dispatcher.storage.tables import OutboxTable


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages of a campaign stand where: one count for a state, channel and reason."""

    campaign: int
    state: MessageState
    channel: Channel | None
    reason: str | None
    count: int


def counted(connection: Connection, campaign: int | None = None) -> list[Tally]:
    """Return how many messages stand where, of one campaign or of all."""
    columns = (OutboxTable.campaign, OutboxTable.state, OutboxTable.channel, OutboxTable.reason)
    query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    if campaign is not None:
        query = query.where(OutboxTable.campaign == campaign)
    return [
        Tally(row[0], MessageState(row[1]), Channel(row[2]) if row[2] else None, row[3], row[4])
        for row in connection.execute(query)
    ]
