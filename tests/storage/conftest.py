"""What the tests of storage stand on: a begun installation on each database."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.postgresql import PostgresServer
from tests.stores import begin, open_store, raw


@pytest.fixture(scope="session")
def journal_database(postgresql: PostgresServer) -> str:
    """Give the URL of a second database that the tests of this process use one after the other.

    Dropping a database makes the server write all others to disk first: one journal database a test would take most of
    the time these tests have.
    """
    return postgresql.create(f"journal_{uuid4().hex}")


@pytest.fixture
def journal_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Give the journal's place: the path of a file that is not there yet, or the URL of an empty second database."""
    if database_url.startswith("sqlite"):
        yield str(tmp_path / "dispatcher.journal")
        return
    url: str = request.getfixturevalue("journal_database")
    yield url
    engine = raw(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture
def store(database_url: str, journal_url: str, clock: FixedClock) -> Iterator[Store]:
    """Give the storage of an installation that has just begun: the test runs on SQLite and on PostgreSQL."""
    opened = open_store(database_url, journal_url, clock)
    begin(opened)
    yield opened
    opened.close()
