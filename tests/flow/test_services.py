"""Service messages: handed over once, by their own verdict, apart from every campaign."""

import ast
import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import dispatcher as program
from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.engine.embedded import run_sender
from dispatcher.errors import ChannelError, JournalError
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.message import CampaignMessage, Outcome, OutcomeKind, ServiceMessage
from dispatcher.storage import answers, clients, installation, ledger
from dispatcher.storage.tables import ServiceTable
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.joining import (
    MAIJA,
    NUMBER,
    enable_sign_up,
    enlist,
    events,
    join,
    next_day,
    recipients,
    said,
    serve,
    standing,
)
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build


def scripted(
    tmp_path: Path, clock: FixedClock, smtp: SmtpDouble, sms: TwilioDouble, database_url: str, journal_url: str
) -> Workshop:
    """Give an installation that hands over to these doubles, with the sign-up page for both channels."""
    workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, sms))
    enable_sign_up(workshop, "email", "sms")
    return workshop


def test_a_confirmation_is_handed_over_once(workshop: Workshop, doubles: Doubles) -> None:
    """What the page asks for goes out, once, and the ledger tells of it without address and without client."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        assert "1 accepted" == serve(dispatcher)
        assert serve(dispatcher) is None
        assert [("asked", None, None), ("sent", None, None), ("outcome", "accepted", None)] == events(dispatcher.store)
        with dispatcher.store.reading() as connection:
            bodies = [entry.body for entry in ledger.entries(connection, [EntryKind.SERVICE.value])]
        assert not any("maija" in body for body in bodies)
    assert [MAIJA] == recipients(doubles.smtp.received)


def test_a_text_message_goes_by_the_sms_service(workshop: Workshop, doubles: Doubles) -> None:
    """A sign-up by number is confirmed by a text message of one part."""
    enable_sign_up(workshop, "email", "sms")
    with workshop.opened() as dispatcher:
        join(dispatcher, "040 123 4567")
        serve(dispatcher)
    assert [NUMBER] == recipients(doubles.twilio.received)


def test_an_address_gets_one_a_day_and_three_a_month(workshop: Workshop, doubles: Doubles) -> None:
    """However often the page is used, an address gets one on a date and three on thirty."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        for _ in range(6):
            join(dispatcher)
            serve(dispatcher)
            join(dispatcher)
            serve(dispatcher)
            next_day(workshop)
        assert 3 == len(doubles.smtp.received)
        workshop.clock.advance(timedelta(days=24))
        join(dispatcher)
        serve(dispatcher)
    assert 4 == len(doubles.smtp.received)


def test_two_that_wait_are_not_both_sent(workshop: Workshop, doubles: Doubles) -> None:
    """The verdict at hand-off counts what went since the asking: the second of two that waited is withheld."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        join(dispatcher)
        serve(dispatcher)
        assert [("receipt", "accepted", None), ("confirmation", "withheld", "too_many")] == standing(dispatcher.store)
        assert "too_many" in [what for _, what, _ in events(dispatcher.store)]
    assert 1 == len(doubles.smtp.received)


def test_after_an_objection_one_in_thirty_dates(workshop: Workshop, doubles: Doubles) -> None:
    """Who has objected gets one confirmation in thirty dates at most, be they a client or a stranger."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        number = enlist(dispatcher, {Channel.EMAIL: MAIJA})
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))
        for _ in range(29):
            next_day(workshop)
            join(dispatcher)
            serve(dispatcher)
        assert 1 == len(doubles.smtp.received)
        workshop.clock.advance(timedelta(days=2))
        join(dispatcher)
        serve(dispatcher)
    assert 2 == len(doubles.smtp.received)


