"""What clients asked for under the law, until when it is due, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, literal_column, select, update

from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage.hot import Hot
from dispatcher.storage.tables import RequestTable

_OPEN = RequestTable.closed_at.is_(None)
_ANY_OPEN = Hot(select(RequestTable.id).where(_OPEN).limit(literal_column("1")))


@dataclass(frozen=True, slots=True)
class Request:
    """A request as its table holds it."""

    id: int
    client: int
    kind: str
    opened_at: datetime
    opened_by: str
    due: date
    identity: str | None
    checked_by: str | None
    closed_at: datetime | None
    outcome: str | None

    def is_overdue(self, today: date) -> bool:
        """Say whether the request should have had its answer before this local day."""
        return self.closed_at is None and self.due < today

    def as_json(self) -> dict[str, Json]:
        """Return the request with stable keys; times are UTC."""
        return {
            "request": self.id,
            "client": self.client,
            "kind": self.kind,
            "opened_at": stamp(self.opened_at),
            "opened_by": self.opened_by,
            "due": self.due.isoformat(),
            "identity": self.identity,
            "checked_by": self.checked_by,
            "closed_at": stamp(self.closed_at) if self.closed_at else None,
            "outcome": self.outcome,
        }


def add(connection: Connection, client: int, kind: str, opened_by: str, due: date, now: datetime) -> int:
    """Write a request and return its number."""
    values = {"client": client, "kind": kind, "opened_at": now, "opened_by": opened_by, "due": due}
    return int(connection.execute(insert(RequestTable).values(**values).returning(RequestTable.id)).scalar_one())


def set_identity(connection: Connection, request: int, how: str, checked_by: str) -> None:
    """Write how the identity behind a request was checked, and by whom."""
    values = {"identity": how, "checked_by": checked_by}
    connection.execute(update(RequestTable).where(RequestTable.id == request).values(**values))


def close(connection: Connection, request: int, outcome: str, now: datetime) -> None:
    """Write that a request has got its answer."""
    values = {"closed_at": now, "outcome": outcome}
    connection.execute(update(RequestTable).where(RequestTable.id == request).values(**values))


def with_open_requests(connection: Connection, clients: Sequence[int]) -> set[int]:
    """Return which of these clients wait for an answer to a request."""
    if _ANY_OPEN.one(connection) is None:
        return set()
    return set(connection.scalars(select(RequestTable.client).where(_OPEN, RequestTable.client.in_(clients))))


def every(connection: Connection, *, only_open: bool = False, client: int | None = None) -> list[Request]:
    """Return requests, those due first before the others."""
    query = select(*_columns()).order_by(RequestTable.closed_at.is_not(None), RequestTable.due, RequestTable.id)
    if only_open:
        query = query.where(_OPEN)
    if client is not None:
        query = query.where(RequestTable.client == client)
    return [Request(*row) for row in connection.execute(query)]


def _columns() -> list[Any]:
    return [getattr(RequestTable, name) for name in Request.__dataclass_fields__]
