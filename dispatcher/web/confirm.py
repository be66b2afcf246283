"""The page with the button that confirms: a sign-up, or more that a client asked for by the link of a message (X-04).

A confirmation is a button: looking changes nothing, nor does a POST without the value that the button sends, since
programs post to links they find. It works once; pressed again, it says that it is done.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.errors import LinkError, RefusedError, StorageError
from dispatcher.flow.sign_up import SignUp
from dispatcher.rules.campaign import Language
from dispatcher.texts import text
from dispatcher.web.attempts import LIMIT, Attempts, host_of
from dispatcher.web.link import bare_token, methods_allowed
from dispatcher.web.one_click import read_body
from dispatcher.web.page import Frame, Pages, language_of
from dispatcher.web.sign_up import PATH

_STATUS = {"invalid": 404, "too_many": 429, "failed": 503, "spent": 410, "refused": 409}
_OUR_OWN = frozenset({"invalid", "too_many"})
"""Views that say what the opt-out page says in the same words."""
_LOG = logging.getLogger(__name__)


class ConfirmDoor:
    """Answers everything that is asked of a confirmation's link; `has_form`: the sign-up page is there as well."""

    def __init__(self, sign_up: SignUp, pages: Pages, clock: Callable[[], datetime], *, has_form: bool) -> None:
        self._sign_up = sign_up
        self._pages = pages
        self._guesses = Attempts(clock, LIMIT)
        self._has_form = has_form

    def failed(self, request: Request) -> Response:
        """Return the page that says that nothing was changed."""
        return self._page("failed", language_of(request, None))

    async def answer(self, request: Request) -> Response:
        """Return the page with the button that confirms, or what pressing it came to; never a redirect (E-08)."""
        if request.method == "OPTIONS":
            return methods_allowed()
        token = bare_token(request)
        try:
            return await self._answer(request, token)
        except LinkError:
            view = "invalid" if self._guesses.allow(host_of(request)) else "too_many"
        except RefusedError:
            view = "refused"
        except StorageError as error:
            _LOG.error("A confirmation could not be kept, or its page not shown: %s", error)
            view = "failed"
        return self._page(view, language_of(request, None))

    async def _answer(self, request: Request, token: str) -> Response:
        asking = await run_in_threadpool(self._sign_up.look, token)
        language = language_of(request, asking.language if asking else None)
        if asking is None:
            return await self._over(request, token)
        if request.method != "POST" or not _is_pressed(await read_body(request)):
            return self._page("change" if asking.wish else "confirm", language, asking=asking)
        if await run_in_threadpool(self._sign_up.confirm, token):
            return self._page("done", language)
        return await self._over(request, token)

    async def _over(self, request: Request, token: str) -> Response:
        done_in = await run_in_threadpool(self._sign_up.done_in, token)
        return self._page("already" if done_in else "spent", language_of(request, done_in))

    def _page(self, view: str, language: Language, **values: object) -> Response:
        title = text(f"page_{view}_title" if view in _OUR_OWN else f"join_{view}_title", language)
        frame = Frame(view, title, title, _STATUS.get(view, 200), view in {"done", "already"}, "join_contact")
        join_url = self._pages.below(PATH) if self._has_form else None
        return self._pages.render("join.html", language, frame, join_url=join_url, **values)


def _is_pressed(body: bytes) -> bool:
    return ("yes", "1") in parse_qsl(body.decode("latin-1"))
