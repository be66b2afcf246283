"""L-05: an address that a person typed gets a neutral receipt of its yes first, and no offer before it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.flow.answering import Newcomer
from dispatcher.links import OptOut
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.rights import IdentityCheck, Refusal, RequestKind
from dispatcher.storage import clients
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.flow.joining import MAIJA, NUMBER, enlist, plain, said, serve, standing, token
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ROW = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;;;"


def begin_campaign(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Schedule a campaign by both channels, and go to its moment."""
    dispatcher.schedule.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
    workshop.clock.set(MOMENT)


def send(dispatcher: Dispatcher) -> None:
    """Do one round of sending."""
    asyncio.run(dispatcher.rounds.once())


def subjects(doubles: Doubles) -> list[str]:
    """Return, for each mail in order, what it was: an offer or a receipt."""
    return ["offer" if b"List-Unsubscribe" in mail.content else "receipt" for mail in doubles.smtp.received]


def set_receipts(workshop: Workshop, *, email: bool, sms: bool) -> None:
    """Write which channels send receipts."""
    settings = workshop.directory / "dispatcher.toml"
    more = f"\n[consent]\nreceipt_email = {str(email).lower()}\nreceipt_sms = {str(sms).lower()}\n"
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")


def test_no_offer_goes_before_the_receipt(workshop: Workshop, doubles: Doubles) -> None:
    """The offer waits with its reason until a receipt was accepted, then goes; one yes, one receipt."""
    with workshop.opened() as dispatcher:
        enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
        assert [] == doubles.mailed()
        serve(dispatcher)
        workshop.clock.advance(timedelta(minutes=16))
        send(dispatcher)
    assert ["receipt", "offer"] == subjects(doubles)


def test_the_receipt_tells_and_its_link_stops_everything(workshop: Workshop, doubles: Doubles) -> None:
    """It says when and how the yes was given, in which words; its link is the client's own way out."""
    with workshop.opened() as dispatcher:
        number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        serve(dispatcher)
        words = plain(doubles.smtp.received[0].content)
        assert text("service_receipt_phone", Language.FI, date="23.11.2026") in words
        assert "Saako lähettää sähköpostia?" in words
        assert dispatcher.links.token(OptOut(number, Channel.EMAIL)) == token(words, "u")
        leave_by_link(dispatcher.preferences, token(words, "u"), Place.LINK)
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
    assert ["receipt"] == subjects(doubles)


def test_an_address_from_the_register_needs_none(workshop: Workshop, doubles: Doubles) -> None:
    """A yes said at the desk for an address that the register named is in force at once."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ROW), owner)
        number = dispatcher.register.find(MAIJA)
        dispatcher.answering.record(number, [said(Channel.EMAIL)], owner)
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
        assert [] == standing(dispatcher.store)
    assert ["offer"] == subjects(doubles)


def test_a_register_that_names_the_address_vouches_for_it(workshop: Workshop, doubles: Doubles) -> None:
    """Typed at the desk and named by the next import: offers need no receipt, and one that waits is withheld."""
    with workshop.opened() as dispatcher:
        enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        dispatcher.enrol.run(workshop.register(ROW), dispatcher.persons.acting(None))
        serve(dispatcher)
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
        assert [("receipt", "withheld", "no_longer_asked_for")] == standing(dispatcher.store)
    assert ["offer"] == subjects(doubles)


def test_a_register_that_names_another_address_replaces_it(workshop: Workshop, doubles: Doubles) -> None:
    """The address that takes the typed one's place awaits nothing, and the yes does not carry over (L-31)."""
    with workshop.opened() as dispatcher:
        enlist(dispatcher, {Channel.EMAIL: MAIJA, Channel.SMS: NUMBER}, Channel.EMAIL)
        row = "1;Maija;Meikäläinen;toinen@posti.example;040 123 4567;fi;3.1.2026;;;"
        workshop.clock.advance(timedelta(minutes=1))
        dispatcher.enrol.run(workshop.register(row), dispatcher.persons.acting(None))
        serve(dispatcher)
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
        assert [("receipt", "withheld", "no_longer_asked_for")] == standing(dispatcher.store)
    assert [] == subjects(doubles)


@pytest.mark.parametrize("kind", [ActorKind.BOOKING_SYSTEM, ActorKind.CLIENT])
def test_only_what_a_person_types_needs_a_receipt(workshop: Workshop, doubles: Doubles, kind: ActorKind) -> None:
    """An address that a booking system or the client brought is as good as the register's."""
    with workshop.opened() as dispatcher:
        newcomer = Newcomer("Maija", "", Language.FI, {Channel.EMAIL: MAIJA})
        dispatcher.answering.enlist(newcomer, [said(Channel.EMAIL, Place.ONLINE)], Actor(kind))
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
        assert [] == standing(dispatcher.store)
    assert ["offer"] == subjects(doubles)


