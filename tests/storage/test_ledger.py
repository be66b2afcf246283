"""The ledger is append-only, and a missing, altered or reordered entry shows."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.storage import ledger, reports
from dispatcher.storage.ledger import CHAINS
from dispatcher.storage.store import Store
from dispatcher.storage.tables import LedgerHeadTable
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.stores import OWNER, add_entry, broken_links, entry_ids, fact, open_store, raw

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
BODIES = st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | TEXTS, max_size=4)

REFUSED = (
    "UPDATE ledger_entry SET body = '{}'",
    "DELETE FROM ledger_entry",
    "UPDATE ledger_group SET entries = 0",
    "DELETE FROM ledger_group",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_written_stays(store: Store, database_url: str, statement: str) -> None:
    """D-03: the database itself refuses to change or remove what the ledger holds, whoever asks."""
    store.write(add_entry())
    engine = raw(database_url)
    with engine.connect() as connection, pytest.raises(DBAPIError, match="the ledger is append-only"):
        connection.execute(text(statement))
    engine.dispose()
    with store.reading() as connection:
        assert [] == broken_links(connection)


@pytest.mark.parametrize(("database_url"), ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", ["ledger_entry", "ledger_group"])
def test_no_entry_is_replaced_by_another(store: Store, table: str) -> None:
    """D-03: INSERT OR REPLACE, which SQLite does not count as a delete, does not get past the guard either."""
    store.write(add_entry())
    statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"  # noqa: S608 - the names are ours
    with pytest.raises(DBAPIError, match="the ledger is append-only"):
        store.write(lambda transaction: transaction.connection.execute(text(statement)))


def test_the_chains_hold_under_concurrency(
    store: Store, database_url: str, journal_url: str, clock: FixedClock
) -> None:
    """D-03: four writers at once, as four processes would have, leave chains without a gap and heads that fit."""
    stores = [store, *(open_store(database_url, journal_url, clock) for _ in range(3))]
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda turn: stores[turn % 4].write(add_entry(turn + 1)), range(80)))
    for other in stores[1:]:
        other.close()
    assert sorted(numbers) == entry_ids(store)
    with store.reading() as connection:
        assert [] == broken_links(connection)
        assert list(range(CHAINS[connection.dialect.name])) == [head.chain for head in ledger.heads(connection)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_writer_takes_any_free_chain(store: Store) -> None:
    """Section 5: while one transaction holds a head, another chains its group to the next; all busy, it waits."""
    with store.database.writing() as connection:
        query = select(LedgerHeadTable.chain).where(LedgerHeadTable.chain < 2).with_for_update()
        assert [0, 1] == sorted(connection.scalars(query))
        store.write(add_entry())
    with store.database.writing() as connection:
        connection.execute(select(LedgerHeadTable.chain).with_for_update()).all()
        waiting = store.submit(add_entry())
        assert not waiting.done()
    waiting.result()
    with store.reading() as connection:
        assert [] == broken_links(connection)
        assert 1 == {head.chain: head.position for head in ledger.heads(connection)}[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(writes=st.lists(st.tuples(st.integers(0, 3), st.booleans(), BODIES), min_size=1, max_size=6))
def test_the_chain_holds_whatever_is_written(store: Store, writes: list[tuple[int, bool, dict[str, Json]]]) -> None:
    """D-03: entries of any body, in any number, some of writes that fail, always make a chain that adds up."""

    def work(transaction: Transaction, count: int, body: dict[str, Json]) -> None:
        transaction.ledger.append(*(Entry(EntryKind.CLIENT, OWNER, body=body) for _ in range(count)))

    def fail(transaction: Transaction, count: int, body: dict[str, Json]) -> None:
        work(transaction, count, body)
        raise ValueError

    waiting = [store.submit(partial(fail if fails else work, count=count, body=body)) for count, fails, body in writes]
    for future in waiting:
        future.exception()
    with store.reading() as connection:
        assert [] == broken_links(connection)


def test_an_entry_comes_back_as_it_was_written(store: Store, clock: FixedClock) -> None:
    """Every part of an entry is kept to the letter, its time to the microsecond, and its digest covers it."""
    clock.set(clock().replace(microsecond=123456))
    body: dict[str, Json] = {"ä": "Ö", "n": [1, None, True], "deep": {"b": 1, "a": 2}}
    actor = Actor(ActorKind.PROVIDER, "smtp")
    number = store.write(lambda t: t.ledger.append(Entry(EntryKind.OUTCOME, actor, 2**47, 3, Channel.SMS, body))[0])
    with store.reading() as connection:
        found = next(ledger.entries(connection, [EntryKind.OUTCOME.value]))
    assert (number, "outcome", clock(), "provider:smtp", 2**47, 3, "sms") == (
        found.id,
        found.kind,
        found.at,
        found.actor,
        found.client,
        found.campaign,
        found.channel,
    )
    assert body == found.data()
    assert found.expected_digest() == found.digest


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE ledger_entry SET client = 9 WHERE id = {last}", "entry {last} altered"),
        ("DELETE FROM ledger_entry WHERE id = {last}", "group {group} altered"),
        ("DELETE FROM ledger_group WHERE id = {group}", "group {group} missing"),
        ("UPDATE ledger_group SET previous = hash WHERE id = {group}", "group {group} does not follow"),
    ],
)
def test_tampering_shows(store: Store, database_url: str, statement: str, finding: str) -> None:
    """D-03: who gets past the triggers and alters, removes or moves an entry is found out by the chain."""
    last = store.write(add_entry())
    with store.reading() as connection:
        group = next(entry.group for entry in ledger.entries(connection) if entry.id == last)
    engine = raw(database_url)
    with engine.begin() as connection:
        for drop in _open_the_guard(connection.dialect.name):
            connection.execute(text(drop))
        connection.execute(text(statement.format(last=last, group=group)))
    engine.dispose()
    with store.reading() as connection:
        assert finding.format(last=last, group=group) in broken_links(connection)


def test_reading_in_parts_leaves_the_connection_as_it_was(store: Store) -> None:
    """A transaction that has read the ledger can go on writing: only the reading statement runs in parts."""

    def work(transaction: Transaction) -> int:
        list(ledger.entries(transaction.connection))
        list(reports.groups_by_chain(transaction.connection))
        return transaction.ledger.append(fact())[0]

    assert [store.write(work)] == entry_ids(store)


def _open_the_guard(dialect: str) -> list[str]:
    if dialect == "sqlite":
        return [
            f"DROP TRIGGER ledger_{table}_refuses_{act}" for table in ("entry", "group") for act in ("update", "delete")
        ]
    return [f"DROP TRIGGER ledger_{table}_refuses ON ledger_{table}" for table in ("entry", "group")]
