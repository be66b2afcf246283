"""Looking into the register: who is meant, who is shown how, and what the history tells."""

from datetime import timedelta

import pytest

from dispatcher.errors import NotFoundError
from dispatcher.flow.correcting import Correction
from dispatcher.flow.standing import standing
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState, Place, Reply
from dispatcher.rules.decision import Reason, Withhold
from dispatcher.rules.rights import IdentityCheck
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

ROWS = (
    "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;ei;3.1.2026",
    "2;Matti;Meikäläinen;matti@posti.example;;sv;3.1.2026;;;",
    "3;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.2.2026 14:05",
)


def begin(workshop: Workshop, dispatcher: Dispatcher) -> dict[str, int]:
    """Import three clients and return their numbers by first name."""
    dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))
    return {each.name.split()[0]: each.number for each in dispatcher.register.listed()}


def test_one_client_is_meant(workshop: Workshop) -> None:
    """A client is found by number, address in any writing, or part of the name in any case."""
    with workshop.opened() as dispatcher:
        numbers = begin(workshop, dispatcher)
        maija, ante = numbers["Maija"], numbers["Ánte"]
        for words in (str(maija), "Maija@Posti.example", "0401234567", "+358 40 1234567", "MAIJA", " maija meikä "):
            assert maija == dispatcher.register.find(words), words
        for words in (str(ante), "040 123 4568", "ánte", "ÁNTE ovda"):
            assert ante == dispatcher.register.find(words), words


def test_two_that_fit_are_asked_back(workshop: Workshop) -> None:
    """Words that fit two clients mean neither: both are named with number and masked addresses."""
    with workshop.opened() as dispatcher:
        numbers = begin(workshop, dispatcher)
        with pytest.raises(NotFoundError) as asked:
            dispatcher.register.find("meikäläinen")
        told = str(asked.value)
        assert told.startswith("2 clients fit 'meikäläinen'")
        assert str(numbers["Maija"]) in told
        assert str(numbers["Matti"]) in told
        assert "m***@p***.example, +358*****67" in told
        assert "maija@" not in told


def test_words_that_mean_nobody(workshop: Workshop) -> None:
    """Nothing, odd digits, endless numbers and wild cards mean nobody, and never the only client there is."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(ROWS[0]), dispatcher.persons.acting(None))
        for words in ("nobody", "", "   ", "²", "9" * 40, "nobody@posti.example", "%", "_"):
            with pytest.raises(NotFoundError, match="No client fits"):
                dispatcher.register.find(words)


def test_a_list_shows_masked_addresses_and_consent(workshop: Workshop) -> None:
    """L-46: each listed client has masked addresses and, by channel, what the answers add up to now."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        listed = {each.name: each for each in dispatcher.register.listed()}
        maija, matti = listed["Maija Meikäläinen"], listed["Matti Meikäläinen"]
        assert {Channel.EMAIL: "m***@p***.example", Channel.SMS: "+358*****67"} == maija.addresses
        states = {channel: consent.state for channel, consent in maija.consents.items()}
        assert {Channel.EMAIL: ConsentState.GRANTED, Channel.SMS: ConsentState.DECLINED} == states
        assert ("sv", {ConsentState.NEVER_ASKED}) == (matti.language, {each.state for each in matti.consents.values()})
        workshop.clock.advance(timedelta(days=365))
        assert ConsentState.EXPIRED is dispatcher.register.listed("maija")[0].consents[Channel.EMAIL].state
        assert 2 == len(dispatcher.register.listed("meikä"))
        assert 1 == len(dispatcher.register.listed("", limit=1))


def test_a_list_says_what_the_gate_says(workshop: Workshop) -> None:
    """L-01, L-31: an objection kept as a keyed hash shows in the list, and so does a yes that a new address voided."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw_address((Channel.EMAIL, "maija@posti.example"), actor)
        workshop.clock.advance(timedelta(days=1))
        numbers = begin(workshop, dispatcher)
        workshop.clock.advance(timedelta(days=1))
        dispatcher.correcting.correct(numbers["Ánte"], Correction(phone="040 999 4568"), IdentityCheck.KNOWN, actor)
        listed = {each.number: each for each in dispatcher.register.listed()}
        maija, ante = listed[numbers["Maija"]], listed[numbers["Ánte"]]
        assert ConsentState.WITHDRAWN is maija.consents[Channel.EMAIL].state
        assert Withhold(Reason.OBJECTION) == maija.verdict
        assert ConsentState.NEVER_ASKED is ante.consents[Channel.SMS].state
        for number, each in listed.items():
            assert standing(dispatcher.store, dispatcher.policy, number).verdict == each.verdict


def test_the_history_is_every_answer_with_its_words(workshop: Workshop) -> None:
    """The history tells each answer once, oldest record first, with time, place and wording."""
    with workshop.opened() as dispatcher:
        numbers = begin(workshop, dispatcher)
        workshop.clock.advance(timedelta(days=1))
        dispatcher.preferences.withdraw(numbers["Ánte"], dispatcher.persons.acting(None), Channel.SMS)
        asked, yes, no = dispatcher.register.history(numbers["Ánte"])
        assert (Reply.NOT_ASKED, Channel.EMAIL) == (asked.answer.reply, asked.answer.channel)
        assert "Saako lähettää tarjouksia tekstiviestillä?" == yes.wording
        told = yes.as_json()
        assert "2026-02-03T12:05:00" == str(told["not_before"])[:19]
        assert ("granted", "sms", "online") == (told["reply"], told["channel"], told["place"])
        assert (Reply.WITHDRAWN, Place.DESK, None) == (no.answer.reply, no.answer.place, no.wording)
        assert [] == dispatcher.register.history(12345)
