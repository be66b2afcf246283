"""The carrier of emails against a mail server that fails: what each failure comes to, and how the next mail fares."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from dispatcher.channels.smtp import Tls
from dispatcher.rules import reply_words
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from tests.faults.certificates import Certificate
from tests.faults.mail_server import (
    EMAIL,
    GROUPS,
    STUFFED,
    TAKEN,
    USUAL,
    Act,
    Dotted,
    Forgetful,
    Gone,
    Kept,
    MailServer,
    campaign_message,
    carrier,
    hand_over,
)

QUICK = {"timeout_seconds": 0.3, "reply_timeout_seconds": 0.3}
LOST = Outcome(OutcomeKind.DEFERRED, status="4.4.2", blame=Blame.CONNECTION)
UNKNOWN = Outcome(OutcomeKind.UNKNOWN, status="4.4.2")
BOTH = pytest.mark.parametrize("ehlo", [str(USUAL["EHLO"]), GROUPS], ids=["one by one", "in groups"])


@pytest.fixture(name="certificate", scope="module")
def make_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate for localhost that no machine trusts."""
    return Certificate.made(tmp_path_factory.mktemp("tls"))


def deferred(code: str, status: str = "", blame: Blame = Blame.CONNECTION) -> Outcome:
    """Say not now."""
    return Outcome(OutcomeKind.DEFERRED, code, status, blame=blame)


def refused(code: str, status: str, blame: Blame) -> Outcome:
    """Say no for good."""
    return Outcome(OutcomeKind.REFUSED, code, status, blame=blame)


def server_of(ehlo: str, **acts: Act | list[Act]) -> MailServer:
    """Make a server that does these once, each at its step ("DOT" is the last dot), and then behaves."""
    steps = {("." if step == "DOT" else step): act for step, act in acts.items()}
    return MailServer(
        {"EHLO": ehlo, **{step: act if isinstance(act, list) else [act, USUAL[step]] for step, act in steps.items()}}
    )


@BOTH
@pytest.mark.parametrize("step", ["RCPT", "DOT"])
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("451 try later", deferred("451", blame=Blame.MESSAGE)),
        ("451 4.7.1 greylisted", deferred("451", "4.7.1", Blame.POLICY)),
        ("450 4.7.1 too much mail from you", deferred("450", "4.7.1", Blame.QUOTA)),
        ("550 5.1.0 policy: exceeded the max emails per hour", deferred("550", "5.1.0", Blame.QUOTA)),
        ("550 5.1.1 no such user", refused("550", "5.1.1", Blame.ADDRESS)),
        ("550 5.7.1 not from you", refused("550", "5.7.1", Blame.POLICY)),
        ("552 5.2.2 mailbox full", refused("552", "5.2.2", Blame.MAILBOX_FULL)),
        ("552 5.3.4 too big", refused("552", "5.3.4", Blame.CONTENT)),
    ],
)
def test_a_no_to_one_message(ehlo: str, step: str, reply: str, expected: Outcome) -> None:
    """E-50, E-53, E-54: a no is that message's alone, grouped or not; the next goes over the same connection."""
    server = server_of(ehlo, **{step: reply})
    assert [TAKEN, expected, TAKEN] == hand_over_after_one(server, step)
    assert (1, 1) == (server.connections, server.said.count("RSET"))
    assert len(server.bodies) == (3 if step == "DOT" else 2)


def hand_over_after_one(server: MailServer, step: str) -> list[Outcome]:
    """Hand three emails over, of which the second meets what the script says of this step."""
    name = "." if step == "DOT" else step
    acts = server.script[name]
    assert isinstance(acts, list)
    server.script[name] = [USUAL[name], *acts]
    return hand_over(server, EMAIL, EMAIL, EMAIL)


@BOTH
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "DOT"])
def test_told_to_go_in_mid_run(ehlo: str, step: str) -> None:
    """E-53: a 421 in the middle of a run blames no client; the next mail goes over a new connection."""
    server = server_of(ehlo, **{step: "421 4.3.2 shutting down"})
    assert [deferred("421", "4.3.2"), TAKEN] == hand_over(server, EMAIL, EMAIL)
    assert server.connections == 2


