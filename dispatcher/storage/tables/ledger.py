"""The ledger: entries, the groups that chain them, and the heads of the chains."""

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, Hash, Instant, Table, Word


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
    """One entry; triggers refuse every update, and every delete but where its stub stands in `ledger_destroyed`."""

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


class LedgerDestroyedTable(Table):
    """What stays of an entry of a year that is destroyed; triggers refuse every update and delete."""

    __tablename__ = "ledger_destroyed"
    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    group: Mapped[int] = mapped_column("group_id", BigKey, index=True)
    digest: Mapped[Hash]
    year: Mapped[int]


class LedgerHeadTable(Table):
    """The last group of each chain."""

    __tablename__ = "ledger_head"
    chain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigKey)
    hash: Mapped[Hash]
