"""`dispatcher run` as a service starts it: mail out, page up, one sender, and nobody left behind when it stops."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dispatcher.demo.loopback import listen
from dispatcher.engine.embedded import only_sender
from dispatcher.errors import RefusedError
from dispatcher.rules.consent import ConsentState
from dispatcher.wiring import opened, system_clock
from tests.clock import FixedClock
from tests.workshop import ZONE, Doubles, Workshop, build

ROOT = Path(__file__).parent.parent.parent
ALWAYS = '[sending]\nzone = "UTC"\n' + "".join(
    f'[sending.{channel}]\nopens = "00:00"\ncloses = "23:59:59.999999"\n' for channel in ("email", "sms")
)


@pytest.fixture
def studio(tmp_path: Path, doubles: Doubles) -> Workshop:
    """Give a workspace on SQLite by this machine's own clock, open at every hour, its page on a free port."""
    with listen() as socket:
        port = socket.getsockname()[1]
    clock = FixedClock(system_clock())
    url = f"http://127.0.0.1:{port}"
    workshop = build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal", doubles, url)
    settings = workshop.directory / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f"{text}\n[web]\nport = {port}\n{ALWAYS}", encoding="utf-8")
    return workshop


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, a minute at most."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "what was waited for did not come"
        threading.Event().wait(0.02)


@contextmanager
def running(workshop: Workshop) -> Iterator[subprocess.Popen[str]]:
    """Run `dispatcher run` on a workspace, ready when its sender and its page are; killed if the block fails."""
    command = [sys.executable, "-m", "dispatcher", "--workspace", str(workshop.directory), "run"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stderr is not None
        assert any("the sender is running" in line for line in process.stderr)
        wait_until(lambda: answers(workshop))
        yield process
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        process.communicate()


def ask(method: str, url: str) -> tuple[int, bytes]:
    """Make one HTTP request and return status and body."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, parts.path)
        with connection.getresponse() as response:
            return response.status, response.read()
    finally:
        connection.close()


def answers(workshop: Workshop) -> bool:
    """Say whether the opt-out page's process answers."""
    text = (workshop.directory / "dispatcher.toml").read_text(encoding="utf-8")
    found = re.search(r'public_url = "(.+)"', text)
    assert found
    try:
        return ask("GET", f"{found[1]}/health") == (200, b"ok\n")
    except OSError:
        return False


def children(pid: int) -> dict[str, int]:
    """Return the processes that this one started, by the last word of their command."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_text(encoding="utf-8").split("\0")
        except OSError:
            continue
        if parent == pid:
            found[words[-2]] = int(entry.name)
    return found


def is_there(pid: int) -> bool:
    """Say whether a process is there still."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_mail_out_click_and_stop(studio: Workshop, doubles: Doubles) -> None:
    """A due campaign goes out, its link works over HTTP, no second sender starts, and SIGTERM ends everything well."""
    row = f"1;Maija;Meikäläinen;maija@posti.example;;fi;;kyllä;;{studio.clock() - timedelta(days=9):%d.%m.%Y}"
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(studio.register(row), actor)
        # The workspace's zone is UTC, and the file is to say its hour.
        soon = (studio.clock() + timedelta(seconds=1)).replace(tzinfo=ZONE)
        dispatcher.schedule.run(studio.campaign("nyt", soon, channels=("email",)), actor)
    with running(studio) as process:
        wait_until(lambda: len(doubles.smtp.received) == 1)
        link = re.search(rb"^List-Unsubscribe: <(http[^>]+)>\r\n", doubles.smtp.received[0].content, re.MULTILINE)
        assert link
        status, page = ask("GET", link[1].decode())
        assert (200, True) == (status, b"<form" in page)
        assert 200 == ask("POST", link[1].decode())[0]
        assert 401 == ask("GET", link[1].decode().partition("/u/")[0] + "/api/v1/verdict")[0]
        with pytest.raises(RefusedError), only_sender(studio.directory):
            pass
        started = children(process.pid)
        assert {"work", "web"} == set(started)
        process.terminate()
        assert 0 == process.wait(timeout=20)
    assert [] == [pid for pid in started.values() if is_there(pid)]
    with opened(studio.directory) as dispatcher:
        [maija] = dispatcher.register.listed()
        assert {ConsentState.WITHDRAWN} == {consent.state for consent in maija.consents.values()}
        assert dispatcher.audit.year(studio.clock().year).ok
    assert ["maija@posti.example"] == doubles.mailed()


def test_a_crash_of_the_page_ends_the_sender(studio: Workshop) -> None:
    """If the page's process dies, the sender is stopped in order and the whole ends with exit code 1, named."""
    with running(studio) as process:
        started = children(process.pid)
        os.kill(started["web"], signal.SIGKILL)
        assert 1 == process.wait(timeout=20)
        assert process.stderr is not None
        said = process.stderr.read()
    assert "`web` ended by itself, with exit code -9: all is stopped" in said
    assert "the sender has stopped" in said
    assert [] == [pid for pid in started.values() if is_there(pid)]
