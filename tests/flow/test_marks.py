"""A client marked as a child is never written to, whatever they or a register say (L-11)."""

from pathlib import Path

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.coverage import coverage
from dispatcher.flow.marks import Flag, set_flag
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Reason, Send, Verdict, Withhold, decide
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.storage import ledger
from dispatcher.storage.facts import gather
from dispatcher.storage.journal import JournalKind
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.stores import broken_links
from tests.workshop import Workshop

EINO = "1;Eino;Esimerkki;eino@posti.example;;fi;3.11.2026;kyllä;;3.11.2026"
MAIJA = "2;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.11.2026;kyllä;kyllä;3.11.2026"


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows."""
    dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))


def verdict(dispatcher: Dispatcher, client: int) -> Verdict:
    """Return what any campaign would be told about a client now."""
    store, policy = dispatcher.store, dispatcher.policy
    now = store.clock()
    with store.reading() as connection:
        known = gather(connection, store.ring, [client], None, local_date(now, policy.zone), now)
        return decide(known[client].facts, policy.any_campaign(coverage(connection, policy)), now)


def events(dispatcher: Dispatcher, client: int) -> list[Json]:
    """Return what the ledger tells of a client's marks."""
    with dispatcher.store.reading() as connection:
        told = ledger.entries_of_clients(connection, EntryKind.CLIENT.value, [client])
        return [entry.data()["event"] for entry in told][1:]


def test_a_child_is_never_written_to(workshop: Workshop) -> None:
    """L-11: with a standing yes, a child is withheld; no longer marked, they are written to again."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, EINO)
        eino = dispatcher.register.find("eino@posti.example")
        assert isinstance(verdict(dispatcher, eino), Send)
        assert dispatcher.marks.mark_child(eino, actor)
        assert Withhold(Reason.CHILD) == verdict(dispatcher, eino)
        enrol(workshop, dispatcher, EINO.replace("3.11.2026", "20.11.2026"))
        assert Withhold(Reason.CHILD) == verdict(dispatcher, eino)
        assert dispatcher.marks.unmark_child(eino, actor)
        assert isinstance(verdict(dispatcher, eino), Send)
        assert ["child", "not_child"] == events(dispatcher, eino)


def test_a_second_mark_adds_nothing(workshop: Workshop) -> None:
    """A mark that stands already is neither an entry nor a record of the journal, and a number of nobody is refused."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, EINO)
        eino = dispatcher.register.find("eino@posti.example")
        assert [True, False] == [dispatcher.marks.mark_child(eino, actor) for _ in range(2)]
        flags = [record for record in dispatcher.store.journal.records() if record.kind is JournalKind.FLAG]
        assert [{"client": eino, "flag": "child", "value": True, "actor": "person:1"}] == [r.body for r in flags]
        assert ["child"] == events(dispatcher, eino)
        with pytest.raises(NotFoundError, match="No client has the number 7"):
            dispatcher.marks.mark_child(7, actor)


def test_no_yes_is_taken_from_a_child(workshop: Workshop) -> None:
    """L-11: a yes of a child is refused and nothing recorded; a no is taken as ever."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, EINO)
        eino = dispatcher.register.find("eino@posti.example")
        dispatcher.marks.mark_child(eino, actor)
        before = len(dispatcher.register.history(eino))
        words = text("question_email", Language.FI)
        with pytest.raises(RefusedError, match="no yes is taken from a child"):
            dispatcher.answering.record(eino, [Said(Reply.GRANTED, Channel.EMAIL, Place.IN_PERSON, words)], actor)
        dispatcher.answering.record(eino, [Said(Reply.DECLINED, Channel.EMAIL, Place.IN_PERSON, words)], actor)
        assert before + 1 == len(dispatcher.register.history(eino))


@pytest.mark.parametrize(("flag", "lifted"), [(Flag.CHILD, "not_child"), (Flag.RESTRICTED, "unrestricted")])
def test_a_mark_survives_the_way_back(workshop: Workshop, tmp_path: Path, flag: Flag, lifted: str) -> None:
    """L-34: a mark set after the copy was made is there again after the replay, and one lifted since is not."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, EINO, MAIJA)
        eino, maija = (dispatcher.register.find(name) for name in ("eino@posti.example", "maija@posti.example"))
        store = dispatcher.store
        store.write(lambda transaction: set_flag(transaction, maija, flag, value=True, actor=actor))
        dispatcher.safekeeping.backup(tmp_path / "copy")
        store.write(lambda transaction: set_flag(transaction, eino, flag, value=True, actor=actor))
        store.write(lambda transaction: set_flag(transaction, maija, flag, value=False, actor=actor))
        dispatcher.safekeeping.restore(tmp_path / "copy")
        assert isinstance(verdict(dispatcher, eino), Send)
        assert 2 == dispatcher.safekeeping.replay(actor).marks
        assert Withhold(Reason(flag.value)) == verdict(dispatcher, eino)
        assert isinstance(verdict(dispatcher, maija), Send)
        assert [[flag.value], [flag.value, lifted]] == [events(dispatcher, each) for each in (eino, maija)]
        with store.reading() as connection:
            assert [] == broken_links(connection)


def test_a_child_the_copy_never_knew_is_a_child_on_return(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: a client who came and was marked after the copy is marked again when the register brings them back."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        enrol(workshop, dispatcher, MAIJA, EINO)
        eino = dispatcher.register.find("eino@posti.example")
        dispatcher.marks.mark_child(eino, actor)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(actor)
        enrol(workshop, dispatcher, MAIJA, EINO)
        assert eino == dispatcher.register.find("eino@posti.example")
        assert Withhold(Reason.CHILD) == verdict(dispatcher, eino)
