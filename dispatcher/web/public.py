"""What clients touch: the page they leave by, the button of their mail program (RFC 8058), the page to renew a yes.

GET changes nothing; POST to an opt-out link stops everything, on disk before it is answered (E-09, E-11), unless it is
exactly one of the finer choices on our own page, of which those for more only ask the address itself. Who has a link
may use it: no cookie, no login, no question about where the request comes from (E-07).
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from dispatcher.errors import DispatcherError, LinkError, StorageError
from dispatcher.flow.concern import Concern
from dispatcher.flow.preferences import TEST, Preferences
from dispatcher.flow.renewing import Renewing
from dispatcher.flow.returns import STATUS_PATH
from dispatcher.flow.sign_up import SignUp
from dispatcher.flow.texts_in import INBOUND_PATH
from dispatcher.links import OptOut
from dispatcher.rules.consent import Place
from dispatcher.rules.studio import Studio
from dispatcher.rules.wishes import Less, More
from dispatcher.web.attempts import LIMIT, Attempts, host_of
from dispatcher.web.confirm import ConfirmDoor
from dispatcher.web.guard import HEADERS, SECURE, Guard
from dispatcher.web.link import METHODS, bare_token, methods_allowed
from dispatcher.web.one_click import chosen, is_one_click, read_body
from dispatcher.web.page import STYLESHEET, Pages, View, language_of, stylesheet
from dispatcher.web.renewal import RenewalDoor
from dispatcher.web.sign_up import PATH, SignUpDoor
from dispatcher.web.together import Together
from dispatcher.web.watch import WatchDoor
from dispatcher.web.webhooks import TwilioDoor

_LOG = logging.getLogger(__name__)
_APART = 0.01
"""Seconds between two commits of noes: whoever else has to write gets the database in between."""


def create_app(  # noqa: PLR0913 - every door there is
    preferences: Preferences,
    studio: Studio,
    clock: Callable[[], datetime],
    *,
    renewing: Renewing | None = None,
    sign_up: SignUp | None = None,
    api: ASGIApp | None = None,
    twilio: TwilioDoor | None = None,
    watch: WatchDoor | None = None,
    invalid_per_minute: int = LIMIT,
) -> FastAPI:
    """Return the application that clients reach; every answer carries the headers of L-41.

    `renewing` takes the yeses that are given anew; with `sign_up` there is the public page on which anybody may say
    yes; `api` is what booking systems call, and `twilio` where that provider tells of text messages.
    `watch` answers a monitor.
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
    confirmed = _confirm_door(preferences, sign_up, pages, clock)

    attempts = Attempts(clock, invalid_per_minute)
    renewed = RenewalDoor(renewing, pages, attempts) if renewing is not None else None

    is_secure = studio.public_url.lower().startswith("https:")
    failed = _failed(pages, {PATH: confirmed, "/r/": renewed})
    app.add_middleware(Guard, failed=failed, headers=SECURE if is_secure else HEADERS)
    app.add_exception_handler(HTTPException, _unrouted(pages))
    doors = {"u": OptOutDoor(preferences, pages, attempts).answer}
    if renewed is not None:
        doors["r"] = renewed.answer
    if confirmed is not None:
        doors[PATH.strip("/")] = confirmed.answer
    for name, door in doors.items():
        for path in (name, name.upper()):  # some scanners capitalise the whole link
            app.add_route(f"/{path}/{{token:path}}", door, methods=list(METHODS))
    if joining is not None:
        joining.join(app)
    if api is not None:
        app.mount("/api/v1", api)
    if twilio is not None:
        _add_webhooks(app, twilio)
    css = stylesheet()
    app.add_route(STYLESHEET, lambda _: Response(css, media_type="text/css"), methods=["GET"])
    app.add_route("/health", lambda _: PlainTextResponse("ok\n"), methods=["GET"])
    app.router.routes.extend(watch.routes() if watch is not None else ())
    return app


def _add_webhooks(app: FastAPI, twilio: TwilioDoor) -> None:
    app.add_route(STATUS_PATH, twilio.status, methods=["POST"])
    if twilio.takes_texts:
        app.add_route(INBOUND_PATH, twilio.inbound, methods=["POST"])


def _confirm_door(
    preferences: Preferences, sign_up: SignUp | None, pages: Pages, clock: Callable[[], datetime]
) -> ConfirmDoor | None:
    """Return what takes in confirmations: of the public page where there is one, and of those who want more."""
    confirms = sign_up or (preferences.reopening.sign_up if preferences.reopening else None)
    return ConfirmDoor(confirms, pages, clock, has_form=sign_up is not None) if confirms is not None else None


