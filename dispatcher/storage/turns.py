"""Lets a no go before everything else that wants to write into a SQLite file, in whichever process it waits.

SQLite gives its write lock to whoever asks at the right moment, so that a process which writes without a break, such as
a sender in a campaign, keeps others waiting for seconds. Who is urgent holds a lock on a file beside the database
until it has committed; nobody else begins meanwhile. Nothing waits here for ever: a lock ends with its process,
and whoever has waited long enough goes on and asks SQLite.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK_EVERY = 0.001


class Turns:
    """Who may begin to write into one file; `patience` is for how many seconds others are let pass."""

    def __init__(self, database: Path, patience: float) -> None:
        self._path = database.with_name(f"{database.name}-turn")
        self._patience = patience

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Keep everybody else from beginning until the end."""
        with self._open() as file:
            if file is not None:
                self._take(file, fcntl.LOCK_SH)
            yield

    def let_pass(self) -> None:
        """Wait as long as somebody urgent waits or writes."""
        with self._open() as file:
            if file is not None:
                self._take(file, fcntl.LOCK_EX)

    def _take(self, file: int, lock: int) -> None:
        until = time.monotonic() + self._patience
        while time.monotonic() < until:
            try:
                fcntl.flock(file, lock | fcntl.LOCK_NB)
            except OSError:
                time.sleep(_LOOK_EVERY)
            else:
                return

    @contextmanager
    def _open(self) -> Iterator[int | None]:
        """Open the file; where there can be none, everybody asks SQLite as if nobody were urgent."""
        try:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            yield None
            return
        try:
            yield file
        finally:
            os.close(file)
