"""The servers of the demo: what they show, what they keep to themselves, and the trouble they make on purpose."""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from dispatcher.demo.loopback import listen
from dispatcher.demo.places import Places, choose, make_room
from dispatcher.demo.stage import PORT, MailTroubles, SmsTroubles, Stage
from dispatcher.demo.twilio_double import Trouble
from dispatcher.demo.visitor import Page, look, open_mail, press_button


@pytest.fixture(name="places")
def lay_out(tmp_path: Path) -> Places:
    """Give a place of a demo with an inbox, one mail, and keys that nobody may see."""
    places = choose(tmp_path / "demo")
    make_room(places)
    places.inbox.write_text("<h1>Inbox</h1>", encoding="utf-8")
    (places.mail / "0001.eml").write_bytes(b"Subject: x\r\n\r\n")
    (places.workspace / "secrets.toml").write_text("hunter2", encoding="utf-8")
    return places


@pytest.fixture(name="stage")
def raise_curtain(places: Places) -> Iterator[Stage]:
    """Give the servers, up."""
    mail, sms = MailTroubles(gone=None, busy=None), SmsTroubles(lost=None, blocked=None)
    stage = Stage(places, mail, sms, lambda: datetime(2026, 2, 1, tzinfo=UTC), port=0)
    with stage.up():
        yield stage


def ask(stage: Stage, path: str) -> tuple[int, bytes]:
    """Ask for a path exactly as it stands, which a polite client would tidy up."""
    connection = http.client.HTTPConnection("127.0.0.1", stage.web_port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = (answer.status, answer.read())
    connection.close()
    return found


def test_the_inbox_and_its_files_are_shown(stage: Stage) -> None:
    """The inbox answers at its name and at the root; a mail can be had as it came."""
    assert (200, b"<h1>Inbox</h1>") == ask(stage, "/inbox.html")
    assert (200, b"<h1>Inbox</h1>") == ask(stage, "/")
    assert (200, b"Subject: x\r\n\r\n") == ask(stage, "/mail/0001.eml")


@pytest.mark.parametrize(
    "path",
    [
        *("/workspace/secrets.toml", "/mail/../workspace/secrets.toml", "/mail/%2e%2e/workspace/secrets.toml"),
        *("/mail//../workspace/secrets.toml", "/inbox/..%2fworkspace/secrets.toml", "/mail/"),
    ],
)
def test_the_workspace_is_never_shown(stage: Stage, path: str) -> None:
    """Neither the name of the keys' file nor a way round leads to them."""
    with stage.open_to_public(PlainTextResponse("nothing here", 404)):
        status, content = ask(stage, path)
    assert 404 == status
    assert b"hunter2" not in content


def test_everything_else_is_the_studios(stage: Stage) -> None:
    """What is not the inbox goes to the studio's own application, while there is one."""
    assert 503 == ask(stage, "/u/abc")[0]
    with stage.open_to_public(PlainTextResponse("the opt-out page")):
        assert (200, b"the opt-out page") == ask(stage, "/u/abc")
    assert 503 == ask(stage, "/u/abc")[0]


def test_a_taken_port_is_replaced_where_none_was_asked_for(places: Places) -> None:
    """Without --port the demo takes its own port, and any free one where another program has that."""
    mail, sms = MailTroubles(gone=None, busy=None), SmsTroubles(lost=None, blocked=None)
    try:
        listener = listen(PORT)
    except OSError:
        pytest.skip(f"port {PORT} is in use on this machine by something that will not be disturbed")
    with listener:
        stage = Stage(places, mail, sms, lambda: datetime(2026, 2, 1, tzinfo=UTC))
        assert PORT != stage.web_port
        with stage.up():
            assert 200 == ask(stage, "/")[0]


def test_a_gone_mailbox_is_refused_for_good_and_a_busy_one_once() -> None:
    """E-50: 550 5.1.1 each time for the one, 451 the first time for the other, and everybody else is served."""
    troubles = MailTroubles(gone="gone@posti.example", busy="busy@posti.example")
    replies = [troubles(f"{who}@posti.example") for who in ("gone", "busy", "gone", "busy", "else")]
    assert ["550 5.1.1", "451 4.3.0", "550 5.1.1", None, None] == [reply and reply[:9] for reply in replies]
    assert 2 == troubles.tries["busy@posti.example"]


def test_a_receipt_is_lost_once_and_a_block_stays() -> None:
    """S-24: one number's receipt is lost the first time only; 21610 comes back each time."""
    troubles = SmsTroubles(lost="+1", blocked="+2")
    assert [Trouble.LOST, None, 21610, 21610, None] == [troubles(number) for number in ("+1", "+1", "+2", "+2", "+3")]


def test_a_visitor_speaks_to_this_machine_only() -> None:
    """A link in a mail that leads elsewhere is not followed."""
    with pytest.raises(ConnectionRefusedError, match=r"not to real\.example"):
        look("http://real.example/u/abc")


def test_a_visitor_needs_a_button() -> None:
    """A page without a posting form cannot be answered."""
    with pytest.raises(LookupError, match="no form"):
        press_button(Page("http://127.0.0.1/u/abc", 200, "<form><button>Go</button></form>"))


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ("List-Unsubscribe: <https://a.example/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", True),
        ("List-Unsubscribe: <https://a.example/u/1>\r\n", False),
        ("List-Unsubscribe: <mailto:a@a.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", False),
    ],
)
def test_one_click_is_offered_by_both_headers_or_not_at_all(headers: str, *, url: bool) -> None:
    """RFC 8058: a mail program shows its button only where both headers are there and one target is a web address."""
    found = open_mail(f"{headers}\r\nHei".encode()).one_click_url
    assert ("https://a.example/u/1" if url else None) == found


def test_a_link_must_stand_in_both_parts() -> None:
    """A link in the HTML part that the text part lacks does not count as the mail's opt-out link."""
    head = "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/{}\r\n\r\n{}\r\n"
    link = "http://127.0.0.1/u/abc"
    html = f'\r\n--b\r\nContent-Type: text/html\r\n\r\n<a href="{link}">Stop</a>\r\n--b--\r\n'
    assert open_mail((head.format("plain", link) + html).encode()).opt_out_link() == link
    assert open_mail((head.format("plain", "Hei") + html).encode()).opt_out_link() is None
