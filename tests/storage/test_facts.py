"""Facts are gathered as they stand: shared addresses, replaced ones, suppressions, and the messages that count."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, update

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState, Reply, fold
from dispatcher.rules.decision import ClientFacts
from dispatcher.rules.message import COUNTED, MessageState
from dispatcher.storage import answers, clients, hot
from dispatcher.storage.answers import Suppression, hash_label
from dispatcher.storage.facts import gather
from dispatcher.storage.store import Store
from dispatcher.storage.tables import ClientTable, OutboxTable
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.stores import add_campaign, add_client, plan, ring, say

TODAY = date(2026, 11, 23)
KOTI = "koti@posti.example"


def facts(store: Store, *numbers: int, campaign: int | None = None, today: date = TODAY) -> dict[int, ClientFacts]:
    """Return what is known of these clients."""
    with store.reading() as connection:
        found = gather(connection, store.ring, numbers, campaign, today, store.clock())
    return {number: known.facts for number, known in found.items()}


def consent(store: Store, number: int, channel: Channel = Channel.EMAIL) -> ConsentState:
    """Return what the answers of a client add up to."""
    return fold(facts(store, number)[number].answers, channel, store.clock()).state


def change_email(store: Store, number: int, email: str) -> None:
    """Give a client another email address, as an import would."""

    def work(transaction: Transaction) -> None:
        row = clients.address_rows(transaction.connection, [(Channel.EMAIL, email)], transaction.now)
        clients.join_address(transaction.connection, number, Channel.EMAIL, *row.values(), changed_at=transaction.now)

    store.write(work)


def suppress(store: Store, email: str, channel: Channel | None = None) -> None:
    """Keep an objection of an address without a client."""
    item = Suppression(ring().hashed(hash_label(Channel.EMAIL), email), channel, "objection", store.clock())
    store.write(lambda transaction: answers.suppress(transaction.connection, [item], transaction.suppressed_for))


def got(store: Store, client: int, address: int, day: date | None, state: MessageState, name: str) -> None:
    """Put a message into the outbox that stands like this and counts on this day."""
    plan(store, add_campaign(store, name, store.clock()), [(client, address)])
    statement = update(OutboxTable).where(OutboxTable.client == client, OutboxTable.day.is_(None))
    store.write(lambda transaction: transaction.connection.execute(statement.values(state=state.value, day=day)))


def test_an_erased_client_is_left_out(store: Store) -> None:
    """Who is not in the register any more has no facts; who is has theirs."""
    add_client(store, 1, email=KOTI)
    add_client(store, 2)
    store.write(lambda t: t.connection.execute(delete(ClientTable).where(ClientTable.number == 1)))
    assert [2] == list(facts(store, 1, 2, 3))
    assert {} == facts(store, 2)[2].addresses


def test_flags_are_facts(store: Store, clock: FixedClock) -> None:
    """Every flag a verdict asks for is read from the client's row."""
    add_client(store, 1)
    before = facts(store, 1)[1]
    assert (True, False, False, False, None, None) == (
        before.in_register,
        before.restricted,
        before.child,
        before.suspended,
        before.paused_until,
        before.own_cap,
    )
    values = {
        "gone_since": clock(),
        "restricted": True,
        "child": True,
        "suspended": True,
        "paused_until": clock(),
        "own_cap": 3,
    }
    store.write(lambda transaction: clients.update_client(transaction.connection, 1, values))
    after = facts(store, 1)[1]
    assert (False, True, True, True, clock(), 3) == (
        after.in_register,
        after.restricted,
        after.child,
        after.suspended,
        after.paused_until,
        after.own_cap,
    )


