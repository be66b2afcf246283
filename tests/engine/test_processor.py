"""The threads of a sender stay on one processor while they send, and only then."""

import os
import subprocess
import sys
import threading

import pytest

from dispatcher.engine.processor import one_processor


def allowed() -> list[set[int]]:
    """Return where each thread of this process may run."""
    return [os.sched_getaffinity(thread.native_id or 0) for thread in threading.enumerate()]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not let a process say so")
def test_every_thread_stays_on_one_processor_and_is_let_go() -> None:
    """Threads of before and of meanwhile share one of the processors the process had, and have all of them after it."""
    before = os.sched_getaffinity(0)
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(2)]
    threads[0].start()
    try:
        with one_processor():
            threads[1].start()
            during = allowed()
        after = allowed()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert all(each == during[0] <= before and len(each) == 1 for each in during), during
    assert all(each == before for each in after), after


def test_a_system_that_cannot_say_so_goes_on() -> None:
    """Where there is no such call, or a container forbids it, the work is done all the same."""
    script = (
        "import os\n"
        "from dispatcher.engine import processor\n"
        "def forbidden(*_): raise PermissionError\n"
        "os.sched_setaffinity = forbidden\n"
        "with processor.one_processor(): print('forbidden')\n"
        "if hasattr(os, 'sched_getaffinity'): del os.sched_getaffinity\n"
        "with processor.one_processor(): print('missing')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ["forbidden", "missing"] == done.stdout.split()
