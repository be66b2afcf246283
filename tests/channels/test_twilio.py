"""Handing text messages to Twilio."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher.channels import RECALLED, Sighting
from dispatcher.channels.twilio import TwilioCarrier, TwilioSettings
from dispatcher.demo.twilio_double import RETRY_AFTER_SECONDS, ReceivedSms, Trouble, TwilioDouble
from dispatcher.rules.message import Blame, CampaignMessage, Email, Outcome, OutcomeKind, Sms

ACCEPTED, DEFERRED = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED
REFUSED, UNKNOWN = OutcomeKind.REFUSED, OutcomeKind.UNKNOWN
WAITS = Outcome(DEFERRED, blame=Blame.CONNECTION)
SETTINGS = TwilioSettings("AC1", "SK1", "hunter2", "Studio", timeout_seconds=5)
SMS = Sms("+358401234567", "Kesä alkaa! Studio Esimerkki https://studio.example/u/abc", 1, 7200)


def hand_over(settings: TwilioSettings, *messages: Sms) -> list[Outcome]:
    """Hand text messages over in one session."""

    async def talk() -> list[Outcome]:
        async with TwilioCarrier(settings).session() as session:
            return [await session.hand_over(CampaignMessage(f"m{i}", sms)) for i, sms in enumerate(messages, 1)]

    return asyncio.run(talk())


def taken_for(settings: TwilioSettings, recipient: str) -> tuple[Sighting, ...] | None:
    """Ask what was taken for a number."""

    async def talk() -> tuple[Sighting, ...] | None:
        async with TwilioCarrier(settings).session() as session:
            return await session.taken_for(recipient)

    return asyncio.run(talk())


@dataclass
class Twilio:
    """A double that stays up for this file, and what happens to the messages of now."""

    trouble: Trouble | int | None = None
    base_url: str = ""
    double: TwilioDouble | None = None
    before: int = 0

    def hand_over(self, *messages: Sms, trouble: Trouble | int | None = None, **changes: Any) -> list[Outcome]:
        """Hand messages over in one session, all of which meet the same trouble."""
        self.trouble, self.before = trouble, len(self._all())
        return hand_over(replace(SETTINGS, base_url=self.base_url, **changes), *messages)

    @property
    def received(self) -> list[ReceivedSms]:
        """What the double took in the last session."""
        return self._all()[self.before :]

    def _all(self) -> list[ReceivedSms]:
        return self.double.received if self.double else []


@pytest.fixture(name="twilio", scope="module")
def start_twilio() -> Iterator[Twilio]:
    """One double for the tests of this file."""
    twilio = Twilio()
    with TwilioDouble("AC1", "SK1", "hunter2", lambda _: twilio.trouble) as double:
        twilio.double, twilio.base_url = double, double.base_url
        yield twilio


@asynccontextmanager
async def raw_server(answer: bytes | None) -> AsyncIterator[str]:
    """A server that reads the beginning of a request, says something or nothing, and resets the connection."""
    is_over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer or b"")
        if answer:
            await reader.read()
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
        is_over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await is_over.wait()


def against_raw(answer: bytes | None, scheme: str = "http") -> Outcome:
    """Hand one message over to a server that misbehaves."""

    async def talk() -> Outcome:
        async with raw_server(answer) as url:
            settings = replace(SETTINGS, base_url=url.replace("http", scheme, 1), timeout_seconds=0.3)
            async with TwilioCarrier(settings).session() as session:
                return await session.hand_over(CampaignMessage("m1", SMS))

    return asyncio.run(talk())


def test_accepted(twilio: Twilio) -> None:
    """S-15, S-23, S-26: the form has exactly what is wanted, nothing shortened, scheduled or attached."""
    outcomes = twilio.hand_over(SMS, status_callback="https://studio.example/hooks/twilio")
    (received,) = twilio.received
    assert [Outcome(ACCEPTED, "201", provider_id=received.sid, segments=1)] == outcomes
    assert {
        "To": "+358401234567",
        "From": "Studio",
        "Body": SMS.text,
        "ValidityPeriod": "7200",
        "SmartEncoded": "false",
        "StatusCallback": "https://studio.example/hooks/twilio?s=m1",
    } == received.form


def test_no_callback_unless_set(twilio: Twilio) -> None:
    """Without a public URL no callback is asked for."""
    twilio.hand_over(SMS)
    assert "StatusCallback" not in twilio.received[0].form


def test_several_over_one_session(twilio: Twilio) -> None:
    """Messages of one session arrive in order, each with its own id and number of parts."""
    texts = [replace(SMS, text=text) for text in ("hei", "š" * 71, "€" * 81)]
    outcomes = twilio.hand_over(*texts)
    assert [1, 2, 2] == [outcome.segments for outcome in outcomes]
    assert [outcome.provider_id for outcome in outcomes] == [sms.sid for sms in twilio.received]
    assert [text.text for text in texts] == [sms.text for sms in twilio.received]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (21610, Outcome(REFUSED, "21610", blame=Blame.OBJECTION)),
        (21211, Outcome(REFUSED, "21211", blame=Blame.ADDRESS)),
        (21614, Outcome(REFUSED, "21614", blame=Blame.ADDRESS)),
        (21635, Outcome(REFUSED, "21635", blame=Blame.ADDRESS)),
        (30006, Outcome(REFUSED, "30006", blame=Blame.ADDRESS)),
        (21408, Outcome(DEFERRED, "21408", blame=Blame.SET_UP)),
        (21606, Outcome(DEFERRED, "21606", blame=Blame.SET_UP)),
        (21612, Outcome(DEFERRED, "21612", blame=Blame.SET_UP)),
        (21657, Outcome(DEFERRED, "21657", blame=Blame.SET_UP)),
        (21663, Outcome(DEFERRED, "21663", blame=Blame.SET_UP)),
        (30042, Outcome(DEFERRED, "30042", blame=Blame.SET_UP)),
        (20003, Outcome(DEFERRED, "20003", blame=Blame.CONNECTION)),
        (20404, Outcome(DEFERRED, "20404", blame=Blame.CONNECTION)),
        (30001, Outcome(DEFERRED, "30001", blame=Blame.QUOTA)),
        (30002, Outcome(DEFERRED, "30002", blame=Blame.CONNECTION)),
        (21617, Outcome(REFUSED, "21617")),
        (30005, Outcome(REFUSED, "30005", blame=Blame.HANDSET)),
        (30003, Outcome(REFUSED, "30003")),
        (30008, Outcome(REFUSED, "30008")),
        (30004, Outcome(REFUSED, "30004", blame=Blame.BARRED)),
        (30007, Outcome(REFUSED, "30007", blame=Blame.POLICY)),
        (30034, Outcome(REFUSED, "30034")),
    ],
)
def test_refusal_by_number(twilio: Twilio, code: int, expected: Outcome) -> None:
    """The error table of B3: each of Twilio's numbers becomes the outcome the rules name, and nothing was taken."""
    assert [expected] == twilio.hand_over(SMS, trouble=code)
    assert not twilio.received


