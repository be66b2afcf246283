"""A closed year that was kept for its time is destroyed: its messages go, and what is left proves the rest (L-37)."""

import copy
import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pypdf import PdfReader

from dispatcher.cli.audit_story import Story
from dispatcher.errors import RefusedError
from dispatcher.flow import destroying as acting
from dispatcher.flow.audit_bundle import check_bundle
from dispatcher.flow.audit_formats import table_csv, to_csv, to_text
from dispatcher.flow.audit_paper import to_pdf
from dispatcher.flow.audit_tables import tables
from dispatcher.flow.audit_words import checking, page_one, sentences
from dispatcher.flow.destroying import Destroying
from dispatcher.flow.sealing import Sealing
from dispatcher.rules import bundle
from dispatcher.rules.actor import duty
from dispatcher.rules.campaign import Language
from dispatcher.rules.ledger import canonical
from dispatcher.rules.seal import SealReason
from dispatcher.storage import destroyed
from dispatcher.storage.store import Store
from dispatcher.texts import format_date, text
from dispatcher.wiring import Dispatcher
from tests.byte_scan import found_in
from tests.flow.destroyed_life import OVER, YEAR, closed_in, counts, kept, names_of
from tests.flow.test_bundle import Members, by_another_program, rewritten
from tests.flow.translated import untranslated
from tests.flow.two_campaigns import a_run
from tests.rendering.studio import STUDIO
from tests.stores import ROOT
from tests.workshop import ZONE, Workshop

DUTY = duty("destruction")


class CutError(Exception):
    """Somebody has pulled the plug."""


class CutWriter:
    """The real writer, until its power is cut after so many writes."""

    def __init__(self, writer: Any, writes: int) -> None:
        self._writer = writer
        self._left = writes

    def write(self, work: Callable[..., Any], **options: Any) -> Any:
        """Write, or go dark."""
        if not self._left:
            raise CutError
        self._left -= 1
        return self._writer.write(work, **options)


def cut_after(dispatcher: Dispatcher, writes: int) -> Destroying:
    """Return what destroys, with a power supply that fails after so many writes."""
    cut = copy.copy(dispatcher.auditing.destroying)
    store = dispatcher.store
    dark = Store(store.database, store.journal, CutWriter(store.writer, writes), store.ring, store.clock)  # type: ignore[arg-type]
    cut._store = dark
    cut._sealing = Sealing(dark, dispatcher.policy, dispatcher.auditing.sealing.file)
    return cut


def said(seal: int, day: str = "2029-01-02") -> str:
    """Return what stands in the place of the year's messages."""
    return f"The messages of 2026 were destroyed on {day} under the promise, checked under seal {seal}."


def let_go(dispatcher: Dispatcher) -> None:
    """Write that a person lets years be destroyed by themselves."""
    dispatcher.store.write(lambda transaction: destroyed.confirm(transaction.connection, transaction.now))


def test_a_year_that_was_kept_for_its_time_is_destroyed(workshop: Workshop) -> None:
    """Shown first, destroyed once a person has said so; all that is left holds, and says when, and under which seal."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        destroying, audit = dispatcher.auditing.destroying, dispatcher.audit
        assert () == audit.verify().findings
        before, paper, next_paper = counts(dispatcher), audit.year(YEAR), audit.year(2027)
        with pytest.raises(RefusedError, match=r"The messages of 2026 have been kept for their time"):
            destroying.work(DUTY)
        [due] = destroying.show().due
        assert (YEAR, (1, 2), None, before[0]) == (due.year, due.campaigns, due.refusal, due.entries)
        assert before == counts(dispatcher)
        [gone] = destroying.run(actor, confirm=True)
        found, again, next_again = audit.verify(), audit.year(YEAR), audit.year(2027)
        assert (0, gone.entries, 0, 0) == counts(dispatcher)
        assert () == destroying.show().due
        assert destroying.work(DUTY) is None
        last = dispatcher.auditing.sealing.known()[0][-1]
        assert (SealReason.DESTROYED, YEAR) == (last.reason, last.about)
    assert ((), ()) == (found.findings, again.findings)
    assert said(gone.seal) in found.remarks
    assert said(gone.seal) in again.remarks
    assert gone.entries == due.entries
    assert again.destroyed is not None
    assert (paper.messages.left, paper.messages.clients) == (again.destroyed.messages, again.destroyed.clients)
    assert (paper.slots.spent, paper.slots.days) == (again.slots.spent, again.slots.days)
    assert next_paper.campaigns == next_again.campaigns
    assert next_paper.messages.left == next_again.messages.left > 0
    assert ((), True) == (next_again.findings, any("365 days that reach into" in each for each in next_again.remarks))


def test_a_year_stays_until_it_is_closed_and_old_enough(workshop: Workshop) -> None:
    """Who refuses says why and what to do: nobody has checked it, or the next year, whose windows reach into it."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        a_run(workshop, dispatcher)
        destroying, before = dispatcher.auditing.destroying, counts(dispatcher)
        workshop.clock.set(OVER - timedelta(days=2))
        assert () == destroying.show().due
        workshop.clock.set(OVER)
        with pytest.raises(RefusedError, match=r"2026 has not been closed.* run `dispatcher audit close 2026`"):
            destroying.run(actor, confirm=True)
        dispatcher.auditing.closing.close(YEAR, actor)
        with pytest.raises(RefusedError, match=r"2026 waits until 2027 has been closed.* close 2027`"):
            destroying.run(actor, confirm=True)
        assert before == counts(dispatcher)
        dispatcher.auditing.closing.close(2027, actor)
        assert [YEAR] == [each.year for each in destroying.run(actor, confirm=True)]
        assert () == dispatcher.audit.verify().findings


