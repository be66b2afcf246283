"""What a booking system calls: tells answers, asks for verdicts. Every call needs a key with the scope for it.

A refusal of the key comes before anything else of a call is looked at, so without one nobody learns who is known here.
Neither keys nor addresses are logged.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Query, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from dispatcher.flow.api_keys import ApiKey, ApiKeys
from dispatcher.flow.bookings import Bookings
from dispatcher.flow.calls import Call
from dispatcher.flow.verdicts import Standing, Verdicts
from dispatcher.rules.address import AddressError, canonical
from dispatcher.rules.campaign import Channel
from dispatcher.rules.decision import Send, Withhold
from dispatcher.rules.ledger import stamp
from dispatcher.rules.names import NAME_LENGTH, HiddenCharacterError, readable
from dispatcher.rules.scope import Scope
from dispatcher.texts import text
from dispatcher.web.api_calls import call_of, clear_noes
from dispatcher.web.api_document import DESCRIPTION, REPLAYED, TITLE, call_body, complete, refusals, replayed
from dispatcher.web.api_models import CallIn, Recorded, VerdictOut, WhoIn
from dispatcher.web.attempts import LIMIT, Attempts, host_of
from dispatcher.web.one_click import read_body
from dispatcher.web.page import language_of
from dispatcher.web.problems import ProblemError, first_of, install, problem

BODY_AT_MOST = 64 * 1024
"""Bytes of the longest call."""
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key that `dispatcher api-key create` has shown, as a bearer token.",
)
_ANYTHING = TypeAdapter(object)
_GUARDED = (401, 403, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Needs:
    """Lets a call in whose key works and has this scope."""

    scope: Scope
    keys: ApiKeys
    attempts: Attempts

    async def __call__(
        self, request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> ApiKey:
        """Return the key of a call. Raises ProblemError: 401, 403, or 429 for who keeps trying keys."""
        key = await run_in_threadpool(self.keys.check, given.credentials) if given else None
        if key is None:
            if not self.attempts.allow(host_of(request)):
                raise ProblemError(429, "Too many calls with keys that do not work: wait a minute.")
            raise ProblemError(401, "There is no key here, or none that works.", headers={"WWW-Authenticate": "Bearer"})
        if self.scope not in key.scopes:
            asked = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{self.scope}"'}
            raise ProblemError(403, f"This key has not the scope {self.scope}.", headers=asked)
        return key


def create_api(
    bookings: Bookings,
    verdicts: Verdicts,
    keys: ApiKeys,
    clock: Callable[[], datetime],
    *,
    public_url: str,
    region: str = "FI",
    invalid_per_minute: int = LIMIT,
) -> FastAPI:
    """Return the application to be served at `/api/v1` of the public address.

    `region` is the country of phone numbers without a code, `invalid_per_minute` how many keys that do not work each
    caller may try.
    """
    api = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version="1",
        servers=[{"url": f"{public_url.rstrip('/')}/api/v1"}],
        root_path_in_servers=False,
        docs_url=None,  # their looks would come from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # see web/public.py
    )
    install(api)
    attempts = Attempts(clock, invalid_per_minute)
    may_tell, may_ask = (Needs(scope, keys, attempts) for scope in (Scope.ANSWERS_WRITE, Scope.VERDICT_READ))

    @api.post(
        "/answers",
        status_code=201,
        summary="Tell what a client answered",
        response_model=Recorded,
        responses={201: {"headers": {REPLAYED: replayed()}}, **refusals(400, 404, 409, 413, 415, *_GUARDED)},
        openapi_extra=call_body(CallIn),
    )
    async def post_answers(
        request: Request,
        key: Annotated[ApiKey, Depends(may_tell)],
        idempotency_key: Annotated[
            str,
            Header(
                pattern=r"^[!-~](?:[ -~]{0,198}[!-~])?$",
                description="Names this call: the same call may be sent again under it, another never.",
            ),
        ],
    ) -> JSONResponse:
        """Put answers on record. They are on disk, and in force, before this is answered with 201."""
        call = _read(await _json(request), idempotency_key, region)
        receipt = await run_in_threadpool(bookings.take, call, key)
        headers = {REPLAYED: "true"} if receipt.is_replay else {}
        if receipt.faults:
            return problem(422, receipt.faults[0][1], receipt.faults, headers, receipt.recorded)
        if receipt.conflict is not None:
            _, why = receipt.conflict
            return problem(409, why, [receipt.conflict], headers, receipt.recorded)
        return JSONResponse(receipt.body, 201, headers)

    @api.get(
        "/verdict",
        summary="Ask whether a client may be written to",
        response_model=VerdictOut,
        responses=refusals(*_GUARDED),
        dependencies=[Depends(may_ask)],
    )
    async def get_verdict(
        request: Request,
        customer_number: Annotated[str | None, Query(max_length=NAME_LENGTH)] = None,
        email: Annotated[str | None, Query(max_length=320)] = None,
        phone: Annotated[str | None, Query(max_length=40)] = None,
    ) -> JSONResponse:
        """Return the verdict for an offer that would go out now; name the client in exactly one way."""
        named = {"customer_number": customer_number, "email": email, "phone": phone}
        for name in request.query_params:
            if name not in named or len(request.query_params.getlist(name)) > 1:
                why = "Name the client in one way, once: there is no other parameter."
                raise ProblemError(422, why, [(name[:40], why)])
        if phone and phone.startswith(" "):  # a plus sign that was not percent-encoded arrives as a space
            named["phone"] = f"+{phone[1:]}"
        return await answered(named, request)

    @api.post(
        "/verdict",
        summary="Ask whether a client may be written to, with the address in the body",
        response_model=VerdictOut,
        responses=refusals(400, 413, 415, *_GUARDED),
        openapi_extra=call_body(WhoIn),
        dependencies=[Depends(may_ask)],
    )
    async def post_verdict(request: Request) -> JSONResponse:
        """Return the same verdict without an address in a URL, which servers on the way log; nothing is changed."""
        return await answered(_who(await _json(request)).model_dump(), request)

    async def answered(named: Mapping[str, str | None], request: Request) -> JSONResponse:
        number, addresses = _asked({name: value for name, value in named.items() if value}, region)
        standing = await run_in_threadpool(verdicts.of, number, addresses)
        return _verdict(standing, request)

    complete(api)
    return api


async def _json(request: Request) -> bytes:
    """Return the body of a call. Raises ProblemError for one that is no JSON by name, or too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(415, "The body has to be application/json.")
    body = await read_body(request, BODY_AT_MOST + 1)
    if len(body) > BODY_AT_MOST:
        raise ProblemError(413, f"The body is longer than {BODY_AT_MOST // 1024} KiB.")
    return body


