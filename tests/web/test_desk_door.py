"""The door of the desk: one link, one session, and nothing for anybody else, whatever they send."""

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from dispatcher.errors import RefusedError
from dispatcher.flow.persons import Persons
from dispatcher.rules.actor import Role
from dispatcher.rules.campaign import Language
from dispatcher.texts import text
from dispatcher.web.desk.session import IDLE, LONGEST
from dispatcher.web.guard import HEADERS
from tests.clock import FixedClock
from tests.web.conftest import ASK, BASE, CLIENT, PAGES, Counter, on_sqlite, said


@on_sqlite
def test_a_link_opens_once(counter: Counter) -> None:
    """The link gives one session to the browser that opens it first; anybody after that is told how to get another."""
    link = f"/in/{counter.doorkeeper.new_link()}"
    opened = counter.browser.get(link)
    assert (303, "/") == (opened.status_code, opened.headers["location"])
    assert ["desk-8931", "HttpOnly", "Path=/", "SameSite=strict"] == [
        part.partition("=")[0] if "desk" in part else part for part in opened.headers["set-cookie"].split("; ")
    ]
    assert 200 == counter.browser.get("/").status_code
    with TestClient(counter.browser.app, base_url=BASE, follow_redirects=False) as other:
        again = other.get(link)
        assert 403 == again.status_code
        assert text("desk_closed", Language.FI) in again.text
        assert "set-cookie" not in again.headers
    assert 200 == counter.browser.get("/").status_code


@on_sqlite
def test_a_newer_link_ends_what_was_before(counter: Counter) -> None:
    """Pressing Enter takes the power from an unused link, and opening the new one ends the session before it."""
    first = counter.doorkeeper.new_link()
    counter.enter()
    assert 403 == counter.browser.get(f"/in/{first}").status_code
    assert 200 == counter.browser.get("/").status_code
    with TestClient(counter.browser.app, base_url=BASE, follow_redirects=False) as other:
        other.get(f"/in/{counter.doorkeeper.new_link()}")
        assert [403, 200] == [browser.get("/").status_code for browser in (counter.browser, other)]


@on_sqlite
@pytest.mark.parametrize("path", PAGES)
def test_without_the_cookie_there_is_nothing(counter: Counter, path: str) -> None:
    """Whoever has not opened the link sees the closed desk and no word about anybody, and changes nothing."""
    before = counter.house.everything()
    for answer in (counter.browser.get(path), counter.post(path.partition("?")[0], {"form": "x"})):
        assert answer.status_code in {403, 405}
        assert "Berg" not in answer.text
    assert before == counter.house.everything()


@on_sqlite
def test_a_session_ends(counter: Counter, clock: FixedClock) -> None:
    """Half an hour untouched ends a session, twelve hours end it however busy, and so does closing the desk."""
    counter.enter()
    clock.advance(IDLE - timedelta(seconds=1))
    assert 200 == counter.browser.get("/").status_code
    clock.advance(IDLE)
    assert 403 == counter.browser.get("/").status_code
    counter.enter()
    for _ in range(LONGEST // timedelta(minutes=20)):
        assert 200 == counter.browser.get("/").status_code
        clock.advance(timedelta(minutes=20))
    assert 403 == counter.browser.get("/").status_code
    counter.enter()
    form = re.search(r'action="/leave"><input type="hidden" name="form" value="([^"]+)"', counter.browser.get("/").text)
    assert form is not None
    counter.post("/leave", {"form": form[1]})
    assert 403 == counter.browser.get("/").status_code


def test_looking_changes_nothing(counter: Counter) -> None:
    """Invariant 5: no GET changes anything, whatever page and however often; that somebody looked is on record."""
    counter.enter()
    before = counter.house.everything(besides="access_log")
    for path in PAGES * 2:
        assert 200 == counter.browser.get(path).status_code, path
    assert before == counter.house.everything(besides="access_log")


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "", "Sec_Fetch_Site": ""},
    ],
)
def test_a_form_of_another_site_is_refused(counter: Counter, headers: dict[str, str]) -> None:
    """A POST whose origin is not ours, or unknown, records nothing although cookie and form are right."""
    counter.enter()
    form = counter.form(ASK) | {"place": "phone"}
    assert 409 == counter.post(f"{CLIENT}/answer", form, **headers).status_code
    assert [] == said(counter.house)
    assert 303 == counter.post(f"{CLIENT}/answer", form).status_code


@on_sqlite
@pytest.mark.parametrize("host", ["evil.example:8931", "127.0.0.1", "127.0.0.1:9999", "desk.localhost:8931", ""])
def test_a_foreign_name_is_refused(counter: Counter, host: str) -> None:
    """DNS rebinding: under any name but this machine's own, with its port, there is nothing, stylesheet included."""
    counter.enter()
    for path in ("/", CLIENT, "/static/desk.css"):
        assert 403 == counter.browser.get(path, headers={"Host": host}).status_code
    assert 200 == counter.browser.get("/static/desk.css").status_code


@on_sqlite
def test_the_headers_let_nothing_in_or_out(counter: Counter) -> None:
    """L-41: no script, nothing foreign, nothing kept, nothing told; on every answer, refused ones too."""
    counter.enter()
    for path in (*PAGES, "/nowhere", "/in/x", "/static/page.css"):
        answer = counter.browser.get(path)
        assert HEADERS["Content-Security-Policy"] == answer.headers["content-security-policy"]
        assert ["no-store", "same-origin"] == [answer.headers[name] for name in ("cache-control", "referrer-policy")]
        assert "<script" not in answer.text
    assert 404 == counter.browser.get("/nowhere").status_code
    assert 404 == counter.browser.get("/client/77").status_code


@on_sqlite
def test_nothing_but_the_card_is_shown(counter: Counter) -> None:
    """L-46: addresses of the register are masked on every page."""
    counter.enter()
    for path in PAGES:
        page = counter.browser.get(path).text
        assert "maj.berg" not in page
        assert "401234567" not in page
    assert "m***@p***.example" in counter.browser.get("/?q=maj").text


@on_sqlite
def test_the_desk_is_for_owner_and_staff(counter: Counter) -> None:
    """An auditor gets no desk; for whoever stops working here an open one shows nobody and records nothing more."""
    persons = Persons(counter.house.store)
    auditor = persons.add("Tarkka Tilintarkastaja", Role.AUDITOR, counter.actor)
    with pytest.raises(RefusedError, match="Tarkka Tilintarkastaja is auditor: the desk is for owner and staff"):
        counter.desk.person(auditor.actor)
    counter.enter()
    form = counter.form(ASK) | {"place": "phone"}
    persons.end("Ulla Esimerkki", counter.actor)
    assert 403 == counter.post(f"{CLIENT}/answer", form).status_code
    assert [] == said(counter.house)


@on_sqlite
def test_a_desk_of_somebody_who_left_shows_nobody(counter: Counter) -> None:
    """L-46: the register is for those who work here; a page that is opened after that says that the desk is closed."""
    counter.enter()
    Persons(counter.house.store).end("Ulla Esimerkki", counter.actor)
    for path in PAGES:
        page = counter.browser.get(path)
        assert (403, False) == (page.status_code, "Berg" in page.text)
