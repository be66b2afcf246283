"""The keys of booking systems: what each may do, and the SHA-256 of its secret; the secret itself is kept nowhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, insert, select, update

from dispatcher.rules.scope import Scope
from dispatcher.storage.tables import ApiKeyTable


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key: its number, the name its owner knows it by, its scopes; `revoked_at` is None while it works.

    `secret` is the SHA-256 of the secret in hexadecimal. `used_on` is the last local day on which it was used.
    """

    id: int
    name: str
    scopes: frozenset[Scope]
    secret: str
    added_at: datetime
    revoked_at: datetime | None
    used_on: date | None


_COLUMNS = (
    ApiKeyTable.id,
    ApiKeyTable.name,
    ApiKeyTable.scopes,
    ApiKeyTable.secret,
    ApiKeyTable.added_at,
    ApiKeyTable.revoked_at,
    ApiKeyTable.used_on,
)


def every(connection: Connection) -> list[ApiKey]:
    """Return every key there has been, oldest first."""
    return [_key(row) for row in connection.execute(select(*_COLUMNS).order_by(ApiKeyTable.id))]


def find(connection: Connection, number: int) -> ApiKey | None:
    """Return the key of this number, revoked or not, or None."""
    row = connection.execute(select(*_COLUMNS).where(ApiKeyTable.id == number)).one_or_none()
    return _key(row) if row else None


def add(connection: Connection, name: str, scopes: Iterable[Scope], secret: str, now: datetime) -> int:
    """Write a new key under the SHA-256 of its secret and return its number."""
    values = {"name": name, "scopes": " ".join(sorted(scopes)), "secret": secret, "added_at": now}
    return int(connection.execute(insert(ApiKeyTable).values(**values).returning(ApiKeyTable.id)).scalar_one())


def revoke(connection: Connection, secret: str, now: datetime) -> int | None:
    """Write that the key of this secret's SHA-256 works no longer; return its number, None if none of it worked."""
    standing = update(ApiKeyTable).where(ApiKeyTable.secret == secret, ApiKeyTable.revoked_at.is_(None))
    return connection.execute(standing.values(revoked_at=now).returning(ApiKeyTable.id)).scalar_one_or_none()


def set_used(connection: Connection, number: int, day: date) -> None:
    """Write on which local day a key was used last."""
    connection.execute(update(ApiKeyTable).where(ApiKeyTable.id == number).values(used_on=day))


def _key(row: "Row[int, str, str, str, datetime, datetime | None, date | None]") -> ApiKey:
    scopes = frozenset(Scope(word) for word in row.scopes.split())
    return ApiKey(row.id, row.name, scopes, row.secret, row.added_at, row.revoked_at, row.used_on)
