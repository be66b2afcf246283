"""What the opt-out link promises, through the real application, on both databases."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NoReturn
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message

from dispatcher.errors import StorageError
from dispatcher.flow.preferences import Preferences
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.studio import Studio
from dispatcher.storage.locks import Lock, LockKind, take
from dispatcher.texts import text
from dispatcher.web import one_click
from dispatcher.web.guard import HEADERS
from dispatcher.web.public import create_app
from tests.clock import FixedClock
from tests.stores import POLICY
from tests.web.conftest import NUMBER, House, assert_left, on_sqlite

ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"content-type": "application/x-www-form-urlencoded"}
PARTS = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


class TestScanner:
    """The scanner matrix of rules.md, section E."""

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_looking_changes_nothing(self, visitor: TestClient, house: House, method: str) -> None:
        """E-09: GET, HEAD and OPTIONS leave every row and every record as they were."""
        before = house.everything()
        response = visitor.request(method, house.path())
        assert response.is_success
        assert before == house.everything()

    def test_looking_fifty_times_changes_nothing(self, visitor: TestClient, house: House) -> None:
        """E-09: a scanner that opens a link fifty times uses nothing up."""
        before = house.everything()
        assert {200} == {visitor.get(house.path()).status_code for _ in range(50)}
        assert before == house.everything()

    def test_a_prefetch_changes_nothing(self, visitor: TestClient, house: House) -> None:
        """E-09: a browser that fetches ahead is a browser that looks."""
        before = house.everything()
        assert visitor.get(house.path(), headers={"sec-purpose": "prefetch"}).status_code == 200
        assert before == house.everything()

    @pytest.mark.parametrize(
        ("content", "headers", "place"),
        [
            pytest.param(ONE_CLICK, FORM, Place.ONE_CLICK, id="urlencoded"),
            pytest.param(PARTS, MULTIPART, Place.ONE_CLICK, id="multipart"),
            pytest.param(b"", {}, Place.LINK, id="empty"),
            pytest.param(ONE_CLICK, {}, Place.ONE_CLICK, id="no content type"),
            pytest.param(PARTS, {}, Place.ONE_CLICK, id="multipart, no content type"),
            pytest.param(ONE_CLICK, {"content-type": "text/plain"}, Place.ONE_CLICK, id="another content type"),
            pytest.param(PARTS, {"content-type": "multipart/form-data"}, Place.ONE_CLICK, id="multipart, no boundary"),
            pytest.param(b"{}", {"content-type": "application/json"}, Place.LINK, id="json"),
            pytest.param(b"\xff" * 20, {"content-encoding": "gzip"}, Place.LINK, id="not what it says"),
            pytest.param(ONE_CLICK + b"&x=" + b"x" * 200_000, FORM, Place.ONE_CLICK, id="long"),
            pytest.param(b"x" * 8_165 + b"&" + ONE_CLICK, FORM, Place.ONE_CLICK, id="the last that is read"),
            pytest.param(b"x" * 8_192 + b"&" + ONE_CLICK, FORM, Place.LINK, id="beyond what is read"),
        ],
    )
    def test_a_post_stops_everything(
        self, visitor: TestClient, house: House, content: bytes, headers: dict[str, str], place: Place
    ) -> None:
        """E-06: any POST with a good token is a no that names no channel, whatever its body is and is called."""
        assert_left(visitor.post(house.path(), content=content, headers=headers), house, place)

    def test_a_second_post_says_the_same(self, visitor: TestClient, house: House) -> None:
        """E-10: twice is once: 200, the same text, one entry."""
        first, second = (visitor.post(house.path(), content=ONE_CLICK, headers=FORM) for _ in range(2))
        assert first.text == second.text
        assert_left(second, house, Place.ONE_CLICK)

    def test_a_post_after_erasure(self, visitor: TestClient, house: House) -> None:
        """E-10: the link of a client who is no longer in the register still answers, and the no is kept."""
        house.erase()
        assert visitor.get(house.path()).status_code == 200
        response = visitor.post(house.path(), content=ONE_CLICK, headers=FORM)
        assert_left(response, house, Place.ONE_CLICK)

    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("language", Language)
    def test_a_link_with_nobody_behind_it_says_so(
        self, visitor: TestClient, house: House, method: str, language: Language
    ) -> None:
        """E-10, L-33: after an erasure no page says that anything was stopped, but what to do instead."""
        house.erase()
        response = visitor.request(method, f"{house.path()}?lang={language}")
        assert response.status_code == 200
        assert text("page_gone_title", language) in response.text
        assert text("page_gone", language) in response.text
        assert text("page_done_title", language) not in response.text
        assert "<form" not in response.text
        assert "mailto:hei@tunturituuli.example" in response.text
        assert "tel:+358400000000" in response.text

    def test_a_post_from_a_text_message(self, visitor: TestClient, house: House) -> None:
        """E-16: the link of a text message stops every channel as well."""
        assert_left(visitor.post(house.path(Channel.SMS)), house)


class TestDurability:
    """The no is on disk before anybody is told."""

    def test_the_answer_comes_after_the_commit(self, house: House, studio: Studio, clock: FixedClock) -> None:
        """E-11: when the status line is sent, another connection already reads the no, in ledger and journal."""
        app = create_app(house.preferences, studio, clock)
        seen: list[tuple[int, int, int]] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": ONE_CLICK}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.append((message["status"], len(house.noes()), house.store.journal.last()))

        scope = {"type": "http", "method": "POST", "path": house.path(), "query_string": b"", "headers": []}
        records = house.store.journal.last()
        asyncio.run(app(scope, receive, send))
        assert [(200, 1, records + 1)] == seen

    @pytest.mark.parametrize("language", Language)
    def test_a_no_that_cannot_be_kept(self, visitor: TestClient, house: House, language: Language) -> None:
        """E-11: 503, when to come back, the button again and two other ways to object; never a false 200."""
        house.lose_journal()
        response = visitor.post(f"{house.path()}?lang={language}", content=ONE_CLICK, headers=FORM)
        assert response.status_code == 503
        assert response.headers["retry-after"].isdecimal()
        assert text("page_failed", language) in response.text
        assert "mailto:hei@tunturituuli.example" in response.text
        assert "tel:+358400000000" in response.text
        assert '<form method="post">' in response.text
        assert [] == house.noes()

    def test_a_register_that_cannot_be_read(self, visitor: TestClient, house: House) -> None:
        """A page that cannot be shown says how else to object."""
        with house.store.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE client_address RENAME TO elsewhere")
        response = visitor.get(house.path())
        assert response.status_code == 503
        assert "mailto:hei@tunturituuli.example" in response.text

    def test_a_no_counts_although_its_words_are_lost(self, studio: Studio, clock: FixedClock, house: House) -> None:
        """E-11: once the no is on disk the answer is 200, even if the client's language cannot be looked up."""

        class Forgetful(Preferences):
            def look_at(self, links: Sequence[OptOut]) -> NoReturn:
                raise StorageError(str(links))

        app = create_app(Forgetful(house.store, house.links, POLICY), studio, clock)
        with TestClient(app) as visitor:
            assert_left(visitor.post(house.path()), house)

    def test_a_body_that_never_comes(
        self, house: House, studio: Studio, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """X-05: a client that promises a body and falls silent, or hangs up, has said no all the same."""
        monkeypatch.setattr(one_click, "BODY_SECONDS", 0.01)
        app = create_app(house.preferences, studio, clock)
        statuses: list[int] = []

        async def silence() -> Message:
            return await asyncio.Future()

        async def hang_up() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        for channel, receive in ((Channel.EMAIL, silence), (Channel.SMS, hang_up)):
            scope = {"type": "http", "method": "POST", "query_string": b"", "headers": []}
            asyncio.run(app(scope | {"path": house.path(channel)}, receive, send))
        assert [200, 200] == statuses
        assert [Place.LINK] == [no.place for no in house.noes()]

    def test_one_slow_commit_blocks_nobody(self, house: House, studio: Studio, clock: FixedClock) -> None:
        """While one no waits for the database, others get their page."""
        reached = threading.Event()

        def told() -> datetime:
            reached.set()
            return clock()

        # The writer asks for the time just before it waits for the locks.
        house.store.writer._clock = told
        app = create_app(house.preferences, studio, clock)

        async def visit() -> tuple[int, bool, int]:
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url=studio.public_url) as visitor:
                with house.store.database.writing() as connection:
                    take(connection, [Lock(LockKind.CLIENT, NUMBER)])
                    leaving = asyncio.create_task(visitor.post(house.path()))
                    assert await asyncio.to_thread(reached.wait, 10)
                    page = await visitor.get(house.path())
                    waited = not leaving.done()
                return page.status_code, waited, (await leaving).status_code

        assert (200, True, 200) == asyncio.run(visit())


