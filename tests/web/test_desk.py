"""The desk: one link, one session, two taps, and nothing for anybody else."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx2
import pytest
from starlette.testclient import TestClient

from dispatcher.errors import RefusedError
from dispatcher.flow.answering import Answering
from dispatcher.flow.desk import Desk
from dispatcher.flow.marks import Marks
from dispatcher.flow.persons import Persons
from dispatcher.flow.questioning import Asking
from dispatcher.rules.actor import Actor, Role
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.studio import Studio
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import answers, clients
from dispatcher.storage.tables import SuppressionTable
from dispatcher.texts import text
from dispatcher.web.desk import DeskPages, Doorkeeper, create_desk
from dispatcher.web.desk.session import IDLE, LONGEST
from dispatcher.web.guard import HEADERS
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY
from tests.web.conftest import NUMBER, House, on_sqlite

BASE = "http://127.0.0.1:8931"
CLIENT = f"/client/{NUMBER}"


@dataclass(frozen=True, slots=True)
class Counter:
    """The desk of one house, staffed by one person, and the browser of whoever stands at it."""

    house: House
    desk: Desk
    actor: Actor
    doorkeeper: Doorkeeper
    browser: TestClient

    def enter(self) -> None:
        """Open the link that was printed."""
        assert 303 == self.browser.get(f"/in/{self.doorkeeper.new_link()}").status_code

    def form(self, path: str) -> dict[str, str]:
        """Return the hidden fields of a page's own form."""
        page = self.browser.get(path)
        assert 200 == page.status_code
        return hidden(page.text)

    def post(self, path: str, data: dict[str, str], **headers: str) -> httpx2.Response:
        """Send a form as a browser does from our own page."""
        own = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.browser.post(path, data=data, headers={k: v for k, v in own.items() if v})


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of the first form in the main part of a page."""
    main = page[page.index("<main>") : page.index("</main>")]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', main))


@pytest.fixture
def counter(house: House, studio: Studio, clock: FixedClock) -> Iterator[Counter]:
    """Give a desk staffed by Ulla, who is staff, and a browser that has not opened the link yet."""
    store, preferences = house.store, house.preferences
    asking = Asking(store, POLICY, 60)
    desk = Desk(store, asking, Answering(store), preferences, Marks(store))
    persons = Persons(store)
    owner = persons.add("Aino Esimerkki", Role.OWNER, OWNER).actor
    ulla = persons.add("Ulla Esimerkki", Role.STAFF, owner).actor
    doorkeeper = Doorkeeper(clock)
    app = create_desk(desk, DeskPages(studio, "Ulla Esimerkki", ZoneInfo("Europe/Helsinki")), ulla, doorkeeper)
    with TestClient(app, base_url=BASE, follow_redirects=False) as browser:
        yield Counter(house, desk, ulla, doorkeeper, browser)


def said(house: House, client: int = NUMBER) -> list[tuple[Reply, Channel | None, Place | None, str]]:
    """Return what a client is on record to have said, and by whom."""
    with house.store.reading() as connection:
        told = answers.of_client(connection, client)
    return [(answer.reply, answer.channel, answer.place, actor) for answer, actor in told]


def question(channel: Channel = Channel.EMAIL, language: Language = Language.SV) -> str:
    """Return the house's own question."""
    return text(f"question_{channel}", language)


ASK = f"{CLIENT}/answer?channel=email&reply=granted&ask=sv"
"""The first tap: yes, to the question about email, in Swedish."""
PAGES = ("/", "/?q=berg", CLIENT, ASK, f"{CLIENT}/withdraw", f"{CLIENT}/child", "/new", "/address")


@on_sqlite
def test_a_link_opens_once(counter: Counter) -> None:
    """The link gives one session to the browser that opens it first; anybody after that is told how to get another."""
    link = f"/in/{counter.doorkeeper.new_link()}"
    opened = counter.browser.get(link)
    assert (303, "/") == (opened.status_code, opened.headers["location"])
    assert ["desk-8931", "HttpOnly", "Path=/", "SameSite=strict"] == [
        part.partition("=")[0] if "desk" in part else part for part in opened.headers["set-cookie"].split("; ")
    ]
    assert 200 == counter.browser.get("/").status_code
    with TestClient(counter.browser.app, base_url=BASE, follow_redirects=False) as other:
        again = other.get(link)
        assert 403 == again.status_code
        assert text("desk_closed", Language.FI) in again.text
        assert "set-cookie" not in again.headers
    assert 200 == counter.browser.get("/").status_code