def test_what_twilio_has_for_a_number(twilio: Twilio) -> None:
    """S-26: a list by number, over several pages, has each message's name, moment and text; others' are not in it."""
    texts = [replace(SMS, text=f"hei {number}") for number in range(60)]
    twilio.hand_over(replace(SMS, recipient="+358409999999"), *texts)
    found = taken_for(replace(SETTINGS, base_url=twilio.base_url), SMS.recipient)
    assert found is not None
    mine = [each for each in twilio.received if each.recipient == SMS.recipient]
    newest = [(each.sid, each.text) for each in reversed(mine)]
    assert newest == [(each.provider_id, each.text) for each in found][: len(newest)]
    assert datetime(2026, 5, 4, 9, tzinfo=UTC) == found[0].taken_at
    assert ("queued", "") == (found[0].status, found[0].code)


def test_a_list_that_is_refused_says_nothing(twilio: Twilio) -> None:
    """S-26: without an answer, nobody takes it for proof that there is no such message."""
    twilio.hand_over()
    assert taken_for(replace(SETTINGS, base_url=twilio.base_url, api_secret="wrong"), SMS.recipient) is None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert taken_for(replace(SETTINGS, base_url=f"http://127.0.0.1:{port}"), SMS.recipient) is None


def test_busy(twilio: Twilio) -> None:
    """S-24: 429 was not processed; it waits as long as Twilio asks, slows down, and no client is blamed."""
    wait = timedelta(seconds=RETRY_AFTER_SECONDS)
    expected = Outcome(DEFERRED, "20429", blame=Blame.QUOTA, retry_after=wait)
    assert [expected] == twilio.hand_over(SMS, trouble=Trouble.BUSY)
    assert not twilio.received


