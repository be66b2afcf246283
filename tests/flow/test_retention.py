"""What has had its year is shown first, removed once a person has said so, and then every day."""

import asyncio
import gc
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.doubts import Guidance
from dispatcher.flow.matching import NEW_CLIENT
from dispatcher.flow.strangers import Stranger
from dispatcher.rules.blocks import Block, BlockReason, Field
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState, Place, Reply
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.rights import RequestKind
from dispatcher.storage import clients, ledger
from dispatcher.storage.tables import (
    ClientTable,
    IdempotencyTable,
    RegisterReadTable,
    ReturningTable,
    SignUpTable,
    SoftBounceTable,
    SuppressionTable,
    Table,
)
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

OLD = "1;Olga;Entinen;olga@posti.example;040 123 4567;fi;{};kyllä;;3.10.2026"
MAIJA = "2;Maija;Meikäläinen;maija@posti.example;040 123 4568;fi;3.10.2026;kyllä;;3.10.2026"
YEAR_AGO, YESTERYEAR = "23.11.2025", "24.11.2025"


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str, days_ago: int = 30) -> None:
    """Import these rows some days ago, when nobody's year was over yet; a whole register has been read since."""
    now = workshop.clock()
    workshop.clock.set(now - timedelta(days=days_ago))
    dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))
    workshop.clock.set(now)
    read(dispatcher)


def read(dispatcher: Dispatcher, at: datetime | None = None, *, is_whole: bool = True) -> None:
    """Write that a register was read."""

    def work(transaction: Transaction) -> None:
        moment = at or transaction.now
        values = {"sha256": "0" * 64, "rows": 2, "is_whole": is_whole, "began_at": moment, "finished_at": moment}
        transaction.connection.execute(insert(RegisterReadTable).values(values))

    dispatcher.store.write(work)


def summaries(dispatcher: Dispatcher) -> list[dict[str, object]]:
    """Return what the ledger tells about runs, beside the clients themselves."""
    with dispatcher.store.reading() as connection:
        told = ledger.entries(connection, [EntryKind.ERASED.value])
        return [dict(entry.data()) for entry in told if entry.client is None]


def numbers(dispatcher: Dispatcher) -> int:
    """Return how many clients there are."""
    with dispatcher.store.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(ClientTable)) or 0)


def test_the_first_run_only_lists(workshop: Workshop) -> None:
    """Until a person has confirmed, the daily duty removes nobody and says that it is overdue; then it works daily."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, OLD.format(YEAR_AGO), MAIJA)
        actor = dispatcher.persons.acting(None)
        [done] = [each for each in asyncio.run(dispatcher.duties.once()) if each.name == "retention"]
        assert (True, True) == (done.is_trouble, "retention run --confirm" in done.said)
        shown = dispatcher.retention.show()
        assert (True, True, 2) == (shown.is_overdue, shown.waits_for_confirmation, numbers(dispatcher))
        [olga] = shown.due
        told = olga.as_json()
        assert ("age", "last_visit", "2026-11-23") == (told["reason"], told["counts_from"], told["due_on"])
        assert {"o***@p***.example", "+358*****67"} == set(olga.addresses)
        assert {"age": 1} == dict(dispatcher.retention.run(actor, confirm=True).removed)
        assert ([{"event": "confirmed"}, {"event": "removed", "age": 1}], 1) == (
            summaries(dispatcher),
            numbers(dispatcher),
        )
        enrol(workshop, dispatcher, OLD.format(YEAR_AGO), MAIJA)
        assert "1 client was removed" == dispatcher.retention.work(actor)


def test_nobody_confirms_before_somebody_is_due(workshop: Workshop) -> None:
    """A confirmation means that a person has seen who goes: with nobody due there is nothing to confirm."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, OLD.format(YESTERYEAR))
        actor = dispatcher.persons.acting(None)
        dispatcher.retention.run(actor, confirm=True)
        assert dispatcher.retention.show().confirmed_at is None
        [soon] = dispatcher.retention.show().soon
        assert "2026-11-24" == soon.as_json()["due_on"]
        workshop.clock.advance(timedelta(days=1))
        with pytest.raises(RefusedError, match="1 client is due"):
            dispatcher.retention.run(actor)