@on_sqlite
def test_a_newer_link_ends_what_was_before(counter: Counter) -> None:
    """Pressing Enter takes the power from an unused link, and opening the new one ends the session before it."""
    first = counter.doorkeeper.new_link()
    counter.enter()
    assert 403 == counter.browser.get(f"/in/{first}").status_code
    assert 200 == counter.browser.get("/").status_code
    with TestClient(counter.browser.app, base_url=BASE, follow_redirects=False) as other:
        other.get(f"/in/{counter.doorkeeper.new_link()}")
        assert [403, 200] == [browser.get("/").status_code for browser in (counter.browser, other)]


@on_sqlite
@pytest.mark.parametrize("path", PAGES)
def test_without_the_cookie_there_is_nothing(counter: Counter, path: str) -> None:
    """Whoever has not opened the link sees the closed desk and no word about anybody, and changes nothing."""
    before = counter.house.everything()
    for answer in (counter.browser.get(path), counter.post(path.partition("?")[0], {"form": "x"})):
        assert answer.status_code in {403, 405}
        assert "Berg" not in answer.text
    assert before == counter.house.everything()


@on_sqlite
def test_a_session_ends(counter: Counter, clock: FixedClock) -> None:
    """Half an hour untouched ends a session, twelve hours end it however busy, and so does closing the desk."""
    counter.enter()
    clock.advance(IDLE - timedelta(seconds=1))
    assert 200 == counter.browser.get("/").status_code
    clock.advance(IDLE)
    assert 403 == counter.browser.get("/").status_code
    counter.enter()
    for _ in range(LONGEST // timedelta(minutes=20)):
        assert 200 == counter.browser.get("/").status_code
        clock.advance(timedelta(minutes=20))
    assert 403 == counter.browser.get("/").status_code
    counter.enter()
    form = re.search(r'action="/leave"><input type="hidden" name="form" value="([^"]+)"', counter.browser.get("/").text)
    assert form is not None
    counter.post("/leave", {"form": form[1]})
    assert 403 == counter.browser.get("/").status_code


@pytest.mark.parametrize("reply", ["granted", "declined"])
def test_two_taps_record_one_answer(counter: Counter, clock: FixedClock, reply: str) -> None:
    """L-05: the words are shown twice, and the second tap records one answer: its words, place, time and person."""
    counter.enter()
    ask = f"{CLIENT}/answer?channel=email&reply={reply}&ask=sv"
    assert question() in counter.browser.get(CLIENT).text
    page = counter.browser.get(ask).text
    assert question() in page
    assert [] == said(counter.house)
    done = counter.post(f"{CLIENT}/answer", hidden(page) | {"place": "phone"})
    assert (303, CLIENT) == (done.status_code, done.headers["location"])
    assert [(Reply(reply), Channel.EMAIL, Place.PHONE, str(counter.actor))] == said(counter.house)
    with counter.house.store.reading() as connection:
        answer = answers.of_clients(connection, [NUMBER])[NUMBER][0]
    assert (wording_hash(question()), clock(), clock()) == (answer.wording, answer.not_before, answer.not_after)
    shown = counter.browser.get(CLIENT).text
    told = text(f"desk_recorded_{reply}", Language.FI, channel="Sähköposti", place="puhelimessa")
    assert told in shown
    assert told not in counter.browser.get(CLIENT).text


@on_sqlite
def test_a_button_pressed_twice_records_one_answer(counter: Counter, clock: FixedClock) -> None:
    """Two taps at once, or an impatient hand, are one answer; a later one, or another in between, is a new one."""
    counter.enter()
    yes = counter.form(ASK) | {"place": "phone"}
    no = counter.form(ASK.replace("granted", "declined")) | {"place": "phone"}
    for form, replies in ((yes, ["granted"]), (no, ["granted", "declined"]), (yes, ["granted", "declined", "granted"])):
        with ThreadPoolExecutor(4) as hands:
            answers = list(hands.map(lambda _, form=form: counter.post(f"{CLIENT}/answer", form), range(4)))
        assert {303} == {answer.status_code for answer in answers}
        assert replies == [reply.value for reply, *_ in said(counter.house)]
    clock.advance(timedelta(minutes=1))
    counter.post(f"{CLIENT}/answer", yes)
    assert 4 == len(said(counter.house))


def test_a_new_client_pressed_twice_is_one(counter: Counter) -> None:
    """The second press leads to the client of the first; somebody else with that address is still refused."""
    counter.enter()
    typed = {"form": counter.form("/new")["form"], "first_name": "Uusi", "last_name": "Asiakas", "language": "fi"}
    page = counter.post("/new", typed | {"address": "uusi@posti.example"})
    form = hidden(page.text) | {"reply": "granted", "place": "in_person"}
    first, second = (counter.post("/new/answer", form) for _ in range(2))
    assert [303, 303] == [first.status_code, second.status_code]
    assert first.headers["location"] == second.headers["location"]
    assert 1 == len(said(counter.house, int(first.headers["location"].rpartition("/")[2])))
    assert 409 == counter.post("/new/answer", form | {"first_name": "Toinen"}).status_code


def test_looking_changes_nothing(counter: Counter) -> None:
    """Invariant 5: no GET changes anything, whatever page and however often; that somebody looked is on record."""
    counter.enter()
    before = counter.house.everything(besides="access_log")
    for path in PAGES * 2:
        assert 200 == counter.browser.get(path).status_code, path
    assert before == counter.house.everything(besides="access_log")


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "", "Sec_Fetch_Site": ""},
    ],
)
def test_a_form_of_another_site_is_refused(counter: Counter, headers: dict[str, str]) -> None:
    """A POST whose origin is not ours, or unknown, records nothing although cookie and form are right."""
    counter.enter()
    form = counter.form(ASK) | {"place": "phone"}
    assert 409 == counter.post(f"{CLIENT}/answer", form, **headers).status_code
    assert [] == said(counter.house)
    assert 303 == counter.post(f"{CLIENT}/answer", form).status_code


