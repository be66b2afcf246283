"""Handing emails to a mail server: what becomes of each message."""

import asyncio
from dataclasses import replace

import pytest

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.rules.message import (
    Blame,
    CampaignMessage,
    Outcome,
    OutcomeKind,
    ServiceMessage,
    ServicePurpose,
    Sms,
)
from tests.faults.mail_server import (
    CONTENT,
    EMAIL,
    STUFFED,
    TAKEN,
    USUAL,
    Act,
    Gone,
    MailServer,
    campaign_message,
    carrier,
    hand_over,
)

ACCEPTED, DEFERRED = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED
REFUSED, UNKNOWN = OutcomeKind.REFUSED, OutcomeKind.UNKNOWN
LOST = Outcome(DEFERRED, status="4.4.2", blame=Blame.CONNECTION)


def test_bytes_arrive_as_they_are() -> None:
    """E-27: a mail server gets the very bytes, envelope and order of what was handed over."""
    emails = [replace(EMAIL, recipient=f"anna{i}@mail.example") for i in range(3)]

    async def talk(port: int) -> list[Outcome]:
        async with carrier(port).session() as session:
            return [await session.hand_over(campaign_message(i, email)) for i, email in enumerate(emails)]

    with SmtpDouble() as double:
        outcomes = asyncio.run(talk(double.port))
        received = [(mail.sender, mail.recipient, mail.content) for mail in double.received]
    assert [TAKEN] * 3 == outcomes
    assert [(EMAIL.sender, email.recipient, CONTENT) for email in emails] == received


def test_golden_wire() -> None:
    """E-27, E-21: on the wire a message is its own bytes, a dot doubled where a line begins with one."""
    server = MailServer()
    assert [TAKEN] == hand_over(server, EMAIL)
    assert [STUFFED] == server.bodies
    assert [
        "EHLO studio.example",
        "MAIL FROM:<b+1@bounce.studio.example>",
        "RCPT TO:<anna@mail.example>",
        "DATA",
        "QUIT",
    ] == server.said


def test_first_line_with_a_dot() -> None:
    """E-21: a dot at the very beginning is doubled too, and a missing last line end is added."""
    server = MailServer()
    hand_over(server, replace(EMAIL, content=b".eka\r\nvika"))
    assert [b"..eka\r\nvika\r\n"] == server.bodies


def test_service_message_goes_the_same_way() -> None:
    """A service message is handed over as a campaign message is."""

    async def talk(port: int) -> Outcome:
        async with carrier(port).session() as session:
            return await session.hand_over(ServiceMessage("s1", ServicePurpose.TEST, EMAIL))

    with SmtpDouble() as double:
        assert asyncio.run(talk(double.port)).kind is ACCEPTED
        assert [CONTENT] == [mail.content for mail in double.received]


def test_text_message_is_a_mistake() -> None:
    """A text message never reaches a mail server."""

    async def talk(port: int) -> None:
        async with carrier(port).session() as session:
            await session.hand_over(CampaignMessage("m1", Sms("+358401234567", "hei", 1)))

    with SmtpDouble() as double, pytest.raises(TypeError):
        asyncio.run(talk(double.port))


def test_refused_recipients_do_not_stop_the_next() -> None:
    """E-55: after a refusal the transaction is reset, and the next message goes over the same connection."""
    replies = {"dead@mail.example": "550 5.1.1 no such user", "full@mail.example": "452 4.2.2 mailbox full"}
    emails = [replace(EMAIL, recipient=f"{name}@mail.example") for name in ("dead", "anna", "full", "liisa")]

    async def talk(port: int) -> list[Outcome]:
        async with carrier(port).session() as session:
            return [await session.hand_over(campaign_message(i, email)) for i, email in enumerate(emails)]

    with SmtpDouble(replies.get) as double:
        outcomes = asyncio.run(talk(double.port))
        received = [mail.recipient for mail in double.received]
    assert Outcome(REFUSED, "550", "5.1.1", blame=Blame.ADDRESS) == outcomes[0]
    assert Outcome(DEFERRED, "452", "4.2.2", blame=Blame.MAILBOX_FULL) == outcomes[2]
    assert ["anna@mail.example", "liisa@mail.example"] == received


