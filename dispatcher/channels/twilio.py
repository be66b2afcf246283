"""Hands text messages to Twilio, in its European region (S-20 to S-28)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped] # the library carries no types
from twilio.http.response import Response  # type: ignore[import-untyped] # the same
from twilio.rest import Client  # type: ignore[import-untyped] # the same

from dispatcher.channels import RECALLED, CameIn, Forgotten, MayGo, Sighting, always
from dispatcher.channels.hosts import is_loopback
from dispatcher.channels.twilio_answers import (
    SID,
    Answer,
    came_in_of,
    forgotten_by,
    outcome_of,
    read_object,
    sightings_of,
    unread,
)
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Blame, CampaignMessage, Outcome, OutcomeKind, ServiceMessage, Sms

API = "https://api.twilio.com"
"""What Twilio's client calls before it puts region and edge into the host name."""

_NO_ENVIRONMENT = {"TWILIO_REGION": "", "TWILIO_EDGE": ""}
# An empty mapping would make the client read the process environment, and a region from there would be silent (S-20).
_A_PAGE, _AT_MOST = 50, 200
"""How many messages to one number are asked for at once, and in all: the newest come first."""
_A_LARGE_PAGE, _MOST = 500, 100_000
"""The same of messages that came in: all of them, but for a list without end."""


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """How to reach Twilio. `region` and `edge` are named together, "ie1" and "dublin" for Europe (S-20, S-21).

    `base_url` replaces scheme and host for a double on loopback. Raises ChannelError for a setting that is missing,
    for one of region and edge without the other, and for a base_url that leaves the machine.
    """

    account_sid: str
    api_key: str
    api_secret: str = field(repr=False)
    sender: str
    region: str = "ie1"
    edge: str = "dublin"
    status_callback: str = ""
    base_url: str = ""
    timeout_seconds: float = 15
    sessions: int = 4

    def __post_init__(self) -> None:
        for key in ("account_sid", "api_key", "api_secret", "sender"):
            if not getattr(self, key):
                raise ChannelError(f"Twilio's {key} is missing: write it in dispatcher.toml or in the secrets file")
        if bool(self.region) != bool(self.edge):
            raise ChannelError('Twilio needs region and edge together: write region = "ie1" and edge = "dublin"')
        if self.base_url and not is_loopback(urlsplit(self.base_url).hostname or ""):
            raise ChannelError(f"Twilio's base_url {self.base_url} leaves this machine: remove it from dispatcher.toml")


class TwilioCarrier:
    """Carries text messages through Twilio. `host` is whom the EU guard asks about (L-42)."""

    name = "twilio"

    def __init__(self, settings: TwilioSettings) -> None:
        self._settings = settings
        self.sessions = settings.sessions
        spoken_to = settings.base_url or _client(settings, AsyncHttpClient(logger=None, is_async=True)).get_hostname(
            API
        )
        self.host = urlsplit(spoken_to).hostname or ""

    def came_in(self, since: date) -> tuple[CameIn, ...]:
        """Return what was texted to the sender's number on this day, by UTC, or since; oldest first.

        It waits for Twilio, in a loop of its own. Raises ChannelError where Twilio does not say.
        """

        async def ask() -> tuple[CameIn, ...]:
            async with self.session() as session:
                return await session.came_in(since)

        return asyncio.run(ask())

    @asynccontextmanager
    async def session(self) -> AsyncIterator["TwilioSession"]:
        """Open one HTTP connection pool of one; the connection itself is made by the first message."""
        transport = _OneConnection(self._settings)
        try:
            yield TwilioSession(self._settings, transport)
        finally:
            await transport.close()


