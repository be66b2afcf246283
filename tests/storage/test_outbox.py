"""The outbox: one message per client and address, held by one worker at a time, told by nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from dispatcher.errors import JournalError
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import COUNTED, MessageState, Outcome, OutcomeKind
from dispatcher.storage import handoffs, installation, outbox, tallies
from dispatcher.storage.handoffs import Claimed
from dispatcher.storage.outbox import Planned
from dispatcher.storage.store import Store
from dispatcher.storage.tables import OutboxTable
from tests.clock import FixedClock
from tests.stores import add_campaign, open_store, plan

LEASE = timedelta(minutes=20)
TODAY = date(2026, 11, 23)
ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "250", provider_id="queued-1")


@pytest.fixture
def number(store: Store, clock: FixedClock) -> int:
    """Give a campaign with six messages, one for each of the clients 1 to 6 at the addresses 11 to 16."""
    made = add_campaign(store, "a", clock())
    plan(store, made, [(client, client + 10) for client in range(1, 7)])
    return made


def claim(store: Store, campaign: int, limit: int = 10, channel: Channel = Channel.EMAIL) -> list[Claimed]:
    """Take the next messages as a worker would."""
    return store.write(lambda t: handoffs.claim(t.connection, campaign, t.now, t.now + LEASE, limit, channel))


def intend(store: Store, rows: list[Claimed]) -> None:
    """Write the intents of these messages."""
    store.write(lambda t: handoffs.set_intents(t.connection, rows, t.now, TODAY, t.now + LEASE))


def tell(store: Store, row: Claimed, outcome: Outcome = ACCEPTED, again_at: datetime | None = None) -> bool:
    """Write an outcome and say whether it was this worker's to tell."""
    return store.write(
        lambda t: row.id in handoffs.set_outcomes(t.connection, [(row, outcome, again_at)], "smtp", t.now)
    )


def held(store: Store, rows: list[Claimed]) -> set[int]:
    """Return which of these rows a worker that claimed them still holds."""
    return store.write(lambda t: handoffs.still_held(t.connection, rows, t.now))


def states(store: Store) -> list[str]:
    """Return where each message stands, in order."""
    with store.reading() as connection:
        return list(connection.scalars(select(OutboxTable.state).order_by(OutboxTable.id)))


def row_of(store: Store, row: Claimed) -> OutboxTable:
    """Return what the database holds of a message."""
    with store.reading() as connection:
        found: OutboxTable = connection.execute(select(OutboxTable.__table__).where(OutboxTable.id == row.id)).one()  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("again", [(1, 99), (99, 11)])
def test_one_message_per_client_and_address(store: Store, number: int, again: tuple[int, int]) -> None:
    """Invariant 2: the database refuses a second message to a client, and to an address, of one campaign."""
    with pytest.raises(IntegrityError):
        plan(store, number, [(98, 98), again])
    assert 6 == len(states(store))
    plan(store, add_campaign(store, "b", store.clock()), [again])


def test_withheld_rows_share_no_address(store: Store, number: int) -> None:
    """Rows of the withheld have no address, so many of them stand beside each other, each with its reason."""
    rows = [
        Planned(number, client, f"{client:032d}", MessageState.WITHHELD, store.clock(), reason="objection")
        for client in (21, 22)
    ]
    store.write(lambda t: outbox.add(t.connection, rows))
    with store.reading() as connection:
        counts = {(tally.state, tally.reason): tally.count for tally in tallies.counted(connection, number)}
    assert {(MessageState.WAITING, None): 6, (MessageState.WITHHELD, "objection"): 2} == counts


def test_a_claim_skips_what_another_holds(store: Store, number: int) -> None:
    """What one worker claimed no other gets, until its lease has ended."""
    first, second, third = claim(store, number, 4), claim(store, number, 4), claim(store, number, 4)
    assert [[1, 2, 3, 4], [5, 6], []] == [[row.client for row in rows] for rows in (first, second, third)]


def test_workers_at_once_claim_disjoint_rows(
    store: Store, number: int, database_url: str, journal_url: str, clock: FixedClock
) -> None:
    """Invariant 2: four workers that claim at once, as four processes would, share the messages without overlap."""
    plan(store, number, [(client, client + 1000) for client in range(100, 160)])
    stores = [store, *(open_store(database_url, journal_url, clock) for _ in range(3))]
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda turn: [row.id for row in claim(stores[turn % 4], number, 5)], range(16)))
    for other in stores[1:]:
        other.close()
    ids = [row for rows in taken for row in rows]
    assert 66 == len(ids) == len(set(ids))


