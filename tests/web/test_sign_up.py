"""The sign-up page through the real application: the same to everybody, and only a button changes anything."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from dispatcher.errors import StorageError
from dispatcher.links import Confirm, OptOut
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.storage import answers, clients
from dispatcher.storage.tables import ClientTable, SignUpTable
from dispatcher.texts import text
from dispatcher.web.guard import HEADERS
from dispatcher.web.public import create_app
from dispatcher.web.sign_up import A_MINUTE, TEXTS_A_DAY
from dispatcher.wiring import Dispatcher
from tests.flow.joining import MAIJA, enable_sign_up, enlist, join, serve
from tests.web.conftest import everything, on_sqlite
from tests.workshop import Workshop

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def dispatcher(workshop: Workshop) -> Iterator[Dispatcher]:
    """Give an open installation whose page asks about both channels."""
    enable_sign_up(workshop, "email", "sms")
    with workshop.opened() as opened:
        yield opened


@pytest.fixture
def visitor(dispatcher: Dispatcher) -> Iterator[TestClient]:
    """Give somebody who asks for pages and follows no redirect."""
    app = create_app(
        dispatcher.preferences, dispatcher.studio, dispatcher.store.clock, sign_up=dispatcher.public_sign_up
    )
    with TestClient(app, base_url=dispatcher.studio.public_url, follow_redirects=False) as client:
        yield client


def filled(dispatcher: Dispatcher, fields: Mapping[str, str]) -> bytes:
    """Return a form as a browser sends it: the questions it showed, an address, a ticked box."""
    shown = {f"wording_{each.channel}": each.digest for each in dispatcher.sign_up.questions(Language.FI)}
    return urlencode(shown | dict(fields)).encode()


def send(visitor: TestClient, dispatcher: Dispatcher, address: str = MAIJA, **more: str) -> httpx2.Response:
    """Send the form for this email address."""
    fields = {"email": address, "yes_email": "1", "first_name": "Maija"} | more
    return visitor.post("/join?lang=fi", content=filled(dispatcher, fields), headers=FORM)


def press(visitor: TestClient, path: str) -> httpx2.Response:
    """Press the button of a confirmation's page."""
    return visitor.post(path, content=b"yes=1", headers=FORM)


def link_of(dispatcher: Dispatcher) -> str:
    """Return the path of the confirmation of the one sign-up there is."""
    with dispatcher.store.reading() as connection:
        number = connection.execute(select(SignUpTable.number)).scalar_one()
    return f"/join/{dispatcher.sign_up.links.token(Confirm(number, Channel.EMAIL))}"


def sign_ups(dispatcher: Dispatcher) -> int:
    """Return how many sign-ups wait."""
    with dispatcher.store.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(SignUpTable)) or 0)


