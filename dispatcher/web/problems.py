"""How the API refuses: a problem document (RFC 9457) that names the field, and never repeats a value that was sent."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from dispatcher.errors import FieldError, NotFoundError, RefusedError, StorageError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = {429: "60", 503: "30"}
_NOT_SAVED = "Nothing was saved: send the same call again in a moment."
_PLAINLY = {
    "missing": "This is needed.",
    "extra_forbidden": "No field of this name is taken: leave it out.",
    "json_invalid": "This is not JSON.",
}
_LOG = logging.getLogger(__name__)


class ProblemError(Exception):
    """A call is refused with this status; the detail is a sentence, `errors` name fields."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


def problem(
    status: int,
    detail: str,
    errors: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    recorded: Sequence[Any] = (),
) -> JSONResponse:
    """Return the response of a problem."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"field": field, "detail": why} for field, why in errors],
        "recorded": list(recorded),
    }
    retry = {"Retry-After": RETRY_SECONDS[status]} if status in RETRY_SECONDS else {}
    return JSONResponse(body, status, {**retry, **(headers or {})}, media_type=MEDIA_TYPE)


def first_of(found: Sequence[Any], status: int = 422) -> ProblemError:
    """Return the problem of a value that pydantic refused, from its list of errors."""
    errors = [(_field(error["loc"]), _why(error)) for error in found]
    return ProblemError(status, errors[0][1], errors)


def install(api: FastAPI) -> None:
    """Let every refusal and every fault of an application end as a problem."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        return _answer(error)

    for kind in (ProblemError, RequestValidationError, HTTPException, RefusedError, NotFoundError, StorageError):
        api.add_exception_handler(kind, refused)
    # Starlette raises such an error once more after the answer, and the guard of the whole site logs where it was.
    api.add_exception_handler(Exception, refused)


def _answer(error: Exception) -> JSONResponse:
    match error:
        case ProblemError():
            return problem(error.status, error.detail, error.errors, error.headers)
        case RequestValidationError():
            found = error.errors()
            return _answer(first_of(found, 400 if found[0]["loc"][0] == "header" else 422))
        case HTTPException():
            return problem(error.status_code, f"{error.detail}.", headers=error.headers)
        case FieldError():
            return problem(422, str(error), [(error.field, str(error))])
        case NotFoundError():
            return problem(404, str(error), [("client", str(error))])
        case RefusedError():
            return problem(409, str(error))
        case StorageError():
            _LOG.error("A call could not be kept or answered: %s", error)
    return problem(503, _NOT_SAVED)


def _field(place: Sequence[int | str]) -> str:
    """Return the place of a value as a path, `answers[0].channel`; a name that nobody knows is cut short."""
    if place and place[0] in {"header", "query"}:
        return str(place[-1]).title() if place[0] == "header" else str(place[-1])
    path = ""
    for step in place:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step[:40]}" if path else step[:40]
    return path


def _why(error: Mapping[str, Any]) -> str:
    said = error.get("ctx", {}).get("error")
    if isinstance(said, ValueError):
        return str(said)
    return _PLAINLY.get(error["type"], f"{error['msg']}.")