@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        {"form": "x"},
        {"form": ""},
        {"wording": "0" * 64},
        {"place": "one_click"},
        {"place": "nowhere"},
        {"reply": "not_asked"},
        {"reply": ""},
        {"channel": "letter"},
        {"ask": "de"},
    ],
)
def test_what_was_not_heard_is_not_recorded(counter: Counter, change: dict[str, str]) -> None:
    """A form without our secret, with other words, or with what the desk cannot hear is refused, and says so."""
    counter.enter()
    form = counter.form(ASK) | {"place": "in_person"}
    answer = counter.post(f"{CLIENT}/answer", form | change)
    assert 409 == answer.status_code
    assert text("desk_refused", Language.FI) in answer.text
    assert [] == said(counter.house)


@on_sqlite
@pytest.mark.parametrize("host", ["evil.example:8931", "127.0.0.1", "127.0.0.1:9999", "desk.localhost:8931", ""])
def test_a_foreign_name_is_refused(counter: Counter, host: str) -> None:
    """DNS rebinding: under any name but this machine's own, with its port, there is nothing, stylesheet included."""
    counter.enter()
    for path in ("/", CLIENT, "/static/desk.css"):
        assert 403 == counter.browser.get(path, headers={"Host": host}).status_code
    assert 200 == counter.browser.get("/static/desk.css").status_code


@on_sqlite
def test_the_headers_let_nothing_in_or_out(counter: Counter) -> None:
    """L-41: no script, nothing foreign, nothing kept, nothing told; on every answer, refused ones too."""
    counter.enter()
    for path in (*PAGES, "/nowhere", "/in/x", "/static/page.css"):
        answer = counter.browser.get(path)
        assert HEADERS["Content-Security-Policy"] == answer.headers["content-security-policy"]
        assert ["no-store", "same-origin"] == [answer.headers[name] for name in ("cache-control", "referrer-policy")]
        assert "<script" not in answer.text
    assert 404 == counter.browser.get("/nowhere").status_code
    assert 404 == counter.browser.get("/client/77").status_code


