"""A mail with a picture in a real Chromium: it shows, fits every width, asks for nothing, and reads well without it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dispatcher.rendering import CampaignRenderer
from dispatcher.rendering.preview import page_of
from dispatcher.rules.campaign import Campaign, Language
from dispatcher.rules.message import Recipient
from tests.accessibility import findings

FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
NAMES = ("2026-03-kevat", "2026-06-kesa", "2026-09-ruska", "2026-11-kaamos")
MEASURE = """
() => {
    const { width, height, top } = document.querySelector("img").getBoundingClientRect();
    const { naturalWidth, complete } = document.querySelector("img");
    return { width, height, top, naturalWidth, complete, page: document.documentElement.scrollWidth };
}
"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that reaches nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def mail_of(renderers: Callable[[str], CampaignRenderer], moment: datetime, tmp_path: Path) -> Callable[..., str]:
    """Return a function that gives the address of a sample mail's page, with its picture or without."""

    def write(name: str, *, is_blocked: bool = False) -> str:
        url = f"https://m.revontuli.example/u/{'a' * 37}"
        mail = renderers(name).email(Recipient("Aino", Language.FI, "3.2.2026"), "a@posti.example", url, "1", moment)
        page = page_of(mail.content)
        file = tmp_path / f"{name}.html"
        file.write_text(page.replace("data:image/jpeg;base64,", "data:,") if is_blocked else page, encoding="utf-8")
        return file.as_uri()

    return write


def shown(browser: Browser, url: str, width: int, scheme: str) -> tuple[Page, list[str]]:
    """Open a page at a width, and return it with everything it asked for or complained of."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page, heard = context.new_page(), []
    page.on("request", lambda request: heard.append(request.url))
    page.on("console", lambda message: heard.append(message.text))
    page.goto(url, wait_until="load")
    return page, heard


def faults(page: Page) -> list[str]:
    """Return what axe finds serious; a mail has no landmarks, which belong to the page of the mail program."""
    return [fault["id"] for fault in findings(page) if fault["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 700])
@pytest.mark.parametrize("name", NAMES)
def test_the_picture_shows_and_nothing_is_asked_for(
    browser: Browser, mail_of: Callable[..., str], name: str, width: int, scheme: str
) -> None:
    """E-32, L-40, L-45: at every width and on every ground it is whole, in its proportions, and carried by the mail."""
    url = mail_of(name)
    page, heard = shown(browser, url, width, scheme)
    found = page.evaluate(MEASURE)
    assert (True, 1200) == (found["complete"], found["naturalWidth"])
    assert found["width"] == min(600, width - 16)
    assert abs(found["height"] - found["width"] / 2) < 1
    assert found["page"] <= width
    assert [url] == heard
    assert [] == faults(page)
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 700])
def test_a_mail_reads_well_without_its_picture(
    browser: Browser, mail_of: Callable[..., str], samples: dict[str, Campaign], width: int, scheme: str
) -> None:
    """L-45: where pictures are blocked its words stand in its place, nothing has moved, and the offer is below."""
    page, _ = shown(browser, mail_of(NAMES[0], is_blocked=True), width, scheme)
    found, named = page.evaluate(MEASURE), samples[NAMES[0]].picture
    assert named is not None
    assert 0 == found["naturalWidth"]
    assert named.alt[Language.FI] in page.locator("body").aria_snapshot()
    assert abs(found["height"] - found["width"] / 2) < 1
    assert found["page"] <= width
    assert "Oma tunti kevään keskelle" in page.locator("h1").inner_text()
    assert [] == faults(page)
    page.context.close()
