"""A real installation with one client in it, the pages that client can open, its booking system, and its desk."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Connection, delete, inspect, literal_column, select, table, text
from starlette.testclient import TestClient

from dispatcher.flow.answering import Answering
from dispatcher.flow.desk import Desk
from dispatcher.flow.marks import Marks
from dispatcher.flow.persons import Persons
from dispatcher.flow.preferences import Preferences
from dispatcher.flow.questioning import Asking
from dispatcher.flow.returns import SHA1
from dispatcher.keys import new_ring
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.actor import Actor, ActorKind, Role
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.ledger import EntryKind, StoredEntry
from dispatcher.rules.scope import Scope
from dispatcher.rules.studio import Studio
from dispatcher.storage import answers, clients, installation, ledger
from dispatcher.storage.database import Database
from dispatcher.storage.journal import DatabaseJournal, FileJournal
from dispatcher.storage.store import Store
from dispatcher.storage.tables import ClientAddressTable, ClientTable
from dispatcher.storage.writer import Writer
from dispatcher.web.api import create_api
from dispatcher.web.desk import DeskPages, Doorkeeper, create_desk
from dispatcher.web.public import create_app
from dispatcher.web.watch import WatchDoor
from dispatcher.web.webhooks import TwilioDoor
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.faults.twilio_double import TOKEN
from tests.stores import OWNER, POLICY
from tests.workshop import build

MONITOR = "tunturi-7"
"""What a monitor shows to read the figures."""
NUMBER = 140_737_488_355_001
"""The client of these tests: as wide as a client's number can be."""
BASE = "http://127.0.0.1:8931"
CLIENT = f"/client/{NUMBER}"
ASK = f"{CLIENT}/answer?channel=email&reply=granted&ask=sv"
"""The first tap: yes, to the question about email, in Swedish."""
PAGES = ("/", "/?q=berg", CLIENT, ASK, f"{CLIENT}/withdraw", f"{CLIENT}/child", "/new", "/address")
"""Every page of the desk that somebody may open."""
YES: dict[str, Any] = {
    "client": {"customer_number": "1207", "email": "maija@posti.example", "first_name": "Maija"},
    "answers": [
        {
            "channel": "email",
            "reply": "granted",
            "asked_at": "2026-11-23T11:58:00+02:00",
            "place": "online",
            "wording": "Saako lähettää tarjouksia sähköpostitse?",
            "booking": "V-88231",
        }
    ],
}
"""What a booking system tells: somebody new, and their yes to email."""
STOP: dict[str, Any] = {
    "client": {"email": "maija@posti.example"},
    "answers": [{"channel": None, "reply": "withdrawn", "place": "phone"}],
}
"""And their no to everything, by phone."""


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what has nothing to do with the database: once is enough."""


@pytest.fixture
def studio() -> Studio:
    """Give the invented studio that sends."""
    return Studio(
        name="Tunturituuli",
        business_id="0000000-0",
        postal_address="Esimerkkikuja 1, 99999 Esimerkkilä",
        email="hei@tunturituuli.example",
        phone="+358 40 000 0000",
        booking_url="https://varaa.tunturituuli.example",
        public_url="https://m.tunturituuli.example",
        sender="hei@tunturituuli.example",
        bounces="palautus@tunturituuli.example",
        notice={
            Language.FI: "https://tunturituuli.example/tietosuoja",
            Language.SV: "https://tunturituuli.example/dataskydd",
        },
    )


@dataclass(frozen=True, slots=True)
class House:
    """One installation as a test needs it: its storage, its links, and what has been said in it."""

    store: Store
    links: OptOutLinks
    preferences: Preferences
    journal_path: Path | None

    def token(self, channel: Channel = Channel.EMAIL) -> str:
        """Return the token in the client's messages of this channel."""
        return self.links.token(OptOut(NUMBER, channel))

    def path(self, channel: Channel = Channel.EMAIL) -> str:
        """Return the path of the client's link, as it stands in a message."""
        return f"/u/{self.token(channel)}"

    def noes(self) -> list[Answer]:
        """Return what the client has said, read from the ledger."""
        with self.store.reading() as connection:
            return answers.of_clients(connection, [NUMBER]).get(NUMBER, [])

    def everything(self, *, besides: str = "") -> dict[str, list[tuple[object, ...]]]:
        """Return every row of every table, `besides` one of them, and every record of the journal."""
        found = everything(self.store)
        found.pop(besides, None)
        return found

    def erase(self) -> None:
        """Take the client's row and addresses away, so that nothing stands behind the token."""
        with self.store.database.writing() as connection:
            connection.execute(delete(ClientAddressTable))
            connection.execute(delete(ClientTable))

    def lose_journal(self) -> None:
        """Take the journal away, as a full disk or a wrong mount would: no "no" can be kept any more."""
        lose_journal(self.store)


