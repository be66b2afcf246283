"""The way back from a copy: everything the journal knows comes back, and nothing leaves before it has (L-34)."""

import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from dispatcher.errors import JournalError, StorageError
from dispatcher.flow.safekeeping import ReplayReport
from dispatcher.flow.standing import standing
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Reason, Send, Withhold
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import answers, installation
from dispatcher.storage.journal import JournalKind, Note
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.tables import ClientTable, JournalMarkTable, SuppressionTable
from tests.flow.clicking import leave_by_link
from tests.flow.putting_back import ERIK, MAIJA, MOMENT, enrol, entries, leave, replay, schedule, send, whole
from tests.workshop import Doubles, Workshop


def test_a_no_survives_the_way_back(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """Invariant 4: who said no after the copy was made gets nothing after it was put back."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA, ERIK)
        schedule(workshop, dispatcher, "a")
        dispatcher.safekeeping.backup(tmp_path / "copy")
        number = leave(dispatcher, "maija@posti.example")
        said = entries(dispatcher.store, EntryKind.ANSWER)[-1]
        dispatcher.safekeeping.restore(tmp_path / "copy")
        assert said not in entries(dispatcher.store, EntryKind.ANSWER)
        workshop.clock.set(MOMENT)
        with pytest.raises(JournalError, match="Run `dispatcher db restore --replay`; nothing is sent until then"):
            dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        report = replay(dispatcher)
        assert (1, 1) == (report.records, report.answers)
        assert said == entries(dispatcher.store, EntryKind.ANSWER)[-1]
        assert number == said[0]
        send(dispatcher)
        assert [] == doubles.mailed()
        dispatcher.lifecycle.release("a", dispatcher.persons.acting(None))
        send(dispatcher)
        whole(dispatcher.store)
    assert ["erik@posti.example"] == doubles.mailed()
    assert [] == doubles.texted()


def test_a_replay_is_as_good_as_once(workshop: Workshop, tmp_path: Path) -> None:
    """A second replay finds nothing to do and writes nothing; the first one is an entry and a record."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        leave(dispatcher, "maija@posti.example")
        dispatcher.safekeeping.restore(tmp_path / "copy")
        first = replay(dispatcher)
        store = dispatcher.store
        entry = entries(store, EntryKind.RESTORE)
        assert [{"event": "replayed", **first.as_json()}] == [body for _, _, body in entry]
        assert JournalKind.RESTORED is list(store.journal.records())[-1].kind
        store.check_trusted()
        before = store.journal.last(), len(entries(store, EntryKind.ANSWER))
        assert ReplayReport() == replay(dispatcher)
        assert before == (store.journal.last(), len(entries(store, EntryKind.ANSWER)))
        assert entry == entries(store, EntryKind.RESTORE)
        assert "1 answers" in first.sentence()


def test_the_newest_copy_comes_back_as_it_is(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """A copy that has heard of everything waits for its replay all the same, and its campaigns for the owner."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        schedule(workshop, dispatcher, "a")
        dispatcher.safekeeping.backup(tmp_path / "copy")
        dispatcher.safekeeping.restore(tmp_path / "copy")
        with pytest.raises(JournalError, match="0 records"):
            dispatcher.store.check_trusted()
        assert ReplayReport() == replay(dispatcher)
        held = dispatcher.lifecycle.named("a")
        assert (State.HELD, "restored") == (held.state, held.held_reason)
        dispatcher.lifecycle.release("a", dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        send(dispatcher)
    assert ["maija@posti.example"] == doubles.mailed()


def test_a_no_of_a_client_the_copy_does_not_know(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """Invariant 4: who came and left after the copy is refused by their address when the register brings them again."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ERIK)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        enrol(workshop, dispatcher, ERIK, MAIJA)
        number = leave(dispatcher, "maija@posti.example")
        dispatcher.safekeeping.restore(tmp_path / "copy")
        report = replay(dispatcher)
        assert (1, 2) == (report.answers, report.suppressions)
        with dispatcher.store.reading() as connection:
            found = connection.execute(select(SuppressionTable.at, SuppressionTable.channel)).all()
        assert [(workshop.clock(), "")] * 2 == [tuple(row) for row in found]
        enrol(workshop, dispatcher, ERIK, MAIJA.replace("040 123 4567", ""))
        schedule(workshop, dispatcher, "a")
        workshop.clock.set(MOMENT)
        send(dispatcher)
        # The link in an old message still works: it needs no row behind it.
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.EMAIL)), Place.LINK)
    assert ["erik@posti.example"] == doubles.mailed()