def test_a_crash_between_intent_and_outcome_is_unknown(workshop: Workshop, doubles: Doubles) -> None:
    """E-51: what a sender died over is unknown, counts, and is never sent again by itself."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        service = dispatcher.services._next()
        assert service is not None
        assert dispatcher.services._decide(service) is not None
    with workshop.opened() as dispatcher:
        assert 0 == dispatcher.services.recover(alone=False)
        assert 1 == dispatcher.services.recover(alone=True)
        assert serve(dispatcher) is None
        assert [("confirmation", "unknown", None)] == standing(dispatcher.store)
        join(dispatcher)
        serve(dispatcher)
        assert 1 == len(standing(dispatcher.store))
        assert ("outcome", "unknown", None) == events(dispatcher.store)[-1]
    assert [] == doubles.mailed()


def test_beside_another_sender_only_an_old_hand_off_is_lost(workshop: Workshop, doubles: Doubles) -> None:
    """E-51: beside another sender a hand-off is lost after its lease; an outcome told later is not heard."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        service = dispatcher.services._next()
        assert service is not None
        decided = dispatcher.services._decide(service)
        assert decided is not None
        workshop.clock.advance(timedelta(minutes=20))
        assert 1 == dispatcher.services.recover(alone=False)
        dispatcher.services._keep(decided[0], Outcome(OutcomeKind.ACCEPTED), "smtp")
        assert [("confirmation", "unknown", None)] == standing(dispatcher.store)
    assert [] == doubles.mailed()


def test_two_senders_take_one_message_once(workshop: Workshop) -> None:
    """A message that another sender took up since it was read is left to that one."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        service = dispatcher.services._next()
        assert service is not None
        assert dispatcher.services._decide(service) is not None
        assert dispatcher.services._decide(service) is None


def test_what_is_deferred_is_tried_again_and_given_up(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """E-50: a deferred receipt is tried again with growing pauses, and given up after 48 hours."""
    tries: list[str] = []

    def busy(recipient: str) -> str:
        tries.append(recipient)
        return "451 4.2.0 come back later"

    with SmtpDouble(busy) as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as sms:
        workshop = scripted(tmp_path, clock, smtp, sms, database_url, journal_url)
        with workshop.opened() as dispatcher:
            enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
            for _ in range(70):
                serve(dispatcher)
                clock.advance(timedelta(hours=1))
            assert [("receipt", "refused", None)] == standing(dispatcher.store)
            assert 8 <= len(tries) <= 20
            assert awaits(dispatcher)


def test_a_dead_address_is_marked_and_gets_nothing_more(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """A receipt to an address that does not exist marks it dead; no second one follows, and offers go on waiting."""
    with (
        SmtpDouble(lambda _: "550 5.1.1 no such user") as smtp,
        TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as sms,
    ):
        workshop = scripted(tmp_path, clock, smtp, sms, database_url, journal_url)
        with workshop.opened() as dispatcher:
            number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
            serve(dispatcher)
            with dispatcher.store.reading() as connection:
                held = clients.read(connection, [number])[number].addresses[Channel.EMAIL]
            assert (True, True) == (held.dead, held.awaits_receipt)
            next_day(workshop)
            dispatcher.answering.record(number, [said(Channel.EMAIL)], dispatcher.persons.acting(None))
            serve(dispatcher)
            assert ("receipt", "withheld", "address_dead") == standing(dispatcher.store)[-1]


def test_a_no_that_the_provider_knows_is_kept(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """21610: whoever has said STOP to the SMS service is suppressed, although nobody in the register has the number."""
    with SmtpDouble() as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET, lambda _: 21610) as sms:
        workshop = scripted(tmp_path, clock, smtp, sms, database_url, journal_url)
        with workshop.opened() as dispatcher:
            join(dispatcher, "040 123 4567")
            serve(dispatcher)
            with dispatcher.store.reading() as connection:
                kept = answers.suppressed(connection, dispatcher.store.ring, {(Channel.SMS, NUMBER): 1}, clock())
            assert 1 == len(kept[1])


def test_a_carrier_that_cannot_be_reached_rests_for_a_minute(workshop: Workshop) -> None:
    """Trouble with a carrier is told once and tried again a minute later, and nothing counts as handed over."""
    enable_sign_up(workshop)
    settings = workshop.directory / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8")
    port = text.split("port = ")[1].split("\n")[0]
    settings.write_text(text.replace(f"port = {port}", "port = 1"), encoding="utf-8")
    with workshop.opened() as dispatcher:
        join(dispatcher)
        with pytest.raises(ChannelError):
            serve(dispatcher)
        assert serve(dispatcher) is None
        workshop.clock.advance(timedelta(minutes=1))
        with pytest.raises(ChannelError):
            serve(dispatcher)
        assert [("asked", None, None)] == events(dispatcher.store)


def test_a_database_behind_its_journal_sends_none(workshop: Workshop, doubles: Doubles) -> None:
    """L-34: after a restore no service message leaves before the replay, which closes what was open in the copy."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        dispatcher.store.write(lambda transaction: installation.set_needs_replay(transaction.connection, needs=True))
        with pytest.raises(JournalError):
            serve(dispatcher)
        service = dispatcher.services._next()
        assert service is not None
        with pytest.raises(JournalError):
            dispatcher.services._decide(service)
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert serve(dispatcher) is None
        assert [("confirmation", "unknown", None)] == standing(dispatcher.store)
    assert [] == doubles.mailed()


