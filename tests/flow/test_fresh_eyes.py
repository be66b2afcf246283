"""What was found by trying to break the walk: each a way in which a no, a twelve or a stop could have been missed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import CampaignFileError, JournalError, NoSlotError
from dispatcher.flow.answering import Said
from dispatcher.links import OptOut
from dispatcher.rules.actor import duty
from dispatcher.rules.campaign import Campaign, Channel, Kind, Language, State
from dispatcher.rules.consent import ConsentState, Place, Reply
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows an hour later."""
    workshop.clock.advance(timedelta(hours=1))
    dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))


def state(dispatcher: Dispatcher, words: str) -> ConsentState:
    """Return the state of email consent of the one client these words fit."""
    return dispatcher.register.listed(words)[0].consents[Channel.EMAIL].state


def test_an_undated_no_is_heard_again_after_a_yes(workshop: Workshop) -> None:
    """L-06: a no without a date, a dated yes, and the no without a date again: the latest word is no."""
    with workshop.opened() as dispatcher:
        row = "1;Maija;M;maija@posti.example;;fi;3.1.2026;{};;{}"
        for reply, day in (("ei", ""), ("kyllä", "1.3.2026"), ("ei", "")):
            enrol(workshop, dispatcher, row.format(reply, day))
        assert state(dispatcher, "maija") is ConsentState.DECLINED


def test_a_no_takes_no_bounds_from_the_settings(workshop: Workshop) -> None:
    """L-07: the settings say when a yes without a date was given; a no without one may have been said until now."""
    settings = workshop.directory / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8").replace(
        'column = "markkinointilupa"', 'column = "markkinointilupa"\nnot_before = 2025-01-01\nnot_after = 2025-12-31'
    )
    settings.write_text(text, encoding="utf-8")
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, "1;Maija;M;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        enrol(workshop, dispatcher, "1;Maija;M;maija@posti.example;;fi;3.1.2026;ei;;")
        assert state(dispatcher, "maija") is ConsentState.DECLINED


def test_nothing_is_imported_before_the_replay(workshop: Workshop, tmp_path: Path) -> None:
    """Invariant 4: an import over a database that is behind its journal would part clients from their links."""
    with workshop.opened() as dispatcher:
        row = "1;Maija;M;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
        dispatcher.safekeeping.backup(tmp_path / "copy")
        enrol(workshop, dispatcher, row)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        with pytest.raises(JournalError, match="--replay"):
            enrol(workshop, dispatcher, row)