@pytest.mark.parametrize(("channel", "closed"), [("", None), ("sms", Channel.SMS)])
def test_a_no_at_the_desk(counter: Counter, channel: str, closed: Channel | None) -> None:
    """L-10: one tap and one to confirm stop everything, or the one channel that was named."""
    counter.enter()
    form = counter.form(f"{CLIENT}/withdraw?channel={channel}")
    assert [] == said(counter.house)
    assert 303 == counter.post(f"{CLIENT}/withdraw", form).status_code
    assert [(Reply.WITHDRAWN, closed, Place.DESK, str(counter.actor))] == said(counter.house)
    page = counter.browser.get(CLIENT).text
    assert text("desk_recorded_withdrawn", Language.FI) in page
    assert text("desk_objected", Language.FI) in page


def test_a_child_is_marked(counter: Counter) -> None:
    """L-11: a client marked as a child is not asked, no yes of theirs is taken, and the mark can be lifted."""
    counter.enter()
    early = counter.form(ASK) | {"place": "phone"}
    counter.post(f"{CLIENT}/child", counter.form(f"{CLIENT}/child"))
    page = counter.browser.get(CLIENT).text
    assert text("reason_child", Language.FI) in page
    assert question() not in page
    assert 409 == counter.post(f"{CLIENT}/answer", early).status_code
    assert [] == said(counter.house)
    counter.post(f"{CLIENT}/child", counter.form(f"{CLIENT}/child"))
    assert 303 == counter.post(f"{CLIENT}/answer", early).status_code


@pytest.mark.parametrize(
    ("typed", "canonical", "channel"),
    [("Aili.Uusi@Posti.example", "aili.uusi@posti.example", "email"), ("040 765 4321", "+358407654321", "sms")],
)
def test_a_new_client(counter: Counter, typed: str, canonical: str, channel: str) -> None:
    """A new client needs a name and one address, which is shown back; the answer is theirs from the first."""
    counter.enter()
    blank = counter.form("/new")
    shown = counter.post("/new", blank | {"first_name": " Aili ", "last_name": "", "address": typed, "language": "fi"})
    for back in ("Aili", canonical, question(Channel(channel), Language.FI)):
        assert back in shown.text
    done = counter.post("/new/answer", hidden(shown.text) | {"reply": "granted", "place": "in_person"})
    assert 303 == done.status_code
    number = int(done.headers["location"].rpartition("/")[2])
    assert [(Reply.GRANTED, Channel(channel), Place.IN_PERSON, str(counter.actor))] == said(counter.house, number)
    with counter.house.store.reading() as connection:
        client = clients.read(connection, [number])[number]
    assert ("Aili", {Channel(channel): canonical}) == (
        client.first_name,
        {kind: held.canonical for kind, held in client.addresses.items()},
    )
    assert text("desk_recorded_new", Language.FI) in counter.browser.get(f"/client/{number}").text


@on_sqlite
@pytest.mark.parametrize(
    ("name", "address", "trouble"),
    [
        ("", "aili@posti.example", "name"),
        ("=cmd()", "aili@posti.example", "name"),
        ("=?utf-8?q?Aili?=", "aili@posti.example", "name"),
        ("Ai\u202eli", "aili@posti.example", "name"),
        ("Aili", "ei osoitetta", "address"),
        ("Aili", "aili@", "address"),
        ("Aili", "09 123 4567", "address"),
    ],
)
def test_what_cannot_be_taken_is_said(counter: Counter, name: str, address: str, trouble: str) -> None:
    """A name that is none, and an address that takes no message (a landline too), are told and change nothing."""
    counter.enter()
    before = counter.house.everything()
    typed = {"first_name": name, "last_name": "", "address": address, "language": "fi"}
    answer = counter.post("/new", counter.form("/new") | typed)
    assert text(f"desk_trouble_{trouble}", Language.FI) in answer.text
    assert before == counter.house.everything()


@on_sqlite
def test_a_known_address_leads_to_its_client(counter: Counter) -> None:
    """An address that somebody has already is nobody new's: the page leads to them and records nothing."""
    counter.enter()
    before = counter.house.everything(besides="access_log")
    typed = {"first_name": "Aili", "last_name": "Uusi", "address": "040 123 4567", "language": "fi"}
    answer = counter.post("/new", counter.form("/new") | typed)
    assert f'<a href="{CLIENT}">Maj Berg</a>' in answer.text
    answer = counter.post("/address", counter.form("/address") | {"address": "maj.berg@posti.example"})
    assert f'<a href="{CLIENT}/withdraw">Maj Berg</a>' in answer.text
    assert before == counter.house.everything(besides="access_log")