def test_an_objection_follows_the_shared_address(store: Store, clock: FixedClock) -> None:
    """The no of one client speaks for the other who shares the address, and not the other way round for oneself."""
    add_client(store, 1, email=KOTI)
    add_client(store, 2, email=KOTI, phone="+358401234567")
    say(store, 1, Reply.WITHDRAWN, None)
    found = facts(store, 1, 2)
    assert found[2].addresses[Channel.EMAIL].shared_objection
    assert not found[2].addresses[Channel.SMS].shared_objection
    assert not found[1].addresses[Channel.EMAIL].shared_objection
    # Asked for alone, the other who shares is looked up all the same.
    assert facts(store, 2)[2].addresses[Channel.EMAIL].shared_objection
    clock.advance(timedelta(days=1))
    say(store, 1, Reply.GRANTED, Channel.EMAIL)
    assert not facts(store, 2)[2].addresses[Channel.EMAIL].shared_objection


@pytest.mark.parametrize(
    ("reply", "channel", "objects"),
    [
        (Reply.WITHDRAWN, Channel.EMAIL, True),
        (Reply.WITHDRAWN, Channel.SMS, False),
        (Reply.DECLINED, Channel.EMAIL, False),
        (Reply.NOT_ASKED, Channel.EMAIL, False),
    ],
)
def test_only_an_objection_to_the_channel_is_shared(
    store: Store, reply: Reply, channel: Channel, *, objects: bool
) -> None:
    """Who declined answered for themselves; an objection speaks for the address, for the channel it named."""
    add_client(store, 1, email=KOTI)
    add_client(store, 2, email=KOTI)
    say(store, 1, reply, channel)
    assert objects is facts(store, 2)[2].addresses[Channel.EMAIL].shared_objection


def test_a_replaced_address_carries_no_older_yes(store: Store, clock: FixedClock) -> None:
    """L-31: a yes was given for the address of its time; a new address starts without it, a later yes counts."""
    add_client(store, 1, email="vanha@posti.example")
    say(store, 1, Reply.GRANTED, Channel.EMAIL)
    say(store, 1, Reply.GRANTED, Channel.SMS)
    assert ConsentState.GRANTED is consent(store, 1)
    clock.advance(timedelta(days=1))
    change_email(store, 1, "uusi@posti.example")
    assert ConsentState.NEVER_ASKED is consent(store, 1)
    assert ConsentState.GRANTED is consent(store, 1, Channel.SMS)
    say(store, 1, Reply.GRANTED, Channel.EMAIL)
    assert ConsentState.GRANTED is consent(store, 1)


def test_an_objection_follows_the_person_to_a_new_address(store: Store, clock: FixedClock) -> None:
    """L-31: the objection made at the old address stands at the new one."""
    add_client(store, 1, email="vanha@posti.example")
    say(store, 1, Reply.WITHDRAWN, Channel.EMAIL)
    clock.advance(timedelta(days=1))
    change_email(store, 1, "uusi@posti.example")
    assert ConsentState.WITHDRAWN is consent(store, 1)


@pytest.mark.parametrize("channel", [None, Channel.EMAIL])
def test_a_suppression_refuses_and_yields_to_a_later_yes(
    store: Store, clock: FixedClock, channel: Channel | None
) -> None:
    """L-35: an objection kept after erasure refuses whoever comes with that address, until they say yes again."""
    suppress(store, KOTI, channel)
    add_client(store, 1, email=KOTI)
    say(store, 1, Reply.GRANTED, Channel.EMAIL, clock() - timedelta(days=30))
    assert ConsentState.WITHDRAWN is consent(store, 1)
    clock.advance(timedelta(days=1))
    say(store, 1, Reply.GRANTED, Channel.EMAIL)
    assert ConsentState.GRANTED is consent(store, 1)


def test_a_suppression_that_names_no_channel_closes_them_all(store: Store, clock: FixedClock) -> None:
    """L-01: an objection kept for an email address without a channel stops text messages to that client as well."""
    suppress(store, KOTI)
    add_client(store, 1, email=KOTI, phone="+358401234567")
    say(store, 1, Reply.GRANTED, Channel.SMS, clock() - timedelta(days=30))
    assert ConsentState.WITHDRAWN is consent(store, 1, Channel.SMS)


