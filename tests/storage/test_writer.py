"""The one writer of a process: many writes, few commits, each told done only once it is on disk."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from dispatcher.errors import JournalError, StorageError
from dispatcher.keys import write_ring
from dispatcher.storage import ledger
from dispatcher.storage.store import Store
from dispatcher.storage.tables import LedgerGroupTable
from dispatcher.storage.writer import Transaction
from tests.stores import add_entry, add_note, broken_links, entry_ids, fact, note, open_store, ring, run_python

CRASHES = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from dispatcher.keys import read_ring
from tests.stores import add_entry, open_store

moment = datetime(2026, 11, 23, 10, tzinfo=UTC)
store = open_store(sys.argv[1], sys.argv[2], lambda: moment, keys=read_ring(Path(sys.argv[3])))
print(store.write(add_entry(77)), flush=True)
os._exit(9)
"""
"""A process that dies the moment it is told that its write is done."""


@contextmanager
def held_up(store: Store) -> Iterator[None]:
    """Keep the writer busy with a first write, so that all others of this block wait together."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_transaction: Transaction) -> None:
        begun.set()
        go_on.wait(30)

    first = store.submit(wait)
    begun.wait(30)
    try:
        yield
    finally:
        go_on.set()
    first.result()


def commits(store: Store) -> int:
    """Return how many commits have put something into the ledger."""
    with store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(LedgerGroupTable)) or 0


def test_writes_that_wait_share_a_commit(store: Store) -> None:
    """Section 5: 200 writes from 20 threads are joined into as few commits as fit, and every one of them is there."""
    before = commits(store)
    with ThreadPoolExecutor(20) as threads, held_up(store):
        queued = [
            future
            for batch in threads.map(lambda _: [store.submit(add_entry()) for _ in range(10)], range(20))
            for future in batch
        ]
    numbers = [future.result() for future in queued]
    assert 200 == len(set(numbers))
    assert sorted(numbers) == entry_ids(store)
    assert 4 == commits(store) - before
    with store.reading() as connection:
        assert [] == broken_links(connection)


def test_writes_from_many_threads_at_once_all_come_back(store: Store) -> None:
    """Twenty threads that each wait for each of their writes are never told a number twice, and none is lost."""
    with ThreadPoolExecutor(20) as threads:
        told = list(threads.map(lambda _: [store.write(add_entry()) for _ in range(5)], range(20)))
    assert sorted(number for own in told for number in own) == entry_ids(store)
    with store.reading() as connection:
        assert [] == broken_links(connection)


def test_a_no_goes_before_all_that_waits(store: Store) -> None:
    """Invariant 4: a withdrawal that comes last is written first."""
    order: list[str] = []
    with held_up(store):
        waiting = [store.submit(lambda _: order.append("message")) for _ in range(3)]
        withdrawal = store.submit(lambda _: order.append("withdrawal"), urgent=True)
        waiting.append(store.submit(lambda _: order.append("message")))
    for future in (*waiting, withdrawal):
        future.result()
    assert ["withdrawal", "message", "message", "message", "message"] == order


def test_one_failing_write_leaves_the_others_whole(store: Store) -> None:
    """A write that fails after its rows, entries and facts were written takes them along, and nobody else's."""
    last = store.journal.last()

    def fails(transaction: Transaction) -> None:
        transaction.ledger.append(fact(2))
        transaction.notes.append(note(2))
        raise ValueError("no")

    with held_up(store):
        first, second, third = store.submit(add_entry(1)), store.submit(fails), store.submit(add_entry(3))
        fourth = store.submit(add_note(4))
    with pytest.raises(ValueError, match="no"):
        second.result()
    fourth.result()
    with store.reading() as connection:
        found = [(entry.id, entry.client) for entry in ledger.entries(connection, ["client"])]
        assert [] == broken_links(connection)
    assert [(first.result(), 1), (third.result(), 3)] == found
    assert [4] == [record.body["test"] for record in store.journal.records() if record.number > last]
    store.check_trusted()