@pytest.mark.parametrize(("days", "is_whole", "is_fresh"), [(31, True, True), (32, True, False), (1, False, False)])
def test_only_on_a_fresh_register(workshop: Workshop, days: int, *, is_whole: bool, is_fresh: bool) -> None:
    """Nobody is removed unless a whole register was read within 31 days: who has visited since is not known."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        now = workshop.clock()
        workshop.clock.set(now - timedelta(days=days))
        dispatcher.enrol.run(workshop.register(OLD.format(YEAR_AGO)), actor)
        read(dispatcher, is_whole=is_whole)
        workshop.clock.set(now)
        if is_fresh:
            assert {"age": 1} == dict(dispatcher.retention.run(actor, confirm=True).removed)
            return
        with pytest.raises(RefusedError, match="client import"):
            dispatcher.retention.run(actor, confirm=True)
        assert not dispatcher.retention.show().waits_for_confirmation
        assert 1 == numbers(dispatcher)


def test_who_is_kept_is_shown_and_stays(workshop: Workshop) -> None:
    """L-38: a legal block, an open request and a restriction keep a client who is due; the list says which."""
    rows = [f"{n + 10};Etu{n};Suku{n};c{n}@posti.example;;fi;{YEAR_AGO};kyllä;;3.10.2026" for n in range(3)]
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, *rows, OLD.format(YEAR_AGO))
        actor = dispatcher.persons.acting(None)
        blocked, asking, restricted = (dispatcher.register.find(f"c{n}@posti.example") for n in range(3))
        until = workshop.clock().date() + timedelta(days=30)
        dispatcher.blocks.add(blocked, Block(BlockReason.LAW, frozenset({Field.NAME}), until), actor)
        dispatcher.requests.open(asking, RequestKind.ACCESS, actor)
        mine = ClientTable.number == restricted
        dispatcher.store.write(
            lambda transaction: transaction.connection.execute(update(ClientTable).where(mine).values(restricted=True))
        )
        kept = {each.number: each.keeper for each in dispatcher.retention.show().kept}
        assert {blocked: "blocked", asking: "open_request", restricted: "restricted"} == kept
        assert {"age": 1} == dict(dispatcher.retention.run(actor, confirm=True).removed)
        assert 3 == numbers(dispatcher)


def test_who_is_gone_from_the_register_goes_after_thirty_days(workshop: Workshop) -> None:
    """A client whom the register has not named for 30 days is removed, with that as the reason."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        actor = dispatcher.persons.acting(None)
        gone = workshop.clock() - timedelta(days=29)
        dispatcher.store.write(
            lambda transaction: transaction.connection.execute(update(ClientTable).values(gone_since=gone))
        )
        assert ([], 1) == (list(dispatcher.retention.show().due), len(dispatcher.retention.show().soon))
        workshop.clock.advance(timedelta(days=1))
        assert {"gone": 1} == dict(dispatcher.retention.run(actor, confirm=True).removed)


def test_without_a_visit_the_year_counts_from_the_last_answer(workshop: Workshop) -> None:
    """No visit on record: the last answer begins the year, and not being asked is none."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, OLD.format(""))
        actor = dispatcher.persons.acting(None)
        workshop.clock.set(datetime(2027, 10, 2, 12, tzinfo=UTC))
        read(dispatcher)
        assert [] == list(dispatcher.retention.show().due)
        workshop.clock.advance(timedelta(days=1))
        assert ["last_answer"] == [each.due.basis.value for each in dispatcher.retention.show().due]
        assert {"age": 1} == dict(dispatcher.retention.run(actor, confirm=True).removed)


def test_somebody_removed_for_age_starts_afresh(workshop: Workshop) -> None:
    """Who returns gets a new number and was never asked; an objection of theirs still stands."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, OLD.format(YEAR_AGO), MAIJA.replace("3.10.2026;kyllä", f"{YEAR_AGO};kyllä"))
        actor = dispatcher.persons.acting(None)
        olga, maija = dispatcher.register.find("Olga"), dispatcher.register.find("Maija")
        dispatcher.preferences.withdraw(maija, actor)
        assert {"age": 2} == dict(dispatcher.retention.run(actor, confirm=True).removed)
        with pytest.raises(NotFoundError):
            dispatcher.register.find("Olga")
        fresh = [row.format("23.11.2026") for row in (OLD.replace("kyllä;;3.10.2026", ";;"), MAIJA)]
        enrol(workshop, dispatcher, *fresh, days_ago=0)
        [listed] = dispatcher.register.listed("Olga")
        assert olga != listed.number
        assert {ConsentState.NEVER_ASKED} == {consent.state for consent in listed.consents.values()}
        assert [] == list(dispatcher.erasing.prospect(listed.number).objections)
        again = dispatcher.erasing.prospect(dispatcher.register.find("Maija")).objections
        assert [None] == [each.channel for each in again]


