"""What a booking system tells: each answer is recorded once, a fault is named by its field, and a no is kept."""

import json
from datetime import timedelta

import pytest

from tests.clock import FixedClock
from tests.web.conftest import STOP, YES, Office, changed, on_sqlite


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
