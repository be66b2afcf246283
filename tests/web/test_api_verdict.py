"""The verdict asked by POST: the answer of GET, with no address in a URL that a front server would log."""

from typing import Any

import pytest
from httpx2 import Response

from tests.web.conftest import Office

PHONE = "+358401234567"
YES = {
    "client": {"customer_number": "1207", "email": "maija@posti.example"},
    "answers": [
        {
            "channel": "email",
            "reply": "granted",
            "asked_at": "2026-11-23T11:58:00+02:00",
            "place": "online",
            "wording": "Saako lähettää tarjouksia sähköpostitse?",
        }
    ],
}
NO = {"client": {"phone": PHONE}, "answers": [{"channel": None, "reply": "withdrawn", "place": "phone"}]}


def posted(office: Office, body: Any, **headers: str) -> Response:
    """Ask for a verdict with this body."""
    given = {"Authorization": f"Bearer {office.key}"} | headers
    return office.caller.post("/api/v1/verdict", json=body, headers=given)


@pytest.mark.parametrize(
    "who", [{"customer_number": "1207"}, {"email": "MAIJA@posti.example"}, {"phone": PHONE}, {"phone": "0409999999"}]
)
def test_post_answers_as_get_does(office: Office, who: dict[str, str]) -> None:
    """L-46: the body names the client, the answer is that of GET to the letter, and nothing is put on record."""
    office.tell(YES)
    office.tell(NO, "call-2")
    before = office.entries()
    told = posted(office, who)
    assert (200, office.ask(**who).content) == (told.status_code, told.content)
    assert before == office.entries()


def test_a_yes_and_a_no_are_told(office: Office) -> None:
    """Who said yes is a `send`, and a stranger's no is heard; null leaves a name out."""
    office.tell(YES)
    office.tell(NO, "call-2")
    assert "send" == posted(office, {"email": "maija@posti.example", "phone": None}).json()["verdict"]
    assert "objection" == posted(office, {"phone": "040 123 4567"}).json()["reason"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ([], 422),
        ({"email": "a"}, 422),
        ({"phone": "09123456"}, 422),
        ({"customer_number": "\x00"}, 422),
        ({"customer_number": 1207}, 422),
        ({"mail": "a@b.example"}, 422),
        ({"email": "a@b.example", "phone": PHONE}, 422),
        ({"email": "x" * 321}, 422),
    ],
)
def test_a_question_about_nobody_in_particular(office: Office, body: Any, status: int) -> None:
    """The client is named in exactly one way that can be read; the refusal names the field."""
    refused = posted(office, body)
    assert status == refused.status_code
    assert refused.json()["errors"]


def test_what_is_no_json_is_refused(office: Office) -> None:
    """The body is JSON and says so; without a key nothing of it is looked at."""
    headers = {"Authorization": f"Bearer {office.key}"}
    for content, kind, status in ((b"{", "application/json", 400), (b"email=a@b.example", "text/plain", 415)):
        asked = headers | {"Content-Type": kind}
        assert status == office.caller.post("/api/v1/verdict", content=content, headers=asked).status_code
    assert 401 == office.caller.post("/api/v1/verdict", json={"email": "a@b.example"}).status_code
