"""Soft bounces: counted by kind, gone with their address, never in the way of whoever erases it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select

from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import Blame
from dispatcher.storage import clients, soft_bounces
from dispatcher.storage.store import Store
from dispatcher.storage.tables import AddressTable, SoftBounceTable
from tests.clock import FixedClock


@pytest.fixture
def address(store: Store) -> int:
    """Give the row of an address nobody has yet."""
    values = {"channel": Channel.EMAIL.value, "canonical": "anna@mail.example", "added_at": store.clock()}
    adding = insert(AddressTable).values(values).returning(AddressTable.id)
    return store.write(lambda t: t.connection.execute(adding).scalar_one())


def count(store: Store) -> int:
    """Return how many soft bounces are kept."""
    with store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(SoftBounceTable)) or 0


def test_each_kind_is_counted_by_itself(store: Store, clock: FixedClock, address: int) -> None:
    """The table below E-55: a full mailbox and a missing route are different reasons."""
    began = clock()
    assert [began] == store.write(lambda t: soft_bounces.add(t.connection, address, Blame.MAILBOX_FULL, t.now))
    assert [began] == store.write(lambda t: soft_bounces.add(t.connection, address, Blame.NO_ROUTE, t.now))
    clock.advance(timedelta(days=3))
    again = store.write(lambda t: soft_bounces.add(t.connection, address, Blame.NO_ROUTE, t.now))
    assert [began, began + timedelta(days=3)] == again


def test_they_go_with_the_address(store: Store, address: int) -> None:
    """L-33: whoever deletes an address deletes what is known of its bounces, and none is written for it any more."""
    store.write(lambda t: soft_bounces.add(t.connection, address, Blame.MAILBOX_FULL, t.now))
    store.write(lambda t: t.connection.execute(delete(AddressTable).where(AddressTable.id == address)))
    assert count(store) == 0
    assert [] == store.write(lambda t: soft_bounces.add(t.connection, address, Blame.MAILBOX_FULL, t.now))
    assert count(store) == 0


def test_an_address_that_is_confirmed_begins_anew(store: Store, address: int) -> None:
    """A new confirmed consent clears the flag, and the bounces that may lead to it."""
    store.write(lambda t: soft_bounces.add(t.connection, address, Blame.MAILBOX_FULL, t.now))
    store.write(lambda t: clients.set_confirmed(t.connection, 1, Channel.EMAIL, address, t.now))
    assert count(store) == 0


def test_an_erasure_under_way_is_not_waited_for(store: Store, address: int) -> None:
    """L-33: while somebody is deleting an address, a bounce of it is not written, and no outcome waits for that."""
    if store.database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with store.database.engine.connect() as erasing, erasing.begin() as deletion:
        erasing.execute(delete(AddressTable).where(AddressTable.id == address))
        assert [] == store.write(lambda t: soft_bounces.add(t.connection, address, Blame.MAILBOX_FULL, t.now))
        deletion.commit()
    assert count(store) == 0
