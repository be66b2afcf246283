"""One sender process beside one web process, on SQLite: keeps the time, looks every second, stops cleanly."""

import asyncio
import fcntl
import logging
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dispatcher.errors import JournalError, RefusedError, StorageError
from dispatcher.flow.rounds import Worked
from dispatcher.wiring import Dispatcher

LOOK_EVERY = 1.0
"""Seconds between two looks at what is due."""
AFTER_TROUBLE = 60.0
"""Seconds to rest where the database or its journal cannot be trusted."""
STOP_WITHIN = 30.0
"""Seconds a child process gets to finish its hand-off before it is killed."""

_log = logging.getLogger(__name__)


@contextmanager
def only_sender(directory: Path) -> Iterator[None]:
    """Hold the sender's place in a workspace. Raises RefusedError while another process has it."""
    with (directory / "sender.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RefusedError("A sender is running in this workspace already: stop that one first.") from None
        yield


async def run_sender(
    dispatcher: Dispatcher, stop: asyncio.Event, *, look_every: float = LOOK_EVERY, at_least_once: bool = False
) -> None:
    """Send what is due until told to stop; a hand-off that has begun is finished first.

    With `at_least_once` one look is taken even where `stop` is set already, and trouble raises instead of waiting.
    """
    with only_sender(dispatcher.directory):
        lost = await asyncio.to_thread(dispatcher.deliver.recover, alone=True)
        if lost:
            _log.warning(
                "%d messages were being handed over when the last sender stopped: unknown, not sent again", lost
            )
        _log.info("the sender is running")
        while at_least_once or not stop.is_set():
            pause = look_every
            try:
                for worked in await dispatcher.rounds.once():
                    _tell(worked)
            except (JournalError, StorageError) as error:
                _log.error("nothing is sent: %s", error)
                if at_least_once:
                    raise
                pause = AFTER_TROUBLE
            at_least_once = False
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
    _log.info("the sender has stopped")


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT set the event instead of ending the process in the middle of a hand-off."""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)


def supervise(commands: Sequence[Sequence[str]]) -> int:
    """Run these commands side by side until one ends or a signal comes, then stop them all; return the exit code."""
    children = [subprocess.Popen(command) for command in commands]  # noqa: S603 - our own program, no shell
    signals: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _frame: signals.append(number))
    while not signals and all(child.poll() is None for child in children):
        with suppress(subprocess.TimeoutExpired):
            children[0].wait(0.2)
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return 0 if signals else max(1, *(abs(child.returncode) for child in children))


def _tell(worked: Worked) -> None:
    if worked.trouble:
        _log.error("%s: %s", worked.campaign.name, worked.trouble)
    if worked.is_idle:
        return
    counts = dict(worked.delivered.outcomes) if worked.delivered else {}
    _log.info("%s: %s%s", worked.campaign.name, counts or "planned", ", finished" if _finished(worked) else "")


def _finished(worked: Worked) -> bool:
    return worked.delivered is not None and worked.delivered.finished
