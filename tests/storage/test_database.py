"""The database keeps what it is told to keep, on every connection, or the program does not start."""

import stat
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, make_url, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from dispatcher.errors import SettingsError, StorageError
from dispatcher.storage.database import Database, durability, insert_new, upgrade
from dispatcher.storage.store import Store
from dispatcher.storage.tables import AddressTable, ClientAddressTable, WordingTable
from tests.stores import open_store

CONNECTIONS = 15
"""As many as the pool may ever open."""


def weaken(database: Database, statement: str) -> None:
    """Make every connection that opens from now on forget one of its settings."""

    def forget(connection: Any, _record: Any) -> None:
        with_cursor = connection.cursor()
        with_cursor.execute(statement)
        with_cursor.close()
        if not database.is_sqlite:
            connection.commit()

    event.listen(database.engine, "connect", forget)


def test_every_connection_commits_to_disk(store: Store) -> None:
    """Section 5: the settings durable commits rest on are read back from every connection of the pool."""
    with ExitStack() as stack:
        opened = [stack.enter_context(store.reading()) for _ in range(CONNECTIONS)]
        for connection in opened:
            assert [(name, wanted) for name, wanted, _ in durability(connection)] == [
                (name, found) for name, _, found in durability(connection)
            ]


@pytest.mark.parametrize(
    ("database_url", "statement", "named"),
    [
        ("sqlite", "PRAGMA synchronous=NORMAL", "synchronous is 1, not 2"),
        ("sqlite", "PRAGMA foreign_keys=OFF", "foreign_keys is 0"),
        ("sqlite", "PRAGMA secure_delete=OFF", "secure_delete is 0"),
        ("postgresql", "SET synchronous_commit TO off", "synchronous_commit is off, not on"),
        ("postgresql", "SET synchronous_commit TO local", "synchronous_commit is local"),
    ],
    indirect=["database_url"],
)
def test_a_weakened_connection_is_refused(database_url: str, statement: str, named: str) -> None:
    """Section 5: start-up refuses a database that would not keep what it is told, and names the setting."""
    database = Database(database_url)
    weaken(database, statement)
    with pytest.raises(StorageError, match=named):
        database.check_durable()
    database.close()


def test_a_database_in_memory_is_refused() -> None:
    """A database that is nowhere on disk can keep nothing."""
    database = Database("sqlite://")
    with pytest.raises(StorageError, match="journal_mode is memory"):
        database.check_durable()
    database.close()


def test_foreign_keys_hold(store: Store) -> None:
    """An address cannot be joined to a client who is not there."""
    values = {"client": 7, "channel": "email", "address": 7, "changed_at": None}
    with pytest.raises(IntegrityError):
        store.write(lambda transaction: transaction.connection.execute(insert(ClientAddressTable).values(**values)))


def test_a_naive_time_is_refused(store: Store) -> None:
    """Section 5: a time without an offset is a bug, and never stored."""
    naive = datetime(2026, 11, 23, 10, tzinfo=UTC).replace(tzinfo=None)
    row = {"sha256": "0" * 64, "text": "Saako?", "added_at": naive}
    with pytest.raises(StatementError, match="a naive time cannot be stored"):
        store.write(lambda transaction: transaction.connection.execute(insert(WordingTable).values(**row)))


def test_times_are_utc_to_the_microsecond(store: Store) -> None:
    """A time in any zone comes back as the same instant, aware, in UTC."""
    local = datetime.fromisoformat("2026-10-25T03:30:00.123456+02:00")
    row = {"sha256": "0" * 64, "text": "Saako?", "added_at": local}
    store.write(lambda transaction: transaction.connection.execute(insert(WordingTable).values(**row)))
    with store.reading() as connection:
        found = connection.scalar(select(WordingTable.added_at))
    assert datetime(2026, 10, 25, 1, 30, 0, 123456, tzinfo=UTC) == found
    assert found is not None
    assert UTC is found.tzinfo


def test_reading_sees_one_state(store: Store) -> None:
    """What is committed while somebody reads does not change what they read."""
    row = {"sha256": "0" * 64, "text": "Saako?"}
    with store.reading() as connection:
        before = connection.execute(select(WordingTable.sha256)).all()
        store.write(lambda t: t.connection.execute(insert(WordingTable).values(**row, added_at=t.now)))
        assert before == connection.execute(select(WordingTable.sha256)).all() == []
    with store.reading() as connection:
        assert ["0" * 64] == list(connection.scalars(select(WordingTable.sha256)))


