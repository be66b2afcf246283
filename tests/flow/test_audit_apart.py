"""Half of `audit verify` in a second process: word for word what one process finds, and nothing lost without it."""

import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path

import pytest

from dispatcher.flow.audit_apart import WHERE_IT_PAYS, Sharing
from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_verify import Progress, Verifying
from dispatcher.rules.sentence import Sentence
from dispatcher.storage import snapshots
from dispatcher.wiring import Dispatcher
from tests.flow import second_processes
from tests.flow.conftest import Tamper
from tests.flow.second_processes import sharing
from tests.flow.test_attacks import ATTACKS, Attacker, sealed_life
from tests.workshop import Workshop

Logged = Callable[[], list[str]]
_TOGETHER = [name for name in ATTACKS if name not in {"the end is cut off", "a no is deleted"}]
"""What one attacker can do to one ledger without one act taking away what another needs."""


def _verify(dispatcher: Dispatcher, sharing: Sharing, progress: Progress = lambda _done, _all: None) -> Verification:
    sealing = dispatcher.auditing.sealing
    return Verifying(dispatcher.store, dispatcher.policy.zone, sealing.file, sharing).run(progress)


def _spelled(found: object) -> object:
    """Return findings with everything that a paper in another language says them by."""
    if isinstance(found, Sentence):
        return (str(found), found.name, {name: _spelled(each) for name, each in found.values.items()})
    return tuple(map(_spelled, found)) if isinstance(found, tuple) else found


@pytest.fixture
def lived(workshop: Workshop) -> Iterator[Dispatcher]:
    """Give an installation that has sent two campaigns."""
    with workshop.opened() as dispatcher:
        sealed_life(workshop, dispatcher)
        yield dispatcher


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    """Give what returns the lines in which the audit says that it goes on alone."""
    caplog.set_level(logging.INFO)
    return lambda: [each.getMessage() for each in caplog.records if each.name == "dispatcher.flow.audit_apart"]


@pytest.mark.parametrize("names", [(), tuple(_TOGETHER), ("a no is deleted", "the end is cut off")], ids=len)
def test_two_processes_find_what_one_does(
    lived: Dispatcher, tamper: Tamper, logged: Logged, names: tuple[str, ...]
) -> None:
    """D-03: on a ledger as it should be and after attacks, word for word and in the same order."""
    if names:
        tamper(lived.store)
        attacker = Attacker(lived.store)
        for name in names:
            attacker.act(ATTACKS[name][0])
        attacker.close()
    alone, together = _verify(lived, WHERE_IT_PAYS), _verify(lived, Sharing(0))
    assert alone == together
    assert (bool(names), alone.ok) == (bool(alone.findings), not names)
    assert _spelled(alone.contradictions) == _spelled(together.contradictions)
    assert [] == logged()


@pytest.mark.parametrize(
    "other",
    [
        sharing(second_processes.dies),
        sharing(second_processes.fails),
        sharing(second_processes.does_not_begin),
        Sharing(0, ("/nowhere/python",)),
    ],
    ids=["dies", "fails", "does not begin", "is not there"],
)
def test_one_process_finds_the_same_where_the_second_cannot(
    lived: Dispatcher, tamper: Tamper, logged: Logged, other: Sharing
) -> None:
    """D-03: its half is done here, only the log tells of it, and progress still goes forward."""
    tamper(lived.store)
    attacker = Attacker(lived.store)
    attacker.act(ATTACKS["two clients are swapped"][0])
    attacker.close()
    heard: list[tuple[int, int]] = []
    alone = _verify(lived, WHERE_IT_PAYS)
    together = _verify(lived, other, lambda done, total: heard.append((done, total)))
    assert (alone, False) == (together, alone.ok)
    assert 1 == len(logged())
    assert (sorted(heard), (alone.entries, alone.entries)) == (heard, heard[-1])


@pytest.mark.parametrize("times", ["once", "always"])
def test_both_read_one_state_of_a_ledger_that_grows(lived: Dispatcher, logged: Logged, times: str) -> None:
    """D-03: PostgreSQL hands its state over; on SQLite both begin again, and the one goes on alone in the end."""
    which = {"once": second_processes.sees_it_grow_once, "always": second_processes.sees_it_grow_always}[times]
    before = _verify(lived, WHERE_IT_PAYS)
    together = _verify(lived, sharing(which))
    after = _verify(lived, WHERE_IT_PAYS)
    is_sqlite = lived.store.database.is_sqlite
    assert (True, before.decided) == (together.ok, together.decided)
    assert together.entries == (after if is_sqlite else before).entries
    assert before.entries < after.entries
    assert (is_sqlite and times == "always") == bool(logged())


def test_it_ends_with_whoever_started_it(lived: Dispatcher, tmp_path: Path) -> None:
    """L-34: no second process is left behind, and nothing on its command line says where the database is."""
    mine, its = Pipe()
    url = lived.store.database.url.render_as_string(hide_password=False)
    command = [*sharing(second_processes.stays, str(tmp_path / "pid")).command, str(its.fileno())]
    with subprocess.Popen(command, pass_fds=[its.fileno()]) as process:
        its.close()
        with mine, lived.store.reading() as connection:
            mine.send(url)
            assert "ready" == mine.recv()
            mine.send(snapshots.offered(connection))
            assert "same" == mine.recv()
            assert process.poll() is None
        assert 1 == process.wait(60)


def test_who_stops_the_audit_stops_both(lived: Dispatcher, tmp_path: Path) -> None:
    """L-34: an interruption is passed on, and the second process is gone by then."""

    def interrupt(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    noted = tmp_path / "pid"
    with pytest.raises(KeyboardInterrupt):
        _verify(lived, sharing(second_processes.stays, str(noted)), interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text(encoding="ascii")), 0)
