"""Erasure is real: nothing readable stays, a suppression stands only for an objection, a restore erases again."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.concern import Concern
from dispatcher.flow.correcting import Correction
from dispatcher.flow.erasing import ErasureReport
from dispatcher.flow.recording import CUSTOMER
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, ConsentState, Place, Reply, fold
from dispatcher.rules.ledger import EntryKind, answer_entry
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.storage import clients, ledger
from dispatcher.storage.answers import hash_label
from dispatcher.storage.facts import gather
from dispatcher.storage.journal import JournalKind, Record
from dispatcher.storage.tables import (
    AddressTable,
    ReturningTable,
    ServiceTable,
    SignUpTable,
    SoftBounceTable,
    SuppressionTable,
)
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.byte_scan import contents_of, found_in
from tests.clock import FixedClock
from tests.flow.clicking import leave_by_link, look_by_link
from tests.stores import broken_links, raw
from tests.workshop import Doubles, Workshop, build

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
UNNA = "77421;Unnaneiti;Jäljettömyys;unna.jaljeton@posti.example;040 765 4321;fi;3.10.2026;{};{};3.10.2026"
MOVED = UNNA.replace("unna.jaljeton@", "uusi.jaljeton@")
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.10.2026;kyllä;kyllä;3.10.2026"
READABLE = ("unna.jaljeton@posti.example", "uusi.jaljeton@posti.example", "+358407654321", "Unnaneiti", "Jäljettömyys")
HASHED = ((Channel.EMAIL, READABLE[0]), (Channel.EMAIL, READABLE[1]), (Channel.SMS, READABLE[2]))


def unna(email: str = "kyllä", sms: str = "kyllä", row: str = UNNA) -> str:
    """Return the row of the client who is going to be erased."""
    return row.format(email, sms)


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows, and remove the export: it is the studio's, not the program's."""
    path = workshop.register(*rows)
    dispatcher.enrol.run(path, dispatcher.persons.acting(None))
    path.unlink()


def erase(dispatcher: Dispatcher, words: str = "+358407654321") -> ErasureReport:
    """Erase a client on their request."""
    number = dispatcher.register.find(words)
    return dispatcher.erasing.erase(number, EraseReason.REQUEST, dispatcher.persons.acting(None))


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


def suppressions(dispatcher: Dispatcher) -> list[tuple[str, str]]:
    """Return hash and channel of every suppression."""
    with dispatcher.store.reading() as connection:
        rows = connection.execute(select(SuppressionTable.hash, SuppressionTable.channel))
        return sorted((row.hash, row.channel) for row in rows)


def standing(dispatcher: Dispatcher, words: str) -> dict[Channel, ConsentState]:
    """Return the state of a client's consent as a verdict sees it: suppressions of their addresses included."""
    number = dispatcher.register.find(words)
    now, today = dispatcher.store.clock(), dispatcher.store.clock().date()
    with dispatcher.store.reading() as connection:
        known = gather(connection, dispatcher.store.ring, [number], None, today, now)[number]
    return {channel: fold(known.facts.answers, channel, now).state for channel in Channel}


