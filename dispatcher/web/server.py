"""Serves the pages over HTTP: one process, one port, no trace of who came."""

import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from dispatcher.errors import SettingsError
from dispatcher.web.patience import Patience, protocol

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE_SECONDS = 10


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    announce: Callable[[str], None] = lambda _: None,
    *,
    proxies: Sequence[str] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests at hand (10 s at most) and return.

    `announce` is told the address, such as `http://127.0.0.1:8000`, once it is taken; port 0 takes any free one.
    `proxies` see `config`. Call it in the main thread. Raises SettingsError where the address cannot be taken.
    """
    with _listen(host, port) as listener:
        announce(f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}")
        with _signals_kept():
            uvicorn.Server(config(app, proxies)).run(sockets=[listener])


def config(app: ASGIApp, proxies: Sequence[str] = (), patience: Patience = Patience()) -> uvicorn.Config:  # noqa: B008 - an immutable value
    """Return how uvicorn is run: without access log, since paths hold tokens (X-06), and without its name in answers.

    Who is slow, or holds many connections, is let go of (`patience`).

    Who a visitor is, X-Forwarded-For says, where the one who connects is one of these `proxies`, addresses or networks:
    its last hop that is none of them. From everybody else the header is not believed.
    """
    return uvicorn.Config(
        app,
        http=protocol(patience, proxies),
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ws="none",
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each answer waits 40 ms.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    except OSError as error:
        raise _refused(host, port, error) from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from None
    return listener


def _refused(host: str, port: int, error: OSError) -> SettingsError:
    return SettingsError(f"Nothing can be served on {host}, port {port} ({error.strerror}): choose another port.")


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Let the caller go on after a signal: uvicorn raises it once more when it is done, which would end the process."""
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
