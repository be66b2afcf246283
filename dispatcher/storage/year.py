"""The slots of every year as the screens see them, each with its campaign where it has one."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from dispatcher.storage.tables import CampaignTable, SlotTable


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


def slots(connection: Connection) -> list[SlotRow]:
    """Return every slot there is, by day."""
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
