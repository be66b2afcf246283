"""The mail server and the Twilio that never leave the machine."""

import base64
import http.client
import json
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from dispatcher.demo.loopback import ServerThread
from dispatcher.demo.smtp_double import ReceivedMail, SmtpDouble
from dispatcher.demo.twilio_double import Trouble, TwilioDouble, fault_of

FORM = {"To": "+358401234567", "From": "Studio", "Body": "Kesä alkaa", "ValidityPeriod": "7200"}
PATH = "/2010-04-01/Accounts/AC1/Messages"
SIGNS = {"after": ">", "before": "<", "on": ""}
"""What stands behind the name of the filter by day."""


def script(recipient: str) -> Trouble | int | None:
    """Let two numbers fail."""
    troubles: dict[str, Trouble | int] = {"+358400000001": 21610, "+358400000002": Trouble.BUSY}
    return troubles.get(recipient)


@pytest.fixture(name="twilio", scope="module")
def start_twilio() -> Iterator[TwilioDouble]:
    """One double for the tests of this file."""
    with TwilioDouble("AC1", "SK1", "hunter2", script, lambda: datetime(2026, 6, 1, 12, tzinfo=UTC)) as double:
        yield double


def ask(
    double: TwilioDouble, method: str, path: str, form: dict[str, str] | None = None, login: str = "SK1:hunter2"
) -> tuple[int, Any, http.client.HTTPMessage]:
    """Make one request as any HTTP client would; return status, JSON and headers."""
    connection = http.client.HTTPConnection("127.0.0.1", int(double.base_url.rpartition(":")[2]), timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    try:
        connection.request(method, path, urlencode(form or {}), headers)
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    return response.status, json.loads(text) if text else None, response.headers


def test_created_message(twilio: TwilioDouble) -> None:
    """A message taken is answered with the resource Twilio would show: sid, parts, dates, addresses."""
    status, body, _ = ask(twilio, "POST", f"{PATH}.json", FORM)
    sid = body["sid"]
    assert status == 201
    assert sid[:2] == "SM"
    assert len(bytes.fromhex(sid[2:])) == 16
    expected = {
        "status": "queued",
        "num_segments": "1",
        "date_created": "Mon, 01 Jun 2026 12:00:00 +0000",
        "to": "+358401234567",
        "from": "Studio",
        "body": "Kesä alkaa",
        "direction": "outbound-api",
        "uri": f"{PATH}/{sid}.json",
        "error_code": None,
    }
    assert expected == {key: body[key] for key in expected}
    assert FORM == twilio.received[-1].form


def test_fetch_list_and_delete(twilio: TwilioDouble) -> None:
    """S-26, S-28: a message can be fetched, found by its number, and deleted for good."""
    form = {**FORM, "To": "+358409999999"}
    sids = [ask(twilio, "POST", f"{PATH}.json", form)[1]["sid"] for _ in range(3)]
    assert ask(twilio, "GET", f"{PATH}/{sids[0]}.json")[1]["to"] == "+358409999999"
    query = f"{PATH}.json?PageSize=2&" + urlencode({"To": "+358409999999"})
    _, first, _ = ask(twilio, "GET", query)
    assert [sids[2], sids[1]] == [row["sid"] for row in first["messages"]]
    _, second, _ = ask(twilio, "GET", first["next_page_uri"])
    assert ([sids[0]], None) == ([row["sid"] for row in second["messages"]], second["next_page_uri"])
    assert ask(twilio, "DELETE", f"{PATH}/{sids[0]}.json")[0] == 204
    assert [404, 404] == [ask(twilio, method, f"{PATH}/{sids[0]}.json")[0] for method in ("GET", "DELETE")]
    assert sids[0] in [sms.sid for sms in twilio.received]


def test_what_is_texted_to_the_account_is_listed(twilio: TwilioDouble) -> None:
    """S-26, S-35: a text that came in is listed by its day, as one that was received, and one not sent by no day."""
    ours = "+358405556677"
    sid = twilio.text_in("+358401234567", ours, "STOP", at=datetime(2026, 5, 4, 23, 30, tzinfo=UTC))
    ask(twilio, "POST", f"{PATH}.json", {**FORM, "To": ours})

    def listed(**days: str) -> list[str]:
        filters = {"To": ours} | {f"DateSent{sign}": days[name] for name, sign in SIGNS.items() if name in days}
        _, body, _ = ask(twilio, "GET", f"{PATH}.json?{urlencode(filters)}")
        return [row["sid"] for row in body["messages"]]

    row = ask(twilio, "GET", f"{PATH}/{sid}.json")[1]
    assert ("inbound", "received", "STOP", "+358401234567") == tuple(
        row[name] for name in ("direction", "status", "body", "from")
    )
    assert 2 == len(listed())
    assert [sid] == listed(after="2026-05-04T00:00:00Z") == listed(before="2026-05-04") == listed(on="2026-05-04")
    assert [] == listed(after="2026-05-05") == listed(before="2026-05-03") == listed(on="2026-05-05")
    assert sid in twilio.held
    assert ask(twilio, "DELETE", f"{PATH}/{sid}.json")[0] == 204


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"To": "0401234567"}, 21211),
        ({"From": "Studio Esimerkki"}, 21212),
        ({"From": "12345"}, 21212),
        ({"Body": "a" * 1601}, 21617),
        ({"ValidityPeriod": "0"}, 90007),
        ({"ValidityPeriod": "36001"}, 90007),
        ({"ValidityPeriod": "soon"}, 90007),
        ({"StatusCallback": "studio.example"}, 21609),
        ({"MediaUrl": "https://studio.example/a.png"}, 21670),
        ({"ContentSid": "HX1"}, 21671),
        ({}, 0),
        ({"From": "+358401111111"}, 0),
    ],
)
def test_form_validation(changes: dict[str, str], code: int) -> None:
    """A form Twilio cannot use has Twilio's number for it."""
    assert code == fault_of({**FORM, **changes})


