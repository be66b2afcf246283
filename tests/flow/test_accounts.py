"""A client's own story: each message and each silence with its answer, and nothing more than may be told."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.accounts import Account
from dispatcher.rules.actor import duty
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.retention import EraseReason
from dispatcher.storage import access_log
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.two_campaigns import FIRST, SECOND, a_year
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build

MAIJA, ERIK, ANTE, NEVER = "maija@posti.example", "erik@posti.example", "0401234568", "never@posti.example"


@pytest.fixture
def dispatcher(workshop: Workshop) -> Iterator[Dispatcher]:
    """Give an installation in which two campaigns went, and Maija said no between them."""
    with workshop.opened() as opened:
        a_year(workshop, opened)
        yield opened


def told(dispatcher: Dispatcher, client: str, campaign: str | None = None) -> Account:
    """Ask for a client's account as the owner."""
    return dispatcher.accounts.of_client(client, dispatcher.persons.acting(None), campaign)


def asked(dispatcher: Dispatcher, address: str) -> Account:
    """Ask about an address as the owner."""
    return dispatcher.accounts.of_address(address, dispatcher.persons.acting(None))


def test_each_message_and_each_silence_is_told_in_order(dispatcher: Dispatcher) -> None:
    """The yes, the message with its count and its answer, the no, and the silence that follows from it."""
    lines = [each for each in told(dispatcher, MAIJA).lines if each.channel != "sms"]
    yes, message, no, silence = lines
    assert ["answer", "message", "answer", "withheld"] == [each.what for each in lines]
    assert [each.at for each in lines] == sorted(each.at for each in lines)
    assert ("one", "Kampanja one", "email", "accepted", 1) == (
        message.campaign,
        message.title,
        message.channel,
        message.state,
        message.nth,
    )
    assert yes.relied is not None
    assert message.relied == yes.relied
    assert ("granted", "Saako lähettää tarjouksia sähköpostitse?") == (
        yes.relied.answer.reply.value,
        yes.relied.wording,
    )
    assert no.relied is not None
    assert ("withdrawn", "Aino Esimerkki") == (no.relied.answer.reply.value, no.relied.recorded_by)
    assert ("two", "objection") == (silence.campaign, silence.reason)


def test_a_message_is_counted_in_the_budget(dispatcher: Dispatcher) -> None:
    """L-23: the second message of a year is the second of twelve."""
    lines = told(dispatcher, ERIK).lines
    assert [1, 2] == [each.nth for each in lines if each.what == "message"]
    assert ["two"] == [each.campaign for each in told(dispatcher, ERIK, "two").lines]


def test_a_message_that_was_refused_is_not_counted(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """L-23: what did not go is none of the twelve; the next message is the first."""
    replies = iter(["550 5.7.1 not today"])
    with (
        SmtpDouble(lambda _: next(replies, None)) as smtp,
        TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as twilio,
    ):
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, twilio))
        with workshop.opened() as dispatcher:
            actor = dispatcher.persons.acting(None)
            row = "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.2.2026"
            dispatcher.enrol.run(workshop.register(row), actor)
            for name, moment in (("one", FIRST), ("two", SECOND)):
                dispatcher.schedule.run(workshop.campaign(name, moment), actor)
                workshop.clock.set(moment)
                asyncio.run(dispatcher.rounds.once())
            lines = told(dispatcher, ERIK).lines
    assert [("refused", None), ("accepted", 1)] == [(each.state, each.nth) for each in lines if each.what == "message"]


def test_a_refusal_heard_of_after_a_restore_is_told_without_a_send(dispatcher: Dispatcher) -> None:
    """What was on its way when a copy was restored has no Send; what a log says of it later is told all the same."""
    client = dispatcher.register.find(NEVER)
    bodies: tuple[dict[str, Json], ...] = (
        {},
        {"outcome": "unknown", "code": "restored"},
        {"outcome": "refused", "code": "550"},
    )
    kinds = (EntryKind.PLANNED, EntryKind.OUTCOME, EntryKind.OUTCOME)
    heard = [
        Entry(kind, duty("test"), client=client, campaign=1, channel=Channel.EMAIL, body={"message": "0" * 32, **body})
        for kind, body in zip(kinds, bodies, strict=True)
    ]
    dispatcher.store.write(lambda transaction: transaction.ledger.append(*heard))
    [message] = [each for each in told(dispatcher, NEVER).lines if each.what == "message"]
    assert ("one", "refused", None) == (message.campaign, message.state, message.nth)


