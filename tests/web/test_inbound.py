"""What Twilio tells of texts that came in: only what it signed, on disk before the answer, and answered by nothing."""

import json
import logging
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from dispatcher.flow.returns import SHA1, SHA256, STATUS_PATH
from dispatcher.flow.texts_in import INBOUND_PATH, TextIn
from dispatcher.rules.stop_words import Said
from dispatcher.web.webhooks import TEXT_AT_MOST, TwilioDoor
from tests.faults.twilio_double import TOKEN, Call, sha256_of, signature, texted
from tests.web.conftest import Office, everything, lose_journal

HOST = "https://viestit.tunturituuli.example"
ADDRESS = f"{HOST}{INBOUND_PATH}"
NUMBER = "+358401234567"
SHARED = "a shared key"
FORM = "application/x-www-form-urlencoded"
NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
ROW = {
    "customer_number": "1",
    "email": "maija@posti.example",
    "phone": NUMBER,
    "first_name": "Maija",
    "language": "fi",
}


class Book:
    """Stands where the flow does and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[TextIn] = []

    def take(self, text: TextIn) -> Said:
        """Take it."""
        self.told.append(text)
        return Said.OTHER


class Caller:
    """Somebody who calls the webhook of an application that knows both secrets."""

    def __init__(self, client: TestClient, book: Book) -> None:
        self._client = client
        self.book = book

    def make(self, call: Call) -> int:
        """Make a call and return the status of the answer: empty TwiML or no word at all."""
        path = call.address.removeprefix(HOST)
        answer = self._client.post(path, content=call.body, headers=dict(call.headers))
        assert answer.text == (NOTHING if answer.status_code == 200 else "")
        return answer.status_code

    def raw(self, body: bytes, query: str = "", **headers: str) -> int:
        """Call with this body, these headers and this query."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.make(Call(f"{ADDRESS}{query and '?'}{query}", body, named))


@pytest.fixture(scope="module")
def calling() -> Iterator[Caller]:
    """Give a caller, one for every test of this file that asks for it."""
    book = Book()
    door = TwilioDoor(None, HOST, {SHA1: TOKEN, SHA256: SHARED}, book)  # type: ignore[arg-type] # the flows' places
    app = Starlette(routes=[Route(INBOUND_PATH, door.inbound, methods=["POST"])])
    with TestClient(app, base_url="https://elsewhere.example") as client:
        yield Caller(client, book)


@pytest.fixture
def caller(calling: Caller) -> Caller:
    """Give the caller with an empty book."""
    calling.book.told.clear()
    return calling


def fields_of(body: str = "STOP", **more: str) -> dict[str, str]:
    """Return the fields of a text."""
    return {"MessageSid": "SM1", "From": NUMBER, "Body": body} | more


def signed(fields: Mapping[str, str], address: str = ADDRESS, secret: str = TOKEN, digest: str = "sha1") -> str:
    """Return Twilio's signature over these fields."""
    return signature(secret, address, list(fields.items()), digest)


def test_a_text_is_taken_in_as_it_was_sent(caller: Caller) -> None:
    """S-22, S-31: nothing is trimmed, and the answer asks Twilio for no message of its own."""
    assert caller.make(texted(ADDRESS, NUMBER, "  Lopeta! \n", opt_out="STOP")) == 200
    assert [TextIn("SM" + "1" * 32, NUMBER, None, "  Lopeta! \n", "STOP")] == caller.book.told


@pytest.mark.parametrize("address", [f"{HOST}{STATUS_PATH}", ADDRESS + "/", ADDRESS + "?x=1", ADDRESS.upper()])
def test_a_signature_for_another_address_is_none(caller: Caller, address: str) -> None:
    """S-30, S-31: what was signed for the other webhook, or for anything else, is refused without a word."""
    fields = fields_of()
    assert caller.raw(urlencode(fields).encode(), Content_Type=FORM, X_Twilio_Signature=signed(fields, address)) == 403
    assert [] == caller.book.told


@pytest.mark.parametrize(
    ("secret", "digest", "named", "status"),
    [
        (SHARED, "sha256", "HMAC_SHA256", 200),
        (TOKEN, "sha1", "", 200),
        (TOKEN, "sha256", "HMAC_SHA256", 403),
        (SHARED, "sha1", "", 403),
        (SHARED, "sha1", "HMAC_SHA1", 403),
        (TOKEN, "sha1", "HMAC_SHA256", 403),
        (TOKEN, "md5", "HMAC_MD5", 403),
    ],
)
def test_no_way_back_from_the_algorithm_that_is_named(
    caller: Caller, secret: str, digest: str, named: str, status: int
) -> None:
    """S-32: each algorithm counts with its own secret only."""
    fields = fields_of()
    headers = {"X_Twilio_Webhooks_Signature_Settings": f"key=k,algorithm={named}"} if named else {}
    made = signed(fields, secret=secret, digest=digest)
    assert caller.raw(urlencode(fields).encode(), Content_Type=FORM, X_Twilio_Signature=made, **headers) == status


def test_a_json_body_is_held_to_its_hash(caller: Caller) -> None:
    """S-31: a JSON body counts with the hash in the signed address; half a character in it harms nothing."""
    body = json.dumps(fields_of("\ud800 STOP")).encode()
    query = f"bodySHA256={sha256_of(body.decode())}"
    made = signature(TOKEN, f"{ADDRESS}?{query}", [])
    assert caller.raw(body, query, Content_Type="application/json", X_Twilio_Signature=made) == 200
    assert caller.raw(body + b" ", query, Content_Type="application/json", X_Twilio_Signature=made) == 403
    assert 1 == len(caller.book.told)