def _read(body: bytes, idempotency_key: str, region: str) -> Call:
    """Return the call of a body, or its noes where it cannot be taken. Raises ProblemError where there are none."""
    try:
        sent = CallIn.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise ProblemError(400, "The body is not JSON.") from None
        refused, parsed = first_of(found), _ANYTHING.validate_json(body)
        left = clear_noes(parsed)
        if left is None:
            raise refused from None
        return call_of(*left, json.dumps(parsed, sort_keys=True), idempotency_key, region, refused.errors)
    # Read and written again: spaces, and what is left out or null, make no other call of it.
    return call_of(sent.client, sent.answers, sent.model_dump_json(), idempotency_key, region)


def _who(body: bytes) -> WhoIn:
    try:
        return WhoIn.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise ProblemError(400, "The body is not JSON.") from None
        raise first_of(found) from None


def _asked(named: dict[str, str], region: str) -> tuple[str | None, dict[Channel, str]]:
    if len(named) != 1:
        why = "Name the client by one of customer_number, email and phone."
        raise ProblemError(422, why, [("customer_number", why)])
    [(name, value)] = named.items()
    try:
        if name == "customer_number":
            return readable(value), {}
        channel = Channel.EMAIL if name == "email" else Channel.SMS
        return None, {channel: canonical(channel, value, region)}
    except HiddenCharacterError as error:
        raise ProblemError(422, str(error), [(name, str(error))]) from None
    except AddressError:
        why = "This is not an email address." if name == "email" else "This is not a mobile number."
        raise ProblemError(422, why, [(name, why)]) from None


def _verdict(standing: Standing, request: Request) -> JSONResponse:
    verdict, language = standing.verdict, language_of(request, None)
    reason = None if isinstance(verdict, Send) else verdict.reason
    channel = None if isinstance(verdict, Withhold) else verdict.channel
    body = {
        "verdict": type(verdict).__name__.lower(),
        "channel": channel.value if channel else None,
        "reason": reason.value if reason else None,
        "reason_text": text(f"reason_{reason}", language) if reason else None,
        "until": stamp(standing.until) if standing.until else None,
    }
    return JSONResponse(body, headers={"Content-Language": language.value})