def test_a_no_to_one_channel_comes_back_as_one(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """L-01: a no that named email closes email after the replay, and leaves the text message open."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        leave(dispatcher, "maija@posti.example", Channel.EMAIL)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        replay(dispatcher)
        schedule(workshop, dispatcher, "a")
        workshop.clock.set(MOMENT)
        send(dispatcher)
    assert ([], ["+358401234567"]) == (doubles.mailed(), doubles.texted())


def test_a_later_yes_still_counts_after_a_replay(workshop: Workshop, doubles: Doubles, tmp_path: Path) -> None:
    """L-07: the suppression that a replay leaves yields to a yes that was given after the no."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, ERIK)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        leave(dispatcher, "erik@posti.example")
        dispatcher.safekeeping.restore(tmp_path / "copy")
        replay(dispatcher)
        workshop.clock.set(MOMENT + timedelta(days=7))
        enrol(workshop, dispatcher, ERIK.replace(";kyllä;;3.1.2026", ";kyllä;;26.11.2026"))
        schedule(workshop, dispatcher, "a", MOMENT + timedelta(days=8))
        workshop.clock.set(MOMENT + timedelta(days=8))
        send(dispatcher)
    assert ["erik@posti.example"] == doubles.mailed()


def test_an_answer_that_is_there_is_not_brought_twice(workshop: Workshop) -> None:
    """A record whose mark was lost, and whose answer was not, adds no second answer."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        number = leave(dispatcher, "maija@posti.example")
        with dispatcher.store.reading() as connection:
            before = answers.bodies_of_client(connection, number)
        last = next(record for record in dispatcher.store.journal.records() if record.kind is JournalKind.NO)
        lose = delete(JournalMarkTable).where(JournalMarkTable.record == last.number)
        dispatcher.store.write(lambda transaction: transaction.connection.execute(lose))
        report = replay(dispatcher)
        assert (1, 0) == (report.records, report.answers)
        with dispatcher.store.reading() as connection:
            assert before == answers.bodies_of_client(connection, number)
            assert Reply.WITHDRAWN == before[-1][2]["reply"]


def test_an_undated_no_that_was_said_again_comes_back(workshop: Workshop, tmp_path: Path) -> None:
    """L-07, L-34: one like it from before the copy and the yes does not hide the no that took the yes back."""
    no = ERIK.replace(";kyllä;;3.1.2026", ";ei;;")
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, no)
        workshop.clock.advance(timedelta(days=1))
        enrol(workshop, dispatcher, ERIK.replace(";kyllä;;3.1.2026", ";kyllä;;24.11.2026"))
        dispatcher.safekeeping.backup(tmp_path / "copy")
        workshop.clock.advance(timedelta(days=1))
        enrol(workshop, dispatcher, no)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        number = dispatcher.register.find("erik@posti.example")
        assert isinstance(standing(dispatcher.store, dispatcher.policy, number).verdict, Send)
        assert 1 == replay(dispatcher).answers
        assert Withhold(Reason.LATEST_ANSWER_NO) == standing(dispatcher.store, dispatcher.policy, number).verdict


def test_nothing_is_taken_in_while_others_write(workshop: Workshop, tmp_path: Path) -> None:
    """A replay has every writer's lock to itself, so that a record on its way is not brought a second time."""
    wanted: list[Lock] = []
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        leave(dispatcher, "maija@posti.example")
        dispatcher.safekeeping.restore(tmp_path / "copy")
        submit = dispatcher.store.writer.submit

        def watched(*arguments: Any, **options: Any) -> Any:
            wanted.extend(options["wanted"])
            return submit(*arguments, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dispatcher.store.writer, "submit", watched)
            replay(dispatcher)
    assert [Lock(LockKind.JOURNAL, 0)] == wanted


def test_a_copy_of_another_installation_is_refused(workshop: Workshop, tmp_path: Path, database_url: str) -> None:
    """A copy that belongs to somebody else's installation is refused before anything is changed."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        path = tmp_path / "copy"
        dispatcher.safekeeping.backup(path)
        _rename(path, sqlite=database_url.startswith("sqlite"))
        with pytest.raises(StorageError, match=r"copy is a copy of another installation. Nothing was changed"):
            dispatcher.safekeeping.restore(path)
        dispatcher.store.check_trusted()


def test_without_its_journal_nothing_is_put_back(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: a copy is not put back where the journal is missing or older: what it does not know could not come back."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        store = dispatcher.store
        store.write(lambda transaction: installation.take_in(transaction.connection, [99]))
        dispatcher.safekeeping.backup(tmp_path / "copy")
        with pytest.raises(
            JournalError, match=r"copy knows record 99 of the journal, which ends at .*copy of the journal"
        ):
            dispatcher.safekeeping.restore(tmp_path / "copy")
        with pytest.raises(JournalError, match="older journal was put in its place"):
            replay(dispatcher)
        with store.reading() as connection:
            assert 1 == len(connection.execute(select(ClientTable.number)).all())


def test_a_crash_between_journal_and_database_is_mended(workshop: Workshop, doubles: Doubles) -> None:
    """Invariant 4: a no that reached the journal and not the database is brought in, without any copy."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA, ERIK)
        schedule(workshop, dispatcher, "a")
        store = dispatcher.store
        leave(dispatcher, "erik@posti.example")
        said = next(record for record in store.journal.records() if record.kind is JournalKind.NO)
        number = dispatcher.register.find("maija@posti.example")
        store.journal.append([Note(JournalKind.NO, {**said.body, "client": number, "hashes": []})], store.clock())
        workshop.clock.set(MOMENT)
        with pytest.raises(JournalError, match="1 record of the journal is not in it"):
            dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        assert 1 == replay(dispatcher).answers
        send(dispatcher)
    assert [] == doubles.mailed()


def _rename(path: Path, *, sqlite: bool) -> None:
    """Make a copy look like one of another installation."""
    if sqlite:
        with closing(sqlite3.connect(path)) as copy, copy:
            copy.execute("UPDATE installation SET workspace = ?", ["f" * 64])
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = json.dumps({**manifest, "workspace": "f" * 64}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
