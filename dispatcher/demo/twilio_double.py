"""Twilio's Messages API on loopback: it takes text messages, answers as Twilio does, and sends none."""

import base64
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from dispatcher.demo.loopback import ServerThread
from dispatcher.rules.sms import measure

RETRY_AFTER_SECONDS = 3
"""What a busy double asks for."""

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_SENDER = re.compile(r"\+[1-9]\d{6,14}|(?=.*[A-Za-z])[0-9A-Za-z ]{3,11}")
_LARGEST_PAGE = 1_000
_FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")
_MESSAGES = "/2010-04-01/Accounts/{account}/Messages"

_STATUSES = {20003: 401, 20404: 404, 20429: 429}
_WORDS = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid From Number (caller ID)",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination",
    21609: "The StatusCallback URL is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21612: "Message cannot be sent with the current combination of 'To' and 'From' parameters",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21635: "'To' number cannot be a landline",
    21670: "Media is not supported in this region",
    21671: "Content templates are not supported in this region",
    90007: "Invalid validity period value",
}


class Trouble(StrEnum):
    """What can go wrong with one message besides a refusal by number."""

    BUSY = "busy"
    """429 with Retry-After; the message is not taken."""
    LOST = "lost"
    """The message is taken, but the answer is a 500."""
    HANG = "hang"
    """The message is taken, but no answer comes."""


Script = Callable[[str], Trouble | int | None]
"""What happens to a recipient: a trouble, a Twilio error code such as 21610, or None to take the message."""


ListScript = Callable[[int], int | None]
"""What comes of asking for a page of the list, by its number: an HTTP status such as 503 or 429, or None for it."""
DeleteScript = Callable[[str], int | None]
"""What comes of deleting a message, by its SID: an HTTP status such as 503 or 429, or None to delete it."""


@dataclass(frozen=True, slots=True)
class ReceivedSms:
    """One message as it was taken; `form` is the whole request."""

    sid: str
    sender: str
    recipient: str
    text: str
    segments: int
    form: Mapping[str, str]


def _some_day() -> datetime:
    return datetime(2026, 5, 4, 9, tzinfo=UTC)


class TwilioDouble:
    """Twilio while its `with` block runs: `base_url` and, from any thread, what it has `received`.

    `clock` dates the messages: aware UTC, a fixed day if none is given.
    """

    def __init__(
        self,
        account_sid: str,
        api_key: str,
        api_secret: str,
        script: Script | None = None,
        clock: Callable[[], datetime] = _some_day,
        on_delete: DeleteScript = lambda _sid: None,
        on_list: ListScript = lambda _page: None,
    ) -> None:
        self._account = account_sid
        self._login = base64.b64encode(f"{api_key}:{api_secret}".encode()).decode()
        self._script = script
        self._clock = clock
        self._on_delete = on_delete
        self._on_list = on_list
        self._received: list[ReceivedSms] = []
        self._resources: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._thread = ServerThread(self._app())
        self.base_url = self._thread.base_url

    def __enter__(self) -> Self:
        self._thread.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.stop()

    @property
    def received(self) -> list[ReceivedSms]:
        """Every message taken so far, oldest first, deleted ones included."""
        with self._lock:
            return list(self._received)

    @property
    def held(self) -> list[str]:
        """The SIDs of the messages not deleted yet, oldest first."""
        with self._lock:
            return list(self._resources)

    def text_in(self, sender: str, recipient: str, body: str, at: datetime | None = None) -> str:
        """Have somebody text one of the account's numbers, and return the name the double gives the message."""
        sid, moment = f"SM{secrets.token_hex(16)}", format_datetime(at or self._clock())
        form = {"From": sender, "To": recipient, "Body": body}
        came = {"direction": "inbound", "status": "received", "date_sent": moment}
        resource = _resource(self._account, sid, form, max(measure(body).segments, 1), moment) | came
        with self._lock:
            self._resources[sid] = resource
        return sid

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        one = f"{_MESSAGES}/{{sid}}.json"
        app.add_route(f"{_MESSAGES}.json", self._create, methods=["POST"])
        app.add_route(f"{_MESSAGES}.json", self._list, methods=["GET"])
        app.add_route(one, self._fetch, methods=["GET"])
        app.add_route(one, self._delete, methods=["DELETE"])
        return app

    async def _create(self, request: Request) -> Response:
        if not self._knows(request):
            return refusal(20003)
        form = {key: str(value) for key, value in (await request.form()).items()}
        fault = fault_of(form)
        if fault:
            return refusal(fault)
        doing = self._script(form["To"]) if self._script else None
        if doing is Trouble.BUSY:
            return refusal(20429, {"Retry-After": str(RETRY_AFTER_SECONDS)})
        if isinstance(doing, int):
            return refusal(doing)
        resource = self._take(form)
        if doing is Trouble.LOST:
            return JSONResponse({"code": 20500, "message": "Internal Server Error", "status": 500}, 500)
        if doing is Trouble.HANG:
            await _until_gone(request)
        return JSONResponse(resource, 201)

    async def _list(self, request: Request) -> Response:
        if not self._knows(request):
            return refusal(20003)
        query = request.query_params
        size, page = min(int(query.get("PageSize", "50")), _LARGEST_PAGE), int(query.get("Page", "0"))
        status = self._on_list(page)
        if status is not None:
            return _trouble(status)
        with self._lock:
            found = [row for row in reversed(self._resources.values()) if _matches(row, query)]
        rows = found[page * size : (page + 1) * size]
        asked = {name: query[name] for name in _FILTERS if name in query}
        uri = f"{_MESSAGES.format(account=self._account)}.json?{urlencode({**asked, 'PageSize': size})}"
        body = {"messages": rows, "page": page, "page_size": size, "start": page * size, "uri": f"{uri}&Page={page}"}
        body["end"] = page * size + max(len(rows) - 1, 0)
        body["first_page_uri"] = f"{uri}&Page=0"
        body["previous_page_uri"] = f"{uri}&Page={page - 1}" if page else None
        body["next_page_uri"] = f"{uri}&Page={page + 1}" if len(found) > (page + 1) * size else None
        return JSONResponse(body)

    async def _fetch(self, request: Request) -> Response:
        if not self._knows(request):
            return refusal(20003)
        sid = request.path_params["sid"]
        with self._lock:
            found = self._resources.get(sid)
        return JSONResponse(found) if found else refusal(20404)

    async def _delete(self, request: Request) -> Response:
        if not self._knows(request):
            return refusal(20003)
        sid = request.path_params["sid"]
        status = self._on_delete(sid)
        if status is not None:
            return _trouble(status)
        with self._lock:
            found = self._resources.pop(sid, None)
        return Response(status_code=204) if found else refusal(20404)

    def _knows(self, request: Request) -> bool:
        scheme, _, login = request.headers.get("Authorization", "").partition(" ")
        is_known = secrets.compare_digest(login.encode(), self._login.encode())
        return scheme.lower() == "basic" and is_known and request.path_params["account"] == self._account

    def _take(self, form: Mapping[str, str]) -> dict[str, Any]:
        sid, segments = f"SM{secrets.token_hex(16)}", measure(form["Body"]).segments
        resource = _resource(self._account, sid, form, segments, format_datetime(self._clock()))
        with self._lock:
            self._received.append(ReceivedSms(sid, form["From"], form["To"], form["Body"], segments, form))
            self._resources[sid] = resource
        return resource


