"""What providers call: Twilio tells here what became of a text message (S-27, S-30 to S-32).

Nothing of a call means anything before its signature is known to be Twilio's. Whoever has none learns nothing, and no
number, token or body is logged.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qs, parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from twilio.request_validator import (  # type: ignore[import-untyped] # the library carries no types
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from dispatcher.errors import StorageError
from dispatcher.flow.returns import STATUS_PATH, Returns, Told, text_fate
from dispatcher.web.one_click import read_body

BODY_AT_MOST = 16 * 1024
"""Bytes of the longest call: Twilio's take about one kilobyte."""
_FIELDS_AT_MOST = 200
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")
_SID = re.compile(r"\w{1,64}", re.ASCII)
_LOG = logging.getLogger(__name__)


class Fields(Mapping[str, str]):
    """The fields of a form as they were sent, nothing trimmed and none left out, for the library to sign again."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        """Return every value of a field."""
        return self._values[name]


class TwilioDoor:
    """Answers Twilio's calls: `secrets` has one for each algorithm that is accepted, `public_url` is our own host.

    The address that was signed is made of the settings: what a request says of its host anybody can write (S-31).
    """

    def __init__(self, returns: Returns, public_url: str, secrets: Mapping[str, str]) -> None:
        self._returns = returns
        self._address = f"{public_url}{STATUS_PATH}"
        self._validators = {algorithm: RequestValidator(secret) for algorithm, secret in secrets.items()}

    async def status(self, request: Request) -> Response:
        """Keep what became of a message: 204 once it is on disk, 503 where it cannot be kept, 403 without a word."""
        body = await read_body(request, BODY_AT_MOST + 1)
        if len(body) > BODY_AT_MOST:
            return Response(status_code=413)
        query = request.scope["query_string"].decode("latin-1")
        fields = self._signed(request, query, body)
        if fields is None:
            return Response(status_code=403)
        told = _told(query, fields)
        if told is None:
            _LOG.warning("Twilio told of a message in words that are not known: nothing was kept")
            return Response(status_code=204)
        try:
            is_ours = await run_in_threadpool(self._returns.take, told)
        except StorageError as error:
            _LOG.error("What Twilio told of a message could not be kept: %s", error)
            return Response(status_code=503)
        if not is_ours:
            _LOG.warning("Twilio told of a message that is none of ours, or of one that is kept no longer")
        return Response(status_code=204)

    def _signed(self, request: Request, query: str, body: bytes) -> Mapping[str, str] | None:
        """Return the fields of a call that Twilio signed, or None for any other (S-30)."""
        signatures, settings = (request.headers.getlist(name) for name in (SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER))
        if len(signatures) != 1 or len(settings) > 1:
            return None
        algorithm = get_signature_algorithm(settings[0] if settings else "")
        validator = self._validators.get(algorithm)
        if validator is None:
            return None
        address = f"{self._address}?{query}" if query else self._address
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            text = body.decode()
            if kind == "application/json":
                # Of such a body only the address is signed, and the hash in it: without one anything could be in it.
                has_hash = "bodySHA256" in parse_qs(query)
                is_genuine = has_hash and validator.validate(address, text, signatures[0], algorithm)
                return _of_json(text) if is_genuine else None
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_AT_MOST)
        except ValueError:
            return None
        fields = Fields(pairs)
        return fields if validator.validate(address, fields, signatures[0], algorithm) else None


def _of_json(text: str) -> Mapping[str, str] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else None


def _told(query: str, fields: Mapping[str, str]) -> Told | None:
    """Return what a call tells, or None where it names no message of ours or of Twilio's."""
    ours = parse_qs(query).get("s", [""])
    sid = fields.get("MessageSid", "")
    if len(ours) != 1 or not _MESSAGE_ID.fullmatch(ours[0]) or not _SID.fullmatch(sid):
        return None
    fate = text_fate(fields.get("MessageStatus", ""), fields.get("ErrorCode", ""))
    return Told(ours[0], "twilio", sid, "callback", fate)
