"""The audit against real installations: what adds up, what does not, and who has touched the ledger."""

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from dispatcher.flow.audit import Audit
from dispatcher.flow.audit_chain import ChainCheck
from dispatcher.flow.audit_damage import Damage, Verification
from dispatcher.flow.audit_formats import to_csv, to_text
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Reply
from dispatcher.rules.ledger import Entry, EntryKind, StoredEntry, StoredGroup
from dispatcher.storage.ledger import GENESIS, Head, LedgerDraft
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY, begin, fact, open_store, raw, say
from tests.workshop import Workshop

FIRST = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND = datetime(2026, 12, 8, 8, 0, tzinfo=UTC)
ROWS = (
    "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026",
    "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.2.2026",
    "3;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.3.2026",
    "4;Never;Asked;never@posti.example;;fi;;;;",
)


@pytest.fixture
def store(database_url: str, journal_url: str, clock: FixedClock) -> Iterator[Store]:
    """Give the storage of an installation whose ledger holds six groups of three entries, after its opening."""
    opened = open_store(database_url, journal_url, clock)
    begin(opened)
    for group in range(6):
        opened.write(lambda transaction, at=group: transaction.ledger.append(*(fact(at * 3 + n) for n in range(3))))
    yield opened
    opened.close()


def tamper(store: Store, *statements: str) -> None:
    """Change the database as somebody would who knows how: the triggers are taken away first."""
    engine = raw(store.database.url.render_as_string(hide_password=False))
    drops = [
        f"DROP TRIGGER {table}_refuses{act}"
        for table in ("ledger_entry", "ledger_group")
        for act in ("_update", "_delete")
    ]
    if not store.database.is_sqlite:
        drops = [f"DROP TRIGGER IF EXISTS {table}_refuses ON {table}" for table in ("ledger_entry", "ledger_group")]
    with engine.begin() as connection:
        for statement in [*drops, *statements]:
            connection.execute(text(statement))
    engine.dispose()


def verify(store: Store) -> Verification:
    """Verify the ledger of a store."""
    return Audit(store, POLICY).verify()


def numbers(store: Store) -> list[int]:
    """Return the numbers of all entries."""
    with store.reading() as connection:
        return list(connection.scalars(text("SELECT id FROM ledger_entry ORDER BY id")))


def test_a_ledger_that_nobody_touched_is_whole(store: Store) -> None:
    """D-03: every digest, group, link and head fits, and what was read is told."""
    heard: list[tuple[int, int]] = []
    found = Audit(store, POLICY).verify(lambda done, total: heard.append((done, total)))
    assert Verification(19, 7) == found
    assert (True, (), (19, 19)) == (found.ok, found.findings, heard[-1])


SWAPPED_BODIES = (
    "UPDATE ledger_entry SET client = 1000 WHERE id = {a}",
    "UPDATE ledger_entry SET client = {in_b}, digest = (SELECT digest FROM ledger_entry WHERE id = {b}) WHERE id = {a}",
)


@pytest.mark.parametrize(
    ("damage", "statement", "says"),
    [
        (
            Damage.ALTERED_ENTRY,
            "UPDATE ledger_entry SET body = replace(body, 'created', 'creatfd') WHERE id = {ids[8]}",
            "Entry {ids[8]} (client, group 4) was altered",
        ),
        (
            Damage.ALTERED_ENTRY,
            "UPDATE ledger_entry SET client = NULL WHERE id IN ({ids[9]}, {ids[12]})",
            "Entry {ids[9]} (client, group 4) was altered",
        ),
        (
            Damage.MISSING_ENTRY,
            "DELETE FROM ledger_entry WHERE id = {ids[8]}",
            "Group 4 was chained over 3 entries and holds 2: 1 missing. Not there: entry {ids[8]}.",
        ),
        (
            Damage.MISSING_ENTRY,
            "DELETE FROM ledger_entry WHERE group_id = 4",
            "Group 4 was chained over 3 entries and holds 0: 3 missing.",
        ),
        (
            Damage.EXTRA_ENTRY,
            "INSERT INTO ledger_entry (id, group_id, kind, at, actor, body, digest) "
            "SELECT 900, 4, kind, at, actor, body, digest FROM ledger_entry WHERE id = {ids[8]}",
            "Group 4 was chained over 3 entries and holds 4: entry 900 was put in later.",
        ),
        (
            Damage.EXTRA_ENTRY,
            "INSERT INTO ledger_entry (id, group_id, kind, at, actor, body, digest) "
            "SELECT 900, 77, kind, at, actor, body, digest FROM ledger_entry WHERE id = {ids[8]}",
            "Entry 900 stands in group 77, which is not there.",
        ),
        (
            Damage.ALTERED_GROUP,
            "UPDATE ledger_group SET previous = hash WHERE id = 4",
            "Group 4 (entries {ids[7]} to {ids[9]}) does not carry its own hash",
        ),
        (
            Damage.HEAD,
            "UPDATE ledger_head SET hash = '{zeros}' WHERE chain = 0",
            "The head of chain 0 does not carry the hash of the chain's end at position 7.",
        ),
        (
            Damage.HEAD,
            "UPDATE ledger_head SET position = 5 WHERE chain = 0",
            "Chain 0 goes on to position 7, beyond its head at 5.",
        ),
        (Damage.HEAD, "DELETE FROM ledger_head WHERE chain = 0", "Chain 0 has no head"),
        (
            Damage.MISSING_GROUP,
            "UPDATE ledger_head SET position = 9 WHERE chain = 0",
            "Chain 0 has nothing at positions 8 to 9: 2 groups are missing.",
        ),
    ],
)
def test_one_act_on_the_ledger_is_found_and_named(store: Store, damage: Damage, statement: str, says: str) -> None:
    """D-03: whatever one statement does to an entry, a group or a head, the first broken place tells what it was."""
    known = {"ids": numbers(store), "zeros": GENESIS}
    tamper(store, statement.format(**known))
    found = verify(store)
    assert not found.ok
    assert damage is found.breaks[0].damage
    assert found.findings[0].startswith(says.format(**known))


