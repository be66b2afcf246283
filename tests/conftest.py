"""What every test stands on: both databases, a clock that stands still, and a closed network.

Nothing here is prepared before a test asks for it. One run has one directory, its room, shared by all its processes and
removed at the end; in it stand the PostgreSQL server and the migrated databases that tests get copies of.
"""

import fcntl
import gc
import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from tests.begun import Begun, in_files, on_server
from tests.clock import FixedClock
from tests.engines import share_compiled
from tests.mailbox.imap_server import ImapServer, imap_server, missing
from tests.order import dealt
from tests.postgresql import PostgresServer
from tests.signing_keys import share_read
from tests.workshop import Doubles, Workshop, build, doubles_running

FOREIGN_SETTINGS = ("DISPATCHER_", "TWILIO_", "SMTP_", "PG")
"""How the names of variables begin that could lead a test to somebody's real database or account."""
NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""The moment at which tests begin: a Monday, noon in Helsinki."""
_ROOM = pytest.StashKey[Path]()
_BEGUN = pytest.StashKey[Begun]()
_TEMPLATE = "template_migrated"
_NETWORKS = frozenset({socket.AF_INET, socket.AF_INET6})

# The same examples on every machine and in every run: what fails here fails everywhere, until it is mended.
# `--hypothesis-profile=search` looks further, at other examples each time.
hypothesis.settings.register_profile("house", deadline=None, database=None, derandomize=True, max_examples=60)
hypothesis.settings.register_profile("search", deadline=None, database=None, max_examples=2_000)
hypothesis.settings.load_profile("house")


class NetworkClosedError(Exception):
    """A test reached for another machine: give it a server on loopback."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take how often the fault tests kill a sender on each database: `make faults` asks for fifty."""
    parser.addoption("--kills", type=int, default=5, help="kill a sender this often on each database, in fives")


def pytest_configure(config: pytest.Config) -> None:
    """Make the room, or in a worker find it; forget foreign settings; close the network."""
    for name in [name for name in os.environ if name.startswith(FOREIGN_SETTINGS)]:  # noqa: TID251 - to forget them
        del os.environ[name]  # noqa: TID251 - the programs that tests start must not see them either
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[_ROOM] = Path(worker["room"]) if worker else _new_room()
    set_hypothesis_home_dir(config.stash[_ROOM] / "hypothesis")
    if worker is None and config.option.basetemp is None:
        config.option.basetemp = config.stash[_ROOM] / "tests"
    sys.addaudithook(_close_network)
    share_compiled()
    share_read()
    gc.disable()  # until everything is collected


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the tests that may take long begin first, so that none of them runs alone at the end."""
    worker: dict[str, Any] = getattr(config, "workerinput", {"workercount": 1})
    long = [item for item in items if item.get_closest_marker("timeout") is not None]
    short = [item for item in items if item.get_closest_marker("timeout") is None]
    items[:] = dealt(long, short, worker["workercount"])


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over what has been imported and collected: it stays to the end.

    It looks as seldom as it does in a sender: a tenth of the run would go into looking otherwise.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the room is."""
    node.workerinput["room"] = str(node.config.stash[_ROOM])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and clear the room away, once every worker is done."""
    if not hasattr(config, "workerinput"):
        PostgresServer(config.stash[_ROOM]).stop()
        shutil.rmtree(config.stash[_ROOM], ignore_errors=True)


@pytest.fixture
def clock() -> FixedClock:
    """Give a clock that says Monday 23 November 2026, noon in Helsinki, until the test moves it."""
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Give the PostgreSQL server of this run; the first test to ask starts it, in half a second."""
    server = PostgresServer(request.config.stash[_ROOM])
    server.start()
    yield server
    server.hang_up()


