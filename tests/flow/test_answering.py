"""What a client says to a person, a page or a booking system is on record, with what can be shown for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Answering, Newcomer, Said
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Consent, Place, Reply, fold
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import answers, clients, journal, ledger, wordings
from dispatcher.storage.store import Store
from dispatcher.storage.tables import ClientTable
from tests.clock import FixedClock
from tests.stores import OWNER, add_client, say

EMAIL, SMS = Channel.EMAIL, Channel.SMS
WORDS = "Saako lähettää tarjouksia sähköpostitse?"
YES = Said(Reply.GRANTED, EMAIL, Place.PHONE, WORDS)
MAIJA = "maija@posti.example"


@pytest.fixture
def answering(store: Store) -> Answering:
    """Give the flow, with one client in the register."""
    add_client(store, 1, email=MAIJA)
    return Answering(store)


def given(store: Store, client: int = 1) -> list[Answer]:
    """Return the answers of a client."""
    with store.reading() as connection:
        return answers.of_clients(connection, [client]).get(client, [])


def consent(store: Store, client: int = 1) -> Consent:
    """Return what a client's answers mean for email now."""
    return fold(given(store, client), EMAIL, store.clock())


def test_a_yes_is_kept_with_its_words_place_and_time(answering: Answering, store: Store, clock: FixedClock) -> None:
    """L-04, L-05: a yes by phone names its channel, wording, place and time, and who took it down."""
    (number,) = answering.record(1, [YES], OWNER)
    (answer,) = given(store)
    expected = Answer(number, Reply.GRANTED, EMAIL, clock(), clock(), clock(), Place.PHONE, wording_hash(WORDS))
    assert expected == answer
    with store.reading() as connection:
        assert {wording_hash(WORDS): WORDS} == wordings.wording_texts(connection, [wording_hash(WORDS)])
        (entry,) = ledger.entries(connection, [EntryKind.ANSWER.value])
    assert str(OWNER) == entry.actor


def test_an_answer_keeps_the_time_it_was_given(answering: Answering, store: Store, clock: FixedClock) -> None:
    """D-01: the real-world time and the time of recording stand apart."""
    said = clock() - timedelta(days=30)
    answering.record(1, [Said(Reply.GRANTED, EMAIL, Place.PHONE, WORDS, said, said)], OWNER)
    assert (said, clock()) == (given(store)[0].not_before, given(store)[0].recorded_at)
    assert said + timedelta(days=365) == consent(store).ends_at


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([Said(Reply.GRANTED, EMAIL, Place.PHONE)], "words of the question"),
        ([Said(Reply.GRANTED, None, Place.PHONE, WORDS)], "its channel"),
        ([Said(Reply.GRANTED, SMS, Place.PHONE, WORDS)], "names email, so a yes to it does not open sms"),
        ([Said(Reply.GRANTED, SMS, Place.PHONE, "Saako lähettää tarjouksia?")], "names no channel"),
    ],
)
def test_a_yes_that_could_not_be_shown_is_refused(
    answering: Answering, store: Store, said: Sequence[Said], sentence: str
) -> None:
    """L-04: a yes without channel or words, or to words that do not name its channel, is never on record."""
    with pytest.raises(RefusedError, match=sentence):
        answering.record(1, said, OWNER)
    assert [] == given(store)


def test_a_time_in_the_future_is_refused(answering: Answering, store: Store, clock: FixedClock) -> None:
    """An answer cannot have been given tomorrow; one refused answer refuses what was said with it."""
    tomorrow = clock() + timedelta(days=1)
    with pytest.raises(RefusedError, match="future"):
        answering.record(1, [YES, Said(Reply.DECLINED, EMAIL, Place.PHONE, WORDS, tomorrow)], OWNER)
    assert [] == given(store)


def test_a_span_that_ends_before_it_begins_is_refused(answering: Answering, clock: FixedClock) -> None:
    """A time that cannot be is refused with what to do."""
    with pytest.raises(RefusedError, match="ends before it begins"):
        answering.record(
            1, [Said(Reply.GRANTED, EMAIL, Place.PHONE, WORDS, clock(), clock() - timedelta(days=1))], OWNER
        )


def test_no_yes_is_taken_from_a_child(answering: Answering, store: Store) -> None:
    """L-11: whoever is marked as a child can say no, and nothing else."""
    store.write(lambda t: clients.update_client(t.connection, 1, {"child": True}))
    with pytest.raises(RefusedError, match="child"):
        answering.record(1, [YES], OWNER)
    answering.record(1, [Said(Reply.WITHDRAWN, None, Place.DESK)], OWNER)
    assert [Reply.WITHDRAWN] == [answer.reply for answer in given(store)]


def test_nobody_is_made_up(answering: Answering) -> None:
    """An answer of a number that no client has is an error, not a client."""
    with pytest.raises(NotFoundError, match="number 99"):
        answering.record(99, [YES], OWNER)


