"""A studio whose first year is closed, and has been kept for its time: what the tests of its destruction begin with."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import func, select

from dispatcher.rules.actor import duty
from dispatcher.rules.destroyed import MESSAGES
from dispatcher.rules.seal import SealReason
from dispatcher.storage.tables import LedgerDestroyedTable, LedgerEntryTable, OutboxTable, ProgressTable
from dispatcher.wiring import Dispatcher
from tests.flow.two_campaigns import a_run
from tests.workshop import Workshop

YEAR = 2026
OVER = datetime(2029, 1, 2, 9, 0, tzinfo=UTC)
"""When the year has been kept for its time: two closed years have followed it."""
THIRD = datetime(2027, 2, 2, 8, 0, tzinfo=UTC)


def closed_in(workshop: Workshop, dispatcher: Dispatcher, year: int) -> None:
    """Let the year before this one be closed, as the duty does it."""
    workshop.clock.set(OVER.replace(year=year))
    assert dispatcher.auditing.closing.when_due() is not None


def kept(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Live through two campaigns of the year and one of the next, and close three years."""
    a_run(workshop, dispatcher)
    dispatcher.auditing.sealing.set(SealReason.CAMPAIGN, duty("test"))
    closed_in(workshop, dispatcher, 2027)
    dispatcher.schedule.run(workshop.campaign("three", THIRD), dispatcher.persons.acting(None))
    workshop.clock.set(THIRD)
    asyncio.run(dispatcher.rounds.once())
    closed_in(workshop, dispatcher, 2028)
    closed_in(workshop, dispatcher, 2029)


def counts(dispatcher: Dispatcher) -> tuple[int, int, int, int]:
    """Return how many entries of the year's messages, stubs, rows of its outbox and sums of it there are."""
    tables: list[tuple[type, object]] = [
        (LedgerEntryTable, LedgerEntryTable.kind.in_(sorted(MESSAGES)) & LedgerEntryTable.campaign.in_((1, 2))),
        (LedgerDestroyedTable, LedgerDestroyedTable.year == YEAR),
        (OutboxTable, OutboxTable.campaign.in_((1, 2))),
        (ProgressTable, ProgressTable.campaign.in_((1, 2))),
    ]
    with dispatcher.store.reading() as connection:
        found = [connection.scalar(select(func.count()).select_from(each).where(which)) for each, which in tables]  # type: ignore[arg-type]
    entries, stubs, rows, sums = (int(each or 0) for each in found)
    return entries, stubs, rows, sums


def names_of(dispatcher: Dispatcher, *campaigns: int) -> set[str]:
    """Return the ids of the messages of these campaigns, as the outbox has them."""
    with dispatcher.store.reading() as connection:
        return set(connection.scalars(select(OutboxTable.message_id).where(OutboxTable.campaign.in_(campaigns))))
