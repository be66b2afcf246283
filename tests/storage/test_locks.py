"""Locks are taken in one order, so that who decides about the same things waits and never blocks for good."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from dispatcher.errors import NoSlotError
from dispatcher.flow.schedule import Schedule, Taken
from dispatcher.links import CLIENT_BITS
from dispatcher.rules.budget import most_in_any_window
from dispatcher.storage import locks, slots
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY, add_campaign, campaign, open_store

HELD = text("""
    SELECT (CAST(classid AS bigint) << 32) | CAST(objid AS bigint) AS key, mode FROM pg_locks
    WHERE locktype = 'advisory' AND pid = pg_backend_pid() ORDER BY key
""")
LOCKS = st.builds(Lock, st.sampled_from(LockKind), st.integers(0, 2**CLIENT_BITS - 1), st.booleans())


class Recorder:
    """A connection that only remembers which keys it was asked to lock, and how."""

    class dialect:  # noqa: N801 - named as a connection's own
        """The dialect that takes locks."""

        name = "postgresql"

    def __init__(self) -> None:
        self.taken: list[tuple[int, bool]] = []

    def execute(self, statement: Any, values: dict[str, list[int]]) -> None:
        """Remember the keys of one statement."""
        self.taken += [(key, "shared" in str(statement)) for key in values["keys"]]


def taken(wanted: Sequence[Lock]) -> list[tuple[int, bool]]:
    """Return the keys that are locked for these locks, in order, and which are shared."""
    recorder = Recorder()
    locks.take(cast("Connection", recorder), wanted)
    return recorder.taken


@given(st.lists(LOCKS))
def test_the_order_does_not_depend_on_who_asks(wanted: list[Lock]) -> None:
    """Section 5: whatever order they are named in, locks are taken year, campaign, address, client, each once."""
    keys = taken(wanted)
    assert keys == taken(wanted[::-1]) == sorted(keys)
    assert {(lock.kind, lock.key) for lock in wanted} == {(key >> 56, key & (1 << 56) - 1) for key, _ in keys}
    assert len({key for key, _ in keys}) == len(keys)


def test_the_order_of_kinds_is_the_designs() -> None:
    """The journal before all, then year, campaign, address, client; then an import's turn, and a service message's."""
    kinds = ["JOURNAL", "YEAR", "CAMPAIGN", "ADDRESS", "CLIENT", "REGISTER", "SERVICE"]
    assert kinds == [kind.name for kind in sorted(LockKind)]


def test_who_wants_a_lock_both_ways_gets_it_alone() -> None:
    """A lock that is wanted shared and exclusive in one commit is taken exclusive, once."""
    key = LockKind.CAMPAIGN << 56 | 7
    shared, exclusive = Lock(LockKind.CAMPAIGN, 7, shared=True), Lock(LockKind.CAMPAIGN, 7)
    assert [(key, False)] == taken([shared, exclusive]) == taken([exclusive, shared])
    assert [(key, True)] == taken([shared, shared])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_locks_are_held_until_the_transaction_ends(store: Store) -> None:
    """The locks a transaction took are its own until it ends, and no longer."""
    wanted = [
        Lock(LockKind.CLIENT, 2**CLIENT_BITS - 1),
        Lock(LockKind.YEAR, 2026),
        Lock(LockKind.CAMPAIGN, 3, shared=True),
    ]
    with store.database.writing() as connection:
        locks.take(connection, wanted)
        assert [
            (LockKind.YEAR << 56 | 2026, "ExclusiveLock"),
            (LockKind.CAMPAIGN << 56 | 3, "ShareLock"),
            (LockKind.CLIENT << 56 | 2**CLIENT_BITS - 1, "ExclusiveLock"),
        ] == [tuple(row) for row in connection.execute(HELD)]
    with store.database.writing() as connection:
        assert [] == connection.execute(HELD).all()


def test_opposite_orders_never_deadlock(store: Store) -> None:
    """Section 5: transactions that name the same locks in opposite orders, and work in between, all come through."""
    there = [Lock(LockKind.CLIENT, number) for number in range(8)] + [Lock(LockKind.YEAR, 2026)]
    start = threading.Barrier(4)
    done = []

    def work(turn: int) -> None:
        start.wait(30)
        for step in range(15):
            with store.database.writing() as connection:
                locks.take(connection, there if turn % 2 else there[::-1])
                connection.execute(text("SELECT 1"))
                done.append((turn, step))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert 60 == len(done)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_shared_locks_stand_beside_each_other(store: Store) -> None:
    """Two deliveries of one campaign go on at once; who wants to change the campaign waits for both."""
    shared, alone = Lock(LockKind.CAMPAIGN, 1, shared=True), Lock(LockKind.CAMPAIGN, 1)
    with store.database.writing() as one, store.database.writing() as two:
        locks.take(one, [shared])
        locks.take(two, [shared])
        changing = store.submit(lambda _: True, wanted=[alone])
        assert not changing.done()
    assert changing.result()


def test_twenty_schedulers_and_one_slot(store: Store, database_url: str, journal_url: str, clock: FixedClock) -> None:
    """L-23: of twenty who take the last slot at once, each as from a process of its own, exactly one gets it."""
    first = clock() + timedelta(days=10)
    for month in range(11):
        add_campaign(store, f"c{month}", first + timedelta(days=30 * month))
    stores = [open_store(database_url, journal_url, clock) for _ in range(20)]
    start = threading.Barrier(20)

    def take(turn: int) -> Taken | NoSlotError:
        schedule = Schedule(stores[turn], POLICY, Path())
        start.wait(30)
        try:
            # Some ask for days in the next calendar year: it is the 365 days that are full.
            return schedule.take(campaign(f"last{turn}", first + timedelta(days=11 * turn)), {}, OWNER)
        except NoSlotError as refusal:
            return refusal

    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(take, range(20)))
    for other in stores:
        other.close()
    assert 1 == sum(isinstance(each, Taken) for each in found)
    with store.reading() as connection:
        taken = slots.near(connection, date(2027, 5, 1))
    assert 12 == len(taken) == most_in_any_window(slot.date for slot in taken)
    refusal = next(each for each in found if isinstance(each, NoSlotError))
    assert 12 == sum(f"Kampanja {name}" in str(refusal) for name in [*(f"c{n}" for n in range(11)), "last"])
