"""What the other side answers, and what becomes of the message, the address and the client."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.rules.campaign import State
from dispatcher.rules.consent import ConsentState, Place
from dispatcher.rules.message import MessageState
from dispatcher.storage.handoffs import claim
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIL = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
TEXT = "2;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.1.2026"
BOTH = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"


@pytest.fixture
def make(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Callable[[Doubles], Workshop]:
    """Give a way to build an installation over doubles that answer as the test tells them."""
    return lambda doubles: build(tmp_path / "studio", clock, database_url, journal_url, doubles)


def begin(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows, schedule one campaign, and go to its moment."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*rows), actor)
    dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
    workshop.clock.set(MOMENT)


def send(dispatcher: Dispatcher) -> None:
    """Do one round of sending."""
    asyncio.run(dispatcher.rounds.once())


def messages(dispatcher: Dispatcher, channel: str = "email") -> dict[str, int]:
    """Return how many messages of the campaign stand where."""
    return dict(dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id).messages.get(channel, {}))


def twilio(script: Callable[[str], object] | None = None) -> TwilioDouble:
    """Return an SMS service that answers by this script."""
    return TwilioDouble(ACCOUNT, API_KEY, API_SECRET, script)  # type: ignore[arg-type]


def test_a_deferred_message_goes_out_later(make: Callable[[Doubles], Workshop]) -> None:
    """E-50: a 451 waits and is tried again; it counts once."""
    replies = iter(["451 4.3.0 come back later"])
    with SmtpDouble(lambda _: next(replies, None)) as smtp, twilio() as sms:
        workshop = make(Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, MAIL)
            send(dispatcher)
            assert messages(dispatcher) == {"deferred": 1}
            send(dispatcher)
            assert smtp.received == []
            workshop.clock.advance(timedelta(minutes=10))
            send(dispatcher)
            assert messages(dispatcher) == {"accepted": 1}
        assert len(smtp.received) == 1


def test_a_refusal_is_final(make: Callable[[Doubles], Workshop]) -> None:
    """E-50: a 550 is never tried again, and a policy refusal leaves the address alive."""
    with SmtpDouble(lambda _: "550 5.7.1 not today") as smtp, twilio() as sms:
        workshop = make(Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, MAIL)
            send(dispatcher)
            assert messages(dispatcher) == {"refused": 1}
            assert dispatcher.lifecycle.named("a").state is State.FINISHED
            known = dispatcher.check.run(workshop.campaign("b", MOMENT + timedelta(days=30)))
            assert dict(known.counts.send) == {"email": 1}


def test_an_address_that_does_not_exist_dies_and_is_no_objection(make: Callable[[Doubles], Workshop]) -> None:
    """A 5.1.1 kills the address: the next campaign withholds it, and the consent stays what it was."""
    with SmtpDouble(lambda _: "550 5.1.1 no such user") as smtp, twilio() as sms:
        workshop = make(Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, MAIL)
            send(dispatcher)
            report = dispatcher.check.run(workshop.campaign("b", MOMENT + timedelta(days=30)))
            assert dict(report.counts.withhold) == {"address_dead": 1}
            consents = dispatcher.register.listed()[0].consents
            assert next(consent.state for consent in consents.values()) is ConsentState.GRANTED


def test_what_the_sms_provider_knows_becomes_an_objection(make: Callable[[Doubles], Workshop]) -> None:
    """21610: who is opted out at the provider has said no to every channel."""
    with SmtpDouble() as smtp, twilio(lambda _: 21610) as sms:
        workshop = make(Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, TEXT)
            send(dispatcher)
            assert messages(dispatcher, "sms") == {"refused": 1}
            number = dispatcher.register.listed()[0].number
            last = dispatcher.register.history(number)[-1].answer
            assert (last.place, last.channel) == (Place.PROVIDER, None)


def test_a_lost_reply_is_unknown_and_never_sent_again(make: Callable[[Doubles], Workshop]) -> None:
    """S-24: a 500 after the service took the message may have sent it: unknown, counted, never repeated."""
    from dispatcher.demo.twilio_double import Trouble

    with SmtpDouble() as smtp, twilio(lambda _: Trouble.LOST) as sms:
        workshop = make(Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, TEXT)
            send(dispatcher)
            workshop.clock.advance(timedelta(hours=1))
            send(dispatcher)
            assert messages(dispatcher, "sms") == {"unknown": 1}
        assert len(sms.received) == 1


def test_a_mail_server_that_is_away_blames_nobody(make: Callable[[Doubles], Workshop]) -> None:
    """E-53: where no connection can be had, the campaign waits, says why, and goes on when the server is back."""
    with SmtpDouble() as gone:
        port = gone.port
    with twilio() as sms:
        workshop = make(Doubles(gone, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, MAIL)
            worked = asyncio.run(dispatcher.rounds.once())
            assert worked[0].trouble is not None
            assert str(port) in worked[0].trouble
            assert messages(dispatcher) == {"waiting": 1}


def test_a_crash_leaves_an_unknown_not_a_second_message(make: Callable[[Doubles], Workshop]) -> None:
    """E-52: an intent without an outcome is unknown at the next start, and counts, and is never handed over again."""
    with SmtpDouble() as smtp, twilio() as sms:
        workshop = make(Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            begin(workshop, dispatcher, MAIL)
            campaign = dispatcher.lifecycle.named("a")
            dispatcher.plan.run(campaign)

            def take(transaction: Transaction) -> object:
                from dispatcher.rules.campaign import Channel

                until = transaction.now + timedelta(minutes=20)
                return claim(transaction.connection, campaign.id, transaction.now, until, 10, Channel.EMAIL)

            claimed = dispatcher.store.write(take)
            asyncio.run(dispatcher.deliver._gate.decide(campaign, claimed, workshop.clock().date()))  # type: ignore[arg-type]
            assert messages(dispatcher) == {MessageState.ATTEMPTING.value: 1}
        with workshop.opened() as dispatcher:
            assert dispatcher.deliver.recover(alone=True) == 1
            send(dispatcher)
            assert messages(dispatcher) == {"unknown": 1}
            assert dispatcher.lifecycle.named("a").state is State.FINISHED
        assert smtp.received == []


def test_a_client_at_twelve_waits_or_is_withheld(make: Callable[[Doubles], Workshop], clock: FixedClock) -> None:
    """L-23: the thirteenth message in 365 days is withheld, whatever the channels of the twelve."""
    first = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    with SmtpDouble() as smtp, twilio() as sms:
        clock.set(datetime(2026, 1, 4, 9, 0, tzinfo=UTC))
        workshop = make(Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            actor = dispatcher.persons.acting(None)
            dispatcher.enrol.run(workshop.register(BOTH), actor)
            for each in range(12):
                moment = first + timedelta(days=7 * each)
                channels = ("email",) if each % 2 else ("sms",)
                path = workshop.campaign(f"c{each}", moment, channels=channels)
                dispatcher.schedule.run(path, actor)
                workshop.clock.set(moment + timedelta(minutes=1))
                send(dispatcher)
            assert len(smtp.received) + len(sms.received) == 12
            late = first + timedelta(days=7 * 12)
            facts = dispatcher.check.run(workshop.campaign("d", late))
            assert dict(facts.counts.withhold) == {"frequency_cap": 1}
