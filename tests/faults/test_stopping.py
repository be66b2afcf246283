"""A sender that is told to stop, and one that waits for a slow server: what it holds meanwhile, and what it leaves."""

import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.engine import make_url

from dispatcher.rules.message import MessageState
from dispatcher.storage.tables import OutboxTable
from tests.faults.recount import recount
from tests.faults.sink import END, Act
from tests.faults.studio import OPEN, People, Studio, founded, wait_until

PEOPLE = People(mailed=80, texted=0)
SESSIONS = 4
_SLOW = 4.0


def slow_after(mails: int) -> Callable[[str, str], Act]:
    """Return a mail server that takes so many mails at once, and its time with those after them."""
    ended = [0]

    def script(step: str, _recipient: str) -> Act:
        ended[0] += step == END
        return Act(waits=_SLOW if step == END and mails < ended[0] <= mails + SESSIONS else 0.0)

    return script


@pytest.mark.timeout(240)
def test_a_sender_told_to_stop(tmp_path: Path, database_url: str, journal_url: str) -> None:
    """E-51: at SIGTERM, hand-offs that have begun are finished, the rest is handed back, and nothing is unknown."""
    with founded(tmp_path, database_url, journal_url, email_more=f"sessions = {SESSIONS}") as studio:
        studio.schedule(PEOPLE)
        studio.sink.script = slow_after(20)
        with studio.working() as sender:
            assert studio.sink.wait_until(lambda: len(studio.sink.taken) == 20 + SESSIONS)
            sender.signal(signal.SIGTERM)
            assert 0 == sender.wait(), "".join(sender.lines)
        accepted, waiting = studio.count(MessageState.ACCEPTED.value), studio.count(*OPEN)
        assert 20 + SESSIONS == accepted == len(studio.sink.taken)
        assert PEOPLE.mailed == accepted + waiting
        with studio.database() as engine:
            assert 0 == _held(engine), "whoever comes next need not wait for a lease"
        with studio.working() as sender:
            wait_until(studio.is_finished)
            sender.signal(signal.SIGTERM)
            assert 0 == sender.wait()
        assert {MessageState.ACCEPTED.value: PEOPLE.mailed} == recount(studio, PEOPLE).states


@pytest.mark.timeout(240)
def test_the_database_is_free_while_a_server_takes_its_time(
    tmp_path: Path, database_url: str, journal_url: str
) -> None:
    """While every connection waits for its mail server, no transaction is open: others read, write, and tidy up."""
    with founded(tmp_path, database_url, journal_url, email_more=f"sessions = {SESSIONS}") as studio:
        studio.schedule(PEOPLE)
        studio.sink.script = slow_after(20)
        with studio.working() as sender:
            assert studio.sink.wait_until(lambda: len(studio.sink.taken) == 20 + SESSIONS)
            (_sqlite_is_free if studio.is_sqlite else _postgresql_is_free)(studio)
            assert SESSIONS == studio.sink.open_mails, "they wait still"
            sender.signal(signal.SIGTERM)
            assert 0 == sender.wait()


def _held(engine: Engine) -> int:
    held = select(func.count()).where(OutboxTable.state.in_(OPEN), OutboxTable.lease_until.is_not(None))
    with engine.connect() as connection:
        return int(connection.execute(held).scalar_one())


def _sqlite_is_free(studio: Studio) -> None:
    """A checkpoint that truncates takes every lock there is: it is done as soon as nobody reads and nobody writes."""
    path = make_url(studio.database_url).database
    assert path is not None
    database = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        wait_until(lambda: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, _SLOW / 2)
    finally:
        database.close()


def _postgresql_is_free(studio: Studio) -> None:
    """Whatever was open when the server began to take its time is over soon."""
    open_since = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sender' AND xact_start <= :then")
    with studio.database() as engine, engine.connect() as connection:
        then = connection.execute(text("SELECT clock_timestamp()")).scalar_one()

        def is_free() -> bool:
            connection.rollback()  # what is going on is seen anew in each transaction
            return not connection.execute(open_since, {"then": then}).scalar_one()

        wait_until(is_free, _SLOW / 2)
