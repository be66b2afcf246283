"""One round of sending: what is due is planned, then delivered; whoever keeps the time calls it again and again."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dispatcher.errors import CampaignFileError, DispatcherError, DoorsUnreadError, RenderingError, StorageError
from dispatcher.flow.deliver import Deliver, DeliverReport
from dispatcher.flow.doors import Doors
from dispatcher.flow.lifecycle import Lifecycle
from dispatcher.flow.plan import Plan, PlanReport
from dispatcher.rules.actor import duty
from dispatcher.rules.message import Outcome
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.store import Store

_ACTOR = duty("planning")


@dataclass(frozen=True, slots=True)
class Worked:
    """What a round did for one campaign; `trouble` is a sentence where something kept it from going on."""

    campaign: Scheduled
    planned: PlanReport | None = None
    delivered: DeliverReport | None = None
    trouble: str | None = None

    @property
    def is_idle(self) -> bool:
        """Say whether nothing happened: every message of the campaign waits for its time."""
        nothing = self.delivered is None or not (self.delivered.outcomes or self.delivered.withheld)
        return (
            self.planned is None
            and self.trouble is None
            and nothing
            and not (self.delivered and self.delivered.finished)
        )


class Rounds:
    """Works through what is due."""

    def __init__(self, store: Store, lifecycle: Lifecycle, plan: Plan, deliver: Deliver, doors: Doors) -> None:
        self._store = store
        self._doors = doors
        self._lifecycle = lifecycle
        self._plan = plan
        self._deliver = deliver

    async def once(
        self,
        on_plan: Callable[[int, int], None] = lambda _done, _all: None,
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[Worked]:
        """Plan and deliver every campaign that is due now, earliest first, and return what was done.

        Once `stop` says so, no further campaign is begun and no further message handed over. Trouble with one
        campaign's words or carriers leaves the others to go on; one whose words can no longer be made is held. Raises
        JournalError and StorageError, whether or not anything is due, and DoorsUnreadError where something is and a
        door cannot be read: then nothing may be sent at all.
        """
        await asyncio.to_thread(self._store.check_trusted)
        due = await asyncio.to_thread(self._lifecycle.due, _ACTOR)
        if self._doors.are_there and await asyncio.to_thread(self._has_work, due):
            await self._open_doors()
        worked = []
        async with self._doors.kept_read():
            for campaign in due:
                if stop():
                    break
                worked.append(await self._one(campaign, on_plan, on_outcome, stop))
        return worked

    def _has_work(self, due: Sequence[Scheduled]) -> bool:
        """Say whether anything could leave now: a campaign that waits for its hours needs no letter box."""
        now = self._store.clock()
        moments = (self._lifecycle.next_due(each.id) if each.planned_at else now for each in due)
        return any(moment is not None and moment <= now for moment in moments)

    async def _open_doors(self) -> None:
        try:
            await self._doors.up_to_now()
        except DoorsUnreadError:
            # Late is not due: what was cut short by this for too long does not go on by itself.
            await asyncio.to_thread(self._lifecycle.hold_interrupted, _ACTOR)
            raise

    async def _one(
        self,
        campaign: Scheduled,
        on_plan: Callable[[int, int], None],
        on_outcome: Callable[[Outcome], None],
        stop: Callable[[], bool],
    ) -> Worked:
        planned = None
        try:
            if campaign.planned_at is None:
                planned = await asyncio.to_thread(self._plan.run, campaign, on_plan)
            delivered = await self._deliver.run(campaign, on_outcome, stop)
        except (StorageError, DoorsUnreadError):
            raise
        except (CampaignFileError, RenderingError) as error:
            await asyncio.to_thread(self._lifecycle.hold_unmade, campaign, _ACTOR)
            return Worked(campaign, planned, trouble=str(error))
        except DispatcherError as error:
            return Worked(campaign, planned, trouble=str(error))
        return Worked(campaign, planned, delivered)
