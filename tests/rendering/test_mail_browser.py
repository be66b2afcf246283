"""Every template's mail in a real Chromium: in each language, on a phone and wide, by day and by night."""

import email
import email.policy
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.preview import page_of
from dispatcher.rules.campaign import Campaign, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.message import Email, Recipient
from dispatcher.rules.studio import Studio
from dispatcher.texts import text
from tests.accessibility import findings

FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SAMPLES = {"offer": "2026-12-joulu", "treatment_day": "2026-11-kaamos"}
"""A campaign of each template, with all that its template can show."""
_URL, _RENEW = (f"https://m.revontuli.example/{letter}" for letter in (f"u/{'a' * 37}", f"r/{'b' * 47}"))


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a Chromium that reaches nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def written(renderers: Callable[[str], CampaignRenderer], moment: datetime) -> Callable[[str, Language], Email]:
    """Return a function that gives a template's mail to somebody whose yes ends soon."""

    def write(template: str, language: Language) -> Email:
        reader = Recipient("Áilu-Maria", language, "3.2.2026", "3.2.2027", Place.ONLINE)
        return renderers(SAMPLES[template]).email(reader, "a@posti.example", _URL, "1", moment, renew_url=_RENEW)

    return write


def parts(mail: Email) -> tuple[str, str]:
    """Return the text of a mail, and its HTML with the picture it carries."""
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    plain = message.get_body(("plain",))
    assert plain is not None
    return plain.get_content(), page_of(mail.content)


def opened(browser: Browser, page: str, width: int, file: Path) -> tuple[Page, list[str]]:
    """Open a mail's HTML, and return it with all it asks for and complains about."""
    file.write_text(page, encoding="utf-8")
    shown = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    heard: list[str] = []
    shown.on("request", lambda request: None if request.url.startswith("data:") else heard.append(request.url))
    shown.on("console", lambda message: heard.append(message.text))
    shown.goto(file.as_uri(), wait_until="load")
    return shown, heard


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", SAMPLES)
def test_a_mail_can_be_read_by_everybody(
    browser: Browser, template: str, language: Language, written: Callable[[str, Language], Email], tmp_path: Path
) -> None:
    """L-45: axe finds nothing (contrast, language, headings), nothing runs out at the side, and nothing is loaded."""
    _, page = parts(written(template, language))
    file = tmp_path / "mail.html"
    shown, heard = opened(browser, page, 320, file)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 320
    for width in (360, 600):
        shown.set_viewport_size({"width": width, "height": 800})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in SCHEMES:
            shown.emulate_media(color_scheme=scheme)
            found = findings(shown, rules=_ONE_MESSAGE)
            assert ([], width, scheme) == ([each["id"] for each in found], width, scheme)
    assert [file.as_uri()] == heard
    assert 1 == shown.locator("h1").count()
    shown.context.close()


_ONE_MESSAGE = {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}
"""A mail is shown inside a mail program's page, whose landmarks are its own: an article, not a main."""


def test_every_template_is_looked_at(templates: Templates) -> None:
    """A new template is shown here as well, or this fails."""
    found = {path.split("/")[1] for path in templates._files if path.startswith("email/")}
    assert set(SAMPLES) == found


@pytest.mark.parametrize("language", Language)
def test_the_preheader_is_seen_in_the_list_alone(
    browser: Browser,
    language: Language,
    written: Callable[[str, Language], Email],
    tmp_path: Path,
    samples: dict[str, Campaign],
) -> None:
    """What the list shows beside the subject is the campaign's own line and then blanks, and stands nowhere else."""
    _, page = parts(written("offer", language))
    shown, _ = opened(browser, page, 360, tmp_path / "mail.html")
    line = samples[SAMPLES["offer"]].fields["preheader"]
    assert isinstance(line, dict)
    begun = shown.locator("body").evaluate("body => body.textContent").lstrip()
    assert begun.startswith(line[language])
    assert not begun[len(line[language]) :][:100].replace("\N{ZERO WIDTH NON-JOINER}", "").strip()
    assert line[language] not in shown.locator("body").inner_text()
    assert not shown.get_by_text(line[language]).is_visible()
    shown.context.close()


@pytest.mark.parametrize("repeated", [1, 12])
def test_a_long_mail_can_be_left_from_its_top(
    repeated: int, campaign: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo, moment: datetime
) -> None:
    """E-33: where the text is long, the way out stands above it too, in both parts; where it is not, once is enough."""
    told = campaign.fields["text"]
    assert isinstance(told, dict)
    long = {language: "\n\n".join([words] * repeated) for language, words in told.items()}
    renderer = CampaignRenderer(replace(campaign, fields={**campaign.fields, "text": long}), templates, studio, zone)
    mail = renderer.email(Recipient("Aino", Language.FI, ""), "a@posti.example", _URL, "1", moment)
    words, page = parts(mail)
    headline = text("greeting_name", Language.FI, name="Aino")
    expected = 1 if repeated == 1 else 2
    assert (expected, expected) == (words.count(_URL), page.count(_URL))
    for part in (words, page):
        assert (_URL in part.partition(headline)[0]) is (expected == 2)
