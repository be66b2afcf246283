"""Register export -> clients, addresses and answers: what is written, what is refused, and what never changes twice."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.errors import RegisterFileError
from dispatcher.flow.enrol import EnrolReport
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState
from dispatcher.storage import clients, ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import HEADER, Workshop

MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"


def enrol(dispatcher: Dispatcher, path: Path, *, dry_run: bool = False) -> EnrolReport:
    """Import a file as the owner."""
    return dispatcher.enrol.run(path, dispatcher.persons.acting(None), dry_run=dry_run)


def entries(dispatcher: Dispatcher) -> int:
    """Return how many entries the ledger holds."""
    with dispatcher.store.reading() as connection:
        return sum(1 for _ in ledger.entries(connection))


def state(dispatcher: Dispatcher, words: str, channel: Channel = Channel.EMAIL) -> ConsentState:
    """Return the state of the one client these words fit."""
    return dispatcher.register.listed(words)[0].consents[channel].state


def test_a_row_becomes_a_client_with_addresses_and_answers(workshop: Workshop) -> None:
    """A row with a yes to both questions is a client who may be written to by both channels."""
    with workshop.opened() as dispatcher:
        report = enrol(dispatcher, workshop.register(MAIJA))
        assert dict(report.counts) == {"read": 1, "created": 1}
        assert report.may_write is not None
        assert dict(report.may_write.send) == {"email": 1}
        found = dispatcher.register.listed("Meikäläinen")[0]
        assert (found.name, found.language) == ("Maija Meikäläinen", "fi")
        assert found.addresses == {Channel.EMAIL: "m***@p***.example", Channel.SMS: "+358*****67"}


def test_the_same_file_twice_changes_nothing(workshop: Workshop) -> None:
    """Importing the same file again writes nothing at all, not even to the ledger."""
    with workshop.opened() as dispatcher:
        path = workshop.register(MAIJA, "2;;;x@posti.example;;;;ei;;1.2.2026")
        enrol(dispatcher, path)
        before = entries(dispatcher)
        report = enrol(dispatcher, path)
        assert dict(report.counts) == {"read": 2, "unchanged": 2}
        assert entries(dispatcher) == before


def test_a_dry_run_says_the_same_and_changes_nothing(workshop: Workshop) -> None:
    """A dry run counts as the real run does, duplicates included, and writes nothing."""
    with workshop.opened() as dispatcher:
        path = workshop.register(MAIJA, MAIJA, MAIJA.replace("Maija", "Marja"))
        before = entries(dispatcher)
        dry = enrol(dispatcher, path, dry_run=True)
        assert entries(dispatcher) == before
        with dispatcher.store.reading() as connection:
            assert clients.count(connection) == 0
        real = enrol(dispatcher, path)
    assert dict(dry.counts) == dict(real.counts) == {"read": 3, "created": 1, "unchanged": 1, "rejected": 1}


def test_one_bad_row_never_loses_the_good_ones(workshop: Workshop) -> None:
    """A row that cannot be taken is rejected with its number; the others are taken."""
    with workshop.opened() as dispatcher:
        report = enrol(dispatcher, workshop.register("7;X;Y;not-an-address;;fi;;kyllä;;3.1.2026", MAIJA))
        assert dict(report.counts) == {"read": 2, "rejected": 1, "created": 1}
        assert [each.row for each in report.rejected] == [2]


def test_a_broken_file_changes_nothing(workshop: Workshop) -> None:
    """A file that cannot be read to its end is refused whole."""
    with workshop.opened() as dispatcher:
        path = workshop.register(MAIJA, '2;"open;;e@posti.example;;fi;;kyllä;;3.1.2026')
        before = entries(dispatcher)
        with pytest.raises(RegisterFileError, match=r"register\.csv"):
            enrol(dispatcher, path)
        assert entries(dispatcher) == before


def test_a_row_that_fits_two_clients_is_rejected_naming_both(workshop: Workshop) -> None:
    """A row without a customer number whose email is one client's and whose phone another's is asked, not guessed."""
    header = HEADER.replace("asiakasnumero;", "")
    with workshop.opened() as dispatcher:
        enrol(
            dispatcher,
            workshop.register(
                "A;A;a@posti.example;;fi;;kyllä;;3.1.2026", "B;B;;0401234567;fi;;;kyllä;3.1.2026", header=header
            ),
        )
        path = workshop.register("C;C;a@posti.example;0401234567;fi;;kyllä;;4.1.2026", header=header)
        report = enrol(dispatcher, path)
        assert dict(report.counts) == {"read": 1, "rejected": 1}
        assert "a***@p***.example" in report.rejected[0].reason
        assert "+358*****67" in report.rejected[0].reason


def test_a_no_in_a_doubtful_row_is_kept_for_whoever_it_fits(workshop: Workshop) -> None:
    """A no needs nothing: in a row that fits two clients it is recorded for both."""
    header = HEADER.replace("asiakasnumero;", "")
    with workshop.opened() as dispatcher:
        enrol(
            dispatcher,
            workshop.register(
                "A;A;a@posti.example;;fi;;kyllä;;3.1.2026", "B;B;;0401234567;fi;;kyllä;kyllä;3.1.2026", header=header
            ),
        )
        enrol(dispatcher, workshop.register("C;C;a@posti.example;0401234567;fi;;ei;;4.1.2026", header=header))
        assert state(dispatcher, "a@posti") is ConsentState.DECLINED
        assert state(dispatcher, "358401234567") is ConsentState.DECLINED


def test_a_no_in_a_rejected_row_is_kept(workshop: Workshop) -> None:
    """A name nobody could take in costs the row its changes, never its no."""
    with workshop.opened() as dispatcher:
        enrol(dispatcher, workshop.register(MAIJA))
        hostile = "1;=cmd|x;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;ei;ei;4.1.2026"
        report = enrol(dispatcher, workshop.register(hostile))
        assert report.counts["rejected"] == 1
        assert state(dispatcher, "maija") is ConsentState.DECLINED


def test_a_changed_address_carries_no_older_yes(workshop: Workshop) -> None:
    """L-31: who comes with a new email address has not said yes for it until the question is answered again."""
    with workshop.opened() as dispatcher:
        enrol(dispatcher, workshop.register(MAIJA))
        moved = MAIJA.replace("maija@posti.example", "uusi@posti.example")
        workshop.clock.advance(timedelta(hours=1))
        report = enrol(dispatcher, workshop.register(moved))
        assert report.may_write is not None
        assert dict(report.may_write.send) == {"sms": 1}
        asked_again = moved.replace("kyllä;kyllä;3.1.2026", "kyllä;kyllä;5.2.2026")
        report = enrol(dispatcher, workshop.register(asked_again))
        assert report.may_write is not None
        assert dict(report.may_write.send) == {"email": 1}


def test_customers_who_share_an_address_stay_two(workshop: Workshop) -> None:
    """Two customer numbers with one inbox are two clients."""
    with workshop.opened() as dispatcher:
        report = enrol(
            dispatcher,
            workshop.register(
                "1;Maija;M;koti@posti.example;;fi;;kyllä;;3.1.2026", "2;Matti;M;koti@posti.example;;fi;;kyllä;;3.1.2026"
            ),
        )
        assert report.counts["created"] == 2


def test_an_older_yes_never_overturns_a_later_no(workshop: Workshop) -> None:
    """L-07: a no from the desk stands when an import brings a yes from before it, and yields to one from after it."""
    with workshop.opened() as dispatcher:
        enrol(dispatcher, workshop.register(MAIJA))
        number = dispatcher.register.find("maija@posti.example")
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))
        enrol(dispatcher, workshop.register(MAIJA.replace("3.1.2026\n", "4.1.2026")))
        enrol(dispatcher, workshop.register(MAIJA.replace("kyllä;kyllä;3.1.2026", "kyllä;kyllä;20.11.2026")))
        assert state(dispatcher, "maija") is ConsentState.WITHDRAWN


def test_what_is_no_business_of_marketing_never_enters(workshop: Workshop, tmp_path: Path) -> None:
    """L-43: a treatment and a note in the file are named as left out, and are nowhere in the database."""
    with workshop.opened() as dispatcher:
        path = workshop.register(MAIJA + ";raskaushieronta;selkäkipu", header=HEADER + ";hoito;muistiinpanot")
        report = enrol(dispatcher, path)
        assert report.dropped == ("hoito", "muistiinpanot")
        path.unlink()
    for file in [path for path in tmp_path.rglob("*") if path.is_file()]:
        assert b"raskaushieronta" not in file.read_bytes(), file


def test_a_missing_column_of_answers_is_said(workshop: Workshop) -> None:
    """An answer column that the settings name and the file lacks is reported, not passed over."""
    with workshop.opened() as dispatcher:
        header = HEADER.replace("markkinointilupa", "lupa markkinointiin")
        report = enrol(dispatcher, workshop.register(MAIJA, header=header))
        assert report.missing == ("markkinointilupa",)
        assert "lupa markkinointiin" in report.dropped
