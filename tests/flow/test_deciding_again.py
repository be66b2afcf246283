"""Any message can be decided again from the ledger alone: the Send holds the facts it used (invariants 1 and 9)."""

import asyncio
from datetime import timedelta

from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import ledger
from tests.deciding_again import decided_again
from tests.flow.two_campaigns import FIRST, ROWS, a_run
from tests.workshop import Workshop


def test_every_message_of_a_run_is_decided_again_from_the_ledgers_bytes(workshop: Workshop) -> None:
    """Invariant 9: each Send follows from the entries before it, by the same function, to the same answer."""
    with workshop.opened() as dispatcher:
        a_run(workshop, dispatcher)
        again = decided_again(dispatcher.store)
        with dispatcher.store.reading() as connection:
            sends = list(ledger.entries(connection, [EntryKind.SEND.value]))
            terms = list(ledger.entries(connection, [EntryKind.TERMS.value]))
    assert ([], len(sends)) == (again.findings, again.decided)
    assert len(sends) >= 6
    assert [1, 2] == [entry.campaign for entry in terms]
    by_sms = [entry.data().get("passed_over") for entry in sends if entry.campaign == 2 and entry.channel == "sms"]
    assert {"email": "objection"} in by_sms
    assert ["treatment_day"] in [entry.data().get("declined") for entry in sends]


def test_terms_are_written_again_only_when_they_are_others(workshop: Workshop) -> None:
    """A campaign that goes out in several looks under the same settings names one entry of terms."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(*ROWS), actor)
        dispatcher.schedule.run(workshop.campaign("one", FIRST), actor)
        for minutes in range(3):
            workshop.clock.set(FIRST + timedelta(minutes=minutes))
            asyncio.run(dispatcher.rounds.once())
        with dispatcher.store.reading() as connection:
            terms = list(ledger.entries(connection, [EntryKind.TERMS.value]))
            sends = list(ledger.entries(connection, [EntryKind.SEND.value]))
    assert 1 == len(terms)
    assert {terms[0].id} == {entry.data()["terms"] for entry in sends}
