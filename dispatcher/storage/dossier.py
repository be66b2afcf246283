"""Everything that is kept of one client beside their answers: what a copy for them holds (L-30)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from dispatcher.keys import KeyRing
from dispatcher.rules.campaign import Channel, Language
from dispatcher.storage.answers import hash_label
from dispatcher.storage.tables import (
    AddressTable,
    CampaignTable,
    ClientTable,
    LegalBlockTable,
    OutboxTable,
    ServiceTable,
    SuppressionTable,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The client's own row."""

    number: int
    first_name: str
    last_name: str
    language: Language
    last_visit: date | None
    created_at: datetime
    updated_at: datetime
    gone_since: datetime | None
    restricted: bool
    child: bool
    suspended: bool
    paused_until: datetime | None
    own_cap: int | None
    no_offers: bool
    no_treatment_days: bool

    @property
    def has_marks(self) -> bool:
        """Say whether anything but the usual holds for the client."""
        is_marked = self.restricted or self.child or self.suspended or self.no_offers or self.no_treatment_days
        return is_marked or any(each is not None for each in (self.gone_since, self.paused_until, self.own_cap))


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a campaign as the outbox has it; `address` is None where none was found, or its row has gone.

    `later` is what the provider told afterwards, `later_code` with which error, and `closed_at` when nobody could tell
    any more whether it had arrived.
    """

    campaign: int
    title: str
    channel: Channel | None
    state: str
    reason: str | None
    message_id: str
    planned_at: datetime
    intent_at: datetime | None
    outcome_at: datetime | None
    code: str | None
    later: str | None
    later_code: str | None
    closed_at: datetime | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Served:
    """A service message to a client."""

    purpose: str
    channel: Channel
    recipient: str
    state: str
    asked_at: datetime
    outcome_at: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """An objection that is kept for one of the client's addresses, and until when."""

    address: str
    channel: Channel | None
    reason: str
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Block:
    """A legal block that stands: what it keeps, why, until which day."""

    reason: str
    keeps: str
    until: date


def profile(connection: Connection, client: int) -> Profile | None:
    """Return the row of a client, or None for a number nobody has."""
    query = select(*_columns(ClientTable, Profile)).where(ClientTable.number == client)
    row = connection.execute(query).mappings().one_or_none()
    return Profile(**dict(row) | {"language": Language(row["language"])}) if row else None


def messages(connection: Connection, client: int) -> list[Sent]:
    """Return every message of a campaign that was sent to a client, waits or was withheld, oldest first."""
    query = (
        select(
            *_columns(OutboxTable, Sent, besides=("title", "address")),
            CampaignTable.title,
            AddressTable.canonical.label("address"),
        )
        .join(CampaignTable, CampaignTable.id == OutboxTable.campaign)
        .outerjoin(AddressTable, AddressTable.id == OutboxTable.address)
        .where(OutboxTable.client == client)
        .order_by(OutboxTable.planned_at, OutboxTable.id)
    )
    return [
        Sent(**dict(row) | {"channel": Channel(row["channel"]) if row["channel"] else None})
        for row in connection.execute(query).mappings()
    ]


def services(connection: Connection, client: int) -> list[Served]:
    """Return every service message to a client, oldest first."""
    query = select(*_columns(ServiceTable, Served)).where(ServiceTable.client == client).order_by(ServiceTable.id)
    rows = connection.execute(query).mappings()
    return [Served(**dict(row) | {"channel": Channel(row["channel"])}) for row in rows]


def suppressions(connection: Connection, ring: KeyRing, addresses: Mapping[Channel, str], now: datetime) -> list[Kept]:
    """Return the objections that stand for these addresses, under whichever key they were hashed."""
    by_hash = {
        keyed.digest: canonical
        for channel, canonical in addresses.items()
        for keyed in ring.every_hash(hash_label(channel), canonical)
    }
    query = (
        select(
            SuppressionTable.hash,
            SuppressionTable.channel,
            SuppressionTable.reason,
            SuppressionTable.at,
            SuppressionTable.expires_at,
        )
        .where(SuppressionTable.hash.in_(list(by_hash)), SuppressionTable.expires_at > now)
        .order_by(SuppressionTable.at)
    )
    return [
        Kept(by_hash[row.hash], Channel(row.channel) if row.channel else None, row.reason, row.at, row.expires_at)
        for row in connection.execute(query)
    ]


def blocks(connection: Connection, client: int) -> list[Block]:
    """Return the legal blocks that stand on a client's data."""
    query = select(LegalBlockTable.reason, LegalBlockTable.keeps, LegalBlockTable.until).where(
        LegalBlockTable.client == client, LegalBlockTable.ended_at.is_(None)
    )
    return [Block(*row) for row in connection.execute(query.order_by(LegalBlockTable.until))]


def _columns(table: Any, shape: Any, besides: tuple[str, ...] = ()) -> list[Any]:
    return [getattr(table, name) for name in shape.__dataclass_fields__ if name not in besides]
