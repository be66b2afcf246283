"""Every no is taken in, whoever brings it and however often, and none is lost behind an older one."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.errors import JournalError, LinkError, NotFoundError
from dispatcher.flow.concern import Concern
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import ConsentState, Place, Reply
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link, look_by_link
from tests.flow.joining import said
from tests.workshop import HEADER, Workshop

YES = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;sv;3.1.2026;kyllä;kyllä;{day}"


def begin(workshop: Workshop, dispatcher: Dispatcher, day: str = "3.1.2026") -> int:
    """Import one client who said yes to both channels that day, and return the number."""
    dispatcher.enrol.run(workshop.register(YES.format(day=day)), dispatcher.persons.acting(None))
    return dispatcher.register.find("maija@posti.example")


def states(dispatcher: Dispatcher) -> set[ConsentState]:
    """Return the states of the one client's channels."""
    return {consent.state for consent in dispatcher.register.listed()[0].consents.values()}


def noes(dispatcher: Dispatcher, number: int) -> int:
    """Return how many withdrawals of a client are on record."""
    return sum(each.answer.reply is Reply.WITHDRAWN for each in dispatcher.register.history(number))


def entries(dispatcher: Dispatcher) -> int:
    """Return how many entries the ledger holds."""
    with dispatcher.store.reading() as connection:
        return sum(1 for _ in ledger.entries(connection))


def test_looking_changes_nothing(workshop: Workshop) -> None:
    """E-09: a look at a link tells whom it concerns, masked, by the channel it came by, and writes nothing."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        before = entries(dispatcher)
        for channel, masked in ((Channel.EMAIL, "m***@p***.example"), (Channel.SMS, "+358*****67")):
            concern = look_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, channel)))
            assert (masked, Language.SV) == (concern.address, concern.language)
        assert (before, {ConsentState.GRANTED}) == (entries(dispatcher), states(dispatcher))


def test_a_link_of_nobody_here(workshop: Workshop) -> None:
    """E-10: a link with no client behind it is answered, and its no kept; one not made here is refused."""
    with workshop.opened() as dispatcher:
        token = dispatcher.links.token(OptOut(77, Channel.EMAIL))
        concern = look_by_link(dispatcher.preferences, token)
        assert Concern(None, None, is_gone=True) == concern
        leave_by_link(dispatcher.preferences, token, Place.LINK)
        assert 1 == noes(dispatcher, 77)
        with pytest.raises(LinkError):
            dispatcher.preferences.read(token[:20] + ("a" if token[20] != "a" else "b") + token[21:])


def test_an_address_nobody_has_is_kept(workshop: Workshop, tmp_path: Path) -> None:
    """L-35: its keyed hash outlives a restore and withholds whoever comes with it; a later explicit yes lifts it."""
    address = (Channel.EMAIL, "maija@posti.example")
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        assert address == dispatcher.register.stranger(" Maija@posti.example ")
        assert [] == dispatcher.preferences.withdraw_address(address, actor)
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(actor)
        path = workshop.register(YES.format(day="3.1.2026"))
        report = dispatcher.enrol.run(path, actor)
        assert report.may_write is not None
        assert {"objection": 1} == dict(report.may_write.withhold)
        assert dispatcher.register.stranger("maija@posti.example") is None
        workshop.clock.advance(timedelta(days=3))
        report = dispatcher.enrol.run(workshop.register(YES.format(day="25.11.2026")), actor)
        assert report.may_write is not None
        assert {"email": 1} == dict(report.may_write.send)


def test_a_no_of_an_address_is_everybodys_who_has_it(workshop: Workshop) -> None:
    """L-31: an address in the register says no for each client who has it, for one channel where only that is meant."""
    home = YES.replace("1;Maija", "2;Matti").replace("040 123 4567", "040 123 4568")
    address = (Channel.EMAIL, "maija@posti.example")
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        path = workshop.register(YES.format(day="3.1.2026"), home.format(day="3.1.2026"))
        dispatcher.enrol.run(path, actor)
        numbers = sorted(each.number for each in dispatcher.register.listed())
        assert numbers == dispatcher.preferences.withdraw_address(address, actor, Channel.EMAIL)
        told = [each.consents for each in dispatcher.register.listed()]
        assert {ConsentState.WITHDRAWN} == {consents[Channel.EMAIL].state for consents in told}
        assert {ConsentState.GRANTED} == {consents[Channel.SMS].state for consents in told}


def test_words_that_are_no_address_are_nobodys(workshop: Workshop) -> None:
    """A name, a client's number and an address somebody has are no stranger's; part of another's address is one."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        for words in ("maija", str(number), "maija@posti.example", "0401234567", "", "nonsense", "09 123 4567"):
            assert dispatcher.register.stranger(words) is None, words
        assert (Channel.EMAIL, "aija@posti.example") == dispatcher.register.stranger("aija@posti.example")


