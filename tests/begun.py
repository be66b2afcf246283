"""Installations begun once in a run, of which tests get copies: who asks for a workshop need not begin one."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clock import FixedClock
from tests.postgresql import PostgresServer
from tests.workshop import build


@dataclass(frozen=True, slots=True)
class Begun:
    """An installation to copy: where its secrets are, its database and its journal."""

    secrets: Path
    database: str
    journal: str


def in_files(room: Path, clock: FixedClock, migrate: Callable[[Path], None]) -> Begun:
    """Return the installation on SQLite of this run, as paths; `migrate` puts a migrated database there."""
    home = room / "begun-files"
    database, journal = home / "dispatcher.db", home / "dispatcher.journal"
    with _made_once(home) as is_made:
        if not is_made:
            migrate(database)
            build(home / "studio", clock, f"sqlite:///{database}", str(journal))
    return Begun(home / "studio" / "secrets.toml", str(database), str(journal))


def on_server(room: Path, clock: FixedClock, server: PostgresServer, template: str) -> Begun:
    """Return the installation on PostgreSQL of this run, as names of databases."""
    home, database, journal = room / "begun-server", "template_begun", "template_begun_journal"
    with _made_once(home) as is_made:
        if not is_made:
            for name in (database, journal):
                server.drop(name)
            build(home / "studio", clock, server.create(database, template), server.create(journal))
    return Begun(home / "studio" / "secrets.toml", database, journal)


@contextmanager
def _made_once(home: Path) -> Iterator[bool]:
    """Say whether the first process of this run to ask has made what is to lie here; only one makes it."""
    whole = home / "whole"
    if whole.exists():
        yield True
        return
    with home.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if whole.exists():
            yield True
            return
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        yield False
        whole.touch()
