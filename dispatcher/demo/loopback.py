"""A web application served on loopback by a thread of this process."""

import asyncio
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

HOST = "127.0.0.1"
_START_SECONDS = 10.0


def listen(port: int = 0) -> socket.socket:
    """Return a socket that listens on loopback and nowhere else, for 0 on a free port chosen by the system."""
    # With its protocol named, asyncio sets TCP_NODELAY on what it accepts; without, each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


class ServerThread:
    """Serves one ASGI application on 127.0.0.1 while its `with` block runs; `base_url` has no slash at its end.

    The port is taken when the object is made, so `base_url` can be told to others before the block begins.
    """

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._socket = listen(port)
        self.port: int = self._socket.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}"
        self._server = _Server(
            uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._serve, name=f"loopback-{self.port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server.ready.wait(_START_SECONDS)
        if not self._server.started:
            self.stop()
            raise RuntimeError(f"the web server on port {self.port} did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Finish the requests at hand, cut those that hang for more than a second, and close the socket."""
        self._server.leave()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        # uvicorn calls sys.exit when the application cannot start; whoever waits for `ready` raises instead.
        with suppress(SystemExit):
            asyncio.run(self._server.serve(sockets=[self._socket]))
        self._server.ready.set()


class _Server(uvicorn.Server):
    """Tells when it has begun to listen, and leaves at once when nobody is there to wait for."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Ask the server to stop, from another thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has stopped by itself, and its loop is closed
                self._loop.call_soon_threadsafe(self._leaving.set)

    async def main_loop(self) -> None:
        """Wait until asked to stop; what uvicorn does once a second is done meanwhile."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as uvicorn does, but without its pause for connections where there is none.

        An answer that has been sent whole may still be closing its file when its connection has gone.
        """
        if self.server_state.connections or self.server_state.tasks or self.force_exit:
            await super().shutdown(sockets)
            return
        for listening in self.servers:
            listening.close()
        await self.lifespan.shutdown()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()
