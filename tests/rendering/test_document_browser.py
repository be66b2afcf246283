"""A paper as a page in a real Chromium: readable at every width, on every ground, and asking nobody for anything."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, sync_playwright

from dispatcher.rendering import papers
from dispatcher.rendering.document import Document, read
from dispatcher.rules.campaign import Language
from tests.accessibility import findings
from tests.receipts import PROCESSING

FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
COPY = """# Omat tietosi

Asiakas :: Ánte Ovdamearka
Osoite :: todella.pitka.osoite.joka.ei.mahdu.kapeaan.nayttoon@tunturituuli.example

## Viestit

### Kevään tarjous

> Hei Ánte!
>
> https://viestit.tunturituuli.example/u/abhtohsfdnesduj3c7w4p26mynv26eeqwdocs

- c89577f66623aa033a30365a925d92a742b9bf4a304e4cf4e323f5a2d86d7976
"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that reaches nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


def notice(language: Language) -> Document:
    """Return the notice of a studio whose mail server and SMS provider are companies."""
    authority = {"name": "A", "address": "B", "email": "c@d.example", "phone": "1", "url": "https://e.example"}
    values = {
        "p": PROCESSING,
        "studio": PROCESSING.studio,
        "processors": PROCESSING.processors,
        "periods": PROCESSING.periods,
        "authority": authority,
    }
    return papers.write("notice", language, ZoneInfo("Europe/Helsinki"), values)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000])
@pytest.mark.parametrize("what", ["copy", *Language])
def test_a_paper_can_be_read_by_everybody(browser: Browser, tmp_path: Path, what: str, width: int, scheme: str) -> None:
    """L-45, L-41: axe finds nothing, nothing runs out at 320 pixels, and the file itself is all that is asked for."""
    document = read(COPY, Language.FI) if what == "copy" else notice(Language(what))
    file = tmp_path / "paper.html"
    file.write_bytes(document.page())
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    heard: list[str] = []
    page.on("request", lambda request: heard.append(request.url))
    page.on("console", lambda message: heard.append(message.text))
    page.goto(file.as_uri(), wait_until="load")
    assert [] == [finding["id"] for finding in findings(page)]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [file.as_uri()] == heard
    assert document.language.value == page.get_attribute("html", "lang")
    context.close()
