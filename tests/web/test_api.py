"""What a booking system is promised, through the whole application, on both databases."""

import copy
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
from tests.web.conftest import Office, lose_journal, on_sqlite, site

YES: dict[str, Any] = {
    "client": {"customer_number": "1207", "email": "maija@posti.example", "first_name": "Maija"},
    "answers": [
        {
            "channel": "email",
            "reply": "granted",
            "asked_at": "2026-11-23T11:58:00+02:00",
            "place": "online",
            "wording": "Saako lähettää tarjouksia sähköpostitse?",
            "booking": "V-88231",
        }
    ],
}
STOP: dict[str, Any] = {
    "client": {"email": "maija@posti.example"},
    "answers": [{"channel": None, "reply": "withdrawn", "place": "phone"}],
}


def changed(path: str, value: object, body: dict[str, Any] = YES) -> dict[str, Any]:
    """Return a call with the value at this path, such as `answers.0.channel`, put in or replaced."""
    whole = copy.deepcopy(body)
    at: Any = whole
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step) if step.isdecimal() else step]
    at[last] = value
    return whole


def test_a_yes_is_recorded_and_told_back(office: Office, clock: FixedClock) -> None:
    """A new client is enlisted, the answer stands in the ledger under the key's number, and the state is told back."""
    answer = office.tell(YES)
    assert answer.status_code == 201
    told = answer.json()
    [entry] = office.entries()
    assert {"client": entry.client, "created": True, "warnings": []}.items() <= told.items()
    line = {"client": entry.client, "entry": entry.id, "channel": "email", "reply": "granted"}
    assert [line] == told["recorded"]
    assert "booking_system:1" == entry.actor
    assert {"online", "2026-11-23T09:58:00.000000Z"} <= set(map(str, entry.data().values()))
    assert {"state": "granted", "until": "2027-11-23T09:58:00.000000Z"} == told["channels"]["email"]
    assert {"state": "never_asked", "until": None} == told["channels"]["sms"]
    assert "V-88231" not in entry.body
    clock.advance(timedelta(days=364))
    assert "send" == office.ask(email="maija@posti.example").json()["verdict"]
    clock.advance(timedelta(days=1))
    assert "consent_expired" == office.ask(customer_number="1207").json()["reason"]