def _failed(pages: Pages, doors: Mapping[str, ConfirmDoor | RenewalDoor | None]) -> Callable[[Request], Response]:
    """Return what answers after an unexpected error: in the words of the door below whose path it happened."""

    def failed(request: Request) -> Response:
        path = request.url.path.lower()
        door = next((door for start, door in doors.items() if door is not None and path.startswith(start)), None)
        return door.failed(request) if door is not None else pages.answer(View.FAILED, request)

    return failed


class OptOutDoor:
    """Answers everything that is asked of an opt-out link."""

    def __init__(self, preferences: Preferences, pages: Pages, attempts: Attempts) -> None:
        self._preferences = preferences
        self._pages = pages
        self._attempts = attempts
        self._looks = Together("looks", preferences.look_at)
        self._close_looks = Together("close looks", preferences.look_closely_at)
        self._noes = Together("noes", self._leave_together, apart=_APART)

    async def answer(self, request: Request) -> Response:
        """Return the page, or the page that says why there is none; never a redirect (E-08)."""
        if request.method == "OPTIONS":
            return methods_allowed()
        token = bare_token(request)
        try:
            return await (self._take if request.method == "POST" else self._show)(request, token)
        except LinkError:
            if not self._attempts.allow(host_of(request)):
                return self._pages.answer(View.TOO_MANY, request)
            return self._pages.answer(View.CUT if self._preferences.is_cut(token) else View.INVALID, request)
        except StorageError as error:
            _LOG.error("An opt-out could not be kept or its page not shown: %s", error)
            return self._pages.answer(View.FAILED, request, with_button=True)

    async def _show(self, request: Request, token: str) -> Response:
        return await self._page(request, self._preferences.read(token), View.QUESTION)

    async def _page(self, request: Request, link: OptOut | None, view: View) -> Response:
        concern = await self._look_closely(link)
        if concern.is_gone:
            return self._pages.answer(View.GONE, request)
        return self._pages.answer(
            view, request, concern, with_button=True, gives_more=self._preferences.reopening is not None
        )

    async def _take(self, request: Request, token: str) -> Response:
        body = await read_body(request)
        wish, link = chosen(body), self._preferences.read(token)
        if isinstance(wish, Less):
            is_kept = await run_in_threadpool(self._preferences.choose, link, wish)
            return await self._chosen(request, link, wish) if is_kept else await self._page(request, link, View.OPENS)
        if wish is not None:
            return await self._ask(request, link, wish)
        return await self._leave(request, link, Place.ONE_CLICK if is_one_click(body) else Place.LINK)

    async def _leave(self, request: Request, link: OptOut | None, place: Place) -> Response:
        if link is not None:
            await self._noes.ask((link, place))
        concern = Concern(None, None)
        # The no is on disk. If only the words for it cannot be looked up, it is still the truth that it was kept.
        with suppress(DispatcherError):
            concern = await self._look(link)
        return self._pages.answer(View.GONE if concern.is_gone else View.DONE, request, concern)

    async def _chosen(self, request: Request, link: OptOut | None, less: Less) -> Response:
        concern = await self._look_closely(link)
        if concern.is_gone:
            return self._pages.answer(View.GONE, request)
        # The last channel that stood is closed with it, or none did before: then nothing comes, whatever was chosen.
        if not concern.is_open and not concern.is_test:
            return self._pages.answer(View.DONE, request, concern)
        return self._pages.answer(View.CHOSEN, request, concern, with_button=True, less=less)

    async def _ask(self, request: Request, link: OptOut | None, more: More) -> Response:
        """Have the address itself asked; the answer is the same whatever is on record, and whether anything is sent."""
        concern = await self._look(link)
        if concern.is_gone:
            return self._pages.answer(View.GONE, request)
        reopening = self._preferences.reopening
        if reopening is None:
            return await self._page(request, link, View.QUESTION)
        language = language_of(request, concern.language)
        await run_in_threadpool(reopening.ask, link, more, language)
        return self._pages.answer(View.ASKED, request, replace(concern, address=None))

    async def _look(self, link: OptOut | None) -> Concern:
        return TEST if link is None else await self._looks.ask(link)

    async def _look_closely(self, link: OptOut | None) -> Concern:
        return TEST if link is None else await self._close_looks.ask(link)

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