def test_the_no_of_a_stranger(counter: Counter) -> None:
    """L-35: an address nobody has is shown back; its no is kept as a keyed hash that silences who comes later."""
    counter.enter()
    shown = counter.post("/address", counter.form("/address") | {"address": "Vieras@posti.example"})
    assert "vieras@posti.example" in shown.text
    assert 303 == counter.post("/address/withdraw", hidden(shown.text)).status_code
    told = counter.house.everything()
    assert 1 == len(told[SuppressionTable.__tablename__])
    assert "vieras" not in repr(told)
    with counter.house.store.reading() as connection:
        pair = (Channel.EMAIL, "vieras@posti.example")
        found = answers.suppressed(connection, counter.house.store.ring, {pair: 1}, counter.house.store.clock())
    assert [Reply.WITHDRAWN] == [answer.reply for answer in found[1]]


@on_sqlite
def test_nothing_but_the_card_is_shown(counter: Counter) -> None:
    """L-46: addresses of the register are masked on every page."""
    counter.enter()
    for path in PAGES:
        page = counter.browser.get(path).text
        assert "maj.berg" not in page
        assert "401234567" not in page
    assert "m***@p***.example" in counter.browser.get("/?q=maj").text


@on_sqlite
def test_the_person_chooses_the_language(counter: Counter) -> None:
    """Finnish first; the switch stays on, and the words for the client are in the client's language all the while."""
    counter.enter()
    assert text("desk_search", Language.FI) in counter.browser.get("/").text
    assert text("desk_search", Language.SV) in counter.browser.get("/?lang=sv").text
    page = counter.browser.get(CLIENT).text
    assert text("desk_withdraw_all", Language.SV) in page
    assert question(Channel.SMS, Language.SV) in page
    assert question(Channel.SMS, Language.EN) in counter.browser.get(f"{CLIENT}?ask=en").text


@on_sqlite
def test_the_desk_is_for_owner_and_staff(counter: Counter) -> None:
    """An auditor gets no desk; for whoever stops working here an open one shows nobody and records nothing more."""
    persons = Persons(counter.house.store)
    auditor = persons.add("Tarkka Tilintarkastaja", Role.AUDITOR, counter.actor)
    with pytest.raises(RefusedError, match="Tarkka Tilintarkastaja is auditor: the desk is for owner and staff"):
        counter.desk.person(auditor.actor)
    counter.enter()
    form = counter.form(ASK) | {"place": "phone"}
    persons.end("Ulla Esimerkki", counter.actor)
    assert 403 == counter.post(f"{CLIENT}/answer", form).status_code
    assert [] == said(counter.house)


@on_sqlite
def test_a_desk_of_somebody_who_left_shows_nobody(counter: Counter) -> None:
    """L-46: the register is for those who work here; a page that is opened after that says that the desk is closed."""
    counter.enter()
    Persons(counter.house.store).end("Ulla Esimerkki", counter.actor)
    for path in PAGES:
        page = counter.browser.get(path)
        assert (403, False) == (page.status_code, "Berg" in page.text)


@on_sqlite
def test_trouble_is_told(counter: Counter) -> None:
    """Invariant 4: where the no cannot be kept, the page says that nothing was recorded."""
    counter.enter()
    form = counter.form(f"{CLIENT}/withdraw")
    counter.house.lose_journal()
    answer = counter.post(f"{CLIENT}/withdraw", form)
    assert 503 == answer.status_code
    assert text("desk_failed", Language.FI) in answer.text


@on_sqlite
def test_a_receipt_that_goes_first_is_told(counter: Counter) -> None:
    """L-05: while a receipt has to reach an address before any offer does, the page says so."""
    counter.enter()
    counter.post(f"{CLIENT}/answer", counter.form(ASK) | {"place": "phone"})
    sentence = text("reason_receipt_pending", Language.FI)
    assert sentence not in counter.browser.get(CLIENT).text
    with counter.house.store.database.writing() as connection:
        clients.set_awaits_receipt(connection, NUMBER, Channel.EMAIL, awaits=True)
    assert 1 == counter.browser.get(CLIENT).text.count(sentence)
