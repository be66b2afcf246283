"""Campaigns, their frozen bytes, their slots of the year, and the messages that go out."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, ClientNumber, Day, Instant, Serial, Table, Word


class CampaignTable(Table):
    """A campaign from the moment it has a slot; `channels` are in its order, and unknown of a reservation."""

    __tablename__ = "campaign"
    __table_args__ = (
        Index(
            "uq_campaign_name",
            "name",
            unique=True,
            sqlite_where=text("state <> 'cancelled'"),
            postgresql_where=text("state <> 'cancelled'"),
        ),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[Word]
    state: Mapped[Word]
    send_at: Mapped[Instant]
    scheduled_at: Mapped[Instant]
    begun_at: Mapped[Instant | None]
    planned_at: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]
    held_reason: Mapped[str | None] = mapped_column(String(40))
    plan_mark: Mapped[int] = mapped_column(BigKey, default=-1)
    channels: Mapped[str | None] = mapped_column(String(40))
    released_at: Mapped[Instant | None]


class FrozenTable(Table):
    """Bytes that a campaign was scheduled with, by their SHA-256."""

    __tablename__ = "frozen"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class CampaignFileTable(Table):
    """Which frozen bytes were which file of a campaign: its own file, its templates, the settings used."""

    __tablename__ = "campaign_file"
    campaign: Mapped[int] = mapped_column(BigKey, ForeignKey("campaign.id"), primary_key=True)
    path: Mapped[str] = mapped_column(String(300), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("frozen.sha256"))


class SlotTable(Table):
    """A place in the year.

    One without a campaign was declared by a person, who said its kind, channels and messages, or its campaign was lost
    with a newer database.
    """

    __tablename__ = "slot"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    day: Mapped[Day] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[Word]
    campaign: Mapped[int | None] = mapped_column(BigKey, ForeignKey("campaign.id"), unique=True)
    kind: Mapped[Word | None]
    channels: Mapped[str | None] = mapped_column(String(40))
    messages: Mapped[int | None]


# SQLite uses an index over some rows only where a query says the same words: `one_of` says them.
_DUE, _ATTEMPTED = text("state IN ('waiting', 'deferred')"), text("state IN ('attempting')")
_NAMED = text("provider_id IS NOT NULL")


class OutboxTable(Table):
    """One client's message of one campaign; the withheld are here too, with their reason.

    `lease_until` and `fence` belong to the worker that holds the row: an outcome from a worker whose fence has passed
    is refused. `day` is the local date the message counts on, from its intent on. `segments` are the parts of a text
    message, foreseen until the provider has told them, and `part_price` is what each costs, in euros. `blame` is whom
    the outcome concerns. `recalled_at` is when somebody said no to a message whose hand-off had begun. `later` is what
    the provider told of it afterwards and `later_code` the error it named (S-27). `closed_at` is when an unknown was
    given up on: it may have arrived.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        # What a message changes on its way stands in few indexes: each costs every commit a page of its own.
        UniqueConstraint("client", "campaign"),
        UniqueConstraint("address", "campaign"),
        Index("ix_outbox_due", "campaign", "not_before", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_outbox_attempted", "campaign", sqlite_where=_ATTEMPTED, postgresql_where=_ATTEMPTED),
        Index("ix_outbox_outcome", "campaign", "outcome_at"),
        Index("ix_outbox_provider_id", "provider_id", sqlite_where=_NAMED, postgresql_where=_NAMED),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[Serial]
    campaign: Mapped[int] = mapped_column(BigKey, ForeignKey("campaign.id"))
    client: Mapped[ClientNumber]
    address: Mapped[int | None] = mapped_column(BigKey)
    channel: Mapped[Word | None]
    state: Mapped[Word]
    reason: Mapped[Word | None]
    message_id: Mapped[str] = mapped_column(String(32), unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    planned_at: Mapped[Instant]
    not_before: Mapped[Instant]
    lease_until: Mapped[Instant | None]
    fence: Mapped[int] = mapped_column(BigKey, default=0)
    intent_at: Mapped[Instant | None]
    outcome_at: Mapped[Instant | None]
    day: Mapped[Day | None]
    code: Mapped[str | None] = mapped_column(String(20))
    provider: Mapped[Word | None]
    provider_id: Mapped[str | None] = mapped_column(String(64))
    segments: Mapped[int | None]
    part_price: Mapped[str | None] = mapped_column(String(16))
    blame: Mapped[Word | None]
    recalled_at: Mapped[Instant | None]
    later: Mapped[Word | None]
    later_code: Mapped[str | None] = mapped_column(String(20))
    closed_at: Mapped[Instant | None]
