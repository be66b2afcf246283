"""Noes that wait at the same time share one commit, and each is as whole as one alone."""

import pytest

from dispatcher.errors import JournalError
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.storage import ledger, reports
from dispatcher.storage.journal import JournalKind
from dispatcher.wiring import Dispatcher
from tests.flow.carried import MOMENT
from tests.workshop import Workshop

ROWS = [f"{n};Maija;Meikäläinen;maija{n}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for n in range(1, 4)]


def begin(workshop: Workshop, dispatcher: Dispatcher) -> list[OptOut]:
    """Import three clients who said yes, and return their links."""
    dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))
    numbers = (dispatcher.register.find(f"maija{n}@posti.example") for n in range(1, 4))
    return [OptOut(number, Channel.EMAIL) for number in numbers]


def groups(dispatcher: Dispatcher) -> int:
    """Return how many commits the ledger holds."""
    with dispatcher.store.reading() as connection:
        return sum(1 for _ in reports.groups_by_chain(connection))


def noes(dispatcher: Dispatcher, link: OptOut) -> list[Place | None]:
    """Return where each no of a client came in."""
    said = (each.answer for each in dispatcher.register.history(link.client))
    return [answer.place for answer in said if answer.reply is Reply.WITHDRAWN and answer.channel is None]


def test_one_commit_keeps_them_all(workshop: Workshop) -> None:
    """E-11: three noes are one group of the ledger, each with its place, and each in the journal for a restore."""
    with workshop.opened() as dispatcher:
        links = begin(workshop, dispatcher)
        before = groups(dispatcher)
        places = [Place.LINK, Place.ONE_CLICK, Place.LINK]
        dispatcher.preferences.leave_together(list(zip(links, places, strict=True)))
        assert before + 1 == groups(dispatcher)
        assert [[place] for place in places] == [noes(dispatcher, link) for link in links]
        kept = [record.body["client"] for record in dispatcher.store.journal.records() if record.kind is JournalKind.NO]
        assert [link.client for link in links] == kept


def test_twice_together_is_once(workshop: Workshop) -> None:
    """E-10: a client who presses twice, or has just said so, adds nothing, and keeps nobody else from leaving."""
    with workshop.opened() as dispatcher:
        first, second, third = begin(workshop, dispatcher)
        dispatcher.preferences.leave_together([(third, Place.LINK)])
        asked = [(first, Place.ONE_CLICK), (first, Place.LINK), (second, Place.LINK), (third, Place.LINK)]
        dispatcher.preferences.leave_together(asked)
        assert [[Place.ONE_CLICK], [Place.LINK], [Place.LINK]] == [
            noes(dispatcher, each) for each in (first, second, third)
        ]


def test_what_waits_for_each_is_withheld(workshop: Workshop) -> None:
    """E-12: of a campaign that is planned, the messages of those who leave are withheld, and only theirs."""
    with workshop.opened() as dispatcher:
        *gone, stays = begin(workshop, dispatcher)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=["email"]), dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        dispatcher.preferences.leave_together([(link, Place.LINK) for link in gone])
        with dispatcher.store.reading() as connection:
            withheld = [entry.client for entry in ledger.entries(connection, ["withheld"])]
        assert sorted(link.client for link in gone) == sorted(filter(None, withheld))
        assert stays.client not in withheld


def test_nothing_is_kept_by_half(workshop: Workshop) -> None:
    """E-11: where the journal cannot keep them, nobody's no is half on record, and everybody is told."""
    with workshop.opened() as dispatcher:
        links = begin(workshop, dispatcher)
        before = groups(dispatcher)
        dispatcher.store.journal.append = _refuse  # type: ignore[method-assign]
        with pytest.raises(JournalError):
            dispatcher.preferences.leave_together([(link, Place.LINK) for link in links])
        assert before == groups(dispatcher)
        assert [[], [], []] == [noes(dispatcher, link) for link in links]


def test_a_look_at_several(workshop: Workshop) -> None:
    """E-09: several links are looked at together, each for its own client, in order."""
    with workshop.opened() as dispatcher:
        links = begin(workshop, dispatcher)
        found = dispatcher.preferences.look_at([links[2], OptOut(77, Channel.EMAIL), links[0]])
        assert [False, True, False] == [each.is_gone for each in found]
        assert found[0].address == found[2].address == "m***@p***.example"


def _refuse(*_: object, **__: object) -> list[int]:
    raise JournalError


def test_a_rehearsal_changes_nothing(workshop: Workshop) -> None:
    """E-09: what a starting process does before anybody comes goes the way of a no and leaves no trace of one."""
    with workshop.opened() as dispatcher:
        assert [] == dispatcher.preferences.rehearse()
        links = begin(workshop, dispatcher)
        before, records = groups(dispatcher), dispatcher.store.journal.last()
        assert ["m***@p***.example"] == [each.address for each in dispatcher.preferences.rehearse()]
        assert (before, records) == (groups(dispatcher), dispatcher.store.journal.last())
        assert [[], [], []] == [noes(dispatcher, link) for link in links]
