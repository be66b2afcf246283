"""The page by which a yes that ends soon is given anew.

GET changes nothing. POST counts only with the value that the page's own button sends: a grant needs evidence, and a
program that posts to every link it finds has read no question. The value is the language in which the question stood
there, so that the answer names exactly those words.
"""

import logging
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.errors import LinkError, StorageError
from dispatcher.flow.renewing import Prospect, Renewable, Renewing
from dispatcher.rules.campaign import Language
from dispatcher.texts import text
from dispatcher.web.attempts import Attempts, host_of
from dispatcher.web.link import bare_token, methods_allowed
from dispatcher.web.one_click import read_body
from dispatcher.web.page import Frame, Pages, View, language_of

_GONE = frozenset({Prospect.ENDED, Prospect.CLOSED})
"""What answers 410: the link was good once and never will be again."""
_LOG = logging.getLogger(__name__)


class RenewalDoor:
    """Answers everything that is asked of a renewal link."""

    def __init__(self, renewing: Renewing, pages: Pages, attempts: Attempts) -> None:
        self._renewing = renewing
        self._pages = pages
        self._attempts = attempts

    def failed(self, request: Request) -> Response:
        """Return the page that says that the permission is as it was."""
        return self._render(language_of(request, None), "failed", 503, ends_on="", address="")

    async def answer(self, request: Request) -> Response:
        """Return the page, or the page that says why there is none; never a redirect."""
        if request.method == "OPTIONS":
            return methods_allowed()
        try:
            return await (self._renew if request.method == "POST" else self._show)(request, bare_token(request))
        except LinkError:
            return self._pages.answer(
                View.INVALID if self._attempts.allow(host_of(request)) else View.TOO_MANY, request
            )
        except StorageError as error:
            _LOG.error("A renewal could not be kept or its page not shown: %s", error)
            return self.failed(request)

    async def _show(self, request: Request, token: str) -> Response:
        found = await run_in_threadpool(self._renewing.look, token)
        return self._page(found, language_of(request, found.language))

    async def _renew(self, request: Request, token: str) -> Response:
        language = _said_yes(await read_body(request))
        if language is None:
            return await self._show(request, token)
        return self._page(await run_in_threadpool(self._renewing.renew, token, language), language)

    def _page(self, found: Renewable, language: Language) -> Response:
        is_gone = found.prospect in _GONE
        # It ends on a day, but holds until the one before.
        day = self._renewing.day if found.prospect is Prospect.OPEN else self._renewing.last_day
        return self._render(
            language,
            found.prospect.value,
            410 if is_gone else 200,
            contact_key="renewal_contact" if is_gone else "page_contact",
            ends_on=day(found.ends_at, language) if found.ends_at else "",
            question=text(f"renewal_question_{found.channel}", language),
            address=found.address,
        )

    def _render(
        self, language: Language, view: str, status: int, contact_key: str = "page_contact", **values: object
    ) -> Response:
        title = text("renewal_title" if view == "open" else f"renewal_{view}_title", language)
        heading = text("renewal_heading", language) if view == "open" else title
        frame = Frame(view, title, heading, status, contact_key=contact_key)
        return self._pages.render("renewal.html", language, frame, **values)


def _said_yes(body: bytes) -> Language | None:
    """Return the language in which the button was pressed, or None where it was not."""
    value = dict(parse_qsl(body.decode("latin-1"))).get("yes")
    return Language(value) if value in set(Language) else None
