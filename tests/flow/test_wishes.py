"""A client wants fewer messages: kept in the journal, in force at once, and after a restore."""

from datetime import timedelta

import pytest

from dispatcher.errors import NotFoundError
from dispatcher.flow.wishes import Wishes
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.wishes import Less, More
from dispatcher.storage import ledger
from dispatcher.storage.clients import Flags, read_flagged
from dispatcher.storage.journal import JournalKind
from dispatcher.wiring import Dispatcher
from tests.flow.joining import MAIJA, may_write, said
from tests.workshop import Workshop

ROW = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.11.2026;kyllä;kyllä;3.11.2026"


def begin(workshop: Workshop, dispatcher: Dispatcher) -> tuple[int, str]:
    """Import a client and return their number and the token of their mail's link."""
    dispatcher.enrol.run(workshop.register(ROW), dispatcher.persons.acting(None))
    number = dispatcher.register.find(MAIJA)
    return number, dispatcher.links.token(OptOut(number, Channel.EMAIL))


def flags(dispatcher: Dispatcher, number: int) -> Flags:
    """Return what the register notes about a client."""
    with dispatcher.store.reading() as connection:
        return read_flagged(connection, [number])[number][1]


def told(dispatcher: Dispatcher, number: int) -> list[tuple[str, Json]]:
    """Return what the ledger tells of a client's limits."""
    with dispatcher.store.reading() as connection:
        entries = ledger.entries_of_clients(connection, EntryKind.CLIENT.value, [number])
        return [(event := str(each.data()["event"]), each.data().get(event)) for each in entries][1:]


def test_each_limit_is_an_entry_and_a_record(workshop: Workshop) -> None:
    """L-34: a number of their own and a pause stand in ledger and journal, once however often they are chosen."""
    with workshop.opened() as dispatcher:
        number, token = begin(workshop, dispatcher)
        for less in (Less.FEW, Less.FEW, Less.PAUSE, Less.PAUSE):
            assert dispatcher.preferences.choose(dispatcher.preferences.read(token), less)
        until = flags(dispatcher, number).paused_until
        assert until is not None
        kept = [each.body for each in dispatcher.store.journal.records() if each.kind is JournalKind.LIMIT]
        assert ["own_cap", "paused_until"] == [each["limit"] for each in kept]
        assert [("own_cap", 6), ("paused_until", kept[1]["value"])] == told(dispatcher, number)
        assert not may_write(dispatcher, number)


def test_a_restore_brings_the_limits_back(workshop: Workshop) -> None:
    """L-34: a copy from before the wishes learns of them when the journal is replayed."""
    copy = workshop.directory / "copy.db"
    with workshop.opened() as dispatcher:
        number, token = begin(workshop, dispatcher)
        dispatcher.safekeeping.backup(copy)
        dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.FEW)
        dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.PAUSE)
        before, owner = flags(dispatcher, number), dispatcher.persons.acting(None)
        dispatcher.safekeeping.restore(copy)
        assert before != flags(dispatcher, number)
    with workshop.opened() as dispatcher:
        assert 2 == dispatcher.safekeeping.replay(owner).marks
        assert before == flags(dispatcher, number)


def test_a_client_who_comes_back_after_a_restore_has_their_limits(workshop: Workshop) -> None:
    """L-34: a copy that never knew the client gives them number and pause when the next import brings them back."""
    copy = workshop.directory / "copy.db"
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(copy)
        number, token = begin(workshop, dispatcher)
        dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.FEW)
        dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.PAUSE)
        before = flags(dispatcher, number)
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(owner)
        assert (number, before) == (begin(workshop, dispatcher)[0], flags(dispatcher, number))


def test_a_wish_never_grows_by_a_press(workshop: Workshop) -> None:
    """X-04: who wants three a year does not get six by choosing few again, and a pause never ends sooner."""
    with workshop.opened() as dispatcher:
        number, token = begin(workshop, dispatcher)
        dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.PAUSE)
        until = flags(dispatcher, number).paused_until
        workshop.clock.advance(-timedelta(days=30))
        dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.PAUSE)
        assert until == flags(dispatcher, number).paused_until


def test_a_channel_closed_soon_after_it_was_opened_again_is_closed(workshop: Workshop) -> None:
    """E-11: "by email only" pressed again within a minute counts where a yes to text messages came in between."""
    with workshop.opened() as dispatcher:
        number, token = begin(workshop, dispatcher)
        for _ in range(2):
            dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.EMAIL)
            closed = dispatcher.preferences.look_closely_at([OptOut(number, Channel.SMS)])[0]
            assert [Channel.EMAIL] == [each.channel for each in closed.agreed if each.is_open]
            workshop.clock.advance(timedelta(seconds=10))
            dispatcher.answering.record(number, [said(Channel.SMS)], dispatcher.persons.acting(None))
            workshop.clock.advance(timedelta(seconds=10))


def test_a_number_of_nobody_is_refused(workshop: Workshop) -> None:
    """A wish for a client nobody knows is an error for a person, and nothing is kept."""
    with workshop.opened() as dispatcher, pytest.raises(NotFoundError):
        Wishes(dispatcher.store, dispatcher.policy).choose(5, Less.FEW, dispatcher.persons.acting(None))


@pytest.mark.parametrize("more", More)
def test_nothing_is_asked_where_there_is_nothing_to_give(workshop: Workshop, more: More) -> None:
    """Of a client who has both channels and no wish, no press asks for a confirmation."""
    with workshop.opened() as dispatcher:
        number, token = begin(workshop, dispatcher)
        assert dispatcher.preferences.reopening is not None
        dispatcher.preferences.reopening.ask(dispatcher.preferences.read(token), more, Language.FI)
        with dispatcher.store.reading() as connection:
            assert [] == list(ledger.entries_of_clients(connection, EntryKind.SERVICE.value, [number]))
