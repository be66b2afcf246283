"""A whole register says who is no longer there: withheld at once, told, and back when a register names them again."""

from datetime import date

import pytest

from dispatcher.errors import RefusedError
from dispatcher.flow import presence
from dispatcher.flow.answering import Newcomer
from dispatcher.flow.doubts import Guidance
from dispatcher.flow.enrol import EnrolReport
from dispatcher.register_files import RejectedRow
from dispatcher.rules.absence import Absence
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.decision import Reason
from dispatcher.storage import ledger, readings
from dispatcher.wiring import Dispatcher
from tests.workshop import HEADER, Workshop

WHOLE = Guidance(is_whole=True)
SURE = Guidance(is_whole=True, missing_ok=True)


def row(number: int, *, email: str | None = None, phone: str = "") -> str:
    """Return a client with this customer number, who said yes to email."""
    return f"{number};Nimi{number};X;{email or f'c{number}@posti.example'};{phone};fi;3.1.2026;kyllä;;3.1.2026"


def rows(*numbers: int) -> list[str]:
    """Return clients with these customer numbers."""
    return [row(number) for number in numbers]


def enrol(workshop: Workshop, dispatcher: Dispatcher, lines: list[str], guidance: Guidance = WHOLE) -> EnrolReport:
    """Import these rows as the owner."""
    return dispatcher.enrol.run(workshop.register(*lines), dispatcher.persons.acting(None), guidance=guidance)


def events(dispatcher: Dispatcher) -> list[tuple[int | None, str]]:
    """Return who was gone and who was back, in order."""
    with dispatcher.store.reading() as connection:
        told = [(entry.client, str(entry.data()["event"])) for entry in ledger.entries(connection, ["client"])]
    return [(client, event) for client, event in told if event in {"gone", "back"}]


def withheld(report: EnrolReport) -> dict[str, int]:
    """Return for how many clients there is which reason not to write."""
    assert report.may_write is not None
    return dict(report.may_write.withhold)


def test_who_is_missing_is_withheld_at_once_and_listed(workshop: Workshop) -> None:
    """A client missing from the whole register gets nothing from now on, and the report says until when they stay."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, rows(*range(1, 12)))
        lost = dispatcher.register.find("c11@posti.example")
        report = enrol(workshop, dispatcher, rows(*range(1, 11)))
        assert {Reason.GONE_FROM_REGISTER.value: 1} == withheld(report)
        [gone] = report.gone
        assert (lost, ("c***@p***.example",), date(2026, 1, 3)) == (gone.number, gone.addresses, gone.last_visit)
        assert (date(2026, 12, 23), 1, Absence(1, 11)) == (report.removed_on, report.counts["gone"], report.absence)
        assert [(lost, "gone")] == events(dispatcher)
        assert [] == enrol(workshop, dispatcher, rows(*range(1, 11))).gone


def test_who_is_back_may_be_written_to_again(workshop: Workshop) -> None:
    """The next register that names them, a part as well, ends it; the ledger has both and the audit reads it."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, rows(1, 2))
        lost = dispatcher.register.find("c2@posti.example")
        enrol(workshop, dispatcher, rows(1), SURE)
        report = enrol(workshop, dispatcher, rows(2), Guidance())
        assert (1, {}) == (report.counts["back"], withheld(report))
        assert [(lost, "gone"), (lost, "back")] == events(dispatcher)
        assert not dispatcher.audit.year(2026).findings


def test_a_part_of_the_register_leaves_nobody_gone(workshop: Workshop) -> None:
    """With --partial nobody is missing, however few the file names."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, rows(1, 2, 3))
        report = enrol(workshop, dispatcher, rows(1), Guidance())
        assert ([], None, {}) == (report.gone, report.absence, withheld(report))


def test_who_never_came_from_a_register_is_never_gone(workshop: Workshop) -> None:
    """A client from the desk stays, whatever registers come and go."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        newcomer = Newcomer("Tiina", "Tiski", Language.FI, {Channel.EMAIL: "tiina@posti.example"})
        dispatcher.answering.enlist(newcomer, [], actor)
        enrol(workshop, dispatcher, rows(1))
        assert [] == enrol(workshop, dispatcher, rows(1)).gone


