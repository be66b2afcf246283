"""What a provider tells of a message afterwards: an unknown that was taken, its end, and whom an error concerns."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from dispatcher.demo.twilio_double import Trouble
from dispatcher.errors import JournalError
from dispatcher.flow.returns import Told, text_fate
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.message import Blame, MessageState, ServicePurpose
from dispatcher.rules.retention import EraseReason
from dispatcher.storage import dossier, installation, services, soft_bounces
from dispatcher.storage.services import Asked
from dispatcher.storage.tables import ServiceTable
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.flow.lost_replies import Texts, texting
from tests.flow.test_outcomes import MOMENT, messages, send

LOST = MessageState.UNKNOWN.value
Begun = Callable[..., Texts]


@pytest.fixture(name="begun")
def begin_with(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[Begun]:
    """Give a way to have a text message go to a Twilio that meets it with this trouble."""
    with ExitStack() as stack:

        def begun(trouble: Trouble | None = None) -> Texts:
            return stack.enter_context(texting(tmp_path / "studio", clock, database_url, journal_url, trouble))

        yield begun


@pytest.fixture
def lost(begun: Begun) -> Texts:
    """Give a text message that Twilio took and whose reply was lost."""
    return begun(Trouble.LOST)


@pytest.fixture
def taken(begun: Begun) -> Texts:
    """Give a text message that Twilio took."""
    return begun()


def test_a_callback_proves_that_an_unknown_was_taken(lost: Texts) -> None:
    """S-26: whoever can name our message has it: accepted, with its name there, and the audit still balances."""
    assert {LOST: 1} == messages(lost.dispatcher, "sms")
    lost.take(lost.told("sent"))
    assert ("accepted", "SM1", "sent", None) == lost.known
    assert ["unknown", "accepted"] == [body["outcome"] for body in lost.entries(EntryKind.OUTCOME)]
    assert [] == lost.entries(EntryKind.LATER)
    assert () == lost.findings()
    assert {"accepted": 1} == messages(lost.dispatcher, "sms")


def test_an_unfinished_hand_off_is_proved_too(lost: Texts) -> None:
    """S-26: a call that comes before the outcome, or after its worker died, is the outcome; nobody tells it again."""
    lost.change(state="attempting", lease_until=lost.workshop.clock() + timedelta(minutes=5))
    lost.take(lost.told("delivered"))
    assert ("accepted", "SM1", "delivered", None) == lost.known
    lost.workshop.clock.advance(timedelta(hours=1))
    assert 0 == lost.dispatcher.deliver.recover(alone=True)
    assert ("accepted", "SM1", "delivered", None) == lost.known


def test_delivered_is_told_once_in_the_ledger(taken: Texts) -> None:
    """S-27: calls that repeat or come late add nothing; the outcome stays one, and delivered stands beside it."""
    sid = str(taken.row["provider_id"])
    taken.take(*(taken.told(status, sid=sid) for status in ("sent", "delivered", "sending", "delivered", "sent")))
    assert ("accepted", sid, "delivered", None) == taken.known
    assert [{"message": taken.row["message_id"], "later": "delivered", "was": "sent", "codes": []}] == taken.entries(
        EntryKind.LATER
    )
    assert 1 == len(taken.entries(EntryKind.OUTCOME))
    assert () == taken.findings()


def test_an_error_stays_beside_a_delivered(taken: Texts) -> None:
    """S-27: what another part of the message met is kept, and told once."""
    taken.take(taken.told("undelivered", "30008"), taken.told("delivered"), taken.told("undelivered", "30008"))
    assert ("undelivered", "30008") == taken.known[2:]
    assert ["undelivered"] == [body["later"] for body in taken.entries(EntryKind.LATER)]
    assert [] == taken.deaths


def test_a_number_that_is_none_dies(taken: Texts) -> None:
    """The error table: a landline told afterwards kills the number once; it is no objection."""
    taken.take(taken.told("undelivered", "30006"), taken.told("undelivered", "30006"))
    assert ["30006"] == [body["code"] for body in taken.deaths]
    assert "address" == taken.row["blame"]
    report = taken.dispatcher.check.run(taken.workshop.campaign("b", MOMENT + timedelta(days=30), channels=("sms",)))
    assert {"address_dead": 1} == dict(report.counts.withhold)


@pytest.mark.parametrize(("days", "kept", "dead"), [((), 1, 0), ((13,), 2, 0), ((14,), 0, 1)])
def test_a_handset_that_stays_unknown_dies(taken: Texts, days: tuple[int, ...], kept: int, dead: int) -> None:
    """30005: told twice of one message it counts once; with another two weeks before, the number is dead."""
    address = taken.row["address"]
    assert isinstance(address, int)

    def work(transaction: Transaction) -> None:
        for each in days:
            before = transaction.now - timedelta(days=each)
            soft_bounces.add(transaction.connection, address, Blame.HANDSET, before)

    taken.dispatcher.store.write(work)
    taken.take(taken.told("undelivered", "30005"), taken.told("undelivered", "30005"))
    with taken.dispatcher.store.reading() as connection:
        assert kept == len(soft_bounces.of(connection, [address]).get(address, []))
    assert dead == len(taken.deaths)


def test_an_opt_out_at_the_provider_becomes_an_objection(taken: Texts) -> None:
    """L-01: 21610 told afterwards is a no to every channel, recorded once."""
    taken.take(taken.told("failed", "21610"), taken.told("failed", "21610"))
    number = taken.dispatcher.register.listed()[0].number
    places = [said.answer.place for said in taken.dispatcher.register.history(number)]
    assert 1 == places.count(Place.PROVIDER)


def test_a_filtered_message_is_the_senders_trouble(taken: Texts) -> None:
    """The error table: 30007 is nobody's fault but ours; the row says so to whoever counts, and the number lives."""
    taken.take(taken.told("undelivered", "30007"))
    assert "policy" == taken.row["blame"]
    assert [] == taken.deaths


