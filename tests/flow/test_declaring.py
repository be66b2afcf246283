"""What was sent beside or before the program takes its slot, on a person's word."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import NoSlotError, NotFoundError, RefusedError
from dispatcher.flow.audit_formats import to_text
from dispatcher.rules.budget import Slot, Way
from dispatcher.rules.campaign import Kind
from dispatcher.storage import slots
from dispatcher.storage.journal import JournalKind
from dispatcher.wiring import Dispatcher
from tests.flow.conftest import Tamper
from tests.workshop import Workshop

DAY = date(2026, 2, 3)


def declare(dispatcher: Dispatcher, day: date = DAY, title: str = "Talven tarjous", *ways: Way) -> int:
    """Declare a letter of a hundred and twenty, and return its number."""
    actor = dispatcher.persons.acting(None)
    return dispatcher.declaring.declare(day, title, ways or [Way.LETTER], 120, Kind.OFFER, actor).id


def near(dispatcher: Dispatcher) -> list[Slot]:
    """Return the slots that count around the day."""
    with dispatcher.store.reading() as connection:
        return slots.near(connection, DAY)


def test_a_declaration_counts_and_is_marked(workshop: Workshop) -> None:
    """A letter takes one of the twelve; the audit says what was declared, by whom and when, and adds it up."""
    with workshop.opened() as dispatcher:
        number = declare(dispatcher, DAY, "Talven tarjous", Way.LETTER, Way.EMAIL)
        found = dispatcher.audit.year(2026)
        assert ((), 1, 1, (DAY,)) == (found.findings, found.slots.spent, found.slots.declared, found.slots.days)
        assert {
            "day": "2026-02-03",
            "title": "Talven tarjous",
            "kind": "offer",
            "channels": ["email", "letter"],
            "messages": 120,
            "by": "person:1",
            "declared_on": "2026-11-23",
        } == found.declared[0].as_json()
        assert "Declared, sent beside this program: 3 February 2026 Talven tarjous, 120 messages" in to_text(found)
        assert [number] == [each.id for each in dispatcher.declaring.standing()]


def test_a_wrong_declaration_is_taken_back(workshop: Workshop) -> None:
    """Undone, a declaration frees its slot and leaves the year's audit; both acts stay in the ledger."""
    with workshop.opened() as dispatcher:
        number, actor = declare(dispatcher), dispatcher.persons.acting(None)
        dispatcher.declaring.undo(number, actor)
        found = dispatcher.audit.year(2026)
        assert ([], (), (), 0) == (near(dispatcher), found.findings, found.declared, found.slots.spent)
        with pytest.raises(NotFoundError, match=f"No declaration has the number {number}"):
            dispatcher.declaring.undo(number, actor)
        assert declare(dispatcher) != number


def test_what_is_to_come_or_declared_already_is_refused(workshop: Workshop) -> None:
    """A declaration tells what was sent, once: a date to come is reserved instead, today can be declared."""
    with workshop.opened() as dispatcher:
        today = workshop.clock().date()
        declare(dispatcher, today)
        with pytest.raises(RefusedError, match="`dispatcher campaign reserve`"):
            declare(dispatcher, today + timedelta(days=1))
        with pytest.raises(RefusedError, match="is declared already, as number"):
            declare(dispatcher, today)
        declare(dispatcher, today, "Talven tarjous", Way.EMAIL)
        assert 2 == len(dispatcher.declaring.standing())


def test_a_declaration_is_held_to_the_twelve(workshop: Workshop) -> None:
    """L-23: a full year refuses a declaration and names the twelve, so that one not begun can be cancelled."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        for each in range(12):
            dispatcher.schedule.reserve(date(2026, 12, 1 + each), Kind.OFFER, f"R{each}", actor)
        with pytest.raises(NoSlotError, match="2026-12-01  R0"):
            declare(dispatcher)
        dispatcher.lifecycle.cancel(dispatcher.lifecycle.all()[0].name, actor)
        declare(dispatcher)
        with pytest.raises(NoSlotError):
            dispatcher.schedule.reserve(date(2026, 12, 1), Kind.OFFER, "R0", actor)
        assert () == dispatcher.audit.year(2026).findings


def test_a_declaration_survives_a_restore(workshop: Workshop, tmp_path: Path) -> None:
    """What was declared or taken back after the copy was made is in the journal, and so again after its replay."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        early = declare(dispatcher, date(2026, 1, 7), "Uusi vuosi")
        dispatcher.safekeeping.backup(tmp_path / "copy")
        declare(dispatcher)
        wrong = declare(dispatcher, date(2026, 3, 3), "Väärä")
        dispatcher.declaring.undo(wrong, actor)
        dispatcher.declaring.undo(early, actor)
        before = [(each.day, each.title, each.channels, each.messages) for each in dispatcher.declaring.standing()]
        dispatcher.safekeeping.restore(tmp_path / "copy")
        for slots_back in (2, 0):
            assert slots_back == dispatcher.safekeeping.replay(actor).slots
            after = [(each.day, each.title, each.channels, each.messages) for each in dispatcher.declaring.standing()]
            assert [(DAY, "Talven tarjous", ("letter",), 120)] == before == after
        assert () == dispatcher.audit.year(2026).findings
        kinds = [record.kind for record in dispatcher.store.journal.records()]
        assert 5 == kinds.count(JournalKind.SLOT_DECLARED)


@pytest.mark.parametrize("changed", ["UPDATE slot SET day = '2026-02-04'", "UPDATE slot SET state = 'returned'"])
def test_a_declaration_that_was_touched_is_a_finding(workshop: Workshop, tamper: Tamper, changed: str) -> None:
    """The audit holds the table of slots against what the ledger tells of declarations."""
    with workshop.opened() as dispatcher:
        declare(dispatcher)
        tamper(dispatcher.store, changed)
        assert 2 == len(dispatcher.audit.year(2026).findings)