def fault_of(form: Mapping[str, str]) -> int:
    """Return the error code Twilio has for a form it cannot use in IE1 (S-22), or 0."""
    sender, recipient, body = (form.get(key, "") for key in ("From", "To", "Body"))
    validity, callback = form.get("ValidityPeriod", "36000"), form.get("StatusCallback", "https://")
    faults = {
        21604: not recipient,
        21603: not sender,
        21670: "MediaUrl" in form,
        21671: "ContentSid" in form,
        21602: not body,
        21211: not _NUMBER.fullmatch(recipient),
        21212: not _SENDER.fullmatch(sender),
        21617: len(body) > 1600,
        90007: not (validity.isdecimal() and 1 <= int(validity) <= 36_000),
        21609: not callback.startswith(("https://", "http://")),
    }
    return next((code for code, is_so in faults.items() if is_so), 0)


def refusal(code: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return Twilio's error answer for a code: `{code, message, more_info, status}`."""
    status = _STATUSES.get(code, 400)
    body = {
        "code": code,
        "message": _WORDS.get(code, "The message was refused"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return JSONResponse(body, status, headers)


def _resource(account: str, sid: str, form: Mapping[str, str], segments: int, moment: str) -> dict[str, Any]:
    uri = f"{_MESSAGES.format(account=account)}/{sid}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": form["Body"],
        "date_created": moment,
        "date_sent": None,
        "date_updated": moment,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": form["From"],
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": form["To"],
        "uri": f"{uri}.json",
    }


def _trouble(status: int) -> JSONResponse:
    if status == 429:
        return refusal(20429, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    return JSONResponse({"code": 20500, "message": "Internal Server Error", "status": status}, status)


def _matches(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Say whether a message is asked for: by its numbers, and by the day, in UTC, on which it was sent (S-26).

    Of one that has not been sent yet nobody knows the day.
    """
    if any(query.get(asked, row[key]) != row[key] for asked, key in (("To", "to"), ("From", "from"))):
        return False
    sent = parsedate_to_datetime(row["date_sent"]).astimezone(UTC).date().isoformat() if row["date_sent"] else ""
    after, before, on = (query.get(f"DateSent{sign}", "")[:10] for sign in (">", "<", ""))
    if not sent:
        return not (after or before or on)
    return after <= sent and (not before or sent <= before) and on in {"", sent}


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
