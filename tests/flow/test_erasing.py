"""Erasure is real: nothing readable stays, nothing leaves for the client, and a restore erases again."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from dispatcher.errors import RefusedError
from dispatcher.flow.recording import CUSTOMER
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.storage import clients, ledger
from dispatcher.storage.answers import hash_label
from dispatcher.storage.journal import JournalKind, Record
from dispatcher.storage.tables import AddressTable, ReturningTable, ServiceTable, SignUpTable, SoftBounceTable
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.byte_scan import contents_of, found_in
from tests.flow.erasure import HASHED, MAIJA, MOVED, READABLE, enrol, erase, standing, suppressions, unna
from tests.stores import broken_links, raw
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def send(workshop: Workshop, dispatcher: Dispatcher, name: str = "kampanja") -> None:
    """Schedule a campaign and send it at its moment."""
    moment = workshop.clock() + timedelta(days=1)
    dispatcher.schedule.run(workshop.campaign(name, moment), dispatcher.persons.acting(None))
    workshop.clock.advance(timedelta(days=1))
    asyncio.run(dispatcher.rounds.once())


def hashes(dispatcher: Dispatcher) -> set[str]:
    """Return the keyed hashes of everything she can be recognised by."""
    ring = dispatcher.store.ring
    found = {ring.hashed(hash_label(channel), address).digest for channel, address in HASHED}
    return found | {ring.hashed(CUSTOMER, "77421").digest}


def kinds(dispatcher: Dispatcher, kind: EntryKind) -> list[dict[str, object]]:
    """Return the bodies of the ledger's entries of a kind."""
    with dispatcher.store.reading() as connection:
        return [dict(entry.data()) for entry in ledger.entries(connection, [kind.value])]


def test_no_byte_is_left(studio: Workshop, places: Callable[[], list[Path]]) -> None:
    """L-33: after an erasure neither name nor address nor a keyed hash of them stands in any byte of any file."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna(), MAIJA)
        enrol(studio, dispatcher, unna(row=MOVED), MAIJA)
        send(studio, dispatcher)
        dispatcher.answering.record(dispatcher.register.find("+358407654321"), [], dispatcher.persons.acting(None))
        everything = {*READABLE, *hashes(dispatcher)}
        # What is gone from the register already, the address from before her move, is still there.
        assert everything == found_in(places(), everything)
        report = erase(dispatcher)
        assert (report.is_wiped, dict(report.open), report.kept) == (True, {}, ())
        assert set() == found_in(places(), everything)
        assert {"maija@posti.example", "Meikäläinen"} == found_in(places(), ["maija@posti.example", "Meikäläinen"])
        with dispatcher.store.reading() as connection:
            assert [] == broken_links(connection)
        assert [] == suppressions(dispatcher)
    assert set() == found_in(places(), everything)


def test_no_byte_is_left_in_a_full_database(studio: Workshop, places: Callable[[], list[Path]]) -> None:
    """Pages that were split, joined and given back hold nothing either: every second of many clients is erased."""
    rows = [f"{n};Etu{n}nimi;Suku{n}nimi;jalki{n}x@posti.example;;fi;3.10.2026;kyllä;;3.10.2026" for n in range(400)]
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, *rows)
        actor = dispatcher.persons.acting(None)
        numbers = [dispatcher.register.find(f"jalki{n}x@posti.example") for n in range(0, 400, 2)]
        erasing = dispatcher.erasing
        for start in range(0, 200, 50):
            work = partial(erasing.erase_in, numbers=numbers[start : start + 50], reason=EraseReason.AGE, actor=actor)
            dispatcher.store.write(work)
        pattern = re.compile(rb"(?:jalki|Etu|Suku)(\d+)(?:x@|nimi)")

        def found() -> set[int]:
            return {int(each) for content in contents_of(*places()) for each in pattern.findall(content)}

        assert set(range(400)) == found()
        assert erasing.deletions.here()
        assert set(range(1, 400, 2)) == found()


def test_a_shared_address_stays_with_who_has_it_too(studio: Workshop) -> None:
    """What somebody else has is theirs: the address of two clients goes with the last of them."""
    other = MAIJA.replace("maija@posti.example", "unna.jaljeton@posti.example")
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna(), other)
        erase(dispatcher)
        assert dispatcher.register.listed("Maija")[0].addresses.keys() == set(Channel)
        erase(dispatcher, "Maija")
        with dispatcher.store.reading() as connection:
            assert 0 == connection.scalar(select(func.count()).select_from(AddressTable))


def test_what_waits_is_withdrawn(workshop: Workshop, doubles: Doubles) -> None:
    """Nothing leaves for a client once they are erased, and the ledger says why; the audit finds nothing wrong."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, unna(), MAIJA)
        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("kampanja", MOMENT), actor)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("kampanja"))
        assert 1 == erase(dispatcher).withheld
        asyncio.run(dispatcher.rounds.once())
        assert ["maija@posti.example"] == doubles.mailed() + doubles.texted()
        told = [body for body in kinds(dispatcher, EntryKind.WITHHELD) if body["reason"] == "erased"]
        assert ["erasure"] == [body["at"] for body in told]
        assert dispatcher.audit.year(2026).ok