def test_a_lease_ends(store: Store, number: int, clock: FixedClock) -> None:
    """After its lease a message may be claimed by another, whose fence is newer; the first holds it no longer."""
    first = claim(store, number, 1)
    clock.advance(LEASE - timedelta(microseconds=1))
    assert first[0].id not in {row.id for row in claim(store, number)}
    assert {first[0].id} == held(store, first)
    clock.advance(timedelta(microseconds=1))
    second = claim(store, number, 1)
    assert (first[0].id, first[0].fence + 1) == (second[0].id, second[0].fence)
    assert set() == held(store, first)
    assert {second[0].id} == held(store, second)


def test_an_outcome_from_an_old_fence_is_refused(store: Store, number: int, clock: FixedClock) -> None:
    """A worker that came back from the dead cannot overwrite what its successor does."""
    first = claim(store, number, 1)
    clock.advance(LEASE)
    second = claim(store, number, 1)
    intend(store, second)
    assert not tell(store, first[0], Outcome(OutcomeKind.REFUSED, "550"))
    assert "attempting" == states(store)[0]
    assert tell(store, second[0])
    assert "accepted" == states(store)[0]


def test_an_outcome_is_told_once(store: Store, number: int) -> None:
    """A message that has its outcome keeps it, and one without an intent cannot get one."""
    row = claim(store, number, 1)[0]
    assert not tell(store, row)
    intend(store, [row])
    assert [True, False] == [tell(store, row), tell(store, row, Outcome(OutcomeKind.REFUSED, "550"))]
    found = row_of(store, row)
    assert ("accepted", "250", "smtp", "queued-1", TODAY, 1, None) == (
        found.state,
        found.code,
        found.provider,
        found.provider_id,
        found.day,
        found.attempts,
        found.lease_until,
    )


@pytest.mark.parametrize(
    ("kind", "again", "state"),
    [
        (OutcomeKind.ACCEPTED, False, MessageState.ACCEPTED),
        (OutcomeKind.REFUSED, False, MessageState.REFUSED),
        (OutcomeKind.UNKNOWN, False, MessageState.UNKNOWN),
        (OutcomeKind.DEFERRED, True, MessageState.DEFERRED),
        (OutcomeKind.DEFERRED, False, MessageState.REFUSED),
    ],
)
def test_a_message_counts_as_its_outcome_says(
    store: Store, number: int, kind: OutcomeKind, state: MessageState, *, again: bool
) -> None:
    """L-23: accepted and unknown count on the day of their intent; refused and deferred do not (E-50, E-51)."""
    row = claim(store, number, 1)[0]
    intend(store, [row])
    assert TODAY == row_of(store, row).day
    again_at = store.clock() + timedelta(hours=1)
    assert tell(store, row, Outcome(kind, "4"), again_at if again else None)
    found = row_of(store, row)
    assert (state.value, TODAY if state in COUNTED else None) == (found.state, found.day)
    if state is MessageState.DEFERRED:
        assert again_at == found.not_before


def test_a_deferred_message_comes_back_at_its_time(store: Store, number: int, clock: FixedClock) -> None:
    """E-50: a message that is to be tried again is claimed again when its time has come, and not before."""
    rows = claim(store, number)
    intend(store, rows)
    again_at = clock() + timedelta(hours=1)
    for row in rows:
        tell(store, row, Outcome(OutcomeKind.DEFERRED, "450"), again_at)
    with store.reading() as connection:
        assert again_at == outbox.next_due(connection, number)
        assert 6 == outbox.count_open(connection, number)
    clock.set(again_at - timedelta(microseconds=1))
    assert [] == claim(store, number)
    clock.set(again_at)
    assert [row.id for row in rows] == [row.id for row in claim(store, number)]
    assert [1] * 6 == [row.attempts for row in claim(store, number)] or [] == claim(store, number)


def test_an_intent_without_an_outcome_is_never_claimed_again(store: Store, number: int, clock: FixedClock) -> None:
    """Invariant 2: what is being handed over stays so after the lease, is shown as lost, and nobody claims it."""
    rows = claim(store, number, 2)
    intend(store, rows)
    with store.reading() as connection:
        assert [] == handoffs.lost(connection, clock())
    clock.advance(LEASE)
    assert [3, 4, 5, 6] == [row.client for row in claim(store, number)]
    with store.reading() as connection:
        assert [row.id for row in rows] == [row.id for row in handoffs.lost(connection, clock())]
        assert 6 == len(handoffs.lost(connection, datetime.max.replace(tzinfo=UTC))) + 4


