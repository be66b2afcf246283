"""The people who work with the program: who acts, who comes, who goes, and what stays on record."""

from datetime import timedelta

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.rules.actor import Role
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import OWNER, Workshop


def told(dispatcher: Dispatcher) -> list[tuple[str, object, object]]:
    """Return what the ledger tells of persons: the actor, the event, and the number of the person it is about."""
    with dispatcher.store.reading() as connection:
        kept = [entry for entry in ledger.entries(connection) if entry.kind == EntryKind.PERSON.value]
    return [(entry.actor, entry.data()["event"], entry.data()["person"]) for entry in kept]


def test_the_only_owner_acts_where_nobody_is_named(workshop: Workshop) -> None:
    """Without a name it is the only owner who acts; with one it is that person, whatever the letters' case."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        assert "person:1" == str(owner)
        saara = dispatcher.persons.add("Saara Esimerkki", Role.STAFF, owner)
        assert saara.actor == dispatcher.persons.acting("saara ESIMERKKI")
        dispatcher.persons.add("Toinen", Role.OWNER, owner)
        with pytest.raises(RefusedError, match="There are 2 owners: say who you are with --as NAME"):
            dispatcher.persons.acting(None)
        with pytest.raises(NotFoundError, match=rf"Known: {OWNER}, Saara Esimerkki, Toinen\.$"):
            dispatcher.persons.acting("Nobody")


def test_a_coming_and_a_going_are_entries(workshop: Workshop) -> None:
    """Who was added and ended, and by whom, is in the ledger by number; no name is."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        dispatcher.persons.add("  Saara   Esimerkki ", Role.STAFF, owner)
        workshop.clock.advance(timedelta(days=3))
        dispatcher.persons.end("saara esimerkki", owner)
        [_, saara] = dispatcher.persons.everyone()
        assert ("Saara Esimerkki", workshop.clock()) == (saara.name, saara.ended_at)
        assert [("person:1", "added", 1), ("person:1", "added", 2), ("person:1", "ended", 2)] == told(dispatcher)


def test_who_has_gone_acts_no_more(workshop: Workshop) -> None:
    """A name that has ended acts for nobody, cannot end twice, and is free for somebody new."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        first = dispatcher.persons.add("Saara", Role.STAFF, owner)
        with pytest.raises(RefusedError, match="works here already"):
            dispatcher.persons.add("SAARA", Role.AUDITOR, owner)
        dispatcher.persons.end("Saara", owner)
        with pytest.raises(NotFoundError, match=rf"Nobody by the name of 'Saara' works here. Known: {OWNER}\."):
            dispatcher.persons.acting("Saara")
        with pytest.raises(NotFoundError, match=f"Known: {OWNER}"):
            dispatcher.persons.end("Saara", owner)
        again = dispatcher.persons.add("Saara", Role.STAFF, owner)
        assert first.id != again.id
        assert again.actor == dispatcher.persons.acting("Saara")


def test_an_owner_is_always_left(workshop: Workshop) -> None:
    """The last owner cannot go; with a second one, the first can."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        with pytest.raises(RefusedError, match=f"{OWNER} is the only owner: add another owner first"):
            dispatcher.persons.end(OWNER, owner)
        dispatcher.persons.add("Toinen", Role.OWNER, owner)
        dispatcher.persons.end(OWNER, owner)
        assert "person:2" == str(dispatcher.persons.acting(None))


def test_a_name_has_a_length(workshop: Workshop) -> None:
    """A name of no characters, or of more than a hundred, is refused and nothing is written."""
    with workshop.opened() as dispatcher:
        before = told(dispatcher)
        for name in ("", "   ", "x" * 101):
            with pytest.raises(RefusedError, match="1 to 100 characters"):
                dispatcher.persons.add(name, Role.STAFF, dispatcher.persons.acting(None))
        assert before == told(dispatcher)
