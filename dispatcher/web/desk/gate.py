"""What stands before every page of the desk: our own name, the open session, and for a POST a form of ours."""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from hmac import compare_digest
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dispatcher.errors import DispatcherError, NotFoundError, RefusedError, StorageError
from dispatcher.flow.desk import Desk
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.web.desk.page import DeskPages
from dispatcher.web.desk.session import Doorkeeper, Session

_NAMES = ("127.0.0.1", "localhost")
_FIELDS_AT_MOST = 16
_Answer = Coroutine[object, object, Response]
_LOG = logging.getLogger(__name__)
E = TypeVar("E", Channel, Language, Place, Reply)


@dataclass(frozen=True, slots=True)
class Door:
    """What a handler belongs to: it knows who has the door's key, for whom it was opened, and how its pages look."""

    desk: Desk
    pages: DeskPages
    actor: Actor
    doorkeeper: Doorkeeper


D = TypeVar("D", bound=Door)


class OwnName:
    """Answers only under this machine's own names: a foreign name that leads here (DNS rebinding) is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and Request(scope).headers.get("host") not in _own(scope):
            await PlainTextResponse("The desk answers under 127.0.0.1 alone.\n", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def cookie(request: Request) -> str:
    """Return the name of the session's cookie: browsers keep the cookies of one host together, whatever the port."""
    return f"desk-{request.url.port}"


def inside(handler: Callable[[D, Request, Session], _Answer]) -> Callable[[D, Request], _Answer]:
    """Let only the open session in, while its person works here; a POST must also come from a form of ours.

    What is refused changes nothing and shows nobody.
    """

    @wraps(handler)
    async def answer(door: D, request: Request) -> Response:
        session = door.doorkeeper.session(request.cookies.get(cookie(request), ""))
        if session is None:
            return door.pages.answer("closed", None)
        if request.method == "POST" and not (_is_own(request) and await _has_secret(request, session)):
            return door.pages.answer("refused", session)
        try:
            if not await _still_works(door):
                return door.pages.answer("closed", None)
            return await handler(door, request, session)
        except NotFoundError:
            return door.pages.answer("missing", session)
        except StorageError as error:
            _LOG.error("The desk could not read or write: %s", error)
            return door.pages.answer("failed", session)
        except DispatcherError:
            return door.pages.answer("refused", session)

    return answer


async def _still_works(door: Door) -> bool:
    """Say whether the person of the desk may still work at it; else its session ends here, for looking as well."""
    try:
        await run_in_threadpool(door.desk.person, door.actor)
    except RefusedError:
        door.doorkeeper.leave()
        return False
    return True


def _own(scope: Scope) -> set[str]:
    """Return what the Host header may say: this machine's names with the port that was connected to."""
    server = scope.get("server")
    return {f"{name}:{server[1]}" for name in _NAMES} if server else set()


def _is_own(request: Request) -> bool:
    """Say whether a POST comes from a page of this very site, as the browser tells; one that tells nothing does not."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is None and site is None:
        return False
    return origin in {None, f"http://{request.headers['host']}"} and site in {None, "same-origin"}


async def _has_secret(request: Request, session: Session) -> bool:
    return compare_digest(field(await form(request), "form").encode(), session.form.encode())


async def form(request: Request) -> FormData:
    """Return the fields of a form."""
    return await request.form(max_files=0, max_fields=_FIELDS_AT_MOST)


def field(fields: FormData, name: str) -> str:
    """Return the text of a field, trimmed; empty where there is none."""
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def read(kind: type[E], word: str | None) -> E | None:
    """Return the value a word stands for, or None."""
    return kind(word) if word in {each.value for each in kind} else None


def need(kind: type[E], word: str | None) -> E:
    """Return the value a word stands for. Raises RefusedError for one that stands for none."""
    found = read(kind, word)
    if found is None:
        raise RefusedError
    return found