def test_rows_and_their_addresses_are_let_go(workshop: Workshop) -> None:
    """A settled row goes once no limit needs it, a month later; one that still waits stays."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        serve(dispatcher)
        for days, rows in ((29, 1), (3, 0)):
            workshop.clock.advance(timedelta(days=days))
            dispatcher.services.purge()
            assert rows == len(standing(dispatcher.store))
        join(dispatcher)
        workshop.clock.advance(timedelta(days=40))
        dispatcher.services.purge()
        assert 1 == len(standing(dispatcher.store))


def test_an_address_that_cannot_be_written_is_withheld(workshop: Workshop, doubles: Doubles) -> None:
    """E-28: what cannot stand in a header stops nobody else's message."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher, "erik@posti.example")
        with dispatcher.store.database.writing() as connection:
            connection.execute(update(ServiceTable).values(recipient="erik@posti.example\r\nBcc: x@y.example"))
        join(dispatcher)
        serve(dispatcher)
        assert ("confirmation", "withheld", "cannot_be_written") == standing(dispatcher.store)[0]
    assert [MAIJA] == recipients(doubles.smtp.received)


def test_the_sender_hands_them_over(workshop: Workshop, doubles: Doubles) -> None:
    """`work --once` does what the sender does every second: service messages go out among its duties."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        assert asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
    assert [MAIJA] == recipients(doubles.smtp.received)


def test_told_to_stop_it_begins_nothing_more(workshop: Workshop, doubles: Doubles) -> None:
    """A sender that is told to stop leaves what waits for the next one."""
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        join(dispatcher)
        assert asyncio.run(dispatcher.services.once(stop=lambda: True)) is None
    assert [] == doubles.mailed()


def test_neither_type_passes_for_the_other() -> None:
    """A service message is made in one place and a campaign's in another, and neither knows the other's type."""
    made: dict[str, set[str]] = {"ServiceMessage": set(), "CampaignMessage": set()}
    root = Path(program.__file__).parent
    for file in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in made:
                made[node.func.id].add(file.relative_to(root).as_posix())
    assert {
        "ServiceMessage": {"flow/service_gate.py", "flow/trial.py"},
        "CampaignMessage": {"flow/preparing.py"},
    } == made
    for ours, theirs in (("gate", "ServiceMessage"), ("deliver", "ServiceMessage"), ("services", "CampaignMessage")):
        assert theirs not in (root / "flow" / f"{ours}.py").read_text(encoding="utf-8")
    assert not issubclass(ServiceMessage, CampaignMessage)
    assert not issubclass(CampaignMessage, ServiceMessage)


def awaits(dispatcher: Dispatcher) -> bool:
    """Say whether the client's address still awaits a receipt."""
    with dispatcher.store.reading() as connection:
        (number,) = clients.by_address(connection, [(Channel.EMAIL, MAIJA)])[Channel.EMAIL, MAIJA]
        return clients.read(connection, [number])[number].addresses[Channel.EMAIL].awaits_receipt