@BOTH
@pytest.mark.parametrize("step", ["RCPT", "DATA", "DOT"])
def test_told_to_go_on_a_kept_connection(ehlo: str, step: str) -> None:
    """E-53: once an envelope was begun on a kept connection, a 421 is that message's own trouble, and said once."""
    server = server_of(ehlo, **{step: "421 4.3.2 shutting down"})
    assert [TAKEN, deferred("421", "4.3.2"), TAKEN] == hand_over_after_one(server, step)
    assert server.connections == 2


@BOTH
@pytest.mark.parametrize(
    "act",
    [Gone.RESET, Gone.SILENT, Gone.TARPIT, b"", b"25", b"250-half\r\n", b"\xff\xfe\xc3\r\n", Kept(b"2\xe40 \xff\r\n")],
)
def test_trouble_after_the_dot(ehlo: str, act: Act) -> None:
    """E-51: after the last dot a reset, silence, a tarpit, half a reply or garbage is unknown, and never said twice."""
    server = server_of(ehlo, DOT=act)
    assert [UNKNOWN, TAKEN] == hand_over(server, EMAIL, EMAIL, **QUICK)
    assert (2, [STUFFED] * 2) == (server.connections, server.bodies)


def test_a_mistake_of_ours_after_the_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    """E-51: should reading the last reply fail for a bug, the mail may have been taken: unknown, never deferred."""

    def fail(_text: str) -> str:
        raise RuntimeError("a bug")

    server = server_of(GROUPS, DOT="451 4.3.0 out of breath")
    monkeypatch.setattr(reply_words, "plain", fail)
    assert [UNKNOWN, TAKEN] == hand_over(server, EMAIL, EMAIL)
    assert server.connections == 2


@BOTH
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("act", [Gone.RESET, Gone.SILENT, Gone.TARPIT, b"25", b"\xff\xfe\r\n", Kept(b"what?\r\n")])
def test_trouble_before_the_body(ehlo: str, step: str, act: Act) -> None:
    """E-51: until the body is given, whatever goes wrong is deferred, never unknown, and nothing is delivered."""
    server = server_of(ehlo, **{step: act})
    assert [LOST, TAKEN] == hand_over(server, EMAIL, EMAIL, **QUICK)
    assert (2, [STUFFED]) == (server.connections, server.bodies)


@BOTH
def test_eight_bit_words(ehlo: str) -> None:
    """E-50: a reply whose words are in no known alphabet is read by its digits."""
    server = server_of(ehlo, RCPT=Kept(b"550 5.1.1 K\xe4ytt\xe4j\xe4\xff\x00\r\n"))
    assert [refused("550", "5.1.1", Blame.ADDRESS), TAKEN] == hand_over(server, EMAIL, EMAIL)
    assert server.connections == 1


@BOTH
def test_late_goodbye(ehlo: str) -> None:
    """A 421 that nobody asked for ends a kept connection: the next mail goes over a new one, nobody is blamed."""
    server = server_of(ehlo, DOT=b"250 2.0.0 Ok\r\n421 4.4.2 idle\r\n")
    assert [TAKEN, TAKEN] == hand_over(server, EMAIL, EMAIL)
    assert server.connections == 2


@BOTH
@pytest.mark.parametrize(
    "act", [Gone.RESET, Gone.SILENT, b"", "421 4.4.2 idle", "421 mail.example: too many messages in this connection"]
)
def test_idle_connection_that_was_closed(ehlo: str, act: Act) -> None:
    """E-51: a kept connection that is dead is replaced once, since no body was given; the mail is taken once."""
    server = server_of(ehlo, MAIL=act)
    assert [TAKEN] * 3 == hand_over_after_kept(server)
    assert (2, 3) == (server.connections, len(server.bodies))


def hand_over_after_kept(server: MailServer) -> list[Outcome]:
    """Hand three emails over; the second finds its connection as the script says, quick to notice."""
    acts = server.script["MAIL"]
    assert isinstance(acts, list)
    server.script["MAIL"] = [USUAL["MAIL"], *acts]
    return hand_over(server, EMAIL, EMAIL, EMAIL, **QUICK)


