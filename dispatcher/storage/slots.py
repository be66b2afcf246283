"""The slots of the year: taken, spent, declared, returned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Kind, State
from dispatcher.storage.hot import Hot, read_day
from dispatcher.storage.tables import CampaignTable, SlotTable


class SlotState(StrEnum):
    """Where a slot of the year stands."""

    TAKEN = "taken"
    """Held for a campaign that has not begun."""
    SPENT = "spent"
    """Its campaign has begun; it never comes back."""
    DECLARED = "declared"
    """A person declared what was sent beside or before the program."""
    RETURNED = "returned"
    """Its campaign was cancelled before the first hand-off, or its declaration was taken back."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A slot that a person declared: how many messages went by which ways ("letter" among them)."""

    id: int
    day: date
    title: str
    kind: str
    channels: tuple[str, ...]
    messages: int

    def as_json(self) -> dict[str, object]:
        """Return the declaration with stable keys."""
        found: dict[str, object] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**found, "day": self.day.isoformat(), "channels": list(self.channels)}


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot: its local date, its state, and number, name, kind and state of its campaign, None without one."""

    day: date
    title: str
    state: str
    campaign: int | None
    name: str | None
    kind: str | None
    campaign_state: str | None


_DECLARED = (SlotTable.id, SlotTable.day, SlotTable.title, SlotTable.kind, SlotTable.channels, SlotTable.messages)


def near(connection: Connection, day: date, besides: int | None = None, *, today: date | None = None) -> list[Slot]:
    """Return the slots that one on this day must share a year or 365 days with, unless they were returned.

    `besides` is a campaign whose own slot is left out. With `today`, so are the slots of reservations and drafts whose
    date is over: they have lapsed, whether or not anybody has written so yet.
    """
    span = timedelta(days=366)
    query = (
        select(SlotTable.day, SlotTable.title, SlotTable.campaign, CampaignTable.state)
        .outerjoin(CampaignTable, CampaignTable.id == SlotTable.campaign)
        .where(
            SlotTable.state != SlotState.RETURNED.value,
            SlotTable.day.between(day - span, day + 3 * span),
        )
        .order_by(SlotTable.day, SlotTable.id)
    )
    return [
        Slot(row.day, row.title)
        for row in connection.execute(query)
        if (besides is None or row.campaign != besides) and not _has_lapsed(row, today)
    ]


def every(connection: Connection) -> list[SlotRow]:
    """Return every slot there is, by day, the returned ones too."""
    query = (
        select(
            SlotTable.day,
            SlotTable.title,
            SlotTable.state,
            SlotTable.campaign,
            CampaignTable.name,
            func.coalesce(CampaignTable.kind, SlotTable.kind),
            CampaignTable.state,
        )
        .outerjoin(CampaignTable, CampaignTable.id == SlotTable.campaign)
        .order_by(SlotTable.day, SlotTable.id)
    )
    return [SlotRow(*row) for row in connection.execute(query)]


def over(connection: Connection, today: date) -> list[int]:
    """Return the reservations and drafts whose slot's date is before today, by number."""
    query = (
        select(CampaignTable.id)
        .join(SlotTable, SlotTable.campaign == CampaignTable.id)
        .where(CampaignTable.state.in_(_EMPTY), SlotTable.state == SlotState.TAKEN.value, SlotTable.day < today)
        .order_by(CampaignTable.id)
    )
    return list(connection.scalars(query))


def reserved_on(connection: Connection, day: date, kind: Kind) -> list[tuple[int, str, str]]:
    """Return number, name and title of each reservation of this kind on this day, the oldest first."""
    query = (
        select(CampaignTable.id, CampaignTable.name, CampaignTable.title)
        .join(SlotTable, SlotTable.campaign == CampaignTable.id)
        .where(
            CampaignTable.state == State.RESERVED.value,
            CampaignTable.kind == kind.value,
            SlotTable.day == day,
        )
        .order_by(CampaignTable.id)
    )
    return [(row.id, row.name, row.title) for row in connection.execute(query)]


