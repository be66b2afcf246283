"""Campaigns with their frozen bytes."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from dispatcher.rules.campaign import State
from dispatcher.storage import campaigns
from dispatcher.storage.store import Store
from dispatcher.storage.tables import FrozenTable
from tests.clock import FixedClock
from tests.stores import add_campaign, campaign


def test_a_campaign_comes_back_as_it_was_scheduled(store: Store, clock: FixedClock) -> None:
    """A campaign keeps its name, title, kind and moment, and where it stands in its life."""
    moment = clock() + timedelta(days=8)
    number = add_campaign(store, "a", moment)
    with store.reading() as connection:
        found = campaigns.by_id(connection, number)
        assert found == campaigns.by_name(connection, "a") == campaigns.known_as(connection, number, "a")
        assert campaigns.by_name(connection, "b") is None
        assert campaigns.known_as(connection, number, "b") is None
        assert [found] == campaigns.all_scheduled(connection)
    assert ("a", "Kampanja a", "offer", State.SCHEDULED, moment, clock(), None, None, -1) == (
        found.name,
        found.title,
        found.kind,
        found.state,
        found.send_at,
        found.scheduled_at,
        found.begun_at,
        found.planned_at,
        found.plan_mark,
    )


def test_a_name_stands_for_one_campaign(store: Store, clock: FixedClock) -> None:
    """A second campaign of one name is refused by the database, unless the first was cancelled."""
    first = add_campaign(store, "a", clock())
    with pytest.raises(IntegrityError):
        add_campaign(store, "a", clock())
    store.write(lambda t: campaigns.set_state(t.connection, first, State.CANCELLED, t.now))
    second = add_campaign(store, "a", clock())
    with store.reading() as connection:
        found = campaigns.by_name(connection, "a")
    assert found is not None
    assert second == found.id != first


def test_bytes_are_frozen_to_the_letter(store: Store, clock: FixedClock) -> None:
    """What a campaign was scheduled with comes back byte for byte; bytes that two campaigns share are kept once."""
    files = {"campaign.toml": bytes(range(256)), "templates/a.txt": b"", "templates/b.txt": "ä€".encode()}
    numbers = [
        store.write(lambda t, n=name: campaigns.add(t.connection, campaign(n, clock()), files, t.now))  # type: ignore[misc]
        for name in ("a", "b")
    ]
    with store.reading() as connection:
        assert [files, files] == [campaigns.frozen(connection, number) for number in numbers]
        assert 3 == connection.scalar(select(func.count()).select_from(FrozenTable))


def test_due_is_what_has_come_and_what_is_being_sent(store: Store, clock: FixedClock) -> None:
    """Work is: campaigns whose moment has come, earliest first, and those that have begun; no held or ended ones."""
    later = add_campaign(store, "later", clock() + timedelta(seconds=1))
    second = add_campaign(store, "second", clock())
    first = add_campaign(store, "first", clock() - timedelta(days=1))
    sending = add_campaign(store, "sending", clock() - timedelta(days=2))
    store.write(lambda t: campaigns.set_begun(t.connection, sending, t.now))
    for state in (State.HELD, State.FINISHED, State.CANCELLED):
        other = add_campaign(store, state.value, clock() - timedelta(days=3))
        store.write(lambda t, o=other, s=state: campaigns.set_state(t.connection, o, s, t.now))  # type: ignore[misc]
    with store.reading() as connection:
        assert [sending, first, second] == [found.id for found in campaigns.due(connection, clock())]
        assert later in {found.id for found in campaigns.due(connection, clock() + timedelta(seconds=1))}


def test_a_campaign_that_is_over_keeps_its_own_times(store: Store, clock: FixedClock) -> None:
    """A campaign that is closed after a restore keeps when it began and was planned, where it knows that."""
    begun = clock() - timedelta(days=3)
    known, unknown = add_campaign(store, "a", begun), add_campaign(store, "b", begun)
    store.write(lambda t: campaigns.set_begun(t.connection, known, begun))
    store.write(lambda t: campaigns.set_plan_mark(t.connection, known, 9, planned_at=begun))
    told = clock() - timedelta(days=1)
    for number in (known, unknown):
        store.write(lambda t, n=number: campaigns.set_over(t.connection, n, told, t.now))  # type: ignore[misc]
    with store.reading() as connection:
        one, two = campaigns.by_id(connection, known), campaigns.by_id(connection, unknown)
    assert (State.FINISHED, begun, begun, clock()) == (one.state, one.begun_at, one.planned_at, one.finished_at)
    assert (State.FINISHED, told, None, clock()) == (two.state, two.begun_at, two.planned_at, two.finished_at)