def test_more_than_one_chunk(workshop: Workshop) -> None:
    """250 clients go in three chunks: progress is told, the ledger counts them, the journal forgets them."""
    rows = [f"{n + 10};Etu{n};Suku{n};c{n}@posti.example;;fi;{YEAR_AGO};kyllä;;3.10.2026" for n in range(250)]
    told: list[tuple[int, int]] = []
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, *rows, MAIJA)
        actor = dispatcher.persons.acting(None)
        report = dispatcher.retention.run(actor, confirm=True, progress=lambda *each: told.append(each))
        assert ({"age": 250}, True) == (dict(report.removed), report.is_wiped)
        assert [(100, 250), (200, 250), (250, 250)] == told
        assert {"event": "removed", "age": 250} == summaries(dispatcher)[-1]
        known = [record.body["clients"] for record in dispatcher.store.journal.records() if record.kind == "clients"]
        assert 1 == sum(len(each) for each in known if isinstance(each, list))


def test_what_else_has_had_its_time(workshop: Workshop) -> None:
    """Objections, sign-ups, what was taken in and soft bounces go at their own end, without anybody's confirmation."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        now = workshop.clock()
        objection = {"hash": "0" * 64, "key": "1", "channel": "", "reason": "objection", "at": now}
        sign_up = {"number": 7, "channel": "email", "canonical": "x@posti.example", "first_name": "X", "language": "fi"}
        taken = {"scope": "api", "key": "0" * 64, "result": "{}"}

        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            connection.execute(insert(SuppressionTable).values(**objection, expires_at=now + timedelta(days=1)))
            sign_up_ends = {"wording": "0" * 64, "asked_at": now, "expires_at": now + timedelta(days=1)}
            connection.execute(insert(SignUpTable).values(**sign_up, **sign_up_ends))
            connection.execute(insert(IdempotencyTable).values(**taken, at=now - timedelta(days=364)))
            connection.execute(insert(ReturningTable).values(hash="0" * 64, number=7, key="1"))
            address = clients.address_id(connection, Channel.EMAIL, "maija@posti.example")
            bounces = [
                {"address": address, "kind": "mailbox_full", "at": now - timedelta(days=ago)} for ago in (363, 364)
            ]
            connection.execute(insert(SoftBounceTable), bounces)

        dispatcher.store.write(work)
        actor = dispatcher.persons.acting(None)
        assert {} == dispatcher.retention.run(actor).purged
        assert (1, 1) == (dispatcher.retention.show().suppressions, dispatcher.retention.show().suppressions_ending)
        workshop.clock.advance(timedelta(days=1))
        wanted = {"suppressions": 1, "sign_ups": 1, "taken_in": 1, "soft_bounces": 1}
        assert wanted == dispatcher.retention.run(actor).purged
        assert {"event": "purged", **wanted} == summaries(dispatcher)[-1]
        left: tuple[type[Table], ...] = (SuppressionTable, SignUpTable)
        with dispatcher.store.reading() as connection:
            assert [0, 0] == [connection.scalar(select(func.count()).select_from(table)) for table in left]


def test_an_import_brings_nobody_back_whose_year_is_over(workshop: Workshop) -> None:
    """The notice promises a year after the last visit: a row of somebody new is counted apart from that day on."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        rows = workshop.register(OLD.format(YEAR_AGO), MAIJA.replace("3.10.2026;kyllä", f"{YESTERYEAR};kyllä"))
        foreseen = dispatcher.enrol.run(rows, actor, dry_run=True)
        assert (1, 1) == (foreseen.counts["past"], foreseen.counts["created"])
        report = dispatcher.enrol.run(rows, actor)
        assert (2, 1, 1, 0) == tuple(report.counts[name] for name in ("read", "past", "created", "rejected"))
        assert ["Meikäläinen"] == [each.name.split()[-1] for each in dispatcher.register.listed("")]
        workshop.clock.advance(timedelta(days=1))
        again = dispatcher.enrol.run(rows, actor)
        assert (1, 1) == (again.counts["past"], again.counts["unchanged"])