@pytest.mark.parametrize("state", ["deferred", "waiting"])
def test_what_was_said_not_to_be_taken_and_was_never_goes_again(lost: Texts, state: str) -> None:
    """Invariant 2: a message that was to be tried again, and that the provider has, is withheld for good."""
    lost.change(state=state, lease_until=None, day=None)
    lost.take(lost.told("sent"), lost.told("delivered"))
    assert ("withheld", "SM1", "delivered", None) == lost.known
    assert "already_sent_or_unknown" == lost.row["reason"]
    assert ["already_sent_or_unknown"] == [body["reason"] for body in lost.entries(EntryKind.WITHHELD)]
    lost.workshop.clock.advance(timedelta(hours=1))
    send(lost.dispatcher)
    assert {} == messages(lost.dispatcher, "sms")


def test_the_providers_first_name_stays(taken: Texts) -> None:
    """S-26: another name for the same message does not take the place of the one that was given at its hand-off."""
    sid = taken.row["provider_id"]
    taken.take(taken.told("sent", sid="SM-another"))
    assert ("accepted", sid, "sent", None) == taken.known


def test_a_message_that_is_not_ours_changes_nothing(taken: Texts) -> None:
    """S-27: what nobody knows is not kept, and that is said."""
    before = taken.row
    assert not taken.dispatcher.returns.take(Told("f" * 32, "twilio", "SM1", "callback"))
    assert before == taken.row


def test_nothing_is_kept_while_the_database_is_behind_its_journal(taken: Texts) -> None:
    """Invariant 10: an older copy takes no calls before it has heard what it missed."""

    def behind(transaction: Transaction) -> None:
        installation.set_needs_replay(transaction.connection, needs=True)

    taken.dispatcher.store.write(behind)
    with pytest.raises(JournalError):
        taken.dispatcher.returns.take(taken.told("sent"))


def service_of(texts: Texts, **values: object) -> str:
    """Write a confirmation by text message that stands like this, and return its message id."""

    def work(transaction: Transaction) -> str:

        asked = Asked(ServicePurpose.CONFIRMATION, Channel.SMS, "+358405550000", Language.FI, {})
        name = services.add(transaction.connection, asked, transaction.now)
        mine = ServiceTable.message_id == name
        transaction.connection.execute(update(ServiceTable).where(mine).values(**values))
        return name

    return texts.dispatcher.store.write(work)


def test_a_service_message_is_proved_too(taken: Texts) -> None:
    """S-26: an unknown confirmation that Twilio names was taken; an opt-out there is kept for the stranger, once."""
    name = service_of(taken, state="unknown", attempts=1)
    for status, code in (("sent", ""), ("failed", "21610"), ("failed", "21610")):
        taken.take(Told(name, "twilio", "SM2", "callback", text_fate(status, code)))
    with taken.dispatcher.store.reading() as connection:
        row = connection.execute(select(ServiceTable).where(ServiceTable.message_id == name)).one()
    assert ("accepted", "SM2", "21610") == (row.state, row.provider_id, row.code)
    outcomes = [body.get("outcome") for body in taken.entries(EntryKind.SERVICE)]
    assert ["accepted"] == [each for each in outcomes if each]
    noes = [each for each in taken.dispatcher.store.journal.records() if each.kind.value == "no"]
    assert 1 == len(noes)


@pytest.mark.parametrize(("days", "deaths"), [(13, []), (14, ["30005"])])
def test_no_such_handset_twice_kills_the_number(taken: Texts, days: int, deaths: list[str]) -> None:
    """The error table: 30005 told twice, two weeks apart, is a dead number; sooner it may be a handset that is off."""
    taken.take(taken.told("undelivered", "30005"), taken.told("undelivered", "30005"))
    assert [] == taken.deaths
    taken.change(later=None, later_code=None)
    taken.workshop.clock.advance(timedelta(days=days))
    taken.take(taken.told("undelivered", "30005"))
    assert deaths == [body["code"] for body in taken.deaths]


def test_what_twilio_names_after_an_erasure_is_deleted_there(lost: Texts) -> None:
    """S-28: who was erased while nobody knew whether Twilio had the message is deleted there once it says so."""
    dispatcher = lost.dispatcher
    number = dispatcher.register.listed()[0].number
    dispatcher.erasing.erase(number, EraseReason.REQUEST, dispatcher.persons.acting(None))
    [sid] = lost.sms.held
    lost.take(lost.told("undelivered", "21610", sid=sid))
    assert ("accepted", sid, "undelivered", "21610") == lost.known
    asyncio.run(dispatcher.erasing.deletions.work())
    assert [] == lost.sms.held
    assert lost.row["provider_id"] is None
    assert () == lost.findings()


def test_what_was_told_is_in_the_clients_copy(taken: Texts) -> None:
    """L-30: what is kept of a message after its outcome belongs to what a client may see."""
    taken.take(taken.told("undelivered", "30008"))
    number = taken.dispatcher.register.listed()[0].number
    with taken.dispatcher.store.reading() as connection:
        [sent] = dossier.messages(connection, number)
    assert ("accepted", "undelivered", "30008", None) == (sent.state, sent.later, sent.later_code, sent.closed_at)
