"""Who said no before, and to others: an objection of each, known or not, that holds whoever comes when."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.errors import RegisterFileError
from dispatcher.flow.no_list import NoListReport, System
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Reason
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

ANNA = "1;Anna;A;anna@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;{day}"
BERIT = "2;Berit;B;berit@posti.example;;sv;3.1.2026;kyllä;;{day}"
HOME = "3;Carl;C;anna@posti.example;;sv;3.1.2026;kyllä;;{day}"


def take(
    workshop: Workshop, dispatcher: Dispatcher, *lines: str, system: System | None = None, dry_run: bool = False
) -> NoListReport:
    """Take in a list of these lines as the owner."""
    path = workshop.directory / "no.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return dispatcher.no_lists.run(path, dispatcher.persons.acting(None), system, dry_run=dry_run)


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str, day: str = "3.1.2026") -> dict[str, int]:
    """Import these clients, who said yes that day; return why who is withheld, and who may be written to."""
    path = workshop.register(*(row.format(day=day) for row in rows))
    found = dispatcher.enrol.run(path, dispatcher.persons.acting(None)).may_write
    assert found is not None
    return dict(found.withhold + found.send)


def written(dispatcher: Dispatcher) -> tuple[int, int]:
    """Return how many entries the ledger has, and how many records the journal."""
    with dispatcher.store.reading() as connection:
        return sum(1 for _ in ledger.entries(connection)), dispatcher.store.journal.last()


def test_the_known_and_the_unknown_are_silenced(workshop: Workshop) -> None:
    """L-01: each client who has a listed address gets a no to every channel; the others' hashes wait for them."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ANNA)
        report = take(workshop, dispatcher, "040 123 4567", "berit@posti.example", "nonsense")
        assert (3, 2, 1, 1) == (report.lines, report.addresses, report.clients, report.strangers)
        assert [3] == [line for line, _ in report.rejected]
        last = dispatcher.register.history(dispatcher.register.find("anna"))[-1].answer
        assert (Reply.WITHDRAWN, None, Place.DESK) == (last.reply, last.channel, last.place)
        assert last.not_before == last.not_after == workshop.clock()
        assert {Reason.OBJECTION.value: 2} == enrol(workshop, dispatcher, ANNA, BERIT)


def test_everybody_who_has_the_address_is_silenced(workshop: Workshop) -> None:
    """L-31: an address that two clients share says no for both."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ANNA, HOME)
        assert 2 == take(workshop, dispatcher, "anna@posti.example").clients
        assert {Reason.OBJECTION.value: 2} == enrol(workshop, dispatcher, ANNA, HOME)


def test_a_client_is_heard_once_in_a_list(workshop: Workshop) -> None:
    """By email and by phone, pages apart, one client says one no; the next day's list moves it on."""
    filler = [f"c{number}@posti.example" for number in range(150)]
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ANNA)
        lines = ["anna@posti.example", *filler, "040 123 4567"]
        assert (1, 150) == (take(workshop, dispatcher, *lines).clients, take(workshop, dispatcher, *lines).strangers)
        number = dispatcher.register.find("anna")
        workshop.clock.advance(timedelta(days=1))
        take(workshop, dispatcher, *lines)
        noes = [told.answer for told in dispatcher.register.history(number) if told.answer.reply is Reply.WITHDRAWN]
        assert workshop.clock() == noes[-1].latest()


def test_again_the_no_moves_on(workshop: Workshop) -> None:
    """A yes from between two lists is overturned by the second one, for the unknown as well."""
    with workshop.opened() as dispatcher:
        take(workshop, dispatcher, "anna@posti.example", "berit@posti.example")
        between = workshop.clock.advance(timedelta(days=2))
        workshop.clock.advance(timedelta(days=2))
        take(workshop, dispatcher, "anna@posti.example")
        day = f"{between:%d.%m.%Y}"
        assert {Reason.OBJECTION.value: 1, "email": 1} == enrol(workshop, dispatcher, ANNA, BERIT, day=day)


def test_a_dry_run_counts_the_same_and_writes_nothing(workshop: Workshop) -> None:
    """What a dry run says is what happens then."""
    lines = ["anna@posti.example", "040 123 4567", "x@posti.example", "nonsense"]
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ANNA)
        before = written(dispatcher)
        dry = take(workshop, dispatcher, *lines, dry_run=True)
        assert before == written(dispatcher)
        real = take(workshop, dispatcher, *lines)
        assert (dry.addresses, dry.clients, dry.strangers, dry.rejected) == (3, 1, 1, real.rejected)
        assert (dry.addresses, dry.clients, dry.strangers) == (real.addresses, real.clients, real.strangers)


def test_a_list_of_another_system(workshop: Workshop) -> None:
    """Who left Mailchimp has said no to a provider; a broken export changes nothing."""
    header = "Email Address,UNSUB_TIME,NOTES"
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ANNA, BERIT)
        before = written(dispatcher)
        with pytest.raises(RegisterFileError, match="quotation mark"):
            take(workshop, dispatcher, header, "anna@posti.example,2024,", 'x,"', system=System.MAILCHIMP)
        assert before == written(dispatcher)
        rows = ("anna@posti.example,2024-01-01 10:00:00,", "berit@posti.example,,")
        report = take(workshop, dispatcher, header, *rows, system=System.MAILCHIMP)
        assert (1, 1) == (report.clients, report.skipped)
        last = dispatcher.register.history(dispatcher.register.find("anna"))[-1].answer
        assert (Reply.WITHDRAWN, Place.PROVIDER) == (last.reply, last.place)
        assert {Reason.OBJECTION.value: 1, "email": 1} == enrol(workshop, dispatcher, ANNA, BERIT)


def test_a_list_survives_a_restore(workshop: Workshop, tmp_path: Path) -> None:
    """Invariant 4: noes taken in after the copy was made come back from the journal, those of the unknown as well."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ANNA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        take(workshop, dispatcher, "anna@posti.example", "berit@posti.example")
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert {Reason.OBJECTION.value: 2} == enrol(workshop, dispatcher, ANNA, BERIT)
