"""Second processes of `audit verify` with which something is wrong: the program's own, and another half to do."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

from sqlalchemy import Connection

from dispatcher.flow import audit_apart
from dispatcher.flow.audit_apart import Sharing
from dispatcher.flow.audit_decided import Decided
from dispatcher.storage import snapshots
from dispatcher.storage.database import Database
from dispatcher.storage.ledger import LedgerDraft
from tests.conftest import NOON
from tests.stores import ROOT, fact

Tell = Callable[[int], None]


def sharing(which: Callable[[], None], *words: str) -> Sharing:
    """Return what has this one started for a ledger of any length."""
    name = which.__name__
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from {__name__} import {name}; {name}()"
    return Sharing(0, (sys.executable, "-c", script, *words))


def dies() -> None:
    """Die in the middle of deciding."""

    def decide(_: Connection, tell: Tell) -> Decided:
        tell(1)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    audit_apart.main(decide)


def fails() -> None:
    """Come upon a bug while deciding."""

    def decide(_connection: Connection, _tell: Tell) -> Decided:
        raise AssertionError

    audit_apart.main(decide)


def does_not_begin() -> None:
    """End before anything was asked."""


def stays() -> None:
    """Decide for ever, having written down which process this is where the first word on the command line says."""

    def decide(_connection: Connection, _tell: Tell) -> Decided:
        Event().wait()
        raise AssertionError

    Path(sys.argv[1]).write_text(str(os.getpid()), encoding="ascii")
    audit_apart.main(decide)


def sees_it_grow_once() -> None:
    """Have the ledger grow after the other has begun to read and before this one does, the first time."""
    _growing(1)
    audit_apart.main()


def sees_it_grow_always() -> None:
    """Have the ledger grow after the other has begun to read and before this one does, each time."""
    _growing(1_000)
    audit_apart.main()


def _growing(times: int) -> None:
    joined, left = snapshots.joined, times

    def grown(connection: Connection, offer: str) -> bool:
        nonlocal left
        if left:
            left -= 1
            database = Database(connection.engine.url.render_as_string(hide_password=False))
            with database.writing() as writing:
                draft = LedgerDraft(writing, NOON)
                draft.append(fact())
                draft.close()
            database.close()
        return joined(connection, offer)

    snapshots.joined = grown
