"""The installation itself: which it is, who works with it, what it has taken in."""

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, Hash, Instant, Serial, Table, Word


class InstallationTable(Table):
    """One row: which installation this database belongs to, and whether a restore still waits for its replay.

    `retention_confirmed_at` is when a person let the daily removal of clients begin; until then it only lists.
    `destruction_confirmed_at` is the same for the messages of closed years.
    """

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(primary_key=True)
    workspace: Mapped[Hash]
    opened_at: Mapped[Instant]
    needs_replay: Mapped[bool] = mapped_column(default=False)
    retention_confirmed_at: Mapped[Instant | None]
    destruction_confirmed_at: Mapped[Instant | None]


class JournalMarkTable(Table):
    """Which records of the journal this database has taken in."""

    __tablename__ = "journal_mark"
    record: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)


class PersonTable(Table):
    """Somebody who works with the program; tests and alerts reach them at `email` and `phone`, in `language`."""

    __tablename__ = "person"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Word]
    added_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    email: Mapped[str | None] = mapped_column(String(320))
    phone: Mapped[str | None] = mapped_column(String(320))
    language: Mapped[Word] = mapped_column(default="fi")


class AccessLogTable(Table):
    """Which person looked at whom, and why: `client` where it was one, `clients` how many it were.

    No ledger: the rows are purged (design: a table of its own).
    """

    __tablename__ = "access_log"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    at: Mapped[Instant] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(60))
    act: Mapped[Word]
    client: Mapped[int | None] = mapped_column(BigInteger, index=True)
    clients: Mapped[int]


class IdempotencyTable(Table):
    """What has been taken in already, so that the same file or call again changes nothing."""

    __tablename__ = "idempotency"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    scope: Mapped[Word]
    key: Mapped[Hash] = mapped_column(unique=True)
    at: Mapped[Instant]
    result: Mapped[str] = mapped_column(Text)
