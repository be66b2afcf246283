"""Delivery at work: how fast each channel may go, how far each campaign is, and which addresses bounced softly."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, Instant, Serial, Table, Word


class PaceTable(Table):
    """How fast a channel goes, for every process that sends by it (E-55).

    `next_at` is the turn of the next message, `share` how many thousandths of the pace are gone by at present, and
    `rests_until` when a channel that was told to wait goes on.
    """

    __tablename__ = "pace"
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[Instant | None]
    share: Mapped[int] = mapped_column(default=1000, server_default="1000")
    rests_until: Mapped[Instant | None]


class PaceHourTable(Table):
    """How many messages a channel has handed over in an hour that begins at `hour`: what a day's limit is held by."""

    __tablename__ = "pace_hour"
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    hour: Mapped[Instant] = mapped_column(primary_key=True)
    count: Mapped[int]


class ProgressTable(Table):
    """How many messages of a campaign came into a state, less those that left it again, in one minute.

    The sums over the minutes are how a campaign stands. `channel` and `reason` are empty where there is none.
    """

    __tablename__ = "progress"
    campaign: Mapped[int] = mapped_column(BigKey, ForeignKey("campaign.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    minute: Mapped[Instant] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(40), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int]


class SoftBounceTable(Table):
    """That a message ended at an address for a reason that may pass: enough of one kind, and the address is dead."""

    __tablename__ = "soft_bounce"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    address: Mapped[int] = mapped_column(BigKey, ForeignKey("address.id", ondelete="CASCADE"), index=True)
    kind: Mapped[Word]
    at: Mapped[Instant]