def test_answer_lost_in_an_error(twilio: Twilio) -> None:
    """S-24, S-25: a 500 after the message was taken is unknown, and the message is posted once."""
    assert [Outcome(UNKNOWN, "500")] == twilio.hand_over(SMS, trouble=Trouble.LOST)
    assert len(twilio.received) == 1


def test_answer_that_never_comes(twilio: Twilio) -> None:
    """S-24, S-25: our own timeout holds; silence after the request is unknown, and the message is posted once."""
    assert [Outcome(UNKNOWN)] == twilio.hand_over(SMS, trouble=Trouble.HANG, timeout_seconds=0.5)
    assert len(twilio.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n{",
        b"HTTP/1.1 2",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nnull",
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\noops",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nK\xe4y",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html; charset=hex\r\nContent-Length: 3\r\n\r\nK\xe4y",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000,
        b'HTTP/1.1 201 Created\r\nContent-Length: 18\r\n\r\n{"sid": "\\ud800SM"}',
        b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\noops",
        b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_every_doubt_is_unknown(answer: bytes | None) -> None:
    """S-24: a reset, half an answer, one that cannot be read or a redirect after the request is unknown."""
    assert against_raw(answer).kind is UNKNOWN


def test_an_error_page_in_another_encoding_keeps_its_status() -> None:
    """S-24: a page that is not UTF-8 is read all the same, and the next message of the session goes its way."""
    head = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 8\r\n\r\n"
    assert Outcome(UNKNOWN, "502") == against_raw(head + "<p>virhe é"[3:].encode("latin-1").ljust(8))
    assert Outcome(REFUSED, "400") == against_raw(b"HTTP/1.1 400 Bad\r\nContent-Length: 1\r\n\r\n\xe4")


@pytest.mark.parametrize(("is_sent", "expected"), [(False, WAITS), (True, Outcome(UNKNOWN))])
def test_the_unexpected_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
    is_sent: bool,  # noqa: FBT001 - a column of the table
    expected: Outcome,
) -> None:
    """S-24: whatever else goes wrong is deferred before a connection stood and unknown after it; it never escapes."""

    async def fail(transport: Any, *_: object, **__: object) -> None:
        transport.is_connected = is_sent
        raise LookupError("nobody thought of this")

    monkeypatch.setattr("dispatcher.channels.twilio._OneConnection.request", fail)
    assert [expected, expected] == hand_over(SETTINGS, SMS, SMS)


def test_redirect_is_not_followed(twilio: Twilio) -> None:
    """S-20: a redirect would leave the host that was checked, so the message is not posted there."""
    twilio.hand_over()
    place = f"{twilio.base_url}/2010-04-01/Accounts/AC1/Messages.json"
    head = f"HTTP/1.1 307 Moved\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
    assert Outcome(UNKNOWN, "307") == against_raw(head.encode())
    assert not twilio.received


def test_kept_connection_that_breaks() -> None:
    """S-24: each message is judged by itself: the second is lost on a kept connection, the third never leaves."""
    body = b'{"sid": "SM1", "num_segments": "1"}'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"SmartEncoded=false")
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await reader.readuntil(b"SmartEncoded=false")
        servers[0].close()
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
        is_over.set()

    async def talk() -> list[Outcome]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with TwilioCarrier(replace(SETTINGS, base_url=url)).session() as session:
            outcomes = [await session.hand_over(CampaignMessage(f"m{i}", SMS)) for i in range(3)]
        await is_over.wait()
        return outcomes

    servers: list[asyncio.Server] = []
    is_over = asyncio.Event()
    outcomes = asyncio.run(talk())
    assert [Outcome(ACCEPTED, "201", provider_id="SM1", segments=1), Outcome(UNKNOWN), WAITS] == outcomes


