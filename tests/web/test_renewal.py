"""The page by which a yes is given anew, through the real application, on both databases."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx2
import pytest
from starlette.testclient import TestClient

from dispatcher.flow.answering import Answering, Said
from dispatcher.flow.renewing import Renewing
from dispatcher.links import Renewal, RenewalLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.studio import Studio
from dispatcher.storage.wordings import wording_texts
from dispatcher.texts import text
from dispatcher.web.guard import HEADERS
from dispatcher.web.public import create_app
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY
from tests.web.conftest import NUMBER, House

FORM = {"content-type": "application/x-www-form-urlencoded"}
YES = b"yes=sv"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Renewed:
    """The installation with one client whose yes to email is a day old, her link, and somebody who opens it."""

    house: House
    clock: FixedClock
    visitor: TestClient
    path: str

    def replies(self) -> list[tuple[Reply, Place | None]]:
        """Return what the client has said, in order."""
        return [(answer.reply, answer.place) for answer in self.house.noes()]

    def press(self, content: bytes = YES, headers: dict[str, str] = FORM) -> httpx2.Response:
        """Post to the link as the page's own button does, or otherwise."""
        return self.visitor.post(self.path, content=content, headers=headers)


@pytest.fixture
def renewed(house: House, studio: Studio, clock: FixedClock) -> Iterator[Renewed]:
    """Give the client with her yes, and the application with the renewal page in it."""
    answering = Answering(house.store)
    said = Said(Reply.GRANTED, Channel.EMAIL, Place.PHONE, text("question_email", Language.SV))
    [entry] = answering.record(NUMBER, [said], OWNER)
    links = RenewalLinks(house.store.ring, studio.public_url)
    renewing = Renewing(house.store, links, POLICY, answering)
    clock.advance(DAY)
    app = create_app(house.preferences, studio, clock, renewing=renewing, invalid_per_minute=3)
    with TestClient(app, base_url=studio.public_url, follow_redirects=False) as visitor:
        yield Renewed(house, clock, visitor, f"/r/{links.token(Renewal(NUMBER, Channel.EMAIL, entry))}")


GRANTED = [(Reply.GRANTED, Place.PHONE)]
TWICE = [*GRANTED, (Reply.GRANTED, Place.RENEWAL)]


class TestScanner:
    """The scanner matrix of rules.md, section E, for a link whose POST is a yes."""

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_looking_changes_nothing(self, renewed: Renewed, method: str) -> None:
        """E-09: GET, HEAD and OPTIONS leave every row and every record as they were."""
        before = renewed.house.everything()
        assert renewed.visitor.request(method, renewed.path).is_success
        assert before == renewed.house.everything()

    @pytest.mark.parametrize(
        ("content", "headers"),
        [
            pytest.param(b"", {}, id="empty"),
            pytest.param(b"List-Unsubscribe=One-Click", FORM, id="one-click"),
            pytest.param(b"yes=", FORM, id="without a language"),
            pytest.param(b"yes=xx", FORM, id="another language"),
            pytest.param(b"no=sv", FORM, id="another button"),
            pytest.param(b'{"yes": "sv"}', {"content-type": "application/json"}, id="json"),
            pytest.param(b"x" * 20_000 + b"&yes=sv", FORM, id="beyond what is read"),
        ],
    )
    def test_a_post_without_the_button_changes_nothing(
        self, renewed: Renewed, content: bytes, headers: dict[str, str]
    ) -> None:
        """A grant needs evidence: a program that posts to every link gets the question again, and gives no yes."""
        before = renewed.house.everything()
        response = renewed.press(content, headers)
        assert response.status_code == 200
        assert '<button type="submit" name="yes"' in response.text
        assert before == renewed.house.everything()

    def test_the_button_renews_once(self, renewed: Renewed) -> None:
        """L-09: pressed twice, the link gives one yes, and the second page says that it is renewed already."""
        first, second = renewed.press(), renewed.press()
        assert (200, 200) == (first.status_code, second.status_code)
        assert text("renewal_done_title", Language.SV) in first.text
        assert text("renewal_already_title", Language.SV) in second.text
        assert "23.11.2027" in first.text
        assert TWICE == renewed.replies()

    def test_a_capitalised_link_still_works(self, renewed: Renewed) -> None:
        """X-03: a scanner that shouts the link, or hangs something on to it, has not broken it."""
        assert renewed.visitor.get(renewed.path.upper()).status_code == 200
        assert renewed.visitor.get(renewed.path + "/?utm=1").status_code == 200

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_other_methods_are_refused(self, renewed: Renewed, method: str) -> None:
        """X-03: 405 for what is no way to answer."""
        assert renewed.visitor.request(method, renewed.path).status_code == 405
        assert GRANTED == renewed.replies()


