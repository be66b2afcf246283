"""What providers call: Twilio tells here what became of a text message, and of one that came in (S-27, S-30 to S-35).

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
from dispatcher.flow.texts_in import INBOUND_PATH, TextIn, TextsIn
from dispatcher.web.one_click import read_body

BODY_AT_MOST = 16 * 1024
"""Bytes of the longest call that tells of a message of ours: Twilio's take about one kilobyte."""
TEXT_AT_MOST = 64 * 1024
"""Bytes of the longest call that tells of a text that came in: 1,600 letters of any script, and ten pictures' names."""
_FIELDS_AT_MOST = 200
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")
_SID = re.compile(r"\w{1,64}", re.ASCII)
_NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Twilio is to send nothing by itself: a text of ours goes out as every other one does (S-22)."""
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
    `texts` takes in what clients text, where that is wanted.
    """

    def __init__(
        self, returns: Returns, public_url: str, secrets: Mapping[str, str], texts: TextsIn | None = None
    ) -> None:
        self._returns = returns
        self._public_url = public_url
        self._validators = {algorithm: RequestValidator(secret) for algorithm, secret in secrets.items()}
        self._texts = texts

    @property
    def takes_texts(self) -> bool:
        """Say whether there is anybody to take in what clients text."""
        return self._texts is not None

    async def status(self, request: Request) -> Response:
        """Keep what became of a message: 204 once it is on disk, 503 where it cannot be kept, 403 without a word."""
        fields = await self._fields(request, STATUS_PATH, BODY_AT_MOST)
        if isinstance(fields, Response):
            return fields
        told = _told(_query(request), fields)
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

    async def inbound(self, request: Request) -> Response:
        """Take in what a client texted: an empty answer once it is on disk, 503 where it cannot be kept (S-22, S-35).

        403 without a word for what Twilio did not sign.
        """
        if self._texts is None:
            return Response(status_code=404)
        fields = await self._fields(request, INBOUND_PATH, TEXT_AT_MOST)
        if isinstance(fields, Response):
            return fields
        text = _text(fields)
        if text is None:
            _LOG.warning("Twilio told of a text message without naming it: nothing was kept")
            return _no_answer()
        try:
            await run_in_threadpool(self._texts.take, text)
        except StorageError as error:
            _LOG.error("A text message that came in could not be kept: %s", error)
            return Response(status_code=503)
        return _no_answer()

    async def _fields(self, request: Request, path: str, at_most: int) -> Mapping[str, str] | Response:
        """Return the fields of a call that Twilio signed for this path, or the answer to any other."""
        body = await read_body(request, at_most + 1)
        if len(body) > at_most:
            return Response(status_code=413)
        fields = self._signed(request, path, body)
        return Response(status_code=403) if fields is None else fields

    def _signed(self, request: Request, path: str, body: bytes) -> Mapping[str, str] | None:
        """Return the fields of a call that Twilio signed, or None for any other (S-30)."""
        signatures, settings = (request.headers.getlist(name) for name in (SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER))
        if len(signatures) != 1 or len(settings) > 1:
            return None
        algorithm = get_signature_algorithm(settings[0] if settings else "")
        validator = self._validators.get(algorithm)
        if validator is None:
            return None
        query = _query(request)
        address = f"{self._public_url}{path}{query and '?'}{query}"
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


def _query(request: Request) -> str:
    return str(request.scope["query_string"].decode("latin-1"))


def _no_answer() -> Response:
    return Response(_NO_ANSWER, media_type="text/xml")


def _text(fields: Mapping[str, str]) -> TextIn | None:
    """Return the text message that a call tells of, or None where it does not name it and its sender."""
    sid, sender = fields.get("MessageSid", ""), fields.get("From", "")
    if not _SID.fullmatch(sid) or not sender:
        return None
    return TextIn(sid, sender, None, fields.get("Body", ""), fields.get("OptOutType", ""))


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
