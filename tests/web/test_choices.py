"""Less at a press and more by a confirmation, beneath the button that stops everything; on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser

import httpx2
import pytest
from starlette.testclient import TestClient

from dispatcher.links import Confirm, OptOut
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.wishes import Less, More
from dispatcher.storage import answers, clients
from dispatcher.storage.clients import Flags
from dispatcher.storage.wordings import wording_texts
from dispatcher.texts import text
from dispatcher.web.public import create_app
from dispatcher.wiring import Dispatcher
from tests.flow.joining import MAIJA, NUMBER, enlist, may_write, plain, serve, standing, token
from tests.web.conftest import everything, on_sqlite
from tests.workshop import Doubles, Workshop

FI = Language.FI


@dataclass(frozen=True, slots=True)
class Page:
    """A client with a yes to both channels, and somebody who opens the link of one of her messages."""

    dispatcher: Dispatcher
    workshop: Workshop
    visitor: TestClient
    doubles: Doubles
    client: int

    def link(self, channel: Channel = Channel.EMAIL) -> str:
        """Return the path of the link in a message of this channel."""
        return f"/u/{self.dispatcher.links.token(OptOut(self.client, channel))}"

    def look(self, channel: Channel = Channel.EMAIL, language: Language = FI) -> str:
        """Return the page as it stands."""
        return self.visitor.get(f"{self.link(channel)}?lang={language}").text

    def choose(self, less: Less) -> httpx2.Response:
        """Press a button for less."""
        return self.visitor.post(self.link(), data={"less": less.value})

    def ask(self, more: More, channel: Channel = Channel.EMAIL) -> httpx2.Response:
        """Press a button for more."""
        return self.visitor.post(self.link(channel), data={"more": more.value})

    def flags(self) -> Flags:
        """Return what the register notes about the client."""
        with self.dispatcher.store.reading() as connection:
            return clients.read_flagged(connection, [self.client])[self.client][1]

    def said(self) -> list[Answer]:
        """Return what the client has said."""
        with self.dispatcher.store.reading() as connection:
            return answers.of_clients(connection, [self.client]).get(self.client, [])

    def confirmation(self) -> str:
        """Hand over what is due and return the path of the link in the newest mail."""
        serve(self.dispatcher)
        return f"/join/{token(plain(self.doubles.smtp.received[-1].content))}"


@pytest.fixture
def page(workshop: Workshop, doubles: Doubles) -> Iterator[Page]:
    """Give the page of a client who said yes to both channels, of an installation without a sign-up page."""
    with workshop.opened() as dispatcher:
        client = enlist(dispatcher, {Channel.EMAIL: MAIJA, Channel.SMS: NUMBER}, Channel.EMAIL, Channel.SMS)
        serve(dispatcher)  # the receipts, which take the share of the day
        workshop.clock.advance(timedelta(days=40))
        app = create_app(dispatcher.preferences, dispatcher.studio, dispatcher.store.clock)
        with TestClient(app, base_url=dispatcher.studio.public_url, follow_redirects=False) as visitor:
            yield Page(dispatcher, workshop, visitor, doubles, client)


class TestLess:
    """Fewer messages: at a press, in force at once."""

    def test_each_choice_is_kept(self, page: Page) -> None:
        """E-16: topic, number and pause are kept with the client, and none of them is a no."""
        for less in (Less.TREATMENT_DAY, Less.FEW, Less.PAUSE):
            answer = page.choose(less)
            assert (200, True) == (answer.status_code, text("page_chosen_title", FI) in answer.text)
        flags = page.flags()
        assert (True, False, 6) == (flags.no_offers, flags.no_treatment_days, flags.own_cap)
        assert flags.paused_until is not None
        assert {Reply.GRANTED} == {each.reply for each in page.said()}

    def test_one_channel_alone_is_a_no_to_the_other(self, page: Page) -> None:
        """L-01: "by email only" closes text messages, once however often it is pressed, and leaves email as it is."""
        page.choose(Less.EMAIL)
        page.choose(Less.EMAIL)
        [no] = [each for each in page.said() if each.reply is not Reply.GRANTED]
        assert (Reply.WITHDRAWN, Channel.SMS, Place.LINK) == (no.reply, no.channel, no.place)
        assert may_write(page.dispatcher, page.client)
        assert text("page_less_email", FI) not in page.look()

    def test_a_choice_opens_nothing(self, page: Page) -> None:
        """X-04: a topic once declined does not come back because a press chooses it alone."""
        page.choose(Less.TREATMENT_DAY)
        before = everything(page.dispatcher.store)
        answer = page.choose(Less.OFFER)
        assert text("page_opens", FI) in answer.text
        assert text("page_chosen_title", FI) not in answer.text
        assert before == everything(page.dispatcher.store)

    def test_a_longer_pause_stays(self, page: Page) -> None:
        """A second press moves the end of a pause on, never back."""
        page.choose(Less.PAUSE)
        first = page.flags().paused_until
        page.workshop.clock.advance(timedelta(days=20))
        page.choose(Less.PAUSE)
        assert first is not None
        assert first < (page.flags().paused_until or first)

    def test_a_pause_holds_and_ends(self, page: Page) -> None:
        """Nothing goes while it lasts, by the decision function; then messages come again by themselves."""
        page.choose(Less.PAUSE)
        assert not may_write(page.dispatcher, page.client)
        page.workshop.clock.advance(timedelta(days=93))
        assert may_write(page.dispatcher, page.client)

    @pytest.mark.parametrize(
        "body",
        [
            {"less": "massage"},
            {"less": ["offer", "offer"]},
            {"less": "offer", "List-Unsubscribe": "One-Click"},
            {"less": "offer", "more": "email"},
            {"more": "everything"},
            {"less": ""},
            {"x": "1"},
            {},
        ],
    )
    def test_any_other_body_is_a_no(self, page: Page, body: dict[str, object]) -> None:
        """E-06: what is not exactly one of our own forms stops everything, whatever else it says."""
        assert 200 == page.visitor.post(page.link(), data=body).status_code
        assert [(Reply.WITHDRAWN, None)] == [(no.reply, no.channel) for no in page.said()[2:]]


class TestMore:
    """More messages: nothing but a question to the address itself, and a yes from there."""

    @pytest.mark.parametrize("more", More)
    def test_a_press_gives_nothing(self, page: Page, more: More) -> None:
        """X-04: whoever has the link gets nothing by it, and is told the same whatever is on record."""
        before = page.said(), page.flags()
        first = page.ask(more)
        assert before == (page.said(), page.flags())
        page.choose(Less.TREATMENT_DAY)
        page.choose(Less.FEW)
        page.choose(Less.EMAIL)
        page.choose(Less.PAUSE)
        before = page.said(), page.flags()
        second = page.ask(more)
        assert before == (page.said(), page.flags())
        assert (200, first.text) == (second.status_code, second.text)
        assert text("page_asked", FI) in first.text

    @pytest.mark.parametrize(
        ("less", "more"),
        [(Less.TREATMENT_DAY, More.TOPICS), (Less.FEW, More.MOST), (Less.PAUSE, More.RESUME)],
    )
    def test_a_confirmation_lifts_a_wish(self, page: Page, less: Less, more: More) -> None:
        """D-02: from the address itself the wish is lifted, by a yes to words that say so; once, and said so twice."""
        page.choose(less)
        page.ask(more)
        path = page.confirmation()
        shown = page.visitor.get(path)
        assert text("join_change_title", FI) in shown.text
        assert text(f"more_question_{more}", FI) in shown.text
        assert page.flags() != (nothing := page.flags()._replace(own_cap=None, paused_until=None, no_offers=False))
        done, again = (page.visitor.post(path, data={"yes": "1"}) for _ in range(2))
        assert [200, 200] == [done.status_code, again.status_code]
        assert text("join_done_title", FI) in done.text
        assert text("join_already_title", FI) in again.text
        assert nothing == page.flags()
        last = page.said()[-1]
        assert (Reply.GRANTED, Channel.EMAIL, Place.PREFERENCES) == (last.reply, last.channel, last.place)
        with page.dispatcher.store.reading() as connection:
            words = wording_texts(connection, [str(last.wording)])[str(last.wording)]
        assert words.startswith(text(f"more_question_{more}", FI))
        assert words in shown.text

    def test_who_has_left_comes_back_from_their_own_address(self, page: Page) -> None:
        """After a no to everything one confirmation goes out, and a yes to email opens email alone."""
        page.visitor.post(page.link())
        assert not may_write(page.dispatcher, page.client)
        assert text("page_closed_title", FI) in page.look()
        page.ask(More.EMAIL)
        path = page.confirmation()
        assert "koska" not in plain(page.doubles.smtp.received[-1].content)
        page.workshop.clock.advance(timedelta(minutes=5))
        page.visitor.post(path, data={"yes": "1"})
        assert may_write(page.dispatcher, page.client)
        assert text("page_more_sms", FI) in page.look()

    def test_one_confirmation_in_thirty_days_after_a_no(self, page: Page) -> None:
        """E-46: who presses day after day gets one; what they are told does not change."""
        page.visitor.post(page.link())
        seen = set()
        for _ in range(5):
            seen.add(page.ask(More.EMAIL).text)
            serve(page.dispatcher)
            page.workshop.clock.advance(timedelta(days=2))
        assert 1 == len(seen)
        assert 1 == [purpose for purpose, _, _ in standing(page.dispatcher.store)].count("confirmation")

    def test_text_messages_are_confirmed_by_text(self, page: Page) -> None:
        """X-04: the number itself is asked, whichever link the wish came by."""
        page.choose(Less.EMAIL)
        page.ask(More.SMS)
        serve(page.dispatcher)
        message = page.doubles.twilio.received[-1]
        assert NUMBER == message.recipient
        page.visitor.post(f"/join/{token(message.text)}", data={"yes": "1"})
        assert (Reply.GRANTED, Channel.SMS) == (page.said()[-1].reply, page.said()[-1].channel)

    def test_a_new_address_is_not_confirmed_by_the_old(self, page: Page) -> None:
        """L-31: a confirmation for an address that the client has left gives nothing."""
        page.choose(Less.PAUSE)
        page.ask(More.RESUME)
        path = page.confirmation()
        row = "1;Maija;Meikäläinen;maija.uusi@posti.example;040 123 4567;fi;3.11.2026;kyllä;kyllä;3.11.2026"
        owner = page.dispatcher.persons.acting(None)
        page.dispatcher.enrol.run(page.workshop.register(row), owner)
        before = page.said()
        assert 410 == page.visitor.post(path, data={"yes": "1"}).status_code
        assert before == page.said()
        assert page.flags().paused_until is not None

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_looking_at_a_confirmation_changes_nothing(self, page: Page, method: str) -> None:
        """X-04: a scanner of the confirmation mail uses nothing up, nor does one that posts what it likes."""
        page.choose(Less.PAUSE)
        page.ask(More.RESUME)
        path = page.confirmation()
        before = everything(page.dispatcher.store)
        assert page.visitor.request(method, path).is_success
        assert 200 == page.visitor.post(path, content=b"List-Unsubscribe=One-Click").status_code
        assert before == everything(page.dispatcher.store)

    def test_links_of_nobody_ask_nobody(self, page: Page) -> None:
        """The link of a test message and that of an erased client lead to no message at all."""
        test = page.dispatcher.links.test_url(Channel.EMAIL).rpartition("/")[2]
        gone = page.dispatcher.links.token(OptOut(77, Channel.EMAIL))
        before = everything(page.dispatcher.store)
        for form in ({"more": "email"}, {"less": "pause"}, {}):
            tried = page.visitor.post(f"/u/{test}?lang=fi", data=form).text
            assert text("page_test", FI) in tried
            assert text("page_tried_title", FI) in tried
            assert text("page_done_title", FI) not in tried
        assert text("page_gone", FI) in page.visitor.post(f"/u/{gone}?lang=fi", data={"more": "email"}).text
        assert text("page_gone", FI) in page.visitor.post(f"/u/{gone}?lang=fi", data={"less": "pause"}).text
        assert before == everything(page.dispatcher.store)

    def test_a_confirmation_opts_nobody_out_and_a_link_confirms_nothing(self, page: Page) -> None:
        """E-05: each link has one power."""
        number = page.dispatcher.sign_up.links.token(Confirm(5, Channel.EMAIL))
        assert 404 == page.visitor.post(f"/u/{number}").status_code
        assert 404 == page.visitor.post(page.link().replace("/u/", "/join/"), data={"yes": "1"}).status_code


class TestShown:
    """What the page tells."""

    @on_sqlite
    @pytest.mark.parametrize("language", Language)
    def test_it_tells_what_was_agreed(self, page: Page, language: Language) -> None:
        """L-22: per channel when, where and to which words, and how many of how many; all in the page's language."""
        shown = page.look(language=language)
        day = {"fi": "23.11.2026", "sv": "23.11.2026", "en": "23 November 2026"}[language.value]
        told = text("page_said", language, date=day, place=text("place_phone", language))
        assert 2 == shown.count(told)
        assert "Saako lähettää sähköpostia?" in shown
        assert "Saako lähettää tekstiviestejä?" in shown
        assert text("page_messages", language, messages=0, most=12) in shown
        assert ("m***@p***.example" in shown, "+358*****67" in shown) == (True, True)
        assert not any(secret in shown for secret in (MAIJA, NUMBER, "Maija", "Meikäläinen"))

    @on_sqlite
    def test_it_tells_what_was_chosen(self, page: Page) -> None:
        """The wishes stand there with their ends, and what lifts them stands beneath with a remark."""
        for less in (Less.TREATMENT_DAY, Less.FEW, Less.PAUSE):
            page.choose(less)
        shown = page.look()
        assert text("page_own_cap", FI, most=6) in shown
        assert text("page_declined_offer", FI) in shown
        assert text("page_paused", FI, date="2.4.2027") in shown
        assert text("page_more_first", FI) in shown
        assert [False] * 3 == [text(f"page_less_{each}", FI) in shown for each in (Less.OFFER, Less.FEW, Less.PAUSE)]

    @on_sqlite
    def test_an_ended_yes_is_shown_as_ended(self, page: Page) -> None:
        """L-08: a year on, the page says that the permission has ended, and stops on wish all the same."""
        page.workshop.clock.advance(timedelta(days=365))
        shown = page.look()
        assert 2 == shown.count(text("page_state_expired", FI))
        assert text("page_button", FI) in shown
        assert 'name="less"' not in shown

    @on_sqlite
    def test_nobody_was_asked(self, page: Page) -> None:
        """A client without any answer is told so, and the button is there for them as well."""
        number = enlist(page.dispatcher, {Channel.EMAIL: "erkki@posti.example"})
        link = f"/u/{page.dispatcher.links.token(OptOut(number, Channel.EMAIL))}?lang=fi"
        shown = page.visitor.get(link).text
        assert 2 == shown.count(text("page_state_never_asked", FI))
        assert text("page_button", FI) in shown
        assert text("page_more_sms", FI) not in shown

    @on_sqlite
    def test_a_shared_address_says_what_a_no_means_for_it(self, page: Page) -> None:
        """One of several who leaves closes the address for all: the page says so, and names nobody."""
        enlist_another(page)
        assert text("page_shared", FI) in page.look()

    @on_sqlite
    def test_a_text_browser_shows_each_button_on_a_line_of_its_own(self, page: Page) -> None:
        """L-45: without looks and scripts the page reads from top to bottom, the button that stops everything first."""
        lines = Lines()
        lines.feed(page.look())
        buttons = [text("page_button", FI), *(text(f"page_less_{less}", FI) for less in Less)]
        assert buttons == [line for line in lines.read if line in buttons]
        assert lines.read.index(text("page_question", FI)) < lines.read.index(buttons[0])

    @on_sqlite
    @pytest.mark.parametrize("language", Language)
    def test_the_largest_page_is_small(self, page: Page, language: Language) -> None:
        """L-41: with everything on it, the page and its stylesheet are under 20 kB."""
        for less in (Less.TREATMENT_DAY, Less.FEW, Less.PAUSE):
            page.choose(less)
        style = page.visitor.get("/static/page.css").content
        assert len(page.look(language=language).encode()) + len(style) < 20_000


class Lines(HTMLParser):
    """Reads a page as a text browser does: a line for each block."""

    BLOCKS = frozenset({"p", "h1", "h2", "h3", "li", "form", "blockquote", "title", "main", "header", "footer"})

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line."""
        del attrs
        if tag in self.BLOCKS:
            self.read.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a line."""
        self.handle_starttag(tag, [])

    def handle_data(self, data: str) -> None:
        """Go on with the line."""
        self.read[-1] = " ".join(f"{self.read[-1]} {data}".split())


def enlist_another(page: Page) -> None:
    """Bring somebody else with the same email address into the register."""
    row = "2;Erkki;Meikäläinen;maija@posti.example;;fi;3.11.2026;kyllä;;3.11.2026"
    own = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.11.2026;kyllä;kyllä;3.11.2026"
    page.dispatcher.enrol.run(page.workshop.register(own, row), page.dispatcher.persons.acting(None))
