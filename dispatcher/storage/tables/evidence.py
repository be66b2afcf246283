"""What consent rests on beside the answers: the sources of a register's answers, and the published privacy notices."""

from sqlalchemy import Boolean, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, Hash, Instant, Serial, Table


class SourceTable(Table):
    """How one register asks the question, as a person told it once: columns, words, since when, a picture by its hash.

    `spec` is canonical JSON and never changes; a register that begins to ask otherwise gets a new source.
    """

    __tablename__ = "consent_source"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(100))
    spec: Mapped[str] = mapped_column(Text)
    picture: Mapped[Hash | None]
    added_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]


class NoticeTable(Table):
    """A published version of the privacy notice in one language, frozen.

    `covers_transfer`: it says that the SMS provider may reach data from outside the EU (L-42).
    """

    __tablename__ = "notice"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    language: Mapped[str] = mapped_column(String(40), primary_key=True)
    sha256: Mapped[Hash]
    text: Mapped[str] = mapped_column(Text)
    covers_transfer: Mapped[bool] = mapped_column(Boolean, default=False)
    published_at: Mapped[Instant]


class RegisterReadTable(Table):
    """A register export that was read: the whole register, or a part of it.

    A client carries the number of the last reading of a register that named them.
    """

    __tablename__ = "register_read"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    sha256: Mapped[Hash]
    rows: Mapped[int]
    is_whole: Mapped[bool]
    began_at: Mapped[Instant]
    finished_at: Mapped[Instant | None]
