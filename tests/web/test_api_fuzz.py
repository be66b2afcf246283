"""The API against everything its own document allows, much that it does not, and calls that are nearly right."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.web.conftest import Office, site

TIMED = ("asked_at", "not_before", "not_after")
FEW = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),  # what a schema allows is filtered a lot, and one office serves them all
)
ADDRESSES = {
    "customer_number": ["1", "2", "3"],
    "email": ["maija@posti.example", "ERIK@posti.example", "anna@posti.example"],
    "phone": ["040 123 4567", "+358401234568", "(040) 1234569"],
}
NAMES = ["Maija", "Eeva-Maija", "O'Brien"]
TIMES = ["2026-11-23T12:00:00+02:00", "2026-11-20T23:59:59.5Z", "2026-11-23T12:00:30+02:00"]
"""Now, some days ago, and half a minute ahead."""
WORDS = ["Saako lähettää tarjouksia sähköpostitse?", "Saako lähettää tarjouksia sähköpostitse ja tekstiviestillä?"]
BAD = ["no address", "09 123 456", "=?utf-8?q?Bcc?=", "www.x", "M\x07", "\x00", "\u202e", "x" * 2_001, 1, [], {}]
BAD += ["2027-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-03-29T03:30:00", "0001-01-01T00:00:00+14:00", None, ""]
"""What is wrong somewhere: among it the future, no such day, no offset, and a year that ends before it begins."""


def mostly(good: list[Any]) -> st.SearchStrategy[Any]:
    """Draw a good value, and seldom a bad one."""
    return st.sampled_from(good * 120 + BAD)


CLIENTS = st.fixed_dictionaries(
    {},
    optional={name: mostly(values) for name, values in ADDRESSES.items()}
    | {"first_name": mostly(NAMES), "last_name": mostly(NAMES), "language": mostly(["fi", "sv", "en"])},
)
PLACES = ["online", "phone", "email", "in_person"]
YESES = st.fixed_dictionaries(
    {
        "channel": mostly(["email", "sms"]),
        "reply": st.just("granted"),
        "place": mostly(PLACES),
        "asked_at": mostly(TIMES),
        "wording": mostly(WORDS),
    },
    optional={"booking": mostly(["V-1", "V-2"])},
)
OTHERS = st.fixed_dictionaries(
    {
        "channel": mostly(["email", "sms", None, None]),
        "reply": mostly(["declined", "withdrawn", "withdrawn", "not_asked"]),
        "place": mostly(PLACES),
    },
    optional={name: mostly(TIMES) for name in TIMED},
)
STOPS = st.fixed_dictionaries({"channel": st.none(), "reply": st.just("withdrawn"), "place": mostly(PLACES)})
CALLS = st.fixed_dictionaries({"client": CLIENTS, "answers": st.lists(YESES | OTHERS | STOPS, min_size=1, max_size=3)})


@dataclass(frozen=True, slots=True)
class Fuzzer:
    """Sends what hypothesis thinks up to the whole application of an office, and holds each answer to the document."""

    office: Office
    app: FastAPI

    def operations(self) -> list[APIOperation[Any, Any, Any, Any]]:
        """Return every operation of the document that the application serves."""
        schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", self.app)
        return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]

    def send(
        self,
        cases: st.SearchStrategy[Case[Any]],
        heed: Callable[[Case[Any], int, Any], None] = lambda *_: None,
        most: int = 30,
    ) -> set[int]:
        """Send cases with a key, tell `heed` of each with status and body, and return every status there was."""
        statuses: set[int] = set()

        @settings(FEW, max_examples=most)
        @given(case=cases)
        def sent(case: Case[Any]) -> None:
            response = case.call(headers={"Authorization": f"Bearer {self.office.key}"})
            # JSON Schema cannot say that a yes needs its time, or that two values exclude each other.
            case.validate_response(response, excluded_checks=[positive_data_acceptance])
            statuses.add(response.status_code)
            heed(case, response.status_code, response.json())

        sent()
        return statuses


@pytest.fixture
def fuzzer(office: Office) -> Fuzzer:
    """Give a fuzzer that may try as many wrong keys as it likes, on SQLite and on PostgreSQL."""
    return Fuzzer(office, site(office.dispatcher, invalid_per_minute=1_000_000))


@pytest.mark.parametrize("mode", GenerationMode)
def test_whatever_is_sent_is_answered_as_documented(fuzzer: Fuzzer, mode: GenerationMode) -> None:
    """No call makes the server fail; every answer has a documented status, type, headers and shape."""
    for operation in fuzzer.operations():
        statuses = fuzzer.send(operation.as_strategy(generation_mode=mode))
        assert statuses
        assert max(statuses) < 500


def test_calls_that_are_nearly_right(fuzzer: Fuzzer) -> None:
    """Of good and bad values mixed, a call is kept or refused as documented, and nobody is a Send after a no to all."""
    tell = next(each for each in fuzzer.operations() if each.method == "post")
    names = st.uuids().map(str) | st.sampled_from(["a", "b", ""])
    cases = st.builds(
        lambda body, name: tell.Case(body=body, media_type="application/json", headers={"Idempotency-Key": name}),
        CALLS,
        names,
    )
    noes = 0

    def heed(case: Case[Any], status: int, body: Any) -> None:
        nonlocal noes
        sent: Any = case.body
        said_now = any(each["channel"] is None and not set(TIMED) & each.keys() for each in sent["answers"])
        if status == 201 and said_now and any(each["channel"] is None for each in body["recorded"]):
            noes += 1
            for way in ("email", "phone"):
                if sent["client"].get(way) in ADDRESSES[way]:
                    assert "withhold" == fuzzer.office.ask(**{way: sent["client"][way]}).json()["verdict"]

    assert {201, 400, 409, 422} == fuzzer.send(cases, heed, 200) - {404}
    assert noes > 5