def test_what_hangs_on_an_address_goes_with_it(studio: Workshop) -> None:
    """Service messages, sign-ups and what a restore remembers of a client are gone with the client."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna(), MAIJA)
        number = dispatcher.register.find("+358407654321")

        def work(transaction: Transaction) -> None:
            now = transaction.now
            service: dict[str, object] = {
                "purpose": "receipt",
                "channel": "email",
                "language": "fi",
                "details": '{"name": "Unnaneiti"}',
            }
            service |= {
                "asked_at": now,
                "not_before": now,
                "due_at": now,
                "attempts": 0,
                "person": None,
                "provider": None,
            }
            rows = [
                {**service, "recipient": READABLE[0], "client": number, "state": "waiting", "message_id": "1" * 32},
                {**service, "recipient": READABLE[0], "client": None, "state": "accepted", "message_id": "2" * 32},
                {**service, "recipient": READABLE[0], "client": number, "state": "attempting", "message_id": "3" * 32},
                {
                    **service,
                    "recipient": "muu@posti.example",
                    "client": None,
                    "state": "waiting",
                    "message_id": "4" * 32,
                },
            ]
            transaction.connection.execute(insert(ServiceTable), rows)
            sign_up: dict[str, object] = {
                "number": 7,
                "channel": "email",
                "canonical": READABLE[0],
                "first_name": "Unnaneiti",
            }
            sign_up |= {"language": "fi", "wording": "0" * 64, "asked_at": now, "expires_at": now}
            transaction.connection.execute(insert(SignUpTable).values(sign_up))
            transaction.connection.execute(insert(ReturningTable).values(hash="0" * 64, number=number, key="1"))
            address = clients.address_id(transaction.connection, Channel.EMAIL, READABLE[0])
            bounce = {"address": address, "kind": "mailbox_full", "at": now}
            transaction.connection.execute(insert(SoftBounceTable).values(bounce))

        dispatcher.store.write(work)
        erase(dispatcher)
        with dispatcher.store.reading() as connection:
            left = connection.execute(select(ServiceTable.message_id, ServiceTable.recipient, ServiceTable.details))
            assert [("3" * 32, "", "{}"), ("4" * 32, "muu@posti.example", service_details())] == sorted(
                map(tuple, left)
            )
            for table in (SignUpTable, ReturningTable, SoftBounceTable):
                assert 0 == connection.scalar(select(func.count()).select_from(table))


def service_details() -> str:
    """Return what the other service message needs."""
    return '{"name": "Unnaneiti"}'


def test_a_request_is_closed_with_the_erasure(studio: Workshop) -> None:
    """L-30: the request that asked is done in the same transaction; one for a copy has to be answered before."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        actor = dispatcher.persons.acting(None)
        number = dispatcher.register.find("+358407654321")
        request = dispatcher.requests.open(number, RequestKind.ERASURE, actor)
        erasing = dispatcher.erasing
        with pytest.raises(RefusedError, match="--identity"):
            erasing.erase(number, EraseReason.REQUEST, actor, request)
        dispatcher.requests.identify(request, IdentityCheck.KNOWN, actor)
        access = dispatcher.requests.open(number, RequestKind.ACCESS, actor)
        with pytest.raises(RefusedError, match="waits for a copy"):
            erasing.erase(number, EraseReason.REQUEST, actor, request)
        assert number == dispatcher.register.find("+358407654321")
        dispatcher.requests.identify(access, IdentityCheck.KNOWN, actor)
        dispatcher.requests.close(access, "done", actor)
        dispatcher.requests.open(number, RequestKind.CORRECTION, actor)
        erasing.erase(number, EraseReason.REQUEST, actor, request)
        assert [] == dispatcher.requests.listed()
        closed = {each.kind: each.outcome for each in dispatcher.requests.listed(only_open=False)}
        assert {"erasure": "done", "access": "done", "correction": "erased"} == closed


