"""How the pages are served: over a real socket, by a process of its own."""

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from dispatcher.errors import SettingsError
from dispatcher.web.server import config, serve

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import logging, sys
from starlette.responses import PlainTextResponse
from dispatcher.web.server import serve

logging.basicConfig(level=logging.DEBUG)

async def app(scope, receive, send):
    if scope["type"] == "http":
        await PlainTextResponse(scope["client"][0])(scope, receive, send)

serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))
print("closed the store", flush=True)
"""


NEAR, FAR = ("127.0.0.1", 4000), ("198.51.100.7", 4000)


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with who the visitor is."""
    await PlainTextResponse(scope["client"][0])(scope, receive, send)


@pytest.mark.parametrize(
    ("proxies", "peer", "said", "visitor"),
    [
        ((), NEAR, ["203.0.113.9"], "127.0.0.1"),
        (("127.0.0.1",), NEAR, ["203.0.113.9"], "203.0.113.9"),
        (("127.0.0.1",), NEAR, ["192.0.2.1, 203.0.113.9"], "203.0.113.9"),
        (("127.0.0.1",), NEAR, ["192.0.2.1", "203.0.113.9"], "203.0.113.9"),
        (("127.0.0.1", "10.0.0.0/24"), NEAR, ["192.0.2.1, 203.0.113.9, 10.0.0.4"], "203.0.113.9"),
        (("127.0.0.1",), NEAR, ["2001:db8::7"], "2001:db8::7"),
        (("127.0.0.1",), NEAR, [], "127.0.0.1"),
        (("127.0.0.1",), FAR, ["203.0.113.9"], "198.51.100.7"),
    ],
)
def test_who_the_visitor_is(proxies: tuple[str, ...], peer: tuple[str, int], said: list[str], visitor: str) -> None:
    """Only a named web server is believed, and of what it says the last hop that is none: no visitor passes for two."""
    served = config(tell, proxies)
    served.load()
    browser = TestClient(served.loaded_app, client=peer)
    assert visitor == browser.get("/", headers=[("X-Forwarded-For", each) for each in said]).text


def test_uvicorn_s_own_setting_is_not_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment makes nobody a web server to be believed."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    test_who_the_visitor_is((), NEAR, ["203.0.113.9"], "127.0.0.1")


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """Give a process that serves until it is told to stop."""
    command = [sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def ask(url: str, path: str, headers: dict[str, str]) -> tuple[bytes, http.client.HTTPMessage]:
    """Ask for a page as a client would, and return what came with its headers."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.read(), response.headers
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told(server: subprocess.Popen[str], number: signal.Signals) -> None:
    """A signal ends the serving, and the program goes on to close what it opened: exit code 0."""
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    ask(url, "/", {})
    server.send_signal(number)
    output, _ = server.communicate(timeout=20)
    assert ("closed the store\n", 0) == (output, server.returncode)


def test_it_leaves_no_trace(server: subprocess.Popen[str]) -> None:
    """X-06: neither the token in a path nor a visitor's address is logged, and the server does not name itself."""
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    body, headers = ask(url, "/u/secrettoken", {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"})
    server.send_signal(signal.SIGTERM)
    _, log = server.communicate(timeout=20)
    assert body == b"127.0.0.1"
    assert "server" not in headers
    assert "secrettoken" not in log
    assert "127.0.0.1" not in log


def test_a_port_that_is_taken() -> None:
    """A port that another program has is said so, with the port and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1, port {port} .*choose another port"):
            serve(None, "127.0.0.1", port)  # type: ignore[arg-type]  # it is never asked
