"""A client's whole way in a real Chromium: from the mail in the demo's inbox out of the door, and back by their own."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from dispatcher.demo.account import Account, Sent
from dispatcher.demo.inbox import write_inbox
from dispatcher.demo.loopback import ServerThread, listen
from dispatcher.demo.places import choose, make_room
from dispatcher.demo.scene import Taken
from dispatcher.engine.embedded import run_sender
from dispatcher.links import OptOut, Renewal
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.cost import Tariff
from dispatcher.rules.wishes import Less, More
from dispatcher.storage import answers
from dispatcher.texts import text
from dispatcher.web.public import create_app
from dispatcher.wiring import Dispatcher
from tests.accessibility import findings
from tests.clock import FixedClock
from tests.flow.joining import MAIJA, may_write, plain, serve, token
from tests.web.conftest import everything, on_sqlite
from tests.web.test_browser import browser
from tests.workshop import Doubles, Workshop, build

__all__ = ["browser"]

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
_ELSEWHERE = ThreadPoolExecutor(1)
"""Where the sender runs: Playwright has a loop of its own in this thread."""


@dataclass(frozen=True, slots=True)
class Street:
    """An installation whose pages are served, and where its messages arrive."""

    dispatcher: Dispatcher
    workshop: Workshop
    doubles: Doubles
    base_url: str
    client: int

    def send(self) -> None:
        """Hand over what is due."""
        _ELSEWHERE.submit(lambda: asyncio.run(run_sender(self.dispatcher, asyncio.Event(), once=True))).result()

    def inbox(self, folder: Path) -> Path:
        """Write the demo's inbox of what has arrived, and return the page of the first mail."""
        places = choose(folder / "demo")
        make_room(places)
        account = Account("Hoitola")
        one = Counter({"email": 1})
        account.campaigns.append(Sent("2026-12", "Joulu", MOMENT, 1, one, Counter(), Counter(), 0, Counter()))
        taken = Taken(tuple(self.doubles.smtp.received), tuple(self.doubles.twilio.received))
        write_inbox(places, account, [], {"2026-12": taken}, Tariff())
        return places.pages / "0001.html"

    def confirmation(self, channel: Channel = Channel.EMAIL) -> str:
        """Hand over what is due and return the link of the newest confirmation."""
        _ELSEWHERE.submit(lambda: serve(self.dispatcher)).result()
        is_email = channel is Channel.EMAIL
        words = plain(self.doubles.smtp.received[-1].content) if is_email else self.doubles.twilio.received[-1].text
        return f"{self.base_url}/join/{token(words)}"

    def said(self) -> list[tuple[Reply, Channel | None, Place | None]]:
        """Return what the client has said."""
        with self.dispatcher.store.reading() as connection:
            found = answers.of_clients(connection, [self.client])[self.client]
        return [(each.reply, each.channel, each.place) for each in found]

    def opt_out(self, channel: Channel = Channel.EMAIL) -> str:
        """Return the link in a message of this channel."""
        return f"{self.base_url}/u/{self.dispatcher.links.token(OptOut(self.client, channel))}"


@pytest.fixture
def settle(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str, doubles: Doubles
) -> Iterator[Callable[[Language], Street]]:
    """Give what settles a client who speaks a language, with a yes to both channels, and serves the pages."""
    clock.set(MOMENT - timedelta(days=2))
    with listen() as socket:
        port = socket.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    workshop = build(tmp_path / "studio", clock, database_url, journal_url, doubles, public_url=base)
    with workshop.opened() as dispatcher:
        app = create_app(dispatcher.preferences, dispatcher.studio, clock, renewing=dispatcher.renewing)

        def settled(language: Language) -> Street:
            row = f"1;Maija;Meikäläinen;{MAIJA};040 123 4567;{language};3.11.2026;kyllä;kyllä;3.11.2026"
            dispatcher.enrol.run(workshop.register(row), dispatcher.persons.acting(None))
            return Street(dispatcher, workshop, doubles, base, dispatcher.register.find(MAIJA))

        with ServerThread(app, port):
            yield settled


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a client's browser."""
    context = browser.new_context(locale="fi-FI")
    yield context
    context.close()


LOOKS = {Language.FI: (320, "light"), Language.SV: (1000, "dark"), Language.EN: (320, "dark")}
"""How wide and how bright each language's pages are looked at with axe; how wide they are is measured for all."""


def check(page: Page, title: str, language: Language) -> None:
    """L-45, L-41: check that the page, as it stands, is for everybody, and has neither script nor cookie."""
    page.wait_for_load_state("load")
    assert title == page.locator("h1").inner_text().replace("\n", " ")
    assert language.value == page.locator("html").get_attribute("lang")
    assert 0 == page.locator("script").count()
    assert [] == page.context.cookies()
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    boxes = page.evaluate("[...document.querySelectorAll('a, button')].map(e => e.getBoundingClientRect().toJSON())")
    assert [] == [box for box in boxes if box["height"] < 24 or box["width"] < 24]
    width, scheme = LOOKS[language]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert [] == findings(page)


