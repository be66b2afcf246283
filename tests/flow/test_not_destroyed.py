"""What must not go with a year that is destroyed, whoever asks for it and whatever comes between (L-37)."""

import asyncio
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from dispatcher.errors import RefusedError
from dispatcher.flow import destroying as acting
from dispatcher.flow.audit_bundle import check_bundle
from dispatcher.flow.destroying import Destroying
from dispatcher.flow.due_years import DueYear
from dispatcher.flow.returns import Told
from dispatcher.rules import bundle
from dispatcher.rules.later import Fate, Later
from dispatcher.rules.message import MessageState
from dispatcher.storage import destroyed
from dispatcher.storage.tables import LedgerEntryTable, OutboxTable, SlotTable
from dispatcher.wiring import Dispatcher
from tests.flow.destroyed_life import OVER, THIRD, YEAR, closed_in, counts, kept, names_of
from tests.flow.test_bundle import by_another_program
from tests.flow.test_destroying import DUTY, CutError, cut_after, let_go
from tests.flow.translated import untranslated
from tests.flow.two_campaigns import a_run
from tests.workshop import Workshop


def standing(dispatcher: Dispatcher, kind: str, campaign: int | None = None) -> list[int]:
    """Return the numbers of the entries of a kind, of one campaign or of none."""
    query = select(LedgerEntryTable.id).where(LedgerEntryTable.kind == kind, LedgerEntryTable.campaign == campaign)
    with dispatcher.store.reading() as connection:
        return list(connection.scalars(query.order_by(LedgerEntryTable.id)))


def put_a_stub(dispatcher: Dispatcher, entry: int) -> None:
    """Do what somebody who can write into the database does to have an entry go with the year: no trigger minds."""
    query = select(LedgerEntryTable.id, LedgerEntryTable.group, LedgerEntryTable.digest)
    with dispatcher.store.reading() as connection:
        number, group, digest = connection.execute(query.where(LedgerEntryTable.id == entry)).one()
    dispatcher.store.write(lambda each: destroyed.add(each.connection, YEAR, [(number, group, digest)]))


def cut_when_told(dispatcher: Dispatcher, *despite: int) -> None:
    """Begin to destroy what is due, and stop as soon as the entry that tells of it stands."""
    writes = 0
    while not standing(dispatcher, "destroyed"):
        writes += 1
        with pytest.raises(CutError):
            cut_after(dispatcher, writes).run(DUTY, despite=despite)


def set_slot(dispatcher: Dispatcher, state: str) -> None:
    """Have the slot of the third campaign stand otherwise than the ledger tells, or as it tells."""
    with dispatcher.store.database.writing() as connection:
        connection.execute(update(SlotTable).where(SlotTable.campaign == 3).values(state=state))


def tell_late(dispatcher: Dispatcher, campaign: int = 1) -> None:
    """Have a carrier tell now what became of a message of long ago."""
    mine = (OutboxTable.campaign == campaign, OutboxTable.state == MessageState.ACCEPTED.value)
    with dispatcher.store.reading() as connection:
        message = connection.scalars(select(OutboxTable.message_id).where(*mine)).first()
    assert message is not None
    assert dispatcher.returns.take(Told(message, "preview", "", "callback", Fate(Later.DELIVERED)))


def test_a_persons_word_is_of_the_findings_alone(workshop: Workshop, tamper: Any) -> None:
    """Invariant 3: a year with findings waits as well until the next one, whose windows reach into it, is closed."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        a_run(workshop, dispatcher)
        tamper(dispatcher.store, "UPDATE slot SET title = 'x', state = 'returned' WHERE campaign = 1")
        closed_in(workshop, dispatcher, 2027)
        workshop.clock.set(OVER)
        before = counts(dispatcher)
        with pytest.raises(RefusedError, match=r"2026 waits until 2027 has been closed"):
            dispatcher.auditing.destroying.run(actor, confirm=True, despite=[YEAR])
        assert before == counts(dispatcher)


def test_an_answer_does_not_go_with_a_year(workshop: Workshop) -> None:
    """L-37: a stub beside a no is named before anything goes, in every language, and nothing goes."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        answers, before = standing(dispatcher, "answer"), counts(dispatcher)
        put_a_stub(dispatcher, answers[-1])
        found = dispatcher.audit.verify().findings
        assert any(f"A stub stands beside entry {answers[-1]} (answer)" in each for each in found)
        assert [] == untranslated(dispatcher.audit.year(YEAR).findings)
        with pytest.raises(RefusedError, match=r"nothing of 2026 was destroyed"):
            dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        left = counts(dispatcher)
        assert (before[0], before[2], answers) == (left[0], left[2], standing(dispatcher, "answer"))


