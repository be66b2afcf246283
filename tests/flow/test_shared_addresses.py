"""L-31: an objection follows the address across those who share it, and the client across a corrected address."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import event

from dispatcher.flow.correcting import Correction
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Reason
from dispatcher.rules.rights import IdentityCheck
from dispatcher.storage import campaigns, tallies
from dispatcher.wiring import Dispatcher
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOME = "koti@posti.example"
OBJECTS = f"1;Anna;A;{HOME};;fi;3.1.2026;peruttu;;4.1.2026"
AGREES = f"2;Berit;B;{HOME};;fi;3.1.2026;kyllä;;3.1.2026"
AGREES_LATER = f"3;Carl;C;{HOME};;fi;3.1.2026;kyllä;;5.1.2026"


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> dict[str, int]:
    """Import these clients an hour later; return who may be written to by which channel, and why the others not."""
    workshop.clock.advance(timedelta(hours=1))
    found = dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None)).may_write
    assert found is not None
    return dict(found.send + found.withhold)


@pytest.mark.parametrize("rows", list(permutations([OBJECTS, AGREES, AGREES_LATER])))
@pytest.mark.parametrize("at_once", [True, False])
def test_one_who_objects_silences_the_inbox(workshop: Workshop, rows: tuple[str, ...], *, at_once: bool) -> None:
    """Of three who share an inbox one says no: nobody gets mail there, in whatever order they come."""
    with workshop.opened() as dispatcher:
        for each in [rows] if at_once else [(row,) for row in rows]:
            found = enrol(workshop, dispatcher, *each)
    assert {Reason.OBJECTION.value: 1, Reason.SHARED_ADDRESS_OBJECTION.value: 2} == found


def test_the_inbox_is_silent_for_who_moves_in_later(workshop: Workshop) -> None:
    """A client who comes to an address where somebody objects gets nothing, though they say yes in the same breath."""
    moves = AGREES.replace(HOME, "berit@posti.example")
    with workshop.opened() as dispatcher:
        assert {Reason.OBJECTION.value: 1, "email": 1} == enrol(workshop, dispatcher, OBJECTS, moves)
        moved_in = AGREES.replace("kyllä;;3.1.2026", "kyllä;;20.11.2026")
        found = enrol(workshop, dispatcher, OBJECTS, moved_in)
        assert {Reason.OBJECTION.value: 1, Reason.SHARED_ADDRESS_OBJECTION.value: 1} == found


def test_an_objection_reaches_the_number_of_its_own_row(workshop: Workshop, tmp_path: Path) -> None:
    """L-31: a no and a new number come in one row; a copy that knew neither silences the number all the same."""
    known, says = "1;Anna;A;anna@posti.example;{};fi;3.1.2026;;{};4.1.2026", "2;Berit;B;;{};fi;3.1.2026;;{};3.1.2026"
    number = "040 123 4567"
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, known.format("", ""))
        dispatcher.safekeeping.backup(tmp_path / "copy")
        enrol(workshop, dispatcher, known.format(number, "peruttu"))
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(actor)
        found = enrol(workshop, dispatcher, known.format("", ""), says.format(number, "kyllä"))
        assert {Reason.CHANNEL_CONSENT_MISSING.value: 1, Reason.OBJECTION.value: 1} == found


def test_an_objection_of_its_own_row_stays_where_the_client_was(workshop: Workshop) -> None:
    """L-31: who says no in the row that corrects the address silences both: the one they had and the one they have."""
    moved = OBJECTS.replace(HOME, "anna@posti.example")
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, OBJECTS.replace("peruttu", ""))
        found = enrol(workshop, dispatcher, moved, AGREES)
        assert {Reason.OBJECTION.value: 2} == found


def test_what_clients_said_before_is_read_once_for_a_chunk(workshop: Workshop) -> None:
    """An import asks the database as often for thirty clients who say no as for one."""
    asked: list[str] = []
    counts = []
    with workshop.opened() as dispatcher:
        event.listen(dispatcher.store.database.engine, "before_cursor_execute", lambda *what: asked.append(what[2]))
        for those in (range(1, 2), range(2, 32)):
            row = "{0};Anna;A;anna{0}@{1}.example;;fi;3.1.2026;{2};;4.1.2026"
            enrol(workshop, dispatcher, *(row.format(number, "posti", "kyllä") for number in those))
            asked.clear()
            enrol(workshop, dispatcher, *(row.format(number, "koti", "peruttu") for number in those))
            counts.append(sum(each.startswith("SELECT ledger_entry.id") for each in asked))
    assert counts[0] == counts[1] > 0


def test_an_objection_follows_the_client_to_a_corrected_address(workshop: Workshop) -> None:
    """A new address is no way around a no; only a later yes of the same client is."""
    moved = OBJECTS.replace(HOME, "anna@posti.example")
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, OBJECTS)
        assert {Reason.OBJECTION.value: 1} == enrol(workshop, dispatcher, moved)
        yes = moved.replace("peruttu;;4.1.2026", "kyllä;;20.11.2026")
        assert {"email": 1} == enrol(workshop, dispatcher, yes)


def test_an_objection_stays_with_the_address_that_is_left(workshop: Workshop) -> None:
    """Who comes to the address after the one who objected has moved away gets nothing on an older yes."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, OBJECTS)
        enrol(workshop, dispatcher, OBJECTS.replace(HOME, "anna@posti.example"))
        assert {Reason.OBJECTION.value: 2} == enrol(workshop, dispatcher, AGREES)
        workshop.clock.advance(timedelta(days=3))
        asked = AGREES.replace("kyllä;;3.1.2026", "kyllä;;25.11.2026")
        assert {Reason.OBJECTION.value: 1, "email": 1} == enrol(workshop, dispatcher, asked)