class TestForm:
    """The page that asks."""

    @on_sqlite
    @pytest.mark.parametrize("language", Language)
    def test_it_shows_the_exact_question(self, visitor: TestClient, dispatcher: Dispatcher, language: Language) -> None:
        """D-02, L-03: the words a yes will name stand there, for each channel, and nothing is ticked beforehand."""
        page = visitor.get(f"/join?lang={language}")
        assert (200, language.value) == (page.status_code, page.headers["content-language"])
        for question in dispatcher.sign_up.questions(language):
            assert question.words in page.text
            assert f'value="{question.digest}"' in page.text
        assert "checked" not in page.text
        assert text("join_button", language) in page.text

    @on_sqlite
    def test_it_is_as_every_page_is(self, visitor: TestClient) -> None:
        """L-41: no script, no cookie, nothing foreign, under 20 kB with its stylesheet."""
        page = visitor.get("/join")
        css = visitor.get("/static/page.css")
        assert {name: page.headers[name] for name in HEADERS} == HEADERS
        assert "set-cookie" not in page.headers
        assert "<script" not in page.text
        assert len(page.content) + len(css.content) < 20_000

    @on_sqlite
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_looking_changes_nothing(self, visitor: TestClient, dispatcher: Dispatcher, method: str) -> None:
        """E-09: the page can be looked at without a trace."""
        before = everything(dispatcher.store)
        assert visitor.request(method, "/join").is_success
        assert before == everything(dispatcher.store)

    @on_sqlite
    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            pytest.param({}, "nothing", id="nothing"),
            pytest.param({"email": MAIJA}, "tick", id="not ticked"),
            pytest.param({"yes_email": "1"}, "missing", id="no address"),
            pytest.param({"email": "maija@", "yes_email": "1"}, "email", id="no email address"),
            pytest.param({"sms": "09 123 456", "yes_sms": "1"}, "sms", id="a landline"),
            pytest.param({"sms": "abc", "yes_sms": "1"}, "sms", id="no number"),
            pytest.param({"email": MAIJA, "yes_email": "1", "wording_email": "0"}, "changed", id="another question"),
        ],
    )
    def test_what_is_wrong_is_told_plainly(
        self, visitor: TestClient, dispatcher: Dispatcher, fields: dict[str, str], fault: str
    ) -> None:
        """A form that cannot be taken says why, keeps what was typed, and changes nothing."""
        before = everything(dispatcher.store)
        page = visitor.post("/join?lang=fi", content=filled(dispatcher, fields), headers=FORM)
        assert 422 == page.status_code
        assert text(f"join_error_{fault}", Language.FI) in page.text
        if "email" in fields:
            assert f'value="{fields["email"]}"' in page.text
        assert before == everything(dispatcher.store)

    @on_sqlite
    def test_what_was_typed_is_words_and_not_markup(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """What is shown again is escaped."""
        page = send(visitor, dispatcher, '"><script>alert(1)</script>')
        assert "<script" not in page.text

    @on_sqlite
    def test_there_is_no_page_unless_the_settings_say_so(self, workshop: Workshop) -> None:
        """Off, which it is by default, the page and its links do not exist."""
        with workshop.opened() as opened:
            assert opened.public_sign_up is None
            app = create_app(opened.preferences, opened.studio, opened.store.clock, sign_up=opened.public_sign_up)
            with TestClient(app) as visitor:
                assert {404} == {visitor.get(path).status_code for path in ("/join", "/join/aaaa")}

    @on_sqlite
    def test_text_messages_are_asked_about_only_where_named(self, workshop: Workshop) -> None:
        """A page for email alone shows no field for numbers and takes none."""
        enable_sign_up(workshop)
        with workshop.opened() as opened:
            app = create_app(opened.preferences, opened.studio, opened.store.clock, sign_up=opened.public_sign_up)
            with TestClient(app) as visitor:
                assert "wording_sms" not in visitor.get("/join").text
                form = filled(opened, {"sms": "0401234567", "yes_sms": "1"})
                assert 422 == visitor.post("/join", content=form, headers=FORM).status_code
                assert 0 == sign_ups(opened)


class TestSameToEverybody:
    """Nothing about who is known is told."""

    def test_known_unknown_objected_too_many(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """The same status, headers and bytes, whoever has the address and whatever they said or got."""
        objected = enlist(dispatcher, {Channel.EMAIL: "erik@posti.example"})
        dispatcher.preferences.withdraw(objected, dispatcher.persons.acting(None))
        enlist(dispatcher, {Channel.EMAIL: "ante@posti.example"}, Channel.EMAIL)
        join(dispatcher, "often@posti.example")
        serve(dispatcher)
        pages = [
            send(visitor, dispatcher, address)
            for address in (
                "new@posti.example",
                "erik@posti.example",
                "ante@posti.example",
                "often@posti.example",
                *["new@posti.example"] * (A_MINUTE - 4),
            )
        ]
        assert {200} == {page.status_code for page in pages}
        assert 1 == len({page.content for page in pages})
        assert 1 == len({tuple(sorted(page.headers.items())) for page in pages})
        assert text("join_asked", Language.FI) in pages[0].text

    def test_the_same_is_written_for_everybody(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """One durable write for known and unknown alike, also where no message will go: it takes as long."""
        enlist(dispatcher, {Channel.EMAIL: "ante@posti.example"}, Channel.EMAIL)
        join(dispatcher, "often@posti.example")
        serve(dispatcher)
        for count, address in enumerate(("new@posti.example", "ante@posti.example", "often@posti.example"), start=2):
            send(visitor, dispatcher, address)
            assert count == sign_ups(dispatcher)

    @on_sqlite
    def test_a_visitor_and_an_address_have_their_limits(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """Ten a minute from one visitor, who is told so; three for one address, of which nothing is told."""
        pages = [send(visitor, dispatcher, f"n{number}@posti.example") for number in range(A_MINUTE + 2)]
        assert [200] * A_MINUTE + [429] * 2 == [page.status_code for page in pages]
        assert text("join_busy", Language.FI) in pages[-1].text
        assert A_MINUTE == sign_ups(dispatcher)
        dispatcher.store.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
        for _ in range(5):
            send(visitor, dispatcher)
        assert A_MINUTE + 3 == sign_ups(dispatcher)

    @on_sqlite
    def test_a_flood_of_numbers_costs_no_more_than_a_day_of_them(
        self, dispatcher: Dispatcher, visitor: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Numbers of nobody's, from as many visitors as they like: the page takes so many a day; email goes on."""
        monkeypatch.setattr("dispatcher.web.sign_up.host_of", lambda _: secrets.token_hex())
        fields = {"yes_sms": "1"}
        for number in range(TEXTS_A_DAY + 3):
            body = filled(dispatcher, fields | {"sms": f"+3584012{number:05}"})
            page = visitor.post("/join", content=body, headers=FORM)
            assert (429 if number >= TEXTS_A_DAY else 200) == page.status_code
        assert 200 == send(visitor, dispatcher).status_code
        assert TEXTS_A_DAY + 1 == sign_ups(dispatcher)
        dispatcher.store.clock.advance(timedelta(days=1))  # type: ignore[attr-defined]
        assert 200 == visitor.post("/join", content=body, headers=FORM).status_code

    @on_sqlite
    def test_a_sign_up_that_cannot_be_kept(
        self, visitor: TestClient, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """503 and when to come back; never a promise of a message that will not come."""
        dispatcher.store.writer.close()
        page = send(visitor, dispatcher)
        assert 503 == page.status_code
        assert page.headers["retry-after"].isdecimal()
        assert text("join_failed", Language.FI) in page.text

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(type(dispatcher.sign_up), "questions", broken)
        page = visitor.get("/join?lang=fi")
        assert (503, True) == (page.status_code, text("join_failed", Language.FI) in page.text)


class TestConfirmation:
    """The scanner matrix of a confirmation's link (X-04)."""

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_looking_confirms_nothing(self, visitor: TestClient, dispatcher: Dispatcher, method: str) -> None:
        """X-04: GET, HEAD, OPTIONS and a prefetch, fifty times, leave every row and record as they were."""
        send(visitor, dispatcher)
        path, before = link_of(dispatcher), everything(dispatcher.store)
        for headers in ({}, {"sec-purpose": "prefetch"}):
            assert {True} == {visitor.request(method, path, headers=headers).is_success for _ in range(25)}
        assert before == everything(dispatcher.store)

    @on_sqlite
    @pytest.mark.parametrize("language", Language)
    def test_the_page_asks_in_the_words_of_the_form(
        self, visitor: TestClient, dispatcher: Dispatcher, language: Language
    ) -> None:
        """It shows the question as it was shown, the address masked, and one button; in the language of the sign-up."""
        join(dispatcher, language=language)
        page = visitor.get(link_of(dispatcher))
        assert text("question_email", language) in page.text
        assert "m***@p***.example" in page.text
        assert MAIJA not in page.text
        assert 1 == page.text.count("<button")
        assert text("join_confirm_button", language) in page.text

    @pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=One-Click", b"yes", b"yes=", b"{}"])
    def test_a_program_that_posts_confirms_nothing(
        self, visitor: TestClient, dispatcher: Dispatcher, body: bytes
    ) -> None:
        """X-04: a scanner that posts to each link it finds has pressed no button; it gets the page that has one."""
        send(visitor, dispatcher)
        path, before = link_of(dispatcher), everything(dispatcher.store)
        page = visitor.post(path, content=body, headers=FORM)
        assert (200, True) == (page.status_code, text("join_confirm_button", Language.FI) in page.text)
        assert before == everything(dispatcher.store)

    def test_the_button_confirms_once(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """X-04: a POST is the yes; a second one says that it is done, and so does a look."""
        send(visitor, dispatcher)
        path = link_of(dispatcher)
        first, second, look = press(visitor, path), press(visitor, path), visitor.get(path)
        assert [200, 200, 200] == [page.status_code for page in (first, second, look)]
        assert text("join_done", Language.FI) in first.text
        assert text("join_already", Language.FI) in second.text
        with dispatcher.store.reading() as connection:
            (number,) = clients.by_address(connection, [(Channel.EMAIL, MAIJA)])[Channel.EMAIL, MAIJA]
            (answer,) = answers.of_clients(connection, [number])[number]
        assert Place.SIGN_UP is answer.place

    @on_sqlite
    def test_a_link_out_of_date_says_so(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """The page leads to a new confirmation, and nothing is confirmed."""
        send(visitor, dispatcher)
        path = link_of(dispatcher)
        dispatcher.store.clock.advance(timedelta(days=7))  # type: ignore[attr-defined]
        page = press(visitor, path)
        assert (410, True) == (page.status_code, 'href="/join"' in page.text)

    @on_sqlite
    def test_what_programs_do_to_a_link_is_forgiven(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """X-03: capitals, trailing signs and queries; PUT and DELETE are refused."""
        send(visitor, dispatcher)
        path = link_of(dispatcher)
        for odd in (path.upper(), f"{path}/", f"{path}.", f"{path}?utm_source=x", f"{path}%3Fa=b"):
            assert 200 == visitor.get(odd).status_code
        assert {405} == {visitor.request(method, path).status_code for method in ("PUT", "DELETE", "PATCH")}

    @on_sqlite
    def test_links_that_are_none(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """E-15: an opt-out token confirms nothing, and a guesser is slowed down."""
        wrong = dispatcher.links.token(OptOut(7, Channel.EMAIL))
        before = everything(dispatcher.store)
        statuses = [visitor.post(f"/join/{wrong}").status_code for _ in range(31)]
        assert [404] * 30 + [429] == statuses
        assert before == everything(dispatcher.store)

    @on_sqlite
    def test_a_confirmation_opts_nobody_out(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """X-04: the confirmation's token is no opt-out token."""
        send(visitor, dispatcher)
        assert 404 == visitor.post(link_of(dispatcher).replace("/join/", "/u/")).status_code

    @on_sqlite
    def test_a_child_is_sent_to_the_desk(self, visitor: TestClient, dispatcher: Dispatcher) -> None:
        """L-11: no yes is taken from a child; the page says whom to ask and not why."""
        enlist(dispatcher, {Channel.EMAIL: MAIJA})
        with dispatcher.store.database.writing() as connection:
            connection.execute(ClientTable.__table__.update().values(child=True))  # type: ignore[attr-defined]
        send(visitor, dispatcher)
        page = press(visitor, link_of(dispatcher))
        assert (409, True) == (page.status_code, text("join_refused", Language.FI) in page.text)

    @on_sqlite
    def test_a_yes_that_cannot_be_kept(
        self, visitor: TestClient, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """503, and nothing was changed; the link still works afterwards."""
        send(visitor, dispatcher)
        path = link_of(dispatcher)

        def broken(*_: object) -> bool:
            raise StorageError

        with monkeypatch.context() as patch:
            patch.setattr(type(dispatcher.sign_up), "confirm", broken)
            assert 503 == press(visitor, path).status_code
        assert text("join_done", Language.FI) in press(visitor, path).text