@pytest.fixture(scope="session")
def postgresql_url(postgresql: PostgresServer) -> str:
    """Give the URL of the server's own database, which no test writes to."""
    return postgresql.url("postgres")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a migrated, empty database of the test's own: the test runs on SQLite and on PostgreSQL.

    Where the test has a workshop as well, it is that of the workshop: it has just begun.
    """
    room, has_workshop = request.config.stash[_ROOM], "workshop" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "dispatcher.db"
        if has_workshop:
            begun = in_files(room, FixedClock(NOON), lambda path: _copy_migrated(room, path))
            request.node.stash[_BEGUN] = begun
            shutil.copyfile(begun.database, path)
        else:
            _copy_migrated(room, path)
        yield f"sqlite:///{path}"
    else:
        server: PostgresServer = request.getfixturevalue("postgresql")
        server.create_once(_TEMPLATE, _upgrade)
        template = _TEMPLATE
        if has_workshop:
            begun = request.node.stash[_BEGUN] = on_server(room, FixedClock(NOON), server, _TEMPLATE)
            template = begun.database
        yield from _database_of_its_own(server, template)


@pytest.fixture
def journal_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Give the journal's place: the path of a file that is not there yet, or the URL of an empty second database.

    Where the test has a workshop as well, it is the journal of the workshop.
    """
    begun = request.node.stash.get(_BEGUN, None)
    if database_url.startswith("sqlite"):
        path = tmp_path / "dispatcher.journal"
        if begun:
            shutil.copy(begun.journal, path)
        yield str(path)
    else:
        template = begun.journal if begun else "template1"
        yield from _database_of_its_own(request.getfixturevalue("postgresql"), template)


@pytest.fixture
def doubles() -> Iterator[Doubles]:
    """Give a mail server and an SMS service on loopback."""
    with doubles_running() as running:
        yield running


@pytest.fixture
def workshop(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    clock: FixedClock,
    database_url: str,
    journal_url: str,
    doubles: Doubles,
) -> Workshop:
    """Give an installation of the test's own, on both databases, that hands over to the doubles and began at noon."""
    assert clock() == NOON
    begun: Begun = request.node.stash[_BEGUN]
    return build(tmp_path / "studio", clock, database_url, journal_url, doubles, begun=begun.secrets)


@pytest.fixture(scope="session")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    """Give an IMAP server, started when first asked for, or skip the test where none can run."""
    hindrance = missing()
    if hindrance:
        pytest.skip(hindrance)
    with imap_server(tmp_path_factory.mktemp("imap")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of Debian's Chromium, or skip the test where it is not installed."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no Chromium here: run `make browser`")
    return path


def _new_room() -> Path:
    # The name of a socket holds 107 characters, and another account must be able to walk there: so not under TMPDIR.
    # In memory, where there is enough of it: every test database is synced to disk as the program demands.
    memory = Path("/dev/shm")  # noqa: S108 - the room is made by mkdtemp
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    room = Path(tempfile.mkdtemp(prefix="dispatcher-", dir=memory if roomy else "/tmp"))  # noqa: S108 - see above
    room.chmod(0o755)
    return room


def _database_of_its_own(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    try:
        yield server.create(name, template)
    finally:
        server.drop(name)


def _upgrade(url: str) -> None:
    from dispatcher.storage.database import upgrade

    upgrade(url)


def _copy_migrated(room: Path, path: Path) -> None:
    shutil.copyfile(_migrated_file(room), path)


def _migrated_file(room: Path) -> Path:
    """Return a migrated SQLite database to copy, made by the first process of this run to ask."""
    made, draft = room / "migrated.db", room / "draft.db"
    with (room / "migrated.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not made.exists():
            draft.unlink(missing_ok=True)
            _upgrade(f"sqlite:///{draft}")
            draft.rename(made)
    return made


def _close_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        channel, address = arguments
        if address is not None and channel.family in _NETWORKS and not _is_here(address[0]):
            raise NetworkClosedError(f"{NetworkClosedError.__doc__} It reached for {address[0]}.")
    elif event == "socket.getaddrinfo" and not _is_here(arguments[0]):
        raise NetworkClosedError(f"{NetworkClosedError.__doc__} It looked up {arguments[0]}.")


def _is_here(host: str | bytes | None) -> bool:
    name = host.decode("ascii") if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False