def test_a_no_is_in_the_journal_too(answering: Answering, store: Store) -> None:
    """Invariant 4: every no that a person took down survives a restore, for no file will tell it again."""
    answering.record(1, [Said(Reply.DECLINED, SMS, Place.PHONE, WORDS)], OWNER)
    answering.record(1, [YES], OWNER)
    assert 1 == _noes(store)
    answering.record(1, [Said(Reply.DECLINED, EMAIL, Place.PHONE, WORDS)], OWNER)
    answering.record(1, [Said(Reply.WITHDRAWN, None, Place.DESK)], OWNER)
    assert 3 == _noes(store)


def _noes(store: Store) -> int:
    return sum(record.kind is journal.JournalKind.NO for record in store.journal.records())


def test_not_asked_is_on_record_and_changes_nothing(answering: Answering, store: Store) -> None:
    """L-06: that nobody asked is an answer of its own, and extends no yes."""
    answering.record(1, [YES], OWNER)
    before = consent(store)
    answering.record(1, [Said(Reply.NOT_ASKED, EMAIL, Place.DESK)], OWNER)
    assert before == consent(store)
    assert 2 == len(given(store))


def test_the_booking_is_kept_as_a_keyed_hash(answering: Answering, store: Store) -> None:
    """D-01: the booking's reference can be compared and never read."""
    answering.record(1, [Said(Reply.GRANTED, EMAIL, Place.ONLINE, WORDS, booking="B-2026-17")], OWNER)
    with store.reading() as connection:
        (entry,) = ledger.entries(connection, [EntryKind.ANSWER.value])
    expected = store.ring.hashed("booking", "B-2026-17")
    assert {"key": expected.key_id, "hash": expected.digest} == entry.data()["booking"]
    assert "B-2026-17" not in entry.body


def test_a_later_yes_at_the_desk_lifts_an_objection(answering: Answering, store: Store, clock: FixedClock) -> None:
    """L-07: only a later explicit yes does, and one of the same instant does not."""
    say(store, 1, Reply.WITHDRAWN, None)
    answering.record(1, [YES], OWNER)
    assert consent(store).objected
    clock.advance(timedelta(minutes=1))
    answering.record(1, [YES], OWNER)
    assert not consent(store).objected


def test_whoever_takes_part_is_told_of_a_yes_in_its_transaction(store: Store) -> None:
    """A receipt is asked for with the yes or not at all."""
    add_client(store, 1, email=MAIJA)
    told: list[tuple[object, ...]] = []
    answering = Answering(store, [lambda _transaction, client, said, actor: told.append((client.number, said, actor))])
    answering.record(1, [YES], OWNER)
    answering.record(1, [Said(Reply.DECLINED, EMAIL, Place.PHONE)], OWNER)
    assert [(1, YES, OWNER)] == told


def test_a_newcomer_is_joined_by_address(store: Store) -> None:
    """A new client needs a name and one address, gets a number of their own, and is in the journal like all others."""
    newcomer = Newcomer("Aila", "Esimerkki", Language.SV, {EMAIL: "aila@posti.example"})
    number = Answering(store).enlist(newcomer, [YES], OWNER)
    with store.reading() as connection:
        client = clients.read(connection, [number])[number]
        seen_in = connection.scalar(ClientTable.__table__.select().with_only_columns(ClientTable.seen_in))
    assert ("Aila", "Esimerkki", Language.SV) == (client.first_name, client.last_name, client.language)
    assert {EMAIL: "aila@posti.example"} == {kind: held.canonical for kind, held in client.addresses.items()}
    assert seen_in is None
    assert Reply.GRANTED is given(store, number)[0].reply
    assert 1 == sum(record.kind is journal.JournalKind.CLIENTS for record in store.journal.records())


def test_a_newcomer_takes_nobodys_address(answering: Answering) -> None:
    """L-31: whoever has the address already is to be asked, not doubled; the address is shown masked."""
    newcomer = Newcomer("Aila", "Esimerkki", Language.FI, {EMAIL: MAIJA})
    with pytest.raises(RefusedError, match=r"m\*\*\*@p\*\*\*.example belongs to a client"):
        answering.enlist(newcomer, [YES], OWNER)


def test_a_newcomer_without_an_address_is_refused(answering: Answering) -> None:
    """Nobody can be written to without one."""
    with pytest.raises(RefusedError, match="needs an email address or a mobile number"):
        answering.enlist(Newcomer("Aila", "Esimerkki", Language.FI, {}), [], OWNER)


def test_what_a_newcomer_says_stands_or_falls_with_them(store: Store, clock: FixedClock) -> None:
    """A refused first answer leaves no half-made client behind."""
    tomorrow: datetime = clock() + timedelta(days=1)
    newcomer = Newcomer("Aila", "Esimerkki", Language.FI, {EMAIL: "aila@posti.example"})
    with pytest.raises(RefusedError, match="future"):
        Answering(store).enlist(newcomer, [Said(Reply.GRANTED, EMAIL, Place.DESK, WORDS, tomorrow)], OWNER)
    with store.reading() as connection:
        assert 0 == clients.count(connection)
