"""Planning goes in chunks that keep nobody waiting, whatever the machine, and resumes where it stopped."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.flow import plan
from dispatcher.flow.plan import Plan, next_size
from dispatcher.rules.campaign import State
from dispatcher.storage import campaigns
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def scheduled(workshop: Workshop, dispatcher: Dispatcher, clients: int) -> None:
    """Import so many clients who said yes to email and schedule a campaign at the moment of this module."""
    rows = [
        f"{number};Maija;Meikäläinen;maija.{number}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
        for number in range(clients)
    ]
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*rows), actor)
    dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=("email",)), actor)
    workshop.clock.set(MOMENT)


@given(st.integers(50, 1_000), st.floats(0, 10))
def test_the_next_chunk_fits_the_machine(size: int, seconds: float) -> None:
    """A chunk that took longer than it should is followed by a smaller one, and none grows more than twofold."""
    following = next_size(size, seconds)
    assert plan._LEAST <= following <= min(2 * size, plan._MOST)
    if seconds > plan._AIM and size > plan._LEAST:
        assert following < size


@given(st.integers(50, 1_000), st.floats(0.000_05, 0.000_7))
def test_chunks_settle_at_what_the_machine_takes(size: int, per_client: float) -> None:
    """Whatever a client costs, after a few chunks each takes about as long as it should."""
    for _ in range(8):
        size = next_size(size, size * per_client)
    assert size * per_client <= plan._AIM * 1.05
    assert size == plan._MOST or size * per_client >= plan._AIM * 0.9


def test_chunks_grow_while_there_is_time(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that takes no time at all the chunks double, and every client is planned once."""
    monkeypatch.setattr(plan, "_CHUNK", 2)
    monkeypatch.setattr(plan, "_LEAST", 2)
    seen: list[tuple[int, int]] = []
    with workshop.opened() as dispatcher:
        scheduled(workshop, dispatcher, 31)
        quick = Plan(dispatcher.store, dispatcher.policy, dispatcher.status._press, ticks=lambda: 0.0)
        report = quick.run(dispatcher.lifecycle.named("a"), lambda done, total: seen.append((done, total)))
    assert (31, 0) == (report.planned, report.withheld)
    assert [(2, 31), (6, 31), (14, 31), (30, 31), (31, 31)] == seen


def test_chunks_shrink_where_it_takes_too_long(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that takes a second for each chunk they stay at the least there is."""
    monkeypatch.setattr(plan, "_CHUNK", 20)
    monkeypatch.setattr(plan, "_LEAST", 5)
    seen: list[int] = []
    seconds = count()
    with workshop.opened() as dispatcher:
        scheduled(workshop, dispatcher, 31)
        slow = Plan(dispatcher.store, dispatcher.policy, dispatcher.status._press, ticks=lambda: float(next(seconds)))
        slow.run(dispatcher.lifecycle.named("a"), lambda done, _all: seen.append(done))
    assert [20, 25, 30, 31] == seen


def test_a_plan_goes_on_from_its_mark(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted between two chunks, planning goes on with the next client and plans nobody twice."""
    for name in ("_CHUNK", "_LEAST", "_MOST"):
        monkeypatch.setattr(plan, name, 10)

    class PowerCutError(Exception):
        """The machine stopped."""

    def stop(done: int, _all: int) -> None:
        if done == 20:
            raise PowerCutError

    with workshop.opened() as dispatcher:
        scheduled(workshop, dispatcher, 31)
        with pytest.raises(PowerCutError):
            dispatcher.plan.run(dispatcher.lifecycle.named("a"), stop)
        workshop.clock.advance(timedelta(minutes=1))
        report = dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        found = dispatcher.status.of("a")
        with dispatcher.store.reading() as connection:
            planned_at = campaigns.by_id(connection, found.campaign.id).planned_at
    assert (11, 31, State.SENDING) == (report.planned, found.planned, found.campaign.state)
    assert MOMENT + timedelta(minutes=1) == planned_at
