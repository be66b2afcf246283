"""What the people who run the program are told of: each matter once at a time, each person once a day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from dispatcher.rules.alerts import AlertKind
from dispatcher.storage.database import insert_new
from dispatcher.storage.tables import AlertMailTable, AlertTable


@dataclass(frozen=True, slots=True)
class Standing:
    """A matter that is not over: since when, and whether somebody has seen it."""

    id: int
    kind: AlertKind
    subject: str
    opened_at: datetime
    seen_at: datetime | None


def standing(connection: Connection, kinds: Collection[AlertKind]) -> list[Standing]:
    """Return the matters of these kinds that are not over."""
    columns = [getattr(AlertTable, name) for name in Standing.__dataclass_fields__]
    mine = (AlertTable.ended_at.is_(None), AlertTable.kind.in_([kind.value for kind in kinds]))
    rows = connection.execute(select(*columns).where(*mine).order_by(AlertTable.id))
    return [Standing(row.id, AlertKind(row.kind), row.subject, row.opened_at, row.seen_at) for row in rows]


def stands(connection: Connection, alert: int) -> bool:
    """Say whether a matter is neither over nor seen."""
    mine = (AlertTable.id == alert, AlertTable.ended_at.is_(None), AlertTable.seen_at.is_(None))
    return bool(connection.scalar(select(func.count()).where(*mine)))


def open_new(connection: Connection, kind: AlertKind, subject: str, now: datetime) -> Standing:
    """Write that a matter has come up; of several who write it at once, one does."""
    values = {"kind": kind.value, "subject": subject, "opened_at": now}
    insert_new(connection, AlertTable, [values])
    [found] = [each for each in standing(connection, [kind]) if each.subject == subject]
    return found


def end(connection: Connection, alerts: Sequence[int], now: datetime) -> None:
    """Write that these matters are over: should they come up again, they are new."""
    connection.execute(update(AlertTable).where(AlertTable.id.in_(alerts)).values(ended_at=now))


def see(connection: Connection, kinds: Collection[AlertKind], by: str, now: datetime) -> int:
    """Write that somebody has seen every matter of these kinds that stands; return how many were unseen."""
    mine = (
        AlertTable.ended_at.is_(None),
        AlertTable.seen_at.is_(None),
        AlertTable.kind.in_([kind.value for kind in kinds]),
    )
    return connection.execute(update(AlertTable).where(*mine).values(seen_at=now, seen_by=by)).rowcount


def mailed_on(connection: Connection, alert: int, person: int) -> set[date]:
    """Return the local days on which a person was sent mail about a matter."""
    mine = (AlertMailTable.alert == alert, AlertMailTable.person == person)
    return set(connection.scalars(select(AlertMailTable.day).where(*mine)))


def note_mail(connection: Connection, alert: int, person: int, day: date) -> None:
    """Write that a person is sent mail about a matter today: a second time the database refuses."""
    connection.execute(insert(AlertMailTable).values(alert=alert, person=person, day=day))


def purge(connection: Connection, before: datetime) -> None:
    """Delete what has been over since before this time."""
    old = select(AlertTable.id).where(AlertTable.ended_at < before)
    connection.execute(delete(AlertMailTable).where(AlertMailTable.alert.in_(old)))
    connection.execute(delete(AlertTable).where(AlertTable.ended_at < before))
