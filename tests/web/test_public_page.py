"""What the opt-out page shows a client, and what it tells a stranger, through the real application."""

from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.studio import Studio
from dispatcher.texts import text
from dispatcher.web.guard import HEADERS
from dispatcher.web.public import create_app
from tests.clock import FixedClock
from tests.web.conftest import House, assert_left, on_sqlite


class TestStranger:
    """What somebody without a link learns."""

    @on_sqlite
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("token", ["", "x", "a" * 37, "ä", "%00", "..%2f..%2fetc", "a" * 5_000])
    def test_a_link_that_was_not_made_here(self, visitor: TestClient, house: House, method: str, token: str) -> None:
        """E-15: 404, and how to object by mail and phone."""
        before = house.everything()
        response = visitor.request(method, f"/u/{token}")
        assert response.status_code == 404
        assert text("page_invalid_title", Language.FI) in response.text
        assert "mailto:hei@tunturituuli.example" in response.text
        assert "tel:+358400000000" in response.text
        assert "<form" not in response.text
        assert before == house.everything()

    @on_sqlite
    def test_a_broken_link_tells_nothing(self, visitor: TestClient, house: House) -> None:
        """E-15: a broken link of a client and one of nobody get the very same page, and so do two that were cut."""
        token = house.token()
        altered = token[:-1] + ("a" if token[-1] != "a" else "i")
        assert visitor.get(f"/u/{'a' * 34}").text == visitor.get(f"/u/{token[:-3]}").text
        assert visitor.get(f"/u/{'a' * 37}").text == visitor.get(f"/u/{'b' + altered[1:]}").text

    @on_sqlite
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    def test_a_broken_link_is_the_same_whatever_is_on_record(
        self, visitor: TestClient, house: House, method: str
    ) -> None:
        """E-15: of a client, of one who has left, of one who was erased and of nobody: every byte and header is one."""
        token = house.token()
        broken = [f"/u/{token[:20]}{'b' if token[20] != 'b' else 'c'}{token[21:]}", f"/u/{'a' * 37}"]

        def told() -> set[tuple[int, bytes, tuple[tuple[str, str], ...]]]:
            answers = [visitor.request(method, each) for each in broken]
            return {(each.status_code, each.content, tuple(sorted(each.headers.items()))) for each in answers}

        found = told()
        visitor.post(house.path())
        found |= told()
        house.erase()
        found |= told()
        assert 1 == len(found)

    @on_sqlite
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize(("channel", "lost"), [(Channel.SMS, 1), (Channel.SMS, 20), (Channel.EMAIL, 4)])
    def test_a_link_whose_end_was_lost(
        self, visitor: TestClient, house: House, method: str, channel: Channel, lost: int
    ) -> None:
        """E-15: a phone that cuts the link gets a page that says what to do, in three languages; nothing is changed."""
        before = house.everything()
        for language in Language:
            answer = visitor.request(method, f"/u/{house.token(channel)[:-lost]}?lang={language}")
            assert 404 == answer.status_code
            assert text("page_cut", language) in answer.text
            assert "mailto:hei@tunturituuli.example" in answer.text
            assert "tel:+358400000000" in answer.text
            assert "<form" not in answer.text
        assert before == house.everything()

    @on_sqlite
    def test_a_guesser_is_slowed_down(self, visitor: TestClient, house: House, clock: FixedClock) -> None:
        """E-15: the 31st broken link within a minute is 429, a good link never is, and a minute later all is well."""
        broken = [visitor.get("/u/broken").status_code for _ in range(30)]
        refused = visitor.post("/u/broken")
        assert [404] * 30 == broken
        assert (429, "60") == (refused.status_code, refused.headers["retry-after"])
        assert "mailto:hei@tunturituuli.example" in refused.text
        assert visitor.get(house.path()).status_code == 200
        assert_left(visitor.post(house.path()), house)
        clock.advance(timedelta(minutes=1))
        assert visitor.get("/u/broken").status_code == 404

    @on_sqlite
    @pytest.mark.parametrize("url", ["/", "/u", "/docs", "/redoc", "/openapi.json", "/admin", "//u/x", "/static/"])
    def test_there_is_nothing_else(self, visitor: TestClient, url: str) -> None:
        """An address without a page shows the studio's page for broken links, and lists no routes."""
        response = visitor.get(url)
        assert response.status_code == 404
        assert "Tunturituuli" in response.text
        assert '<html lang="fi">' in response.text

    @on_sqlite
    def test_health(self, visitor: TestClient) -> None:
        """A monitor gets 200 and the word ok."""
        assert (200, "ok\n") == ((response := visitor.get("/health")).status_code, response.text)