def test_a_message_of_another_campaign_does_not_go_with_a_year(workshop: Workshop) -> None:
    """L-37: what goes is what the program found to go, not whatever has a stub."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        sends, before = standing(dispatcher, "send", 3), counts(dispatcher)
        put_a_stub(dispatcher, sends[0])
        with pytest.raises(RefusedError, match=rf"put entry {sends[0]} among what is to go with 2026"):
            dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        left = counts(dispatcher)
        assert (before[0], before[2], sends) == (left[0], left[2], standing(dispatcher, "send", 3))


def test_what_is_put_in_after_the_entry_does_not_go(
    workshop: Workshop, tamper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-37: entries are deleted by their stubs, so these are held against what was told of them, findings or none."""
    monkeypatch.setattr(acting, "_AT_ONCE", 7)
    with workshop.opened() as dispatcher:
        a_run(workshop, dispatcher)
        tamper(dispatcher.store, "UPDATE slot SET title = 'x', state = 'returned' WHERE campaign = 1")
        for year in (2027, 2028):
            closed_in(workshop, dispatcher, year)
        workshop.clock.set(OVER)
        let_go(dispatcher)
        before = counts(dispatcher)
        cut_when_told(dispatcher, YEAR)
        answers = standing(dispatcher, "answer")
        put_a_stub(dispatcher, answers[-1])
        with pytest.raises(RefusedError, match=r"The stubs of 2026 are not those that entry"):
            dispatcher.auditing.destroying.run(DUTY, despite=[YEAR])
        left = counts(dispatcher)
        assert (before[0], before[2], answers) == (left[0], left[2], standing(dispatcher, "answer"))


class Interrupted(Destroying):
    """The real thing, to which something is told once the ledger has been verified."""

    meanwhile: Callable[[], None]

    def _check(self, due: DueYear) -> None:
        super()._check(due)
        self.meanwhile()


def test_what_is_told_meanwhile_stays(workshop: Workshop) -> None:
    """A carrier speaks of an old message between the verifying and the marking: an honest destruction still holds."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        let_go(dispatcher)
        destroying = dispatcher.auditing.destroying
        interrupted = Interrupted.__new__(Interrupted)
        interrupted.__dict__.update(destroying.__dict__)
        interrupted.meanwhile = lambda: tell_late(dispatcher)
        [gone] = interrupted.run(DUTY)
        found = dispatcher.audit.verify()
        assert (1, gone.entries, 0, 0) == counts(dispatcher)
        assert standing(dispatcher, "later", 1)
    assert () == found.findings


def test_what_is_told_after_a_cut_keeps_nothing_back(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut while stubs are written, and then a carrier speaks of one of the messages: the year goes on as it began."""
    monkeypatch.setattr(acting, "_AT_ONCE", 7)
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        let_go(dispatcher)
        with pytest.raises(CutError):
            cut_after(dispatcher, 1).run(DUTY)
        assert 7 == counts(dispatcher)[1]
        tell_late(dispatcher)
        [gone] = dispatcher.auditing.destroying.run(DUTY)
        found = dispatcher.audit.verify()
        assert (1, gone.entries, 0, 0) == counts(dispatcher)
    assert () == found.findings


def test_a_bundle_made_while_a_year_goes_holds_none_of_it(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """L-37: cut after the seal, a year that is closed meanwhile is packed without what is gone when it goes on."""
    monkeypatch.setattr(acting, "_AT_ONCE", 7)
    packed = tmp_path / "meanwhile.zip"
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        let_go(dispatcher)
        before = counts(dispatcher)
        cut_when_told(dispatcher)
        with pytest.raises(CutError):
            cut_after(dispatcher, 1).run(DUTY)
        assert YEAR == dispatcher.auditing.sealing.known()[0][-1].about
        assert (before[0], before[2]) == counts(dispatcher)[::2]
        old = names_of(dispatcher, 1, 2)
        dispatcher.auditing.bundling.write(2028, packed, lambda _done, _all: None)
    with zipfile.ZipFile(packed) as members:
        entries = members.read(bundle.ENTRIES).decode()
    assert [] == [name for name in sorted(old) if name in entries]
    assert () == check_bundle(packed).verification.findings
    assert (0, "Everything holds.\n") == by_another_program(packed, capsys)


def test_what_went_is_told_beside_what_may_not(workshop: Workshop) -> None:
    """One year goes and the next one is kept for its findings: who hears of the one hears of the other."""
    with workshop.opened() as dispatcher:
        a_run(workshop, dispatcher)
        closed_in(workshop, dispatcher, 2027)
        dispatcher.schedule.run(workshop.campaign("three", THIRD), dispatcher.persons.acting(None))
        workshop.clock.set(THIRD)
        asyncio.run(dispatcher.rounds.once())
        set_slot(dispatcher, "returned")
        closed_in(workshop, dispatcher, 2028)
        set_slot(dispatcher, "spent")
        for year in (2029, 2030):
            closed_in(workshop, dispatcher, year)
        let_go(dispatcher)
        with pytest.raises(RefusedError, match=r"messages of 2026 were destroyed.*\. 2027 was closed with findings"):
            dispatcher.auditing.destroying.work(DUTY)
        assert 0 == counts(dispatcher)[0]
