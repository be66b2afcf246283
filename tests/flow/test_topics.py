"""A client chooses a topic: kept like a no for the other, in force at once, and after a restore."""

from datetime import UTC, datetime

import pytest

from dispatcher.errors import RefusedError
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel, Kind
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.wishes import Less
from dispatcher.storage import ledger
from dispatcher.storage.journal import JournalKind
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
ROW = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"


def begin(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Import a client and return their number."""
    dispatcher.enrol.run(workshop.register(ROW), dispatcher.persons.acting(None))
    return dispatcher.register.find("maija@posti.example")


def withheld(workshop: Workshop, dispatcher: Dispatcher) -> dict[str, int]:
    """Return why an offer would not go."""
    return dict(dispatcher.audiences.run(workshop.campaign("a", MOMENT)).counts.withhold)


def test_a_choice_by_the_link_holds_at_once(workshop: Workshop) -> None:
    """Who wants treatment days only gets no offer from then on, and still treatment days; the journal has it.

    X-04: nor does a press of the other choice bring the offers back.
    """
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        token = dispatcher.links.token(OptOut(number, Channel.EMAIL))
        assert {} == withheld(workshop, dispatcher)
        dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.TREATMENT_DAY)
        assert {"topic_not_chosen": 1} == withheld(workshop, dispatcher)
        day = workshop.campaign("b", MOMENT)
        day.write_text(day.read_text("utf-8").replace('kind = "offer"', 'kind = "treatment_day"'), encoding="utf-8")
        assert {"email": 1} == dict(dispatcher.audiences.run(day).counts.send)
        flags = [
            record.body["flag"] for record in dispatcher.store.journal.records() if record.kind is JournalKind.FLAG
        ]
        assert ["no_offers"] == flags
        with dispatcher.store.reading() as connection:
            told = [each.data()["event"] for each in ledger.entries(connection, [EntryKind.CLIENT.value])]
            assert "no_offers" in told
        assert not dispatcher.preferences.choose(dispatcher.preferences.read(token), Less.OFFER)
        assert {"topic_not_chosen": 1} == withheld(workshop, dispatcher)


def test_a_restore_brings_the_choice_back(workshop: Workshop) -> None:
    """L-34: a copy from before the choice learns of it when the journal is replayed."""
    copy = workshop.directory / "copy.db"
    with workshop.opened() as dispatcher:
        number, owner = begin(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(copy)
        assert dispatcher.marks.choose_topics(number, {Kind.TREATMENT_DAY}, owner)
        assert not dispatcher.marks.choose_topics(number, {Kind.TREATMENT_DAY}, owner)
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        assert 1 == dispatcher.safekeeping.replay(owner).marks
        assert {"topic_not_chosen": 1} == withheld(workshop, dispatcher)


def test_no_topic_at_all_is_a_no(workshop: Workshop) -> None:
    """Who wants neither topic has said no: that is recorded as one, never as a choice."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        with pytest.raises(RefusedError, match="consent withdraw"):
            dispatcher.marks.choose_topics(number, frozenset(), dispatcher.persons.acting(None))


def test_the_link_of_a_test_chooses_nothing(workshop: Workshop) -> None:
    """A test message's link changes nobody's topics, and neither does a link without a row behind it."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        of_a_test = dispatcher.preferences.read(dispatcher.links.test_url(Channel.EMAIL).rpartition("/")[2])
        dispatcher.preferences.choose(of_a_test, Less.TREATMENT_DAY)
        dispatcher.preferences.choose(OptOut(5, Channel.EMAIL), Less.TREATMENT_DAY)
        assert {} == withheld(workshop, dispatcher)
