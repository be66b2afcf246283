"""Every route there is, and what guards it: a token, a key, a provider's signature, or nothing as it tells nothing."""

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route

from dispatcher.rules.scope import Scope
from dispatcher.web.api import Needs
from dispatcher.web.watch import WatchDoor
from dispatcher.web.webhooks import TwilioDoor
from tests.web.conftest import Office, site

TOKEN, SIGNED, OPEN, MONITOR = "a signed token", "a provider's signature", "open", "the monitor's token"
GUARDS = {
    "/u/{token:path}": TOKEN,
    "/U/{token:path}": TOKEN,
    "/join/{token:path}": TOKEN,
    "/JOIN/{token:path}": TOKEN,
    "/webhooks/twilio/status": SIGNED,
    "/webhooks/twilio/inbound": SIGNED,
    "/static/page.css": OPEN,
    "/health": OPEN,
    "/health/live": OPEN,
    "/health/ready": OPEN,
    "/metrics": MONITOR,
    "/api/v1/openapi.json": OPEN,
    "/api/v1/answers": Scope.ANSWERS_WRITE,
    "/api/v1/verdict": Scope.VERDICT_READ,
}
"""The whole list; a route that is not on it fails the test until somebody has thought about its guard."""


def routes(found: list[BaseRoute], above: str = "") -> Iterator[tuple[str, Route]]:
    """Yield every route of an application with its whole path."""
    for route in found:
        if isinstance(route, Mount):
            yield from routes(list(route.routes), above + route.path)
        else:
            assert isinstance(route, Route)
            yield above + route.path, route


def guard_of(path: str, route: Any) -> str:
    """Return what a route really is guarded by."""
    if isinstance(route, APIRoute):
        [needs] = [each.call for each in route.dependant.dependencies if isinstance(each.call, Needs)]
        return needs.scope
    if isinstance(getattr(route.endpoint, "__self__", None), TwilioDoor):
        return SIGNED
    if getattr(route.endpoint, "__func__", None) is WatchDoor.metrics:
        return MONITOR
    return TOKEN if "{token" in path else OPEN


def test_every_route_has_the_guard_that_is_written_down(office: Office) -> None:
    """Each route needs a signed token, a key with one scope or a provider's signature, or is open and tells nothing."""
    app = site(office.dispatcher)
    assert {path: guard_of(path, route) for path, route in routes(app.routes)} == GUARDS


def test_without_its_guard_a_route_does_nothing(office: Office) -> None:
    """What is not open answers 401, 403 or 404 to somebody without token, key or signature, whatever the method."""
    for path, route in routes(site(office.dispatcher).routes):
        if GUARDS[path] is OPEN:
            continue
        for method in (route.methods or set()) - {"OPTIONS"}:
            answer = office.caller.request(method, path.replace("{token:path}", "nothing"))
            assert answer.status_code == {TOKEN: 404, SIGNED: 403, MONITOR: 404}.get(GUARDS[path], 401), (method, path)
    assert [] == office.entries()