class TestRequest:
    """What may be wrong with a request that still counts, and what is not a request to us."""

    def test_nothing_about_the_sender_matters(self, visitor: TestClient, house: House) -> None:
        """E-07: no cookie, login, Origin, Referer or User-Agent stands between a client and their no."""
        headers = {"cookie": "a=b", "origin": "https://evil.example", "referer": "https://evil.example/"}
        headers |= {"user-agent": "", "authorization": "Basic eDp5", "sec-fetch-site": "cross-site"}
        assert_left(visitor.post(house.path(), headers=headers), house)

    @on_sqlite
    @pytest.mark.parametrize(
        "asked", ["http://127.0.0.1:8000", "http://viestit.example", "https://WWW.viestit.example"]
    )
    def test_no_host_and_no_scheme_is_preferred(
        self, house: House, studio: Studio, clock: FixedClock, asked: str
    ) -> None:
        """E-08: by whatever name a proxy asks, encrypted or not, the answer is here and never elsewhere."""
        app = create_app(house.preferences, studio, clock)
        with TestClient(app, base_url=asked, follow_redirects=False) as visitor:
            assert visitor.get(house.path()).status_code == 200
            assert_left(visitor.post(house.path()), house)

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PURGE", "QUERY"])
    def test_other_methods_are_refused(self, visitor: TestClient, house: House, method: str) -> None:
        """X-03: 405, with the methods that are allowed."""
        response = visitor.request(method, house.path())
        assert response.status_code == 405
        assert {"GET", "HEAD", "OPTIONS", "POST"} == set(response.headers["allow"].split(", "))
        assert [] == house.noes()

    def test_head_is_get_without_the_page(self, visitor: TestClient, house: House) -> None:
        """X-03: HEAD answers with the headers of GET."""
        assert visitor.get(house.path()).headers == visitor.head(house.path()).headers

    def test_options_names_the_methods(self, visitor: TestClient, house: House) -> None:
        """OPTIONS says what may be done, and does nothing."""
        response = visitor.options(house.path())
        assert {"GET", "HEAD", "OPTIONS", "POST"} == set(response.headers["allow"].split(", "))
        assert b"" == response.content

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda url: url + "/", id="slash"),
            pytest.param(lambda url: url + ".", id="full stop"),
            pytest.param(lambda url: url + ")>", id="brackets"),
            pytest.param(lambda url: url + "%3E", id="encoded bracket"),
            pytest.param(lambda url: url + "%0D%0A", id="line end"),
            pytest.param(lambda url: url + "?utm_source=x&fbclid=y", id="parameters"),
            pytest.param(lambda url: url + "%3Futm_source=x", id="encoded parameters"),
            pytest.param(lambda url: url + "&data=05%7C01", id="scanner's suffix"),
            pytest.param(lambda url: url + "?", id="question mark"),
            pytest.param(lambda url: "/u/" + url[3:].upper(), id="upper case"),
            pytest.param(str.upper, id="all upper case"),
            pytest.param(lambda url: "/u/" + "".join(f"%{ord(sign):02x}" for sign in url[3:]), id="percent-encoded"),
        ],
    )
    @on_sqlite
    def test_a_link_that_was_handled(self, visitor: TestClient, house: House, change: Callable[[str], str]) -> None:
        """X-03, E-08: what programs do to a link on its way does not break it, and leads to no redirect."""
        url = change(house.path())
        assert visitor.get(url).status_code == 200
        assert_left(visitor.post(url), house)