@pytest.mark.parametrize("state", list(MessageState))
def test_only_messages_that_count_are_days(store: Store, state: MessageState) -> None:
    """L-23: a message counts from its intent unless it was refused, deferred or withheld; unknown ones count."""
    address = add_client(store, 1, email=KOTI)[Channel.EMAIL]
    got(store, 1, address, TODAY, state, "a")
    expected = (TODAY,) if state in COUNTED else ()
    known = facts(store, 1)[1]
    assert expected == known.days == known.addresses[Channel.EMAIL].days


@pytest.mark.parametrize(("ago", "counts"), [(0, True), (364, True), (365, False), (366, False)])
def test_a_day_counts_for_365_days(store: Store, ago: int, *, counts: bool) -> None:
    """Invariant 3: the window is half-open: a message 364 days ago counts, one 365 days ago does not."""
    address = add_client(store, 1, email=KOTI)[Channel.EMAIL]
    day = TODAY - timedelta(days=ago)
    got(store, 1, address, day, MessageState.ACCEPTED, "a")
    assert ((day,) if counts else ()) == facts(store, 1)[1].days


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(ago=st.lists(st.integers(0, 500), max_size=5))
def test_days_are_those_in_the_window(store: Store, ago: list[int]) -> None:
    """L-23: whatever a client got and when, exactly the messages of the last 365 local days are counted."""
    number = clients.new_number()
    address = add_client(store, number, email=f"{number}@posti.example")[Channel.EMAIL]
    days = [TODAY - timedelta(days=each) for each in ago]
    for turn, day in enumerate(days):
        got(store, number, address, day, MessageState.ACCEPTED, f"{number}-{turn}")
    expected = sorted(day for day, each in zip(days, ago, strict=True) if each < 365)
    known = facts(store, number)[number]
    assert expected == sorted(known.days) == sorted(known.addresses[Channel.EMAIL].days)


def test_a_shared_address_counts_for_both(store: Store) -> None:
    """Invariant 3: what one client got at a shared address counts for the address of the other, not for the other."""
    address = add_client(store, 1, email=KOTI)[Channel.EMAIL]
    add_client(store, 2, email=KOTI)
    got(store, 1, address, TODAY, MessageState.UNKNOWN, "a")
    known = facts(store, 2)[2]
    assert () == known.days
    assert (TODAY,) == known.addresses[Channel.EMAIL].days


def test_this_campaign_is_known(store: Store) -> None:
    """Invariant 2: who got this campaign, and at which address it is already on its way to somebody else."""
    address = add_client(store, 1, email=KOTI)[Channel.EMAIL]
    add_client(store, 2, email=KOTI)
    number = add_campaign(store, "a", store.clock())
    other = add_campaign(store, "b", store.clock())
    plan(store, number, [(1, address)])
    found = facts(store, 1, 2, campaign=number)
    assert (False, False) == (found[1].got_this_campaign, found[1].addresses[Channel.EMAIL].got_this_campaign)
    assert (False, True) == (found[2].got_this_campaign, found[2].addresses[Channel.EMAIL].got_this_campaign)
    store.write(lambda t: t.connection.execute(update(OutboxTable).values(state=MessageState.UNKNOWN.value)))
    assert facts(store, 1, campaign=number)[1].got_this_campaign
    assert not facts(store, 1, campaign=other)[1].got_this_campaign
    assert not facts(store, 1)[1].got_this_campaign


def test_a_chunk_is_a_few_queries(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts of three hundred clients, each with two addresses, come from a fixed handful of queries."""
    for number in range(1, 31):
        add_client(store, number, email=f"{number}@posti.example", phone=f"+35840{number:07d}")
        say(store, number, Reply.GRANTED, Channel.EMAIL)
    asked: list[str] = []
    run = hot.executed

    def remember(connection: Connection, sql: str, *values: Any, **how: Any) -> Any:
        asked.append(sql)
        return run(connection, sql, *values, **how)

    monkeypatch.setattr(hot, "executed", remember)
    event.listen(store.database.engine, "before_cursor_execute", lambda *what: asked.append(what[2]))
    counts = []
    for upper in (1, 30):
        asked.clear()
        assert upper == len(facts(store, *range(1, upper + 1), campaign=1))
        counts.append(len(asked))
    assert 6 < counts[0] == counts[1] <= 12