def test_an_import_brings_nobody_back_whom_retention_has_removed(workshop: Workshop) -> None:
    """The same export the day after changes nothing: who was removed stays away until they visit again."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, OLD.format(YEAR_AGO), MAIJA)
        dispatcher.retention.run(actor, confirm=True)
        report = dispatcher.enrol.run(workshop.register(OLD.format(YEAR_AGO), MAIJA), actor)
        assert (1, 1, 1) == (report.counts["past"], report.counts["unchanged"], numbers(dispatcher))
        dispatcher.enrol.run(workshop.register(OLD.format("23.11.2026"), MAIJA), actor)
        assert 2 == numbers(dispatcher)


def test_the_objection_of_somebody_whose_year_is_over_is_heard(workshop: Workshop) -> None:
    """Once: whoever comes by the address or the number is silenced, and the same export again keeps nothing more."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        past = workshop.register(OLD.format(YEAR_AGO).replace("kyllä;;3.10.2026", "kyllä;peruttu;3.10.2026"), MAIJA)
        dispatcher.enrol.run(past, actor)
        records = dispatcher.store.journal.last()
        workshop.clock.advance(timedelta(days=1))
        assert 1 == dispatcher.enrol.run(past, actor).counts["past"]
        assert records == dispatcher.store.journal.last()
        enrol(workshop, dispatcher, OLD.format("23.11.2026").replace(";;3.10", ";kyllä;3.10"), days_ago=0)
        standing = dispatcher.erasing.prospect(dispatcher.register.find("Olga")).objections
        assert [Channel.SMS] == [each.channel for each in standing]


def test_a_doubtful_row_whose_year_is_over_makes_no_new_client(workshop: Workshop) -> None:
    """Not even where a person says that it is somebody new."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, OLD.format("3.10.2026").replace("1;", ";", 1), MAIJA.replace("2;", ";", 1))
        both = "9;Olga;Toinen;olga@posti.example;040 123 4568;fi;{};;;"
        row = workshop.register(both.format(YEAR_AGO))
        report = dispatcher.enrol.run(row, actor, guidance=Guidance(matches={2: NEW_CLIENT}))
        assert (1, 0, 2) == (report.counts["past"], report.counts["rejected"], numbers(dispatcher))


def test_an_undated_objection_of_a_stranger_is_heard_again(workshop: Workshop) -> None:
    """L-07: the same row once more may tell of a no that was said since, and outlasts a yes from between."""
    stranger = workshop.register("99;=Tuntematon;M;maija@posti.example;;fi;;peruttu;;", name="stranger.csv")
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(stranger, actor)
        workshop.clock.advance(timedelta(days=1))
        enrol(workshop, dispatcher, MAIJA, days_ago=0)
        maija = dispatcher.register.find("Maija")
        said = Said(Reply.GRANTED, Channel.EMAIL, Place.PHONE, "Saako lähettää sähköpostia?")
        workshop.clock.advance(timedelta(days=1))
        dispatcher.answering.record(maija, [said], actor)
        assert [] == list(dispatcher.erasing.prospect(maija).objections)
        workshop.clock.advance(timedelta(days=1))
        dispatcher.enrol.run(stranger, actor)
        assert [Channel.EMAIL] == [each.channel for each in dispatcher.erasing.prospect(maija).objections]


def test_an_undated_objection_of_somebody_whose_year_is_over_is_kept_once_and_ends(workshop: Workshop) -> None:
    """L-36: the same export again adds nothing to the journal and moves no end; after it nothing is kept anew."""
    row = OLD.format("1.10.2025").replace("kyllä;;3.10.2026", "peruttu;;")
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        past = workshop.register(row, MAIJA)

        def ends() -> list[datetime]:
            dispatcher.enrol.run(past, actor)
            with dispatcher.store.reading() as connection:
                return list(connection.scalars(select(SuppressionTable.expires_at)))

        first, records = ends(), dispatcher.store.journal.last()
        assert 2 == len(first)
        for _ in range(3):
            workshop.clock.advance(timedelta(days=100))
            assert (first, records) == (ends(), dispatcher.store.journal.last())
        workshop.clock.advance(timedelta(days=155))
        read(dispatcher)
        dispatcher.retention.run(actor, confirm=True)
        dispatcher.enrol.run(workshop.register(MAIJA.replace("3.10.2026", "1.2.2028"), row), actor)
        with dispatcher.store.reading() as connection:
            assert [] == list(connection.scalars(select(SuppressionTable.id)))


def test_a_dry_run_does_not_gather_those_whose_year_is_over(workshop: Workshop) -> None:
    """What is not written is let go of with its chunk, however long the file is."""
    rows = [f"{n};N;E;n{n}@posti.example;;fi;{YEAR_AGO};peruttu;;" for n in range(300)]
    most: list[int] = []

    def note(_done: int, _all: int) -> None:
        gc.collect()
        most.append(sum(isinstance(each, Stranger) for each in gc.get_objects()))

    with workshop.opened() as dispatcher:
        report = dispatcher.enrol.run(
            workshop.register(*rows), dispatcher.persons.acting(None), dry_run=True, progress=note
        )
    assert (300, 0) == (report.counts["past"], max(most))