def test_a_failing_write_alone_leaves_no_trace(store: Store) -> None:
    """A commit in which every write failed adds no group, no record and no number that counts."""
    before = commits(store), store.journal.last()

    def fails(transaction: Transaction) -> None:
        transaction.ledger.append(fact())
        transaction.notes.append(note())
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write(fails)
    assert before == (commits(store), store.journal.last())
    store.write(add_entry())
    with store.reading() as connection:
        assert [] == broken_links(connection)


def test_a_write_that_ends_its_thread_does_not_end_the_writer(store: Store) -> None:
    """Whatever a write raises is told to its caller; the next write is done as ever."""

    def leaves(_transaction: Transaction) -> None:
        sys.exit("gone")

    with pytest.raises(SystemExit, match="gone"):
        store.write(leaves)
    assert [store.write(add_entry())] == entry_ids(store)


def test_trouble_with_the_database_is_told_in_plain_words(store: Store) -> None:
    """A statement the database refuses to run is a StorageError for its own caller; the others are done."""
    with held_up(store):
        bad = store.submit(lambda transaction: transaction.connection.execute(text("SELECT * FROM nowhere")))
        good = store.submit(add_entry())
    with pytest.raises(StorageError, match=r"The database could not keep this: .*nowhere"):
        bad.result()
    assert [good.result()] == entry_ids(store)


def test_a_failed_commit_fails_every_write_that_waited_for_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 4: where the journal cannot keep a no, nobody of that commit is told done, and nothing is kept."""

    def full(*_arguments: object, **_options: object) -> list[int]:
        raise JournalError("The journal could not be written (No space left on device). Nothing was changed.")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.journal), "append", full)
        with held_up(store):
            works: list[Callable[[Transaction], Any]] = [add_entry(), add_note(), add_entry()]
            waiting = [store.submit(work) for work in works]
        for future in waiting:
            with pytest.raises(JournalError, match="No space left on device"):
                future.result()
    assert [] == entry_ids(store)
    store.check_trusted()
    assert [store.write(add_entry())] == entry_ids(store)


def test_a_withdrawn_write_is_not_done(store: Store) -> None:
    """A write whose future was cancelled while it waited leaves nothing behind."""
    with held_up(store):
        waiting = store.submit(add_entry())
        assert waiting.cancel()
    with pytest.raises(CancelledError):
        waiting.result()
    store.write(add_note())
    assert [] == entry_ids(store)


def test_closing_finishes_what_waits(store: Store, database_url: str, journal_url: str) -> None:
    """A writer that is closed does what was asked of it before, and refuses what comes after."""
    other = open_store(database_url, journal_url, store.clock)
    with held_up(other):
        waiting = [other.submit(add_entry()) for _ in range(70)]
        closing = threading.Thread(target=other.writer.close)
        closing.start()
    closing.join()
    assert sorted(future.result() for future in waiting) == entry_ids(store)
    with pytest.raises(StorageError, match="closed; nothing more can be written"):
        other.submit(add_entry())
    other.close()


def test_what_was_told_done_is_there_after_a_crash(
    store: Store, database_url: str, journal_url: str, tmp_path: Path
) -> None:
    """Section 5: a process killed right after it was told done has lost nothing of it."""
    write_ring(tmp_path / "secrets.toml", ring())
    died = run_python(CRASHES, database_url, journal_url, str(tmp_path / "secrets.toml"), check=False)
    assert 9 == died.returncode, died.stderr
    assert [int(died.stdout)] == entry_ids(store)


def test_the_journal_is_synced_before_the_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 4: when the journal is written, nobody else can see the write in the database yet."""
    seen: list[list[int]] = []
    append = store.journal.append

    def watched(*arguments: Any, **options: Any) -> list[int]:
        seen.append(entry_ids(store))
        return append(*arguments, **options)

    monkeypatch.setattr(store.journal, "append", watched)

    def work(transaction: Transaction) -> int:
        transaction.notes.append(note())
        return transaction.ledger.append(fact())[0]

    number = store.write(work)
    assert [[]] == seen
    assert [number] == entry_ids(store)
