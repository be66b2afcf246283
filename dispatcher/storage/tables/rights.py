"""The clients' rights: requests with their due dates, legal blocks, and what is still to be deleted elsewhere."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, ClientNumber, Day, Instant, Serial, Table, Word


class RequestTable(Table):
    """What a client asked for under the law, how their identity was checked and by whom, and until when it is due.

    `opened_by` and `checked_by` are actors; `outcome` is None while the request is open.
    """

    __tablename__ = "request"
    __table_args__ = (Index("ix_request_open", "client", "closed_at"), {"sqlite_autoincrement": True})
    id: Mapped[Serial]
    client: Mapped[ClientNumber]
    kind: Mapped[Word]
    opened_at: Mapped[Instant]
    opened_by: Mapped[str] = mapped_column(String(60))
    due: Mapped[Day]
    identity: Mapped[Word | None]
    checked_by: Mapped[str | None] = mapped_column(String(60))
    closed_at: Mapped[Instant | None]
    outcome: Mapped[Word | None]


class LegalBlockTable(Table):
    """What keeps named data of a client from erasure, why, and until which local day; `keeps` names it, by commas."""

    __tablename__ = "legal_block"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    client: Mapped[int] = mapped_column(BigKey, index=True)
    reason: Mapped[Word]
    keeps: Mapped[str] = mapped_column(String(200))
    until: Mapped[Day]
    added_at: Mapped[Instant]
    added_by: Mapped[str] = mapped_column(String(60))
    ended_at: Mapped[Instant | None]


class DeletionTable(Table):
    """A message that a provider still holds of somebody who was erased: a duty, open until the provider confirms it."""

    __tablename__ = "deletion"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    client: Mapped[ClientNumber]
    provider: Mapped[Word]
    provider_id: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[Instant]
    done_at: Mapped[Instant | None]
