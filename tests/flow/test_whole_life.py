"""One client through every door and then erased: what was written down of them, and what is left anywhere."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select
from starlette.testclient import TestClient

from dispatcher.flow.correcting import Correction
from dispatcher.flow.recording import CUSTOMER
from dispatcher.links import Confirm, OptOut
from dispatcher.rules.blocks import Block, BlockReason, Field
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, Refusal, RequestKind
from dispatcher.rules.scope import Scope
from dispatcher.storage.answers import hash_label
from dispatcher.storage.tables import SignUpTable
from dispatcher.web.api import create_api
from dispatcher.web.public import create_app
from dispatcher.wiring import Dispatcher
from tests.byte_scan import found_in
from tests.clock import FixedClock
from tests.flow.joining import enable_sign_up, join, serve
from tests.stores import broken_links
from tests.workshop import Doubles, Workshop, build

FIRST = "77421;Unnaneiti;Jäljettömyys;unna.jaljeton@posti.example;040 765 4321;fi;3.10.2026;kyllä;kyllä;3.10.2026"
LATER = FIRST.replace("unna.jaljeton@", "uusi.jaljeton@").replace("4321", "4322")
NEVER_HERS = "kolmas.jaljeton@posti.example"
"""What a booking system said of her, and nobody took in."""
ADDRESSES = (
    (Channel.EMAIL, "unna.jaljeton@posti.example"),
    (Channel.EMAIL, "uusi.jaljeton@posti.example"),
    (Channel.EMAIL, NEVER_HERS),
    (Channel.SMS, "+358407654321"),
    (Channel.SMS, "+358407654322"),
)
NEWEST = "uusi.jaljeton@posti.example"
WORDS = {address for _, address in ADDRESSES} | {"Unnaneiti", "Unnantytär", "Jäljettömyys", "V-UNNA-1"}
"""Everything that somebody says or types about her in this file."""
_NOT_OURS = ("mail", "httpx", "asyncio")
"""Who logs in these tests and not in service: the double, the caller of the pages."""


@pytest.fixture(params=["doubles", "previews"])
def studio(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> Workshop:
    """Give an installation with a sign-up page, once with providers and once with preview files."""
    doubles: Doubles | None = request.getfixturevalue("doubles") if request.param == "doubles" else None
    workshop = build(tmp_path / "studio", clock, database_url, journal_url, doubles)
    enable_sign_up(workshop, "email", "sms")
    return workshop


@contextmanager
def pages(dispatcher: Dispatcher) -> Iterator[tuple[TestClient, str]]:
    """Give the public pages of an installation, and the key of a booking system."""
    _, key = dispatcher.api_keys.create("Varaus", set(Scope), dispatcher.persons.acting(None))
    url, clock = dispatcher.studio.public_url, dispatcher.store.clock
    api = create_api(dispatcher.bookings, dispatcher.verdicts, dispatcher.api_keys, clock, public_url=url)
    app = create_app(
        dispatcher.preferences,
        dispatcher.studio,
        clock,
        renewing=dispatcher.renewing,
        sign_up=dispatcher.public_sign_up,
        api=api,
    )
    with TestClient(app, base_url=url) as browser:
        yield browser, key


def enrol(workshop: Workshop, dispatcher: Dispatcher, row: str) -> None:
    """Import this row, and remove the export: it is the studio's, not the program's."""
    path = workshop.register(row)
    dispatcher.enrol.run(path, dispatcher.persons.acting(None))
    path.unlink()


def correct_and_book(dispatcher: Dispatcher, browser: TestClient, key: str, number: int) -> None:
    """Type her new addresses, with a yes for each, and let the booking system tell and ask about her."""
    actor, yes = dispatcher.persons.acting(None), (Reply.GRANTED, Place.PHONE)
    for change in (Correction(email=NEWEST), Correction(phone="+358407654322")):
        dispatcher.correcting.correct(number, change, IdentityCheck.KNOWN, actor, said=yes)
    serve(dispatcher)
    answer = {"channel": "email", "reply": "granted", "place": "online", "booking": "V-UNNA-1"}
    answer |= {"asked_at": "2026-11-23T11:58:00+02:00", "wording": "Saako lähettää tarjouksia sähköpostitse?"}
    who = {"customer_number": "77421", "first_name": "Unnaneiti", "last_name": "Jäljettömyys"}
    for status, address in ((201, NEWEST), (409, NEVER_HERS), (422, "unna.jaljeton@@")):
        body = {"client": who | {"email": address}, "answers": [answer]}
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"{NEWEST} {status}"}
        told = browser.post("/api/v1/answers", json=body, headers=headers)
        assert status == told.status_code
        assert not {word for word in WORDS if word in told.text}


def sign_up(dispatcher: Dispatcher, browser: TestClient) -> None:
    """Sign up with the address of now, confirmed and once more, and with the one of before."""
    for address in (NEWEST, "unna.jaljeton@posti.example"):
        join(dispatcher, address, first_name="Unnantytär")
        serve(dispatcher)
    with dispatcher.store.reading() as connection:
        number = connection.scalar(select(SignUpTable.number).where(SignUpTable.canonical == NEWEST))
    assert number is not None
    token = dispatcher.sign_up.links.token(Confirm(number, Channel.EMAIL))
    assert 200 == browser.post(f"/join/{token}", content=b"yes=1").status_code
    join(dispatcher, NEWEST, first_name="Unnantytär")


def live(workshop: Workshop, dispatcher: Dispatcher, *, objects: bool) -> int:
    """Play everything that can happen to a client, and return their number."""
    actor = dispatcher.persons.acting(None)
    with pages(dispatcher) as (browser, key):
        enrol(workshop, dispatcher, FIRST)
        number = dispatcher.register.find("+358407654321")
        correct_and_book(dispatcher, browser, key, number)
        sign_up(dispatcher, browser)
        dispatcher.schedule.run(workshop.campaign("eka", workshop.clock() + timedelta(days=1)), actor)
        workshop.clock.advance(timedelta(days=1))
        asyncio.run(dispatcher.rounds.once())
        serve(dispatcher)
        enrol(workshop, dispatcher, LATER)
        dispatcher.requests.refuse(
            dispatcher.requests.open(number, RequestKind.RESTRICTION, actor), next(iter(Refusal)), actor
        )
        until = workshop.clock().date() + timedelta(days=30)
        block = Block(next(iter(BlockReason)), frozenset({Field.NAME}), until)
        dispatcher.blocks.end(dispatcher.blocks.add(number, block, actor), actor)
        dispatcher.marks.mark_child(number, actor)
        dispatcher.marks.unmark_child(number, actor)
        if objects:
            noes = workshop.directory / "noes.csv"
            noes.write_text(f"{NEWEST}\n", encoding="utf-8")
            dispatcher.no_lists.run(noes, actor)
            noes.unlink()
            browser.post(f"/u/{dispatcher.links.token(OptOut(number, Channel.EMAIL))}")
    return number


def hashes(dispatcher: Dispatcher) -> dict[str, str]:
    """Return the address or number behind each keyed hash by which she could be recognised."""
    ring = dispatcher.store.ring
    found = {ring.hashed(hash_label(channel), address).digest: address for channel, address in ADDRESSES}
    return found | {ring.hashed(CUSTOMER, "77421").digest: "77421"}


def ledger_of(dispatcher: Dispatcher) -> str:
    """Return every row of the ledger as text."""
    with dispatcher.store.reading() as connection:
        tables = MetaData()
        tables.reflect(connection, only=["ledger_entry"])
        return "\n".join(repr(tuple(row)) for row in connection.execute(select(tables.tables["ledger_entry"])))


@pytest.mark.parametrize("objects", [False, True])
def test_nothing_names_her_while_she_is_here_and_nothing_is_left_of_her(
    studio: Workshop, places: Callable[[], list[Path]], caplog: pytest.LogCaptureFixture, *, objects: bool
) -> None:
    """Ledger, journal and log hold no address, name or free text; the ledger no hash of an address either.

    After the erasure no byte is left of any of it, but for the keyed hashes of the addresses she has had, where she
    objected: an older export may name an earlier one (L-31, L-36).
    """
    caplog.set_level(logging.DEBUG)
    with studio.opened() as dispatcher:
        number = live(studio, dispatcher, objects=objects)
        known = hashes(dispatcher)
        told, noted = ledger_of(dispatcher), "\n".join(each.as_json() for each in dispatcher.store.journal.records())
        logged = "\n".join(each.getMessage() for each in caplog.records if not each.name.startswith(_NOT_OURS))
        for words in (told, noted, logged):
            assert not {word for word in WORDS if word in words or json.dumps(word)[1:-1] in words}
        assert not {known[digest] for digest in known if digest in told}
        assert () == dispatcher.audit.verify().breaks
        assert {NEWEST, "Unnaneiti", "Unnantytär"} == found_in(places(), {NEWEST, "Unnaneiti", "Unnantytär"})

        report = dispatcher.erasing.erase(number, EraseReason.REQUEST, dispatcher.persons.acting(None))
        assert report.is_wiped
        asyncio.run(dispatcher.erasing.deletions.work())
        assert [] == dispatcher.erasing.deletions.open()
        assert () == dispatcher.audit.verify().breaks
        with dispatcher.store.reading() as connection:
            assert [] == broken_links(connection)
    kept = {address for _, address in ADDRESSES} - {NEVER_HERS} if objects else set()
    left = found_in(places(), WORDS | set(known))
    assert (set(), kept) == (left & WORDS, {known[digest] for digest in left - WORDS})
