"""What the tests of flows stand on: a begun installation on each database, and somebody who tampers with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import make_url, text

from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.stores import begin, open_store, raw
from tests.workshop import Workshop, build


class Tamper(Protocol):
    """Changes a database by these statements, with these values."""

    def __call__(self, store: Store, *statements: str, **values: object) -> None:
        """Change it."""


@pytest.fixture
def store(database_url: str, journal_url: str, clock: FixedClock) -> Iterator[Store]:
    """Give the storage of an installation that has just begun: the test runs on SQLite and on PostgreSQL."""
    opened = open_store(database_url, journal_url, clock)
    begin(opened)
    yield opened
    opened.close()


@pytest.fixture
def studio(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Workshop:
    """Give an installation that writes previews instead of sending."""
    return build(tmp_path / "studio", clock, database_url, journal_url)


@pytest.fixture
def places(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, journal_url: str
) -> Callable[[], list[Path]]:
    """Give what returns every place where a byte may be, once all of it is on disk.

    On the server only this test's two databases: beside it others write of the very same people.
    """

    def settled() -> list[Path]:
        if database_url.startswith("sqlite"):
            return [tmp_path]
        server = request.getfixturevalue("postgresql")
        engine = raw(database_url).execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CHECKPOINT"))
            names = [make_url(url).database for url in (database_url, journal_url)]
            mine = text("SELECT CAST(oid AS text) FROM pg_database WHERE datname = ANY(:names)")
            rooms = [server.base / oid for oid in connection.scalars(mine, {"names": names})]
        engine.dispose()
        assert [True, True] == [room.is_dir() for room in rooms]
        return [tmp_path, *rooms]

    return settled


@pytest.fixture
def tamper() -> Tamper:
    """Give somebody who knows how: the ledger's triggers are taken away first."""
    return _tamper


def _tamper(store: Store, *statements: str, **values: object) -> None:
    engine = raw(store.database.url.render_as_string(hide_password=False))
    tables = ("ledger_entry", "ledger_group", "ledger_destroyed")
    if store.database.is_sqlite:
        drops = [f"DROP TRIGGER {table}_refuses_{act}" for table in tables for act in ("update", "delete")]
    else:
        drops = [f"DROP TRIGGER {table}_refuses ON {table}" for table in tables]
    with engine.begin() as connection:
        for statement in [*drops, *statements]:
            connection.execute(text(statement), values)
    engine.dispose()