class TestPage:
    """What the page shows, and to whom."""

    @pytest.mark.parametrize("language", Language)
    def test_the_page_asks_the_whole_question(self, renewed: Renewed, language: Language) -> None:
        """L-04: the words that the answer names stand on the page, with the day of the end and the masked address."""
        page = renewed.visitor.get(f"{renewed.path}?lang={language}").text
        assert text("renewal_question_email", language) in page
        assert "m***@p***.example" in page
        assert "maj.berg" not in page
        assert ("23 November 2027" if language is Language.EN else "23.11.2027") in page
        assert f'<html lang="{language}">' in page

    @pytest.mark.parametrize("language", Language)
    def test_the_answer_names_the_words_that_were_read(self, renewed: Renewed, language: Language) -> None:
        """D-02: the wording on record is the one of the page's language, whatever the browser says later."""
        response = renewed.press(f"yes={language}".encode(), FORM | {"accept-language": "en"})
        assert f'<html lang="{language}">' in response.text
        [wording] = [answer.wording for answer in renewed.house.noes() if answer.place is Place.RENEWAL]
        with renewed.house.store.reading() as connection:
            assert {wording: text("renewal_question_email", language)} == wording_texts(connection, [str(wording)])

    def test_no_cookie_and_no_script(self, renewed: Renewed) -> None:
        """L-41: the headers of every page, no cookie, no script, no redirect, for GET and for POST."""
        for response in (renewed.visitor.get(renewed.path), renewed.press()):
            assert HEADERS == {name: response.headers[name] for name in HEADERS}
            assert "set-cookie" not in response.headers
            assert "location" not in response.headers
            assert "<script" not in response.text

    def test_after_a_no_nothing_changes(self, renewed: Renewed) -> None:
        """L-07: 410 and no personal data; the no stands."""
        renewed.house.preferences.withdraw(NUMBER, Actor(ActorKind.PERSON, "1"))
        renewed.clock.advance(DAY)
        for response in (renewed.visitor.get(renewed.path), renewed.press()):
            assert response.status_code == 410
            assert text("renewal_closed_title", Language.SV) in response.text
            assert "m***@" not in response.text
            assert "<form" not in response.text
        assert [*GRANTED, (Reply.WITHDRAWN, Place.DESK)] == renewed.replies()

    def test_after_the_end_the_page_says_how_to_ask_anew(self, renewed: Renewed) -> None:
        """L-09: 410; the page says that the yes has ended, and how to come back."""
        renewed.clock.advance(timedelta(days=364))
        for response in (renewed.visitor.get(renewed.path), renewed.press()):
            assert response.status_code == 410
            assert text("renewal_ended", Language.SV) in response.text
            assert "tel:+358400000000" in response.text
        assert GRANTED == renewed.replies()

    def test_after_erasure_nothing_changes(self, renewed: Renewed) -> None:
        """The link of somebody the register does not know any more answers 410 and records nothing."""
        renewed.house.erase()
        assert (410, 410) == (renewed.visitor.get(renewed.path).status_code, renewed.press().status_code)
        assert GRANTED == renewed.replies()


class TestLink:
    """What is no renewal link."""

    def test_an_opt_out_link_renews_nothing(self, renewed: Renewed) -> None:
        """A token works at its own door only: the opt-out token at /r/, the renewal token at /u/."""
        swapped = [f"/r/{renewed.house.token()}", renewed.path.replace("/r/", "/u/")]
        assert [404, 404] == [renewed.visitor.post(path, content=YES, headers=FORM).status_code for path in swapped]
        assert GRANTED == renewed.replies()

    def test_guessing_is_slowed_down(self, renewed: Renewed) -> None:
        """E-15: who opens broken links gets 429 after a while; a good link is never limited."""
        codes = [renewed.visitor.get(f"/r/{'a' * 47}").status_code for _ in range(4)]
        assert [404, 404, 404, 429] == codes
        assert renewed.visitor.get(renewed.path).status_code == 200

    def test_a_yes_that_cannot_be_kept(self, renewed: Renewed, caplog: pytest.LogCaptureFixture) -> None:
        """E-11: 503 and when to come back; never thanks for a yes that is not on disk."""
        with renewed.house.store.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE wording RENAME TO elsewhere")
        with caplog.at_level(logging.ERROR):
            response = renewed.press()
        assert response.status_code == 503
        assert response.headers["retry-after"].isdecimal()
        assert "posti.example" not in caplog.text
        assert GRANTED == renewed.replies()

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_bug_is_answered_in_words_of_this_page(
        self, renewed: Renewed, monkeypatch: pytest.MonkeyPatch, method: str
    ) -> None:
        """E-11: an unexpected error is 503 and says that the permission is as it was, not that messages go on."""

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Renewing, "look", broken)
        monkeypatch.setattr(Renewing, "renew", broken)
        for path in (renewed.path, renewed.path.replace("/r/", "/R/")):
            response = renewed.visitor.request(method, path, content=YES, headers=FORM)
            assert response.status_code == 503
            assert text("renewal_failed", Language.FI) in response.text
            assert text("page_failed", Language.FI) not in response.text

    def test_without_renewals_there_is_no_page(self, house: House, studio: Studio, clock: FixedClock) -> None:
        """An application that takes no renewals says that there is no such link."""
        with TestClient(create_app(house.preferences, replace(studio), clock)) as visitor:
            assert visitor.get("/r/anything").status_code == 404