def test_a_receipt_is_asked_for_once(workshop: Workshop) -> None:
    """Two yeses in a row ask for one receipt; it goes only while the yes stands."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        dispatcher.answering.record(number, [said(Channel.EMAIL)], owner)
        assert [("receipt", "waiting", None)] == standing(dispatcher.store)
        workshop.clock.advance(timedelta(seconds=1))
        dispatcher.preferences.withdraw(number, owner)
        serve(dispatcher)
        assert [("receipt", "withheld", "no_longer_asked_for")] == standing(dispatcher.store)


def test_a_receipt_that_may_not_go_today_goes_when_it_may(workshop: Workshop, doubles: Doubles) -> None:
    """The limits of an address hold for its receipt as well: it waits for its day, and the offer for it."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        serve(dispatcher)
        with dispatcher.store.database.writing() as connection:
            (number,) = clients.by_address(connection, [(Channel.EMAIL, MAIJA)])[Channel.EMAIL, MAIJA]
            clients.set_awaits_receipt(connection, number, Channel.EMAIL, awaits=True)
        dispatcher.answering.record(number, [said(Channel.EMAIL)], owner)
        serve(dispatcher)
        assert ("receipt", "waiting", "too_many") == standing(dispatcher.store)[-1]
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
        assert ["receipt"] == subjects(doubles)
        serve(dispatcher)
        workshop.clock.advance(timedelta(minutes=16))
        send(dispatcher)
    assert ["receipt", "receipt", "offer"] == subjects(doubles)


def test_text_messages_need_none_unless_the_settings_say_so(workshop: Workshop, doubles: Doubles) -> None:
    """Off by default for SMS: a yes for a typed number is in force at once."""
    with workshop.opened() as dispatcher:
        enlist(dispatcher, {Channel.SMS: NUMBER}, Channel.SMS)
        assert [] == standing(dispatcher.store)
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
    assert [NUMBER] == doubles.texted()


def test_the_settings_turn_each_channel_on_and_off(workshop: Workshop, doubles: Doubles) -> None:
    """With receipts by SMS alone, the number gets one and the email address waits for none."""
    set_receipts(workshop, email=False, sms=True)
    with workshop.opened() as dispatcher:
        enlist(dispatcher, {Channel.EMAIL: MAIJA, Channel.SMS: NUMBER}, Channel.EMAIL, Channel.SMS)
        serve(dispatcher)
        begin_campaign(workshop, dispatcher)
        send(dispatcher)
    assert (["offer"], 1) == (subjects(doubles), len(doubles.twilio.received))
    assert "luvan viesteihimme" in doubles.twilio.received[0].text


@pytest.mark.parametrize("kind", [RequestKind.ACCESS, RequestKind.CORRECTION])
def test_who_waits_for_an_answer_gets_the_receipt_afterwards(
    workshop: Workshop, doubles: Doubles, kind: RequestKind
) -> None:
    """L-30: while a request is open a client gets only what they asked for; the receipt goes once it has its answer."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        request = dispatcher.requests.open(number, kind, owner)
        serve(dispatcher)
        assert [("receipt", "waiting", "suspended")] == standing(dispatcher.store)
        dispatcher.requests.refuse(request, Refusal.EXCESSIVE, owner)
        workshop.clock.advance(timedelta(days=1))
        serve(dispatcher)
    assert ["receipt"] == subjects(doubles)


def test_a_restricted_client_gets_the_receipt_once_it_is_lifted(workshop: Workshop, doubles: Doubles) -> None:
    """L-38: data that may only be kept write no receipt, day after day, until the restriction is lifted."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        dispatcher.correcting.restrict(number, IdentityCheck.KNOWN, owner)
        for _ in range(3):
            serve(dispatcher)
            assert [("receipt", "waiting", "restricted")] == standing(dispatcher.store)
            workshop.clock.advance(timedelta(days=1))
        assert [] == subjects(doubles)
        dispatcher.correcting.lift(number, owner)
        serve(dispatcher)
    assert ["receipt"] == subjects(doubles)


def test_a_child_gets_no_receipt(workshop: Workshop, doubles: Doubles) -> None:
    """L-11: who is marked as a child is never written to, not even about a yes they have given."""
    with workshop.opened() as dispatcher:
        number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        dispatcher.marks.mark_child(number, dispatcher.persons.acting(None))
        serve(dispatcher)
        assert [("receipt", "withheld", "child")] == standing(dispatcher.store)
    assert [] == subjects(doubles)


def test_a_receipt_is_not_kept_into_the_night(workshop: Workshop, doubles: Doubles) -> None:
    """S-15: an hour before the evening's end the provider may keep it for an hour, less the minute on its way."""
    set_receipts(workshop, email=False, sms=True)
    workshop.clock.set(datetime(2026, 11, 24, 17, 0, tzinfo=UTC))
    with workshop.opened() as dispatcher:
        enlist(dispatcher, {Channel.SMS: NUMBER}, Channel.SMS)
        serve(dispatcher)
    assert ["3540"] == [each.form["ValidityPeriod"] for each in doubles.twilio.received]
