"""The public sign-up page, which says the same to everybody, whoever has the address they typed (E-46)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.errors import StorageError
from dispatcher.flow.sign_up import Question, SignUp
from dispatcher.rules.address import AddressError
from dispatcher.rules.campaign import Channel, Language
from dispatcher.texts import text
from dispatcher.web.attempts import Attempts, host_of
from dispatcher.web.link import METHODS, methods_allowed
from dispatcher.web.one_click import read_body
from dispatcher.web.page import Frame, Pages, language_of

PATH = "/join"
"""Where the page is, below the public address: what the poster's picture leads to."""
A_MINUTE = 10
"""How many sign-ups one visitor may send in a minute."""
_ADDRESS_A_MINUTE = 3
"""How many sign-ups one address may be typed for in a minute; its confirmations are counted by their own rule."""
TEXTS_A_DAY = 100
"""How many sign-ups by number the page takes in a day: each costs a text message, and not the one who asks for it."""
_STATUS = {"busy": 429, "failed": 503}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Filled:
    """What a filled form asks for: each address that was ticked, or what is wrong with it."""

    wanted: tuple[tuple[Question, str], ...]
    faults: tuple[str, ...]


class SignUpDoor:
    """Answers everything that is asked of the sign-up page."""

    def __init__(self, sign_up: SignUp, pages: Pages, clock: Callable[[], datetime]) -> None:
        self._sign_up = sign_up
        self._pages = pages
        self._visitors = Attempts(clock, A_MINUTE)
        self._addresses = Attempts(clock, _ADDRESS_A_MINUTE)
        self._texts = Attempts(clock, TEXTS_A_DAY, timedelta(days=1))

    def join(self, app: FastAPI) -> None:
        """Put the page among the routes of an application."""
        app.add_route(PATH, self.answer_page, methods=list(METHODS))

    def failed(self, request: Request) -> Response:
        """Return the page that says that nothing was changed."""
        return self._page("failed", language_of(request, None))

    async def answer_page(self, request: Request) -> Response:
        """Return the form, or take one in."""
        if request.method == "OPTIONS":
            return methods_allowed()
        language = language_of(request, None)
        try:
            questions = await run_in_threadpool(self._sign_up.questions, language)
            if request.method == "POST":
                return await self._take(request, questions, language)
        except StorageError as error:
            _LOG.error("A sign-up could not be kept, or its page not shown: %s", error)
            return self.failed(request)
        return self._form(language, questions, {}, ())

    async def _take(self, request: Request, questions: list[Question], language: Language) -> Response:
        """Take a form in. An address gets the same answer whether it is known, unknown, against it, or asked too often.

        Only a visitor who sends too many, and a page that is being flooded, say so: that tells of nobody's address.
        """
        typed = {
            name: values[0] for name, values in parse_qs((await read_body(request)).decode("utf-8", "replace")).items()
        }
        filled = self._read(typed, questions)
        if filled.faults:
            return self._form(language, questions, typed, filled.faults)
        if not self._visitors.allow(host_of(request)) or not self._may_text(filled):
            return self._page("busy", language)
        for question, address in filled.wanted:
            if self._addresses.allow(address):
                await run_in_threadpool(self._sign_up.ask, question, address, typed.get("first_name", ""), language)
        return self._page("asked", language)

    def _may_text(self, filled: _Filled) -> bool:
        """Say whether the page still takes numbers today, and count the one of this form."""
        return all(question.channel is not Channel.SMS or self._texts.allow("") for question, _ in filled.wanted)

    def _read(self, typed: Mapping[str, str], questions: list[Question]) -> _Filled:
        wanted: list[tuple[Question, str]] = []
        faults: list[str] = []
        for question in questions:
            channel = question.channel.value
            address, is_yes = typed.get(channel, "").strip(), f"yes_{channel}" in typed
            if not address and not is_yes:
                continue
            if typed.get(f"wording_{channel}") != question.digest:
                faults.append("changed")
            elif not is_yes:
                faults.append("tick")
            elif not address:
                faults.append("missing")
            else:
                try:
                    wanted.append((question, self._sign_up.read_address(question.channel, address)))
                except AddressError:
                    faults.append(channel)
        if not wanted and not faults:
            faults.append("nothing")
        return _Filled(tuple(wanted), tuple(dict.fromkeys(faults)))

    def _form(
        self, language: Language, questions: list[Question], typed: Mapping[str, str], faults: tuple[str, ...]
    ) -> Response:
        title = text("join_title", language)
        shown = f"{text('join_errors', language)}: {title}" if faults else title
        frame = Frame("form", shown, title, 422 if faults else 200, contact_key="join_contact")
        return self._pages.render("join.html", language, frame, questions=questions, typed=typed, faults=faults)

    def _page(self, view: str, language: Language) -> Response:
        title = text(f"join_{view}_title", language)
        frame = Frame(view, title, title, _STATUS.get(view, 200), view == "asked", "join_contact")
        return self._pages.render("join.html", language, frame)
