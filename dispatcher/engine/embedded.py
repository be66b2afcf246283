"""One sender process beside one web process, on SQLite: keeps the time, looks every second, stops cleanly."""

import asyncio
import fcntl
import gc
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dispatcher.engine.sender import AFTER_TROUBLE, LOOK_EVERY, Sender, hold_interrupted, send, serve
from dispatcher.engine.watch import Watch
from dispatcher.errors import RefusedError
from dispatcher.wiring import Dispatcher

STOP_WITHIN = 30.0
"""Seconds a child process gets to finish its hand-off before it is killed."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_IN_ORDER = frozenset({0, -signal.SIGTERM, -signal.SIGINT})
"""How a child ends that was told to: by itself, or by the signal where it had not begun yet."""
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
    dispatcher: Dispatcher,
    stop: asyncio.Event,
    *,
    once: bool = False,
    look_every: float = LOOK_EVERY,
    after_trouble: float = AFTER_TROUBLE,
    watch: Watch | None = None,
) -> bool:
    """Send what is due until told to stop; a hand-off that has begun is finished first.

    Where the database or its journal cannot be trusted, it says why at once, sends nothing, and looks again after
    `after_trouble` seconds. With `once` it takes a single look and raises that JournalError or StorageError instead.
    Return whether nothing stood in the way at the last look. Raises RefusedError beside another sender.
    """
    with only_sender(dispatcher.directory):
        await _recover(dispatcher)
        # The holidays of a country take half a second to load: not while a transaction keeps everybody waiting.
        await asyncio.to_thread(dispatcher.policy.windows.is_holiday, dispatcher.store.clock().date())
        if once:
            sent = await send(dispatcher, stop.is_set)
            is_well = await serve(dispatcher, stop.is_set) and sent
        else:
            watch = watch or Watch(dispatcher.store.clock)
            async with dispatcher.deliver.kept_open():
                is_well = await Sender(dispatcher, stop, watch, look_every, after_trouble).run()
    _log.info("the sender has stopped")
    return is_well


def settle_down() -> None:
    """Set a process up for a long run of sending.

    What the program consists of is left out of every later search for garbage: a look through all of it takes a tenth
    of a second, in which a writing transaction would keep everybody waiting. Values that end with their batch need no
    search at all, so it is a rare one. And threads change places after half a
    millisecond instead of five: connections wait for a thread that decides the next messages.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    sys.setswitchinterval(0.0005)


async def _recover(dispatcher: Dispatcher) -> None:
    # On PostgreSQL another workspace may be sending from the same database: there only an ended lease tells.
    lost = await asyncio.to_thread(dispatcher.deliver.recover, alone=dispatcher.is_alone)
    lost += await asyncio.to_thread(dispatcher.services.recover, alone=dispatcher.is_alone)
    if lost:
        what = "1 message was" if lost == 1 else f"{lost} messages were"
        _log.warning("%s being handed over when the last sender stopped: unknown, not sent again", what)
    await hold_interrupted(dispatcher, "when the last sender stopped")
    _log.info("the sender is running")


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT set the event instead of ending the process in the middle of a hand-off."""
    loop = asyncio.get_running_loop()
    for name in _SIGNALS:
        loop.add_signal_handler(name, stop.set)


def supervise(commands: Sequence[Sequence[str]]) -> int:
    """Run these commands side by side until one ends or a signal comes, then stop them all; no child is left behind.

    Return 0 where a signal stopped them and they ended in order, else 1: none is meant to end by itself.
    """
    signals: list[int] = []
    # The handlers stand before the first child does: a signal in between would leave it behind.
    before = {name: signal.signal(name, lambda number, _frame: signals.append(number)) for name in _SIGNALS}
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.extend(subprocess.Popen(command) for command in commands)  # noqa: S603 - our own program, no shell
        while not signals and all(child.poll() is None for child in children):
            with suppress(subprocess.TimeoutExpired):
                children[0].wait(0.2)
        for command, child in zip(commands, children, strict=True):
            if not signals and child.returncode is not None:
                _log.error("`%s` ended by itself, with exit code %d: all is stopped", command[-1], child.returncode)
    finally:
        _stop(children)
        for name, handler in before.items():
            signal.signal(name, handler)
    return 0 if signals and all(child.returncode in _IN_ORDER for child in children) else 1


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Tell each child to stop, and kill the one that does not within its time."""
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
