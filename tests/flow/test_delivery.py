"""The walk from the register to the mail server: whom a campaign reaches, once, and whom it never reaches."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.flow.rounds import Worked
from dispatcher.rules.campaign import State
from dispatcher.rules.consent import Place
from dispatcher.rules.life import UNMADE
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"
ERIK = "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.1.2026"
ANTE = "3;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.1.2026"


def send(dispatcher: Dispatcher) -> list[Worked]:
    """Do one round of sending."""
    return asyncio.run(dispatcher.rounds.once())


def begin(workshop: Workshop, dispatcher: Dispatcher, *rows: str, name: str = "a", **form: object) -> None:
    """Import these rows and schedule a campaign at the moment of this module."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*rows), actor)
    dispatcher.schedule.run(workshop.campaign(name, MOMENT, **form), actor)  # type: ignore[arg-type]


def test_every_client_who_said_yes_gets_one_message(workshop: Workshop, doubles: Doubles) -> None:
    """L-24: who said yes gets the campaign once, by the first channel in its order that is open."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA, ERIK, ANTE)
        workshop.clock.set(MOMENT)
        send(dispatcher)
        send(dispatcher)
    assert doubles.mailed() == ["erik@posti.example", "maija@posti.example"]
    assert doubles.texted() == ["+358401234568"]


def test_nothing_leaves_before_its_moment(workshop: Workshop, doubles: Doubles) -> None:
    """A scheduled campaign waits for its moment, and the one who leaves before it gets nothing."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA, ERIK)
        workshop.clock.set(MOMENT - timedelta(seconds=1))
        assert send(dispatcher) == []
        dispatcher.preferences.withdraw(dispatcher.register.find("erik@posti.example"), dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        send(dispatcher)
    assert doubles.mailed() == ["maija@posti.example"]


def test_a_no_between_plan_and_hand_off_is_heard(workshop: Workshop, doubles: Doubles) -> None:
    """E-12: who leaves after the plan was made, and before the hand-off, is withheld at the gate."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA, ERIK)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        dispatcher.preferences.withdraw(
            dispatcher.register.find("maija@posti.example"), dispatcher.persons.acting(None)
        )
        send(dispatcher)
        standing = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
    assert doubles.mailed() == ["erik@posti.example"]
    assert doubles.texted() == []
    assert dict(standing.withheld) == {"objection": 1}


def test_a_no_to_email_alone_leaves_the_text_message(workshop: Workshop, doubles: Doubles) -> None:
    """L-01: a no that names email closes email; who keeps SMS gets the SMS, even after the plan chose email."""
    from dispatcher.rules.campaign import Channel

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(dispatcher.register.find("maija@posti.example"), actor, Channel.EMAIL)
        send(dispatcher)
        # The message waits for its channel to be asked again; the SMS sender takes it in the next round.
        send(dispatcher)
    assert doubles.mailed() == []
    assert doubles.texted() == ["+358401234567"]


def test_two_clients_with_one_inbox_get_one_message(workshop: Workshop, doubles: Doubles) -> None:
    """Invariant 2: clients who share an address get a campaign there once."""
    with workshop.opened() as dispatcher:
        begin(
            workshop,
            dispatcher,
            "1;Maija;Meikäläinen;koti@posti.example;;fi;3.1.2026;kyllä;;3.1.2026",
            "2;Matti;Meikäläinen;koti@posti.example;;fi;3.1.2026;kyllä;;3.1.2026",
        )
        workshop.clock.set(MOMENT)
        send(dispatcher)
        standing = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
    assert doubles.mailed() == ["koti@posti.example"]
    assert dict(standing.withheld) == {"already_sent_or_unknown": 1}


def test_the_objection_of_one_who_shares_an_inbox_silences_it(workshop: Workshop, doubles: Doubles) -> None:
    """S-35: a no of one client follows the address to the other who shares it."""
    with workshop.opened() as dispatcher:
        begin(
            workshop,
            dispatcher,
            "1;Maija;Meikäläinen;koti@posti.example;;fi;3.1.2026;kyllä;;3.1.2026",
            "2;Matti;Meikäläinen;koti@posti.example;;fi;3.1.2026;kyllä;;3.1.2026",
        )
        found = dispatcher.register.listed("Matti")
        dispatcher.preferences.withdraw(found[0].number, dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        send(dispatcher)
        standing = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
    assert doubles.mailed() == []
    assert dict(standing.withheld) == {"objection": 1, "shared_address_objection": 1}


def test_text_messages_wait_for_their_hours(workshop: Workshop, doubles: Doubles) -> None:
    """S-14: an SMS of a campaign that begins at 8 waits until 9."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(ANTE), dispatcher.persons.acting(None))
        early = MOMENT - timedelta(hours=2)
        dispatcher.schedule.run(workshop.campaign("a", early), dispatcher.persons.acting(None))
        workshop.clock.set(early)
        send(dispatcher)
        assert doubles.texted() == []
        workshop.clock.set(MOMENT - timedelta(hours=1))
        send(dispatcher)
        assert dispatcher.lifecycle.named("a").state is State.FINISHED
    assert doubles.texted() == ["+358401234568"]


def test_a_late_campaign_is_held_not_fired(workshop: Workshop, doubles: Doubles) -> None:
    """Invariant 6: a campaign whose moment passed while nothing ran is held until the owner releases it."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA)
        workshop.clock.set(MOMENT + timedelta(hours=3))
        assert send(dispatcher) == []
        held = dispatcher.lifecycle.named("a")
        assert (held.state, held.held_reason) == (State.HELD, "late")
        assert doubles.mailed() == []
        dispatcher.lifecycle.release("a", dispatcher.persons.acting(None))
        send(dispatcher)
    assert doubles.mailed() == ["maija@posti.example"]


def test_held_and_cancelled_campaigns_do_not_go_on(workshop: Workshop, doubles: Doubles) -> None:
    """A campaign held between plan and hand-off hands nothing over; cancelled, it never will."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA, ERIK)
        actor = dispatcher.persons.acting(None)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        dispatcher.lifecycle.hold("a", actor)
        send(dispatcher)
        dispatcher.lifecycle.cancel("a", actor)
        send(dispatcher)
    assert doubles.mailed() == []


def test_an_interrupted_plan_goes_on_from_its_mark(workshop: Workshop, doubles: Doubles) -> None:
    """Planning again after an interruption adds nobody twice."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA, ERIK, ANTE)
        workshop.clock.set(MOMENT)
        campaign = dispatcher.lifecycle.named("a")
        assert dispatcher.plan.run(campaign).planned == 3
        assert dispatcher.plan.run(campaign).planned == 0
        send(dispatcher)
    assert len(doubles.mailed()) + len(doubles.texted()) == 3


@pytest.mark.parametrize("place", [Place.LINK, Place.ONE_CLICK])
def test_a_link_stops_every_channel(workshop: Workshop, doubles: Doubles, place: Place) -> None:
    """E-16: the link in one message stops the other channel as well, and a second click changes nothing."""
    from dispatcher.links import OptOut
    from dispatcher.rules.campaign import Channel

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA)
        number = dispatcher.register.find("maija@posti.example")
        token = dispatcher.links.token(OptOut(number, Channel.EMAIL))
        leave_by_link(dispatcher.preferences, token, place)
        leave_by_link(dispatcher.preferences, token, place)
        told = [each for each in dispatcher.register.history(number) if each.answer.reply.value == "withdrawn"]
        workshop.clock.set(MOMENT)
        send(dispatcher)
    assert [(each.answer.place, each.answer.channel) for each in told] == [(place, None)]
    assert (doubles.mailed(), doubles.texted()) == ([], [])


def test_a_shared_inbox_sends_nobody_to_the_phone(workshop: Workshop, doubles: Doubles) -> None:
    """Of two clients with one inbox and a phone each, one gets the mail and nobody a text message in its stead."""
    with workshop.opened() as dispatcher:
        begin(
            workshop,
            dispatcher,
            "1;Maija;Meikäläinen;koti@posti.example;0401234567;fi;3.1.2026;kyllä;kyllä;3.1.2026",
            "2;Matti;Meikäläinen;koti@posti.example;0401234568;fi;3.1.2026;kyllä;kyllä;3.1.2026",
        )
        workshop.clock.set(MOMENT)
        send(dispatcher)
    assert (doubles.mailed(), doubles.texted()) == (["koti@posti.example"], [])


def test_a_campaign_whose_words_cannot_be_made_any_more_is_held(workshop: Workshop, doubles: Doubles) -> None:
    """Settings that changed after scheduling may make the frozen words impossible: that is told once, as a hold."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA, ERIK)
    settings = workshop.directory / "dispatcher.toml"
    written = settings.read_text("utf-8")
    renamed = written.replace('name = "Tunturituuli"', f'name = "{"Tunturi " * 9}"')
    settings.write_text(renamed.replace("[sms]", "[sms]\nmost_parts = 1"), "utf-8")
    with workshop.opened() as dispatcher:
        workshop.clock.set(MOMENT)
        [worked] = send(dispatcher)
        held = dispatcher.lifecycle.named("a")
        assert send(dispatcher) == []
    assert "shorten sms" in str(worked.trouble)
    assert (held.state, held.held_reason, held.begun_at) == (State.HELD, UNMADE, None)
    settings.write_text(written, "utf-8")
    with workshop.opened() as dispatcher:
        dispatcher.lifecycle.release("a", dispatcher.persons.acting(None))
        send(dispatcher)
    assert doubles.mailed() == ["erik@posti.example", "maija@posti.example"]
