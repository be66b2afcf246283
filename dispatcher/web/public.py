"""What clients touch: the page they leave by, the button of their mail program (RFC 8058), the page to renew a yes.

GET changes nothing; POST to an opt-out link stops everything, on disk before it is answered (E-09, E-11). Who has it
may use it: no cookie, no login, no question about where the request comes from (E-07).
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from dispatcher.errors import DispatcherError, LinkError, StorageError
from dispatcher.flow.preferences import TEST, Concern, Preferences
from dispatcher.flow.renewing import Renewing
from dispatcher.flow.returns import STATUS_PATH
from dispatcher.flow.sign_up import SignUp
from dispatcher.flow.texts_in import INBOUND_PATH
from dispatcher.links import OptOut
from dispatcher.rules.consent import Place
from dispatcher.rules.studio import Studio
from dispatcher.web.attempts import LIMIT, Attempts, host_of
from dispatcher.web.guard import Guard
from dispatcher.web.link import METHODS, bare_token, methods_allowed
from dispatcher.web.one_click import chosen_topic, is_one_click, read_body
from dispatcher.web.page import STYLESHEET, Pages, View, stylesheet
from dispatcher.web.renewal import RenewalDoor
from dispatcher.web.sign_up import PATH, SignUpDoor
from dispatcher.web.together import Together
from dispatcher.web.webhooks import TwilioDoor

_LOG = logging.getLogger(__name__)
_APART = 0.01
"""Seconds between two commits of noes: whoever else has to write gets the database in between."""


def create_app(
    preferences: Preferences,
    studio: Studio,
    clock: Callable[[], datetime],
    *,
    renewing: Renewing | None = None,
    sign_up: SignUp | None = None,
    api: ASGIApp | None = None,
    twilio: TwilioDoor | None = None,
    invalid_per_minute: int = LIMIT,
) -> FastAPI:
    """Return the application that clients reach; every answer carries the headers of L-41.

    `renewing` takes the yeses that are given anew; with `sign_up` there is the public page on which anybody may say
    yes; `api` is what booking systems call, and `twilio` where that provider tells of text messages.
    `clock` returns aware UTC and times the limit on broken links, `invalid_per_minute` for each visitor; a link made
    here is never limited (E-15).
    """
    pages = Pages(studio)
    app = FastAPI(
        openapi_url=None,  # no list of routes, and no pages that load their looks from elsewhere
        redirect_slashes=False,
        # FastAPI can send each path, token included, to wherever an environment variable says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    joining = SignUpDoor(sign_up, pages, clock) if sign_up is not None else None

    def failed(request: Request) -> Response:
        if joining is not None and request.url.path.lower().startswith(PATH):
            return joining.failed(request)
        return pages.answer(View.FAILED, request)

    app.add_middleware(Guard, failed=failed)
    app.add_exception_handler(HTTPException, _unrouted(pages))
    attempts = Attempts(clock, invalid_per_minute)
    doors = {"u": OptOutDoor(preferences, pages, attempts).answer}
    if renewing is not None:
        doors["r"] = RenewalDoor(renewing, pages, attempts).answer
    for name, door in doors.items():
        for path in (name, name.upper()):  # some scanners capitalise the whole link
            app.add_route(f"/{path}/{{token:path}}", door, methods=list(METHODS))
    if joining is not None:
        joining.join(app)
    if api is not None:
        app.mount("/api/v1", api)
    if twilio is not None:
        app.add_route(STATUS_PATH, twilio.status, methods=["POST"])
        if twilio.takes_texts:
            app.add_route(INBOUND_PATH, twilio.inbound, methods=["POST"])
    css = stylesheet()
    app.add_route(STYLESHEET, lambda _: Response(css, media_type="text/css"), methods=["GET"])
    app.add_route("/health", lambda _: PlainTextResponse("ok\n"), methods=["GET"])
    return app


class OptOutDoor:
    """Answers everything that is asked of an opt-out link."""

    def __init__(self, preferences: Preferences, pages: Pages, attempts: Attempts) -> None:
        self._preferences = preferences
        self._pages = pages
        self._attempts = attempts
        self._looks = Together("looks", preferences.look_at)
        self._noes = Together("noes", self._leave_together, apart=_APART)

    async def answer(self, request: Request) -> Response:
        """Return the page, or the page that says why there is none; never a redirect (E-08)."""
        if request.method == "OPTIONS":
            return methods_allowed()
        token = bare_token(request)
        try:
            return await (self._leave if request.method == "POST" else self._show)(request, token)
        except LinkError:
            return self._pages.answer(
                View.INVALID if self._attempts.allow(host_of(request)) else View.TOO_MANY, request
            )
        except StorageError as error:
            _LOG.error("An opt-out could not be kept or its page not shown: %s", error)
            return self._pages.answer(View.FAILED, request, with_button=True)

    async def _show(self, request: Request, token: str) -> Response:
        concern = await self._look(self._preferences.read(token))
        if concern.is_gone:
            return self._pages.answer(View.GONE, request)
        return self._pages.answer(View.QUESTION, request, concern, with_button=True)

    async def _leave(self, request: Request, token: str) -> Response:
        body = await read_body(request)
        only = chosen_topic(body)
        if only is not None:
            await run_in_threadpool(self._preferences.choose, token, only)
            concern = await run_in_threadpool(self._preferences.look, token)
            return self._pages.answer(View.TOPIC, request, concern, with_button=True, topic=only)
        link = self._preferences.read(token)
        if link is not None:
            await self._noes.ask((link, Place.ONE_CLICK if is_one_click(body) else Place.LINK))
        concern = Concern(None, None)
        # The no is on disk. If only the words for it cannot be looked up, it is still the truth that it was kept.
        with suppress(DispatcherError):
            concern = await self._look(link)
        return self._pages.answer(View.GONE if concern.is_gone else View.DONE, request, concern)

    async def _look(self, link: OptOut | None) -> Concern:
        return TEST if link is None else await self._looks.ask(link)

    def _leave_together(self, asked: Sequence[tuple[OptOut, Place]]) -> Sequence[None]:
        self._preferences.leave_together(asked)
        return [None] * len(asked)


def _unrouted(pages: Pages) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        if status == 404:
            return pages.answer(View.INVALID, request)
        return Response(status_code=status, headers=getattr(error, "headers", None))

    return answer
