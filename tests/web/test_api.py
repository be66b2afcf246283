"""What a booking system may ask, with which key, and what it is told in trouble: the whole API as its page draws it."""

import json
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from dispatcher.flow.verdicts import Verdicts
from dispatcher.rules.campaign import Language
from dispatcher.rules.scope import Scope
from dispatcher.texts import text
from dispatcher.web.guard import HEADERS
from dispatcher.wiring import opened
from tests.clock import FixedClock
from tests.web.conftest import STOP, YES, Office, changed, lose_journal, on_sqlite, site


class TestVerdict:
    """May this client be written to now."""

    def test_a_no_is_in_force_at_once(self, office: Office) -> None:
        """L-01: a no to everything is a Withhold with its reason, by whichever name the client goes."""
        office.tell(YES)
        assert {"verdict": "send", "channel": "email", "reason": None}.items() <= office.ask(
            customer_number="1207"
        ).json().items()
        office.tell(STOP, "call-2")
        for query in ({"customer_number": "1207"}, {"email": "MAIJA@posti.example"}):
            told = office.ask(**query).json()
            assert ("withhold", None, "objection", None) == tuple(
                told[name] for name in ("verdict", "channel", "reason", "until")
            )

    def test_nobody_looks_like_somebody_who_was_never_asked(self, office: Office) -> None:
        """A client nobody knows and one who never answered get the same answer to the letter."""
        told = [{"channel": "email", "reply": "not_asked", "place": "phone"}]
        client = {"customer_number": "1", "email": "anna@posti.example"}
        assert 201 == office.tell({"client": client, "answers": told}).status_code
        known, unknown = office.ask(email="anna@posti.example"), office.ask(email="nobody@posti.example")
        assert (200, known.content) == (unknown.status_code, unknown.content)
        assert "channel_consent_missing" == known.json()["reason"]
        assert known.content == office.ask(phone="+358401234567").content == office.ask(customer_number="2").content

    def test_the_no_of_a_stranger_is_heard(self, office: Office) -> None:
        """D-02: an address nobody has, whose owner said no, is withheld for the objection, and no client was made."""
        told = office.tell(STOP).json()
        assert (None, False, {}) == (told["client"], told["created"], told["channels"])
        assert [{"client": None, "entry": None, "channel": None, "reply": "withdrawn"}] == told["recorded"]
        assert [] == office.dispatcher.register.listed()
        assert "objection" == office.ask(email="maija@posti.example").json()["reason"]

    @on_sqlite
    @pytest.mark.parametrize("language", Language)
    def test_the_reason_is_told_in_the_language_asked_for(self, office: Office, language: Language) -> None:
        """The sentence is the one that every page shows, in Finnish, Swedish or English."""
        headers = {"Authorization": f"Bearer {office.key}", "Accept-Language": f"{language}-FI, de;q=0.5"}
        told = office.caller.get("/api/v1/verdict?customer_number=1", headers=headers)
        assert text("reason_channel_consent_missing", language) == told.json()["reason_text"]
        assert language == told.headers["content-language"]

    @on_sqlite
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "email=a",
            "phone=09123456",
            "customer_number=%00",
            "mail=a@b.example",
            "email=a@b.example&phone=0401234567",
            "email=a@b.example&email=c@d.example",
            "email=" + "x" * 321,
        ],
    )
    def test_a_question_about_nobody_in_particular(self, office: Office, query: str) -> None:
        """The client is named in exactly one way that can be read."""
        refused = office.caller.get(f"/api/v1/verdict?{query}", headers={"Authorization": f"Bearer {office.key}"})
        assert 422 == refused.status_code
        assert refused.json()["errors"]

    def test_a_plus_sign_may_come_as_a_space(self, office: Office) -> None:
        """A number whose plus was not percent-encoded is the number all the same."""
        office.tell({"client": {"phone": "040 123 4567"}, "answers": STOP["answers"]})
        headers = {"Authorization": f"Bearer {office.key}"}
        told = office.caller.get("/api/v1/verdict?phone=+358401234567", headers=headers).json()
        assert "objection" == told["reason"]


class TestKeys:
    """Who may call, and what the others learn."""

    @pytest.mark.parametrize("call", ["answers", "verdict"])
    @pytest.mark.parametrize("given", [None, "", "Basic x", "Bearer", "Bearer x", "Bearer dsp_1_" + "A" * 43])
    def test_without_a_key_everything_looks_the_same(self, office: Office, call: str, given: str | None) -> None:
        """A wrong key and none get one and the same 401, before a word of the call is read."""
        office.tell(YES)
        headers = {} if given is None else {"Authorization": given}
        known, unknown = (self._call(office, call, headers, who) for who in ("maija", "nobody"))
        assert (401, "Bearer") == (known.status_code, known.headers["www-authenticate"])
        assert known.content == unknown.content
        assert 1 == len(office.entries())

    @pytest.mark.parametrize(("call", "scope"), [("answers", Scope.VERDICT_READ), ("verdict", Scope.ANSWERS_WRITE)])
    def test_a_key_does_what_its_scope_says(self, office: Office, call: str, scope: Scope) -> None:
        """A key without the scope gets one and the same 403, whomever it asks about."""
        office.tell(YES)
        _, key = office.dispatcher.api_keys.create("Toinen", {scope}, office.dispatcher.persons.acting(None))
        headers = {"Authorization": f"Bearer {key}"}
        known, unknown = (self._call(office, call, headers, who) for who in ("maija", "nobody"))
        assert 403 == known.status_code
        assert "insufficient_scope" in known.headers["www-authenticate"]
        assert known.content == unknown.content
        assert 1 == len(office.entries())

    def test_a_revoked_key_opens_nothing_at_once(self, office: Office) -> None:
        """A key is looked up for every call: revoked by another process, it is refused from the next call on."""
        assert 200 == office.ask(customer_number="1").status_code
        with opened(office.dispatcher.directory, office.dispatcher.store.clock) as other:
            other.api_keys.revoke(1, other.persons.acting(None))
        assert 401 == office.ask(customer_number="1").status_code
        assert 401 == office.tell(YES).status_code

    @on_sqlite
    def test_who_tries_keys_is_slowed_down(self, office: Office, clock: FixedClock) -> None:
        """E-15: after some wrong keys in a minute the answer is 429, while a good key is let in from the same place."""
        with TestClient(site(office.dispatcher, invalid_per_minute=2)) as caller:
            statuses = [caller.get("/api/v1/verdict").status_code for _ in range(3)]
            assert [401, 401, 429] == statuses
            good = {"Authorization": f"Bearer {office.key}"}
            assert 200 == caller.get("/api/v1/verdict?customer_number=1", headers=good).status_code
            slowed = caller.get("/api/v1/verdict")
            assert ("60", 429) == (slowed.headers["retry-after"], slowed.json()["status"])
            clock.advance(timedelta(minutes=1))
            assert 401 == caller.get("/api/v1/verdict").status_code

    def _call(self, office: Office, call: str, headers: dict[str, str], who: str) -> Any:
        if call == "verdict":
            return office.caller.get(f"/api/v1/verdict?email={who}@posti.example", headers=headers)
        body = changed("client.email", f"{who}@posti.example")
        return office.caller.post("/api/v1/answers", json=body, headers=headers | {"Idempotency-Key": "x"})


