"""The program at work: when its sender was last seen, and what it has told the people who run it."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, Day, Instant, Serial, Table, Word


class HeartbeatTable(Table):
    """One row for each sender there has been: when it was last seen, and what stood in its way then.

    `stepped_at` is when its clock last jumped, by `stepped_by` seconds, below zero where it was set back.
    """

    __tablename__ = "heartbeat"
    process: Mapped[Word] = mapped_column(primary_key=True)
    version: Mapped[Word]
    started_at: Mapped[Instant]
    seen_at: Mapped[Instant]
    stopped_at: Mapped[Instant | None]
    trouble: Mapped[str | None] = mapped_column(Text)
    stepped_at: Mapped[Instant | None]
    stepped_by: Mapped[int | None] = mapped_column(BigInteger)


class AlertTable(Table):
    """A matter that the people who run the program are told of, from when it came up until it is over.

    `subject` says which campaign, request or day it is about, never who. `seen_by` is the actor who has seen it.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_standing",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[Serial]
    kind: Mapped[Word]
    subject: Mapped[str] = mapped_column(String(60))
    opened_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    seen_at: Mapped[Instant | None]
    seen_by: Mapped[str | None] = mapped_column(String(60))


class AlertMailTable(Table):
    """That a person was sent mail about an alert on a local day: once, by this key."""

    __tablename__ = "alert_mail"
    alert: Mapped[int] = mapped_column(BigKey, ForeignKey("alert.id"), primary_key=True)
    person: Mapped[int] = mapped_column(BigKey, primary_key=True)
    day: Mapped[Day] = mapped_column(primary_key=True)