def test_somebody_who_was_never_asked_hears_why_there_was_nothing(dispatcher: Dispatcher) -> None:
    """A silence is told with the verdict's reason."""
    lines = [each for each in told(dispatcher, NEVER).lines if each.what != "answer"]
    assert [("withheld", "channel_consent_missing")] * 2 == [(each.what, each.reason) for each in lines]


def test_a_campaign_that_left_somebody_out_is_told_too(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Who came later, or whom a campaign's file does not address, has no entry of it: that is said."""
    workshop.clock.advance(timedelta(days=1))
    actor = dispatcher.persons.acting(None)
    row = "9;Uusi;Tulija;uusi@posti.example;;fi;3.12.2026;kyllä;;3.12.2026"
    dispatcher.enrol.run(workshop.register(row, name="new.csv"), actor)
    moment = SECOND + timedelta(days=7)
    dispatcher.schedule.run(workshop.campaign("three", moment, more='[audience]\nlanguages = ["sv"]\n'), actor)
    workshop.clock.set(moment)
    asyncio.run(dispatcher.rounds.once())
    silences = [
        (each.campaign, each.reason) for each in told(dispatcher, "uusi@posti.example").lines if each.what == "silence"
    ]
    assert [("one", "not_in_register_yet"), ("two", "not_in_register_yet"), ("three", "not_addressed")] == silences


def test_of_an_erased_client_a_no_that_is_kept_is_told_and_no_more(dispatcher: Dispatcher) -> None:
    """L-35, invariant 8: since when a no is kept, and until when; nothing of what there was."""
    actor = dispatcher.persons.acting(None)
    dispatcher.erasing.erase(dispatcher.register.find(MAIJA), EraseReason.REQUEST, actor)
    account = asked(dispatcher, MAIJA)
    [(since, until)] = account.kept
    assert (None, ()) == (account.client, account.lines)
    assert FIRST <= since <= SECOND < until


def test_where_no_suppression_stands_nothing_is_held(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Of somebody whose data went for age, and of somebody who never was, the same is said: nothing."""
    assert Account(None) == asked(dispatcher, "nobody@posti.example")
    actor = dispatcher.persons.acting(None)
    dispatcher.erasing.erase(dispatcher.register.find(ERIK), EraseReason.AGE, actor)
    workshop.clock.advance(timedelta(days=5 * 365))
    assert Account(None) == asked(dispatcher, ERIK)


def test_an_address_leads_to_its_client(dispatcher: Dispatcher) -> None:
    """A number as it is dialled at home is read like any other."""
    account = asked(dispatcher, ANTE)
    assert account.client == dispatcher.register.find(ANTE)
    assert 2 == sum(each.what == "message" for each in account.lines)


def test_several_who_share_an_address_are_asked_about_one_by_one(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """One client's story is not told to another who reads the same inbox."""
    row = "8;Toinen;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.2.2026"
    dispatcher.enrol.run(workshop.register(row, name="shared.csv"), dispatcher.persons.acting(None))
    with pytest.raises(NotFoundError, match="2 clients share this address"):
        asked(dispatcher, ERIK)


def test_what_is_no_address_or_no_campaign_is_refused(dispatcher: Dispatcher) -> None:
    """The error says what to give instead."""
    with pytest.raises(RefusedError, match="'not an address' is no email address or mobile number"):
        asked(dispatcher, "not an address")
    with pytest.raises(NotFoundError, match="no campaign 'three'"):
        told(dispatcher, MAIJA, "three")


def test_every_account_is_in_the_access_log(dispatcher: Dispatcher) -> None:
    """Who asked about whom is known; of an address nobody has, that somebody asked."""
    number = dispatcher.register.find(MAIJA)
    told(dispatcher, MAIJA)
    asked(dispatcher, "nobody@posti.example")
    with dispatcher.store.reading() as connection:
        looks = [(each.act, each.client, each.clients) for each in access_log.looks(connection)]
    assert [("audit why", number, 1), ("audit why", None, 0)] == looks[-2:]