def test_error_body(twilio: TwilioDouble) -> None:
    """An error is `{code, message, more_info, status}`, as Twilio writes it."""
    status, body, _ = ask(twilio, "POST", f"{PATH}.json", {**FORM, "To": "123"})
    assert status == 400
    assert {
        "code": 21211,
        "message": "Invalid 'To' Phone Number",
        "more_info": "https://www.twilio.com/docs/errors/21211",
        "status": 400,
    } == body


@pytest.mark.parametrize(
    ("login", "path"),
    [("SK1:wrong", PATH), ("SK2:hunter2", PATH), ("", PATH), ("SK1:hunter2", PATH.replace("AC1", "AC2"))],
)
def test_wrong_login(twilio: TwilioDouble, login: str, path: str) -> None:
    """Without the right key, secret and account every request is a 401 with 20003."""
    before = len(twilio.received)
    answers = [
        ask(twilio, method, f"{path}{ending}", FORM, login)[:2]
        for method, ending in (("POST", ".json"), ("GET", ".json"), ("GET", "/SM1.json"), ("DELETE", "/SM1.json"))
    ]
    assert [(401, 20003)] * 4 == [(status, body["code"]) for status, body in answers]
    assert before == len(twilio.received)


def test_scripted_numbers(twilio: TwilioDouble) -> None:
    """The script decides what happens to a number: a refusal, or a 429 that says when to come back."""
    before = len(twilio.received)
    assert ask(twilio, "POST", f"{PATH}.json", {**FORM, "To": "+358400000001"})[1]["code"] == 21610
    status, body, headers = ask(twilio, "POST", f"{PATH}.json", {**FORM, "To": "+358400000002"})
    assert (429, 20429, "3") == (status, body["code"], headers["Retry-After"])
    assert before == len(twilio.received)


def test_mail_is_kept_as_it_came() -> None:
    """The mail double keeps envelope and bytes, one for each recipient it took."""
    replies = {"b@mail.example": "550 5.1.1 no such user"}
    with SmtpDouble(replies.get) as double, smtplib.SMTP(double.host, double.port, "studio.example") as client:
        refused = client.sendmail("s@studio.example", ["a@mail.example", "b@mail.example"], b"A: b\r\n\r\n.c\r\n")
    assert {"b@mail.example": (550, b"5.1.1 no such user")} == refused
    assert [ReceivedMail("s@studio.example", "a@mail.example", b"A: b\r\n\r\n.c\r\n")] == double.received


def test_mail_double_stops_with_clients_connected() -> None:
    """A client that never says goodbye does not keep the mail double from stopping."""
    with SmtpDouble() as double:
        client = socket.create_connection((double.host, double.port), timeout=10)
        assert client.recv(4) == b"220 "
    with client:
        while client.recv(1000):
            pass
    assert not [thread for thread in threading.enumerate() if thread.daemon and not thread.is_alive()]


def test_doubles_have_ports_of_their_own() -> None:
    """Two doubles at once never meet, and both are on loopback."""
    with SmtpDouble() as first, SmtpDouble() as second:
        assert first.port != second.port
        assert first.host == second.host == "127.0.0.1"


def test_web_server_that_cannot_start() -> None:
    """An application that fails while starting is an error at once, not a wait."""

    async def broken(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.failed", "message": "broken"})

    with pytest.raises(RuntimeError, match="did not start"), ServerThread(broken):
        pass


def test_port_that_is_taken() -> None:
    """A port asked for by number is taken as asked, or not at all."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        ServerThread(lambda *_: None, taken.getsockname()[1])  # type: ignore[arg-type] # never called
