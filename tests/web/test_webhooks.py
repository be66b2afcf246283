"""What Twilio tells of text messages: only what it signed, and on disk before it is answered."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped] # the library carries no types

from dispatcher.errors import JournalError, StorageError
from dispatcher.flow.returns import SHA1, SHA256, STATUS_PATH, Told
from dispatcher.rules.later import Fate, Later
from dispatcher.web.webhooks import BODY_AT_MOST, Fields, TwilioDoor
from tests.faults.twilio_double import TOKEN, sha256_of, signature

HOST = "https://m.tunturituuli.example"
MESSAGE = "0123456789abcdef" * 2
ADDRESS = f"{HOST}{STATUS_PATH}?s={MESSAGE}"
FIELDS = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+358401234567", "Body": " hei "}
DELIVERED = Told(MESSAGE, "twilio", "SM1", "callback", Fate(Later.DELIVERED))
SHARED = "a shared key"
NEW_WAY = {"X_Twilio_Webhooks_Signature_Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}


@dataclass
class Book:
    """Stands where the flow does: keeps what it is told, or raises."""

    told: list[Told] = field(default_factory=list)
    trouble: Exception | None = None
    knows: bool = True

    def take(self, told: Told) -> bool:
        """Take it."""
        if self.trouble is not None:
            raise self.trouble
        self.told.append(told)
        return self.knows


class Caller:
    """Somebody who calls a webhook that knows these secrets; no answer has a body."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.book = Book()
        door = TwilioDoor(self.book, HOST, secrets)  # type: ignore[arg-type] # the flow's place is taken
        app = Starlette(routes=[Route(STATUS_PATH, door.status, methods=["POST"])])
        self._client = TestClient(app, base_url="https://elsewhere.example")

    def call(self, content: Mapping[str, str] | bytes, query: str = f"s={MESSAGE}", **headers: str) -> int:
        """Call with this form or body, and return the status of the answer."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        body = content if isinstance(content, bytes) else urlencode(content).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._client.post(f"{STATUS_PATH}?{query}", content=body, headers=kind | given)
        assert answer.content == b""
        return answer.status_code

    def signed(
        self, fields: Mapping[str, str], secret: str = TOKEN, digest: str = "sha1", query: str = "", **headers: str
    ) -> int:
        """Call with a signature over these fields and the address we are reached at."""
        query = query or f"s={MESSAGE}"
        made = signature(secret, f"{HOST}{STATUS_PATH}?{query}", list(fields.items()), digest)
        return self.call(fields, query, X_Twilio_Signature=made, **headers)


@pytest.fixture
def caller() -> Caller:
    """Give a caller whose calls are known by the auth token alone."""
    return Caller({SHA1: TOKEN})


def test_the_vector_of_the_rules() -> None:
    """S-30: the known signature is what the library makes, and what these tests sign by."""
    address = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    known = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert known == signature("12345", address, list(fields.items()))
    assert RequestValidator("12345").validate(address, Fields(list(fields.items())), known)
    assert not RequestValidator("12345").validate(address, Fields([*fields.items(), ("To", "+1")]), known)


def test_a_signed_call_is_kept(caller: Caller) -> None:
    """S-27, S-31: what Twilio signed for our own address is kept, blanks at the ends of its values included."""
    assert caller.signed(FIELDS) == 204
    assert [DELIVERED] == caller.book.told


def test_the_error_is_kept(caller: Caller) -> None:
    """S-27: the error stands beside the status, wherever it comes."""
    assert caller.signed(FIELDS | {"MessageStatus": "undelivered", "ErrorCode": "30005"}) == 204
    assert Fate(Later.UNDELIVERED, frozenset({"30005"})) == caller.book.told[0].fate


@pytest.mark.parametrize("status", ["queued", "accepted", "canceled", "read", "bounced", ""])
def test_a_status_that_says_no_more_is_still_a_sign_of_life(caller: Caller, status: str) -> None:
    """S-26: whatever the status, Twilio has the message; nothing is made up beside that."""
    assert caller.signed(FIELDS | {"MessageStatus": status, "ErrorCode": "0"}) == 204
    assert [Told(MESSAGE, "twilio", "SM1", "callback")] == caller.book.told


@pytest.mark.parametrize("port", ["", ":443"])
def test_the_default_port_may_be_signed(caller: Caller, port: str) -> None:
    """S-30: Twilio may have signed the address with the port that https has anyway."""
    made = signature(TOKEN, ADDRESS.replace(".example", f".example{port}"), list(FIELDS.items()))
    assert caller.call(FIELDS, X_Twilio_Signature=made) == 204


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS.replace("https", "http"),
        ADDRESS.replace(HOST, "https://elsewhere.example"),
        ADDRESS.replace("?", "/?"),
        ADDRESS.replace("?", ":8443?"),
        ADDRESS + "&more=1",
    ],
)
def test_another_address_is_not_ours(caller: Caller, address: str) -> None:
    """S-31: what was signed for another scheme, host, port, path or query is refused, whatever the request says."""
    made = signature(TOKEN, address, list(FIELDS.items()))
    forwarded = {"X_Forwarded_Proto": "http", "X_Forwarded_Host": "elsewhere.example", "Host": "elsewhere.example"}
    assert caller.call(FIELDS, X_Twilio_Signature=made, **forwarded) == 403
    assert [] == caller.book.told


@pytest.mark.parametrize(
    "changed",
    [
        FIELDS | {"Body": "hei"},
        FIELDS | {"MessageStatus": "failed"},
        FIELDS | {"Extra": ""},
        {name: value for name, value in FIELDS.items() if name != "To"},
    ],
)
def test_a_changed_form_is_refused(caller: Caller, changed: dict[str, str]) -> None:
    """S-30, S-31: one field more, less, altered or trimmed, and nothing of the call is believed."""
    made = signature(TOKEN, ADDRESS, list(FIELDS.items()))
    assert caller.call(changed, X_Twilio_Signature=made) == 403
    assert [] == caller.book.told


@pytest.mark.parametrize("made", ["", "nonsense", "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_without_a_signature_nothing_happens(caller: Caller, made: str, caplog: pytest.LogCaptureFixture) -> None:
    """S-30: no signature, or another's, is a 403 without a word, and the log tells nothing of the call."""
    with caplog.at_level(logging.DEBUG):
        assert caller.call(FIELDS, X_Twilio_Signature=made) == 403
        assert caller.call(FIELDS) == 403
        assert caller.signed(FIELDS, secret="another account's") == 403
    assert [] == caller.book.told
    ours = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    assert not any(word in ours for word in (MESSAGE, "358401234567", "SM1", TOKEN))