class TwilioSession:
    """One connection to Twilio; it carries one message at a time."""

    def __init__(self, settings: TwilioSettings, transport: "_OneConnection") -> None:
        self._settings = settings
        self._transport = transport
        self._client = _client(settings, transport)
        self._turn = asyncio.Lock()

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Create one message at Twilio and return what became of it; nothing is ever posted twice (S-24, S-25).

        Whatever is lost before a connection stood is deferred; after it, every doubt is unknown, whatever the other
        side sent. Raises TypeError for anything but a text message.
        """
        sms = message.content
        if not isinstance(sms, Sms):
            raise TypeError("Twilio carries text messages only")
        async with self._turn:
            return await self._create(message.message_id, sms, may_go)

    async def forget(self, provider_id: str) -> Forgotten:
        """Have one message deleted at Twilio (S-28): gone is what it deletes now and what it does not know any more."""
        if not SID.fullmatch(provider_id):
            raise ValueError("this is no name Twilio gave")
        async with self._turn:
            self._transport.begin()
            # Whatever went wrong, what came back tells more than an exception: without an answer nothing is confirmed.
            with suppress(Exception):
                await self._client.messages(provider_id).delete_async()
            return forgotten_by(self._transport.answer)

    async def taken_for(self, recipient: str) -> tuple[Sighting, ...] | None:
        """Return the newest messages that Twilio has for a number, or None where it did not say (S-26).

        There is no filter by date: a message that has not been sent yet has none, and the filter goes by whole days.
        """
        async with self._turn:
            pages: list[Answer] = []
            self._transport.begin(pages)
            try:
                await self._client.messages.list_async(to=recipient, limit=_AT_MOST, page_size=_A_PAGE)
            except Exception:  # noqa: BLE001 - no answer is no news of the message, whatever it came from
                return None
            return sightings_of(pages) if pages else None

    async def came_in(self, since: date) -> tuple[CameIn, ...]:
        """Do what the carrier's `came_in` does, on this connection."""
        async with self._turn:
            pages: list[Answer] = []
            self._transport.begin(pages)
            try:
                # The filter goes by whole days of UTC, whatever hour it is given (S-26).
                await self._client.messages.list_async(
                    to=self._settings.sender, date_sent_after=since, page_size=_A_LARGE_PAGE, limit=_MOST
                )
            except Exception:  # noqa: BLE001 - whatever it was, the answer says more, or there was none
                raise unread(pages[-1] if pages and pages[-1].status != 200 else None) from None
            return came_in_of(pages)

    async def _create(self, message_id: str, sms: Sms, may_go: MayGo) -> Outcome:
        self._transport.begin(may_go=may_go)
        callback = self._settings.status_callback
        more = {"status_callback": f"{callback}?s={quote(message_id, safe='')}"} if callback else {}
        try:
            await self._client.messages.create_async(
                to=sms.recipient,
                from_=self._settings.sender,
                body=sms.text,
                validity_period=sms.validity_seconds,
                smart_encoded=False,
                **more,
            )
        except Exception:  # noqa: BLE001 - an exception that escaped would end the sender and lose this message's fate
            if self._transport.is_recalled:
                return RECALLED
            if not self._transport.is_connected:
                return Outcome(OutcomeKind.DEFERRED, blame=Blame.CONNECTION)
            # Where the client could not make a message of the answer, the answer says more than its exception.
        return outcome_of(self._transport.answer) if self._transport.answer else Outcome(OutcomeKind.UNKNOWN)


class _OneConnection(AsyncHttpClient):  # type: ignore[misc] # the library carries no types
    """Twilio's way to make a request, over one connection of ours: a timeout that holds, no retry, no log (L-46).

    `is_connected` says whether the request of now may have been sent, `is_recalled` that its words were not given
    away after all; `answer` is what came back.
    """

    def __init__(self, settings: TwilioSettings) -> None:
        super().__init__(logger=None, is_async=True)
        self._base_url = settings.base_url.rstrip("/")
        watch = aiohttp.TraceConfig()
        watch.on_connection_create_end.append(self._mark)
        watch.on_connection_reuseconn.append(self._mark)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1),
            timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds),
            trace_configs=[watch],
        )
        self.begin()

    def begin(self, pages: list[Answer] | None = None, may_go: MayGo = always) -> None:
        """Forget the request before; `pages` takes every answer of a request that needs several.

        `may_go` is asked once the connection stands: that may have taken long, and nothing leaves after a no.
        """
        self.is_connected = self.is_recalled = False
        self._may_go = may_go
        self.answer: Answer | None = None
        self._pages = pages

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - Twilio's signature; the timeout is the settings'
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002 - the same; never followed
    ) -> Response:
        """Make one request and return its answer."""
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        async with self._http.request(
            method,
            self._address(uri),
            params={key: str(value) for key, value in (params or {}).items()},
            data=_Words(urlencode(data, doseq=True).encode(), self._may_still_go) if data else None,
            headers=sent,
            allow_redirects=False,
        ) as response:
            # JSON is UTF-8 (RFC 8259); the page of a proxy in between may be anything, whatever it calls itself.
            text = (await response.read()).decode(errors="replace")
            self.answer = Answer(response.status, response.headers, read_object(text))
            if self._pages is not None:
                self._pages.append(self.answer)
            return Response(response.status, text, response.headers)

    def _address(self, uri: str) -> str:
        parts = urlsplit(uri)
        return f"{self._base_url}{parts.path}{parts.query and '?'}{parts.query}" if self._base_url else uri

    async def _mark(self, *_: object) -> None:
        self.is_connected = True

    async def _may_still_go(self) -> bool:
        self.is_recalled = not await self._may_go()
        return not self.is_recalled


class _Words(aiohttp.BytesPayload):
    """The body of a request, kept back where it may not go any more when its turn comes."""

    def __init__(self, words: bytes, may_go: MayGo) -> None:
        super().__init__(words, content_type="application/x-www-form-urlencoded")
        self._may_go = may_go

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the body. Raises PermissionError where it may not go."""
        if not await self._may_go():
            raise PermissionError
        await super().write_with_length(writer, content_length)


def _client(settings: TwilioSettings, transport: AsyncHttpClient) -> Client:
    return Client(
        settings.api_key,
        settings.api_secret,
        settings.account_sid,
        region=settings.region,
        edge=settings.edge,
        environment=_NO_ENVIRONMENT,
        http_client=transport,
    )
