"""What the tests stand on holds: the network is closed, settings are forgotten, each database is a test's own."""

import asyncio
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from dispatcher.storage.database import Database
from tests.clock import FixedClock
from tests.order import dealt


def test_other_machines_cannot_be_reached() -> None:
    """A test that reaches for another machine fails at once, by address and by name, and is told what to do."""
    for host in ("192.0.2.1", "2001:db8::1", "mail.example"):
        with pytest.raises(Exception, match="give it a server on loopback"):
            socket.create_connection((host, 25), timeout=1)
    reached = pytest.raises(Exception, match=r"It reached for 192\.0\.2\.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, reached:
        datagrams.sendto(b"", ("192.0.2.1", 53))


def test_loopback_stays_open() -> None:
    """A server on this machine can be spoken to, by address and by name."""

    async def speak(host: str) -> bytes:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello")
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(answer, "127.0.0.1") as server:
            reader, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1])
            said = await reader.read()
            writer.close()
            await writer.wait_closed()
            return said

    assert b"hello" == asyncio.run(speak("127.0.0.1"))
    assert b"hello" == asyncio.run(speak("localhost"))


@pytest.mark.parametrize(
    ("long", "short", "workers"), [(11, 9_000, 3), (11, 9_001, 4), (5, 3, 4), (0, 2, 8), (7, 0, 1)]
)
def test_every_worker_begins_with_what_takes_long(long: int, short: int, workers: int) -> None:
    """No test is lost or run twice, and no worker has more long ones than another but by one, before any short one."""
    longs = [f"long {number}" for number in range(long)]
    order = dealt(longs, [f"short {number}" for number in range(short)], workers)
    assert (long + short, long + short) == (len(order), len(set(order)))
    left, shares = order, []
    for worker in range(workers):
        share = len(left) // (workers - worker)
        shares.append(left[:share])
        left = left[share:]
    if short > workers * long:
        begun = [[each in longs for each in share] for share in shares]
        assert all(sorted(each, reverse=True) == each for each in begun)
        assert max(map(sum, begun)) - min(map(sum, begun)) <= 1


def test_foreign_settings_are_forgotten() -> None:
    """No variable of the caller's leads a test, or a program it starts, to a real account."""
    foreign = ("DISPATCHER_", "TWILIO_", "SMTP_", "PG")
    assert [] == [name for name in os.environ if name.startswith(foreign)]  # noqa: TID251 - what is tested
    names = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [] == [name for name in names if name.startswith(foreign)]


def test_a_database_is_current_durable_and_empty(database_url: str) -> None:
    """A test's database has this version's tables and durable commits, and nothing was written to it before."""
    database = Database(database_url)
    try:
        database.check_current()
        database.check_durable()
        with database.writing() as connection:
            connection.execute(text("CREATE TABLE trace (of_a_test INTEGER)"))
    finally:
        database.close()


def test_a_journal_stands_apart(database_url: str, journal_url: str) -> None:
    """The journal is a file that is not there yet beside SQLite, and another database than PostgreSQL's own."""
    if make_url(database_url).get_backend_name() == "sqlite":
        assert not Path(journal_url).exists()
    else:
        assert make_url(database_url).database != make_url(journal_url).database


def test_the_clock_stands_still(clock: FixedClock) -> None:
    """The clock says the same until it is moved, always in aware UTC, and refuses a time without an offset."""
    assert datetime(2026, 11, 23, 10, tzinfo=UTC) == clock() == clock()
    assert datetime(2026, 11, 24, 10, tzinfo=UTC) == clock.advance(timedelta(days=1)) == clock()
    clock.set(datetime.fromisoformat("2026-12-06T12:00:00+02:00"))
    assert "2026-12-06T10:00:00+00:00" == clock().isoformat()
    with pytest.raises(ValueError, match="has no offset"):
        clock.set(datetime.fromisoformat("2026-12-06T12:00:00"))


def test_statements_are_compiled_once(database_url: str) -> None:
    """A database goes on with what the ones before it had compiled, at the level and with the settings of its own."""
    caches = []
    for _ in range(3):
        database = Database(database_url)
        with database.reading() as connection:
            connection.execute(text("SELECT 1"))
        database.check_durable()
        caches.append(database.engine._compiled_cache)
        database.close()
    assert caches[1] is caches[2]