def test_nobody_listens() -> None:
    """S-24: a refused connection carried nothing, so the message waits."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert [WAITS] == hand_over(replace(SETTINGS, base_url=f"http://127.0.0.1:{port}"), SMS)


def test_encryption_that_fails() -> None:
    """S-24: what fails before the request could be sent waits, TLS included."""
    assert WAITS == against_raw(b"220 not TLS\r\n", "https")


def test_wrong_secret(twilio: Twilio) -> None:
    """S-21: a refused login makes the campaign wait; no client is blamed."""
    assert [Outcome(DEFERRED, "20003", blame=Blame.CONNECTION)] == twilio.hand_over(SMS, api_secret="wrong")
    assert not twilio.received


def test_requests_go_to_the_named_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-20: the host a request goes to is the one the carrier names, path and all."""
    asked: list[tuple[str, str | int | None]] = []

    async def refuse(_: object, host: str | bytes | None, port: str | int | None, **__: object) -> list[object]:
        asked.append((str(host), port))
        raise OSError("no names are looked up in tests")

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", refuse)
    assert [WAITS] == hand_over(SETTINGS, SMS)
    assert [("api.dublin.ie1.twilio.com", 443)] == asked


def test_email_is_a_mistake() -> None:
    """An email never reaches Twilio."""

    async def talk() -> None:
        async with TwilioCarrier(replace(SETTINGS, base_url="http://127.0.0.1:9")).session() as session:
            await session.hand_over(CampaignMessage("m1", Email("a@b.example", "c@d.example", b"")))

    with pytest.raises(TypeError):
        asyncio.run(talk())


def test_nothing_is_logged(twilio: Twilio, caplog: pytest.LogCaptureFixture) -> None:
    """L-46: neither number, text nor secret reaches a log, at any level; the secret is in no print either."""
    with caplog.at_level(logging.DEBUG):
        twilio.hand_over(SMS)
        twilio.hand_over(SMS, trouble=21211)
    for secret in ("401234567", "Kesä", "hunter2", "SK1"):
        assert secret not in caplog.text
    assert "hunter2" not in repr(SETTINGS)


@pytest.mark.parametrize("kept", [0, 1], ids=["first message", "kept connection"])
def test_a_no_is_heard_once_the_connection_stands(kept: int) -> None:
    """E-12: however long it takes to reach Twilio, the question is asked after that, and after a no nothing is said."""
    heard, stands = bytearray(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stands.set()
        while said := await reader.read(4096):
            heard.extend(said)
            if b"Body=" in said:
                body = b'{"sid": "SM1", "num_segments": "1"}'
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()
        await writer.wait_closed()

    async def no() -> bool:
        await asyncio.wait_for(stands.wait(), 2)
        return False

    async def talk() -> list[Outcome]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            settings = replace(SETTINGS, base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            async with TwilioCarrier(settings).session() as session:
                before = [await session.hand_over(CampaignMessage("m0", SMS)) for _ in range(kept)]
                heard.clear()
                recalled = await session.hand_over(CampaignMessage("m1", SMS), no)
                assert b"" == heard
                return [*before, recalled, await session.hand_over(CampaignMessage("m2", SMS))]

    accepted = Outcome(ACCEPTED, "201", provider_id="SM1", segments=1)
    assert asyncio.run(talk()) == [accepted] * kept + [RECALLED, accepted]