def test_a_client_whose_address_changed_comes_back_with_their_no(workshop: Workshop, tmp_path: Path) -> None:
    """Invariant 4: a no said before a restore stands for a client who has moved since, and comes back by number."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        enrol(workshop, dispatcher, "1;Maija;M;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        number = dispatcher.register.find("maija@posti.example")
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.EMAIL)), Place.LINK)
        moved = "1;Maija;M;uusi@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
        enrol(workshop, dispatcher, moved)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        enrol(workshop, dispatcher, moved)
        assert number == dispatcher.register.find("uusi@posti.example")
        assert state(dispatcher, "uusi") is ConsentState.WITHDRAWN


def test_a_refusal_at_the_desk_outlives_a_restore(workshop: Workshop, tmp_path: Path) -> None:
    """Invariant 4: a no that overturned nothing, said to a person, still beats an older yes that comes afterwards."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, "1;Maija;M;maija@posti.example;;fi;3.1.2026;;;")
        dispatcher.safekeeping.backup(tmp_path / "copy")
        question = text("question_email", Language.FI)
        said = Said(Reply.DECLINED, Channel.EMAIL, Place.PHONE, question)
        actor = dispatcher.persons.acting(None)
        dispatcher.answering.record(dispatcher.register.find("maija@posti.example"), [said], actor)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(actor)
        enrol(workshop, dispatcher, "1;Maija;M;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        assert state(dispatcher, "maija") is ConsentState.DECLINED


def test_an_old_number_goes_to_nobody_else(workshop: Workshop, tmp_path: Path) -> None:
    """After a restore, a new customer at a shared inbox does not get the number of the one whose links carry it."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        enrol(workshop, dispatcher, "1;Maija;M;koti@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        number = dispatcher.register.find("koti@posti.example")
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        enrol(workshop, dispatcher, "2;Matti;M;koti@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        assert number != dispatcher.register.find("koti@posti.example")


def test_the_objection_of_a_stranger_in_a_rejected_row_is_kept(workshop: Workshop) -> None:
    """A row nobody can take in, of somebody nobody knows, still silences the inbox it names."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, "1;Maija;M;koti@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        enrol(workshop, dispatcher, "2;=Matti;M;koti@posti.example;;fi;3.1.2026;peruttu;;")
        check = dispatcher.check.run(workshop.campaign("a", MOMENT))
        assert dict(check.counts.withhold) == {"objection": 1}


def test_an_objection_stays_with_the_address_left_behind(workshop: Workshop) -> None:
    """Who objected and moved leaves a silent address: an older yes of whoever comes there next does not open it."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, "1;Maija;M;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        number = dispatcher.register.find("maija@posti.example")
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))
        enrol(
            workshop,
            dispatcher,
            "1;Maija;M;toinen@posti.example;;fi;3.1.2026;kyllä;;3.1.2026",
            "7;Mikko;M;maija@posti.example;;fi;3.1.2026;kyllä;;4.1.2026",
        )
        check = dispatcher.check.run(workshop.campaign("a", MOMENT))
        assert dict(check.counts.withhold) == {"objection": 2}


def test_a_no_in_mid_campaign_is_heard_by_the_rest(workshop: Workshop, doubles: Doubles) -> None:
    """E-12: whoever clicks while the first mails of a campaign go gets none, though the plan has theirs waiting."""
    addresses = [f"c{each}@posti.example" for each in range(1, 17)]
    rows = [f"{at};N;N;{address};;fi;3.1.2026;kyllä;;3.1.2026" for at, address in enumerate(addresses, 1)]
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, *rows)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        clicked: set[str] = set()

        def tell(_outcome: object) -> None:
            if not clicked:
                clicked.update(set(addresses) - set(doubles.mailed()))
                for address in clicked:
                    link = OptOut(dispatcher.register.find(address), Channel.EMAIL)
                    leave_by_link(dispatcher.preferences, dispatcher.links.token(link), Place.ONE_CLICK)

        asyncio.run(dispatcher.rounds.once(on_outcome=tell))
        withheld = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id).withheld
    # A session or two may have held one in its hands already, its intent written.
    assert 14 <= len(clicked)
    assert len(clicked & set(doubles.mailed())) <= 3
    assert {"objection": 16 - len(doubles.mailed())} == dict(withheld)


def test_a_hold_in_mid_campaign_stops_the_rest(workshop: Workshop, doubles: Doubles) -> None:
    """Whoever holds a campaign while its first mails go stops all but those already in hand."""
    rows = [f"{each};N;N;c{each}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for each in range(1, 17)]
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, *rows)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
        workshop.clock.set(MOMENT)
        first: list[str] = []

        def tell(_outcome: object) -> None:
            if not first:
                first.append("said")
                dispatcher.lifecycle.hold("a", actor)

        asyncio.run(dispatcher.rounds.once(on_outcome=tell))
        assert dispatcher.lifecycle.named("a").state is State.HELD
    assert 1 <= len(doubles.mailed()) <= 4


def test_a_stop_is_heard_in_mid_campaign(workshop: Workshop, doubles: Doubles) -> None:
    """Told to stop, the sender finishes what it holds in its hands and leaves the rest waiting."""
    rows = [f"{each};N;N;c{each}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for each in range(1, 41)]
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, *rows)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        seen: list[object] = []
        asyncio.run(dispatcher.rounds.once(on_outcome=seen.append, stop=lambda: bool(seen)))
        assert 1 <= len(doubles.mailed()) < 40
        asyncio.run(dispatcher.rounds.once())
    assert len(doubles.mailed()) == 40
    assert len(set(doubles.mailed())) == 40


def test_a_campaign_cut_by_days_of_silence_is_held(workshop: Workshop, doubles: Doubles) -> None:
    """Invariant 6: what was being sent when the program stopped goes on by itself only within the grace."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(workshop, dispatcher, "1;N;N;c1@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        assert dispatcher.lifecycle.hold_interrupted(duty("planning")) == []
        workshop.clock.advance(9 * DAY)
        assert dispatcher.lifecycle.hold_interrupted(duty("planning")) == ["a"]
        asyncio.run(dispatcher.rounds.once())
        assert doubles.mailed() == []
        dispatcher.lifecycle.release("a", actor)
        assert dispatcher.lifecycle.hold_interrupted(duty("planning")) == []
        asyncio.run(dispatcher.rounds.once())
    assert doubles.mailed() == ["c1@posti.example"]


def test_a_campaign_at_a_closed_hour_is_refused(workshop: Workshop) -> None:
    """S-14: a moment at which nothing may leave is refused with the next that will do."""
    night = datetime(2026, 12, 31, 19, 30, tzinfo=UTC)
    with workshop.opened() as dispatcher, pytest.raises(CampaignFileError, match="2027-01-01T07:00:00"):
        dispatcher.schedule.run(workshop.campaign("a", night, channels=("email",)), dispatcher.persons.acting(None))


def test_a_release_into_a_full_year_is_refused(workshop: Workshop) -> None:
    """Invariant 3: a campaign held in December is not released beside twelve others of the next year."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        begun = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
        enrol(workshop, dispatcher, "1;N;N;c1@posti.example;;fi;3.1.2026;kyllä;;3.1.2026")
        dispatcher.schedule.run(workshop.campaign("a", begun), actor)
        workshop.clock.set(begun)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        dispatcher.lifecycle.hold("a", actor)
        workshop.clock.set(datetime(2027, 12, 2, 8, 0, tzinfo=UTC))
        for each in range(12):
            moment = datetime(2027, 12, 3, 8, 0, tzinfo=UTC) + each * DAY
            bare = Campaign(f"c{each}", "Kampanja", Kind.OFFER, moment, (Channel.EMAIL,), {}, "offer")
            dispatcher.schedule.take(bare, {}, actor)
        with pytest.raises(NoSlotError, match="no slot for a on 2027-12-02"):
            dispatcher.lifecycle.release("a", actor)