def test_a_year_with_findings_is_evidence_until_a_person_says_otherwise(workshop: Workshop, tamper: Any) -> None:
    """It stays, by duty and by hand, and the person's word stands in the entry and in the audit."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        a_run(workshop, dispatcher)
        tamper(dispatcher.store, "UPDATE slot SET title = 'x', state = 'returned' WHERE campaign = 1")
        for year in (2027, 2028):
            closed_in(workshop, dispatcher, year)
        workshop.clock.set(OVER)
        destroying = dispatcher.auditing.destroying
        let_go(dispatcher)
        with pytest.raises(RefusedError, match=r"2026 was closed with findings.*run --despite-findings 2026"):
            destroying.work(DUTY)
        assert counts(dispatcher)[2] > 0
        [gone] = destroying.run(actor, despite=[YEAR])
        remarks = dispatcher.audit.verify().remarks
    assert said(gone.seal) in remarks
    assert any("a person had it destroyed all the same" in each for each in remarks)


def test_nothing_goes_while_the_ledger_does_not_hold(workshop: Workshop, tamper: Any) -> None:
    """What goes is the last that could show what was done to it since the closing."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        before = counts(dispatcher)
        tamper(dispatcher.store, "UPDATE ledger_entry SET actor = 'person:9' WHERE id = 7")
        with pytest.raises(RefusedError, match=r"nothing of 2026 was destroyed.*Entry 7"):
            dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        assert before == counts(dispatcher)


