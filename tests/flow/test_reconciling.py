"""A lost reply: found in the provider's own list, given up after seven days, and never sent again."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.demo.twilio_double import Trouble, TwilioDouble
from dispatcher.flow.giving_up import GIVEN_UP_AFTER, give_up
from dispatcher.flow.reconciling import FIRST_LOOK, LAST_LOOK, Asked
from dispatcher.keys import KeyKind
from dispatcher.rules.ledger import EntryKind
from tests.clock import FixedClock
from tests.flow.lost_replies import Texts, texting
from tests.flow.test_outcomes import messages, send


@pytest.fixture
def lost(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[Texts]:
    """Give a text message that Twilio took and whose reply was lost, three minutes ago."""
    with texting(tmp_path / "studio", clock, database_url, journal_url, Trouble.LOST) as texts:
        clock.advance(FIRST_LOOK + timedelta(minutes=1))
        yield texts


def look(texts: Texts) -> str | None:
    """Let the duty ask."""
    return asyncio.run(texts.dispatcher.reconciling.work())


def ask(texts: Texts) -> Asked:
    """Ask about every unknown of the campaign, as the command does."""
    reconciling = texts.dispatcher.reconciling
    return asyncio.run(reconciling.ask(reconciling.rows(texts.dispatcher.lifecycle.named("a"))))


def resources(double: TwilioDouble) -> dict[str, dict[str, object]]:
    """Return what the double keeps of its messages, to be changed."""
    return double._resources


def test_what_the_list_has_was_taken(lost: Texts) -> None:
    """S-26: a message to that number, in those minutes, with that client's own link is the lost one."""
    [sid] = lost.sms.held
    resources(lost.sms)[sid] |= {"status": "undelivered", "error_code": 30003}
    assert "1 messages whose reply was lost had been taken" == look(lost)
    assert ("accepted", sid, "undelivered", "30003") == lost.known
    assert "list" == lost.row["code"]
    assert look(lost) is None
    assert 1 == len(lost.sms.received)
    assert () == lost.findings()


def test_the_program_asks_within_the_hour(lost: Texts, clock: FixedClock) -> None:
    """S-26: a callback has two minutes to come; after an hour only a person asks."""
    clock.advance(-timedelta(minutes=2))
    assert look(lost) is None
    clock.advance(LAST_LOOK + timedelta(minutes=2))
    assert look(lost) is None
    assert Asked(found=1) == ask(lost)


@pytest.mark.parametrize(
    "change",
    [
        {"body": "Hoito 49 e"},
        {"body": "Hoito 49 e https://viestit.tunturituuli.example/u/" + "a" * 31},
        {"to": "+358409999999"},
        {"date_created": "Tue, 24 Nov 2026 07:54:00 +0000"},
        {"date_created": "Tue, 24 Nov 2026 08:30:00 +0000"},
    ],
)
def test_what_may_be_another_message_is_not_taken_for_it(lost: Texts, change: dict[str, str]) -> None:
    """S-26: without the client's own link, to another number or at another time it stays unknown, and is not sent."""
    [sid] = lost.sms.held
    resources(lost.sms)[sid] |= change
    assert look(lost) is None
    assert {"unknown": 1} == messages(lost.dispatcher, "sms")
    send(lost.dispatcher)
    assert 1 == len(lost.sms.received)


def test_a_link_of_an_older_key_is_known(lost: Texts) -> None:
    """S-26: keys may have been changed since; the link in the message is still that client's."""
    ring = lost.dispatcher.store.ring
    lost.dispatcher.reconciling._links._ring = ring.with_new(KeyKind.TOKEN)
    assert look(lost) is not None


def test_two_that_cannot_be_told_apart_stay_unknown(lost: Texts) -> None:
    """S-26: of two messages that both could be the one, neither is chosen."""
    [sid] = lost.sms.held
    resources(lost.sms)["SMtwin"] = resources(lost.sms)[sid] | {"sid": "SMtwin"}
    assert look(lost) is None
    assert Asked(missing=1) == ask(lost)


def test_what_has_an_owner_is_nobody_elses(lost: Texts) -> None:
    """S-26: a message of the list that is known already, as a test or a receipt may be, is not taken a second time."""
    [sid] = lost.sms.held
    lost.change(provider_id=sid)
    assert look(lost) is None


def test_a_provider_that_does_not_answer_says_nothing(lost: Texts) -> None:
    """S-26: no answer is no proof of anything; it is asked again."""
    lost.sms._account = "AC-another"
    assert look(lost) is None
    assert Asked(unanswered=1) == ask(lost)
    assert {"unknown": 1} == messages(lost.dispatcher, "sms")


def test_who_has_been_erased_is_asked_about_by_nobody(lost: Texts) -> None:
    """S-26: without a number there is nothing to ask by."""
    lost.change(address=None)
    assert Asked(out_of_reach=1) == ask(lost)


def test_after_seven_days_it_may_have_arrived(lost: Texts, clock: FixedClock) -> None:
    """What nobody can tell closes after seven days, once, in the ledger too: it counts as received for ever."""
    clock.advance(GIVEN_UP_AFTER - timedelta(minutes=4))
    assert give_up(lost.dispatcher.store) is None
    clock.advance(timedelta(minutes=2))
    assert "1 messages of which nobody could tell anything may have arrived" == give_up(lost.dispatcher.store)
    assert give_up(lost.dispatcher.store) is None
    assert clock() == lost.row["closed_at"]
    assert ["may_have_arrived"] == [body["later"] for body in lost.entries(EntryKind.LATER)]
    [campaign] = lost.dispatcher.audit.year(2026).campaigns
    assert (1, 1) == (campaign.unknown, campaign.may_have_arrived)
    assert () == lost.findings()
    assert 1 == lost.dispatcher.lifecycle.standing(1).closed
    assert lost.row["day"] is not None
    send(lost.dispatcher)
    assert 1 == len(lost.sms.received)


def test_what_was_given_up_on_may_still_be_told(lost: Texts, clock: FixedClock) -> None:
    """A call that comes after seven days still counts: then it is known, and the audit says so."""
    clock.advance(GIVEN_UP_AFTER + timedelta(days=1))
    give_up(lost.dispatcher.store)
    lost.take(lost.told("delivered"))
    assert ("accepted", "SM1", "delivered", None) == lost.known
    [campaign] = lost.dispatcher.audit.year(2026).campaigns
    assert (0, 0, {"delivered": 1}) == (campaign.unknown, campaign.may_have_arrived, campaign.later)
    assert () == lost.findings()
    assert 0 == lost.dispatcher.lifecycle.standing(1).closed