def press(page: Page, words: str) -> None:
    """Press a button by its words, as a screen reader names it, from the keyboard."""
    page.get_by_role("button", name=words, exact=True).focus()
    assert "solid" == page.locator(":focus").evaluate("element => getComputedStyle(element).outlineStyle")
    with page.expect_navigation():
        page.keyboard.press("Enter")


@on_sqlite
@pytest.mark.parametrize("language", Language)
def test_a_client_leaves_and_comes_back(
    context: BrowserContext, settle: Callable[[Language], Street], tmp_path: Path, language: Language
) -> None:
    """X-02, X-04: from the mail to the page, less, nothing, and back by another mail; every page is for everybody."""
    street = settle(language)

    def say(key: str, **values: object) -> str:
        return text(key, language, **values)

    owner = street.dispatcher.persons.acting(None)
    street.dispatcher.schedule.run(street.workshop.campaign("a", MOMENT, channels=("email",)), owner)
    street.workshop.clock.set(MOMENT)
    street.send()
    inbox = context.new_page()
    inbox.goto(street.inbox(tmp_path).as_uri())
    link = inbox.frames[1].locator(f"a[href^='{street.base_url}/u/']").first
    with context.expect_page() as opened:
        link.click()
    page = opened.value
    check(page, say("page_question"), language)
    assert say("page_messages", messages=1, most=12) in page.content()

    press(page, say("page_less_treatment_day"))
    check(page, say("page_chosen_title"), language)
    page.get_by_role("link", name=say("page_back")).click()
    press(page, say("page_less_pause"))
    page.get_by_role("link", name=say("page_back")).click()
    check(page, say("page_question"), language)
    press(page, say("page_more_resume"))
    check(page, say("page_asked_title"), language)
    page.goto(street.confirmation())
    check(page, say("join_change_title"), language)
    press(page, say("join_confirm_button"))
    check(page, say("join_done_title"), language)
    assert (Reply.GRANTED, Channel.EMAIL, Place.PREFERENCES) == street.said()[-1]

    street.workshop.clock.advance(timedelta(days=40))
    page.goto(street.opt_out())
    press(page, say("page_button"))
    check(page, say("page_done_title"), language)
    assert not may_write(street.dispatcher, street.client)
    page.get_by_role("link", name=say("page_back")).click()
    check(page, say("page_closed_title"), language)
    press(page, say("page_more_email"))
    link_back = street.confirmation()
    street.workshop.clock.advance(timedelta(minutes=2))
    page.goto(link_back)
    press(page, say("join_confirm_button"))
    page.goto(link_back)
    check(page, say("join_already_title"), language)
    assert may_write(street.dispatcher, street.client)


@on_sqlite
def test_a_text_messages_link_offers_the_same(context: BrowserContext, settle: Callable[[Language], Street]) -> None:
    """Text messages are no second class: their link leads to the same choices, and names the number."""
    street, page = settle(Language.FI), context.new_page()
    page.goto(street.opt_out(Channel.SMS))
    assert text("page_number", Language.FI, address="+358*****67") in page.content()
    press(page, text("page_less_email", Language.FI))
    assert (Reply.WITHDRAWN, Channel.SMS, Place.LINK) == street.said()[-1]
    page.get_by_role("link", name=text("page_back", Language.FI)).click()
    press(page, text("page_more_sms", Language.FI))
    street.workshop.clock.advance(timedelta(hours=2))
    page.goto(street.confirmation(Channel.SMS))
    press(page, text("join_confirm_button", Language.FI))
    assert (Reply.GRANTED, Channel.SMS, Place.PREFERENCES) == street.said()[-1]


def test_a_scanner_that_runs_scripts_presses_nothing(browser: Browser, settle: Callable[[Language], Street]) -> None:
    """X-01, X-04: a browser that opens each kind of link, runs all there is to run and waits, changes nothing."""
    street = settle(Language.FI)
    preferences = street.dispatcher.preferences
    opt_out = preferences.read(street.opt_out().rpartition("/")[2])
    preferences.choose(opt_out, Less.PAUSE)
    assert preferences.reopening is not None
    preferences.reopening.ask(opt_out, More.RESUME, Language.FI)
    with street.dispatcher.store.reading() as connection:
        entry = answers.of_clients(connection, [street.client])[street.client][0].entry
    renewal = street.dispatcher.renewing._links.token(Renewal(street.client, Channel.EMAIL, entry))
    links = [street.opt_out(), street.opt_out(Channel.SMS), street.confirmation(), f"{street.base_url}/r/{renewal}"]
    before = everything(street.dispatcher.store)
    page = browser.new_page()
    for link in links:
        page.goto(link, wait_until="networkidle")
        assert 0 < page.get_by_role("button").count()
        page.evaluate(
            "() => { for (const event of ['focus', 'scroll', 'mousemove']) window.dispatchEvent(new Event(event)) }"
        )
        page.keyboard.press("Tab")
    page.close(run_before_unload=True)
    assert before == everything(street.dispatcher.store)