def test_the_same_call_again_gets_the_same_answer(office: Office) -> None:
    """Status and body come again to the letter, with a header that says so, and nothing is recorded a second time."""
    first, again = office.tell(YES), office.tell(json.loads(json.dumps(YES, sort_keys=True)))
    assert (201, 201) == (first.status_code, again.status_code)
    assert first.content == again.content
    assert (None, "true") == (first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed"))
    assert 1 == len(office.entries())


def test_another_call_under_the_same_key_is_refused(office: Office) -> None:
    """A key that names another call already is an error that says so, and nothing is recorded."""
    office.tell(YES)
    refused = office.tell(STOP)
    assert (422, "Idempotency-Key") == (refused.status_code, refused.json()["errors"][0]["field"])
    assert 1 == len(office.entries())
    assert 201 == office.tell(STOP, "call-2").status_code


@on_sqlite
@pytest.mark.parametrize("name", [None, "", "x" * 201, "ä", "a\tb"])
def test_a_call_needs_a_key_of_its_own(office: Office, name: str | None) -> None:
    """The Idempotency-Key has 1 to 200 printable characters; without it nothing is taken in."""
    headers = [(b"Authorization", f"Bearer {office.key}".encode())]
    if name is not None:
        headers.append((b"Idempotency-Key", name.encode("latin-1")))
    refused = office.caller.post("/api/v1/answers", json=YES, headers=headers)
    assert (400, "Idempotency-Key") == (refused.status_code, refused.json()["errors"][0]["field"])
    assert [] == office.entries()


@on_sqlite
@pytest.mark.parametrize(
    ("path", "value", "field", "says"),
    [
        ("diagnosis", "x", "diagnosis", "No field of this name"),
        ("client.notes", "x", "client.notes", "No field of this name"),
        ("answers.0.treatment", "x", "answers[0].treatment", "No field of this name"),
        ("client", {}, "client", "customer number, email address or phone number"),
        ("client.first_name", "=?utf-8?q?Bcc?=", "client.first_name", "formula"),
        ("client.first_name", "A =?utf-8?q?Bcc?=", "client.first_name", "encoded word"),
        ("client.last_name", "A\x00B", "client.last_name", "U+0000"),
        ("client.last_name", "A\u202eB", "client.last_name", "U+202E"),
        ("client.last_name", "see www.x", "client.last_name", "web address"),
        ("client.customer_number", "1\x1b", "client.customer_number", "U+001B"),
        ("client.language", "de", "client.language", "'fi'"),
        ("client.email", "maija", "client.email", "cannot be used for a yes"),
        ("answers", [], "answers", "at least 1"),
        ("answers", [YES["answers"][0]] * 11, "answers", "at most 10"),
        ("answers.0.channel", None, "answers[0]", "Only a no may leave the channel open"),
        ("answers.0.channel", "letter", "answers[0].channel", "'email'"),
        ("answers.0.channel", "sms", "answers[0]", "A yes opens an address"),
        ("answers.0.reply", "yes", "answers[0].reply", "'granted'"),
        ("answers.0.place", "desk", "answers[0].place", "'online'"),
        ("answers.0.asked_at", None, "answers[0]", "needs its time"),
        ("answers.0.asked_at", "2026-11-23T11:58:00", "answers[0].asked_at", "with its offset"),
        ("answers.0.asked_at", 1795600000, "answers[0].asked_at", "with its offset"),
        ("answers.0.asked_at", "2026-02-30T11:58:00Z", "answers[0].asked_at", "no such time"),
        ("answers.0.asked_at", "0001-01-01T00:00:00+14:00", "answers[0].asked_at", "1990 to 2100"),
        ("answers.0.asked_at", "2026-11-23T12:01:01+02:00", "answers[0]", "lies in the future"),
        ("answers.0.not_after", "2026-11-23T09:00:00Z", "answers[0]", "either asked_at or a span"),
        ("answers.0.wording", None, "answers[0]", "needs the words"),
        ("answers.0.wording", "x" * 2001, "answers[0].wording", "at most 2000"),
        ("answers.0.wording", "Saako\u200b?", "answers[0].wording", "U+200B"),
        ("answers.0.wording", "Saako lähettää tekstiviestin?", "answers[0]", "does not open email"),
        ("answers.0.wording_sha256", "0" * 64, "answers[0]", "either wording or wording_sha256"),
        ("answers.0.booking", "V\n1", "answers[0].booking", "U+000A"),
    ],
)
def test_a_value_that_cannot_be_is_named(office: Office, path: str, value: object, field: str, says: str) -> None:
    """E-25, L-04, L-43: the field is named with a sentence, nothing is recorded, and nobody is enlisted."""
    refused = office.tell(changed(path, value))
    assert (422, "application/problem+json") == (refused.status_code, refused.headers["content-type"])
    problem = refused.json()
    assert [field] == [each["field"] for each in problem["errors"]]
    assert says in problem["errors"][0]["detail"]
    assert [] == office.entries()
    assert [] == office.dispatcher.register.listed()


@on_sqlite
@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("answers.0.asked_at", None, "answers[0]"),
        ("answers.0.channel", "sms", "answers[0]"),
        ("answers.0.reply", ["withdrawn"], "answers[0].reply"),
        ("answers.0.treatment", "x", "answers[0].treatment"),
        ("answers.1.place", "desk", "answers[1].place"),
        ("answers.1.asked_at", "2026-02-30T11:58:00Z", "answers[1].asked_at"),
        ("answers.1.asked_at", "2027-02-20T11:58:00Z", "answers[1]"),
        ("answers.1.wording_sha256", "0" * 64, "answers[1].wording_sha256"),
        ("client.first_name", "=?utf-8?q?Bcc?=", "client.first_name"),
        ("client.notes", "x", "client.notes"),
        ("client.phone", 1, "client.phone"),
        ("client.customer_number", "1\x1b", "client.customer_number"),
        ("diagnosis", "x", "diagnosis"),
        ("answers", [YES["answers"][0]] * 11 + STOP["answers"], "answers"),
    ],
)
def test_a_no_is_kept_whatever_else_is_wrong(office: Office, path: str, value: object, field: str) -> None:
    """Invariant 4: the call is refused with the field that is wrong, its yes counts for nothing, and its no is kept."""
    sent = changed("answers", [YES["answers"][0], STOP["answers"][0]])
    refused = office.tell(changed(path, value, sent))
    assert (422, [field]) == (refused.status_code, [each["field"] for each in refused.json()["errors"]])
    line = {"client": None, "entry": None, "channel": None, "reply": "withdrawn"}
    assert [line] == refused.json()["recorded"]
    assert "objection" == office.ask(email="maija@posti.example").json()["reason"]
    assert [] == office.dispatcher.register.listed()
    again = office.tell(changed(path, value, sent))
    assert (refused.content, "true") == (again.content, again.headers["idempotent-replayed"])


