"""The page as people meet it: in a real Chromium, on a real socket."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dispatcher.demo.loopback import ServerThread
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.studio import Studio
from dispatcher.texts import text
from dispatcher.web.public import create_app
from tests.accessibility import findings
from tests.clock import FixedClock
from tests.web.conftest import House, on_sqlite

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WIDTHS = (320, 1000)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that runs scripts, as scanners' browsers do, and reaches this machine only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def base_url(house: House, studio: Studio, clock: FixedClock) -> Iterator[str]:
    """Give the address under which the pages are served."""
    with ServerThread(create_app(house.preferences, studio, clock)) as server:
        yield server.base_url


@pytest.fixture
def url(base_url: str, house: House) -> str:
    """Give the client's link."""
    return f"{base_url}/u/{house.token()}"


def opened(browser: Browser, url: str, width: int = 1000, scheme: str = "light") -> tuple[Page, list[str]]:
    """Open a page, and return it with the list of everything it asks for and everything it complains about."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="fi-FI",
    )
    page = context.new_page()
    heard: list[str] = []
    page.on("request", lambda request: heard.append(request.url))
    page.on("console", lambda message: heard.append(message.text))
    page.goto(url, wait_until="load")
    return page, heard


def test_scanner_that_runs_scripts_changes_nothing(browser: Browser, url: str, house: House) -> None:
    """X-01: a browser that opens the page, runs all there is to run and waits, leaves everything as it was."""
    before = house.everything()
    page, _ = opened(browser, url)
    page.reload(wait_until="networkidle")
    page.evaluate(
        "() => { for (const event of ['focus', 'scroll', 'mousemove']) window.dispatchEvent(new Event(event)) }"
    )
    page.close(run_before_unload=True)
    assert before == house.everything()


def test_a_client_leaves(browser: Browser, url: str, house: House) -> None:
    """X-02: one click on the one button stops everything, and the page says so in the client's language."""
    page, _ = opened(browser, url)
    page.get_by_role("button").click()
    assert text("page_done_title", Language.SV) == page.get_by_role("heading").inner_text()
    assert [(Reply.WITHDRAWN, None, Place.LINK)] == [(no.reply, no.channel, no.place) for no in house.noes()]
    assert [] == page.context.cookies()


@on_sqlite
def test_a_client_leaves_by_keyboard_in_another_language(browser: Browser, url: str, house: House) -> None:
    """L-45: language and button are reached by Tab and Enter, and what has the focus is seen to have it."""
    page, _ = opened(browser, url)
    page.get_by_role("link", name="English").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}?lang=en")
    for _ in range(4):
        page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert text("page_button", Language.EN) == focused.inner_text()
    assert "solid" == focused.evaluate("element => getComputedStyle(element).outlineStyle")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=text("page_done_title", Language.EN)).wait_for()
    assert 1 == len(house.noes())


@on_sqlite
def test_it_works_without_scripts(browser: Browser, url: str, house: House) -> None:
    """X-02: no script is needed to leave."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(url)
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("page_done_title", Language.SV)).wait_for()
    assert 1 == len(house.noes())


@on_sqlite
def test_nothing_foreign_is_asked_for(browser: Browser, url: str, base_url: str) -> None:
    """L-41: page and stylesheet come from here, nothing else is loaded, and the browser has nothing to complain of."""
    page, heard = opened(browser, url)
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("page_done_title", Language.SV)).wait_for()
    style = f"{base_url}/static/page.css"
    assert [url, style, url, style] == heard
    page.wait_for_load_state("networkidle")


@on_sqlite
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", Language)
def test_everybody_can_use_the_pages(
    browser: Browser, base_url: str, house: House, language: Language, width: int, scheme: str
) -> None:
    """L-45: no finding by axe on any page, no sideways scrolling at 320 px, and nothing to press under 24 x 24 px."""
    query = f"?lang={language}"
    page, _ = opened(browser, f"{base_url}/u/{house.token()}{query}", width, scheme)
    assert_usable(page, width)
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("page_done_title", language)).wait_for()
    assert_usable(page, width)
    page.goto(f"{base_url}/u/broken{query}")
    assert_usable(page, width)
    page.goto(f"{base_url}/u/{house.token()[:-7]}{query}")
    page.get_by_role("heading", name=text("page_cut_title", language)).wait_for()
    assert_usable(page, width)
    house.store.writer.close()
    page.goto(f"{base_url}/u/{house.token()}{query}")
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("page_failed_title", language)).wait_for()
    assert_usable(page, width)
    house.erase()
    page.goto(f"{base_url}/u/{house.token()}{query}")
    page.get_by_role("heading", name=text("page_gone_title", language)).wait_for()
    assert_usable(page, width)


def test_what_a_page_breaks_is_found(browser: Browser) -> None:
    """A page without a language, whose picture has no words, is not let pass."""
    page = browser.new_context().new_page()
    page.set_content("<title>Wrong</title><main><h1>Wrong</h1><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>")
    assert {"html-has-lang", "image-alt"} == {finding["id"] for finding in findings(page)}


def assert_usable(page: Page, width: int) -> None:
    """Check one page as it stands."""
    assert [] == findings(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.evaluate(
        "[...document.querySelectorAll('a, button')].map(e => e.getBoundingClientRect().toJSON())"
    ):
        assert box["height"] >= 24
        assert box["width"] >= 24
    assert 1 == page.locator("h1").count()