@pytest.mark.parametrize("fields", [{}, {"MessageSid": "SM1"}, {"From": NUMBER}, fields_of(MessageSid="SM 1")])
def test_a_text_without_name_or_sender_is_answered(caller: Caller, fields: dict[str, str]) -> None:
    """S-35: a signed call that names no text ends with its answer."""
    assert caller.raw(urlencode(fields).encode(), Content_Type=FORM, X_Twilio_Signature=signed(fields)) == 200
    assert [] == caller.book.told


def test_the_longest_text_of_any_script_fits(caller: Caller) -> None:
    """S-33: 1,600 letters of the widest script are taken in, and what no telephone can send is refused."""
    assert caller.make(texted(ADDRESS, NUMBER, "\N{HIRAGANA LETTER A}" * 1_600)) == 200
    assert caller.make(texted(ADDRESS, NUMBER, "x" * TEXT_AT_MOST)) == 413
    assert 1 == len(caller.book.told)


BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100).map(lambda text: text.encode()),
    st.dictionaries(st.sampled_from(["MessageSid", "From", "Body", "OptOutType", "x"]), st.text(max_size=20)).map(
        lambda fields: urlencode(fields).encode()
    ),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
    ).map(lambda value: json.dumps({"MessageSid": value, "From": value}).encode()),
)
KINDS = st.sampled_from([FORM, f"{FORM}; charset=utf-16", "application/json", "multipart/form-data", "text/xml", ""])
QUERIES = st.sampled_from(["", "x=1", "bodySHA256=0", "bodySHA256=0&bodySHA256=1", "%ff=%", "&&", "a=b=c"])
HEADERS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@given(body=BODIES, kind=KINDS, query=QUERIES, made=HEADERS, named=HEADERS | st.sampled_from(["algorithm=HMAC_SHA256"]))
def test_whatever_is_not_signed_is_refused(
    calling: Caller, body: bytes, kind: str, query: str, made: str, named: str
) -> None:
    """S-30: no body, header or query without Twilio's signature is answered by anything but 403, and none is kept."""
    calling.book.told.clear()
    headers = {"Content_Type": kind, "X_Twilio_Signature": made, "X_Twilio_Webhooks_Signature_Settings": named}
    assert calling.raw(body, query, **headers) == 403
    assert [] == calling.book.told


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(fields=st.dictionaries(st.sampled_from(["MessageSid", "From", "Body", "OptOutType", "To"]) | TEXTS, TEXTS))
def test_whatever_is_signed_is_answered(calling: Caller, fields: dict[str, str]) -> None:
    """S-30, S-35: whatever Twilio signed has an answer, and what was kept is what was sent."""
    calling.book.told.clear()
    made = signed(fields)
    assert calling.raw(urlencode(fields).encode(), Content_Type=FORM, X_Twilio_Signature=made) == 200
    assert all(fields["From"] == each.sender for each in calling.book.told)


def tell_yes(office: Office) -> None:
    """Have the booking system tell of a client who said yes to text messages."""
    words = "Saako lähettää tarjouksia tekstiviestillä?"
    asked = {"channel": "sms", "reply": "granted", "place": "online", "asked_at": "2026-11-23T12:00:00+02:00"}
    answer = office.tell({"client": ROW, "answers": [asked | {"wording": words}]})
    assert answer.status_code == 201, answer.text


def post(office: Office, call: Call) -> tuple[int, str]:
    """Make a call to the real application and return status and body."""
    answer = office.caller.post(INBOUND_PATH, content=call.body, headers=dict(call.headers))
    return answer.status_code, answer.text


def test_a_stop_is_on_disk_before_the_answer(office: Office) -> None:
    """S-35: the real application answers with empty TwiML once the no stands; the same call again changes nothing."""
    tell_yes(office)
    stop = texted(ADDRESS, NUMBER, "Stop. Thank you")
    assert office.ask(phone=NUMBER).json()["verdict"] == "send"
    assert post(office, stop) == (200, NOTHING)
    assert office.ask(phone=NUMBER).json()["verdict"] == "withhold"
    before = everything(office.dispatcher.store)
    assert post(office, stop) == (200, NOTHING)
    assert before == everything(office.dispatcher.store)


def test_what_cannot_be_kept_is_no_success(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """S-35, L-46: without its journal the program answers 503, and its log names neither number nor words."""
    lose_journal(office.dispatcher.store)
    with caplog.at_level(logging.DEBUG):
        assert post(office, texted(ADDRESS, NUMBER, "STOP secret")) == (503, "")
    ours = "".join(each.getMessage() for each in caplog.records if not each.name.startswith("http"))
    assert "could not be kept" in ours
    assert not any(word in ours for word in ("358401234567", "secret", "SM1111"))


def test_a_call_of_nobodys_leaves_no_trace(office: Office) -> None:
    """S-30: without Twilio's signature nothing in the database or the journal changes."""
    before = everything(office.dispatcher.store)
    assert post(office, texted(ADDRESS, NUMBER, "STOP", secret="another account's")) == (403, "")
    assert before == everything(office.dispatcher.store)
