"""Keeps the threads of a process on one processor while they take turns at one piece of work."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def one_processor() -> Iterator[None]:
    """Keep every thread of this process on one processor until the end, where the system lets it say so.

    Deciding, making and handing over are done by threads that take turns, a batch each: on two processors every turn
    begins with empty caches, and waits until another processor has woken up (docs/performance.md). Which one it is
    depends on the process, so that two senders of one machine may well have one each.
    """
    allowed = _allowed()
    if len(allowed) < 2:
        yield
        return
    _stay_on({allowed[os.getpid() % len(allowed)]})
    try:
        yield
    finally:
        _stay_on(set(allowed))


def _allowed() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _stay_on(processors: set[int]) -> None:
    for thread in threading.enumerate():
        # A thread may just have ended, and a container may forbid it: then all goes on as before.
        with suppress(OSError):
            os.sched_setaffinity(thread.native_id or 0, processors)