class TestFault:
    """What a bug looks like from outside and in the log."""

    @on_sqlite
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_bug_is_not_shown(
        self, house: House, studio: Studio, clock: FixedClock, caplog: pytest.LogCaptureFixture, method: str
    ) -> None:
        """E-11: an unexpected error is 503 with another way to object; no traceback, and no address in the log."""
        secret = "maj.berg@posti.example"

        class Broken(Preferences):
            def look_at(self, links: Sequence[OptOut]) -> None:  # type: ignore[override]  # it never returns
                raise ZeroDivisionError(secret + house.token(), links)

            look_closely_at = look_at  # type: ignore[assignment]  # neither does this

            def leave_together(self, asked: Sequence[tuple[OptOut, Place]]) -> None:
                self.look_at([link for link, _ in asked])

        app = create_app(Broken(house.store, house.links, POLICY), studio, clock)
        with TestClient(app) as visitor, caplog.at_level(logging.DEBUG, "dispatcher"):
            response = visitor.request(method, house.path())
        assert response.status_code == 503
        assert "mailto:hei@tunturituuli.example" in response.text
        assert HEADERS == {name: response.headers.get(name) for name in HEADERS}
        assert "ZeroDivisionError" not in response.text
        assert "ZeroDivisionError" in caplog.text
        assert "test_public.py" in caplog.text
        assert secret not in caplog.text
        assert house.token() not in caplog.text

    @on_sqlite
    def test_no_log_holds_a_token(self, visitor: TestClient, house: House, caplog: pytest.LogCaptureFixture) -> None:
        """X-06: whatever is asked and whatever fails, no token reaches a log of this program."""
        with caplog.at_level(logging.DEBUG, "dispatcher"):
            visitor.get(house.path())
            visitor.get(f"{house.path()}x")
            house.lose_journal()
            visitor.post(house.path())
        assert "An opt-out could not be kept" in caplog.text
        assert house.token() not in caplog.text

    @on_sqlite
    def test_paths_are_sent_nowhere(
        self, house: House, studio: Studio, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """X-06: what FastAPI would measure and export holds paths, and with them tokens: none of it is on."""
        from opentelemetry import metrics, trace

        def forbidden(*_: object, **__: object) -> None:
            raise AssertionError("a request was measured")

        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        monkeypatch.setattr(trace, "get_tracer_provider", forbidden)
        monkeypatch.setattr(metrics, "get_meter_provider", forbidden)
        with TestClient(create_app(house.preferences, studio, clock)) as visitor:
            assert visitor.get(house.path()).status_code == 200


@on_sqlite
@given(st.binary(max_size=300), st.one_of(st.none(), st.text(st.characters(codec="latin-1", categories=["L", "P"]))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_is_a_no(visitor: TestClient, house: House, body: bytes, content_type: str | None) -> None:
    """E-06: 200 for whatever bytes come under whatever name, and one no on record."""
    headers = [] if content_type is None else [(b"content-type", content_type.encode("latin-1"))]
    assert visitor.post(house.path(), content=body, headers=headers).status_code == 200
    assert 1 == len(house.noes())


@on_sqlite
@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_a_link(house: House, studio: Studio, clock: FixedClock, words: str) -> None:
    """E-15: no text that was not made here is taken for a link, and none breaks the page."""
    with TestClient(create_app(house.preferences, studio, clock)) as visitor:
        assert visitor.post(f"/u/{quote(words, safe='')}").status_code == 404
    assert [] == house.noes()


def test_the_link_of_a_test_message_says_so(house: House, visitor: TestClient) -> None:
    """The link in a test message shows the page, says that it is a test, and a press records nothing at all."""
    link, before = house.links.test_url(Channel.EMAIL), house.everything()
    for answer in (visitor.get(link), visitor.post(link), visitor.post(link, data={"List-Unsubscribe": "One-Click"})):
        assert 200 == answer.status_code
        assert "testiviestistä" in answer.text
    assert before == house.everything()
