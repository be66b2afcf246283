"""The mail server, the SMS service and the web server of one demo: real servers, on this machine alone."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from dispatcher.demo import smtp_double
from dispatcher.demo.loopback import ServerThread
from dispatcher.demo.places import Places
from dispatcher.demo.sample import ACCOUNT_SID, API_KEY
from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import Trouble, TwilioDouble
from dispatcher.errors import RefusedError

PORT = 8026
"""Where the opt-out page answers if nobody says otherwise: always there, so that links in saved mails keep working."""

_CLOSED = PlainTextResponse("The studio is closed.\n", 503)


class MailTroubles:
    """How the mail server treats two of its recipients; `tries` counts how often each recipient was named to it."""

    def __init__(self, *, gone: str | None, busy: str | None) -> None:
        self._gone = gone
        self._busy = busy
        self.tries: Counter[str] = Counter()

    def __call__(self, recipient: str) -> str | None:
        """Return the reply to a recipient, or None to take the mail."""
        self.tries[recipient] += 1
        if recipient == self._gone:
            return "550 5.1.1 There is no such mailbox here"
        if recipient == self._busy and self.tries[recipient] == 1:
            return "451 4.3.0 Busy, come back later"
        return None


class SmsTroubles:
    """How the SMS service treats two numbers; `tries` counts how often each was asked for."""

    def __init__(self, *, lost: str | None, blocked: str | None) -> None:
        self._lost = lost
        self._blocked = blocked
        self.tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, recipient: str) -> Trouble | int | None:
        """Return what happens to a message to this number."""
        with self._lock:
            self.tries[recipient] += 1
            is_first = self.tries[recipient] == 1
        if recipient == self._blocked:
            return 21610
        return Trouble.LOST if recipient == self._lost and is_first else None


@dataclass(frozen=True, slots=True)
class Doubles:
    """What makes the two doubles; a test puts a worse one in its place."""

    smtp: Callable[[smtp_double.Script], SmtpDouble] = SmtpDouble
    twilio: Callable[..., TwilioDouble] = TwilioDouble


class Front:
    """The one web address of the demo: the opt-out page, and beside it the inbox and its files."""

    def __init__(self, places: Places) -> None:
        self.public: ASGIApp = _CLOSED
        folders = (places.pages, places.mail, places.sms)
        self._shown = Starlette(
            routes=[
                Route("/", _file(places.inbox)),
                Route(f"/{places.inbox.name}", _file(places.inbox)),
                *(Mount(f"/{folder.name}", StaticFiles(directory=folder, check_dir=False)) for folder in folders),
            ]
        )
        # Named one by one: the workspace, with its keys, lies beside them and must never be served.
        self._paths = frozenset({"/", f"/{places.inbox.name}"})
        self._prefixes = tuple(f"/{folder.name}/" for folder in folders)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError("only pages are served here")
        is_shown = scope["path"] in self._paths or scope["path"].startswith(self._prefixes)
        await (self._shown if is_shown else self.public)(scope, receive, send)


class Stage:
    """Every server of one demo, up while the block of `up` runs."""

    def __init__(
        self,
        places: Places,
        mail_troubles: MailTroubles,
        sms_troubles: SmsTroubles,
        clock: Callable[[], datetime],
        port: int | None = None,
        doubles: Doubles | None = None,
    ) -> None:
        make = doubles or Doubles()
        self.api_secret = secrets.token_hex(16)
        self.mail_troubles = mail_troubles
        self.sms_troubles = sms_troubles
        self._front = Front(places)
        self._web = _web_server(self._front, port)
        self.mail = make.smtp(mail_troubles)
        self.texts = make.twilio(ACCOUNT_SID, API_KEY, self.api_secret, sms_troubles, clock)
        self.public_url = self._web.base_url
        self.web_port = self._web.port

    @contextmanager
    def up(self) -> Iterator[None]:
        """Keep the mail server, the SMS service and the web server up."""
        with self.mail, self.texts, self._web:
            yield

    @contextmanager
    def open_to_public(self, public: ASGIApp) -> Iterator[None]:
        """Let this application answer on the opt-out links."""
        self._front.public = public
        try:
            yield
        finally:
            self._front.public = _CLOSED


def _file(path: Path) -> Callable[[Request], Response]:
    return lambda _: FileResponse(path)


def _web_server(front: Front, port: int | None) -> ServerThread:
    try:
        return ServerThread(front, PORT if port is None else port)
    except OSError as error:
        if port is None:
            return ServerThread(front)
        raise RefusedError(
            f"Nothing can be served on port {port} ({error.strerror}): name another with --port, or leave it out."
        ) from None
