"""Campaigns from the moment they are scheduled, their frozen bytes, and the slots of the year."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, literal, select, update

from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Campaign, State
from dispatcher.storage.database import insert_new
from dispatcher.storage.tables import CampaignFileTable, CampaignTable, FrozenTable, Moment, SlotTable

OWN_FILE = "campaign.toml"
"""The path under which a campaign's own file is frozen."""


class SlotState(StrEnum):
    """Where a slot of the year stands."""

    TAKEN = "taken"
    """Held for a campaign that has not begun."""
    SPENT = "spent"
    """Its campaign has begun; it never comes back."""
    RETURNED = "returned"
    """Its campaign was cancelled before the first hand-off."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A campaign as the database knows it; `plan_mark` is the last client number that planning has passed."""

    id: int
    name: str
    title: str
    kind: str
    state: State
    send_at: datetime
    scheduled_at: datetime
    begun_at: datetime | None
    planned_at: datetime | None
    finished_at: datetime | None
    held_reason: str | None
    plan_mark: int


def all_scheduled(connection: Connection) -> list[Scheduled]:
    """Return every campaign, by its moment."""
    rows = connection.execute(select(*_columns()).order_by(CampaignTable.send_at, CampaignTable.id))
    return [_scheduled(row) for row in rows]


def by_name(connection: Connection, name: str) -> Scheduled | None:
    """Return the campaign of this name that has not been cancelled, or None."""
    query = select(*_columns()).where(CampaignTable.name == name, CampaignTable.state != State.CANCELLED.value)
    row = connection.execute(query).one_or_none()
    return _scheduled(row) if row else None


def by_id(connection: Connection, campaign: int) -> Scheduled:
    """Return the campaign of this number."""
    row = connection.execute(select(*_columns()).where(CampaignTable.id == campaign)).one()
    return _scheduled(row)


def due(connection: Connection, now: datetime) -> list[Scheduled]:
    """Return the campaigns whose moment has come and those that are being sent, earliest first."""
    return [
        campaign
        for campaign in all_scheduled(connection)
        if campaign.state is State.SENDING or (campaign.state is State.SCHEDULED and campaign.send_at <= now)
    ]


def add(connection: Connection, campaign: Campaign, files: Mapping[str, bytes], now: datetime) -> int:
    """Write a campaign with its frozen bytes, content-addressed, and return its number."""
    number = connection.execute(
        insert(CampaignTable)
        .values(
            name=campaign.name,
            title=campaign.title,
            kind=campaign.kind.value,
            state=State.SCHEDULED.value,
            send_at=campaign.send_at,
            scheduled_at=now,
            plan_mark=-1,
        )
        .returning(CampaignTable.id)
    ).scalar_one()
    for path, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        insert_new(connection, FrozenTable, [{"sha256": digest, "content": content}])
        connection.execute(insert(CampaignFileTable).values(campaign=number, path=path, sha256=digest))
    return int(number)


def known_as(connection: Connection, number: int, name: str) -> Scheduled | None:
    """Return the campaign of this number if it has this name: an older copy may have given the number to another."""
    query = select(*_columns()).where(CampaignTable.id == number, CampaignTable.name == name)
    row = connection.execute(query).one_or_none()
    return _scheduled(row) if row else None


def frozen(connection: Connection, campaign: int) -> dict[str, bytes]:
    """Return the bytes a campaign was scheduled with, by path."""
    query = (
        select(CampaignFileTable.path, FrozenTable.content)
        .join(FrozenTable, FrozenTable.sha256 == CampaignFileTable.sha256)
        .where(CampaignFileTable.campaign == campaign)
    )
    return {row.path: bytes(row.content) for row in connection.execute(query)}


def set_state(connection: Connection, campaign: int, state: State, now: datetime, *, reason: str | None = None) -> None:
    """Write the state a campaign has passed into, with its time."""
    values: dict[str, object] = {"state": state.value, "held_reason": reason}
    if state is State.FINISHED:
        values["finished_at"] = now
    connection.execute(update(CampaignTable).where(CampaignTable.id == campaign).values(**values))


def set_begun(connection: Connection, campaign: int, now: datetime) -> None:
    """Write that a campaign has begun."""
    connection.execute(
        update(CampaignTable).where(CampaignTable.id == campaign).values(begun_at=now, state=State.SENDING.value)
    )


def set_over(connection: Connection, campaign: int, begun_at: datetime, now: datetime) -> None:
    """Write that a campaign has begun, been planned and ended: nothing more of it goes out."""
    values: dict[str, object] = {
        "state": State.FINISHED.value,
        "begun_at": func.coalesce(CampaignTable.begun_at, literal(begun_at, Moment)),
        "planned_at": func.coalesce(CampaignTable.planned_at, literal(now, Moment)),
        "finished_at": now,
        "held_reason": None,
    }
    connection.execute(update(CampaignTable).where(CampaignTable.id == campaign).values(**values))


def set_plan_mark(connection: Connection, campaign: int, mark: int, *, planned_at: datetime | None = None) -> None:
    """Write how far planning has come; `planned_at` when it has reached the end."""
    values = {"plan_mark": mark, "planned_at": planned_at}
    connection.execute(update(CampaignTable).where(CampaignTable.id == campaign).values(**values))


def slots_near(connection: Connection, day: date, besides: int | None = None) -> list[Slot]:
    """Return the taken and spent slots that a campaign on this day must share a year or 365 days with.

    `besides` is a campaign whose own slot is left out.
    """
    span = timedelta(days=366)
    query = (
        select(SlotTable.day, SlotTable.title, SlotTable.campaign)
        .where(
            SlotTable.state != SlotState.RETURNED.value,
            SlotTable.day.between(day - span, day + 3 * span),
        )
        .order_by(SlotTable.day)
    )
    rows = connection.execute(query)
    return [Slot(row.day, row.title) for row in rows if besides is None or row.campaign != besides]


def take_slot(connection: Connection, campaign: int, day: date, title: str) -> None:
    """Write the slot of a campaign that has been found to fit."""
    connection.execute(insert(SlotTable).values(day=day, title=title, state=SlotState.TAKEN.value, campaign=campaign))


def spend_slot(connection: Connection, campaign: int, day: date) -> None:
    """Write that a campaign's slot is spent, on the local date of its first hand-off."""
    connection.execute(
        update(SlotTable).where(SlotTable.campaign == campaign).values(state=SlotState.SPENT.value, day=day)
    )


def add_spent_slot(connection: Connection, day: date, title: str) -> None:
    """Write a spent slot whose campaign this database does not know."""
    connection.execute(insert(SlotTable).values(day=day, title=title, state=SlotState.SPENT.value, campaign=None))


def return_slot(connection: Connection, campaign: int) -> None:
    """Write that a campaign's slot is free again."""
    connection.execute(update(SlotTable).where(SlotTable.campaign == campaign).values(state=SlotState.RETURNED.value))


def set_moment(connection: Connection, campaign: int, send_at: datetime) -> None:
    """Write a new moment for a campaign."""
    connection.execute(update(CampaignTable).where(CampaignTable.id == campaign).values(send_at=send_at))


def _scheduled(row: Any) -> Scheduled:
    values = dict(zip(Scheduled.__dataclass_fields__, row, strict=True))
    return Scheduled(**{**values, "state": State(values["state"])})


def _columns() -> list[Any]:
    return [getattr(CampaignTable, name) for name in Scheduled.__dataclass_fields__]
