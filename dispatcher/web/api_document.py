"""The OpenAPI document of the API: what FastAPI knows of the routes, and the bodies and refusals that we answer for."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dispatcher.web.api_models import CallIn, Problem, WhoIn
from dispatcher.web.problems import MEDIA_TYPE, RETRY_SECONDS

TITLE = "Dispatcher for booking systems"
DESCRIPTION = (
    "Tells what clients answered to the marketing question, and asks whether a client may be written to now. Every "
    "call needs a key from `dispatcher api-key create`. A field that this document does not name is refused, so "
    "nothing about treatments can enter."
)
_REF = "#/components/schemas/{model}"
_SAID = {
    400: "The body is not JSON, or an answer's Idempotency-Key is missing or no line of 1 to 200 printable characters.",
    401: "There is no key, or none that works.",
    403: "The key may not be used for this.",
    404: "Nobody has the customer number, and no address was named.",
    409: "Several clients fit, or the yes is about another address than the one on record. The noes were kept.",
    413: "The body is longer than 64 KiB.",
    415: "The body is not application/json.",
    422: "A value cannot be taken, and the noes beside it were kept; or another call has had this Idempotency-Key.",
    429: "Too many calls with keys that do not work.",
    503: "Nothing could be kept or looked up now: send the same call again.",
}
REPLAYED = "Idempotent-Replayed"


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how a route may refuse."""
    return {status: _refusal(status) for status in statuses}


def _refusal(status: int) -> dict[str, Any]:
    example = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": _SAID[status]}
    headers: dict[str, Any] = {}
    if status in RETRY_SECONDS:
        headers["Retry-After"] = _header("After how many seconds it is worth trying again.", "integer")
    if status == 401:
        headers["WWW-Authenticate"] = _header("How to say who calls.", "string")
    if status in {409, 422}:
        headers[REPLAYED] = replayed()
    return {
        "description": _SAID[status],
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": _REF.format(model=Problem.__name__)},
                "example": {**example, "errors": [], "recorded": []},
            }
        },
    }


def replayed() -> dict[str, Any]:
    """Return the description of the header that tells an answer given before."""
    return {**_header("`true` where the call had been taken in before.", "string"), "schema": {"const": "true"}}


def call_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a body that is read as this model."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}},
        }
    }


def complete(api: FastAPI) -> None:
    """Have an application's document name the models that its routes read and refuse with by themselves.

    The document is drawn when it is first asked for: most that open the application never ask.
    """
    draw = api.openapi

    def drawn() -> dict[str, Any]:
        is_new = api.openapi_schema is None
        document = draw()  # kept by the application, so that what is added here stays
        if is_new:
            _, found = models_json_schema(
                [(CallIn, "validation"), (WhoIn, "validation"), (Problem, "serialization")], ref_template=_REF
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for name, schema in found["$defs"].items():
                schemas.setdefault(name, schema)
        return document

    api.openapi = drawn  # type: ignore[method-assign]  # FastAPI's own way to extend a document


def _header(description: str, kind: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}
