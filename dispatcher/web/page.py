"""The pages a client sees: which words, in which language, in the studio's look.

A page is one file without script, cookie, picture or anything from elsewhere (L-41), under 20 kB with its stylesheet.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dispatcher.flow.concern import Concern
from dispatcher.rules.campaign import Language
from dispatcher.rules.studio import Studio
from dispatcher.rules.wishes import Less
from dispatcher.texts import format_date, text

STYLESHEET = "/static/page.css"
"""Where the stylesheet is served, below the public address."""
_FOLDER = Path(__file__).parent / "pages"
_RANGE = re.compile(r"([a-z]+)(?:-[a-z0-9-]+)?(?:;q=([01](?:\.[0-9]{0,3})?))?")
_NOBODY = Concern(None, None)


class View(StrEnum):
    """What a page says; the keys of its texts begin with this word."""

    QUESTION = "question"
    DONE = "done"
    GONE = "gone"
    CHOSEN = "chosen"
    OPENS = "opens"
    ASKED = "asked"
    CUT = "cut"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    FAILED = "failed"


_STATUS = {
    **dict.fromkeys((View.QUESTION, View.DONE, View.CHOSEN, View.OPENS, View.ASKED, View.GONE), 200),
    **dict.fromkeys((View.CUT, View.INVALID), 404),
    View.TOO_MANY: 429,
    View.FAILED: 503,
}
_RETRY_AFTER = {429: "60", 503: "120"}
"""With these: after how many seconds it is worth trying again."""


class Pages:
    """Makes the pages of one studio: those of the opt-out link itself, and the frame of every other."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._base = urlsplit(studio.public_url).path.rstrip("/")

    def answer(
        self,
        view: View,
        request: Request,
        concern: Concern = _NOBODY,
        *,
        with_button: bool = False,
        gives_more: bool = False,
        less: Less | None = None,
    ) -> HTMLResponse:
        """Return a page with its status. `with_button` puts the button on it that stops everything.

        `gives_more`: what asks for more may be asked for there. `less` is what was chosen just now.
        """
        language = language_of(request, concern.language)
        is_question = view is View.QUESTION
        is_tried = concern.is_test and not is_question
        said = "tried" if is_tried else view.value
        # Who gets nothing is not asked whether to stop it, but may still press.
        asked = "page_question" if concern.is_open or not concern.agreed else "page_closed_title"
        frame = Frame(
            view=view.value,
            title=text("page_title" if is_question else f"page_{said}_title", language),
            heading=text(asked if is_question else f"page_{said}_title", language),
            status=_STATUS[view],
            is_last=view is View.DONE,
        )
        return self.render(
            "page.html",
            language,
            frame,
            concern=concern,
            with_button=with_button,
            gives_more=gives_more,
            is_tried=is_tried,
            less=less,
            day=lambda day: format_date(day, language),
        )

    def render(self, template: str, language: Language, frame: "Frame", **values: object) -> HTMLResponse:
        """Return a page of any of the doors, its words by this template and these values."""
        html = (
            environment()
            .get_template(template)
            .render(
                view=frame.view,
                title=frame.title,
                heading=frame.heading,
                is_last=frame.is_last,
                contact_key=frame.contact_key,
                language=language.value,
                languages=[other.value for other in Language],
                studio=self._studio,
                notice_url=self._studio.notice_in(language),
                stylesheet=self._base + STYLESHEET,
                t=lambda key, **values: text(key, language, **values),
                **values,
            )
        )
        headers = {"Content-Language": language.value}
        if frame.status in _RETRY_AFTER:
            headers["Retry-After"] = _RETRY_AFTER[frame.status]
        return HTMLResponse(html, frame.status, headers)

    def below(self, path: str) -> str:
        """Return a path as a browser asks for it, below the public address."""
        return self._base + path


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the words of a page: its view, title and heading, and how it is answered.

    `is_last`: nothing is left to do there, so that neither the languages nor another way to reach us are offered.
    """

    view: str
    title: str
    heading: str
    status: int = 200
    is_last: bool = False
    contact_key: str = "page_contact"


@cache
def environment() -> Environment:
    """Return what fills the templates of the pages, the desk's as well."""
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


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
