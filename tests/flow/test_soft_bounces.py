"""Messages that end for a reason that may pass, and when that is enough for the address."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.flow import backoff
from dispatcher.flow.outcomes import has_ended
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.storage import clients, ledger
from dispatcher.storage.tables import SoftBounceTable
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.joining import MAIJA, enable_sign_up, enlist, next_day, said, serve
from tests.flow.test_outcomes import MAIL, MOMENT, messages, send
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build

FULL = "552 5.2.2 mailbox full"


class Studio:
    """An installation with one client, whose mail server answers as the test says at the time."""

    def __init__(self, workshop: Workshop, dispatcher: Dispatcher, answers: "Answers") -> None:
        self.workshop = workshop
        self.dispatcher = dispatcher
        self.answers = answers

    def mail(self, name: str, at: datetime, reply: str) -> dict[str, int]:
        """Send one campaign, and return how its message stands."""
        self.answers.reply = reply
        self.dispatcher.schedule.run(self.workshop.campaign(name, at), self.dispatcher.persons.acting(None))
        self.workshop.clock.set(at)
        send(self.dispatcher)
        campaign = self.dispatcher.lifecycle.named(name).id
        return dict(self.dispatcher.lifecycle.standing(campaign).messages["email"])

    def bounces(self) -> list[str]:
        """Return the kinds of soft bounces that are kept."""
        with self.dispatcher.store.reading() as connection:
            return list(connection.scalars(select(SoftBounceTable.kind).order_by(SoftBounceTable.id)))

    def withheld(self, at: datetime) -> dict[str, int]:
        """Return why a campaign at that time would not reach its client."""
        return dict(self.dispatcher.check.run(self.workshop.campaign("later", at)).counts.withhold)


class Answers:
    """What a mail server answers to a recipient now, and how often it was asked."""

    reply = ""
    asked = 0

    def __call__(self, _recipient: str) -> str:
        """Answer."""
        self.asked += 1
        return self.reply


@pytest.fixture
def studio(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[Studio]:
    """Give an installation with one client, on each database."""
    answers = Answers()
    with SmtpDouble(answers) as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as sms:
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            dispatcher.enrol.run(workshop.register(MAIL), dispatcher.persons.acting(None))
            yield Studio(workshop, dispatcher, answers)


def on_day(days: int) -> datetime:
    """Return a moment so many days after the first campaign."""
    return MOMENT + timedelta(days=days)


def test_a_mailbox_that_stays_full_dies(studio: Studio) -> None:
    """Five messages in thirty days or more: the address is dead, in the ledger, and the consent stays what it was."""
    for number, days in enumerate((0, 8, 16, 24)):
        assert {"refused": 1} == studio.mail(f"c{number}", on_day(days), FULL)
        assert {} == studio.withheld(on_day(days + 1))
    assert ["mailbox_full"] * 4 == studio.bounces()
    studio.mail("c4", on_day(32), FULL)
    assert {"address_dead": 1} == studio.withheld(on_day(34))
    assert [] == studio.bounces()
    with studio.dispatcher.store.reading() as connection:
        bodies = [json.loads(entry.body) for entry in ledger.entries(connection, [EntryKind.ADDRESS.value])]
    assert [("dead", "5.2.2")] == [(body["event"], body["code"]) for body in bodies if "code" in body]
    consents = studio.dispatcher.register.listed()[0].consents
    assert next(consent.state for consent in consents.values()) is ConsentState.GRANTED


@pytest.mark.parametrize(
    "reply",
    ["550 5.7.1 not from you", "554 5.6.0 bad form", "550 go away", "550 5.1.0 exceeded the max emails per hour"],
)
def test_other_reasons_leave_an_address_alone(studio: Studio, reply: str) -> None:
    """E-53: neither policy nor quota nor our own faults are counted against an address."""
    studio.mail("a", MOMENT, reply)
    assert studio.answers.asked == 1
    assert [] == studio.bounces()


def test_a_message_counts_once_however_often_it_was_tried(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox that is full all the while is one soft bounce, written when the message is given up."""
    monkeypatch.setattr(backoff, "GIVE_UP_AFTER", timedelta(hours=3))
    assert {"deferred": 1} == studio.mail("a", MOMENT, "452 4.2.2 mailbox full")
    for _ in range(20):
        if messages(studio.dispatcher) == {"deferred": 1}:
            assert [] == studio.bounces()
            studio.workshop.clock.advance(timedelta(minutes=30))
            send(studio.dispatcher)
    assert {"refused": 1} == messages(studio.dispatcher)
    assert ["mailbox_full"] == studio.bounces()
    assert studio.answers.asked > 3


@pytest.mark.parametrize(
    ("kind", "again", "expected"),
    [
        (OutcomeKind.REFUSED, None, True),
        (OutcomeKind.DEFERRED, None, True),
        (OutcomeKind.DEFERRED, MOMENT, False),
        (OutcomeKind.ACCEPTED, None, False),
        (OutcomeKind.UNKNOWN, None, False),
    ],
)
def test_when_a_message_has_ended(kind: OutcomeKind, again: datetime | None, expected: bool) -> None:  # noqa: FBT001
    """Only a last no tells of an address; an unknown may have arrived."""
    assert expected is has_ended(Outcome(kind, blame=Blame.MAILBOX_FULL), again)


def test_service_messages_count_as_well(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> None:
    """Three receipts for which there is no route, over two weeks, and the address is dead."""
    with (
        SmtpDouble(lambda _: "550 5.4.1 access denied") as smtp,
        TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as sms,
    ):
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, sms))
        enable_sign_up(workshop, "email", "sms")
        with workshop.opened() as dispatcher:
            number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
            for days in (0, 7, 8):
                clock.advance(timedelta(days=days))
                assert not is_dead(dispatcher, number)
                dispatcher.answering.record(number, [said(Channel.EMAIL)], dispatcher.persons.acting(None))
                serve(dispatcher)
                next_day(workshop)
            assert is_dead(dispatcher, number)


def is_dead(dispatcher: Dispatcher, number: int) -> bool:
    """Say whether the client's mail address is dead."""
    with dispatcher.store.reading() as connection:
        return clients.read(connection, [number])[number].addresses[Channel.EMAIL].dead


def test_nothing_is_counted_where_nobody_knows_the_address(workshop: Workshop) -> None:
    """A message to an address the register does not have leaves nothing behind."""
    from dispatcher.flow import soft_bounces

    with workshop.opened() as dispatcher:
        assert not dispatcher.store.write(lambda t: soft_bounces.note(t, None, Blame.MAILBOX_FULL))
        assert not dispatcher.store.write(lambda t: soft_bounces.note(t, 4711, Blame.BARRED))
        with dispatcher.store.reading() as connection:
            assert 0 == connection.scalar(select(func.count()).select_from(SoftBounceTable))
