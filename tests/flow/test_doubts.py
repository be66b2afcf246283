"""A row that may be several clients is asked about; what a person says is done, and stands in the ledger."""

import pytest

from dispatcher.flow.doubts import Guidance
from dispatcher.flow.enrol import EnrolReport
from dispatcher.flow.matching import NEW_CLIENT, Doubt
from dispatcher.rules.consent import ConsentState
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import HEADER, Workshop

BARE = HEADER.replace("asiakasnumero;", "")
ANNA = "Anna;A;anna@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
BERIT = "Berit;B;;0401234567;fi;;;kyllä;3.1.2026"
DOUBTFUL = "Cilla;C;anna@posti.example;0401234567;fi;;kyllä;;4.1.2026"


def enrol(workshop: Workshop, dispatcher: Dispatcher, *lines: str, **guidance: object) -> EnrolReport:
    """Import these rows, which have no customer numbers, as the owner."""
    told = Guidance(**guidance)  # type: ignore[arg-type]  # the tests pass what each of them is about
    path = workshop.register(*lines, header=BARE)
    return dispatcher.enrol.run(path, dispatcher.persons.acting(None), guidance=told)


def matched(dispatcher: Dispatcher) -> list[tuple[str, int | None, object]]:
    """Return each choice of a person: who, of which client, among how many."""
    with dispatcher.store.reading() as connection:
        told = [(each.actor, each.client, each.data()) for each in ledger.entries(connection, ["client"])]
    return [(actor, client, body["candidates"]) for actor, client, body in told if body["event"] == "matched"]


def begin(workshop: Workshop, dispatcher: Dispatcher) -> tuple[int, int]:
    """Import the two clients whom the doubtful row fits, and return their numbers."""
    enrol(workshop, dispatcher, ANNA, BERIT)
    return dispatcher.register.find("anna@posti.example"), dispatcher.register.find("+358401234567")


def test_a_doubtful_row_is_left_and_says_what_to_type(workshop: Workshop) -> None:
    """Nobody is guessed: the row is rejected with numbers, masked addresses, last visit, and the words to type."""
    with workshop.opened() as dispatcher:
        anna, berit = begin(workshop, dispatcher)
        report = enrol(workshop, dispatcher, DOUBTFUL)
        assert ({"read": 1, "rejected": 1}, []) == (dict(report.counts), matched(dispatcher))
        reason = report.rejected[0].reason
        for part in (f"{anna} (a***@p***.example, last visit 3.1.2026)", f"{berit} (+358*****67)"):
            assert part in reason
        assert "--match 2=NUMBER or --match 2=new" in reason
        assert "Cilla" not in reason


def test_a_row_goes_to_the_client_whom_a_person_names(workshop: Workshop) -> None:
    """--match ROW=CLIENT takes the row in as that client's, and the ledger has whose choice it was."""
    with workshop.opened() as dispatcher:
        anna, _ = begin(workshop, dispatcher)
        report = enrol(workshop, dispatcher, DOUBTFUL, matches={2: anna})
        assert {"read": 1, "updated": 1} == dict(report.counts)
        assert "Cilla C" == dispatcher.register.listed("anna@posti.example")[0].name
        assert [("person:1", anna, 2)] == matched(dispatcher)
        again = enrol(workshop, dispatcher, DOUBTFUL)
        assert {"read": 1, "unchanged": 1} == dict(again.counts)


def test_a_row_may_be_a_new_client(workshop: Workshop) -> None:
    """--match ROW=new makes a third client, who shares both addresses; from then on the row is in no doubt."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        report = enrol(workshop, dispatcher, DOUBTFUL, matches={2: NEW_CLIENT})
        assert {"read": 1, "created": 1} == dict(report.counts)
        [(_, new, among)] = matched(dispatcher)
        assert (new, 2) == (dispatcher.register.find("Cilla"), among)
        assert {"read": 1, "unchanged": 1} == dict(enrol(workshop, dispatcher, DOUBTFUL).counts)


def test_nobody_is_named_who_does_not_fit(workshop: Workshop) -> None:
    """A client whom the row does not fit cannot be its client, whoever says so; a row in no doubt needs no word."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        report = enrol(workshop, dispatcher, DOUBTFUL, ANNA, matches={2: 77, 3: NEW_CLIENT, 9: 1})
        assert {"read": 2, "rejected": 1, "unchanged": 1} == dict(report.counts)
        assert "client 77, whom --match names, is not among them" in report.rejected[0].reason
        assert [3, 9] == [row for row, _ in report.remarks]


@pytest.mark.parametrize(("answer", "counts"), [(None, {"rejected": 1}), (NEW_CLIENT, {"created": 1})])
def test_a_person_at_a_terminal_is_asked(workshop: Workshop, answer: int | None, counts: dict[str, int]) -> None:
    """Each doubtful row is shown with its candidates when all others have been taken in; it may be left."""
    asked: list[Doubt] = []

    def choose(doubt: Doubt) -> int | None:
        asked.append(doubt)
        return answer

    with workshop.opened() as dispatcher:
        fits = begin(workshop, dispatcher)
        report = enrol(workshop, dispatcher, DOUBTFUL, ANNA, choose=choose)
        assert {"read": 2, "unchanged": 1, **counts} == {key: count for key, count in report.counts.items() if count}
        assert [sorted(fits)] == [[client.number for client in doubt.candidates] for doubt in asked]
        assert counts.get("rejected", 0) == len(report.rejected)


def test_two_rows_with_one_address_are_asked_about(workshop: Workshop) -> None:
    """Mother and daughter with one inbox and no customer numbers: the second row may be made a client of its own."""
    daughter = ANNA.replace("Anna", "Aino")
    with workshop.opened() as dispatcher:
        assert 1 == enrol(workshop, dispatcher, ANNA, daughter).counts["rejected"]
        report = enrol(workshop, dispatcher, ANNA, daughter, matches={3: NEW_CLIENT})
        assert {"read": 2, "unchanged": 1, "created": 1} == dict(report.counts)
        assert {"Anna A", "Aino A"} == {each.name for each in dispatcher.register.listed()}


def test_one_customer_number_is_one_client(workshop: Workshop) -> None:
    """Two rows with one customer number cannot be two clients; which of them is right, a person may say."""
    rows = [f"1;{name};A;anna@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for name in ("Anna", "Annika")]
    with workshop.opened() as dispatcher:
        path, actor = workshop.register(*rows), dispatcher.persons.acting(None)
        report = dispatcher.enrol.run(path, actor, guidance=Guidance(matches={3: NEW_CLIENT}))
        assert {"read": 2, "created": 1, "rejected": 1} == dict(report.counts)
        assert "cannot be a new client, because its customer number is taken" in report.rejected[0].reason
        number = dispatcher.register.find("anna@posti.example")
        dispatcher.enrol.run(path, actor, guidance=Guidance(matches={3: number}))
        assert ["Annika A"] == [each.name for each in dispatcher.register.listed()]


def test_a_no_in_a_doubtful_row_holds_whatever_is_chosen(workshop: Workshop) -> None:
    """A no is kept for everybody the row fits, also for those who were not chosen."""
    with workshop.opened() as dispatcher:
        anna, _ = begin(workshop, dispatcher)
        no = DOUBTFUL.replace("kyllä;;4.1.2026", "ei;ei;4.2.2026")
        enrol(workshop, dispatcher, no, choose=lambda _: anna)
        states = [consent.state for each in dispatcher.register.listed() for consent in each.consents.values()]
        assert {ConsentState.DECLINED} == set(states)
