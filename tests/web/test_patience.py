"""Whoever is slow is let go of, and holds nobody else up: over real sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from types import SimpleNamespace

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from dispatcher.web.one_click import CUT_AT, read_body
from dispatcher.web.patience import Crowd, Patience
from dispatcher.web.server import config

SHORT = Patience(head=0.15, body=0.3, rest=0.15, connections=4)
HEAD = b"POST /u/x HTTP/1.1\r\nHost: m.example\r\n"


async def say_how_much(request: Request) -> PlainTextResponse:
    """Answer with how many bytes of the body were looked at, at once where there is no need for them."""
    if request.headers.get("x-wait") == "no":
        return PlainTextResponse("at once")
    return PlainTextResponse(f"{len(await read_body(request))} bytes")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Give the port of a server with little patience."""
    app = Starlette(routes=[Route("/u/{token}", say_how_much, methods=["GET", "POST"])])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config(app, patience=SHORT))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(20)


@contextmanager
def line(port: int, *sent: bytes) -> Iterator[socket.socket]:
    """Open a connection and send this."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in sent:
            connection.sendall(part)
        yield connection


def all_of(connection: socket.socket) -> bytes:
    """Return everything that comes until the other side ends the connection."""
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("sent", [b"", b"P", HEAD, HEAD + b"X-Slow: a"])
def test_a_head_that_does_not_end(port: int, sent: bytes) -> None:
    """A connection that brings no whole head of a request is ended, whether it says something or nothing."""
    with line(port, sent) as connection:
        assert b"" == all_of(connection)


def test_a_head_that_drips(port: int) -> None:
    """Slowloris: time counts from the beginning of a head, so that a byte now and then buys none."""
    with line(port, HEAD) as connection:
        connection.settimeout(0.04)
        for _ in range(100):
            try:
                connection.sendall(b"X-A: b\r\n")
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("it waited for ever")


def test_the_second_head_as_well(port: int) -> None:
    """On a connection that has been answered the next request has to come in time too."""
    with line(port, b"GET /u/x HTTP/1.1\r\nHost: m.example\r\n\r\n") as connection:
        answer, came = b"", b"some"
        while came and not answer.endswith(b"0 bytes"):
            came = connection.recv(65_536)
            answer += came
        connection.sendall(b"GET /u/")
        assert b"" == all_of(connection)


def test_a_body_that_does_not_end(port: int) -> None:
    """E-06: a body that stops half-way is waited for so long and no longer."""
    with line(port, HEAD, b"Content-Length: 500\r\n\r\n", b"List-Unsub") as connection:
        assert b"" == all_of(connection)


def test_what_comes_after_the_answer(port: int) -> None:
    """Who goes on sending after the answer is let go of, and has the answer."""
    with line(port, HEAD, b"X-Wait: no\r\nContent-Length: 500000\r\n\r\n", b"x" * 1000) as connection:
        assert b"at once" in all_of(connection)


def test_a_whole_upload_is_let_in(port: int) -> None:
    """E-06: a body up to a megabyte is taken off the wire, and 8 KiB of it are looked at."""
    size = CUT_AT - 10
    with line(port, HEAD, b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size) as connection:
        assert b"8192 bytes" in all_of(connection)


def test_an_upload_without_an_end_is_cut(port: int) -> None:
    """A body of gigabytes is answered after a megabyte, and the rest not waited for."""
    with line(port, HEAD, b"Content-Length: 9000000000\r\n\r\n", b"x" * (CUT_AT + 10)) as connection:
        assert b"8192 bytes" in all_of(connection)


def test_an_idle_connection_makes_room(port: int) -> None:
    """Whoever holds all connections and asks nothing keeps nobody out: the oldest of them goes."""
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(SHORT.connections + 2)]
    with line(port, b"GET /u/x HTTP/1.1\r\nHost: m.example\r\nConnection: close\r\n\r\n") as connection:
        assert b"200 OK" in all_of(connection)
    for each in held:
        each.close()


@dataclass(eq=False)
class Stub:
    """A connection as a crowd sees it."""

    is_idle: bool
    transport: SimpleNamespace


def entered(crowd: Crowd, host: str, times: int, *, is_idle: bool = False) -> list[bool]:
    """Let so many connections of a visitor in, and say which were."""
    lines = [Stub(is_idle=is_idle, transport=SimpleNamespace(abort=lambda: None)) for _ in range(times)]
    return [crowd.enter(each, host) for each in lines]  # type: ignore[arg-type]


def test_one_visitor_holds_so_many() -> None:
    """A visitor, or a network of one, holds a few connections; others, and the web servers that are believed, more."""
    crowd = Crowd(Patience(each=2, connections=100), (ip_network("10.0.0.0/24"),))
    assert [True, True, False] == entered(crowd, "192.0.2.1", 3)
    assert [True, True, False] == entered(crowd, "2001:db8::1", 3)
    assert [False] == entered(crowd, "2001:db8::2", 1)
    assert [True] == entered(crowd, "192.0.2.2", 1)
    for near in ("127.0.0.1", "::1", "10.0.0.7", "::ffff:127.0.0.1", "::ffff:10.0.0.8"):
        assert 5 * [True] == entered(crowd, near, 5)


def test_visitors_on_a_socket_for_both_kinds_of_addresses() -> None:
    """A server on `::` hears of IPv4 visitors as ::ffff:192.0.2.1; each is itself, and a believed web server is one."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["client"][0])(scope, receive, send)

    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        server = uvicorn.Server(config(tell, ("127.0.0.1",)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            ask = b"GET / HTTP/1.1\r\nHost: m.example\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
            with line(listener.getsockname()[1], ask) as connection:
                assert all_of(connection).endswith(b"203.0.113.9")
        finally:
            server.should_exit = True
            thread.join(20)


def test_a_full_house() -> None:
    """Where something is under way on every connection, the next one is refused, and let in once one has gone."""
    crowd = Crowd(Patience(connections=2))
    busy = Stub(is_idle=False, transport=SimpleNamespace())
    assert crowd.enter(busy, "192.0.2.1")  # type: ignore[arg-type]
    assert [True, False] == entered(crowd, "192.0.2.2", 2)
    crowd.leave(busy)  # type: ignore[arg-type]
    assert [True] == entered(crowd, "192.0.2.2", 1)
    assert {"192.0.2.2": 2} == dict(crowd.held)
