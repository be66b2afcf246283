"""The inbox in a real Chromium, opened from disk: each view shows the mail as such a reader would see it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dispatcher.demo.account import Account, Sent
from dispatcher.demo.inbox import write_inbox
from dispatcher.demo.places import Places, choose, make_room
from dispatcher.demo.scene import Taken
from dispatcher.demo.smtp_double import ReceivedMail
from dispatcher.demo.summary import write_summary
from dispatcher.demo.twilio_double import ReceivedSms
from dispatcher.rules.cost import Tariff
from tests.accessibility import findings

FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
MOMENT = datetime(2026, 2, 10, 10, tzinfo=ZoneInfo("Europe/Helsinki"))
LIGHT, DARK = "rgb(242, 239, 233)", "rgb(18, 24, 26)"
MAIL = b"""\
From: hei@studio.example\r
Subject: Two screens\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="b"\r
\r
--b\r
Content-Type: text/plain; charset="utf-8"\r
\r
The text part.\r
--b\r
Content-Type: text/html; charset="utf-8"\r
\r
<!DOCTYPE html><html lang="en"><head><title>Two screens</title><meta name="color-scheme" content="light dark"><style>\r
body { background-color: #f2efe9; } @media (prefers-color-scheme: dark) { body { background-color: #12181a; } }\r
p { width: 500px; } @media (max-width: 480px) { p { width: 200px; } }\r
</style></head><body><main><h1>Two screens</h1><p>A mail.</p></main></body></html>\r
--b--\r
"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that reaches nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(name="places", scope="module")
def write_one_of_each(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Write an inbox of one mail and one text message of two parts."""
    places = choose(tmp_path_factory.mktemp("inbox") / "demo")
    make_room(places)
    account = Account("Hoitola")
    one = Counter({"email": 1, "sms": 1})
    account.campaigns.append(Sent("2026-02", "Kevät", MOMENT, 2, one, Counter(), Counter(), 0, Counter()))
    sms = ReceivedSms("SM1", "Kuukkeli", "+358400001234", "Mainos: hieronta. " * 11, 2, {})
    taken = Taken((ReceivedMail("p@studio.example", "maija@posti.example", MAIL),), (sms,))
    write_inbox(places, account, [], {"2026-02": taken}, Tariff())
    write_summary(account, places, "http://127.0.0.1:8026")
    return places


def opened(browser: Browser, path: Path, scheme: str, width: int = 1200) -> Page:
    """Open a page from disk, without scripts, on a screen of this colour scheme."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="load")
    return page


@pytest.mark.parametrize("system", [[], ["--force-dark-mode"]])
def test_a_mail_is_seen_wide_on_a_phone_and_in_the_dark(chromium: str, places: Places, system: list[str]) -> None:
    """The views show the mail's own light and dark, wide and narrow, whatever screen the inbox is looked at on."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *system])
        # What Playwright would emulate holds for frames as well, so here the browser has the system's scheme.
        page = browser.new_context(color_scheme="null", viewport={"width": 1200, "height": 900}).new_page()
        page.goto((places.pages / "0001.html").as_uri(), wait_until="load")
        assert bool(system) is page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        seen = looked_at(page)
        browser.close()
    assert {"wide": LIGHT, "narrow": LIGHT, "dark": DARK} == {view: each[0] for view, each in seen.items()}
    assert {"wide": 500, "narrow": 200, "dark": 500} == {view: each[1] for view, each in seen.items()}
    assert 360 == seen["narrow"][2]


def looked_at(page: Page) -> dict[str, tuple[str, int, int]]:
    """Return, by view, the background of the mail, and how wide its paragraph and its window are."""
    seen = {}
    for view in ("wide", "narrow", "dark"):
        page.check(f"#{view}", force=True)
        frame = page.frames[1]
        body, words = frame.locator("body"), frame.locator("p")
        background = body.evaluate("body => getComputedStyle(body).backgroundColor")
        seen[view] = (
            background,
            words.evaluate("p => p.offsetWidth"),
            frame.locator("html").evaluate("e => e.clientWidth"),
        )
    return seen


def test_text_and_source_are_a_click_away(browser: Browser, places: Places) -> None:
    """One view at a time: the mail, its text part, or its source."""
    page = opened(browser, places.pages / "0001.html", "light")
    for view, shown in (("wide", ".looks"), ("text", "pre.text"), ("source", ".source")):
        page.check(f"#{view}", force=True)
        assert [shown] == [each for each in (".looks", "pre.text", ".source") if page.locator(each).is_visible()]
    page.context.close()


def test_a_text_message_is_a_bubble_with_its_parts_and_cost(browser: Browser, places: Places) -> None:
    """S-05: each part of a text message is seen for itself, and what all of them cost."""
    page = opened(browser, places.pages / "0002.html", "light")
    assert ["Part 1 of 2", "Part 2 of 2"] == page.locator(".bubble small").all_inner_texts()
    assert page.locator("text=Cost: 0.16 € (2 parts at 0.08 €").is_visible()
    page.context.close()


@pytest.mark.parametrize("screen", ["light", "dark"])
@pytest.mark.parametrize("name", ["0001.html", "0002.html", "summary.html", "../inbox.html"])
def test_the_inbox_can_be_read_by_everybody(browser: Browser, places: Places, name: str, screen: str) -> None:
    """L-45: axe finds nothing on any of the inbox's pages, and each fits a phone."""
    page = opened(browser, places.pages / name, screen, width=360)
    assert [] == [finding["id"] for finding in findings(page)]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.close()