@BOTH
def test_connection_that_stays_dead(ehlo: str) -> None:
    """E-51: a kept connection is replaced once and no more for a message; what is lost again is deferred."""
    server = MailServer({"EHLO": ehlo, "MAIL": [USUAL["MAIL"], Gone.RESET, Gone.RESET, USUAL["MAIL"]]})
    assert [TAKEN, LOST, TAKEN] == hand_over(server, EMAIL, EMAIL, EMAIL)
    assert (3, 2) == (server.connections, len(server.bodies))


@BOTH
def test_recalled_after_the_go_ahead(ehlo: str) -> None:
    """A message recalled while the server thought about its envelope is not given, and no more follows over it."""
    server = MailServer({"EHLO": ehlo})

    async def never() -> bool:
        assert server.said[-1] == "DATA"
        return False

    async def talk() -> list[Outcome]:
        async with server.running(), carrier(server.port).session() as session:
            recalled = await session.hand_over(campaign_message(1), never)
            return [recalled, await session.hand_over(campaign_message(2))]

    assert [Outcome(OutcomeKind.DEFERRED, code="recalled"), TAKEN] == asyncio.run(talk())
    assert (2, [STUFFED]) == (server.connections, server.bodies)


@BOTH
def test_connection_that_dies_while_the_recall_is_asked(ehlo: str) -> None:
    """E-51: a connection that closes between the go-ahead and the body is deferred: nothing of the body was given."""
    server = server_of(ehlo, DATA=b"354 go ahead\r\n")

    async def slow() -> bool:
        await asyncio.gather(*server.talks)
        for _ in range(3):
            await asyncio.sleep(0)
        return True

    async def talk() -> Outcome:
        async with server.running(), carrier(server.port).session() as session:
            return await session.hand_over(campaign_message(), slow)

    assert LOST == asyncio.run(talk())
    assert not server.bodies


def test_one_group() -> None:
    """E-54: where PIPELINING is offered, MAIL, RCPT and DATA go together with DATA last, and else one by one."""
    offering, plain = MailServer({"EHLO": GROUPS}), MailServer()
    for server in (offering, plain):
        assert [TAKEN, TAKEN] == hand_over(server, EMAIL, EMAIL)
        assert ["MAIL", "RCPT", "DATA"] == [line.split()[0] for line in server.said[1:4]]
    assert (4, 0) == (offering.groups, plain.groups)


@pytest.mark.parametrize("offer", ["250-mail.example\n250 X-PIPELINING", "250-mail.example\n250 SIZE 0"])
def test_no_group_where_none_is_offered(offer: str) -> None:
    """E-54: nothing but the word itself is an offer."""
    server = MailServer({"EHLO": offer})
    assert [TAKEN] == hand_over(server, EMAIL)
    assert server.groups == 0


