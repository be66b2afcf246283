"""The sender and its supervisor: one at a time, on time, stopped between hand-offs, and never silent about why not."""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.engine import embedded
from dispatcher.engine.embedded import only_sender, run_sender, supervise
from dispatcher.errors import JournalError, RefusedError
from dispatcher.rules.campaign import State
from dispatcher.storage import installation
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ROWS = [f"{each};Nimi;Esimerkki;client{each}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for each in range(1, 6)]


def begin(workshop: Workshop, dispatcher: Dispatcher, *names: str) -> None:
    """Import five clients, schedule these campaigns, and go to their moment."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*ROWS), actor)
    for name in names:
        dispatcher.schedule.run(workshop.campaign(name, MOMENT, channels=("email",)), actor)
    workshop.clock.set(MOMENT)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, a minute at most."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "what was waited for did not come"
        threading.Event().wait(0.02)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait the same way and let the sender go on meanwhile."""
    await asyncio.to_thread(wait_until, is_so)


def messages(dispatcher: Dispatcher, name: str) -> dict[str, int]:
    """Return how many emails of a campaign stand where."""
    return dict(dispatcher.lifecycle.standing(dispatcher.lifecycle.named(name).id).messages.get("email", {}))


def mistrust(dispatcher: Dispatcher) -> None:
    """Make the database one that was put back from a copy and has not been replayed."""
    dispatcher.store.write(lambda transaction: installation.set_needs_replay(transaction.connection, needs=True))


def test_one_sender_at_a_time(tmp_path: Path) -> None:
    """A workspace has one sender; the next one is refused until the first has gone."""
    with only_sender(tmp_path), pytest.raises(RefusedError, match="stop that one first"), only_sender(tmp_path):
        pass
    with only_sender(tmp_path):
        assert (tmp_path / "sender.lock").exists()


def test_what_is_due_goes_out_until_told(workshop: Workshop, doubles: Doubles) -> None:
    """The sender looks again and again: what becomes due while it runs goes out, and it ends when told."""

    async def watched(dispatcher: Dispatcher) -> bool:
        stop = asyncio.Event()
        sender = asyncio.create_task(run_sender(dispatcher, stop, look_every=0.01))
        await until(lambda: len(doubles.smtp.received) == 5)
        await until(lambda: dispatcher.lifecycle.named("a").state is State.FINISHED)
        workshop.clock.set(MOMENT + timedelta(days=7))
        await until(lambda: len(doubles.smtp.received) == 10)
        stop.set()
        return await sender

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        later = workshop.campaign("b", MOMENT + timedelta(days=7), channels=("email",))
        dispatcher.schedule.run(later, dispatcher.persons.acting(None))
        assert asyncio.run(watched(dispatcher))


def test_it_stops_between_hand_offs(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> None:
    """Told to stop in the middle of a hand-off, the sender ends it, and no other is begun; all of it is on record.

    What had its intent and was not tried is deferred, which is known, and not `unknown`.
    """
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def script(_recipient: str) -> str | None:
        loops[0].call_soon_threadsafe(stop.set)
        return None

    async def told(dispatcher: Dispatcher) -> None:
        loops.append(asyncio.get_running_loop())
        await run_sender(dispatcher, stop, look_every=0.01)

    with SmtpDouble(script) as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as sms:
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, "a", "b")
            asyncio.run(told(dispatcher))
            stood = messages(dispatcher, "a")
            assert set(stood) <= {"accepted", "deferred", "waiting"}
            assert 1 <= len(smtp.received) == stood["accepted"] <= 2, "one hand-off for each session, and no more"
            assert State.SCHEDULED is dispatcher.lifecycle.named("b").state
            assert 0 == dispatcher.deliver.recover(alone=True)


def test_a_database_behind_its_journal_is_told_at_start(
    workshop: Workshop, doubles: Doubles, caplog: pytest.LogCaptureFixture
) -> None:
    """L-34: with nothing due, the sender says at once why nothing will be sent, once, and goes on after the replay."""
    caplog.set_level(logging.INFO, "dispatcher")

    def said(words: str) -> int:
        return sum(words in record.getMessage() for record in caplog.records)

    async def watched(dispatcher: Dispatcher) -> None:
        stop = asyncio.Event()
        sender = asyncio.create_task(run_sender(dispatcher, stop, look_every=0.01, after_trouble=0.01))
        await until(lambda: said("nothing is sent: This database is an older copy") == 1)
        assert not sender.done()
        actor = dispatcher.persons.acting(None)
        await asyncio.to_thread(dispatcher.safekeeping.replay, actor)
        dispatcher.schedule.run(workshop.campaign("a", workshop.clock(), channels=("email",)), actor)
        await until(lambda: len(doubles.smtp.received) == 5)
        stop.set()
        await sender

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        mistrust(dispatcher)
        asyncio.run(watched(dispatcher))
    assert (1, 1) == (said("nothing is sent"), said("sending goes on"))


def test_once_raises_what_keeps_it_from_sending(workshop: Workshop, doubles: Doubles) -> None:
    """L-34: asked to look once, the sender raises why nothing can be sent, and nothing was."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        mistrust(dispatcher)
        with pytest.raises(JournalError, match="db restore --replay"):
            asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
        assert State.SCHEDULED is dispatcher.lifecycle.named("a").state
    assert [] == doubles.mailed()


def test_once_says_whether_all_went_well(tmp_path: Path, clock: FixedClock) -> None:
    """A carrier that cannot be reached makes a look that did not go well; when it is back, the next look does."""
    with SmtpDouble() as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as sms:
        workshop = build(
            tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal", Doubles(smtp, sms)
        )
        settings = workshop.directory / "dispatcher.toml"
        right = settings.read_text(encoding="utf-8")
        settings.write_text(right.replace(f"port = {smtp.port}", "port = 1"), encoding="utf-8")
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, "a")
            assert not asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
        settings.write_text(right, encoding="utf-8")
        clock.advance(timedelta(minutes=1))
        with workshop.opened() as dispatcher:
            assert asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
            assert {"accepted": 5} == messages(dispatcher, "a")


@contextmanager
def signalled(ready: Callable[[], bool]) -> Iterator[None]:
    """Send SIGTERM to this process as soon as something is so."""

    def send() -> None:
        wait_until(ready)
        os.kill(os.getpid(), signal.SIGTERM)

    sender = threading.Thread(target=send)
    sender.start()
    yield
    sender.join()


def is_gone(pid_file: Path) -> bool:
    """Say whether the process that wrote its number here has ended and was waited for."""
    try:
        os.kill(int(pid_file.read_text(encoding="ascii")), 0)
    except ProcessLookupError:
        return True
    return False


def child(pid_file: Path, first: str = "") -> list[str]:
    """Return the command of a child that does this first, then writes its number to a file and waits."""
    lines = [
        "import os, pathlib, signal, sys",
        first,
        f"draft = pathlib.Path({str(pid_file)!r} + '.new')",
        "draft.write_text(str(os.getpid()))",
        f"draft.rename({str(pid_file)!r})",
        "signal.pause()",
    ]
    return [sys.executable, "-c", "\n".join(lines)]


def test_a_signal_stops_every_child(tmp_path: Path) -> None:
    """SIGTERM stops all children, the exit code is 0, and the handlers of before stand again."""
    before = signal.getsignal(signal.SIGTERM)
    files = [tmp_path / "a", tmp_path / "b"]
    with signalled(lambda: all(file.exists() for file in files)):
        assert 0 == supervise([child(file) for file in files])
    assert all(is_gone(file) for file in files)
    assert before is signal.getsignal(signal.SIGTERM)


def test_a_child_that_ends_ends_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A child that ends by itself, even in order, ends the others, and is named; the exit code is 1."""
    other = tmp_path / "other"
    ending = f"while not os.path.exists({str(other)!r}): pass\nsys.exit(0)"
    assert 1 == supervise([child(tmp_path / "never", ending), child(other)])
    assert is_gone(other)
    assert "ended by itself, with exit code 0: all is stopped" in caplog.text


def test_a_child_that_hears_nothing_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that does not stop within its time is killed, and the exit code says that it was not in order."""
    monkeypatch.setattr(embedded, "STOP_WITHIN", 0.2)
    file = tmp_path / "deaf"
    with signalled(file.exists):
        assert 1 == supervise([child(file, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")])
    assert is_gone(file)


def test_a_command_that_cannot_start_leaves_nobody(tmp_path: Path) -> None:
    """Where the second command cannot be started, the first is stopped all the same."""
    file = tmp_path / "first"
    with pytest.raises(FileNotFoundError):
        supervise([child(file), [str(tmp_path / "no-such-program")]])
    assert not file.exists() or is_gone(file)
