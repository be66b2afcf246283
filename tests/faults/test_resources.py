"""A disk that is full and a database that is gone: the sender hands nothing over, says why, and goes on by itself.

What was being handed over when it happened ends accepted or unknown, and is never sent again.
"""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from dispatcher.rules.message import MessageState
from tests.faults.recount import recount
from tests.faults.sink import END, Act
from tests.faults.studio import WINDOW, People, Program, Studio, founded, wait_until
from tests.postgresql import PostgresServer

PEOPLE = People(mailed=150, texted=0)
_EMAIL = "sessions = 4"
_IN_THE_MIDDLE = 40
_STOPPED = "nothing is sent: "
_GOES_ON = "sending goes on"
_IMPATIENT = "from dispatcher.storage import database; database._BUSY_MILLISECONDS = 500"
"""Half a second in the place of thirty: what a lock is waited for."""
_NO_LIMIT = resource.RLIM_INFINITY


def steadily(step: str, _recipient: str) -> Act:
    """Take a mail in the twentieth part of a second."""
    return Act(waits=0.05 if step == END else 0.0)


def _trouble_and_back(
    studio: Studio, sender: Program, begin: Callable[[], object], end: Callable[[], object], because: str
) -> None:
    """Bring trouble in the middle of a run, look how the sender takes it, end it, and recount."""
    studio.sink.script = steadily
    assert studio.sink.wait_until(lambda: len(studio.sink.taken) >= _IN_THE_MIDDLE)
    begin()
    sender.says(_STOPPED)
    assert because in "".join(sender.lines)
    # What was on the wire is over by now, whatever became of it.
    assert studio.sink.wait_until(lambda: studio.sink.open_mails == 0)
    taken = len(studio.sink.taken)
    assert _IN_THE_MIDDLE <= taken < PEOPLE.mailed
    assert not studio.sink.wait_until(lambda: len(studio.sink.taken) > taken, 1.0), "nothing more is handed over"
    end()
    sender.says(_GOES_ON)
    # What it held, and could not give back, it holds until the leases end.
    wait_until(lambda: _is_over(studio), 90, every=0.2)
    sender.signal(signal.SIGTERM)
    assert 0 == sender.wait()
    states = recount(studio, PEOPLE).states
    assert set(states) <= {MessageState.ACCEPTED.value, MessageState.UNKNOWN.value}
    assert states.get(MessageState.UNKNOWN.value, 0) <= WINDOW


def _is_over(studio: Studio) -> bool:
    studio.end_pauses()
    if studio.sink.open_mails == 0 and not studio.has_due():
        studio.end_leases()
    return studio.is_finished()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", ["limit", "mount"])
def test_a_full_disk(way: str, tmp_path: Path) -> None:
    """The disk is full in the middle of a run: nothing more leaves, the log says so, and with room again it goes on."""
    with _disk(tmp_path) if way == "mount" else _nowhere(tmp_path) as directory:
        urls = f"sqlite:///{directory / 'dispatcher.db'}", str(directory / "dispatcher.journal")
        with founded(directory, *urls, email_more=_EMAIL, sink=tmp_path) as studio:
            studio.schedule(PEOPLE)
            with studio.working() as sender:
                ballast = directory / "ballast"
                begin = partial(_fill, ballast) if way == "mount" else partial(_limit, sender, 4096)
                end = ballast.unlink if way == "mount" else partial(_limit, sender, _NO_LIMIT)
                _trouble_and_back(studio, sender, begin, end, "The database did not answer")


@pytest.mark.timeout(240)
def test_a_database_server_that_stops(tmp_path: Path) -> None:
    """PostgreSQL stops at once in the middle of a run and starts again: nothing leaves between, and nobody gets two."""
    room = Path(tempfile.mkdtemp(prefix="dispatcher-", dir="/tmp"))
    room.chmod(0o755)
    server = PostgresServer(room)
    try:
        server.start()
        with founded(tmp_path, server.create("studio"), server.create("journal"), email_more=_EMAIL) as studio:
            studio.schedule(PEOPLE)
            with studio.working() as sender:
                _trouble_and_back(studio, sender, server.stop, server.start_again, "The database did not answer")
    finally:
        server.stop()
        shutil.rmtree(room)


@pytest.mark.timeout(240)
def test_a_database_that_another_holds(tmp_path: Path) -> None:
    """Another program holds SQLite for longer than anybody waits: nothing leaves meanwhile, and then it goes on."""
    urls = f"sqlite:///{tmp_path / 'dispatcher.db'}", str(tmp_path / "dispatcher.journal")
    with founded(tmp_path, *urls, email_more=_EMAIL) as studio:
        studio.schedule(PEOPLE)
        other = sqlite3.connect(str(make_url(studio.database_url).database), timeout=60, isolation_level=None)
        try:
            with studio.working(_IMPATIENT) as sender:
                _trouble_and_back(
                    studio,
                    sender,
                    lambda: other.execute("BEGIN IMMEDIATE"),
                    lambda: other.execute("ROLLBACK"),
                    "locked",
                )
        finally:
            other.close()


@pytest.mark.timeout(240)
def test_a_database_that_is_moved_away(tmp_path: Path) -> None:
    """SQLite's files are moved away: nothing leaves, no empty database takes their place, and it goes on once back."""
    urls = f"sqlite:///{tmp_path / 'dispatcher.db'}", str(tmp_path / "dispatcher.journal")
    with founded(tmp_path, *urls, email_more=_EMAIL) as studio:
        studio.schedule(PEOPLE)
        with studio.working() as sender:
            studio.sink.script = steadily
            assert studio.sink.wait_until(lambda: len(studio.sink.taken) >= _IN_THE_MIDDLE)
            sender.signal(signal.SIGTERM)
            assert 0 == sender.wait()
        database = Path(str(make_url(studio.database_url).database))
        database.rename(tmp_path / "away")
        with studio.working() as sender:
            assert 1 == sender.wait()
        assert not database.exists(), "a sender does not begin anew"
        (tmp_path / "away").rename(database)
        with studio.working() as sender:
            wait_until(studio.is_finished)
        assert {MessageState.ACCEPTED.value: PEOPLE.mailed} == recount(studio, PEOPLE).states


@contextmanager
def _nowhere(directory: Path) -> Iterator[Path]:
    yield directory


@contextmanager
def _disk(directory: Path) -> Iterator[Path]:
    """Give a small disk of its own, or skip the test where none may be made."""
    disk = directory / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", disk], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("a disk of its own takes the right to mount one")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def _fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    os.fsync(file.fileno())


def _limit(sender: Program, most: int) -> None:
    """Let every write of a process beyond this many bytes of a file fail."""
    resource.prlimit(sender.process.pid, resource.RLIMIT_FSIZE, (most, _NO_LIMIT))
