"""A line for each request, if it is wanted: what was asked for, not by whom and of whom (X-06)."""

import json
import logging
from time import perf_counter

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

_LOG = logging.getLogger("dispatcher.requests")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestLog:
    """Writes method, route, status and milliseconds of each request; the route as it is written here, never the path.

    Nothing else is ever written: no path, no query, no header, no network address.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._declared: dict[object, str] = {
            route.endpoint: route.path for route in reversed(app.routes) if isinstance(route, Route)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and write its line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            told = {
                "method": scope["method"] if scope["method"] in _METHODS else "other",
                "route": self._route(scope),
                "status": status,
                "ms": round(1000 * (perf_counter() - began), 1),
            }
            _LOG.info("%s", json.dumps(told))

    def _route(self, scope: Scope) -> str:
        """Return the route that was found, as it is declared; a dash where none was."""
        declared = getattr(scope.get("route"), "path", None)
        return declared if isinstance(declared, str) else self._declared.get(scope.get("endpoint"), "-")
