"""The envelope of the next message goes with the body of the one before, and no message suffers for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.channels import RECALLED, always, nobody
from dispatcher.channels.smtp import SmtpSession
from dispatcher.rules.message import Blame, CampaignMessage, Email, Outcome, OutcomeKind
from tests.faults.mail_server import (
    CONTENT,
    EMAIL,
    GROUPS,
    STUFFED,
    TAKEN,
    USUAL,
    Act,
    Forgetful,
    Gone,
    Kept,
    MailServer,
    campaign_message,
    carrier,
)

UNKNOWN = Outcome(OutcomeKind.UNKNOWN, status="4.4.2")
QUICK = {"timeout_seconds": 0.3, "reply_timeout_seconds": 5}
LONG = replace(EMAIL, content=b"Subject: x\r\n\r\n" + b"y" * 900 + b"\r\n")


def emails(count: int) -> list[Email]:
    """Make emails to so many people."""
    return [replace(EMAIL, recipient=f"anna{i}@mail.example") for i in range(count)]


def server_with(**script: Act | list[Act]) -> MailServer:
    """Make a server that offers groups; "DOT" is the last dot."""
    return MailServer({"EHLO": GROUPS} | {("." if step == "DOT" else step): act for step, act in script.items()})


async def hand_over_all(
    session: SmtpSession,
    content: Sequence[Email],
    may_go: Callable[[int], Awaitable[bool]] = lambda _number: always(),
) -> list[Outcome]:
    """Hand emails over, and tell the session of each next one when it asks."""
    messages = [campaign_message(number, email) for number, email in enumerate(content)]
    outcomes: list[Outcome] = []

    def following() -> CampaignMessage | None:
        return messages[len(outcomes) + 1] if len(outcomes) + 1 < len(messages) else None

    session.look_ahead(following)
    for number, message in enumerate(messages):
        outcomes.append(await session.hand_over(message, lambda number=number: may_go(number)))  # type: ignore[misc]
    session.look_ahead(nobody)
    return outcomes


def handed_over(server: MailServer, content: Sequence[Email], **changes: Any) -> list[Outcome]:
    """Hand emails over to a server in one session that looks ahead."""

    async def talk() -> list[Outcome]:
        async with server.running(), carrier(server.port, **changes).session() as session:
            return await hand_over_all(session, content)

    return asyncio.run(talk())


def recipients(server: MailServer) -> list[str]:
    """Return for whom the server was told an envelope, in order."""
    return [line.partition("<")[2].partition("@")[0] for line in server.said if line.startswith("RCPT")]


def test_an_envelope_goes_with_the_body_before() -> None:
    """E-54: a body and the next MAIL, RCPT and DATA are one group; each message keeps its own envelope and bytes."""
    server = server_with()
    content = [replace(email, content=b"Subject: %d\r\n\r\n." % i + CONTENT) for i, email in enumerate(emails(3))]
    assert [TAKEN] * 3 == handed_over(server, content)
    assert [b"Subject: %d\r\n\r\n.." % i + STUFFED[:9] for i in range(3)] == [body[:25] for body in server.bodies]
    assert ["anna0", "anna1", "anna2"] == recipients(server)
    assert ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"] == [line.split()[0] for line in server.said]
    assert (2 * 3, 3 * 2) == (server.groups, server.ahead), "three commands came with each body but the last"


def test_no_server_is_told_ahead_that_offers_no_groups() -> None:
    """E-54: one command at a time means that nobody is asked what comes next."""
    server = MailServer()
    assert [TAKEN] * 3 == handed_over(server, emails(3))
    assert (0, 0) == (server.groups, server.ahead)


def test_each_connection_carries_its_share_and_no_more() -> None:
    """E-55: an envelope said ahead counts as carried, and the one beyond the share is said on the next connection."""
    server = server_with()
    assert [TAKEN] * 5 == handed_over(server, emails(5), messages_per_connection=2)
    assert server.connections == 3
    assert len(server.bodies) == 5
    assert len(recipients(server)) == 5


def test_what_a_client_forbids_meanwhile_gets_no_body() -> None:
    """E-12: a no that comes after the envelope was said ahead is kept; there is no body, and the next one goes."""
    server = server_with()

    async def may_go(number: int) -> bool:
        return number != 1

    async def talk() -> list[Outcome]:
        async with server.running(), carrier(server.port).session() as session:
            return await hand_over_all(session, emails(3), may_go)

    assert [TAKEN, RECALLED, TAKEN] == asyncio.run(talk())
    assert ["anna0", "anna1", "anna2"] == recipients(server)
    assert (2, 2) == (len(server.bodies), server.connections)
    assert [] == server.unfinished


@pytest.mark.parametrize("is_hung_up", [True, False])
@pytest.mark.parametrize("same_id", [True, False])
def test_another_message_than_was_told_of(*, same_id: bool, is_hung_up: bool) -> None:
    """E-54: an envelope whose message does not come is left alone with its connection; nobody gets another's mail.

    Not even where the same message was made again, for another address.
    """
    server = server_with()
    first, told, other = (campaign_message(number, email) for number, email in enumerate(emails(3)))
    other = replace(other, message_id=told.message_id) if same_id else other

    async def talk() -> list[Outcome]:
        async with server.running(), carrier(server.port).session() as session:
            session.look_ahead(lambda: told)
            outcomes = [await session.hand_over(first)]
            if is_hung_up:
                session.look_ahead(nobody)
            return [*outcomes, await session.hand_over(other)]

    assert [TAKEN, TAKEN] == asyncio.run(talk())
    assert ["anna0", "anna1", "anna2"] == recipients(server)[:3]
    assert (2, 2) == (len(server.bodies), server.connections)


def test_nothing_more_comes_after_all() -> None:
    """E-54: a session that is closed with an envelope said ahead cuts the connection: no body, no dot, no goodbye."""
    server = server_with()
    first, told = (campaign_message(number, email) for number, email in enumerate(emails(2)))

    async def talk() -> Outcome:
        async with server.running(), carrier(server.port).session() as session:
            session.look_ahead(lambda: told)
            return await session.hand_over(first)

    assert TAKEN == asyncio.run(talk())
    assert len(server.bodies) == 1
    assert "QUIT" not in server.said
    assert [] == server.unfinished


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        (replace(EMAIL, recipient="päivi@mail.example"), "5.6.7"),
        (replace(EMAIL, content=b"bare\nline"), "5.6.0"),
        (LONG, "5.3.4"),
    ],
    ids=["address", "bytes", "size"],
)
def test_what_cannot_be_said_is_not_said_ahead(email: Email, expected: str) -> None:
    """E-21, E-28, E-55: what no server can take is refused in its own turn, and its neighbours go."""
    server = MailServer({"EHLO": f"{GROUPS}\n250 SIZE 500".replace("250 8BITMIME", "250-8BITMIME")})
    first, last = emails(2)
    outcomes = handed_over(server, [first, email, last])
    assert [TAKEN, TAKEN] == [outcomes[0], outcomes[2]]
    assert (OutcomeKind.REFUSED, expected) == (outcomes[1].kind, outcomes[1].status)
    assert ["anna0", "anna1"] == recipients(server)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("451 4.3.0 out of breath", Outcome(OutcomeKind.DEFERRED, "451", "4.3.0")),
        ("550 5.7.1 not from you", Outcome(OutcomeKind.REFUSED, "550", "5.7.1", blame=Blame.POLICY)),
    ],
)
def test_a_no_to_the_body_before(reply: str, expected: Outcome) -> None:
    """E-55: a no after the dot ends its own transaction; the next one, begun already, goes on undisturbed."""
    server = server_with(DOT=[reply, USUAL["."]])
    assert [expected, TAKEN, TAKEN] == handed_over(server, emails(3))
    assert "RSET" not in server.said
    assert server.connections == 1
    assert ["anna0", "anna1", "anna2"] == recipients(server)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (Gone.RESET, UNKNOWN),
        ("421 4.3.2 going down", Outcome(OutcomeKind.DEFERRED, "421", "4.3.2", blame=Blame.CONNECTION)),
        ("354 what?", Outcome(OutcomeKind.UNKNOWN, "354")),
        (Kept(b"hello\r\n"), UNKNOWN),
    ],
    ids=["reset", "goodbye", "no answer", "no reply"],
)
def test_a_loss_at_the_body_before(act: Act, expected: Outcome) -> None:
    """E-51: what becomes of a body is its own; the message that was said ahead is said again and comes once."""
    server = server_with(DOT=[act, USUAL["."]])
    assert [expected, TAKEN, TAKEN] == handed_over(server, emails(3))
    assert len(server.bodies) == 3
    assert server.connections == 2


def test_a_refused_recipient_ahead() -> None:
    """E-53: a no to a recipient is that message's, as if it had been said alone."""
    server = server_with(RCPT=[USUAL["RCPT"], "550 5.1.1 no such user", USUAL["RCPT"]])
    dead = Outcome(OutcomeKind.REFUSED, "550", "5.1.1", blame=Blame.ADDRESS)
    assert [TAKEN, dead, TAKEN] == handed_over(server, emails(3))
    assert server.connections == 1
    assert len(server.bodies) == 2