class TestPage:
    """What stands on the page, and around it."""

    @on_sqlite
    def test_headers_on_every_answer(self, visitor: TestClient, house: House) -> None:
        """L-41: page, done, stylesheet, health, 404, 405, 429 and 503 carry the same headers, and no cookie."""
        answers = [visitor.get(house.path()), visitor.post(house.path()), visitor.get("/"), visitor.put(house.path())]
        answers += [visitor.get("/static/page.css"), visitor.get("/health"), visitor.options(house.path())]
        answers += [visitor.get("/u/broken") for _ in range(31)]
        house.lose_journal()
        house.erase()
        answers.append(visitor.post("/u/" + house.token(Channel.SMS)))
        for answer in answers:
            assert HEADERS == {name: answer.headers.get(name) for name in HEADERS}
            assert "set-cookie" not in answer.headers
            assert not answer.is_redirect

    @on_sqlite
    def test_a_browser_stays_with_https(self, visitor: TestClient, house: House, studio: Studio) -> None:
        """A studio reached by https says so for a year; one on http, as the demo is, does not."""
        assert "max-age=31536000" == visitor.get(house.path()).headers["strict-transport-security"]
        plain = replace(studio, public_url="http://127.0.0.1:8025")
        with TestClient(create_app(house.preferences, plain, house.store.clock)) as other:
            assert "strict-transport-security" not in other.get(house.path()).headers

    @on_sqlite
    def test_the_policy_is_the_rule(self, visitor: TestClient, house: House) -> None:
        """L-41: the header values are those of the rule, word for word."""
        policy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        headers = visitor.get(house.path()).headers
        assert policy == headers["content-security-policy"]
        assert ("no-referrer", "no-store") == (headers["referrer-policy"], headers["cache-control"])
        assert ("noindex", "nosniff") == (headers["x-robots-tag"], headers["x-content-type-options"])

    @on_sqlite
    @pytest.mark.parametrize(("channel", "shown"), [(Channel.EMAIL, "m***@p***.example"), (Channel.SMS, "+358*****67")])
    def test_whom_it_concerns(self, visitor: TestClient, house: House, channel: Channel, shown: str) -> None:
        """L-46: the address is masked: enough for the client to know it, not for a stranger to use it."""
        for page in (visitor.get(house.path(channel)).text, visitor.post(house.path(channel)).text):
            assert shown in page
            assert "maj" not in page.lower()
            assert "40123" not in page

    @on_sqlite
    def test_the_page_names_the_sender(self, visitor: TestClient, house: House) -> None:
        """L-20: the page says who sends, with the business id, and leads to the privacy notice of its language."""
        page = visitor.get(house.path()).text
        for words in ("Tunturituuli", "0000000-0", "Esimerkkikuja 1, 99999 Esimerkkilä"):
            assert words in page
        assert 'href="https://tunturituuli.example/dataskydd"' in page

    @on_sqlite
    def test_a_page_is_small_and_needs_nothing(self, visitor: TestClient, house: House) -> None:
        """L-41: page and stylesheet are under 20 kB together, without script, frame, image or foreign address."""
        style = visitor.get("/static/page.css")
        assert style.headers["content-type"].startswith("text/css")
        for page in (visitor.get(house.path()), visitor.post(house.path()), visitor.get("/")):
            assert len(page.content) + len(style.content) < 20_000
            for forbidden in ("<script", "<img", "<iframe", "style=", "@import", "url(", " on", "http-equiv"):
                assert forbidden not in page.text.replace(" on ", " ") + style.text.replace(" on ", " ")

    @on_sqlite
    def test_one_button_and_no_way_back_by_accident(self, visitor: TestClient, house: House) -> None:
        """X-02: of the page's buttons the first stops everything, to its own address; the page after it has none.

        Only beneath it, under a heading of its own, are there any for more; and those only ask.
        """
        page, done = visitor.get(house.path()).text, visitor.post(house.path()).text
        first = page[page.index("<form") :]
        assert first.startswith(
            f'<form method="post">\n<button type="submit">{text("page_button", Language.SV)}</button>'
        )
        assert "<button" not in done
        assert "<form" not in done
        assert text("page_done", Language.SV) in done

    @on_sqlite
    @pytest.mark.parametrize(
        ("query", "known", "accepts", "expected"),
        [
            ("", True, "en", "sv"),
            ("?lang=en", True, "fi", "en"),
            ("?lang=FI", True, "en", "fi"),
            ("?lang=xx", True, "en", "sv"),
            ("", False, "sv-FI,sv;q=0.9,en;q=0.8", "sv"),
            ("", False, "de, en;q=0.5, fi; q=0.4", "en"),
            ("", False, "en;q=0, de", "fi"),
            ("", False, "se, smn;q=0.9", "fi"),
            ("", False, ";;q=ö,,en;q=", "fi"),
            ("", False, "", "fi"),
        ],
    )
    def test_the_language(
        self, visitor: TestClient, house: House, query: str, accepts: str, expected: str, *, known: bool
    ) -> None:
        """The language is the one asked for, else the client's, else the browser's, else Finnish."""
        if not known:
            house.erase()
        headers = [(b"accept-language", accepts.encode())]
        for method in ("GET", "POST"):
            response = visitor.request(method, house.path() + query, headers=headers)
            assert f'<html lang="{expected}">' in response.text
            assert expected == response.headers["content-language"]

    @on_sqlite
    def test_the_language_can_be_changed(self, visitor: TestClient, house: House) -> None:
        """Every language is one link away, and the form keeps what was chosen, since it posts to the same address."""
        page = visitor.get(house.path()).text
        for language in Language:
            assert f'href="?lang={language}" lang="{language}"' in page
        assert text("page_done", Language.EN) in visitor.post(f"{house.path()}?lang=en").text

    @on_sqlite
    def test_a_studio_name_is_only_a_name(self, house: House, studio: Studio, clock: FixedClock) -> None:
        """Signs of markup in the settings are shown, not obeyed."""
        odd = replace(studio, name='Hieronta & <b>"Lepo"</b>', email="a&b@tunturituuli.example", phone="{x} <i>1</i>")
        with TestClient(create_app(house.preferences, odd, clock)) as visitor:
            page = visitor.get(house.path()).text
        assert "Hieronta &amp; &lt;b&gt;&#34;Lepo&#34;&lt;/b&gt;" in page
        assert "{x} &lt;i&gt;1&lt;/i&gt;" in page
        assert "<b>" not in page

    @on_sqlite
    def test_pages_below_a_path(self, house: House, studio: Studio, clock: FixedClock) -> None:
        """Where clients reach the pages below a path, the stylesheet is found there too."""
        below = replace(studio, public_url="https://tunturituuli.example/viestit")
        with TestClient(create_app(house.preferences, below, clock)) as visitor:
            assert 'href="/viestit/static/page.css"' in visitor.get(house.path()).text
