"""Campaigns from the moment they have a slot, and their frozen bytes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, select, update

from dispatcher.rules.campaign import Campaign, Channel, Kind, State
from dispatcher.storage.database import insert_new
from dispatcher.storage.hot import Hot, read_moment
from dispatcher.storage.tables import CampaignFileTable, CampaignTable, FrozenTable, Moment

OWN_FILE = "campaign.toml"
"""The path under which a campaign's own file is frozen."""
RESERVATION = "reservation"
"""What the name of a reservation begins with; its number follows."""
_UNNAMED = ""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A campaign as the database knows it.

    `plan_mark` is the last client number that planning has passed. `send_at` of a reservation is the beginning of its
    date; its channels are not known yet, so it has all of them. `scheduled_at` changes whenever it gets new content.
    `held_reason` says of a cancelled one that it lapsed. `released_at` is when a begun one was let go on last.
    """

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
    channels: tuple[Channel, ...]
    released_at: datetime | None


def all_scheduled(connection: Connection) -> list[Scheduled]:
    """Return every campaign, by its moment."""
    rows = connection.execute(select(*_columns()).order_by(CampaignTable.send_at, CampaignTable.id))
    return [_scheduled(row) for row in rows]


def by_name(connection: Connection, name: str) -> Scheduled | None:
    """Return the campaign of this name that has not been cancelled, or None."""
    query = select(*_columns()).where(CampaignTable.name == name, CampaignTable.state != State.CANCELLED.value)
    row = connection.execute(query).one_or_none()
    return _scheduled(row) if row else None


def by_id(connection: Connection, campaign: int, *, for_update: bool = False) -> Scheduled:
    """Return the campaign of this number; `for_update` once nobody else is changing it."""
    query = _BY_ID_TO_CHANGE if for_update else _BY_ID
    return _scheduled(connection.execute(query, {"number": campaign}).one())


def standing(connection: Connection, campaign: int) -> tuple[State, datetime]:
    """Return the state of a campaign, and when it got the content it has."""
    ((state, scheduled_at),) = _STANDING.rows(connection, number=campaign)
    return State(state), read_moment(scheduled_at)


def due(connection: Connection, now: datetime) -> list[Scheduled]:
    """Return the campaigns whose moment has come and those that are being sent, earliest first."""
    return [
        campaign
        for campaign in all_scheduled(connection)
        if campaign.state is State.SENDING or (campaign.state is State.SCHEDULED and campaign.send_at <= now)
    ]


def add(connection: Connection, campaign: Campaign, files: Mapping[str, bytes], now: datetime) -> int:
    """Write a campaign with its frozen bytes, content-addressed, and return its number."""
    number = _add(connection, {"name": campaign.name, "plan_mark": -1, **_content(campaign, now)})
    _freeze(connection, number, files)
    return number


def add_reservation(connection: Connection, title: str, kind: Kind, begins_at: datetime, now: datetime) -> int:
    """Write a campaign without content under a name made from its number, and return that number."""
    values = {"title": title, "kind": kind.value, "send_at": begins_at, "scheduled_at": now, "plan_mark": -1}
    number = _add(connection, {"name": _UNNAMED, "state": State.RESERVED.value, **values})
    connection.execute(
        update(CampaignTable).where(CampaignTable.id == number).values(name=f"{RESERVATION}-{number}"),
    )
    return number


def set_content(
    connection: Connection, number: int, campaign: Campaign, files: Mapping[str, bytes], now: datetime
) -> None:
    """Give a reservation or a draft its name, moment and frozen bytes; what it had been frozen with is let go."""
    values = {"name": campaign.name, "held_reason": None, **_content(campaign, now)}
    connection.execute(update(CampaignTable).where(CampaignTable.id == number).values(**values))
    connection.execute(delete(CampaignFileTable).where(CampaignFileTable.campaign == number))
    _freeze(connection, number, files)


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
    """Write that a campaign has begun and ended: nothing more of it goes out.

    One whose plan had not come to its end here keeps that mark: who got it is not known (`slots.forgotten`).
    """
    values: dict[str, object] = {
        "state": State.FINISHED.value,
        "begun_at": func.coalesce(CampaignTable.begun_at, literal(begun_at, Moment)),
        "finished_at": now,
        "held_reason": None,
    }
    connection.execute(update(CampaignTable).where(CampaignTable.id == campaign).values(**values))


def set_plan_mark(connection: Connection, campaign: int, mark: int, *, planned_at: datetime | None = None) -> None:
    """Write how far planning has come; `planned_at` when it has reached the end."""
    connection.execute(_MARK, {"number": campaign, "plan_mark": mark, "planned_at": planned_at})


def set_released(connection: Connection, campaign: int, now: datetime) -> None:
    """Write when a campaign that has begun goes on."""
    connection.execute(update(CampaignTable).where(CampaignTable.id == campaign).values(released_at=now))


def set_moment(connection: Connection, campaign: int, send_at: datetime) -> None:
    """Write a new moment for a campaign."""
    connection.execute(update(CampaignTable).where(CampaignTable.id == campaign).values(send_at=send_at))


def _add(connection: Connection, values: Mapping[str, object]) -> int:
    return int(connection.execute(insert(CampaignTable).values(**values).returning(CampaignTable.id)).scalar_one())


def _content(campaign: Campaign, now: datetime) -> dict[str, object]:
    return {
        "title": campaign.title,
        "kind": campaign.kind.value,
        "state": State.SCHEDULED.value,
        "send_at": campaign.send_at,
        "scheduled_at": now,
        "channels": ",".join(campaign.channels),
    }


def _freeze(connection: Connection, number: int, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        insert_new(connection, FrozenTable, [{"sha256": digest, "content": content}])
        connection.execute(insert(CampaignFileTable).values(campaign=number, path=path, sha256=digest))


def _scheduled(row: Any) -> Scheduled:
    values = dict(zip(Scheduled.__dataclass_fields__, row, strict=True))
    channels = tuple(Channel(word) for word in (values["channels"] or "").split(",") if word) or tuple(Channel)
    return Scheduled(**{**values, "state": State(values["state"]), "channels": channels})


def _columns() -> list[Any]:
    return [getattr(CampaignTable, name) for name in Scheduled.__dataclass_fields__]


# Asked for every batch of messages and every chunk of a plan: building one takes longer than running it.
_BY_ID = select(*_columns()).where(CampaignTable.id == bindparam("number"))
_BY_ID_TO_CHANGE = _BY_ID.with_for_update()
_STANDING = Hot(select(CampaignTable.state, CampaignTable.scheduled_at).where(CampaignTable.id == bindparam("number")))
_MARK = update(CampaignTable).where(CampaignTable.id == bindparam("number"))