@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        ("MAIL", "552 5.3.4 too big", Outcome(REFUSED, "552", "5.3.4", blame=Blame.CONTENT)),
        ("RCPT", "451 try later", Outcome(DEFERRED, "451")),
        ("RCPT", "451 4.7.1 greylisted", Outcome(DEFERRED, "451", "4.7.1", blame=Blame.POLICY)),
        ("RCPT", "550 5.1.1 no such user", Outcome(REFUSED, "550", "5.1.1", blame=Blame.ADDRESS)),
        ("RCPT", "550 5.7.1 blocked", Outcome(REFUSED, "550", "5.7.1", blame=Blame.POLICY)),
        ("DATA", "554 5.5.1 no", Outcome(REFUSED, "554", "5.5.1", blame=Blame.CONTENT)),
        (".", "451 4.7.1 later", Outcome(DEFERRED, "451", "4.7.1", blame=Blame.POLICY)),
        (".", "550 5.7.26 unauthenticated", Outcome(REFUSED, "550", "5.7.26", blame=Blame.POLICY)),
        (".", "550-5.1.1 no such\n550 5.1.1 user", Outcome(REFUSED, "550", "5.1.1", blame=Blame.ADDRESS)),
        (".", "552 5.3.4 too big", Outcome(REFUSED, "552", "5.3.4", blame=Blame.CONTENT)),
        (".", "451 4.7.0 too many messages", Outcome(DEFERRED, "451", "4.7.0", blame=Blame.QUOTA)),
    ],
)
def test_no_to_one_message(step: str, reply: str, expected: Outcome) -> None:
    """E-50, E-53: a no at any step becomes its outcome, is followed by RSET, and the next message goes on."""
    server = MailServer({step: [reply, str(USUAL[step])]})
    assert [expected, TAKEN] == hand_over(server, EMAIL, EMAIL)
    assert server.connections == 1
    assert server.said.count("RSET") == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("421 4.3.2 shutting down", Outcome(DEFERRED, "421", "4.3.2", blame=Blame.CONNECTION)),
        ("451 4.3.2 not now", Outcome(DEFERRED, "451", "4.3.2", blame=Blame.CONNECTION)),
        ("530 5.7.0 log in first", Outcome(DEFERRED, "530", "5.7.0", blame=Blame.CONNECTION)),
        ("535 5.7.8 who are you", Outcome(DEFERRED, "535", "5.7.8", blame=Blame.CONNECTION)),
        ("421 4.7.0 too many messages", Outcome(DEFERRED, "421", "4.7.0", blame=Blame.QUOTA)),
    ],
)
def test_no_to_the_connection(step: str, reply: str, expected: Outcome) -> None:
    """E-53: the connection waits and no client is blamed, at whatever step the server says so."""
    server = MailServer({step: [reply, str(USUAL[step])]})
    assert [expected, TAKEN] == hand_over(server, EMAIL, EMAIL)
    assert server.connections == 2


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("loss", [Gone.RESET, Gone.SILENT, b"25", b"250-half\r\n", b"nonsense\r\n"])
def test_lost_before_the_body(step: str, loss: Act) -> None:
    """E-51: whatever is lost before the body was given is deferred, and the session lives on."""
    server = MailServer({step: [loss, str(USUAL[step])]})
    outcomes = hand_over(server, EMAIL, EMAIL, timeout_seconds=0.2)
    assert [LOST, TAKEN] == outcomes
    assert [STUFFED] == server.bodies


@pytest.mark.parametrize(
    "loss", [Gone.RESET, Gone.SILENT, b"", b"25", b"250 2.0.0 Ok", b"250-half\r\n", b"nonsense\r\n", "354 again"]
)
def test_lost_after_the_body(loss: Act) -> None:
    """E-51: a reset, silence, half a reply or nonsense after the dot is unknown, and is not said twice."""
    server = MailServer({".": [loss, str(USUAL["."])]})
    first, second = hand_over(server, EMAIL, EMAIL, reply_timeout_seconds=0.2)
    assert first.kind is UNKNOWN
    assert TAKEN == second
    assert (2, 2) == (len(server.bodies), server.connections)


def test_yes_without_a_body() -> None:
    """A server that says yes to DATA before it has the body is out of step: nothing is given."""
    server = MailServer({"DATA": "250 2.0.0 Ok"})
    assert [Outcome(DEFERRED, "250", "2.0.0", blame=Blame.CONNECTION)] == hand_over(server, EMAIL)
    assert not server.bodies


def test_idle_connection_that_was_closed() -> None:
    """A kept connection closed meanwhile, or ended with 421, is opened again before anything of a message was said."""
    server = MailServer({"MAIL": ["250 2.1.0 Ok", Gone.RESET, "250 2.1.0 Ok", "421 4.4.2 idle", "250 2.1.0 Ok"]})
    assert [TAKEN] * 3 == hand_over(server, EMAIL, EMAIL, EMAIL)
    assert server.connections == 3


def test_lost_connection_that_stays_lost() -> None:
    """E-53: if the server cannot be reached again, the message waits and hand_over does not raise."""

    async def talk() -> list[Outcome]:
        server = MailServer({"MAIL": Gone.RESET})
        async with server.running():
            way = carrier(server.port).session()
            session = await way.__aenter__()
            outcomes = [await session.hand_over(campaign_message(1))]
        outcomes.append(await session.hand_over(campaign_message(2)))
        await way.__aexit__(None, None, None)
        return outcomes

    assert [LOST, Outcome(DEFERRED, status="4.4.1", blame=Blame.CONNECTION)] == asyncio.run(talk())


def test_share_of_a_connection() -> None:
    """E-55: a connection is replaced, with a goodbye, when it has carried its share."""
    server = MailServer()
    hand_over(server, *[EMAIL] * 5, messages_per_connection=2)
    assert (3, 5, 3) == (server.connections, len(server.bodies), server.said.count("QUIT"))