def test_claims_are_taken_back(store: Store, number: int) -> None:
    """A sender that begins alone takes every claim back at once; the old claims hold nothing."""
    old = claim(store, number, 3)
    store.write(lambda t: handoffs.free_claims(t.connection))
    assert set() == held(store, old)
    assert 6 == len(claim(store, number))


def test_channels_are_claimed_apart(store: Store, number: int) -> None:
    """The sender of one channel never gets the messages of the other; one that was moved changes sides."""
    assert [] == claim(store, number, channel=Channel.SMS)
    row = claim(store, number, 1)[0]
    store.write(lambda t: outbox.move(t.connection, row.id, Channel.SMS, 77, t.now))
    assert [(row.id, 77)] == [(each.id, each.address) for each in claim(store, number, channel=Channel.SMS)]


def test_a_withheld_message_gives_its_address_free(store: Store, number: int) -> None:
    """A message that does not go after all counts nowhere and stands in nobody's way."""
    row = claim(store, number, 1)[0]
    with store.reading() as connection:
        assert outbox.address_is_taken(connection, number, 11)
    store.write(lambda t: outbox.set_withheld(t.connection, row.id, "objection"))
    found = row_of(store, row)
    assert ("withheld", "objection", None, None) == (found.state, found.reason, found.address, found.day)
    with store.reading() as connection:
        assert not outbox.address_is_taken(connection, number, 11)
        assert [] == outbox.open_of_client(connection, 1)
    plan(store, number, [(31, 11)])


def test_nothing_is_intended_in_a_database_that_waits_for_its_replay(store: Store, number: int) -> None:
    """L-34: a worker that looked before a copy was put back is stopped at the intent itself."""
    rows = claim(store, number)
    store.write(lambda t: installation.set_needs_replay(t.connection, needs=True))
    with pytest.raises(JournalError, match="run `dispatcher db restore --replay` before anything is sent"):
        intend(store, rows)
    assert ["waiting"] * 6 == states(store)


def test_everything_open_becomes_unknown(store: Store, number: int, clock: FixedClock) -> None:
    """L-34: what an older copy knows as open may have gone out: it counts, and no worker holds or claims it."""
    rows = claim(store, number, 4)
    intend(store, rows[:2])
    tell(store, rows[0])
    tell(store, rows[1], Outcome(OutcomeKind.DEFERRED, "450"), clock())
    intend(store, [rows[2]])
    store.write(lambda t: outbox.set_withheld(t.connection, rows[3].id, "objection"))
    earlier = TODAY - timedelta(days=2)
    closed = store.write(lambda t: outbox.set_unknown(t.connection, number, earlier, t.now))
    assert [(2, earlier), (3, TODAY), (5, earlier), (6, earlier)] == [(row.client, row.day) for row in closed]
    assert {row.message_id for row in rows[1:3]} < {row.message_id for row in closed}
    assert ["accepted", "unknown", "unknown", "withheld", "unknown", "unknown"] == states(store)
    assert not tell(store, rows[2])
    assert [] == claim(store, number)
    assert [] == store.write(lambda t: outbox.set_unknown(t.connection, number, earlier, t.now))


def test_a_claimed_row_stays_put_while_its_verdict_is_taken(
    store: Store, number: int, database_url: str, journal_url: str, clock: FixedClock
) -> None:
    """Invariant 2: between the look at its fence and the intent, a row cannot be claimed by another worker."""
    first = claim(store, number, 1)
    clock.advance(LEASE)
    other = open_store(database_url, journal_url, clock)
    with ThreadPoolExecutor(1) as thread:

        def decide(transaction: object) -> set[int]:
            connection = transaction.connection  # type: ignore[attr-defined]
            found = handoffs.still_held(connection, first, transaction.now)  # type: ignore[attr-defined]
            if not store.database.is_sqlite:
                rows = thread.submit(claim, other, number).result(30)
                assert first[0].id not in {row.id for row in rows}
            return found

        assert {first[0].id} == store.write(decide)
    other.close()


def test_all_numbers_are_those_of_the_rows(store: Store, number: int) -> None:
    """Tallies add up over states, channels and reasons, of one campaign and of all."""
    store.write(
        lambda t: t.connection.execute(update(OutboxTable).where(OutboxTable.client == 1).values(state="accepted"))
    )
    plan(store, add_campaign(store, "b", store.clock()), [(1, 11)])
    with store.reading() as connection:
        assert 6 == sum(tally.count for tally in tallies.counted(connection, number))
        assert 7 == sum(tally.count for tally in tallies.counted(connection))
