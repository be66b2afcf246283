"""The tables. Every time is aware UTC, every day a local date, every hash and token beside the id of its key."""

from datetime import UTC, date, datetime
from typing import Annotated

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Moment(TypeDecorator[datetime]):
    """An instant: aware UTC in Python on both databases, a naive time is a bug."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the UTC time to store. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time as aware UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigKey = BigInteger().with_variant(Integer, "sqlite")
Serial = Annotated[int, mapped_column(BigKey, primary_key=True, autoincrement=True)]
ClientNumber = Annotated[int, mapped_column(BigKey)]
Word = Annotated[str, mapped_column(String(40))]
Hash = Annotated[str, mapped_column(String(64))]
KeyId = Annotated[str, mapped_column(String(1))]
Instant = Annotated[datetime, mapped_column(Moment)]
Day = Annotated[date, mapped_column(Date)]


class Table(DeclarativeBase):
    """The base of every table, with names for every constraint so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class InstallationTable(Table):
    """One row: which installation this database belongs to, and whether a restore still waits for its replay."""

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(primary_key=True)
    workspace: Mapped[Hash]
    opened_at: Mapped[Instant]
    needs_replay: Mapped[bool] = mapped_column(default=False)


class PersonTable(Table):
    """Somebody who works with the program."""

    __tablename__ = "person"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Word]
    added_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]


class ClientTable(Table):
    """A person in the register, under a random number that says nothing about them."""

    __tablename__ = "client"
    number: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    external_hash: Mapped[Hash | None] = mapped_column(unique=True)
    external_key: Mapped[KeyId | None]
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    language: Mapped[Word]
    last_visit: Mapped[Day | None]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    seen_in: Mapped[int | None] = mapped_column(BigKey)
    gone_since: Mapped[Instant | None]
    restricted: Mapped[bool] = mapped_column(default=False)
    child: Mapped[bool] = mapped_column(default=False)
    suspended: Mapped[bool] = mapped_column(default=False)
    paused_until: Mapped[Instant | None]
    own_cap: Mapped[int | None]


class AddressTable(Table):
    """An email address or number in canonical form; clients may share one."""

    __tablename__ = "address"
    __table_args__ = (UniqueConstraint("channel", "canonical"), {"sqlite_autoincrement": True})
    id: Mapped[Serial]
    channel: Mapped[Word]
    canonical: Mapped[str] = mapped_column(String(320))
    dead_since: Mapped[Instant | None]
    dead_code: Mapped[str | None] = mapped_column(String(20))
    added_at: Mapped[Instant]


class ClientAddressTable(Table):
    """Which address a client has for a channel: at most one each; confirmed when the client proved to own it.

    `changed_at` is set when the address took the place of another: no older yes carries over to it (L-31).
    """

    __tablename__ = "client_address"
    client: Mapped[int] = mapped_column(BigKey, ForeignKey("client.number", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    address: Mapped[int] = mapped_column(BigKey, ForeignKey("address.id"), index=True)
    confirmed_at: Mapped[Instant | None]
    changed_at: Mapped[Instant | None]


class ReturningTable(Table):
    """A client whom the journal knows and this restored database does not: the number they had, by keyed hash.

    Links sent to them carry that number, so they get it back when the register brings them again.
    """

    __tablename__ = "returning_client"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    key: Mapped[KeyId]


class WordingTable(Table):
    """The exact text of a question, by its SHA-256 (D-02)."""

    __tablename__ = "wording"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    added_at: Mapped[Instant]


class SuppressionTable(Table):
    """An objection kept after erasure: a keyed hash of the address, its date, a reason, its own end (L-35, L-36)."""

    __tablename__ = "suppression"
    __table_args__ = (UniqueConstraint("hash", "channel"), {"sqlite_autoincrement": True})
    id: Mapped[Serial]
    hash: Mapped[Hash]
    key: Mapped[KeyId]
    channel: Mapped[str] = mapped_column(String(40), default="")
    reason: Mapped[Word]
    at: Mapped[Instant]
    expires_at: Mapped[Instant]


class IdempotencyTable(Table):
    """What has been taken in already, so that the same file or call again changes nothing."""

    __tablename__ = "idempotency"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    scope: Mapped[Word]
    key: Mapped[Hash] = mapped_column(unique=True)
    at: Mapped[Instant]
    result: Mapped[str] = mapped_column(Text)


class CampaignTable(Table):
    """A campaign from the moment it is scheduled."""

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
    """A place in the year. One without a campaign was declared or reserved by a person."""

    __tablename__ = "slot"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    day: Mapped[Day] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[Word]
    campaign: Mapped[int | None] = mapped_column(BigKey, ForeignKey("campaign.id"), unique=True)


class OutboxTable(Table):
    """One client's message of one campaign; the withheld are here too, with their reason.

    `lease_until` and `fence` belong to the worker that holds the row: an outcome from a worker whose fence has passed
    is refused. `day` is the local date the message counts on, from its intent on.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("campaign", "client"),
        UniqueConstraint("campaign", "address"),
        Index("ix_outbox_due", "campaign", "state", "not_before"),
        Index("ix_outbox_client_day", "client", "day"),
        Index("ix_outbox_address_day", "address", "day"),
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
    provider_id: Mapped[str | None] = mapped_column(String(64), index=True)
    segments: Mapped[int | None]


class LedgerGroupTable(Table):
    """The entries of one commit, chained to the group before."""

    __tablename__ = "ledger_group"
    __table_args__ = (UniqueConstraint("chain", "position"),)
    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    chain: Mapped[int]
    position: Mapped[int] = mapped_column(BigKey)
    committed_at: Mapped[Instant]
    entries: Mapped[int]
    previous: Mapped[Hash]
    hash: Mapped[Hash]


class LedgerEntryTable(Table):
    """One entry; triggers refuse every update and delete."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_client", "client", "kind"),
        Index("ix_ledger_entry_campaign", "campaign", "kind"),
    )
    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    group: Mapped[int] = mapped_column("group_id", BigKey, index=True)
    kind: Mapped[Word]
    at: Mapped[Instant]
    actor: Mapped[str] = mapped_column(String(60))
    client: Mapped[int | None] = mapped_column(BigKey)
    campaign: Mapped[int | None] = mapped_column(BigKey)
    channel: Mapped[Word | None]
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[Hash]


class LedgerHeadTable(Table):
    """The last group of each chain."""

    __tablename__ = "ledger_head"
    chain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigKey)
    hash: Mapped[Hash]


class JournalMarkTable(Table):
    """Which records of the journal this database has taken in."""

    __tablename__ = "journal_mark"
    record: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