@pytest.fixture
def house(database_url: str, journal_url: str, clock: FixedClock) -> Iterator[House]:
    """Give an installation with one client, on SQLite and on PostgreSQL."""
    ring, database = new_ring(), Database(database_url)
    journal_path = None if "://" in journal_url else Path(journal_url)
    journal = FileJournal(journal_path, ring) if journal_path else DatabaseJournal(Database(journal_url), ring)
    with database.writing() as connection:
        installation.create(connection, journal, Actor(ActorKind.PERSON, "1"), clock())
        _enrol(connection, clock())
    store = Store(database, journal, Writer(database, journal, clock), ring, clock)
    links = OptOutLinks(ring, "https://m.tunturituuli.example")
    yield House(store, links, Preferences(store, links, POLICY), journal_path)
    store.close()


@pytest.fixture
def visitor(house: House, studio: Studio, clock: FixedClock) -> Iterator[TestClient]:
    """Give somebody who asks the real application for pages and follows no redirect."""
    app = create_app(house.preferences, studio, clock)
    with TestClient(app, base_url=studio.public_url, follow_redirects=False) as client:
        yield client


def _enrol(connection: Connection, now: datetime) -> None:
    """Write the client: Swedish-speaking, with an email address and a number."""
    row = {"number": NUMBER, "first_name": "Maj", "last_name": "Berg", "language": "sv"}
    clients.insert_clients(connection, [row | {"created_at": now, "updated_at": now}])
    held = {(Channel.EMAIL, "maj.berg@posti.example"), (Channel.SMS, "+358401234567")}
    found = clients.address_rows(connection, held, now)
    clients.insert_links(connection, [(NUMBER, channel, row) for (channel, _), row in found.items()])


def assert_left(response: httpx2.Response, house: House, place: Place = Place.LINK) -> None:
    """Check that the client has left for good, once, and was told so without cookie or redirect."""
    assert response.status_code == 200
    assert "set-cookie" not in response.headers
    assert "location" not in response.headers
    assert [(Reply.WITHDRAWN, None, place)] == [(no.reply, no.channel, no.place) for no in house.noes()]


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table of an installation, and every record of its journal."""
    with store.reading() as connection:
        # By name alone: to learn every column, key and index of every table takes ten times as long.
        found: dict[str, list[tuple[object, ...]]] = {
            name: sorted(map(tuple, connection.execute(select(literal_column("*")).select_from(table(name)))), key=repr)
            for name in inspect(connection).get_table_names()
        }
    return found | {"the journal": [(record.as_json(),) for record in store.journal.records()]}


def lose_journal(store: Store) -> None:
    """Take the journal of an installation away."""
    if isinstance(store.journal, FileJournal):
        store.journal._path.rename(store.journal._path.with_suffix(".gone"))
        return
    with store.journal._database.writing() as connection:
        connection.execute(text("ALTER TABLE journal RENAME TO gone"))


@dataclass(frozen=True, slots=True)
class Office:
    """An installation with a booking system that calls its API."""

    dispatcher: Dispatcher
    caller: TestClient
    key: str

    def tell(self, body: object, name: str = "call-1", **headers: str) -> Response:
        """Tell answers under this idempotency key."""
        given = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": name}
        return self.caller.post("/api/v1/answers", json=body, headers=given | headers)

    def ask(self, **query: str) -> Response:
        """Ask for a verdict."""
        return self.caller.get("/api/v1/verdict", params=query, headers={"Authorization": f"Bearer {self.key}"})

    def entries(self, kind: EntryKind = EntryKind.ANSWER) -> list[StoredEntry]:
        """Return the ledger's entries of a kind."""
        with self.dispatcher.store.reading() as connection:
            return list(ledger.entries(connection, [kind.value]))


@pytest.fixture
def office(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[Office]:
    """Give an installation whose booking system has a key to everything, on SQLite and on PostgreSQL."""
    with build(tmp_path / "studio", clock, database_url, journal_url).opened() as dispatcher:
        _, key = dispatcher.api_keys.create("Ajanvaraus", set(Scope), dispatcher.persons.acting(None))
        with TestClient(site(dispatcher), base_url=dispatcher.studio.public_url) as caller:
            yield Office(dispatcher, caller, key)


def site(dispatcher: Dispatcher, *, invalid_per_minute: int = 30, broken_per_minute: int = 30) -> FastAPI:
    """Return the whole public application of an installation, as `dispatcher web` serves it."""
    api = create_api(
        dispatcher.bookings,
        dispatcher.verdicts,
        dispatcher.api_keys,
        dispatcher.store.clock,
        public_url=dispatcher.studio.public_url,
        invalid_per_minute=invalid_per_minute,
    )
    twilio = TwilioDoor(dispatcher.returns, dispatcher.studio.public_url, {SHA1: TOKEN}, dispatcher.texts_in)
    watch = WatchDoor(dispatcher.watching, MONITOR)
    return create_app(
        dispatcher.preferences,
        dispatcher.studio,
        dispatcher.store.clock,
        api=api,
        twilio=twilio,
        watch=watch,
        invalid_per_minute=broken_per_minute,
    )


def changed(path: str, value: object, body: dict[str, Any] = YES) -> dict[str, Any]:
    """Return a call with the value at this path, such as `answers.0.channel`, put in or replaced."""
    whole = copy.deepcopy(body)
    at: Any = whole
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step) if step.isdecimal() else step]
    at[last] = value
    return whole


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