def test_whatever_cuts_it_short_it_goes_on_from_there(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-03: cut after any of its writes, what is left holds, and the next run ends what was begun, once."""
    monkeypatch.setattr(acting, "_AT_ONCE", 7)
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        let_go(dispatcher)
        before = counts(dispatcher)
        entries = before[0]
        stages: list[tuple[int, int, int, int]] = []
        writes = 0
        while True:
            try:
                cut_after(dispatcher, writes).run(DUTY)
            except CutError:
                pass
            else:
                break
            assert () == dispatcher.audit.verify().findings, f"after {writes} writes"
            assert () == dispatcher.audit.year(YEAR).findings, f"after {writes} writes"
            stages.append(counts(dispatcher))
            with dispatcher.store.reading() as connection:
                told = destroyed.told(connection)
            # Stubs are written anew from the first; of what is deleted, each run gets one part further.
            writes = writes + 1 if not told else 1 if stages[-1][2] else 2
        found = dispatcher.audit.verify()
        assert dispatcher.erasing.deletions.here()
        with dispatcher.store.reading() as connection:
            told = destroyed.told(connection)
    assert [(YEAR, entries)] == [(each.year, each.entries) for each in told]
    assert ((), True) == (found.findings, said(told[0].seal) in found.remarks)
    # It was cut while only stubs stood, while rows of the outbox had gone, and while entries had.
    assert any(0 < stubs < entries for _, stubs, _, _ in stages)
    assert any(left == entries and 0 < rows < before[2] for left, _, rows, _ in stages)
    assert len({left for left, *_ in stages}) >= 3
    assert (0, entries, 0, 0) == stages[-1]


def test_a_restored_copy_is_destroyed_again(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: a copy from before brings the rows back; the restore is an entry, and the duty destroys them again."""
    copy_of = tmp_path / "copy"
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        let_go(dispatcher)
        before = counts(dispatcher)
        dispatcher.safekeeping.backup(copy_of)
        assert dispatcher.auditing.destroying.work(DUTY) is not None
        dispatcher.safekeeping.restore(copy_of)
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert before == counts(dispatcher)
        back = dispatcher.audit.verify()
        workshop.clock.advance(timedelta(days=1))
        assert "the messages of 2026 were destroyed" in str(dispatcher.auditing.destroying.work(DUTY))
        again = dispatcher.audit.verify()
        assert (0, before[0], 0, 0) == counts(dispatcher)
    assert ((), ()) == (back.findings, again.findings)
    assert any("tells of a restore" in each for each in again.remarks)
    assert any("were destroyed on 2029-01-03" in each for each in again.remarks)


def test_no_byte_of_a_message_is_left(workshop: Workshop, places: Callable[[], list[Path]]) -> None:
    """L-37: neither database nor workspace holds the id of a message that was destroyed; those of later years stay."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        old, new = names_of(dispatcher, 1, 2), names_of(dispatcher, 3)
        assert (True, old | new) == (len(old) > 5, found_in(places(), old | new))
        dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        assert new == found_in(places(), old | new)
    assert new == found_in(places(), old | new)


def test_what_was_destroyed_is_not_kept_beside(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """The year's bundle goes and its pages stay; later bundles are made anew, once, and anybody can check them."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        audits = workshop.directory / "audits"
        before, later = {path.name for path in (audits / "2026").iterdir()}, audits / "2027" / "audit-2027.zip"
        held = later.read_bytes()
        workshop.clock.advance(timedelta(days=1))
        [gone] = dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        assert before - {"audit-2026.zip"} == {path.name for path in (audits / "2026").iterdir()}
        anew = later.read_bytes()
        assert held != anew
        assert dispatcher.auditing.destroying.work(DUTY) is None
        assert anew == later.read_bytes()
        dispatcher.auditing.bundling.write(YEAR, workshop.directory / "again.zip", lambda _done, _all: None)
    for path in (later, workshop.directory / "again.zip"):
        found = check_bundle(path)
        assert ((), True) == (
            found.verification.findings,
            said(gone.seal, "2029-01-03") in found.verification.remarks,
        )
        assert (0, "Everything holds.\n") == by_another_program(path, capsys)


BROKEN: dict[str, tuple[Callable[[Members], None], str, str]] = {}


def _breaks(what: str, ours: str, theirs: str) -> Callable[[Callable[[Members], None]], Callable[[Members], None]]:
    def keep(change: Callable[[Members], None]) -> Callable[[Members], None]:
        BROKEN[what] = (change, ours, theirs)
        return change

    return keep


def _stubs(members: Members) -> list[list[Any]]:
    return [json.loads(line) for line in members[bundle.STUBS].splitlines()]


def _with(members: Members, name: str, lines: list[Any]) -> None:
    members[name] = b"".join(canonical(line).encode() + b"\n" for line in lines)


@_breaks("a stub of another year", "no entry tells that the year was destroyed", "entries of 2026 are gone")
def _of_another_year(members: Members) -> None:
    first, *rest = _stubs(members)
    _with(members, bundle.STUBS, [[*first[:3], 2027], *rest])


@_breaks("a no that goes too", "the stubs in their place are", "entries of 2026 are gone")
def _a_no_goes(members: Members) -> None:
    entries = [json.loads(line) for line in members[bundle.ENTRIES].splitlines()]
    no = next(each for each in entries if each[2] == "answer" and "withdrawn" in each[8])
    _with(members, bundle.ENTRIES, [each for each in entries if each is not no])
    stubs = sorted([*_stubs(members), [no[0], no[1], no[9], YEAR]], key=lambda each: (each[1], each[0]))
    _with(members, bundle.STUBS, stubs)


@_breaks("a stub taken out", "missing", "was altered, or entries of it are missing")
def _taken_out(members: Members) -> None:
    _with(members, bundle.STUBS, _stubs(members)[1:])


@_breaks("a stub of no group", "missing", "entries stand in no group")
def _of_no_group(members: Members) -> None:
    *rest, last = _stubs(members)
    _with(members, bundle.STUBS, [*rest, [last[0], 10**6, *last[2:]]])


def test_a_bundle_with_another_story_does_not_check_out(
    workshop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the program, and by the reference checker, which shares no code with it."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        whole = tmp_path / "whole.zip"
        dispatcher.auditing.bundling.write(2027, whole, lambda _done, _all: None)
    for what, (change, ours, theirs) in BROKEN.items():
        path = rewritten(whole, tmp_path / f"{what}.zip", change)
        assert ours in "\n".join(check_bundle(path).verification.findings), what
        code, told = by_another_program(path, capsys)
        assert (1, True) == (code, theirs in told), f"{what}: {told}"


def test_a_client_who_asks_hears_what_is_known_and_what_was_destroyed(workshop: Workshop) -> None:
    """`audit why`: answers and later messages as before; of the year's, when they were destroyed and what checked."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        before = dispatcher.accounts.of_client("elina@posti.example", actor).lines
        [gone] = dispatcher.auditing.destroying.run(actor, confirm=True)
        after = dispatcher.accounts.of_client("elina@posti.example", actor).lines
        of_one = dispatcher.accounts.of_client("elina@posti.example", actor, "one").lines
        sample = dispatcher.sampling.draw(YEAR, 3, "x", actor)
    assert [each for each in before if each.what == "answer"] == [each for each in after if each.what == "answer"]
    [was] = [each for each in before if each.campaign == "three"]
    [still] = [each for each in after if each.campaign == "three"]
    assert was == still
    assert [("one", None), ("two", None), (None, gone.seal)] == [
        (each.campaign, each.gone.seal if each.campaign is None else each.reason) for each in after if each.gone
    ]
    words = [next(iter(Story(dispatcher.policy.zone, language)._line(of_one[0]))) for language in Language]
    assert all("Kampanja one" in each and f" {gone.seal}" in each for each in words)
    assert 3 == len(set(words))
    assert ((), True) == (sample.messages, sample.gone is not None)
    assert f"checked under seal {gone.seal}" in next(iter(Story(dispatcher.policy.zone).sample(sample)))


def test_the_paper_says_it_in_each_language(workshop: Workshop) -> None:
    """Page one has the numbers of the closing in the place of those that are gone, and says under which seal."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        paper = dispatcher.audit.year(YEAR)
        [gone] = dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        again = dispatcher.audit.year(YEAR)
    assert again.destroyed is not None
    for language in Language:
        before, after = ({each.name: each for each in page_one(year, language)} for year in (paper, again))
        assert (before["often"], before["many"].figure) == (after["often"], after["many"].figure)
        about = {"year": YEAR, "day": format_date(again.destroyed.day, language), "seal": gone.seal}
        told = text("audit_said_destroyed", language, **about)
        assert told == after["many"].lines[0]
        assert [] == untranslated(again.remarks)
        assert language is Language.EN or told in sentences(again.remarks, language)
        assert str(gone.seal) in after["agreed"].lines[0]
        assert before["noes"].lines[:-1] == after["noes"].lines
        assert "audit sample" not in checking(again, language)
        assert all(each.ok for each in after.values())
    jsonschema.validate(again.as_json(), json.loads((ROOT / "docs" / "audit.schema.json").read_text("utf-8")))
    assert said(gone.seal) in " ".join(to_text(again).split())


def test_no_nought_stands_for_what_is_gone(workshop: Workshop) -> None:
    """L-37: what only counted messages is left out of the tables, and a campaign of which nothing is left says so."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        paper = dispatcher.audit.year(YEAR)
        dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        again = dispatcher.audit.year(YEAR)
    assert (False, True) == (paper.is_gone, again.is_gone)
    before, after = ({table.name: table for table in tables(year)} for year in (paper, again))
    assert {"campaigns", "noes", "speed", "requests"} == after.keys()
    assert all(before[name] == after[name] for name in after if name != "campaigns")
    assert [row[:2] for row in before["campaigns"].rows] == [row[:2] for row in after["campaigns"].rows]
    assert {None} == {cell for row in after["campaigns"].rows for cell in row[2:]}
    told = [list(csv.reader(io.StringIO(to_csv(year)))) for year in (paper, again)]
    assert [row[:6] for row in told[0]] == [row[:6] for row in told[1]]
    assert {""} == {cell for row in told[1][1:] for cell in row[6:]}
    with pytest.raises(RefusedError, match="The table spread counts messages, and those of 2026 were destroyed"):
        table_csv(again, "spread")
    pdf = " ".join(
        page.extract_text()
        for page in PdfReader(io.BytesIO(to_pdf(again, STUDIO, workshop.clock(), ZONE, Language.EN))).pages
    )
    assert "in pictures" not in pdf.lower()
    assert all(campaign.title in pdf for campaign in again.campaigns)