def test_nothing_is_written_by_reading(store: Store) -> None:
    """What somebody writes on a connection for reading is not kept, or refused at once."""
    row = {"sha256": "0" * 64, "text": "Saako?", "added_at": store.clock()}
    refused = nullcontext() if store.database.is_sqlite else pytest.raises(StorageError, match="read-only transaction")
    with refused, store.reading() as connection:
        connection.execute(insert(WordingTable).values(**row))
    with store.reading() as connection:
        assert [] == list(connection.scalars(select(WordingTable.sha256)))


def test_two_who_insert_the_same_row_both_succeed(store: Store, database_url: str, journal_url: str) -> None:
    """A row with a unique key may be brought by two processes; it is there once, and neither of them fails."""
    rows = [{"channel": "email", "canonical": "maija@posti.example", "added_at": store.clock()}]
    other = open_store(database_url, journal_url, store.clock)
    with other.database.reading() as connection:
        assert [] == connection.execute(select(AddressTable.id)).all()
        store.write(lambda transaction: insert_new(transaction.connection, AddressTable, rows))
    other.write(lambda transaction: insert_new(transaction.connection, AddressTable, rows))
    other.close()
    with store.reading() as connection:
        assert 1 == len(connection.execute(select(AddressTable.id)).all())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_waited_for_a_lock_sees_what_was_written(database_url: str) -> None:
    """Invariant 3: the level a server prefers for its transactions does not blind a decision taken under a lock."""
    name = make_url(database_url).database
    admin = Database(database_url)
    with admin.writing() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_isolation TO serializable'))
    admin.close()
    database = Database(database_url)
    with database.writing() as connection:
        assert "read committed" == connection.scalar(text("SHOW transaction_isolation"))
    with database.reading() as connection:
        assert "repeatable read" == connection.scalar(text("SHOW transaction_isolation"))
    database.close()


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "dispatcher.db", "", "oracle://x", "nothing://x"])
def test_an_unknown_database_is_refused(url: str) -> None:
    """A URL that names no database the program knows is refused, with two that it does know."""
    with pytest.raises(SettingsError, match=r"Write sqlite:///dispatcher\.db or postgresql://"):
        Database(url)


def test_a_file_that_is_not_there_is_missed(tmp_path: Path) -> None:
    """A SQLite file that was moved away is missed, and no empty one takes its place."""
    database = Database(f"sqlite:///{tmp_path}/gone.db")
    with pytest.raises(StorageError, match=r"gone\.db is not there: put it back"):
        database.check_current()
    database.close()
    assert [] == list(tmp_path.iterdir())


def test_a_database_without_tables_is_refused(database_url: str, journal_url: str, tmp_path: Path) -> None:
    """An empty database says how to give it its tables; upgrading it does, and a second time changes nothing."""
    url = journal_url if "://" in journal_url else f"sqlite:///{tmp_path}/empty.db"
    assert url != database_url
    if url.startswith("sqlite"):
        (tmp_path / "empty.db").touch()
    database = Database(url)
    with pytest.raises(StorageError, match=r"has no tables, this version needs .*: run `dispatcher db upgrade`"):
        database.check_current()
    upgrade(url)
    upgrade(url)
    database.check_current()
    database.close()


def test_a_new_database_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Only staff may see the register: nobody else on the machine may read its file, nor what lies beside it."""
    upgrade(f"sqlite:///{tmp_path}/dispatcher.db")
    database = Database(f"sqlite:///{tmp_path}/dispatcher.db")
    with database.reading() as connection:
        connection.execute(select(WordingTable.sha256))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    database.close()
    assert (
        dict.fromkeys(("dispatcher.db", "dispatcher.db-wal", "dispatcher.db-shm", "dispatcher.db-turn"), 0o600) == modes
    )


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A path that cannot be is an error in plain words, not a traceback."""
    with pytest.raises(StorageError, match=r"dispatcher\.db cannot be opened \(No such file or directory\)"):
        upgrade(f"sqlite:///{tmp_path}/missing/dispatcher.db")
    with pytest.raises(StorageError, match="is not there: put it back"):
        Database(f"sqlite:///{tmp_path}/missing/dispatcher.db").check_durable()
    with pytest.raises(StorageError, match="The database did not answer"):
        Database(f"postgresql://postgres@/nothing?host={tmp_path}").check_durable()


def test_no_error_repeats_what_was_written(store: Store) -> None:
    """L-46: the error of a statement that failed names neither the person nor the hash that stood in it."""
    incomplete = insert(WordingTable).values(sha256="hunter2", text="Maija Meikäläinen")
    with store.database.writing() as connection, pytest.raises(IntegrityError) as caught:
        connection.execute(incomplete)
    assert "hide_parameters" in str(caught.value)
    assert "hunter2" not in str(caught.value).partition("SQL")[2]
    assert "Meikäläinen" not in str(caught.value).partition("SQL")[2]
