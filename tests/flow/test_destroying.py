"""A closed year that was kept for its time is destroyed: its messages go, and what is left proves the rest (L-37)."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from dispatcher.errors import RefusedError
from dispatcher.rules.actor import duty
from dispatcher.rules.destroyed import MESSAGES
from dispatcher.rules.seal import SealReason
from dispatcher.storage.tables import LedgerDestroyedTable, LedgerEntryTable, OutboxTable, ProgressTable
from dispatcher.wiring import Dispatcher
from tests.flow.test_deciding_again import a_run
from tests.workshop import Workshop

YEAR = 2026
OVER = datetime(2029, 1, 2, 9, 0, tzinfo=UTC)


def kept(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Live through two campaigns of the year, and close it and the two that follow."""
    a_run(workshop, dispatcher)
    dispatcher.auditing.sealing.set(SealReason.CAMPAIGN, duty("test"))
    for year in (2027, 2028, 2029):
        workshop.clock.set(OVER.replace(year=year))
        assert dispatcher.auditing.closing.when_due() is not None


def counts(dispatcher: Dispatcher) -> tuple[int, int, int, int]:
    """Return how many entries of messages, stubs, rows of the outbox and sums of it there are."""
    with dispatcher.store.reading() as connection:
        of_messages = LedgerEntryTable.kind.in_(sorted(MESSAGES))
        queries = (
            select(func.count()).select_from(LedgerEntryTable).where(of_messages),
            *(select(func.count()).select_from(each) for each in (LedgerDestroyedTable, OutboxTable, ProgressTable)),
        )
        entries, stubs, rows, sums = (int(connection.scalar(query) or 0) for query in queries)
    return entries, stubs, rows, sums


def test_a_year_that_was_kept_for_its_time_is_destroyed(workshop: Workshop) -> None:
    """Shown first, destroyed once a person has said so; all that is left holds, and says when, and under which seal."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        destroying, audit = dispatcher.auditing.destroying, dispatcher.audit
        assert () == audit.verify().findings
        before, paper = counts(dispatcher), audit.year(YEAR)
        with pytest.raises(RefusedError, match="The messages of 2026 have been kept for their time"):
            destroying.work(duty("destruction"))
        [due] = destroying.show().due
        assert (YEAR, (1, 2), None) == (due.year, due.campaigns, due.refusal)
        assert before == counts(dispatcher)
        [gone] = destroying.run(actor, confirm=True)
        found, again = audit.verify(), audit.year(YEAR)
        assert (0, gone.entries, 0, 0) == counts(dispatcher)
        assert () == destroying.show().due
        assert destroying.work(duty("destruction")) is None
    said = f"The messages of 2026 were destroyed on 2029-01-02 under the promise, checked under seal {gone.seal}."
    assert () == found.findings
    assert said in found.remarks
    assert () == again.findings
    assert said in again.remarks
    assert gone.entries == due.entries
    assert again.destroyed is not None
    assert (paper.messages.left, paper.messages.clients) == (again.destroyed.messages, again.destroyed.clients)
    assert (paper.slots.spent, paper.slots.days) == (again.slots.spent, again.slots.days)
