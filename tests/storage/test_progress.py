"""The sums of a campaign's progress are the count of its messages at every commit, whatever became of them."""

import threading
from collections import Counter
from datetime import date, timedelta
from importlib import util
from itertools import count
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select

from dispatcher.errors import StorageError
from dispatcher.rules.campaign import Channel
from dispatcher.rules.later import Fate, Later
from dispatcher.rules.message import MessageState, Outcome, OutcomeKind
from dispatcher.storage import handoffs, later, outbox, progress
from dispatcher.storage.database import MIGRATIONS
from dispatcher.storage.outbox import Planned
from dispatcher.storage.progress import CLOSED, TOLD, Place
from dispatcher.storage.store import Store
from dispatcher.storage.tables import OutboxTable, ProgressTable
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.stores import add_campaign, open_store, plan

TODAY = date(2026, 11, 23)
_NAMES = count()


class ChangedItsMindError(Exception):
    """A write failed after it had changed something."""


def counted(connection: Connection, campaign: int) -> dict[Place, int]:
    """Count the messages of a campaign one by one."""
    columns = (OutboxTable.channel, OutboxTable.state, OutboxTable.reason, OutboxTable.closed_at, OutboxTable.later)
    found: Counter[Place] = Counter()
    for channel, state, reason, closed, told in connection.execute(
        select(*columns).where(OutboxTable.campaign == campaign)
    ):
        found[Place(campaign, channel or "", state, CLOSED if closed is not None else reason or "")] += 1
        if told is not None:
            found[Place(campaign, channel or "", TOLD, told)] += 1
    return dict(found)