def test_a_restored_copy_is_erased_again(studio: Workshop, tmp_path: Path, places: Callable[[], list[Path]]) -> None:
    """L-34: a copy from before the erasure forgets the client again, keeps the objection, and nobody comes back."""
    copies = tmp_path.parent / f"{tmp_path.name}-copies"
    copies.mkdir()
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna(), MAIJA)
        actor = dispatcher.persons.acting(None)
        number = dispatcher.register.find("+358407654321")
        dispatcher.safekeeping.backup(copies / "copy")
        dispatcher.preferences.withdraw(number, actor)
        erase(dispatcher)
        kept = suppressions(dispatcher)
        replaced = dispatcher.safekeeping.restore(copies / "copy")
    if replaced is not None:
        replaced.rename(copies / "replaced")
    with studio.opened() as dispatcher:
        assert number == dispatcher.register.find("+358407654321")
        report = dispatcher.safekeeping.replay(actor)
        assert (1, 0) == (report.erased, report.clients)
        assert kept == suppressions(dispatcher)
        assert ["erased"] == [record.kind.value for record in dispatcher.store.journal.records() if is_erasure(record)]
        assert set() == found_in(places(), READABLE)
        assert 0 == dispatcher.safekeeping.replay(actor).records
        enrol(studio, dispatcher, unna(), MAIJA)
        assert number != dispatcher.register.find("+358407654321")
        assert dict.fromkeys(Channel, ConsentState.WITHDRAWN) == standing(dispatcher, "+358407654321")


def is_erasure(record: Record) -> bool:
    """Say whether a record of the journal tells of an erasure."""
    return record.kind is JournalKind.ERASED


def test_a_copy_from_before_the_client_brings_nobody_back(studio: Workshop, tmp_path: Path) -> None:
    """The journal knows no number of an erased client: a copy that never knew them does not get one to keep."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, MAIJA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        enrol(studio, dispatcher, unna(), MAIJA)
        erase(dispatcher)
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with studio.opened() as dispatcher:
        report = dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert (1, 0) == (report.erased, report.clients)
        with dispatcher.store.reading() as connection:
            assert 0 == connection.scalar(select(func.count()).select_from(ReturningTable))


def test_a_reader_in_the_way_is_told_and_cleared_up_after(studio: Workshop, places: Callable[[], list[Path]]) -> None:
    """While somebody reads the old state its bytes stay; the report says so, and the duty clears them up."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        with dispatcher.store.reading() as connection:
            connection.scalar(select(func.count()).select_from(AddressTable))
            assert not erase(dispatcher).is_wiped
            assert ["traces"] == [each.provider for each in dispatcher.erasing.deletions.open()]
        assert asyncio.run(dispatcher.erasing.deletions.work()) is None
        assert [] == dispatcher.erasing.deletions.open()
        assert set() == found_in(places(), READABLE)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_reader_of_the_journal_is_told_and_cleared_up_after(
    studio: Workshop, journal_url: str, places: Callable[[], list[Path]]
) -> None:
    """While somebody holds the journal's table its old rows stay: not wiped, a duty until they are gone (L-33)."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        left = hashes(dispatcher)
        engine = raw(journal_url)
        with engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM journal"))
            assert not erase(dispatcher).is_wiped
            assert ["traces"] == [each.provider for each in dispatcher.erasing.deletions.open()]
            assert found_in(places(), left)
        engine.dispose()
        assert dispatcher.erasing.deletions.here()
        assert [] == dispatcher.erasing.deletions.open()
        assert set() == found_in(places(), left)