LIES: dict[str, dict[str, Act | list[Act]]] = {
    "forgets what comes with a body": {"DOT": [Forgetful("250 2.0.0 Ok"), USUAL["."]]},
    "has the last transaction open still": {"MAIL": [USUAL["MAIL"], "503 5.5.1 nested MAIL", USUAL["MAIL"]]},
    "says it in words": {"MAIL": [USUAL["MAIL"], "554 5.5.0 pipelining is not allowed here", USUAL["MAIL"]]},
    "closes on it": {"MAIL": [USUAL["MAIL"], Gone.RESET, USUAL["MAIL"]]},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_server_that_takes_no_envelope_with_a_body(lie: dict[str, Act | list[Act]]) -> None:
    """E-54: the message is said again by itself and taken; from then on no envelope goes with a body, groups do."""
    server = server_with(**lie)

    async def talk() -> list[Outcome]:
        async with server.running():
            carried = carrier(server.port, **QUICK)
            async with carried.session() as session:
                outcomes = await hand_over_all(session, emails(2))
                groups, ahead = server.groups, server.ahead
                outcomes += await hand_over_all(session, emails(2))
            async with carried.session() as session:
                outcomes += await hand_over_all(session, emails(2))
        assert (groups + 2 * 4, ahead) == (server.groups, server.ahead)
        return outcomes

    assert [TAKEN] * 6 == asyncio.run(talk())
    assert len(server.bodies) == 6


@pytest.mark.parametrize(
    "lie",
    [
        {"DATA": [USUAL["DATA"], "250 2.0.0 Ok", USUAL["DATA"]]},
        {"MAIL": [USUAL["MAIL"], "250 2.1.0 Ok\n250 2.1.0 Ok", USUAL["MAIL"]]},
        {"DOT": ["250 2.0.0 Ok\n250 2.0.0 Ok", USUAL["."]]},
    ],
    ids=["takes DATA for a command", "answers twice", "takes the body twice"],
)
def test_replies_out_of_step_ahead(lie: dict[str, Act | list[Act]]) -> None:
    """E-54: replies out of step get no body: their message is deferred, blames nobody, and the others go once each."""
    server = server_with(**lie)
    server.is_lax = True
    outcomes = handed_over(server, emails(3), **QUICK)
    assert [TAKEN, TAKEN] == [outcomes[0], outcomes[2]]
    assert (OutcomeKind.DEFERRED, Blame.CONNECTION) == (outcomes[1].kind, outcomes[1].blame)
    assert len(server.bodies) == 2


SHORT: dict[str, dict[str, Act | list[Act]]] = {
    "the body's, and MAIL is taken": {"DOT": [Gone.MUTE, USUAL["."]]},
    "the body's, and MAIL is deferred": {
        "DOT": [Gone.MUTE, USUAL["."]],
        "MAIL": [USUAL["MAIL"], "451 4.3.0 later", USUAL["MAIL"]],
    },
    "the body's, and MAIL is refused": {
        "DOT": [Gone.MUTE, USUAL["."]],
        "MAIL": [USUAL["MAIL"], "550 5.1.1 no such user", USUAL["MAIL"]],
    },
    "that to RCPT": {"RCPT": [USUAL["RCPT"], Gone.MUTE, USUAL["RCPT"]]},
    "all but the first, with noise": {"RCPT": [USUAL["RCPT"], Kept(b"\xff\xfe 250\r\n"), USUAL["RCPT"]]},
}


@pytest.mark.parametrize("lie", SHORT.values(), ids=SHORT.keys())
def test_a_reply_that_is_swallowed(lie: dict[str, Act | list[Act]]) -> None:
    """E-51: where a reply is missing, nobody knows which: the body is unknown, and never another's yes or no."""
    server = server_with(**lie)
    outcomes = handed_over(server, emails(4), **QUICK)
    assert [UNKNOWN, TAKEN, TAKEN, TAKEN] == outcomes
    assert (4, 3) == (len(server.bodies), server.ahead), "each came once, and after the doubt each waited for the last"


class Particular(MailServer):
    """A mail server that answers a MAIL that came with a body in its own way, and any other as usual."""

    seen: int = 0
    answer: Act = ""

    def next(self, step: str) -> Act:
        """Return what to do at a step."""
        if step != "MAIL" or self.ahead == self.seen:
            return super().next(step)
        self.seen = self.ahead
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [
        "554 5.5.1 synchronization error",
        "550 5.1.1 no such user",
        "451 4.5.0 one at a time",
        "452 4.3.1 no room",
        "421 4.3.2 bye",
        Gone.RESET,
    ],
)
def test_whatever_a_server_says_to_an_envelope_with_a_body(answer: Act) -> None:
    """E-53, E-54: a no to MAIL that came with a body is no message's: it is said again, and soon no more ahead."""
    server = Particular({"EHLO": GROUPS})
    server.answer = answer
    assert [TAKEN] * 20 == handed_over(server, emails(20), **QUICK)
    assert len(server.bodies) == 20
    assert server.connections <= 3
    assert server.ahead <= 2 * 3


def test_cancelled_while_the_body_before_waits() -> None:
    """E-51: who is cancelled leaves no envelope behind for the next."""
    server = server_with(DOT=[Gone.SILENT, USUAL["."]])
    first, told = (campaign_message(number, email) for number, email in enumerate(emails(2)))

    async def talk() -> Outcome:
        is_announced = asyncio.Event()

        def following() -> CampaignMessage:
            asyncio.get_running_loop().call_soon(is_announced.set)
            return told

        async with server.running(), carrier(server.port).session() as session:
            session.look_ahead(following)
            handing = asyncio.create_task(session.hand_over(first))
            await is_announced.wait()
            handing.cancel()
            await asyncio.gather(handing, return_exceptions=True)
            session.look_ahead(nobody)
            return await session.hand_over(told)

    assert TAKEN == asyncio.run(talk())
    assert "anna1" == recipients(server)[-1]
    assert server.connections == 2
    assert STUFFED == server.bodies[-1]
