"""A database is trusted to send only if it is the newest its journal knows."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select

from dispatcher.errors import JournalError, StorageError
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import installation, ledger
from dispatcher.storage.store import Store
from dispatcher.storage.tables import InstallationTable, JournalMarkTable
from tests.clock import FixedClock
from tests.stores import add_note, begin, broken_links, note, open_store


def test_an_installation_begins_once(store: Store) -> None:
    """Beginning gives a name, a first record and a first entry, and a second beginning is refused."""
    with store.reading() as connection:
        assert [EntryKind.OPENED.value] == [entry.kind for entry in ledger.entries(connection)]
        assert [] == broken_links(connection)
        workspace = connection.scalar(select(InstallationTable.workspace))
    assert workspace == installation.workspace_of(store.journal)
    store.check_trusted()
    with pytest.raises(StorageError, match=r"holds an installation already. Nothing was changed"):
        begin(store)
    assert 1 == store.journal.last()


def test_a_database_without_an_installation_is_not_trusted(
    database_url: str, journal_url: str, clock: FixedClock
) -> None:
    """An empty database says how to begin one."""
    store = open_store(database_url, journal_url, clock)
    with pytest.raises(StorageError, match="holds no installation: run `dispatcher init DIR`"):
        store.check_trusted()
    store.close()


def test_every_record_that_is_missing_is_named(store: Store, clock: FixedClock) -> None:
    """Records the database has not taken in are found wherever they are, not only at the end."""
    for turn in range(4):
        store.write(add_note(turn))
    store.check_trusted()
    store.write(lambda t: t.connection.execute(delete(JournalMarkTable).where(JournalMarkTable.record.in_([2, 4]))))
    store.journal.append([note()], clock())
    with store.reading() as connection:
        assert [2, 4, 6] == installation.missing_records(connection, store.journal)
    with pytest.raises(JournalError, match="3 records of the journal are not in it"):
        store.check_trusted()
    store.write(lambda t: installation.take_in(t.connection, [2, 4, 6]))
    store.check_trusted()


def test_a_restored_database_is_not_trusted(store: Store) -> None:
    """L-34: a database that was put back is not trusted until its replay, even where nothing is missing."""
    store.write(lambda t: installation.set_needs_replay(t.connection, needs=True))
    with pytest.raises(JournalError, match=r"older copy.*Run `dispatcher db restore --replay`; nothing is sent"):
        store.check_trusted()
    store.write(lambda t: installation.set_needs_replay(t.connection, needs=False))
    store.check_trusted()


def test_an_older_journal_is_not_trusted(store: Store) -> None:
    """A journal that ends before what the database knows is an older one; nothing is written past it."""
    store.write(lambda t: installation.take_in(t.connection, [2]))
    for attempt in (store.check_trusted, lambda: store.write(add_note())):
        with pytest.raises(
            JournalError, match="ends at record 1, but the database knows 2: an older journal was put in"
        ):
            attempt()
    assert 1 == store.journal.last()


def test_another_installations_journal_is_refused(store: Store) -> None:
    """A journal that begins with another installation's name is not taken for ours."""
    with store.reading() as connection:
        installation.check_same(connection, store.journal)
    store.write(lambda t: t.connection.execute(InstallationTable.__table__.update().values(workspace="f" * 64)))  # type: ignore[attr-defined]
    with store.reading() as connection, pytest.raises(JournalError, match="belongs to another installation"):
        installation.check_same(connection, store.journal)


def test_a_record_on_its_way_is_not_a_missing_one(
    store: Store, database_url: str, journal_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that looks while an opt-out is between journal and database waits for it, and sends on."""
    in_journal, looked = threading.Event(), threading.Event()
    append = type(store.journal).append
    why = installation.why_untrusted

    def append_and_wait(*arguments: object, **options: object) -> object:
        numbers = append(*arguments, **options)  # type: ignore[arg-type]
        in_journal.set()
        looked.wait(30)
        return numbers

    first: list[str | None] = []

    def look(*arguments: object) -> str | None:
        found = why(*arguments)  # type: ignore[arg-type]
        first.append(found)
        looked.set()
        return found

    monkeypatch.setattr(type(store.journal), "append", append_and_wait)
    monkeypatch.setattr(installation, "why_untrusted", look)
    other = open_store(database_url, journal_url, clock)
    with ThreadPoolExecutor(2) as threads:
        no = threads.submit(store.write, add_note())
        in_journal.wait(30)
        trusted = threads.submit(other.check_trusted)
        no.result(30)
        trusted.result(30)
    other.close()
    assert first[0] is not None
    assert first[-1] is None


@pytest.mark.parametrize("attempts", [8])
def test_opt_outs_and_senders_never_disturb_each_other(
    store: Store, database_url: str, journal_url: str, clock: FixedClock, attempts: int
) -> None:
    """A process that records noes as fast as it can never makes another one's database look like an older copy."""
    other = open_store(database_url, journal_url, clock)

    def repeat(act: Callable[[], None]) -> None:
        for _ in range(attempts):
            act()

    with ThreadPoolExecutor(3) as threads:
        running = [
            threads.submit(repeat, act)
            for act in (lambda: store.write(add_note()), store.check_trusted, other.check_trusted)
        ]
        for each in running:
            each.result(60)
    other.close()
    assert attempts + 1 == store.journal.last()
