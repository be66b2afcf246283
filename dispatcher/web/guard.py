"""What stands around every page: the headers of rule L-41, and an honest answer where the program has a fault."""

import logging
import traceback
from collections.abc import Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}
"""On every response (L-41): nothing foreign is loaded, nothing is kept, found or told to the next site."""
SECURE = {**HEADERS, "Strict-Transport-Security": "max-age=31536000"}
"""On every response where the pages are reached by https: a browser that has been here asks for nothing else."""
# With no-referrer a browser would send `Origin: null` with the desk's own forms.
DESK_HEADERS = {**HEADERS, "Referrer-Policy": "same-origin"}
"""On every response of the desk."""
_LOG = logging.getLogger(__name__)


class Guard:
    """Adds the headers, and turns an unexpected error into the page that says nothing was saved."""

    def __init__(
        self, app: ASGIApp, failed: Callable[[Request], Response], headers: Mapping[str, str] = HEADERS
    ) -> None:
        self._app = app
        self._failed = failed
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, a client is told how else to say no
            _report(error)
            if not begun:
                await self._failed(Request(scope))(scope, receive, guarded)


def _report(error: Exception) -> None:
    """Write where an unexpected error happened, without its message, which may hold an address (L-46)."""
    place = "".join(traceback.format_tb(error.__traceback__, limit=-6))
    _LOG.error("A page failed with %s at\n%s", type(error).__name__, place)
