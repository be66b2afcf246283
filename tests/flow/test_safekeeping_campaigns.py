"""Campaigns on the way back from a copy: what went out since is over, counts, and goes to nobody again."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from dispatcher.rules.campaign import State
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import slots
from dispatcher.storage.tables import OutboxTable, SlotTable
from tests.flow.putting_back import ERIK, MAIJA, MOMENT, enrol, entries, replay, schedule, send, whole
from tests.workshop import ZONE, Doubles, Workshop

ANTE = "3;Ánte;Ovdamearka;ante@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"


def test_a_campaign_that_began_after_the_copy_is_over(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """Invariant 2: a campaign the copy knows as scheduled went out since: its slot is spent, nobody gets it again."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA, ERIK)
        number = schedule(workshop, dispatcher, "a").id
        dispatcher.safekeeping.backup(tmp_path / "copy")
        workshop.clock.set(MOMENT)
        send(dispatcher)
        workshop.clock.advance(timedelta(minutes=10))
        dispatcher.safekeeping.restore(tmp_path / "copy")
        assert State.SCHEDULED is dispatcher.lifecycle.named("a").state
        report = replay(dispatcher)
        assert (1, 1, 1, 0) == (report.records, report.slots, report.campaigns, report.unknown)
        found = dispatcher.lifecycle.named("a")
        assert (State.FINISHED, MOMENT, None) == (found.state, found.begun_at, found.planned_at)
        send(dispatcher)
        with dispatcher.store.reading() as connection:
            slots = connection.execute(select(SlotTable.day, SlotTable.state, SlotTable.campaign)).all()
        assert [(date(2026, 11, 24), "spent", number)] == [tuple(row) for row in slots]
        whole(dispatcher.store)
    assert ["erik@posti.example", "maija@posti.example"] == doubles.mailed()


def test_what_was_under_way_becomes_unknown(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """Invariant 2: a copy made in mid-campaign cannot know who got it since: nobody gets it again, all count.

    The campaign began before the copy, so no record of the journal is missing: the copy itself is what is too old.
    """
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA, ERIK, ANTE)
        campaign = schedule(workshop, dispatcher, "a")
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(campaign)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        send(dispatcher)
        assert 3 == len(doubles.mailed())
        dispatcher.safekeeping.restore(tmp_path / "copy")
        report = replay(dispatcher)
        assert (0, 0, 1, 3) == (report.records, report.slots, report.campaigns, report.unknown)
        send(dispatcher)
        store = dispatcher.store
        with store.reading() as connection:
            rows = connection.execute(select(OutboxTable.state, OutboxTable.day, OutboxTable.code)).all()
        assert [("unknown", date(2026, 11, 24), "restored")] * 3 == [tuple(row) for row in rows]
        told = entries(store, EntryKind.OUTCOME)
        assert [(campaign.id, "unknown", "2026-11-24")] * 3 == [(at, b["outcome"], b["day"]) for _, at, b in told]
        assert {"begun", "planned", "finished", "scheduled"} == {
            body["event"] for _, _, body in entries(store, EntryKind.CAMPAIGN)
        }
        whole(store)
    assert 3 == len(doubles.mailed())


def test_a_campaign_the_copy_does_not_know_keeps_its_place(workshop: Workshop, tmp_path: Path) -> None:
    """Invariant 3: the slot of a campaign that is lost with the newer database still counts in its year."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        number = schedule(workshop, dispatcher, "a").id
        workshop.clock.set(MOMENT)
        send(dispatcher)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        report = replay(dispatcher)
        assert (1, 1, 0) == (report.records, report.slots, report.campaigns)
        with dispatcher.store.reading() as connection:
            near = slots.near(connection, date(2026, 12, 1))
        assert [(date(2026, 11, 24), "Kampanja a")] == [(slot.date, slot.title) for slot in near]
        slot = entries(dispatcher.store, EntryKind.SLOT)[-1]
        assert (None, "spent", "2026-11-24", "a") == (slot[1], slot[2]["event"], slot[2]["day"], slot[2]["name"])
        # Its number may be given to another campaign now; a second copy must not take the one for the other.
        other = schedule(workshop, dispatcher, "b", MOMENT + timedelta(days=7))
        dispatcher.safekeeping.backup(tmp_path / "later")
        dispatcher.safekeeping.restore(tmp_path / "later")
        replay(dispatcher)
        assert State.HELD is dispatcher.lifecycle.named("b").state
        assert other.id == number or not dispatcher.store.database.is_sqlite


@pytest.mark.parametrize("is_known", [True, False])
def test_a_draft_that_went_out_since_is_over(workshop: Workshop, tmp_path: Path, *, is_known: bool) -> None:
    """Invariants 2 and 3: the copy knows a draft or nothing, the journal a campaign that began: it is over, one slot.

    It began in the last second of a day and its first message left on the next, where its slot lies after the replay.
    """
    night = datetime(2026, 11, 24, 20, 59, 59, tzinfo=ZONE)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, MAIJA)
        if is_known:
            schedule(workshop, dispatcher, "a")
            dispatcher.lifecycle.revise("a", actor)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        dispatcher.schedule.run(workshop.campaign("a", night), actor)
        workshop.clock.set(night)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        workshop.clock.advance(timedelta(seconds=3))
        send(dispatcher)
        workshop.clock.set(night + timedelta(hours=12))
        send(dispatcher)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        assert (1, int(is_known)) == ((report := replay(dispatcher)).slots, report.campaigns)
        with dispatcher.store.reading() as connection:
            near = slots.near(connection, date(2026, 11, 25))
        assert [(date(2026, 11, 25), "Kampanja a")] == [(slot.date, slot.title) for slot in near]
        if is_known:
            assert State.FINISHED is dispatcher.lifecycle.named("a").state
        assert () == dispatcher.audit.year(2026).findings
        whole(dispatcher.store)
