"""What comes in: how far each door has been read, and what waits for a person."""

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, ClientNumber, Instant, Serial, Table, Word


class DoorTable(Table):
    """How far a door has been read: up to which mark, and up to which moment.

    `trouble` says why the last reading failed, and `failing_since` since when readings do.
    """

    __tablename__ = "door"
    name: Mapped[Word] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(Text, default="")
    read_up_to: Mapped[Instant | None]
    trouble: Mapped[str | None] = mapped_column(Text)
    failing_since: Mapped[Instant | None]


class TextInTable(Table):
    """A text message that came in by the SMS service and was dealt with, by that service's own name for it.

    Nothing of it is here: whose it was, 0 where nobody has the number, when it came, and what it amounted to.
    """

    __tablename__ = "text_in"
    sid: Mapped[str] = mapped_column(String(64), primary_key=True)
    client: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False, index=True)
    at: Mapped[Instant]
    said: Mapped[Word]


class IncomingTable(Table):
    """A letter or text message that waits for a person, or has waited.

    `text` are the encrypted words of a text message, until `text_until` at most; a letter's are never here (E-64).
    """

    __tablename__ = "incoming"
    __table_args__ = (
        UniqueConstraint("box", "key", "client"),
        Index("ix_incoming_client_settled_at", "client", "settled_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[Serial]
    client: Mapped[ClientNumber]
    channel: Mapped[Word]
    at: Mapped[Instant]
    kind: Mapped[Word]
    box: Mapped[Word]
    key: Mapped[str] = mapped_column(String(200))
    text: Mapped[bytes | None] = mapped_column(LargeBinary)
    text_until: Mapped[Instant | None]
    settled_at: Mapped[Instant | None]
    settled: Mapped[Word | None]
