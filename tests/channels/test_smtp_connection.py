"""Reaching a mail server: settings, encryption, login, and servers that do not open."""

import asyncio
import socket
from typing import Any

import pytest

from dispatcher.channels.smtp import SmtpCarrier, SmtpSettings, Tls
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Outcome
from tests.faults.certificates import Certificate
from tests.faults.mail_server import (
    EMAIL,
    STUFFED,
    TAKEN,
    Act,
    Gone,
    MailServer,
    campaign_message,
    carrier,
    hand_over,
)


def opening_error(server: MailServer, *, is_implicit: bool = False, **changes: Any) -> str:
    """Open a session that must fail; return what the error says."""

    async def talk() -> str:
        async with server.running(is_implicit=is_implicit):
            with pytest.raises(ChannelError) as caught:
                async with carrier(server.port, **changes).session():
                    pass
        return str(caught.value)

    return asyncio.run(talk())


@pytest.mark.parametrize("host", ["mail.example", "192.0.2.1", "localhost.example", "127.0.0.1.example"])
def test_plain_text_only_on_loopback(host: str) -> None:
    """E-43: without encryption the settings are refused for any host but this machine."""
    with pytest.raises(ChannelError, match="starttls"):
        SmtpSettings(host, 25, tls=Tls.NONE)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_plain_text_on_loopback(host: str) -> None:
    """E-43: loopback is exempt, so that the doubles can be used."""
    assert SmtpCarrier(SmtpSettings(host, 25, tls=Tls.NONE)).host == host


def test_password_is_not_shown() -> None:
    """L-46: the password of the mail server is in no print of the settings."""
    assert "hunter2" not in repr(SmtpSettings("mail.example", 587, "studio", "hunter2"))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"greeting": "421 4.3.2 too busy"}, "421 4.3.2"),
        ({"greeting": "554 5.7.1 go away"}, "554 5.7.1"),
        ({"greeting": Gone.RESET}, "cannot be used"),
        ({"greeting": Gone.SILENT}, "Timed out"),
        ({"EHLO": Gone.RESET}, "cannot be used"),
        ({"EHLO": "421 4.3.2 too busy"}, "cannot be used"),
    ],
)
def test_server_that_does_not_open(script: dict[str, Act | list[Act]], words: str) -> None:
    """E-53: a session that cannot be opened raises an error that names the server; nothing is handed over."""
    server = MailServer(script)
    said = opening_error(server, timeout_seconds=0.3)
    assert words in said
    assert f"127.0.0.1:{server.port}" in said


def test_nobody_listens() -> None:
    """E-53: a port where nobody listens is an error that says where to look."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def talk() -> None:
        async with carrier(port).session():
            pass

    with pytest.raises(ChannelError, match=r"dispatcher\.toml"):
        asyncio.run(talk())


def test_a_host_name_that_cannot_be_one() -> None:
    """E-53: a host name the resolver cannot even write is an error like any other server that is not there."""

    async def talk() -> None:
        async with SmtpCarrier(SmtpSettings(f"{'a' * 64}.example", 587)).session():
            pass

    with pytest.raises(ChannelError, match="cannot be used"):
        asyncio.run(talk())


def test_old_server_without_extensions() -> None:
    """A server that knows only HELO is used without extensions."""
    server = MailServer({"EHLO": "502 5.5.1 what?", "HELO": "250 mail.example"})
    assert [TAKEN] == hand_over(server, EMAIL)


def test_wrong_password() -> None:
    """E-53: a refused login raises with the code; neither the password nor the server's words are in the message."""
    server = MailServer({"EHLO": "250-mail.example\n250 AUTH PLAIN", "AUTH": "535 5.7.8 no such login studio"})
    said = opening_error(server, username="studio", password="hunter2")
    assert "535 5.7.8" in said
    assert "hunter2" not in said
    assert "no such login" not in said


def test_login() -> None:
    """The session logs in before the first message."""
    server = MailServer({"EHLO": "250-mail.example\n250 AUTH PLAIN"})
    assert [TAKEN] == hand_over(server, EMAIL, username="studio", password="hunter2")
    assert ["EHLO", "AUTH", "MAIL"] == [line.split()[0] for line in server.said[:3]]


def test_starttls_not_offered() -> None:
    """E-43: without STARTTLS nothing but the greeting is said: no login, no message, no plain text."""
    server = MailServer({"EHLO": "250-mail.example\n250 AUTH PLAIN"})
    said = opening_error(server, tls=Tls.STARTTLS, username="studio", password="hunter2")
    assert "STARTTLS" in said
    assert ["EHLO studio.example"] == server.said


@pytest.fixture(name="certificate", scope="module")
def make_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate for localhost that no machine trusts."""
    return Certificate.made(tmp_path_factory.mktemp("tls"))


def offers_tls() -> dict[str, Act | list[Act]]:
    """A script that offers STARTTLS, and after it nothing more."""
    return {"EHLO": ["250-mail.example\n250 STARTTLS", "250 mail.example"]}


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_untrusted_certificate(certificate: Certificate, tls: Tls) -> None:
    """E-43: a certificate nobody vouches for ends the session before any message."""
    server = MailServer(offers_tls(), certificate.context)
    said = opening_error(server, is_implicit=tls is Tls.IMPLICIT, host="localhost", tls=tls)
    assert "certificate verify failed" in said
    assert not any(line.startswith("MAIL") for line in server.said)


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_encrypted(certificate: Certificate, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-43: over a trusted certificate messages go encrypted, after STARTTLS or from the first byte."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    script = offers_tls() if tls is Tls.STARTTLS else {}
    server = MailServer(script, certificate.context)

    async def talk() -> Outcome:
        serving = server.running(is_implicit=tls is Tls.IMPLICIT)
        # The port is known once the server runs, so the carrier is made inside.
        async with serving, carrier(server.port, host="localhost", tls=tls).session() as session:
            return await session.hand_over(campaign_message())

    assert TAKEN == asyncio.run(talk())
    assert [STUFFED] == server.bodies
    assert (tls is Tls.STARTTLS) == ("STARTTLS" in server.said)


def test_wrong_host_name(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-43: a trusted certificate of another name is not enough."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    server = MailServer(offers_tls(), certificate.context)
    assert "certificate verify failed" in opening_error(server, host="127.0.0.1", tls=Tls.STARTTLS)


def test_defaults_for_a_small_provider() -> None:
    """E-51, E-55, E-43: unless set otherwise: 600 s for the last reply, two connections, 100 mails each, encrypted."""
    settings = SmtpSettings("mail.example", 587)
    found = (settings.reply_timeout_seconds, settings.sessions, settings.messages_per_connection, settings.tls)
    assert (600, 2, 100, Tls.STARTTLS) == found
