"""The desk as staff meet it: in a real Chromium, on a real socket."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page

from dispatcher.demo.loopback import ServerThread
from dispatcher.flow.answering import Answering
from dispatcher.flow.desk import Desk
from dispatcher.flow.marks import Marks
from dispatcher.flow.persons import Persons
from dispatcher.flow.questioning import Asking
from dispatcher.rules.actor import Role
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.studio import Studio
from dispatcher.texts import text
from dispatcher.web.desk import DeskPages, Doorkeeper, create_desk
from tests.accessibility import findings
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY
from tests.web.conftest import NUMBER, House, on_sqlite
from tests.web.test_browser import WIDTHS, browser, opened

__all__ = ["browser"]


@pytest.fixture
def link(house: House, studio: Studio, clock: FixedClock) -> Iterator[str]:
    """Give the link of a desk that is open."""
    desk = Desk(
        house.store, Asking(house.store, POLICY, 60), Answering(house.store), house.preferences, Marks(house.store)
    )
    ulla = Persons(house.store).add("Ulla Esimerkki", Role.STAFF, OWNER)
    doorkeeper = Doorkeeper(clock)
    pages = DeskPages(studio, ulla.name, ZoneInfo("Europe/Helsinki"))
    with ServerThread(create_desk(desk, pages, ulla.actor, doorkeeper)) as server:
        yield f"{server.base_url}/in/{doorkeeper.new_link()}"


def test_two_taps(browser: Browser, link: str, house: House) -> None:
    """A client is found by a part of the name, asked in their language, and answered for in two taps."""
    page, heard = opened(browser, link)
    page.get_by_role("searchbox").fill("BERG")
    page.get_by_role("button", name=text("desk_search_button", Language.FI)).click()
    page.get_by_role("link", name="Maj Berg").click()
    assert text("question_sms", Language.SV) in page.content()
    page.get_by_role("link", name=text("desk_yes", Language.FI)).last.click()
    page.get_by_role("button", name=text("desk_place_in_person", Language.FI)).click()
    page.get_by_role("status").wait_for()
    assert [(Reply.GRANTED, Place.IN_PERSON)] == [(answer.reply, answer.place) for answer in house.noes()]
    base = link.partition("/in/")[0]
    assert [] == [each for each in heard if not each.startswith(base)]
    assert [("desk", True, "Strict")] == [
        (each["name"].partition("-")[0], each["httpOnly"], each["sameSite"]) for each in page.context.cookies()
    ]
    page.wait_for_load_state("networkidle")


@on_sqlite
def test_it_works_by_keyboard_alone(browser: Browser, link: str, house: House) -> None:
    """L-45: search, client, yes and place are reached by Tab and Enter, and the focus is seen."""
    page, _ = opened(browser, link)
    page.locator("#q:focus").wait_for()
    page.keyboard.type("maj")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=maj")
    for name in ("Maj Berg", text("desk_yes", Language.FI), text("desk_place_in_person", Language.FI)):
        _tab_to(page, name)
        assert "solid" == page.locator(":focus").evaluate("element => getComputedStyle(element).outlineStyle")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert [Reply.GRANTED] == [answer.reply for answer in house.noes()]


@on_sqlite
@pytest.mark.parametrize(
    ("language", "width", "scheme"),
    [("fi", WIDTHS[0], "dark"), ("fi", WIDTHS[1], "light"), ("sv", WIDTHS[0], "light"), ("en", WIDTHS[0], "light")],
)
def test_everybody_can_use_the_desk(browser: Browser, link: str, language: str, width: int, scheme: str) -> None:
    """L-45: no finding by axe on any page, no sideways scrolling at 320 px, nothing to press under 24 x 24 px."""
    page, _ = opened(browser, link, width, scheme)
    base, client = link.partition("/in/")[0], f"/client/{NUMBER}"
    page.goto(f"{base}/?lang={language}")
    answer = f"{client}/answer?channel=sms&reply=granted&ask=sv"
    for path in ("/", "/?q=berg", "/?q=ei-kukaan", client, answer, f"{client}/withdraw", f"{client}/child", "/nowhere"):
        page.goto(base + path)
        _assert_usable(page, width)
    page.goto(f"{base}/new")
    page.locator("#first_name").fill("Aili")
    for address in ("ei osoitetta", "maj.berg@posti.example", "aili.uusi@posti.example"):
        page.locator("#address").fill(address)
        page.get_by_role("button", name=text("desk_next", Language(language))).click()
        page.wait_for_load_state()
        _assert_usable(page, width)
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name=text("desk_place_email", Language(language))).click()
    page.get_by_role("status").wait_for()
    _assert_usable(page, width)
    page.goto(f"{base}/address")
    _assert_usable(page, width)
    page.get_by_role("button", name=text("desk_leave", Language(language))).click()
    page.get_by_role("heading", name=text("desk_closed_title", Language.FI)).wait_for()
    _assert_usable(page, width)


@on_sqlite
def test_the_desk_keeps_its_own_looks(browser: Browser, link: str) -> None:
    """What the desk shares with the clients' pages does not bend it: a tap's word is in its middle."""
    page, _ = opened(browser, link)
    base = link.partition("/in/")[0]
    page.goto(f"{base}/client/{NUMBER}")
    style = page.locator(".tap").first.evaluate("e => [getComputedStyle(e).display, getComputedStyle(e).alignItems]")
    assert ["flex", "center"] == style
    page.goto(f"{base}/new")
    wide, whole = (
        page.locator(each).evaluate("e => e.getBoundingClientRect().width") for each in ("legend", "fieldset")
    )
    assert wide < whole / 2


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator(":focus").inner_text() == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


def _assert_usable(page: Page, width: int) -> None:
    """Check one page as it stands."""
    assert [] == findings(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    press = "a, button, input:not([type=hidden])"
    found = f"[...document.querySelectorAll('{press}')].map(e => e.getBoundingClientRect().toJSON())"
    for box in page.evaluate(found):
        assert min(box["height"], box["width"]) >= 24
    assert 1 == page.locator("h1").count()
