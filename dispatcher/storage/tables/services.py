"""What leaves beside campaigns and what comes in by doors of its own: service messages, sign-ups, keys of the API."""

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dispatcher.storage.tables.base import BigKey, Day, Hash, Instant, Serial, Table, Word


class ServiceTable(Table):
    """A service message: to a client or a person, about something just asked for, outside every campaign.

    `recipient` is the canonical address and `details` the values its template needs, as JSON. `due_at` is from when it
    might go, as far as its verdict has said. `day` is the local date it counts on towards the address's own limit, from
    its intent on.
    """

    __tablename__ = "service_message"
    __table_args__ = (
        Index("ix_service_message_due", "state", "not_before"),
        Index("ix_service_message_recipient", "recipient", "day"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[Serial]
    purpose: Mapped[Word]
    channel: Mapped[Word]
    recipient: Mapped[str] = mapped_column(String(320))
    client: Mapped[int | None] = mapped_column(BigKey, index=True)
    person: Mapped[int | None] = mapped_column(BigKey)
    language: Mapped[Word]
    details: Mapped[str] = mapped_column(Text)
    state: Mapped[Word]
    reason: Mapped[Word | None]
    message_id: Mapped[str] = mapped_column(String(32), unique=True)
    asked_at: Mapped[Instant]
    due_at: Mapped[Instant]
    not_before: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(default=0)
    intent_at: Mapped[Instant | None]
    outcome_at: Mapped[Instant | None]
    day: Mapped[Day | None]
    code: Mapped[str | None] = mapped_column(String(20))
    provider: Mapped[Word | None]
    provider_id: Mapped[str | None] = mapped_column(String(64))


class SignUpTable(Table):
    """Somebody who typed an address into the sign-up page and has not confirmed it from there yet.

    `number` is random and stands in the confirmation's link; the row goes when it is out of date, and from when it is
    confirmed on it holds no address. `client` and `wish` are of one who asked for more by the link of a message.
    """

    __tablename__ = "sign_up"
    number: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    channel: Mapped[Word]
    canonical: Mapped[str] = mapped_column(String(320), index=True)
    first_name: Mapped[str] = mapped_column(String(100))
    language: Mapped[Word]
    wording: Mapped[Hash]
    asked_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    client: Mapped[int | None] = mapped_column(BigKey, index=True)
    wish: Mapped[Word | None]
    confirmed_at: Mapped[Instant | None]


class ApiKeyTable(Table):
    """A booking system's key to the API; only the SHA-256 of its random secret is kept."""

    __tablename__ = "api_key"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[str] = mapped_column(String(200))
    secret: Mapped[Hash]
    added_at: Mapped[Instant]
    revoked_at: Mapped[Instant | None]
    used_on: Mapped[Day | None]
