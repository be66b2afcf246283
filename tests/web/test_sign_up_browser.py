"""The sign-up page as people meet it: in a real Chromium, on a real socket."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, sync_playwright

from dispatcher.demo.loopback import ServerThread
from dispatcher.rules.campaign import Channel, Language
from dispatcher.texts import text
from dispatcher.web.public import create_app
from dispatcher.wiring import Dispatcher
from tests.flow.joining import MAIJA, enable_sign_up, join, may_write
from tests.web.conftest import everything, on_sqlite
from tests.web.test_browser import FLAGS, WIDTHS, assert_usable, opened
from tests.web.test_sign_up import link_of, sign_ups
from tests.workshop import Workshop


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that runs scripts, as scanners' browsers do, and reaches this machine only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def dispatcher(workshop: Workshop) -> Iterator[Dispatcher]:
    """Give an open installation whose page asks about both channels."""
    enable_sign_up(workshop, "email", "sms")
    with workshop.opened() as opened_installation:
        yield opened_installation


@pytest.fixture
def base_url(dispatcher: Dispatcher) -> Iterator[str]:
    """Give the address under which the pages are served."""
    app = create_app(dispatcher.preferences, dispatcher.studio, dispatcher.store.clock, sign_up=dispatcher.sign_up)
    with ServerThread(app) as server:
        yield server.base_url


@on_sqlite
def test_a_visitor_signs_up_and_confirms(browser: Browser, base_url: str, dispatcher: Dispatcher) -> None:
    """Address, tick, button; then the confirmation's one button: the client may be written to, and not before."""
    page, heard = opened(browser, f"{base_url}/join?lang=sv")
    page.get_by_label(text("join_email", Language.SV)).fill(MAIJA)
    page.locator("#yes_email").check()
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("join_asked_title", Language.SV)).wait_for()
    assert {f"{base_url}/join?lang=sv", f"{base_url}/static/page.css"} == set(heard)
    assert [] == page.context.cookies()
    link = link_of(dispatcher)
    page, _ = opened(browser, base_url + link)
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("join_done_title", Language.SV)).wait_for()
    assert may_write(dispatcher, dispatcher.register.find(MAIJA))


@on_sqlite
def test_a_scanner_that_runs_scripts_confirms_nothing(browser: Browser, base_url: str, dispatcher: Dispatcher) -> None:
    """X-01, X-04: a browser that opens a confirmation, runs all there is to run and waits, changes nothing."""
    join(dispatcher)
    link, before = link_of(dispatcher), everything(dispatcher.store)
    page, _ = opened(browser, base_url + link)
    page.reload(wait_until="networkidle")
    page.evaluate("() => { for (const event of ['focus', 'scroll']) window.dispatchEvent(new Event(event)) }")
    page.close(run_before_unload=True)
    assert before == everything(dispatcher.store)


@on_sqlite
def test_it_works_without_scripts(browser: Browser, base_url: str, dispatcher: Dispatcher) -> None:
    """X-02: no script is needed to sign up."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{base_url}/join?lang=fi")
    page.get_by_label(text("join_sms", Language.FI)).fill("040 123 4567")
    page.locator("#yes_sms").check()
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("join_asked_title", Language.FI)).wait_for()
    assert 1 == sign_ups(dispatcher)


@on_sqlite
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", Language)
def test_everybody_can_use_the_pages(
    browser: Browser,
    base_url: str,
    workshop: Workshop,
    dispatcher: Dispatcher,
    language: Language,
    width: int,
    scheme: str,
) -> None:
    """L-45: no finding by axe on any page, no sideways scrolling at 320 px, and nothing to press under 24 x 24 px."""
    query = f"?lang={language}"
    page, _ = opened(browser, f"{base_url}/join{query}", width, scheme)
    assert_usable(page, width)
    assert {False} == {box.is_checked() for box in page.get_by_role("checkbox").all()}
    page.get_by_role("button").click()
    page.get_by_role("alert").wait_for()
    assert_usable(page, width)
    page.get_by_label(text(f"join_{Channel.EMAIL}", language)).fill(MAIJA)
    page.locator("#yes_email").check()
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("join_asked_title", language)).wait_for()
    assert_usable(page, width)
    link = f"{base_url}{link_of(dispatcher)}{query}"
    page.goto(link)
    assert_usable(page, width)
    page.get_by_role("button").click()
    page.get_by_role("heading", name=text("join_done_title", language)).wait_for()
    assert_usable(page, width)
    page.goto(link)
    assert_usable(page, width)
    page.goto(f"{base_url}/join/broken{query}")
    assert_usable(page, width)
    workshop.clock.advance(timedelta(days=8))
    dispatcher.sign_up.purge()
    page.goto(link)
    page.get_by_role("heading", name=text("join_spent_title", language)).wait_for()
    assert_usable(page, width)
