"""The pages a client sees: which words, in which language, in the studio's look.

A page is one file without script, cookie, picture or anything from elsewhere (L-41), under 20 kB with its stylesheet.
"""

import re
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dispatcher.flow.preferences import Concern
from dispatcher.rules.campaign import Language
from dispatcher.rules.studio import Studio
from dispatcher.texts import text

STYLESHEET = "/static/page.css"
"""Where the stylesheet is served, below the public address."""
_FOLDER = Path(__file__).parent / "pages"
_RANGE = re.compile(r"([a-z]+)(?:-[a-z0-9-]+)?(?:;q=([01](?:\.[0-9]{0,3})?))?")
_NOBODY = Concern(None, None)


class View(StrEnum):
    """What a page says; the keys of its texts begin with this word."""

    QUESTION = "question"
    DONE = "done"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    FAILED = "failed"


_STATUS = {View.QUESTION: 200, View.DONE: 200, View.INVALID: 404, View.TOO_MANY: 429, View.FAILED: 503}
_RETRY_AFTER = {View.TOO_MANY: "60", View.FAILED: "120"}
"""After how many seconds it is worth trying again."""


class Pages:
    """Makes the pages of one studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._base = urlsplit(studio.public_url).path.rstrip("/")
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(
        self, view: View, request: Request, concern: Concern = _NOBODY, *, with_button: bool = False
    ) -> HTMLResponse:
        """Return a page with its status. `with_button` puts the button on it that stops everything."""
        language = language_of(request, concern.language)
        page = self.page(
            "page.html", language, _STATUS[view], view=view.value, address=concern.address, with_button=with_button
        )
        if view in _RETRY_AFTER:
            page.headers["Retry-After"] = _RETRY_AFTER[view]
        return page

    def page(self, template: str, language: Language, status: int, **values: object) -> HTMLResponse:
        """Return a page made from a template, in the studio's look; `values` are what this template needs beside it."""
        html = self._environment.get_template(template).render(
            language=language.value,
            languages=[other.value for other in Language],
            studio=self._studio,
            notice_url=self._studio.notice_in(language),
            stylesheet=self._base + STYLESHEET,
            t=lambda key, **holes: text(key, language, **holes),
            **values,
        )
        return HTMLResponse(html, status, {"Content-Language": language.value})


def stylesheet() -> str:
    """Return the stylesheet of every page."""
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


def language_of(request: Request, known: Language | None) -> Language:
    """Return the language to answer in: the one asked for by `?lang=`, else the client's, the browser's, Finnish."""
    asked = request.query_params.get("lang", "").lower()
    if asked in set(Language):
        return Language(asked)
    return known or _accepted(request.headers.get("accept-language", ""))


def _accepted(header: str) -> Language:
    """Return the language an Accept-Language header likes best of ours; Finnish where it names none."""
    best, weight = Language.FI, 0.0
    for part in header.lower().split(","):
        found = _RANGE.fullmatch("".join(part.split()))
        if found is None or found[1] not in set(Language):
            continue
        liked = float(found[2] or 1)
        if liked > weight:
            best, weight = Language(found[1]), liked
    return best