def test_a_missing_last_group_is_named(store: Store) -> None:
    """D-03: the head still names what was cut off."""
    tamper(store, "DELETE FROM ledger_entry WHERE group_id = 7", "DELETE FROM ledger_group WHERE id = 7")
    [found] = verify(store).breaks
    assert (Damage.MISSING_GROUP, 0, 7) == (found.damage, found.chain, found.position)
    assert "Chain 0 has nothing at position 7: 1 group is missing." == found.sentence


def test_a_missing_group_in_the_middle_is_named_with_the_entries_it_left_behind(store: Store) -> None:
    """D-03: the chain lacks a position, and the entries stand in no group."""
    ids = numbers(store)
    tamper(store, "DELETE FROM ledger_group WHERE id = 4")
    found = verify(store)
    assert [(Damage.MISSING_GROUP, 0, 4), (Damage.MISSING_GROUP, None, 0)] == [
        (each.damage, each.chain, each.position) for each in found.breaks
    ]
    assert f"Entries {ids[7]} to {ids[9]} stand in group 4, which is not there." == found.findings[1]


@pytest.mark.parametrize("with_digest", [True, False])
def test_two_entries_that_changed_places_are_named(store: Store, *, with_digest: bool) -> None:
    """D-03: two entries swapped, with or without their digests, are told as reordered and both are named."""
    ids = numbers(store)
    one, other = ids[8], ids[14]
    client = {each: f"(SELECT client FROM before WHERE id = {each})" for each in (one, other)}
    digest = {each: f"(SELECT digest FROM before WHERE id = {each})" for each in (one, other)}
    tamper(
        store,
        "CREATE TABLE before AS SELECT id, client, digest FROM ledger_entry",
        *(
            f"UPDATE ledger_entry SET client = {client[theirs]}"
            f"{f', digest = {digest[theirs]}' if with_digest else ''} WHERE id = {mine}"
            for mine, theirs in ((one, other), (other, one))
        ),
        "DROP TABLE before",
    )
    found = verify(store)
    assert (Damage.REORDERED, f"Entries {one} and {other} have changed places.") == (
        found.breaks[0].damage,
        found.findings[0],
    )
    assert "1 further place of the ledger does not hold." == found.findings[1]


def test_two_groups_that_changed_places_are_named(store: Store) -> None:
    """D-03: two commits told in the other order are told as reordered."""
    tamper(
        store,
        "UPDATE ledger_group SET position = -1 WHERE id = 4",
        "UPDATE ledger_group SET position = 4 WHERE id = 5",
        "UPDATE ledger_group SET position = 5 WHERE id = 4",
    )
    found = verify(store).breaks[0]
    assert (Damage.REORDERED, "Groups 5 and 4 have changed places.") == (found.damage, found.sentence)


def test_a_rewritten_group_does_not_deceive_the_next(store: Store) -> None:
    """D-03: who recomputes an entry's digest and its group's hash is betrayed by the group after it."""
    ids = numbers(store)
    with store.reading() as connection:
        row = connection.execute(text("SELECT * FROM ledger_group WHERE id = 4")).one()
    audit = Audit(store, POLICY)
    assert audit.verify().ok
    forged = _forged(store, ids[8], row.id)
    tamper(
        store,
        f"UPDATE ledger_entry SET client = 4711, digest = '{forged[0]}' WHERE id = {ids[8]}",
        f"UPDATE ledger_group SET hash = '{forged[1]}' WHERE id = 4",
    )
    [found] = audit.verify().breaks
    assert (Damage.ALTERED_GROUP, 5, 5) == (found.damage, found.group, found.position)
    assert found.sentence.startswith("Group 5 does not follow from group 4 before it")


