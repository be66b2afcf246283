"""Random years: whatever is reserved, scheduled, revised, held, cancelled, declared or slept through, twelve."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from dispatcher.errors import DispatcherError, NoSlotError
from dispatcher.flow import acts
from dispatcher.flow.audit import Audit
from dispatcher.flow.declaring import Declaring
from dispatcher.flow.lifecycle import Lifecycle
from dispatcher.flow.schedule import Schedule
from dispatcher.rules.actor import duty
from dispatcher.rules.budget import Way
from dispatcher.rules.calendar import always_open, local_date
from dispatcher.rules.campaign import Campaign, Channel, Kind, State
from dispatcher.rules.life import Act
from dispatcher.storage.slots import SlotState
from dispatcher.storage.store import Store
from dispatcher.storage.tables import SlotTable
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY

ZONES = ("Europe/Helsinki", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Atlantic/Azores")
_YEARS = itertools.count(2030, 6)
"""Each life has years of its own: what another left behind is in no window with it."""
Deed = Callable[[], object]
ACTS = "reserve reserve schedule schedule schedule declare revise again hold release cancel undo arrive arrive wait"
_hours = st.integers(0, 24 * 800)
_steps = st.tuples(
    st.sampled_from(ACTS.split()),
    _hours,
    st.integers(0, 40),
)


@dataclass(slots=True)
class Year:
    """Some years of an installation, and what can happen in them."""

    store: Store
    clock: FixedClock
    zone: ZoneInfo
    first: int
    schedule: Schedule = field(init=False)
    lifecycle: Lifecycle = field(init=False)
    declaring: Declaring = field(init=False)
    audit: Audit = field(init=False)

    def __post_init__(self) -> None:
        """Build the flows for this zone, every hour of which is open."""
        policy = replace(POLICY, windows=always_open(self.zone))
        self.schedule, self.lifecycle = Schedule(self.store, policy, Path()), Lifecycle(self.store, policy)
        self.declaring, self.audit = Declaring(self.store, policy), Audit(self.store, policy)
        self.clock.set(datetime(self.first, 1, 1, 12, tzinfo=UTC))

    @property
    def start(self) -> datetime:
        """Return the beginning of these years."""
        return datetime(self.first, 1, 1, tzinfo=UTC)

    def bare(self, name: str, hours: int) -> Campaign:
        """Return a campaign of nothing but a name and a moment."""
        moment = self.start + timedelta(hours=hours)
        return Campaign(name, name, Kind.OFFER, moment, (Channel.EMAIL,), {}, "offer")

    def one(self, which: int, *states: State) -> str:
        """Return the name of one of the campaigns of these years in such a state."""
        names = [each.name for each in self.lifecycle.all() if each.state in states and each.send_at >= self.start]
        return names[which % len(names)] if names else "nobody"

    def step(self, number: int, what: str, hours: int, which: int) -> None:
        """Do one thing."""
        day = local_date(self.start + timedelta(hours=hours), self.zone)
        does: dict[str, Deed] = {
            "reserve": lambda: self.schedule.reserve(day, Kind.OFFER, f"r{number}", OWNER),
            "schedule": lambda: self.schedule.take(self.bare(f"c{self.first}-{number}", hours), {}, OWNER),
            "again": lambda: self.schedule.take(self.bare(self.one(which, State.DRAFT), hours), {}, OWNER),
            "declare": lambda: self.declaring.declare(day, f"d{number}", [Way.LETTER], 1, Kind.OFFER, OWNER),
            "undo": lambda: self._undo(which),
            "revise": lambda: self.lifecycle.revise(self.one(which, State.SCHEDULED, State.HELD), OWNER),
            "hold": lambda: self.lifecycle.hold(self.one(which, State.SCHEDULED, State.SENDING), OWNER),
            "release": lambda: self.lifecycle.release(self.one(which, State.HELD), OWNER),
            "cancel": lambda: self.lifecycle.cancel(self.one(which, *State), OWNER),
            "arrive": self._arrive,
            "wait": lambda: self.clock.advance(timedelta(hours=hours % 700)),
        }
        does[what]()

    def _undo(self, which: int) -> None:
        standing = [each for each in self.declaring.standing() if each.day.year >= self.first]
        if standing:
            self.declaring.undo(standing[which % len(standing)].id, OWNER)

    def _arrive(self) -> None:
        """Come to the next campaign's moment and begin what is due, as planning does."""
        coming = [each.send_at for each in self.lifecycle.all() if each.state is State.SCHEDULED]
        self.clock.set(max(self.clock(), min((each for each in coming if each >= self.start), default=self.clock())))
        for found in self.lifecycle.due(duty("planning")):
            if found.state is State.SCHEDULED:
                self.store.write(lambda transaction, n=found.id: self._begin_one(transaction, n))  # type: ignore[misc]

    def _begin_one(self, transaction: Transaction, number: int) -> None:
        day = local_date(transaction.now, self.zone)
        try:
            acts.room_beside(transaction, "x", day, self.zone, besides=number)
        except NoSlotError:
            acts.do(transaction, number, Act.HOLD, OWNER, reason="no_slot")
        else:
            acts.begin(transaction, number, day, OWNER)

    def counted(self) -> list[date]:
        """Return the days of all slots of these years that count, straight from the table."""
        with self.store.reading() as connection:
            query = select(SlotTable.day).where(
                SlotTable.state != SlotState.RETURNED.value, SlotTable.day >= date(self.first - 1, 6, 1)
            )
            return list(connection.scalars(query))


def most(days: list[date]) -> int:
    """Return the fullest calendar year or 365 dates, by looking at every one that holds any of the days."""
    years = [sum(other.year == day.year for other in days) for day in days]
    windows = [sum(timedelta(0) <= other - day < timedelta(days=365) for other in days) for day in days]
    return max([*years, *windows], default=0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(zone=st.sampled_from(ZONES), steps=st.lists(_steps, min_size=30, max_size=70))
def test_no_year_holds_a_thirteenth(
    store: Store, clock: FixedClock, zone: str, steps: list[tuple[str, int, int]]
) -> None:
    """Invariant 3, L-23: recounted by brute force after every step, and again by the audit from the ledger alone."""
    year = Year(store, clock, ZoneInfo(zone), next(_YEARS))
    for number, (what, hours, which) in enumerate(steps):
        with suppress(DispatcherError):
            year.step(number, what, hours, which)
        assert 12 >= most(year.counted())
    for audited in (year.first, year.first + 1, year.first + 2):
        assert () == year.audit.year(audited).findings


def test_the_recount_counts() -> None:
    """The recount of this test finds a thirteenth in a year and in 365 dates, and none in twelve."""
    twelve = [date(2026, month, 15) for month in range(1, 13)]
    assert (12, 13) == (most(twelve), most([*twelve, date(2026, 12, 31)]))
    across = [date(2026, 7, 1) + timedelta(days=30 * each) for each in range(12)]
    assert (13, 12) == (most([*across, date(2027, 6, 30)]), most([*across, date(2027, 7, 1)]))
