"""The register of answers, the wordings they name, and the objections that outlive a client."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from dispatcher.keys import KeyedHash, KeyKind
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.ledger import answer_entry
from dispatcher.rules.retention import Periods
from dispatcher.storage import answers, wordings
from dispatcher.storage.answers import Suppression, hash_label
from dispatcher.storage.store import Store
from dispatcher.storage.tables import SuppressionTable
from tests.clock import FixedClock
from tests.stores import OWNER, ring, say

SUPPRESSED_FOR = Periods().suppressed
MAIJA = (Channel.EMAIL, "maija@posti.example")


def suppression(at: datetime, channel: Channel | None = None, address: str = MAIJA[1]) -> Suppression:
    """Return an objection of an email address."""
    return Suppression(ring().hashed(hash_label(Channel.EMAIL), address), channel, "objection", at)


def suppress(store: Store, *items: Suppression) -> int:
    """Write suppressions and return how many were new."""
    return store.write(lambda transaction: answers.suppress(transaction.connection, items, SUPPRESSED_FOR))


def standing(store: Store, now: datetime) -> list[Answer]:
    """Return what stands against the address now."""
    with store.reading() as connection:
        return answers.suppressed(connection, store.ring, {MAIJA: 1}, now).get(1, [])


def test_answers_come_back_as_they_were_given(store: Store, clock: FixedClock) -> None:
    """D-02: every part of an answer is an entry of the ledger, and comes back from it in the order of recording."""
    given = [
        Answer(0, Reply.GRANTED, Channel.EMAIL, clock(), None, clock(), Place.PHONE, "a" * 64),
        Answer(0, Reply.WITHDRAWN, None, None, clock() + timedelta(1), clock()),
        Answer(0, Reply.NOT_ASKED, Channel.SMS, None, None, clock(), Place.ONLINE),
    ]
    entries = store.write(lambda t: t.ledger.append(*(answer_entry(answer, 7, OWNER) for answer in given)))
    say(store, 8, Reply.GRANTED, Channel.EMAIL)
    with store.reading() as connection:
        found = answers.of_clients(connection, [7, 9])
    assert [7] == list(found)
    assert entries == [answer.entry for answer in found[7]]
    assert [answer_entry(answer, 7, OWNER) for answer in given] == [
        answer_entry(answer, 7, OWNER) for answer in found[7]
    ]
    assert {clock()} == {answer.recorded_at for answer in found[7]}


def test_a_wording_is_kept_once(store: Store) -> None:
    """D-02: the exact text of a question is kept under its hash, however often it is used."""
    texts = ["Saako lähettää tarjouksia?", "Får vi skicka erbjudanden?"]
    first = store.write(lambda t: wordings.keep_wordings(t.connection, texts, t.now))
    again = store.write(lambda t: wordings.keep_wordings(t.connection, [*texts, "May we?"], t.now))
    assert first == {text: again[text] for text in texts}
    with store.reading() as connection:
        assert {digest: text for text, digest in first.items()} == wordings.wording_texts(connection, first.values())
    store.write(lambda t: wordings.keep_wordings(t.connection, [], t.now))


def test_a_key_is_taken_in_once(store: Store) -> None:
    """A file or call that was taken in is known by its key, in its own scope."""
    store.write(lambda t: answers.remember(t.connection, "import", "abc", "{}", t.now))
    with store.reading() as connection:
        assert "{}" == answers.seen_before(connection, "import", "abc")
        assert answers.seen_before(connection, "api", "abc") is None
        assert answers.seen_before(connection, "import", "ab") is None


def test_a_suppression_is_an_objection(store: Store, clock: FixedClock) -> None:
    """L-35: a keyed hash of the address with its date refuses as the objection it was; nothing else is kept."""
    assert 1 == suppress(store, suppression(clock()))
    assert [Answer(0, Reply.WITHDRAWN, None, None, clock(), clock())] == standing(store, clock())
    with store.reading() as connection:
        row = connection.execute(select(SuppressionTable)).one()
    assert MAIJA[1] not in str(row)
    assert {"id", "hash", "key", "channel", "reason", "at", "expires_at"} == set(row._fields)


def test_a_suppression_of_one_channel_says_so(store: Store, clock: FixedClock) -> None:
    """L-01: an objection that named a channel concerns that one; both kinds stand beside each other."""
    assert 2 == suppress(store, suppression(clock()), suppression(clock(), Channel.EMAIL))
    assert {None, Channel.EMAIL} == {answer.channel for answer in standing(store, clock())}


def test_the_same_objection_twice_is_one(store: Store, clock: FixedClock) -> None:
    """What is suppressed already is not suppressed again."""
    assert [1, 0] == [suppress(store, suppression(clock())) for _ in range(2)]
    assert 1 == len(standing(store, clock()))


def test_the_later_objection_stands(store: Store, clock: FixedClock) -> None:
    """Invariant 4: who objects again after a yes is not bound by the first objection's date, nor by its end."""
    later = clock() + timedelta(days=200)
    assert [1, 1, 0] == [suppress(store, suppression(at)) for at in (clock(), later, clock() + timedelta(days=1))]
    assert [later] == [answer.latest() for answer in standing(store, later)]
    assert 1 == len(standing(store, clock() + SUPPRESSED_FOR + timedelta(days=199)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(days=st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_the_order_of_objections_does_not_matter(store: Store, clock: FixedClock, days: list[int]) -> None:
    """Whatever the order in which objections of one address arrive, the latest is the one that counts."""
    address = f"{days}@posti.example"
    for day in days:
        suppress(store, suppression(clock() + timedelta(days=day), address=address))
    with store.reading() as connection:
        found = answers.suppressed(connection, store.ring, {(Channel.EMAIL, address): 1}, clock())
    assert [clock() + timedelta(days=max(days))] == [answer.latest() for answer in found[1]]


def test_a_suppression_ends(store: Store, clock: FixedClock) -> None:
    """L-36: it stands until every yes before it has expired and the backups are gone, and not a moment longer."""
    suppress(store, suppression(clock()))
    end = clock() + SUPPRESSED_FOR
    assert timedelta(days=455) == SUPPRESSED_FOR
    assert 1 == len(standing(store, end - timedelta(microseconds=1)))
    assert [] == standing(store, end)


def test_a_suppression_outlives_its_key(store: Store, clock: FixedClock) -> None:
    """L-35: after a rotation the old key still recognises what it suppressed; without it the hash refuses nobody."""
    suppress(store, suppression(clock()))
    rotated = ring().with_new(KeyKind.HASH)
    other = Suppression(KeyedHash("2", "b" * 64), None, "objection", clock())
    suppress(store, other)
    with store.reading() as connection:
        assert 1 == len(answers.suppressed(connection, rotated, {MAIJA: 1}, clock())[1])
        assert {"1": 1, "2": 1} == answers.keys_of_suppressions(connection)


@pytest.mark.parametrize(
    "other", [(Channel.EMAIL, "maija2@posti.example"), (Channel.SMS, "maija@posti.example"), (Channel.SMS, "+358401")]
)
def test_a_suppression_concerns_no_other_address(store: Store, clock: FixedClock, other: tuple[Channel, str]) -> None:
    """A hash is of one channel's address: nobody else is refused by it."""
    suppress(store, suppression(clock()))
    with store.reading() as connection:
        assert {} == answers.suppressed(connection, store.ring, {other: 1}, clock())
