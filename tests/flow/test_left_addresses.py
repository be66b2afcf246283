"""A no reaches the addresses its client has left: an export that still names one opens nothing (L-31, L-35)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.flow.answering import Said
from dispatcher.flow.correcting import Correction
from dispatcher.flow.standing import standing
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Send, Verdict, Withhold
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck
from dispatcher.storage import clients
from dispatcher.storage.journal import JournalKind
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

OLD, NEW = "maija@posti.example", "uusi@posti.example"
MAIJA = f"1;Maija;M;{OLD};;fi;3.1.2026;kyllä;;3.1.2026"
NAMELESS = f";Maija;M;{OLD};;fi;3.1.2026;kyllä;;3.1.2026"


def import_(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows; a minute passes."""
    dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))
    workshop.clock.advance(timedelta(minutes=1))


def moved(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Take Maija in and put her address right; return her number."""
    import_(workshop, dispatcher, MAIJA)
    number = dispatcher.register.find(OLD)
    actor, check = dispatcher.persons.acting(None), IdentityCheck.KNOWN
    dispatcher.correcting.correct(number, Correction(email=NEW), check, actor)
    workshop.clock.advance(timedelta(minutes=1))
    return number


def at(dispatcher: Dispatcher, email: str) -> Verdict:
    """Return the verdict on the one client who has this address."""
    with dispatcher.store.reading() as connection:
        [number] = clients.by_address(connection, [(Channel.EMAIL, email)])[Channel.EMAIL, email]
    return standing(dispatcher.store, dispatcher.policy, number).verdict


def put_back(workshop: Workshop, dispatcher: Dispatcher, copy: Path) -> None:
    """Put a copy in place and replay the journal; a minute passes."""
    dispatcher.safekeeping.restore(copy)
    dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
    workshop.clock.advance(timedelta(minutes=1))


def object_(dispatcher: Dispatcher, number: int) -> None:
    """Object at the desk."""
    dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))


def decline(dispatcher: Dispatcher, number: int) -> None:
    """Answer the question with a no."""
    said = Said(Reply.DECLINED, Channel.EMAIL, Place.PHONE, text("question_email", Language.FI))
    dispatcher.answering.record(number, [said], dispatcher.persons.acting(None))


@pytest.mark.parametrize("act", [object_, decline])
@pytest.mark.parametrize("is_restored", [False, True])
@pytest.mark.parametrize("row", [NAMELESS, MAIJA.replace("1;", "2;", 1)])
def test_a_no_reaches_the_address_left(
    workshop: Workshop,
    tmp_path: Path,
    act: Callable[[Dispatcher, int], None],
    row: str,
    *,
    is_restored: bool,
) -> None:
    """Whoever an older export makes of somebody who moved and said no, the yes in it opens nothing, restored or not."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        act(dispatcher, moved(workshop, dispatcher))
        if is_restored:
            put_back(workshop, dispatcher, tmp_path / "copy")
        import_(workshop, dispatcher, row)
        assert isinstance(at(dispatcher, OLD), Withhold)


def test_whoever_has_the_address_now_is_left_alone(workshop: Workshop) -> None:
    """The no of somebody who moved is not that of who has their old address since, and yields to a later yes there."""
    with workshop.opened() as dispatcher:
        number = moved(workshop, dispatcher)
        import_(workshop, dispatcher, NAMELESS.replace("Maija", "Erik"))
        object_(dispatcher, number)
        assert isinstance(at(dispatcher, OLD), Send)


def test_a_later_yes_opens_the_address_left(workshop: Workshop) -> None:
    """L-36: what is kept for the address yields to a later yes of whoever comes there."""
    with workshop.opened() as dispatcher:
        object_(dispatcher, moved(workshop, dispatcher))
        workshop.clock.advance(timedelta(days=2))
        import_(workshop, dispatcher, NAMELESS.replace("kyllä;;3.1.2026", "kyllä;;24.11.2026"))
        assert isinstance(at(dispatcher, OLD), Send)


def test_the_journal_forgets_the_address_left(workshop: Workshop) -> None:
    """L-33: with the client the hashes of every address of theirs go from the records of their noes."""
    with workshop.opened() as dispatcher:
        number = moved(workshop, dispatcher)
        object_(dispatcher, number)
        noes = [each.body for each in dispatcher.store.journal.records() if each.kind is JournalKind.NO]
        assert [2] == [len(each["hashes"]) for each in noes]  # type: ignore[arg-type]
        dispatcher.erasing.erase(number, EraseReason.REQUEST, dispatcher.persons.acting(None))
        noes = [each.body for each in dispatcher.store.journal.records() if each.kind is JournalKind.NO]
        assert [0] == [len(each["hashes"]) for each in noes]  # type: ignore[arg-type]
