"""The register: clients, their addresses, the words they were asked in, and the objections that outlive them."""

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, Day, Hash, Instant, KeyId, Serial, Table, Word


class ClientTable(Table):
    """A person in the register, under a random number that says nothing about them.

    `no_offers` and `no_treatment_days`: the topic the client does not want, while their yes stands for the other.
    """

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
    no_offers: Mapped[bool] = mapped_column(default=False, server_default=false())
    no_treatment_days: Mapped[bool] = mapped_column(default=False, server_default=false())


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
    `awaits_receipt`: somebody typed it at the desk, and no offer goes there before a receipt has (L-05).
    """

    __tablename__ = "client_address"
    client: Mapped[int] = mapped_column(BigKey, ForeignKey("client.number", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    address: Mapped[int] = mapped_column(BigKey, ForeignKey("address.id"), index=True)
    confirmed_at: Mapped[Instant | None]
    changed_at: Mapped[Instant | None]
    awaits_receipt: Mapped[bool] = mapped_column(default=False, server_default=false())


class ReturningTable(Table):
    """A client whom the journal knows and this restored database does not: the number they had, by keyed hash.

    Links sent to them carry that number, so they get it back when the register brings them again. `what` is hashed: a
    customer number, or the address of a channel.
    """

    __tablename__ = "returning_client"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    key: Mapped[KeyId]
    what: Mapped[str] = mapped_column(String(40), default="", server_default="")


class ReplacedTable(Table):
    """When an address of a client was replaced, as the journal tells and a restored database does not (L-31).

    Which yes was recorded before, the database has forgotten: so no yes counts that may have been said before. The
    client need not be there, so that it holds for who is to come back as well.
    """

    __tablename__ = "replaced_address"
    client: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[Instant]


class WordingTable(Table):
    """The exact text of a question, by its SHA-256 (D-02).

    `channels` are those the text names, by commas. `language` and `version` are told by a person who adds the wording;
    a wording that a file brought along has neither.
    """

    __tablename__ = "wording"
    __table_args__ = (Index("uq_wording_label", "language", "channels", "version", unique=True),)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    channels: Mapped[str] = mapped_column(String(40), default="", server_default="")
    language: Mapped[Word | None]
    version: Mapped[Word | None]
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
