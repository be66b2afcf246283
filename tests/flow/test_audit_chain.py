"""Who has touched the ledger: every damage is found and named, on both databases (D-03)."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from dispatcher.flow.audit import Audit
from dispatcher.flow.audit_chain import ChainCheck
from dispatcher.flow.audit_damage import Damage, Verification
from dispatcher.rules.ledger import GENESIS, Entry, StoredEntry, StoredGroup
from dispatcher.storage import reports
from dispatcher.storage.ledger import Head, LedgerDraft
from dispatcher.storage.store import Store
from tests.flow.conftest import Tamper
from tests.stores import POLICY, fact, open_store

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
def store(store: Store) -> Store:
    """Give the storage of an installation whose ledger holds six groups of three entries, after its opening."""
    for first in range(0, 18, 3):
        _append(store, *(fact(first + number) for number in range(3)))
    return store


def _append(store: Store, *entries: Entry) -> list[int]:
    return store.write(lambda transaction: transaction.ledger.append(*entries))


def verify(store: Store) -> Verification:
    """Verify the ledger of a store."""
    return Audit(store, POLICY).verify()


def numbers(store: Store) -> list[int]:
    """Return the numbers of all entries."""
    with store.reading() as connection:
        return list(connection.scalars(text("SELECT id FROM ledger_entry ORDER BY id")))


SWAP = (
    "UPDATE ledger_entry SET client = (SELECT client FROM before WHERE id = :one + :other - ledger_entry.id) "
    "WHERE id IN (:one, :other)"
)
SWAP_WITH_DIGEST = SWAP.replace(
    " WHERE id IN", ", digest = (SELECT digest FROM before WHERE id = :one + :other - ledger_entry.id) WHERE id IN"
)
PUT_IN = (
    "INSERT INTO ledger_entry (id, group_id, kind, at, actor, body, digest) "
    "SELECT 900, {}, kind, at, actor, body, digest FROM ledger_entry WHERE id = :nine"
)


def test_a_ledger_that_nobody_touched_is_whole(store: Store) -> None:
    """D-03: every digest, group, link and head fits, and what was read is told."""
    heard: list[tuple[int, int]] = []
    found = Audit(store, POLICY).verify(lambda done, total: heard.append((done, total)))
    assert Verification(19, 7) == found
    assert (True, (), (19, 19)) == (found.ok, found.findings, heard[-1])


@pytest.mark.parametrize(
    ("damage", "statement", "says"),
    [
        (
            Damage.ALTERED_ENTRY,
            "UPDATE ledger_entry SET body = replace(body, 'created', 'creatfd') WHERE id = :nine",
            "Entry {ids[8]} (client, group 4) was altered",
        ),
        (
            Damage.ALTERED_ENTRY,
            "UPDATE ledger_entry SET client = NULL WHERE id IN (:ten, :thirteen)",
            "Entry {ids[9]} (client, group 4) was altered",
        ),
        (
            Damage.MISSING_ENTRY,
            "DELETE FROM ledger_entry WHERE id = :nine",
            "Group 4 was chained over 3 entries and holds 2: 1 missing. Not there: entry {ids[8]}.",
        ),
        (
            Damage.MISSING_ENTRY,
            "DELETE FROM ledger_entry WHERE group_id = 4",
            "Group 4 was chained over 3 entries and holds 0: 3 missing.",
        ),
        (
            Damage.EXTRA_ENTRY,
            PUT_IN.format(4),
            "Group 4 was chained over 3 entries and holds 4: entry 900 was put in later.",
        ),
        (
            Damage.EXTRA_ENTRY,
            PUT_IN.format(77),
            "Entry 900 stands in group 77, which is not there.",
        ),
        (
            Damage.ALTERED_GROUP,
            "UPDATE ledger_group SET previous = hash WHERE id = 4",
            "Group 4 (entries {ids[7]} to {ids[9]}) does not carry its own hash",
        ),
        (
            Damage.HEAD,
            "UPDATE ledger_head SET hash = :zeros WHERE chain = 0",
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
def test_one_act_on_the_ledger_is_found_and_named(
    store: Store, tamper: Tamper, damage: Damage, statement: str, says: str
) -> None:
    """D-03: whatever one statement does to an entry, a group or a head, the first broken place tells what it was."""
    ids = numbers(store)
    tamper(store, statement, nine=ids[8], ten=ids[9], thirteen=ids[12], zeros=GENESIS)
    found = verify(store)
    assert not found.ok
    assert damage is found.breaks[0].damage
    assert found.findings[0].startswith(says.format(ids=ids))


def test_a_missing_last_group_is_named(store: Store, tamper: Tamper) -> None:
    """D-03: the head still names what was cut off."""
    tamper(store, "DELETE FROM ledger_entry WHERE group_id = 7", "DELETE FROM ledger_group WHERE id = 7")
    [found] = verify(store).breaks
    assert (Damage.MISSING_GROUP, 0, 7) == (found.damage, found.chain, found.position)
    assert "Chain 0 has nothing at position 7: 1 group is missing." == found.sentence


def test_a_missing_group_in_the_middle_is_named_with_the_entries_it_left_behind(store: Store, tamper: Tamper) -> None:
    """D-03: the chain lacks a position, and the entries stand in no group."""
    ids = numbers(store)
    tamper(store, "DELETE FROM ledger_group WHERE id = 4")
    found = verify(store)
    assert [(Damage.MISSING_GROUP, 0, 4), (Damage.MISSING_GROUP, None, 0)] == [
        (each.damage, each.chain, each.position) for each in found.breaks
    ]
    assert f"Entries {ids[7]} to {ids[9]} stand in group 4, which is not there." == found.findings[1]


@pytest.mark.parametrize("with_digest", [True, False])
def test_two_entries_that_changed_places_are_named(store: Store, tamper: Tamper, *, with_digest: bool) -> None:
    """D-03: two entries swapped, with or without their digests, are told as reordered and both are named."""
    ids = numbers(store)
    one, other = ids[8], ids[14]
    swap = SWAP_WITH_DIGEST if with_digest else SWAP
    copy = "CREATE TABLE before AS SELECT id, client, digest FROM ledger_entry"
    tamper(store, copy, swap, "DROP TABLE before", one=one, other=other)
    found = verify(store)
    assert (Damage.REORDERED, f"Entries {one} and {other} have changed places.") == (
        found.breaks[0].damage,
        found.findings[0],
    )
    assert "1 further place of the ledger does not hold." == found.findings[1]


def test_two_groups_that_changed_places_are_named(store: Store, tamper: Tamper) -> None:
    """D-03: two commits told in the other order are told as reordered."""
    tamper(
        store,
        "UPDATE ledger_group SET position = -1 WHERE id = 4",
        "UPDATE ledger_group SET position = 4 WHERE id = 5",
        "UPDATE ledger_group SET position = 5 WHERE id = 4",
    )
    found = verify(store).breaks[0]
    assert (Damage.REORDERED, "Groups 5 and 4 have changed places.") == (found.damage, found.sentence)


def test_a_rewritten_group_does_not_deceive_the_next(store: Store, tamper: Tamper) -> None:
    """D-03: who recomputes an entry's digest and its group's hash is betrayed by the group after it."""
    ids = numbers(store)
    digest, chained = _forged(store, ids[8], 4)
    tamper(
        store,
        "UPDATE ledger_entry SET client = 4711, digest = :digest WHERE id = :nine",
        "UPDATE ledger_group SET hash = :hash WHERE id = 4",
        nine=ids[8],
        digest=digest,
        hash=chained,
    )
    [found] = verify(store).breaks
    assert (Damage.ALTERED_GROUP, 5, 5) == (found.damage, found.group, found.position)
    assert found.sentence.startswith("Group 5 does not follow from group 4 before it")


def _forged(store: Store, number: int, group: int) -> tuple[str, str]:
    """Return the digest an entry would have with another client, and the hash of its group with that digest."""
    with store.reading() as connection:
        own = [entry for entry in reports.entries_by_group(connection) if entry.group == group]
        [chained] = [each for each in reports.groups_by_number(connection) if each.id == group]
    digests = [replace(entry, client=4711).expected_digest() if entry.id == number else entry.digest for entry in own]
    return digests[[entry.id for entry in own].index(number)], chained.expected_hash(digests)


def test_an_emptied_ledger_is_not_whole(store: Store, tamper: Tamper) -> None:
    """D-03: nothing at all is not in order: the opening is always there."""
    tamper(
        store,
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_group",
        "UPDATE ledger_head SET position = 0, hash = :zeros",
        zeros=GENESIS,
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
        bare = StoredEntry(number, group, kind, MOMENT, "duty:test", number, None, None, "{}", "")
        entries.append(_with_digest(bare))
        previous, position = ends[chain], (number - 1) // 3 + 1
        draft = StoredGroup(group, chain, position, MOMENT, 1, previous, "")
        ends[chain] = draft.expected_hash([entries[-1].digest])
        groups.append(StoredGroup(group, chain, position, MOMENT, 1, previous, ends[chain]))
    heads = [Head(chain, 4, end) for chain, end in ends.items()]
    assert _checked(groups, entries, heads).ok

    entries = [_altered(entry) if entry.id in {5, 8, 10} else entry for entry in entries]
    found = _checked(groups, entries, heads)
    assert [(1, 4, 10), (2, 2, 5)] == [(each.chain, each.position, each.entry) for each in found.breaks]
    assert 3 == found.places


def _with_digest(entry: StoredEntry) -> StoredEntry:
    return replace(entry, digest=entry.expected_digest())


def _altered(entry: StoredEntry) -> StoredEntry:
    return replace(entry, body='{"altered":1}')


def _checked(groups: list[StoredGroup], entries: list[StoredEntry], heads: list[Head]) -> Verification:
    check = ChainCheck(lambda _numbers: set())
    by_group = sorted(entries, key=lambda entry: (entry.group, entry.id))
    check.read(sorted(groups, key=lambda group: group.id), by_group, lambda _done: None)
    check.link(sorted(groups, key=lambda group: (group.chain, group.position)), heads)
    return check.result()


def test_commits_side_by_side_make_several_whole_chains(store: Store, tamper: Tamper) -> None:
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
    change = "UPDATE ledger_entry SET client = 5 WHERE id = :second OR id >= :late"
    tamper(store, change, second=ids[1], late=ids[-3])
    found = verify(store)
    assert [(0, ids[1]), (1, ids[-3])] == [(each.chain, each.entry) for each in found.breaks]


def _chains(store: Store) -> set[int]:
    with store.reading() as connection:
        return set(connection.scalars(text("SELECT DISTINCT chain FROM ledger_group")))


_COLUMNS = [
    *(("ledger_entry", name) for name in StoredEntry.__dataclass_fields__ if name != "group"),
    ("ledger_entry", "group_id"),
    *(("ledger_group", name) for name in StoredGroup.__dataclass_fields__),
    *(("ledger_head", name) for name in Head.__dataclass_fields__),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_the_ledger_can_be_changed_unseen(
    store: Store, journal_url: str, tmp_path: Path, data: st.DataObject
) -> None:
    """D-03: whichever byte of whichever column is another, text or no text any more, it is found."""
    copy = tmp_path / "copy.db"
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(str(store.database.url.database))) as whole, closing(sqlite3.connect(copy)) as target:
        whole.backup(target)
        _change_a_byte(target, data)
    opened = open_store(f"sqlite:///{copy}", journal_url, store.clock)
    try:
        assert not verify(opened).ok
        assert not Audit(opened, POLICY).year(2026).ok
    finally:
        opened.close()


def _change_a_byte(connection: sqlite3.Connection, data: st.DataObject) -> None:
    """Change one byte of one text of the ledger, or one of its numbers."""
    for table in ("ledger_entry", "ledger_group"):
        for act in ("update", "delete"):
            connection.execute(f"DROP TRIGGER {table}_refuses_{act}")
    table, column = data.draw(st.sampled_from(_COLUMNS))
    connection.text_factory = bytes
    rows = connection.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid").fetchall()  # noqa: S608 - our names
    row, value = data.draw(st.sampled_from(rows))
    if isinstance(value, bytes):
        at, other = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(1, 255))
        changed = value[:at] + bytes([value[at] ^ other]) + value[at + 1 :]
        change = f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE rowid = ?"  # noqa: S608 - our names
        connection.execute(change, (changed, row))
    else:
        number = 7 if value is None else -1 - value
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (number, row))  # noqa: S608 - our names
    connection.commit()