def test_a_field_that_comes_twice_is_signed_by_its_values(caller: Caller) -> None:
    """S-30: of a field that is there several times the sorted set of its values is signed."""
    pairs = [*FIELDS.items(), ("Part", "2"), ("Part", "1"), ("Part", "2")]
    assert caller.call(urlencode(pairs).encode(), X_Twilio_Signature=signature(TOKEN, ADDRESS, pairs)) == 204
    assert [DELIVERED] == caller.book.told


@pytest.mark.parametrize("body", [b"\xff\xfe", b"MessageSid=%FF", b"&".join(b"a=1" for _ in range(300))])
def test_what_is_no_form_is_refused(caller: Caller, body: bytes) -> None:
    """S-30: bytes that are no text, or fields without end, are refused before anything is made of them."""
    assert caller.call(body, X_Twilio_Signature=signature(TOKEN, ADDRESS, [])) == 403


def test_a_long_body_is_not_read(caller: Caller) -> None:
    """S-30: what is longer than any call of Twilio's is refused, signed or not."""
    assert caller.signed(FIELDS | {"Body": "x" * BODY_AT_MOST}) == 413
    assert [] == caller.book.told


def test_the_new_way_is_known_by_the_shared_key() -> None:
    """S-32: a call that names HMAC_SHA256 is checked with the shared key, where there is one."""
    caller = Caller({SHA1: TOKEN, SHA256: SHARED})
    assert caller.signed(FIELDS, SHARED, "sha256", **NEW_WAY) == 204
    assert caller.signed(FIELDS) == 204
    assert [DELIVERED, DELIVERED] == caller.book.told