def forgotten(connection: Connection, since: date) -> list[tuple[date, int | None]]:
    """Return day and campaign of each slot after a day that was spent on messages which a restore has forgotten.

    Its campaign is not known here any more, or ended before its plan had come to its end.
    """
    return [(read_day(spent_on), campaign) for spent_on, campaign in _FORGOTTEN.rows(connection, since=since)]


def day_of(connection: Connection, campaign: int) -> date | None:
    """Return the local date a campaign's slot lies on, or None where it has none."""
    query = select(SlotTable.day).where(SlotTable.campaign == campaign, SlotTable.state != SlotState.RETURNED.value)
    return connection.scalar(query)


def put(connection: Connection, campaign: int, day: date, title: str) -> None:
    """Write the slot of a campaign that has been found to fit: a new one, or its own on another day."""
    values = {"day": day, "title": title, "state": SlotState.TAKEN.value}
    moved = connection.execute(update(SlotTable).where(SlotTable.campaign == campaign).values(**values))
    if moved.rowcount == 0:
        connection.execute(insert(SlotTable).values(campaign=campaign, **values))


def spend(connection: Connection, campaign: int, day: date) -> None:
    """Write that a campaign's slot is spent, on the local date of its first hand-off."""
    connection.execute(
        update(SlotTable).where(SlotTable.campaign == campaign).values(state=SlotState.SPENT.value, day=day)
    )


def add_spent(connection: Connection, day: date, title: str) -> None:
    """Write a spent slot whose campaign this database does not know."""
    connection.execute(insert(SlotTable).values(day=day, title=title, state=SlotState.SPENT.value, campaign=None))


def move_lost(connection: Connection, was: date, day: date, title: str) -> bool:
    """Move a spent slot whose campaign this database does not know; say whether there was one."""
    lost = (SlotTable.campaign.is_(None), SlotTable.state == SlotState.SPENT.value)
    found = connection.scalar(select(SlotTable.id).where(*lost, SlotTable.day == was, SlotTable.title == title))
    if found is not None:
        connection.execute(update(SlotTable).where(SlotTable.id == found).values(day=day))
    return found is not None


def give_back(connection: Connection, campaign: int) -> None:
    """Write that a campaign's slot is free again."""
    connection.execute(update(SlotTable).where(SlotTable.campaign == campaign).values(state=SlotState.RETURNED.value))


def declare(connection: Connection, day: date, title: str, kind: Kind, channels: Sequence[str], messages: int) -> int:
    """Write a declared slot and return its number."""
    values = {"day": day, "title": title, "kind": kind.value, "channels": ",".join(channels), "messages": messages}
    added = insert(SlotTable).values(state=SlotState.DECLARED.value, campaign=None, **values)
    return int(connection.execute(added.returning(SlotTable.id)).scalar_one())


def declared(connection: Connection) -> list[Declared]:
    """Return every declaration that stands, by day."""
    query = select(*_DECLARED).where(SlotTable.state == SlotState.DECLARED.value)
    return [_declared(row) for row in connection.execute(query.order_by(SlotTable.day, SlotTable.id))]


def take_back(connection: Connection, declaration: int) -> None:
    """Write that a declaration is taken back: its slot is free again."""
    connection.execute(update(SlotTable).where(SlotTable.id == declaration).values(state=SlotState.RETURNED.value))


def _declared(row: Any) -> Declared:
    return Declared(row.id, row.day, row.title, row.kind, tuple(row.channels.split(",")), row.messages)


# It runs for every batch of messages, and building a statement costs several times what running it does.
_FORGOTTEN = Hot(
    select(SlotTable.day, SlotTable.campaign)
    .outerjoin(CampaignTable, CampaignTable.id == SlotTable.campaign)
    .where(
        SlotTable.state == SlotState.SPENT.value,
        SlotTable.day > bindparam("since"),
        or_(
            SlotTable.campaign.is_(None),
            and_(CampaignTable.state == State.FINISHED.value, CampaignTable.planned_at.is_(None)),
        ),
    )
    .order_by(SlotTable.day, SlotTable.id)
)
_EMPTY = (State.RESERVED.value, State.DRAFT.value)


def _has_lapsed(row: Any, today: date | None) -> bool:
    return today is not None and row.day < today and row.state in _EMPTY
