"""Half of `verify` in a second process, so that a large ledger takes less time: this starts it, and is what it runs.

The second process is given the end of a pipe and nothing else: where the database is stands on no command line. It
reads the same state, tells how far it has come, sends what it found, and ends when the pipe does. Whatever goes wrong
with it, its half is done here instead, and nothing but the log tells of it.
"""

import gc
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection as End
from threading import Thread

from dispatcher.flow.audit_decided import Decided, decide
from dispatcher.storage import reports, snapshots
from dispatcher.storage.database import Connection, Database

COMMAND = (sys.executable, "-P", "-m", "dispatcher.flow.audit_apart")
"""What the second process runs, before the number of its end of the pipe."""
_READY, _SAME, _OTHER = "ready", "same", "other"
_PAYS_FROM = 300_000
_TRIES = 20
_BEGUN_WITHIN, _SILENT_AT_MOST = 30.0, 120.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sharing:
    """From how many entries on a second process takes a half, and what it runs; by default where that pays."""

    entries: int = _PAYS_FROM if (os.cpu_count() or 1) > 1 else sys.maxsize
    command: Sequence[str] = COMMAND


WHERE_IT_PAYS = Sharing()


class Apart:
    """A second process that decides every message again; `done` is how many entries it has read."""

    def __init__(self, end: End) -> None:
        self.done = 0
        self._end = end
        self._found: Decided | None = None
        self._is_over = False

    def listen(self) -> None:
        """Take what it has told meanwhile."""
        while not self._is_over and self._has_told(0):
            pass

    def decided(self, connection: Connection, tell: Callable[[int], None]) -> Decided:
        """Wait for what it finds and return that; where nothing comes, find it here. `tell` hears how far that is."""
        while not self._is_over:
            if not self._has_told(_SILENT_AT_MOST) and not self._is_over:
                self._give_up("it is silent")
            tell(self.done)
        return decide(connection, tell) if self._found is None else self._found

    def join(self, database: Database, connection: Connection) -> bool:
        """Have both begin to read one state, and say whether they do; the ledger may grow meanwhile."""
        try:
            self._end.send(database.url.render_as_string(hide_password=False))
            self._answer()
            for _ in range(_TRIES):
                self._end.send(snapshots.offered(connection))
                if self._answer() == _SAME:
                    return True
                connection.rollback()
        except (EOFError, OSError) as error:
            self._give_up(repr(error))
        else:
            self._give_up("the ledger grows too fast")
        return False

    def _answer(self) -> object:
        if not self._end.poll(_BEGUN_WITHIN):
            raise TimeoutError
        return self._end.recv()

    def _has_told(self, seconds: float) -> bool:
        """Take one thing it tells within this time, and say whether there was one."""
        try:
            if not self._end.poll(seconds):
                return False
            told = self._end.recv()
        except (EOFError, OSError) as error:
            self._give_up(repr(error))
            return False
        if isinstance(told, Decided):
            self._found, self._is_over = told, True
        else:
            self.done = told
        return True

    def _give_up(self, why: str) -> None:
        self._is_over = True
        _log.info("the audit goes on in one process: the second one cannot be used (%s)", why)


@contextmanager
def apart(database: Database, connection: Connection, sharing: Sharing) -> Iterator[Apart | None]:
    """Give a second process that reads what this connection does, where that pays and works; it is gone afterwards."""
    if reports.count_entries(connection) < sharing.entries:
        yield None
        return
    connection.rollback()
    mine, its = Pipe()
    try:
        process = _started([*sharing.command, str(its.fileno())], its.fileno())
    finally:
        its.close()
    with mine:
        if process is None:
            yield None
            return
        try:
            found = Apart(mine)
            yield found if found.join(database, connection) else None
        finally:
            process.kill()
            process.wait()


def _started(command: Sequence[str], end: int) -> subprocess.Popen[bytes] | None:
    nowhere = subprocess.DEVNULL
    try:
        # In a group of its own: who stops this process at the terminal does not have it say so too.
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            command, stdin=nowhere, stdout=nowhere, stderr=nowhere, pass_fds=(end,), process_group=0
        )
    except (OSError, ValueError) as error:
        _log.info("the audit goes on in one process: the second one cannot be started (%r)", error)
        return None


def main(work: Callable[[Connection, Callable[[int], None]], Decided] = decide) -> None:
    """Be the second process: read what the one at the other end of the pipe reads, and decide every message again."""
    gc.disable()
    with End(int(sys.argv[-1])) as end:
        database = Database(end.recv())
        with database.reading() as connection, reports.as_it_stands(connection):
            end.send(_READY)
            while not snapshots.joined(connection, end.recv()):
                connection.rollback()
                end.send(_OTHER)
            end.send(_SAME)
            Thread(target=_end_with, args=(end,), daemon=True).start()
            found = work(connection, end.send)
        database.close()
        end.send(found)


def _end_with(end: End) -> None:
    """End this process as soon as nobody holds the other end: nothing is said there any more."""
    end.poll(None)
    os._exit(1)


if __name__ == "__main__":
    main()