@pytest.mark.parametrize(
    ("secrets", "secret", "digest", "named"),
    [
        ({SHA1: TOKEN}, TOKEN, "sha256", "HMAC_SHA256"),
        ({SHA1: TOKEN}, SHARED, "sha256", "HMAC_SHA256"),
        ({SHA256: SHARED}, SHARED, "sha1", "HMAC_SHA1"),
        ({SHA256: SHARED}, SHARED, "sha1", ""),
        ({SHA1: TOKEN, SHA256: SHARED}, SHARED, "sha1", "HMAC_SHA1"),
        ({SHA1: TOKEN, SHA256: SHARED}, TOKEN, "sha256", "HMAC_SHA256"),
        ({SHA1: TOKEN, SHA256: SHARED}, TOKEN, "sha1", "HMAC_SHA256"),
        ({SHA1: TOKEN, SHA256: SHARED}, SHARED, "md5", "HMAC_MD5"),
        ({SHA1: TOKEN, SHA256: SHARED}, TOKEN, "sha1", "none"),
    ],
)
def test_no_way_back_to_what_is_not_configured(secrets: dict[str, str], secret: str, digest: str, named: str) -> None:
    """S-32: only an algorithm that has a secret of its own counts, and only with that secret."""
    caller = Caller(secrets)
    headers = {"X_Twilio_Webhooks_Signature_Settings": f"key=k,algorithm={named}"} if named else {}
    assert caller.signed(FIELDS, secret, digest, **headers) == 403
    assert [] == caller.book.told


def test_a_json_body_is_held_to_its_hash(caller: Caller) -> None:
    """S-31: of a JSON body the hash in the signed address is checked as well, and one without any is refused."""
    body = json.dumps(FIELDS)
    query = f"s={MESSAGE}&bodySHA256={sha256_of(body)}"
    kind = {"Content_Type": "application/json"}
    made = signature(TOKEN, f"{HOST}{STATUS_PATH}?{query}", [])
    assert caller.call(body.encode(), query, X_Twilio_Signature=made, **kind) == 204
    assert caller.call(body.replace("delivered", "failed").encode(), query, X_Twilio_Signature=made, **kind) == 403
    bare = signature(TOKEN, ADDRESS, [])
    assert caller.call(body.encode(), X_Twilio_Signature=bare, **kind) == 403
    listed = json.dumps([1])
    query = f"s={MESSAGE}&bodySHA256={sha256_of(listed)}"
    made = signature(TOKEN, f"{HOST}{STATUS_PATH}?{query}", [])
    assert caller.call(listed.encode(), query, X_Twilio_Signature=made, **kind) == 403
    assert [DELIVERED] == caller.book.told


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("x=1", FIELDS),
        ("s=nothing", FIELDS),
        (f"s={MESSAGE}&s={'f' * 32}", FIELDS),
        (f"s={MESSAGE}", {"MessageStatus": "sent"}),
        (f"s={MESSAGE}", FIELDS | {"MessageSid": "SM 1"}),
    ],
)
def test_a_call_about_nothing_is_answered_and_not_kept(caller: Caller, query: str, fields: dict[str, str]) -> None:
    """S-27: a signed call that names no message of ours, or of Twilio's, ends with its answer."""
    assert caller.signed(fields, query=query) == 204
    assert [] == caller.book.told


@pytest.mark.parametrize("trouble", [StorageError("the disk is full"), JournalError()])
def test_what_cannot_be_kept_is_not_confirmed(caller: Caller, trouble: Exception) -> None:
    """S-27: where nothing can be written, Twilio is told so and the answer is no success."""
    caller.book.trouble = trouble
    assert caller.signed(FIELDS) == 503


def test_a_message_that_is_nobodys_is_answered(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """S-27: a message that is kept no longer is no error, and the log does not name it."""
    caller.book.knows = False
    assert caller.signed(FIELDS) == 204
    assert "none of ours" in caplog.text
    assert MESSAGE not in caplog.text
