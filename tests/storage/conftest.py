"""What the tests of storage stand on: a begun installation on each database."""

from collections.abc import Iterator

import pytest

from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.stores import begin, open_store


@pytest.fixture
def store(database_url: str, journal_url: str, clock: FixedClock) -> Iterator[Store]:
    """Give the storage of an installation that has just begun: the test runs on SQLite and on PostgreSQL."""
    opened = open_store(database_url, journal_url, clock)
    begin(opened)
    yield opened
    opened.close()
