"""The slots of the year."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Kind, State
from dispatcher.storage import campaigns, slots
from dispatcher.storage.slots import Declared
from dispatcher.storage.store import Store
from dispatcher.storage.tables import SlotTable
from tests.clock import FixedClock
from tests.stores import add_campaign

DAY = date(2026, 12, 1)


def near(store: Store, day: date = DAY, besides: int | None = None, today: date | None = None) -> list[Slot]:
    """Return the slots that stand near a day."""
    with store.reading() as connection:
        return slots.near(connection, day, besides, today=today)


def test_slots_are_counted_until_they_are_returned(store: Store, clock: FixedClock) -> None:
    """A slot that is taken or spent stands in the way; one that was returned does not."""
    first = add_campaign(store, "a", clock())
    second = add_campaign(store, "b", clock() + timedelta(days=8))
    assert [Slot(date(2026, 11, 23), "Kampanja a"), Slot(DAY, "Kampanja b")] == near(store)
    assert [Slot(DAY, "Kampanja b")] == near(store, besides=first)
    store.write(lambda t: slots.spend(t.connection, first, DAY))
    store.write(lambda t: slots.give_back(t.connection, second))
    assert [Slot(DAY, "Kampanja a")] == near(store)


def test_a_spent_slot_needs_no_campaign(store: Store) -> None:
    """The year's budget stays true where a campaign is no longer known: its slot stands by itself."""
    for title in ("Kevät", "Kesä"):
        store.write(lambda t, title=title: slots.add_spent(t.connection, DAY, title))  # type: ignore[misc]
    assert [Slot(DAY, "Kevät"), Slot(DAY, "Kesä")] == near(store)
    with store.reading() as connection:
        assert ["spent", "spent"] == list(connection.scalars(select(SlotTable.state)))


@pytest.mark.parametrize(("days", "is_near"), [(-366, True), (-367, False), (0, True), (366, True), (1098, True)])
def test_slots_are_near_within_a_year_and_beyond(store: Store, clock: FixedClock, days: int, *, is_near: bool) -> None:
    """L-23: every slot that can share a calendar year or 365 days with a day is found, earlier or later."""
    add_campaign(store, "a", clock() + timedelta(days=8 + days))
    assert is_near is bool(near(store))


def test_a_slot_moves_with_its_campaign(store: Store, clock: FixedClock) -> None:
    """A campaign has one slot: put on another day it leaves the first, and one that came back is taken again."""
    number = add_campaign(store, "a", clock())
    for put_back in (False, True):
        if put_back:
            store.write(lambda t: slots.give_back(t.connection, number))
        store.write(lambda t: slots.put(t.connection, number, DAY, "Toinen"))
        assert [Slot(DAY, "Toinen")] == near(store)
        with store.reading() as connection:
            assert DAY == slots.day_of(connection, number)
            assert 1 == len(list(connection.scalars(select(SlotTable.id))))


def test_what_was_kept_for_a_day_that_is_over_is_not_counted(store: Store, clock: FixedClock) -> None:
    """A reservation or a draft whose date has passed has lapsed, also where nobody has written so yet."""
    numbers = {state: add_campaign(store, state.value, clock()) for state in State}
    for state, number in numbers.items():
        store.write(lambda t, n=number, s=state: campaigns.set_state(t.connection, n, s, t.now))  # type: ignore[misc]
    today, empty = clock().date(), [numbers[State.RESERVED], numbers[State.DRAFT]]
    assert len(State) == len(near(store, today=today))
    assert len(State) - 2 == len(near(store, today=today + timedelta(days=1)))
    with store.reading() as connection:
        assert ([], empty) == (slots.over(connection, today), slots.over(connection, today + timedelta(days=1)))


def test_a_reservation_is_found_by_its_day_and_kind(store: Store, clock: FixedClock) -> None:
    """A reservation goes by its number, and is found for a file of its date and kind."""
    add = campaigns.add_reservation
    number = store.write(lambda t: add(t.connection, "Kevään hoitopäivä", Kind.TREATMENT_DAY, clock(), t.now))
    store.write(lambda t: slots.put(t.connection, number, DAY, "Kevään hoitopäivä"))
    with store.reading() as connection:
        found = slots.reserved_on(connection, DAY, Kind.TREATMENT_DAY)
        assert [(number, f"reservation-{number}", "Kevään hoitopäivä")] == found
        assert [] == slots.reserved_on(connection, DAY, Kind.OFFER)
        assert [] == slots.reserved_on(connection, DAY + timedelta(days=1), Kind.TREATMENT_DAY)
        assert State.RESERVED is campaigns.by_id(connection, number).state


def test_a_declared_slot_says_what_was_sent(store: Store) -> None:
    """A declaration keeps kind, ways and messages, counts in its year, and is free again once it is taken back."""
    kept = ("email", "letter")
    number = store.write(lambda t: slots.declare(t.connection, DAY, "Joulukirje", Kind.OFFER, kept, 120))
    with store.reading() as connection:
        assert [Declared(number, DAY, "Joulukirje", "offer", kept, 120)] == slots.declared(connection)
    assert [Slot(DAY, "Joulukirje")] == near(store)
    store.write(lambda t: slots.take_back(t.connection, number))
    with store.reading() as connection:
        assert [] == slots.declared(connection)
    assert [] == near(store)


def test_a_lost_slot_moves_once(store: Store) -> None:
    """A spent slot without a campaign can be moved to the day of the first hand-off, if it is there."""
    store.write(lambda t: slots.add_spent(t.connection, DAY, "Kevät"))
    later = DAY + timedelta(days=1)
    assert store.write(lambda t: slots.move_lost(t.connection, DAY, later, "Kevät"))
    assert not store.write(lambda t: slots.move_lost(t.connection, DAY, later, "Kevät"))
    assert [Slot(later, "Kevät")] == near(store)