@on_sqlite
def test_a_no_beside_a_yes_to_an_address_that_is_none(office: Office) -> None:
    """The number of the call is silent, though the yes of the same call is about no email address."""
    sent = changed("client", {"email": "maija", "phone": "040 123 4567"})
    sent["answers"].append({"reply": "declined", "place": "phone"})
    refused = office.tell(sent)
    assert (422, ["answers[1].channel"]) == (refused.status_code, [e["field"] for e in refused.json()["errors"]])
    sent["answers"][1]["channel"] = "sms"
    refused = office.tell(sent, "call-2")
    assert (422, ["client.email"]) == (refused.status_code, [e["field"] for e in refused.json()["errors"]])
    assert "objection" == office.ask(phone="+358401234567").json()["reason"]


@on_sqlite
@pytest.mark.parametrize("client", [{}, "maija", None, {"email": "maija"}, {"phone": 1}])
def test_a_no_of_nobody_is_refused(office: Office, client: object) -> None:
    """Where nothing names the client there is nobody to keep a no for, and the answer says what is missing."""
    refused = office.tell({"client": client, "answers": STOP["answers"]})
    assert (422, []) == (refused.status_code, refused.json()["recorded"])


@on_sqlite
@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"client": {"email": "\xff"}}', "application/json", 400),
        (b'{"client": {"email": "\\ud800"}}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b" " * (64 * 1024) + b"{}", "application/json", 413),
    ],
)
def test_a_body_that_is_none(office: Office, content: bytes, kind: str, status: int) -> None:
    """What is no JSON, nested without end, of another type or beyond 64 KiB is refused with a problem."""
    headers = {"Authorization": f"Bearer {office.key}", "Idempotency-Key": "a", "Content-Type": kind}
    refused = office.caller.post("/api/v1/answers", content=content, headers=headers)
    assert (status, status) == (refused.status_code, refused.json()["status"])


@on_sqlite
def test_a_clock_that_is_ahead_by_seconds(office: Office) -> None:
    """An answer up to a minute ahead of our clock is taken as given now; no answer is ever dated after its entry."""
    assert 201 == office.tell(changed("answers.0.asked_at", "2026-11-23T12:00:59+02:00")).status_code
    [entry] = office.entries()
    assert {entry.data()["not_before"], entry.data()["not_after"]} == {"2026-11-23T10:00:00.000000Z"}
    assert "send" == office.ask(email="maija@posti.example").json()["verdict"]


def test_a_question_on_record_can_be_named_by_its_hash(office: Office) -> None:
    """D-02: the words of an earlier call are known by their SHA-256; a hash nobody knows is refused."""
    office.tell(YES)
    known = office.entries()[0].data()["wording"]
    by_hash = changed("answers.0.wording_sha256", known, changed("answers.0.wording", None))
    assert 201 == office.tell(by_hash, "call-2").status_code
    assert known == office.entries()[1].data()["wording"]
    unknown = office.tell(changed("answers.0.wording_sha256", "0" * 64, by_hash), "call-3")
    assert (422, "answers[0].wording_sha256") == (unknown.status_code, unknown.json()["errors"][0]["field"])


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