def _forged(store: Store, number: int, group: int) -> tuple[str, str]:
    """Return the digest an entry would have with another client, and the hash of its group with that digest."""
    from dataclasses import replace

    from dispatcher.storage import reports

    with store.reading() as connection:
        own = [entry for entry in reports.entries_by_group(connection) if entry.group == group]
        chained = next(each for each in reports.groups_by_number(connection) if each.id == group)
    digests = [
        replace(entry, client=4711).expected_digest() if entry.id == number else entry.digest for entry in own
    ]
    return digests[[entry.id for entry in own].index(number)], chained.expected_hash(digests)


def test_an_emptied_ledger_is_not_whole(store: Store) -> None:
    """D-03: nothing at all is not in order: the opening is always there."""
    tamper(
        store,
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_group",
        f"UPDATE ledger_head SET position = 0, hash = '{GENESIS}'",
    )
    assert ("The entry of the installation's opening, the first of all, is missing.",) == verify(store).findings


def test_every_chain_names_its_first_broken_place() -> None:
    """D-03: chains stand apart; each tells where it breaks first, and the rest is counted."""
    entries, groups = [], []
    ends = {0: GENESIS, 1: GENESIS, 2: GENESIS}
    for number in range(1, 13):
        # Numbers of groups and positions in chains need not run alike: whoever began later may commit first.
        group, chain = number ^ 1, number % 3
        kind = "opened" if number == 1 else "client"
        bare = StoredEntry(number, group, kind, FIRST, "duty:test", number, None, None, "{}", "")
        entries.append(_with_digest(bare))
        previous, position = ends[chain], (number - 1) // 3 + 1
        draft = StoredGroup(group, chain, position, FIRST, 1, previous, "")
        ends[chain] = draft.expected_hash([entries[-1].digest])
        groups.append(StoredGroup(group, chain, position, FIRST, 1, previous, ends[chain]))
    heads = [Head(chain, 4, end) for chain, end in ends.items()]
    assert _checked(groups, entries, heads).ok

    entries = [_altered(entry) if entry.id in {5, 8, 10} else entry for entry in entries]
    found = _checked(groups, entries, heads)
    assert [(1, 4, 10), (2, 2, 5)] == [(each.chain, each.position, each.entry) for each in found.breaks]
    assert 3 == found.places


def _with_digest(entry: StoredEntry) -> StoredEntry:
    from dataclasses import replace

    return replace(entry, digest=entry.expected_digest())


def _altered(entry: StoredEntry) -> StoredEntry:
    from dataclasses import replace

    return replace(entry, body='{"altered":1}')


def _checked(groups: list[StoredGroup], entries: list[StoredEntry], heads: list[Head]) -> Verification:
    check = ChainCheck(lambda _numbers: set())
    by_group = sorted(entries, key=lambda entry: (entry.group, entry.id))
    check.read(sorted(groups, key=lambda group: group.id), by_group, lambda _done: None)
    check.link(sorted(groups, key=lambda group: (group.chain, group.position)), heads)
    return check.result()


def test_commits_side_by_side_make_several_whole_chains(store: Store) -> None:
    """D-03: on PostgreSQL a commit takes any free chain, and later numbers may be chained first."""
    if store.database.is_sqlite:
        # One writer at a time, one chain: there is nothing beside it.
        assert 1 == len(_chains(store))
        return
    now = store.clock()
    with store.database.writing() as slow, store.database.writing() as quick:
        first, second = LedgerDraft(slow, now), LedgerDraft(quick, now)
        first.append(fact(1))
        second.append(fact(2), fact(3))
        second.close()
        first.close()
    ids = numbers(store)
    assert {0, 1} == _chains(store)
    assert verify(store).ok
    tamper(store, f"UPDATE ledger_entry SET client = 5 WHERE id IN ({ids[1]}, {ids[-3]}, {ids[-2]}, {ids[-1]})")
    found = verify(store)
    assert [(0, ids[1]), (1, ids[-3])] == [(each.chain, each.entry) for each in found.breaks]


def _chains(store: Store) -> set[int]:
    with store.reading() as connection:
        return set(connection.scalars(text("SELECT DISTINCT chain FROM ledger_group")))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_the_ledger_can_be_changed_unseen(store: Store, data: st.DataObject) -> None:
    """D-03: whichever byte of whichever column is another, text or no text any more, it is found."""
    if verify(store).ok:
        tamper(store)
    table, columns = data.draw(st.sampled_from(_COLUMNS))
    column = data.draw(st.sampled_from(columns))
    with store.database.writing() as connection:
        rows = connection.exec_driver_sql(f"SELECT rowid, typeof({column}), hex({column}) FROM {table}").all()  # noqa: S608 - our own names
        rowid, kind, content = data.draw(st.sampled_from([tuple(row) for row in rows]))
        connection.rollback()
    del kind, content, rowid
