"""The audit against real installations: what adds up, what does not, and who has touched the ledger."""

import asyncio
import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
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
from dispatcher.rules.ledger import GENESIS, Entry, EntryKind, StoredEntry, StoredGroup
from dispatcher.storage import reports
from dispatcher.storage.ledger import Head, LedgerDraft
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
    for first in range(0, 18, 3):
        _append(opened, *(fact(first + number) for number in range(3)))
    yield opened
    opened.close()


def tamper(store: Store, *statements: str, **values: object) -> None:
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
            connection.execute(text(statement), values)
    engine.dispose()


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
def test_one_act_on_the_ledger_is_found_and_named(store: Store, damage: Damage, statement: str, says: str) -> None:
    """D-03: whatever one statement does to an entry, a group or a head, the first broken place tells what it was."""
    ids = numbers(store)
    tamper(store, statement, nine=ids[8], ten=ids[9], thirteen=ids[12], zeros=GENESIS)
    found = verify(store)
    assert not found.ok
    assert damage is found.breaks[0].damage
    assert found.findings[0].startswith(says.format(ids=ids))


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
    swap = SWAP_WITH_DIGEST if with_digest else SWAP
    copy = "CREATE TABLE before AS SELECT id, client, digest FROM ledger_entry"
    tamper(store, copy, swap, "DROP TABLE before", one=one, other=other)
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


def test_an_emptied_ledger_is_not_whole(store: Store) -> None:
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
    return replace(entry, digest=entry.expected_digest())


def _altered(entry: StoredEntry) -> StoredEntry:
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