def test_a_yes_in_the_same_breath_goes_with_the_new_address(workshop: Workshop) -> None:
    """The row that corrects the address and answers anew opens it; one that only corrects it does not."""
    yes = "4;Dora;D;dora@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"
    moved = yes.replace("dora@", "uusi@")
    with workshop.opened() as dispatcher:
        assert {"email": 1} == enrol(workshop, dispatcher, yes)
        assert {"sms": 1} == enrol(workshop, dispatcher, moved)
        again = moved.replace("uusi@", "toinen@").replace("kyllä;kyllä;3.1.2026", "kyllä;kyllä;2.2.2026")
        assert {"email": 1} == enrol(workshop, dispatcher, again)
        back = again.replace("toinen@", "dora@")
        assert {"sms": 1} == enrol(workshop, dispatcher, back)
        assert {"email": 1} == enrol(workshop, dispatcher, back.replace("2.2.2026", "3.2.2026"))


def standing(dispatcher: Dispatcher, name: str) -> dict[tuple[str, str | None], int]:
    """Return how many messages of a campaign stand where, and why."""
    with dispatcher.store.reading() as connection:
        found = campaigns.by_name(connection, name)
        assert found is not None
        return {(each.state.value, each.reason): each.count for each in tallies.counted(connection, found.id)}


def test_who_waits_for_a_receipt_at_a_shared_inbox_stops_no_campaign(workshop: Workshop, doubles: Doubles) -> None:
    """Somebody is typed the address of another: one message is planned for it, whichever of them has to wait."""
    with workshop.opened() as dispatcher:
        actor, yes = dispatcher.persons.acting(None), (Reply.GRANTED, Place.PHONE)
        enrol(workshop, dispatcher, AGREES, AGREES_LATER.replace(HOME, "carl@posti.example"))
        carl = dispatcher.register.find("carl@posti.example")
        dispatcher.correcting.correct(carl, Correction(email=HOME), IdentityCheck.KNOWN, actor, said=yes)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
        workshop.clock.set(MOMENT)
        asyncio.run(dispatcher.rounds.once())
        found = standing(dispatcher, "a")
        assert 1 == found.pop(("withheld", Reason.ALREADY_SENT_OR_UNKNOWN.value))
        assert [1] == list(found.values())
        assert doubles.mailed() in ([], [HOME])


def test_two_who_wait_for_the_hour_share_a_number(workshop: Workshop, doubles: Doubles) -> None:
    """A number that two have is closed for texts while mail may go: one of them waits for it, and gets it."""
    rows = [f"{n};Eva;E;;040 123 4567;fi;3.1.2026;;kyllä;3.1.2026" for n in (5, 6)]
    late = MOMENT.replace(hour=18, minute=30)
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, *rows)
        dispatcher.schedule.run(workshop.campaign("a", late), dispatcher.persons.acting(None))
        workshop.clock.set(late)
        asyncio.run(dispatcher.rounds.once())
        assert 1 == standing(dispatcher, "a").get(("withheld", Reason.ALREADY_SENT_OR_UNKNOWN.value))
        workshop.clock.set(MOMENT + timedelta(days=1))
        asyncio.run(dispatcher.rounds.once())
    assert ["+358401234567"] == doubles.texted()