def test_the_desk_and_the_register_join(workshop: Workshop) -> None:
    """Who was taken down at the desk gets number, name and visit from the next register, and keeps what they said."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        by_address = {Channel.EMAIL: "tiina@posti.example"}
        number = dispatcher.answering.enlist(Newcomer("Tiina", "", Language.FI, by_address), [], actor)
        dispatcher.preferences.withdraw(number, actor)
        enrol(workshop, dispatcher, [row(7, email="tiina@posti.example")])
        found = dispatcher.register.listed()
        assert [(number, "Nimi7 X")] == [(each.number, each.name) for each in found]
        assert {"withdrawn"} == {consent.state.value for consent in found[0].consents.values()}
        moved = enrol(workshop, dispatcher, [row(7, email="uusi@posti.example")])
        assert (1, 0) == (moved.counts["updated"], moved.counts["created"])
        assert {Reason.OBJECTION.value: 1} == withheld(moved)
        assert [number] == [each.number for each in enrol(workshop, dispatcher, rows(8), SURE).gone]


def test_a_rejected_or_doubtful_row_names_its_client_too(workshop: Workshop) -> None:
    """Who stands in the register with a bad row is there all the same."""
    header = HEADER.replace("asiakasnumero;", "")
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        lines = ["A;A;a@posti.example;;fi;;kyllä;;3.1.2026", "B;B;;0401234567;fi;;;kyllä;3.1.2026"]
        dispatcher.enrol.run(workshop.register(*lines, header=header), actor, guidance=WHOLE)
        bad = workshop.register("=A;A;a@posti.example;0401234567;fi;;kyllä;;3.1.2026", header=header)
        report = dispatcher.enrol.run(bad, actor, guidance=WHOLE)
        assert (1, []) == (report.counts["rejected"], report.gone)
        doubtful = workshop.register("C;C;a@posti.example;0401234567;fi;;kyllä;;3.1.2026", header=header)
        report = dispatcher.enrol.run(doubtful, actor, guidance=WHOLE)
        assert (1, []) == (report.counts["rejected"], report.gone)


def test_more_than_a_tenth_missing_stops_before_anything_changes(workshop: Workshop) -> None:
    """Without a word that it is right, nothing is written, not even the good rows."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, rows(*range(1, 11)))
        before = len(dispatcher.register.listed())
        with pytest.raises(RefusedError, match=r"2 of the 10.*--partial.*--missing-ok"):
            enrol(workshop, dispatcher, rows(*range(1, 9), 50))
        assert (before, []) == (len(dispatcher.register.listed()), events(dispatcher))
        asked: list[Absence] = []

        def agree(absence: Absence) -> bool:
            asked.append(absence)
            return True

        report = enrol(workshop, dispatcher, rows(*range(1, 9), 50), Guidance(is_whole=True, agree=agree))
        assert ([Absence(2, 10)], 2) == (asked, len(report.gone))


def test_a_dry_run_says_who_would_be_gone(workshop: Workshop) -> None:
    """A dry run of a register that lacks nearly everybody is not refused: it says so."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, rows(1, 2, 3))
        path = workshop.register(*rows(1))
        report = dispatcher.enrol.run(path, dispatcher.persons.acting(None), guidance=WHOLE, dry_run=True)
        assert (Absence(2, 3), [], []) == (report.absence, report.gone, events(dispatcher))


def test_what_is_foretold_comes_true(workshop: Workshop) -> None:
    """The look ahead matches as the import does: by number, by address, and not by an address under another number."""
    before = [row(1), row(2, phone="040 123 4567"), row(3), row(4), row(5, email="c4@posti.example")]
    after = [row(1, email="x@posti.example"), row(6, email="c3@posti.example"), row(4)]
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, before)
        report = enrol(workshop, dispatcher, after, Guidance(is_whole=True, agree=lambda _: True))
        assert report.absence == Absence(len(report.gone), 5) == Absence(3, 5)


def test_a_first_import_is_not_read_twice(workshop: Workshop) -> None:
    """Where no register has named anybody, the look ahead does not touch the file."""
    with workshop.opened() as dispatcher:
        rows_of_file = iter([RejectedRow(2, "", "")])
        assert Absence(0, 0) == presence.foretell(dispatcher.store, rows_of_file)
        assert 1 == len(list(rows_of_file))


def test_a_crash_in_the_middle_leaves_nobody_gone(workshop: Workshop) -> None:
    """A reading that was cut short has no end, and nobody is gone because of it."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, rows(*range(1, 301)))

        def break_off(done: int, _: int) -> None:
            if done > 100:
                raise KeyboardInterrupt

        path = workshop.register(*rows(*range(1, 291)))
        with pytest.raises(KeyboardInterrupt):
            dispatcher.enrol.run(path, dispatcher.persons.acting(None), guidance=WHOLE, progress=break_off)
        assert [] == events(dispatcher)
        with dispatcher.store.reading() as connection:
            last = readings.last_whole(connection)
        assert last is not None
        assert 300 == last.rows
        assert 10 == len(enrol(workshop, dispatcher, rows(*range(1, 291))).gone)


def test_the_share_of_bookings_with_the_question(workshop: Workshop) -> None:
    """A visit later than the last answer is a booking without the question; who never visited does not count."""
    with workshop.opened() as dispatcher:
        report = enrol(
            workshop,
            dispatcher,
            [
                "1;A;A;a@posti.example;;fi;3.1.2026;kyllä;;3.1.2026",
                "2;B;B;b@posti.example;;fi;4.1.2026;ei;;3.1.2026",
                "3;C;C;c@posti.example;;fi;3.1.2026;;;",
                "4;D;D;d@posti.example;;fi;;kyllä;;3.1.2026",
            ],
        )
        assert report.asked is not None
        assert {"visited": 3, "asked": 1, "share": 0.333} == report.asked.as_json()