class Run:
    """A campaign that things happen to, one write each, now and then several in one commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.campaign = add_campaign(store, f"run-{next(_NAMES)}", store.clock())
        self._clients = count(1)
        self._held: list[handoffs.Claimed] = []

    def plan(self, transaction: Transaction, number: int) -> None:
        """Plan some messages, every third withheld."""
        rows = []
        for client in (next(self._clients) for _ in range(number + 1)):
            message, now = f"{self.campaign:016d}{client:016d}", transaction.now
            if client % 3:
                channel = Channel.EMAIL if client % 2 else Channel.SMS
                rows.append(Planned(self.campaign, client, message, MessageState.WAITING, now, channel, 1000 + client))
            else:
                rows.append(Planned(self.campaign, client, message, MessageState.WITHHELD, now, reason="objection"))
        outbox.add(transaction.connection, rows)

    def intend(self, transaction: Transaction, number: int) -> None:
        """Claim some messages of a channel and write their intents."""
        channel, now = (Channel.EMAIL, Channel.SMS)[number % 2], transaction.now
        until = now + timedelta(minutes=20)
        rows = handoffs.claim(transaction.connection, self.campaign, now, until, number + 1, channel)
        handoffs.set_intents(transaction.connection, rows, now, TODAY, until)
        self._held += rows

    def settle(self, transaction: Transaction, number: int) -> None:
        """Write what became of one message; one that has its outcome already keeps it."""
        if self._held:
            row = self._held[number % len(self._held)]
            kind = list(OutcomeKind)[number % 4]
            again = transaction.now if number % 3 else None
            handoffs.set_outcomes(transaction.connection, [(row, Outcome(kind), again)], "smtp", transaction.now)

    def withhold(self, transaction: Transaction, number: int) -> None:
        """Withhold the next open messages, as a cancelled campaign, an objection or an erasure does."""
        for row, _, _ in outbox.open_of_campaign(transaction.connection, self.campaign, number):
            outbox.set_withheld(transaction.connection, row, "campaign_cancelled")

    def move(self, transaction: Transaction, number: int) -> None:
        """Give an open message to the other channel."""
        for row, client, _ in outbox.open_of_campaign(transaction.connection, self.campaign, 1):
            outbox.move(transaction.connection, row, list(Channel)[number % 2], 2000 + client, transaction.now)

    def free(self, transaction: Transaction, number: int) -> None:
        """Take every claim back: nothing stands elsewhere for it."""
        del number
        handoffs.free_claims(transaction.connection)

    def restore(self, transaction: Transaction, number: int) -> None:
        """Find that the database is an older copy: nobody knows what became of what is open."""
        del number
        outbox.set_unknown(transaction.connection, self.campaign, TODAY, transaction.now)

    def learn(self, transaction: Transaction, number: int) -> None:
        """Hear of an unknown message that it was taken, that it was not, or never hear of it again."""
        unknown = list(later.unknown_of(transaction.connection, self.campaign))
        if not unknown:
            return
        row = unknown[number % len(unknown)]
        if number % 3 == 0:
            later.set_accepted(transaction.connection, row.id, "250", "smtp", "", transaction.now)
        elif number % 3 == 1:
            later.set_refused(transaction.connection, row.id, "550", transaction.now)
        else:
            later.close(transaction.connection, unknown, transaction.now)

    def tell(self, transaction: Transaction, number: int) -> None:
        """Hear from the provider how far a message came, which may be told again and otherwise."""
        if self._held:
            row = self._held[number % len(self._held)]
            fate = Fate(list(Later)[number % len(Later)]) if number else Fate()
            later.set_fate(transaction.connection, row.id, fate, None)

    def fail(self, transaction: Transaction, number: int) -> None:
        """Change much and then fail, so that nothing of it is kept."""
        self.plan(transaction, number)
        self.withhold(transaction, number)
        raise ChangedItsMindError


STEPS = ("plan", "intend", "settle", "settle", "withhold", "move", "free", "restore", "learn", "tell", "fail")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=4, max_size=24))
def test_the_sums_are_the_count(store: Store, clock: FixedClock, steps: list[tuple[str, int]]) -> None:
    """Whatever happens, in whatever order and whatever fails beside it, the sums say where each message stands."""
    run = Run(store)
    store.write(lambda transaction: run.plan(transaction, 7))
    for step, number in steps:
        clock.advance(timedelta(seconds=number * 7))
        act = getattr(run, step)
        wait = store.submit(lambda transaction, act=act, number=number: act(transaction, number))  # type: ignore[misc]
        beside = store.submit(lambda transaction: run.plan(transaction, 0))
        assert isinstance(wait.exception(), ChangedItsMindError if step == "fail" else type(None))
        assert beside.exception() is None
        with store.reading() as connection:
            assert counted(connection, run.campaign) == progress.sums(connection, run.campaign)
    with store.reading() as connection:
        every = progress.sums(connection)
        own = progress.sums(connection, run.campaign)
    assert own == {place: number for place, number in every.items() if place.campaign == run.campaign}


def test_what_was_handed_over_lately_is_known_by_minute(store: Store, clock: FixedClock) -> None:
    """The rate counts what was taken, refused or lost since a minute, not what was put off and goes again."""
    run = Run(store)
    store.write(lambda transaction: run.plan(transaction, 11))
    store.write(lambda transaction: run.intend(transaction, 10))
    began = clock()
    for number in (0, 1, 2, 3):  # accepted, refused, deferred for later, unknown
        clock.advance(timedelta(minutes=1))
        row = run._held[number]
        outcome, again = Outcome(list(OutcomeKind)[number]), clock()
        store.write(
            lambda t, row=row, outcome=outcome, again=again: handoffs.set_outcomes(  # type: ignore[misc]
                t.connection, [(row, outcome, again)], "smtp", t.now
            )
        )
    with store.reading() as connection:
        assert {Channel.EMAIL: 3} == progress.handed_over(connection, run.campaign, began)
        assert {Channel.EMAIL: 1} == progress.handed_over(connection, run.campaign, began + timedelta(minutes=3))
        assert {} == progress.handed_over(connection, run.campaign, began + timedelta(minutes=5))


def test_nothing_changes_beside_the_writer(store: Store) -> None:
    """A change that the sums would not hear of is refused, not made."""
    run = Run(store)
    store.write(lambda transaction: run.plan(transaction, 2))
    with pytest.raises(StorageError, match="through the writer"), store.database.writing() as connection:
        outbox.set_withheld(connection, 1, "objection")
    with store.reading() as connection:
        assert counted(connection, run.campaign) == progress.sums(connection, run.campaign)


def test_rows_that_add_up_to_nothing_are_not_kept_apart(store: Store) -> None:
    """What comes and goes within one commit leaves no row behind."""
    run = Run(store)

    def work(transaction: Transaction) -> None:
        run.plan(transaction, 0)
        run.withhold(transaction, 1)

    store.write(work)
    with store.reading() as connection:
        rows = connection.scalar(select(func.count()).where(ProgressTable.campaign == run.campaign))
    assert 1 == rows


def test_earlier_campaigns_are_counted_once(store: Store) -> None:
    """A database of an earlier release gets its sums from its messages, and goes on from there."""
    run = Run(store)
    for step, number in (
        ("plan", 11),
        ("intend", 6),
        ("settle", 0),
        ("settle", 3),
        ("settle", 5),
        ("learn", 2),
        ("tell", 3),
    ):
        store.write(lambda transaction, step=step, number=number: getattr(run, step)(transaction, number))  # type: ignore[misc]
    with store.database.writing() as connection:
        connection.execute(delete(ProgressTable))
        with Operations.context(MigrationContext.configure(connection)):
            _migration("0008_progress_of_earlier_campaigns").upgrade()
    store.write(lambda transaction: run.withhold(transaction, 2))
    with store.reading() as connection:
        assert counted(connection, run.campaign) == progress.sums(connection, run.campaign)
        minutes = set(connection.scalars(select(ProgressTable.minute)))
    assert all((minute.second, minute.microsecond) == (0, 0) for minute in minutes)


def _migration(name: str) -> Any:
    spec = util.spec_from_file_location(name, MIGRATIONS / "versions" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_message_that_two_withhold_is_counted_once(
    store: Store, database_url: str, journal_url: str, clock: FixedClock
) -> None:
    """A client says no while their campaign is cancelled: one of the two withholds the message, and the sums hold."""
    other = open_store(database_url, journal_url, clock)
    campaign = add_campaign(store, "a", clock())
    plan(store, campaign, [(1, 1), (2, 2)])
    has_looked, is_next = threading.Event(), threading.Event()

    def leave(transaction: Transaction) -> int:
        found = outbox.open_of_client(transaction.connection, 1, for_update=True)
        has_looked.set()
        # SQLite lets the other begin only once this one has ended.
        assert store.database.is_sqlite or is_next.wait(20)
        for row, _, _ in found:
            outbox.set_withheld(transaction.connection, row, "objection")
        return len(found)

    def cancel(transaction: Transaction) -> int:
        is_next.set()
        found = outbox.open_of_campaign(transaction.connection, campaign, 10, for_update=True)
        for row, _, _ in found:
            outbox.set_withheld(transaction.connection, row, "campaign_cancelled")
        return len(found)

    leaving = store.submit(leave)
    assert has_looked.wait(20)
    cancelling = other.submit(cancel)
    assert 2 == leaving.result(20) + cancelling.result(20)
    with store.reading() as connection:
        assert {"objection": 1, "campaign_cancelled": 1} == {
            place.reason: count for place, count in progress.sums(connection, campaign).items()
        }
    other.close()
