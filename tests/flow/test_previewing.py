"""A page shows what a campaign looks like, and gives nobody away."""

from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Request, sync_playwright

from dispatcher.errors import NotFoundError
from dispatcher.storage import access_log, ledger
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import look_by_link
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
ROW = "1;Tuulikki;Meikäläinen;tuulikki@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"


def begin(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Import a client and return their number."""
    dispatcher.enrol.run(workshop.register(ROW), dispatcher.persons.acting(None))
    return dispatcher.register.find("tuulikki@posti.example")


class _Loads(HTMLParser):
    """Collects the tags that could load or run something, frames inside frames too."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.frames: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "iframe":
            self.frames.append(given)
            self.feed_inner(given["srcdoc"] or "")
        if tag in {"script", "link"} or {"src", "srcset", "background"} & set(given):
            self.found.append(tag)

    def feed_inner(self, source: str) -> None:
        inner = _Loads()
        inner.feed(source)
        self.found += inner.found


def _note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


def test_the_page_shows_every_language_and_loads_nothing(workshop: Workshop, doubles: Doubles) -> None:
    """L-41: mail wide and narrow, text, source and SMS of an invented reader, with no real client on the page."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        page = dispatcher.preview.invented(workshop.campaign("a", MOMENT))
        reader = _Loads()
        reader.feed(page)
        assert ([], 6) == (reader.found, len(reader.frames))
        assert all(frame["sandbox"] == "" for frame in reader.frames)
        assert "default-src 'none'" in page
        for words in ("Finnish", "Swedish", "English", "700 pixels", "360 pixels", "List-Unsubscribe:", "1 part,"):
            assert words in page
        assert "Tuulikki" not in page
        with dispatcher.store.reading() as connection:
            assert [] == access_log.looks(connection)
    assert ([], []) == (doubles.mailed(), doubles.texted())


def test_a_clients_page_is_on_record(workshop: Workshop) -> None:
    """Whose messages are looked at is on record with who looked; the links on the page opt nobody out."""
    with workshop.opened() as dispatcher:
        number, owner = begin(workshop, dispatcher), dispatcher.persons.acting(None)
        path = workshop.campaign("a", MOMENT)
        page = dispatcher.preview.of_client(path, number, owner)
        assert "Tuulikki" in page
        with dispatcher.store.reading() as connection:
            [look] = access_log.looks(connection)
            assert (str(owner), "campaign preview", number, 1) == (look.actor, look.act, look.client, look.clients)
            assert 0 == sum(1 for entry in ledger.entries(connection, ["answer"]) if '"withdrawn"' in entry.body)
        token = page.split("/u/")[1].split("&")[0][:37]
        assert look_by_link(dispatcher.preferences, token).is_test
        with pytest.raises(NotFoundError, match="client list"):
            dispatcher.preview.of_client(path, 5, owner)


def test_the_page_stands_in_a_browser(workshop: Workshop, chromium: str, tmp_path: Path) -> None:
    """In a browser both frames show the mail, nothing is asked of any host, and no page is wider than its window."""
    with workshop.opened() as dispatcher:
        page = dispatcher.preview.invented(workshop.campaign("a", MOMENT))
    file = tmp_path / "preview.html"
    file.write_text(page, encoding="utf-8")
    flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for width in (1280, 400):
            asked: list[str] = []
            tab = browser.new_page(viewport={"width": width, "height": 900})
            tab.on("request", partial(_note, asked))
            tab.goto(file.as_uri())
            assert "Hoito" in tab.frames[1].locator("h1").inner_text()
            assert {True} == {url.startswith(("file:", "about:", "data:")) for url in asked}
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