@pytest.fixture
def studio(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Workshop:
    """Give an installation that writes previews instead of sending."""
    return build(tmp_path / "studio", clock, database_url, journal_url)


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


def test_without_an_objection_nothing_stays_and_the_client_is_new(studio: Workshop) -> None:
    """L-33: who was erased without having objected comes back as somebody new, under a new number."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        before = dispatcher.register.find("+358407654321")
        erase(dispatcher)
        assert [] == suppressions(dispatcher)
        with pytest.raises(NotFoundError):
            dispatcher.register.find(str(before))
        enrol(studio, dispatcher, unna("", ""))
        after = dispatcher.register.find("+358407654321")
        assert before != after
        assert dict.fromkeys(Channel, ConsentState.NEVER_ASKED) == standing(dispatcher, str(after))


@pytest.mark.parametrize("channel", [None, *Channel])
def test_an_objection_stays_as_a_keyed_hash(studio: Workshop, channel: Channel | None) -> None:
    """L-35: for an objection a keyed hash of each address stays, for the channel that was named."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(dispatcher.register.find("+358407654321"), actor, channel)
        studio.clock.advance(timedelta(days=1))
        report = erase(dispatcher)
        ring = dispatcher.store.ring
        wanted = sorted((ring.hashed(hash_label(kind), address).digest, channel or "") for kind, address in HASHED[::2])
        assert wanted == suppressions(dispatcher)
        assert date(2028, 2, 21) == report.objections_until
        enrol(studio, dispatcher, unna())
        closed = {channel} if channel else set(Channel)
        assert {kind: ConsentState.WITHDRAWN if kind in closed else ConsentState.GRANTED for kind in Channel} == (
            standing(dispatcher, "+358407654321")
        )


def test_an_objection_yields_to_a_later_yes_or_its_own_end_and_to_nothing_else(studio: Workshop) -> None:
    """L-36: an import of the yes from before does not lift it, a yes given since does, and so does its last day."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(dispatcher.register.find("+358407654321"), actor)
        erase(dispatcher)
        said = studio.clock()
        studio.clock.set(said + timedelta(days=10))
        enrol(studio, dispatcher, unna())
        assert ConsentState.WITHDRAWN is standing(dispatcher, "+358407654321")[Channel.EMAIL]
        later = unna().replace("3.10.2026", "1.12.2026")
        enrol(studio, dispatcher, later)
        assert dict.fromkeys(Channel, ConsentState.GRANTED) == standing(dispatcher, "+358407654321")
        studio.clock.set(said + timedelta(days=455))
        with pytest.raises(RefusedError):
            dispatcher.retention.run(actor)
        assert [] == suppressions(dispatcher)


@pytest.mark.parametrize(
    ("answers", "again", "is_kept"),
    [
        pytest.param(("ei", "ei"), ("", ""), False, id="never-a-yes"),
        pytest.param(("kyllä", "ei"), ("", ""), False, id="a-yes-that-stands"),
        pytest.param(("kyllä", "kyllä"), ("ei", "ei"), True, id="a-yes-taken-back"),
    ],
)
def test_a_no_at_a_booking_is_no_objection(
    studio: Workshop, answers: tuple[str, str], again: tuple[str, str], *, is_kept: bool
) -> None:
    """A no to the question leaves nothing; one that took back a yes has to keep an older export from reviving it."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna(*answers))
        studio.clock.advance(timedelta(days=1))
        enrol(studio, dispatcher, unna(*again).replace("3.10.2026", "20.11.2026"))
        erase(dispatcher)
        assert is_kept is bool(suppressions(dispatcher))
        enrol(studio, dispatcher, unna("kyllä", "kyllä"))
        found = set(standing(dispatcher, "+358407654321").values())
        assert {ConsentState.WITHDRAWN if is_kept else ConsentState.GRANTED} == found


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


ANSWERS = st.lists(
    st.tuples(st.sampled_from(list(Reply)), st.sampled_from([None, *Channel]), st.integers(min_value=0, max_value=30)),
    max_size=6,
)


@given(said=ANSWERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_suppression_stands_exactly_for_what_was_closed(
    studio: Workshop, said: list[tuple[Reply, Channel | None, int]]
) -> None:
    """Property: after an erasure nothing about the client is readable, and what a verdict said no to it still does."""
    studio.clock.set(NOON)
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna("", ""))
        number, now = dispatcher.register.find("+358407654321"), studio.clock()
        given_answers = [
            Answer(0, reply, channel, now - timedelta(days=day), now - timedelta(days=day), now, Place.DESK, "0" * 64)
            for reply, channel, day in said
            if channel is not None or reply is not Reply.GRANTED
        ]
        entries = [answer_entry(answer, number, dispatcher.persons.acting(None)) for answer in given_answers]
        dispatcher.store.write(lambda transaction: transaction.ledger.append(*entries))
        consents = {channel: fold(given_answers, channel, now) for channel in Channel}
        yeses = [answer for answer in given_answers if answer.reply is Reply.GRANTED]
        erase(dispatcher)
        kept = suppressions(dispatcher)
        for channel, consent in consents.items():
            was_yes = fold(yeses, channel, now).state is ConsentState.GRANTED
            is_closed = consent.objected or (consent.state is ConsentState.DECLINED and was_yes)
            assert is_closed is any(each in {"", channel.value} for _, each in kept)
        assert set() == found_in([studio.directory], READABLE)
        with dispatcher.store.database.writing() as connection:
            connection.execute(delete(SuppressionTable))


def test_a_no_for_a_corrected_address_keeps_the_yes_of_the_one_before_away(studio: Workshop) -> None:
    """An older export has the old address and its yes still: who said no since and was erased gets nothing there."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna())
        studio.clock.advance(timedelta(days=1))
        new, number = Correction(email="uusi.jaljeton@posti.example"), dispatcher.register.find("+358407654321")
        dispatcher.correcting.correct(number, new, IdentityCheck.KNOWN, actor, said=(Reply.DECLINED, Place.PHONE))
        studio.clock.advance(timedelta(days=1))
        erase(dispatcher)
        enrol(studio, dispatcher, unna())
        wanted = {Channel.EMAIL: ConsentState.WITHDRAWN, Channel.SMS: ConsentState.GRANTED}
        assert wanted == standing(dispatcher, "+358407654321")


def test_the_yes_of_a_child_does_not_come_back_with_an_export(studio: Workshop) -> None:
    """L-36: the mark goes with the child; what the register still says opens nothing, a yes given since does."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna())
        dispatcher.marks.mark_child(dispatcher.register.find("+358407654321"), actor)
        studio.clock.advance(timedelta(days=1))
        assert {"email", "sms"} == set(erase(dispatcher).as_json()["objections"])  # type: ignore[arg-type]
        enrol(studio, dispatcher, unna())
        assert dict.fromkeys(Channel, ConsentState.WITHDRAWN) == standing(dispatcher, "+358407654321")
        studio.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
        enrol(studio, dispatcher, unna().replace("3.10.2026", "1.12.2026"))
        assert dict.fromkeys(Channel, ConsentState.GRANTED) == standing(dispatcher, "+358407654321")


def test_the_yes_of_a_child_stays_away_after_a_restore(studio: Workshop, tmp_path: Path) -> None:
    """L-34: a copy from before the erasure keeps what was left behind for the child, from the journal."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna(), MAIJA)
        dispatcher.marks.mark_child(dispatcher.register.find("+358407654321"), actor)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        erase(dispatcher)
        kept = suppressions(dispatcher)
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with studio.opened() as dispatcher:
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert kept == suppressions(dispatcher)
        enrol(studio, dispatcher, unna(), MAIJA)
        assert dict.fromkeys(Channel, ConsentState.WITHDRAWN) == standing(dispatcher, "+358407654321")


def test_a_child_without_a_yes_leaves_nothing(studio: Workshop) -> None:
    """L-33: where nothing could come back, nothing is kept of a child either."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna("", "ei"))
        dispatcher.marks.mark_child(dispatcher.register.find("+358407654321"), dispatcher.persons.acting(None))
        erase(dispatcher)
        assert [] == suppressions(dispatcher)


@pytest.mark.parametrize("reply", [Reply.DECLINED, Reply.WITHDRAWN])
def test_a_no_is_kept_for_the_addresses_from_before(studio: Workshop, reply: Reply) -> None:
    """L-31, L-36: without a phone to know the client by, an old export brings them back under the earlier address."""
    alone = unna("kyllä", "").replace("040 765 4321", "")
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, alone)
        number = dispatcher.register.find(READABLE[0])
        studio.clock.advance(timedelta(days=1))
        dispatcher.correcting.correct(number, Correction(email=READABLE[1]), IdentityCheck.KNOWN, actor)
        studio.clock.advance(timedelta(days=1))
        dispatcher.answering.record(number, [Said(reply, Channel.EMAIL, Place.PHONE)], actor)
        studio.clock.advance(timedelta(days=1))
        erase(dispatcher, str(number))
        enrol(studio, dispatcher, alone)
        assert ConsentState.WITHDRAWN is standing(dispatcher, READABLE[0])[Channel.EMAIL]


