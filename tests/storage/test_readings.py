"""The readings of the register: whom they name, and who is missing from the last one."""

from collections.abc import Sequence
from datetime import timedelta

from dispatcher.storage import readings
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.stores import add_client

SHA = "0" * 64


def read(store: Store, named: Sequence[int], *, is_whole: bool = True) -> int:
    """Begin a reading that names these clients, and return its number."""

    def work(transaction: Transaction) -> int:
        number = readings.begin(transaction.connection, SHA, len(named), transaction.now, is_whole=is_whole)
        readings.stamp(transaction.connection, number, named)
        return number

    return store.write(work)


def missing(store: Store, reading: int) -> list[int]:
    """Return whom a reading does not name."""
    with store.reading() as connection:
        return readings.missing(connection, reading)


def present(store: Store) -> set[int]:
    """Return who is in the register."""
    with store.reading() as connection:
        return readings.present(connection)


def test_who_was_named_before_and_is_not_named_now_is_missing(store: Store) -> None:
    """A client whom no register has ever named is never missing; a later reading speaks for the earlier one."""
    for number in (1, 2, 3):
        add_client(store, number)
    first = read(store, [1, 2])
    second = read(store, [1])
    assert ([], [2]) == (missing(store, first), missing(store, second))
    assert {1, 2} == present(store)
    assert [] == missing(store, read(store, [1, 2]))


def test_who_is_gone_is_missing_no_more_and_comes_back(store: Store, clock: FixedClock) -> None:
    """Marked once, a client is not reported again, and the next reading that names them tells that they are back."""
    for number in (1, 2):
        add_client(store, number)
    read(store, [1, 2])
    later = read(store, [1])
    store.write(lambda transaction: readings.mark_gone(transaction.connection, [2], clock()))
    assert ([], {1}) == (missing(store, later), present(store))

    def back(transaction: Transaction) -> list[int]:
        return readings.stamp(transaction.connection, later, [1, 2])

    assert ([2], []) == (store.write(back), store.write(back))
    assert {1, 2} == present(store)


def test_the_last_whole_reading_is_one_that_reached_its_end(store: Store, clock: FixedClock) -> None:
    """A part of the register, and a reading that was cut short, are not the register."""
    with store.reading() as connection:
        assert readings.last_whole(connection) is None
    whole, part = read(store, []), read(store, [], is_whole=False)
    read(store, [])
    ended = clock.advance(timedelta(minutes=1))

    def finish(transaction: Transaction) -> None:
        for each in (whole, part):
            readings.finish(transaction.connection, each, ended)

    store.write(finish)
    with store.reading() as connection:
        found = readings.last_whole(connection)
    assert found is not None
    assert (whole, True, ended) == (found.id, found.is_whole, found.finished_at)
