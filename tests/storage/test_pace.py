"""The turns of a channel in the database: one row that two processes cannot move at once, and the hours of a day."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from dispatcher.rules.campaign import Channel
from dispatcher.rules.pace import WHOLE
from dispatcher.storage import pace
from dispatcher.storage.pace import Turn
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.stores import open_store

HOUR = timedelta(hours=1)


def test_a_channel_begins_whole_and_keeps_what_is_written(store: Store, clock: FixedClock) -> None:
    """A channel nobody has used stands at its full pace; what is written is read, of this channel alone."""
    with store.reading() as connection:
        assert Turn(None, WHOLE, None) == pace.read(connection, Channel.EMAIL)
    kept = Turn(clock() + HOUR, 500, clock() + 2 * HOUR)
    store.write(lambda each: pace.locked(each.connection, Channel.EMAIL))
    store.write(lambda each: pace.keep(each.connection, Channel.EMAIL, kept))
    with store.reading() as connection:
        assert (kept, Turn()) == (pace.read(connection, Channel.EMAIL), pace.read(connection, Channel.SMS))


def test_two_processes_take_turns_one_after_the_other(
    store: Store, database_url: str, journal_url: str, clock: FixedClock
) -> None:
    """E-55: twenty takers on two connections each move the turn once; none is lost."""
    other = open_store(database_url, journal_url, clock)
    begun = clock()

    def take(through: Store) -> None:
        def work(transaction: object) -> None:
            connection = transaction.connection  # type: ignore[attr-defined]
            turn = pace.locked(connection, Channel.SMS)
            pace.keep(connection, Channel.SMS, Turn((turn.next_at or begun) + HOUR))

        through.write(work)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(take, [store, other] * 10))
    with store.reading() as connection:
        assert begun + 20 * HOUR == pace.read(connection, Channel.SMS).next_at
    other.close()


def test_hours_are_summed_and_let_go_of(store: Store, clock: FixedClock) -> None:
    """What was handed over since an hour is summed, and hours that no limit looks at any more are let go of."""
    hour = clock().replace(minute=0, second=0, microsecond=0)

    def work(transaction: object) -> None:
        connection = transaction.connection  # type: ignore[attr-defined]
        for back in range(30, -1, -1):
            pace.count(connection, Channel.EMAIL, hour - back * HOUR, 2, hour - 26 * HOUR)
        pace.count(connection, Channel.EMAIL, hour, -1, hour - 26 * HOUR)

    store.write(work)
    with store.reading() as connection:
        assert 5 == pace.spent(connection, Channel.EMAIL, hour - 3 * HOUR)
        assert 0 == pace.spent(connection, Channel.SMS, hour - 3 * HOUR)
        assert 53 == pace.spent(connection, Channel.EMAIL, hour - 90 * HOUR)
        assert hour - 26 * HOUR == pace.oldest(connection, Channel.EMAIL, hour - 90 * HOUR)


def test_two_commits_that_move_both_channels_do_not_wait_crosswise(
    store: Store, database_url: str, journal_url: str, clock: FixedClock
) -> None:
    """E-55: two processes whose commits take turns of both channels, in either order, both get theirs."""
    other = open_store(database_url, journal_url, clock)

    def take(channel: Channel) -> Callable[[Transaction], None]:
        def work(transaction: Transaction) -> None:
            pace.locked(transaction.connection, channel)
            time.sleep(0.2)

        return work

    def take_both(through: Store, *channels: Channel) -> list[Future[None]]:
        # While the writer is busy the next writes gather, and share one commit.
        return [through.submit(lambda _: time.sleep(0.2)), *(through.submit(take(each)) for each in channels)]

    waiting = take_both(store, Channel.EMAIL, Channel.SMS) + take_both(other, Channel.SMS, Channel.EMAIL)
    for each in waiting:
        each.result(20)
    other.close()