def test_failed_reset_replaces_the_connection() -> None:
    """E-55: a connection that cannot be reset is not used again."""
    server = MailServer({"RCPT": ["550 5.7.1 no", "250 2.1.5 Ok"], "RSET": "502 5.5.1 never heard of it"})
    outcomes = hand_over(server, EMAIL, EMAIL)
    assert [REFUSED, ACCEPTED] == [outcome.kind for outcome in outcomes]
    assert server.connections == 2


def test_delivery_notices_where_offered() -> None:
    """E-55: where DSN is offered only failures are reported, with headers alone, under the message's id in xtext."""
    server = MailServer({"EHLO": "250-mail.example\n250-DSN\n250 SIZE 0"})

    async def talk() -> None:
        async with server.running(), carrier(server.port).session() as session:
            await session.hand_over(CampaignMessage("2026+kesä=1", EMAIL))

    asyncio.run(talk())
    size = len(CONTENT)
    assert f"MAIL FROM:<{EMAIL.sender}> SIZE={size} RET=HDRS ENVID=2026+2Bkes+C3+A4+3D1" == server.said[1]
    assert f"RCPT TO:<{EMAIL.recipient}> NOTIFY=FAILURE" == server.said[2]


@pytest.mark.parametrize(
    ("limit", "is_sent"), [("80", False), ("", True), ("0", True), ("1000", True), ("9" * 5000, True)]
)
def test_size_limit(limit: str, is_sent: bool) -> None:  # noqa: FBT001 - a column of the table
    """E-55: a message over the server's limit is refused without being sent, and the address is not blamed."""
    server = MailServer({"EHLO": f"250-mail.example\n250 SIZE {limit}".rstrip()})
    email = replace(EMAIL, content=b"a" * 78 + b"\r\n\r\n")
    outcome = TAKEN if is_sent else Outcome(REFUSED, "552", "5.3.4", blame=Blame.CONTENT)
    assert [outcome] == hand_over(server, email)
    assert is_sent == bool(server.bodies)


@pytest.mark.parametrize(
    "content",
    [b"a\nb\r\n", b"a\rb\r\n", b"a\r\r\nb\r\n", b"a\0b\r\n", "ä\r\n".encode(), b"a\r\n.\nMAIL FROM:<x@y.example>\r\n"],
)
def test_bytes_that_would_be_altered(content: bytes) -> None:
    """E-21, E-22: bare line ends, NUL and eight-bit bytes are refused here, so no server can read two mails in one."""
    server = MailServer()
    assert [Outcome(REFUSED, "554", "5.6.0", blame=Blame.CONTENT)] == hand_over(server, replace(EMAIL, content=content))
    assert ["EHLO studio.example", "QUIT"] == server.said


@pytest.mark.parametrize(
    ("recipient", "status", "blame"),
    [
        ("anna@mail.example> NOTIFY=NEVER", "5.1.3", Blame.ADDRESS),
        ("anna@mail.example\r\nDATA", "5.1.3", Blame.ADDRESS),
        ("anna", "5.1.3", Blame.ADDRESS),
        ("päivi@mail.example", "5.6.7", Blame.MESSAGE),
    ],
)
def test_address_that_cannot_be_said(recipient: str, status: str, blame: Blame) -> None:
    """E-28: an address that does not fit an SMTP command is refused without a word to the server."""
    server = MailServer()
    assert [Outcome(REFUSED, "553", status, blame=blame)] == hand_over(server, replace(EMAIL, recipient=recipient))
    assert ["EHLO studio.example", "QUIT"] == server.said


def test_sender_that_cannot_be_said() -> None:
    """E-53: our own broken sender makes the campaign wait; no client is blamed for it."""
    expected = Outcome(DEFERRED, "553", "5.1.7", blame=Blame.CONNECTION)
    assert [expected] == hand_over(MailServer(), replace(EMAIL, sender="studio"))


def test_one_message_at_a_time() -> None:
    """Two messages handed to one session at once never share an envelope."""
    emails = [replace(EMAIL, recipient=f"anna{i}@mail.example") for i in range(8)]

    async def talk(port: int) -> None:
        async with carrier(port).session() as session:
            await asyncio.gather(*(session.hand_over(campaign_message(i, mail)) for i, mail in enumerate(emails)))

    with SmtpDouble() as double:
        asyncio.run(talk(double.port))
        assert {email.recipient for email in emails} == {mail.recipient for mail in double.received}
        assert len(double.received) == 8


def test_cancelled_hand_over_leaves_nothing_behind() -> None:
    """A hand-over cancelled between two commands does not leave its envelope to the next message."""

    async def talk() -> tuple[Outcome, MailServer]:
        server = MailServer({"RCPT": [Gone.MUTE, "250 2.1.5 Ok"]})
        async with server.running(), carrier(server.port).session() as session:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.hand_over(campaign_message(1)), 0.2)
            outcome = await session.hand_over(campaign_message(2, replace(EMAIL, recipient="liisa@mail.example")))
        return outcome, server

    outcome, server = asyncio.run(talk())
    assert outcome.kind is ACCEPTED
    assert server.connections == 2
    assert ["RCPT TO:<anna@mail.example>", "RCPT TO:<liisa@mail.example>"] == [
        line for line in server.said if line.startswith("RCPT")
    ]