def test_a_double_click_is_one_no(workshop: Workshop) -> None:
    """E-10: a second click within a minute adds nothing, to the ledger or the journal."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        token = dispatcher.links.token(OptOut(number, Channel.EMAIL))
        leave_by_link(dispatcher.preferences, token, Place.LINK)
        before = (entries(dispatcher), dispatcher.store.journal.last())
        workshop.clock.advance(timedelta(seconds=59))
        leave_by_link(dispatcher.preferences, token, Place.ONE_CLICK)
        assert before == (entries(dispatcher), dispatcher.store.journal.last())
        assert 1 == noes(dispatcher, number)


def test_a_later_click_beats_a_yes_from_in_between(workshop: Workshop) -> None:
    """L-07: a click after a yes is the last word, even if that yes arrives afterwards and there was a click before."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        token = dispatcher.links.token(OptOut(number, Channel.EMAIL))
        leave_by_link(dispatcher.preferences, token, Place.LINK)
        between = workshop.clock.advance(timedelta(days=2))
        workshop.clock.advance(timedelta(days=2))
        leave_by_link(dispatcher.preferences, token, Place.LINK)
        begin(workshop, dispatcher, f"{between:%d.%m.%Y}")
        assert {ConsentState.WITHDRAWN} == states(dispatcher)


def test_a_click_soon_after_coming_back_counts(workshop: Workshop) -> None:
    """E-11: who leaves, says yes and leaves again within a minute has left; only a repetition adds nothing (E-10)."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        token = dispatcher.links.token(OptOut(number, Channel.EMAIL))
        leave_by_link(dispatcher.preferences, token, Place.LINK)
        workshop.clock.advance(timedelta(seconds=20))
        dispatcher.answering.record(number, [said(Channel.EMAIL)], dispatcher.persons.acting(None))
        workshop.clock.advance(timedelta(seconds=20))
        leave_by_link(dispatcher.preferences, token, Place.LINK)
        assert {ConsentState.WITHDRAWN} == states(dispatcher)


def test_an_old_objection_does_not_swallow_a_click(workshop: Workshop) -> None:
    """Invariant 4: an objection from before the yes, learned of after it, does not stand in for the click of today."""
    settings = workshop.directory / "dispatcher.toml"
    column = '[[register.answers]]\ncolumn = "kielto"\nchannels = ["email"]\ncloses_all = true\n'
    column += 'place = "phone"\nasked_column = "lupa annettu"\nwithdrawn = ["kielto"]\n'
    settings.write_text(settings.read_text(encoding="utf-8") + column, encoding="utf-8")
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher, "3.3.2026")
        row = "1;Maija;Meikäläinen;maija@posti.example;;sv;;;;1.2.2026;kielto"
        dispatcher.enrol.run(workshop.register(row, header=f"{HEADER};kielto"), dispatcher.persons.acting(None))
        assert (1, {ConsentState.GRANTED}) == (noes(dispatcher, number), states(dispatcher))
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.EMAIL)), Place.ONE_CLICK)
        assert {ConsentState.WITHDRAWN} == states(dispatcher)


def test_a_no_at_the_desk_names_who_took_it(workshop: Workshop) -> None:
    """A no at the desk is the person's act, a click the client's own; each says where it was made."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))
        workshop.clock.advance(timedelta(hours=1))
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.SMS)), Place.LINK)
        with dispatcher.store.reading() as connection:
            kept = [each for each in ledger.entries(connection) if each.kind == EntryKind.ANSWER.value][-2:]
        assert [("person:1", "desk"), ("client", "link")] == [
            (each.actor.rstrip(":"), each.data()["place"]) for each in kept
        ]


def test_a_no_to_one_channel_leaves_the_other(workshop: Workshop) -> None:
    """A no that names a channel closes that one alone."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None), Channel.EMAIL)
        consents = dispatcher.register.listed()[0].consents
        assert ConsentState.WITHDRAWN is consents[Channel.EMAIL].state
        assert ConsentState.GRANTED is consents[Channel.SMS].state


def test_a_no_is_for_somebody(workshop: Workshop) -> None:
    """At the desk, a number that no client has is refused: nobody is to believe that it was heard."""
    with workshop.opened() as dispatcher, pytest.raises(NotFoundError, match="`dispatcher client list`"):
        dispatcher.preferences.withdraw(77, dispatcher.persons.acting(None))


def test_a_no_that_cannot_be_kept_is_not_answered(workshop: Workshop) -> None:
    """E-11: where the journal cannot be written, the no raises and nothing of it is in the database."""
    with workshop.opened() as dispatcher:
        number = begin(workshop, dispatcher)
        before = entries(dispatcher)
        journal = dispatcher.store.writer._journal
        with pytest.MonkeyPatch.context() as patch:

            def refuse(*_: object, **__: object) -> list[int]:
                raise JournalError("The journal could not be written (No space left on device). Nothing was changed.")

            patch.setattr(type(journal), "append", refuse)
            with pytest.raises(JournalError, match="No space left"):
                leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.EMAIL)), Place.LINK)
        assert (before, {ConsentState.GRANTED}) == (entries(dispatcher), states(dispatcher))
