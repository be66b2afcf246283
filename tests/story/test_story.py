"""File in, mail out, click, silence: the whole walk, on both databases, over real SMTP and HTTP."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dispatcher.demo.loopback import ServerThread, listen
from dispatcher.web.public import create_app
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.workshop import Doubles, Workshop, build

FEBRUARY = datetime(2026, 2, 10, 8, 0, tzinfo=UTC)
MARCH = datetime(2026, 3, 17, 8, 0, tzinfo=UTC)
LANGUAGES = ("fi", "sv", "en")
ROWS = [
    f"{each};Nimi{each};Esimerkki;client{each}@posti.example;;{LANGUAGES[each % 3]};3.1.2026;kyllä;;3.1.2026"
    for each in range(1, 31)
]
ROWS += ["41;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.1.2026", "42;Never;Asked;n@posti.example;;fi;;;;"]


@pytest.fixture
def dispatcher(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str, doubles: Doubles
) -> Iterator[tuple[Workshop, Dispatcher, str]]:
    """Give an open installation whose opt-out page is served on loopback, at the address its links name."""
    clock.set(datetime(2026, 2, 1, 9, 0, tzinfo=UTC))
    with listen() as socket:
        port = socket.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    workshop = build(tmp_path / "studio", clock, database_url, journal_url, doubles, public_url=base)
    with workshop.opened() as opened:
        app = create_app(opened.preferences, opened.studio, clock, renewing=opened.renewing)
        with ServerThread(app, port):
            yield workshop, opened, base


def ask(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Make one HTTP request, exactly as told, and return status and body."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    connection.request(method, parts.path, body, headers or {})
    with connection.getresponse() as response:
        status, content = response.status, response.read()
    connection.close()
    return status, content


def links(content: bytes) -> tuple[str, str]:
    """Return the opt-out link of the header, and that of the text part, as they stand in the bytes."""
    header = re.search(rb"^List-Unsubscribe: <(http[^>]+)>\r\n", content, re.MULTILINE)
    plain = content.replace(b"=\r\n", b"")
    visible = re.search(rb"(http://127[^\s\"<]+/u/[a-z2-7]+)", plain.partition(b"text/plain")[2])
    assert header
    assert visible
    return header[1].decode(), visible[1].decode()


def test_file_in_mail_out_click_silence(dispatcher: tuple[Workshop, Dispatcher, str], doubles: Doubles) -> None:
    """Three clients leave by three ways; the next campaign leaves exactly them out, and the audit adds up."""
    workshop, opened, _ = dispatcher
    actor = opened.persons.acting(None)
    opened.enrol.run(workshop.register(*ROWS), actor)
    for name in ("2026-02-ystavanpaiva", "2026-03-kevat"):
        opened.schedule.run(workshop.directory / "campaigns" / f"{name}.toml", actor)
    workshop.clock.set(FEBRUARY)
    asyncio.run(opened.rounds.once())
    first = {mail.recipient: mail.content for mail in doubles.smtp.received}
    assert len(first) == 30
    assert doubles.texted() == ["+358401234568"]

    header, visible = links(first["client1@posti.example"])
    assert header == visible
    status, page = ask("GET", visible)
    assert (status, b"<form" in page) == (200, True)
    assert ask("POST", visible)[0] == 200

    one_click, _ = links(first["client2@posti.example"])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask("POST", one_click, b"List-Unsubscribe=One-Click", form)[0] == 200

    opened.preferences.withdraw(opened.register.find("client3@posti.example"), actor)
    only_looked_at, _ = links(first["client4@posti.example"])
    for _ in range(3):
        assert ask("GET", only_looked_at)[0] == 200

    workshop.clock.set(MARCH)
    asyncio.run(opened.rounds.once())
    expected = {f"client{number}@posti.example" for number in range(1, 31)}
    second = [mail.recipient for mail in doubles.smtp.received[30:]]
    assert set(second) == expected - {f"client{number}@posti.example" for number in (1, 2, 3)}
    assert len(second) == 27

    audit = opened.audit.year(2026)
    assert audit.findings == ()
    assert audit.ok
    assert [campaign.accepted for campaign in audit.campaigns] == [31, 28]