def test_no_byte_of_an_address_from_before_is_left(studio: Workshop, places: Callable[[], list[Path]]) -> None:
    """L-33, L-35: what is kept for an earlier address is its keyed hash; nothing readable stays."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna())
        number = dispatcher.register.find("+358407654321")
        dispatcher.correcting.correct(number, Correction(email=READABLE[1]), IdentityCheck.KNOWN, actor)
        dispatcher.preferences.withdraw(number, actor)
        assert erase(dispatcher).is_wiped
        ring = dispatcher.store.ring
        wanted = [(ring.hashed(hash_label(way), address).digest, "") for way, address in HASHED]
        assert sorted(wanted) == suppressions(dispatcher)
    assert set() == found_in(places(), READABLE)


def test_the_link_of_an_erased_client_stops_nothing_and_says_so(studio: Workshop) -> None:
    """L-33, L-35: nothing leads from the number of before to the new one, so that the old link has nobody behind it."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        link = OptOut(dispatcher.register.find("+358407654321"), Channel.EMAIL)
        token = dispatcher.links.token(link)
        assert not look_by_link(dispatcher.preferences, token).is_gone
        erase(dispatcher)
        enrol(studio, dispatcher, unna())
        assert Concern(None, None, is_gone=True) == look_by_link(dispatcher.preferences, token)
        newest = dispatcher.links.token(OptOut(dispatcher.register.find("+358407654321"), Channel.EMAIL))
        leave_by_link(dispatcher.preferences, newest, Place.LINK)
        assert dict.fromkeys(Channel, ConsentState.WITHDRAWN) == standing(dispatcher, "+358407654321")
