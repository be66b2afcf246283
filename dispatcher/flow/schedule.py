"""Campaign file -> slot in the year and frozen bytes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dispatcher.campaign_files import parse_campaign, read_campaign
from dispatcher.errors import NoSlotError, RefusedError
from dispatcher.flow.check import Check
from dispatcher.flow.freezing import POLICY_FILE
from dispatcher.flow.policy import Policy
from dispatcher.flow.timing import closed, holidays_body
from dispatcher.rendering.templates import Templates
from dispatcher.rules.actor import Actor
from dispatcher.rules.budget import Full, room_for
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.ledger import Entry, EntryKind, stamp
from dispatcher.storage import campaigns
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


@dataclass(frozen=True, slots=True)
class Taken:
    """A campaign that has got its slot: its number, its local date, and how many the year then holds."""

    id: int
    name: str
    day: date
    in_year: int


class Schedule:
    """Gives campaigns their slot in the year."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        check: Check,
        templates: Path,
        refuse_unless_well: Callable[[], None] = lambda: None,
    ) -> None:
        self._refuse_unless_well = refuse_unless_well
        self._store = store
        self._policy = policy
        self._check = check
        self._templates = templates

    def run(self, path: Path, actor: Actor) -> Taken:
        """Freeze a campaign file with its templates and take its slot.

        Raises CampaignFileError or RenderingError where the check finds fault, NoSlotError for a thirteenth, and
        RefusedError for a moment that has passed or a campaign that has been scheduled already.
        """
        campaign = read_campaign(path, self._policy.zone)
        self._refuse_unless_well()
        self._check.run(path).raise_for_errors()
        templates = Templates.from_directory(self._templates).used_by(campaign)
        frozen = {
            campaigns.OWN_FILE: path.read_bytes(),
            POLICY_FILE: json.dumps(self._policy.as_json(), indent=1, sort_keys=True).encode(),
            **{f"templates/{name}": content for name, content in templates.items()},
        }
        # What was checked and what is frozen must be one and the same campaign.
        parsed = parse_campaign(frozen[campaigns.OWN_FILE], campaign.name, str(path), self._policy.zone)
        return self.take(parsed, frozen, actor)

    def take(self, campaign: Campaign, frozen: Mapping[str, bytes], actor: Actor) -> Taken:
        """Take a slot for a campaign under the year's lock; of many who try at once for the last, one gets it."""
        day = local_date(campaign.send_at, self._policy.zone)
        self._refuse_closed(campaign)

        def work(transaction: Transaction) -> Taken:
            self._refuse_late(campaign, transaction)
            near = campaigns.slots_near(transaction.connection, day)
            full = room_for(day, near)
            if full is not None:
                raise NoSlotError(_no_room(campaign, day, full))
            number = campaigns.add(transaction.connection, campaign, frozen, transaction.now)
            campaigns.take_slot(transaction.connection, number, day, campaign.title)
            transaction.ledger.append(
                Entry(
                    EntryKind.CAMPAIGN,
                    actor,
                    campaign=number,
                    body={
                        "event": "scheduled",
                        "name": campaign.name,
                        "title": campaign.title,
                        "kind": campaign.kind.value,
                        "send_at": stamp(campaign.send_at),
                        **holidays_body(campaign),
                    },
                ),
                Entry(EntryKind.SLOT, actor, campaign=number, body={"event": "taken", "day": day.isoformat()}),
            )
            in_year = sum(slot.date.year == day.year for slot in near) + 1
            return Taken(number, campaign.name, day, in_year)

        return self._store.write(work, wanted=year_locks(day))

    def _refuse_closed(self, campaign: Campaign) -> None:
        """Refuse a moment at which no channel of the campaign may be used (S-14)."""
        for why in closed(campaign, self._policy.windows_of(campaign)):
            raise RefusedError(why)

    def _refuse_late(self, campaign: Campaign, transaction: Transaction) -> None:
        known = campaigns.by_name(transaction.connection, campaign.name)
        if known is not None:
            raise RefusedError(
                f"The campaign {campaign.name} has been scheduled already (it is {known.state.value}). "
                "Give the new one a file of its own."
            )
        if campaign.send_at < transaction.now:
            local = campaign.send_at.astimezone(self._policy.zone)
            raise RefusedError(
                f"The moment of {campaign.name} has passed: {local:%d.%m.%Y %H:%M}. Write a later send_at in its file."
            )


def year_locks(day: date) -> list[Lock]:
    """Return the locks a change of slots takes: the year of this day and both its neighbours, which share windows."""
    return [Lock(LockKind.YEAR, day.year + offset) for offset in (-1, 0, 1)]


def _no_room(campaign: Campaign, day: date, full: Full) -> str:
    lines = "\n".join(f"  {slot.date.isoformat()}  {slot.title}" for slot in full.in_the_way)
    return (
        f"There is no slot for {campaign.name} on {day.isoformat()}: {full.period} hold twelve campaigns already:\n"
        f"{lines}\nThe first free date is {full.first_free.isoformat()}."
    )