def a_year(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Import four clients and send two campaigns; the first client leaves between them."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*ROWS), actor)
    for name, moment in (("one", FIRST), ("two", SECOND)):
        dispatcher.schedule.run(workshop.campaign(name, moment), actor)
    workshop.clock.set(FIRST)
    asyncio.run(dispatcher.rounds.once())
    dispatcher.preferences.withdraw(dispatcher.register.find("maija@posti.example"), actor)
    workshop.clock.set(SECOND)
    asyncio.run(dispatcher.rounds.once())


def test_a_year_adds_up(workshop: Workshop) -> None:
    """Invariant 9: what was sent, withheld and answered is recounted from the ledger, and fits every table."""
    heard: list[tuple[int, int]] = []
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        found = dispatcher.audit.year(2026, lambda done, total: heard.append((done, total)))
        other = dispatcher.audit.year(2025)
    assert () == found.findings
    assert ("2026 is still running: 2 campaigns so far, 6 to 12 are promised.",) == found.remarks
    told = json.loads(json.dumps(found.as_json()))
    one, two = told["campaigns"]
    none = {"planned": 0, "accepted": 0, "refused": 0, "unknown": 0}
    assert {
        "number": 1,
        "name": "one",
        "title": "Kampanja one",
        "kind": "offer",
        "day": "2026-11-24",
        "state": "finished",
        "planned": 3,
        "accepted": 3,
        "refused": 0,
        "unknown": 0,
        "open": 0,
        "withheld": {"channel_consent_missing": 1},
        "channels": {"email": none | {"planned": 2, "accepted": 2}, "sms": none | {"planned": 1, "accepted": 1}},
        "opted_out_after": 1,
    } == one
    assert (2, {"channel_consent_missing": 1, "objection": 1}, 0) == (
        two["accepted"],
        two["withheld"],
        two["opted_out_after"],
    )
    assert {
        "spent": 2,
        "taken": 0,
        "floor": 6,
        "ceiling": 12,
        "most_in_365_days": 2,
        "days": ["2026-11-24", "2026-12-08"],
    } == told["slots"]
    assert {
        "accepted": 5,
        "unknown": 0,
        "restored": 0,
        "clients": 3,
        "most_per_client": 2,
        "most_per_address": 2,
        "agreed": 5,
        "oldest_yes_days": 325,
        "ages": {"0-30": 0, "31-90": 0, "91-180": 0, "181-365": 5, "over 365": 0},
        "places": {"online": 5},
    } == told["messages"]
    assert (True, True, []) == (told["ok"], told["chain"]["ok"], told["chain"]["breaks"])
    assert heard[-1] == (2 * found.chain.entries, 2 * found.chain.entries)
    assert (0, 2, ()) == (other.slots.spent, other.slots.most_in_365_days, other.campaigns)


def test_a_campaign_half_way_adds_up_too(workshop: Workshop) -> None:
    """Messages that wait, and those given over to another channel meanwhile, are open on both sides."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(*ROWS), actor)
        dispatcher.schedule.run(workshop.campaign("one", FIRST), actor)
        workshop.clock.set(FIRST)
        dispatcher.plan.run(dispatcher.lifecycle.named("one"))
        dispatcher.preferences.withdraw(dispatcher.register.find("maija@posti.example"), actor, Channel.EMAIL)
        [planned] = dispatcher.audit.year(2026).campaigns
        # What a worker does before its hand-off: Erik gets his intent, Maija's message goes over to SMS.
        claimed = dispatcher.deliver._claim(planned.number, Channel.EMAIL)
        dispatcher.deliver._gate.decide(dispatcher.lifecycle.named("one"), claimed)
        found = dispatcher.audit.year(2026)
        [half] = found.campaigns
    assert () == found.findings
    assert (3, 3, 2) == (planned.planned, planned.open, planned.channels["email"].planned)
    assert ("sending", 3, 3, 0) == (half.state, half.planned, half.open, half.accepted)
    assert (1, 0) == (found.messages.most_per_client, found.messages.accepted)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "UPDATE outbox SET state = 'refused' WHERE campaign = 1 AND channel = 'sms'",
            (
                "Campaign one (1): the ledger counts 1 accepted by sms, the outbox 0.",
                "Campaign one (1): the ledger counts 0 refused by sms, the outbox 1.",
            ),
        ),
        (
            "DELETE FROM outbox WHERE campaign = 2 AND reason = 'objection'",
            ("Campaign two (2): the ledger counts 1 withheld for objection, the outbox 0.",),
        ),
        (
            "UPDATE campaign SET title = 'Toinen' WHERE id = 2",
            ("Campaign two (2): its title is Kampanja two by the ledger and Toinen by its table.",),
        ),
        (
            "UPDATE slot SET day = '2026-12-09' WHERE campaign = 2",
            (
                "The ledger tells a slot on 2026-12-08 that is spent for campaign 2; the table of slots does not.",
                "The table of slots holds one on 2026-12-09 that is spent for campaign 2; the ledger does not tell it.",
            ),
        ),
    ],
)
def test_a_table_that_differs_from_the_ledger_is_a_finding(
    workshop: Workshop, statement: str, says: tuple[str, ...]
) -> None:
    """Invariant 9: the screens' tables are held against the ledger, and every difference is said."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        with dispatcher.store.database.writing() as connection:
            connection.execute(text(statement))
        found = dispatcher.audit.year(2026)
    assert not found.ok
    assert sorted(says) == sorted(found.findings)


def test_a_campaign_that_the_ledger_does_not_know_is_a_finding(workshop: Workshop) -> None:
    """Invariant 9: a campaign can neither be put into its table nor taken out of it unseen."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("one", FIRST), actor)
        with dispatcher.store.database.writing() as connection:
            connection.execute(text("UPDATE slot SET campaign = NULL"))
            connection.execute(text("DELETE FROM campaign_file"))
            connection.execute(text("UPDATE campaign SET id = 9"))
        findings = dispatcher.audit.year(2026).findings
    assert "Campaign one (9) is in its table; the ledger knows nothing of it." == findings[0]
    assert "Campaign one (1) is in the ledger; its table knows nothing of it." == findings[1]


def test_a_broken_ledger_is_a_finding_of_the_year(workshop: Workshop) -> None:
    """Invariant 9: the year's audit verifies the chain first, and counts on over an entry that cannot be read."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        with dispatcher.store.reading() as connection:
            sends = "SELECT min(id) FROM ledger_entry WHERE kind = 'send'"
            number = connection.scalar(text(sends))
        tamper(dispatcher.store, "UPDATE ledger_entry SET body = substr(body, 2) WHERE id = :number", number=number)
        found = dispatcher.audit.year(2026)
    assert found.findings[0].startswith(f"Entry {number} (send, group ")
    assert f"Entry {number} (send) cannot be read." == found.findings[1]


def test_a_message_accepted_after_a_recorded_no_is_a_finding(store: Store, clock: FixedClock) -> None:
    """Invariant 1: however it came to be sent, the audit holds every message against the answers recorded before."""
    yes = say(store, 5, Reply.GRANTED, Channel.EMAIL, clock() - timedelta(days=9))
    no = say(store, 5, Reply.WITHDRAWN, None, clock() - timedelta(days=3))

    def send(transaction: Transaction) -> list[int]:
        about = {"client": 5, "campaign": 1, "channel": Channel.EMAIL}
        message = {"message": "a" * 32, "address": 1}
        sent = {**message, "answer": yes, "day": "2026-11-23"}
        done = {**message, "outcome": "accepted", "code": "250"}
        return transaction.ledger.append(
            Entry(EntryKind.SLOT, OWNER, campaign=1, body={"event": "spent", "day": "2026-11-23"}),
            *(
                Entry(kind, OWNER, body=body, **about)  # type: ignore[arg-type]
                for kind, body in (
                    (EntryKind.PLANNED, message),
                    (EntryKind.SEND, sent),
                    (EntryKind.OUTCOME, done),
                )
            ),
        )

    numbers = store.write(send)
    found = Audit(store, POLICY).year(2026)
    assert (
        f"Entry {numbers[2]} (send) relied on entry {yes}, but the answers of client 5 added up to withdrawn for email "
        f"at that moment (entry {no})."
    ) in found.findings
    assert (1, 0, True) == (found.messages.accepted, found.messages.agreed, found.chain.ok)


def test_the_campaigns_as_csv_open_safely(workshop: Workshop) -> None:
    """A title that begins as a formula does is put in as text; every count has its column."""
    with workshop.opened() as dispatcher:
        path = workshop.campaign("one", FIRST)
        path.write_text(
            path.read_text(encoding="utf-8").replace('"Kampanja one"', '"=1+1; \\"yksi\\""'), encoding="utf-8"
        )
        dispatcher.schedule.run(path, dispatcher.persons.acting(None))
        rows = list(csv.DictReader(io.StringIO(to_csv(dispatcher.audit.year(2026)))))
    [row] = rows
    assert ('\'=1+1; "yksi"', "one", "2026-11-24", "scheduled") == (row["title"], row["name"], row["day"], row["state"])
    counts = ("planned", "accepted", "open", "withheld", "email_planned", "sms_unknown", "opted_out_after")
    assert ["0"] * len(counts) == [row[count] for count in counts]


def test_the_audit_as_text_says_what_did_not_hold_first(workshop: Workshop) -> None:
    """No line is wider than 100 characters; findings come before figures."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        whole = to_text(dispatcher.audit.year(2026))
        with dispatcher.store.database.writing() as connection:
            connection.execute(text("UPDATE campaign SET title = 'Toinen' WHERE id = 2"))
        broken = to_text(dispatcher.audit.year(2026))
        empty = to_text(dispatcher.audit.year(2020))
    assert "The year 2026: every promise held." == whole.splitlines()[0]
    assert ["The year 2026: 1 finding.", "", "Findings"] == broken.splitlines()[:3]
    assert "Campaigns: none." in empty
    assert "Had each agreed: 5 of 5. The oldest yes was 325 days old." in whole
    assert 100 >= max(len(line) for line in (whole + broken + empty).splitlines())