class TestTrouble:
    """Never a false yes."""

    def test_what_cannot_be_kept_gets_no_201(self, office: Office, caplog: pytest.LogCaptureFixture) -> None:
        """D-04: with the journal away a no gets 503 and when to come back; neither key nor address is logged."""
        office.tell(YES)
        lose_journal(office.dispatcher.store)
        caplog.set_level(logging.DEBUG)
        refused = office.tell(STOP, "call-2")
        assert (503, "30") == (refused.status_code, refused.headers["retry-after"])
        assert "application/problem+json" == refused.headers["content-type"]
        assert "send the same call again" in refused.json()["detail"]
        assert 1 == len(office.entries())
        assert [] == [word for word in (office.key, "maija") if word in caplog.text]

    @on_sqlite
    def test_a_fault_of_ours_is_a_problem_too(
        self, office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """X-06: an unexpected error is answered with 503, and its words, which may hold an address, are not logged."""
        address = "maija@posti.example"

        def fails(*_: object) -> None:
            raise ValueError(address)

        monkeypatch.setattr(Verdicts, "of", fails)
        refused = office.ask(email=address)
        assert (503, "about:blank") == (refused.status_code, refused.json()["type"])
        assert "ValueError" in caplog.text
        assert address not in caplog.text


@on_sqlite
class TestDocument:
    """The OpenAPI document, which needs no key."""

    def test_it_is_whole(self, office: Office) -> None:
        """Every reference leads somewhere, every operation needs the key, and every example fits its schema."""
        document = office.caller.get("/api/v1/openapi.json").json()
        whole = json.dumps(document)
        names = set(document["components"]["schemas"])
        assert names
        assert names == {part.partition('"')[0] for part in whole.split('"#/components/schemas/')[1:]}
        assert ["https://viestit.tunturituuli.example/api/v1"] == [each["url"] for each in document["servers"]]
        assert "bearer" == document["components"]["securitySchemes"]["key"]["scheme"]
        for path in document["paths"].values():
            for operation in path.values():
                assert [{"key": []}] == operation["security"]
                assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
        example = document["components"]["schemas"]["CallIn"]["examples"][0]
        schema = {**document["components"]["schemas"]["CallIn"], "components": document["components"]}
        validator = Draft202012Validator(schema)
        validator.check_schema(schema)
        assert [] == list(validator.iter_errors(example))
        assert 201 == office.tell(example).status_code

    def test_nothing_is_loaded_from_elsewhere(self, office: Office) -> None:
        """L-41: there is no page that draws the document with scripts from another host."""
        assert {404} == {office.caller.get(f"/api/v1/{page}").status_code for page in ("docs", "redoc", "")}


@on_sqlite
def test_every_answer_carries_the_headers_and_allows_no_other_site(office: Office) -> None:
    """L-41: the headers of every page stand on the API's answers, and no browser of another site may read them."""
    answers = [office.ask(customer_number="1"), office.caller.get("/api/v1/verdict"), office.tell({})]
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answers.append(office.caller.options("/api/v1/answers", headers=origin))
    for answer in answers:
        assert [] == [name for name in answer.headers if name.startswith("access-control")]
        assert HEADERS == {name: answer.headers[name] for name in HEADERS}


@on_sqlite
def test_the_page_for_booking_systems_tells_the_truth(office: Office) -> None:
    """What docs/api.md shows is what happens: its call, the answer to it, both verdicts, and the problem."""
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    told, recorded, send, withhold, problem = map(
        json.loads, re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    )
    answer = office.tell(told).json()
    numbers = {answer["client"]: recorded["client"]}
    numbers |= {line["entry"]: shown["entry"] for line, shown in zip(*_lines(answer, recorded), strict=True)}
    assert recorded == json.loads(json.dumps(answer), parse_int=lambda digits: numbers[int(digits)])
    assert send == office.ask(email="maija@posti.example").json()
    office.tell(STOP, "call-2")
    assert withhold == office.ask(email="maija@posti.example").json()
    assert problem == office.tell(changed("answers.0.asked_at", None), "call-3").json()


def _lines(*answers: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [answer["recorded"] for answer in answers]