def test_offer_of_before_encryption_is_not_believed(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-54: an offer made before STARTTLS counts for nothing after it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    server = MailServer(
        {"EHLO": ["250-mail.example\n250-PIPELINING\n250 STARTTLS", "250 mail.example"]}, certificate.context
    )
    assert [TAKEN] == hand_over(server, EMAIL, host="localhost", tls=Tls.STARTTLS)
    assert server.groups == 0


def test_go_ahead_for_a_refused_recipient() -> None:
    """E-54: a server that takes DATA for an envelope it has refused gets no body and no dot; the refusal stands."""
    server = MailServer({"EHLO": GROUPS, "RCPT": ["550 5.1.1 no such user", USUAL["RCPT"]]}, is_lax=True)
    assert [refused("550", "5.1.1", Blame.ADDRESS), TAKEN] == hand_over(server, EMAIL, EMAIL)
    assert (2, [STUFFED]) == (server.connections, server.bodies)
    assert server.groups == 4
    assert [] == server.unfinished


LIES: dict[str, dict[str, Act]] = {
    "forgets the rest of the group": {"MAIL": Forgetful("250 2.1.0 Ok")},
    "forgets DATA": {"RCPT": Forgetful("250 2.1.5 Ok")},
    "swallows a reply": {"RCPT": Gone.MUTE},
    "swallows the first reply": {"MAIL": Gone.MUTE},
    "swallows the go-ahead": {"DATA": Gone.MUTE},
    "runs its replies together": {"MAIL": Kept(b"250 2.1.0 Ok"), "RCPT": Kept(b"250 2.1.5 Ok")},
    "answers twice": {"MAIL": "250 2.1.0 Ok\n250 2.1.0 Ok"},
    "answers out of order": {"MAIL": "354 go ahead", "RCPT": "250 2.1.0 Ok", "DATA": "250 2.1.5 Ok"},
    "takes what follows a no": {"MAIL": "550 5.1.1 no such user"},
    "takes DATA for a command": {"RCPT": "550 5.1.1 no such user", "DATA": "250 2.0.0 Ok"},
    "knows no groups after all": {"MAIL": "503 5.5.0 improper use of SMTP command pipelining"},
    "knows no second command": {"RCPT": "500 5.5.2 what?"},
    "says it in words": {"DATA": "554 5.7.1 pipelining is not allowed"},
    "closes on a group": {"MAIL": Gone.RESET},
    "garbles": {"RCPT": Kept(b"\xff\xfe 250\r\n")},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_pipelining_that_lies(lie: dict[str, Act]) -> None:
    """E-54: replies out of step are deferred, blame no client and get no body; from then on one command goes."""
    server = server_of(GROUPS, **lie)
    server.is_lax = True

    async def talk() -> list[Outcome]:
        async with server.running():
            carried = carrier(server.port, **QUICK)
            async with carried.session() as session:
                outcomes = [await session.hand_over(campaign_message(1))]
                after_the_lie = server.groups
                outcomes.append(await session.hand_over(campaign_message(2)))
            async with carried.session() as session:
                outcomes.append(await session.hand_over(campaign_message(3)))
        assert after_the_lie == server.groups
        return outcomes

    first, *others = asyncio.run(talk())
    assert (first.kind, first.blame) == (OutcomeKind.DEFERRED, Blame.CONNECTION)
    assert [TAKEN, TAKEN] == others
    assert [STUFFED, STUFFED] == server.bodies


def test_honest_server_that_is_cut_off() -> None:
    """E-54: a server that has answered groups is still believed when a connection to it breaks."""
    server = MailServer({"EHLO": GROUPS, "RCPT": [USUAL["RCPT"], Gone.RESET, USUAL["RCPT"]]})
    assert [TAKEN, LOST, TAKEN] == hand_over(server, EMAIL, EMAIL, EMAIL)
    assert server.groups == 2 * 3


def test_encryption_that_fails_in_mid_run(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-53: where a new connection cannot be encrypted, the campaign waits, and nothing is said in the clear."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    offer = "250-mail.example\n250 STARTTLS"
    server = MailServer(
        {
            "EHLO": [offer, "250 mail.example", offer, offer, "250 mail.example"],
            "STARTTLS": [USUAL["STARTTLS"], "454 4.7.0 not available", USUAL["STARTTLS"]],
        },
        certificate.context,
    )
    found = hand_over(server, *[EMAIL] * 3, host="localhost", tls=Tls.STARTTLS, messages_per_connection=1)
    assert [TAKEN, deferred("", "4.4.1"), TAKEN] == found
    assert len(server.bodies) == 2


def test_record_of_what_was_dotted(tmp_path: Path) -> None:
    """The server's own record names every message whose dot it has seen, whatever became of it, from any thread."""
    server = MailServer({".": [USUAL["."], Gone.RESET, "451 later", USUAL["."]]}, record=tmp_path / "r", is_synced=True)
    emails = [
        replace(
            EMAIL, recipient=f"anna{i}@mail.example", content=b"Message-ID: <m%d@s.example>\r\n" % i + EMAIL.content
        )
        for i in range(4)
    ]

    async def talk() -> list[Outcome]:
        async with carrier(server.port).session() as session:
            return [await session.hand_over(campaign_message(i, email)) for i, email in enumerate(emails)]

    with server.beside():
        outcomes = asyncio.run(talk())
    assert [TAKEN, UNKNOWN, deferred("451", blame=Blame.MESSAGE), TAKEN] == outcomes
    assert [Dotted(EMAIL.sender, f"anna{i}@mail.example", f"<m{i}@s.example>") for i in range(4)] == server.taken()
