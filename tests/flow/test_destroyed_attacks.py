"""Whoever owns the database makes entries go as if the promise had asked for it: what was not destroyed so, is named.

As in `test_attacks` the triggers are dropped first, and where it serves the attacker every hash is made anew.
"""

import json
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from dispatcher.errors import StorageError
from dispatcher.rules.actor import duty
from dispatcher.rules.destroyed import digest_of
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.seal import SealReason
from dispatcher.storage import destroyed
from dispatcher.storage.tables import LedgerDestroyedTable, LedgerEntryTable
from dispatcher.wiring import Dispatcher
from tests.flow.conftest import Tamper
from tests.flow.destroyed_life import OVER, YEAR, closed_in, kept
from tests.flow.test_attacks import Act, Attacker
from tests.flow.translated import untranslated
from tests.flow.two_campaigns import a_run
from tests.workshop import Workshop

Tables = dict[str, Table]
REFUSED = (DBAPIError, StorageError)
"""What a trigger's refusal comes up as: PostgreSQL's by way of the storage."""


def _rows(connection: Connection, tables: Tables, kind: str) -> list[Any]:
    table = tables["ledger_entry"]
    return list(connection.execute(select(table).where(table.c.kind == kind).order_by(table.c.id)))


def _take(connection: Connection, tables: Tables, row: Any, year: int = YEAR) -> None:
    """Put a stub in the place of an entry."""
    stub = {"id": row.id, "group_id": row.group_id, "digest": row.digest, "year": year}
    connection.execute(insert(tables["ledger_destroyed"]).values(stub))
    connection.execute(delete(tables["ledger_entry"]).where(tables["ledger_entry"].c.id == row.id))


def _rewrite(connection: Connection, tables: Tables, row: Any, **changes: Any) -> None:
    body = json.dumps({**json.loads(row.body), **changes}, sort_keys=True, separators=(",", ":"))
    connection.execute(update(tables["ledger_entry"]).where(tables["ledger_entry"].c.id == row.id).values(body=body))


def _no_entry(connection: Connection, tables: Tables) -> None:
    [row] = _rows(connection, tables, "destroyed")
    connection.execute(delete(tables["ledger_entry"]).where(tables["ledger_entry"].c.id == row.id))


def _a_no_goes_too(connection: Connection, tables: Tables) -> None:
    _take(connection, tables, next(row for row in _rows(connection, tables, "answer") if "withdrawn" in row.body))


def _a_later_send_goes_too(connection: Connection, tables: Tables) -> None:
    _take(connection, tables, _rows(connection, tables, "send")[0])


def _a_later_send_goes_in_its_own_year(connection: Connection, tables: Tables) -> None:
    _take(connection, tables, _rows(connection, tables, "send")[0], 2027)


def _a_stub_changes_its_year(connection: Connection, tables: Tables) -> None:
    table = tables["ledger_destroyed"]
    first = connection.scalars(select(table.c.id).order_by(table.c.id)).first()
    connection.execute(update(table).where(table.c.id == first).values(year=2027))


def _a_stub_is_altered(connection: Connection, tables: Tables) -> None:
    table = tables["ledger_destroyed"]
    first = connection.scalars(select(table.c.id).order_by(table.c.id)).first()
    connection.execute(update(table).where(table.c.id == first).values(digest="0" * 64))


def _a_stub_is_taken_out(connection: Connection, tables: Tables) -> None:
    table = tables["ledger_destroyed"]
    first = connection.scalars(select(table.c.id).order_by(table.c.id)).first()
    connection.execute(delete(table).where(table.c.id == first))


def _another_count(connection: Connection, tables: Tables) -> None:
    [row] = _rows(connection, tables, "destroyed")
    _rewrite(connection, tables, row, entries=json.loads(row.body)["entries"] + 1)


def _another_closing(connection: Connection, tables: Tables) -> None:
    _rewrite(connection, tables, _rows(connection, tables, "closed")[0], bundle="0" * 64)


def _earlier(connection: Connection, tables: Tables) -> None:
    [row] = _rows(connection, tables, "destroyed")
    _rewrite(connection, tables, row, kept=3)


def _a_campaign_is_hidden(connection: Connection, tables: Tables) -> None:
    """Have the entry name a campaign of the next year, whose messages nobody would count then."""
    [row] = _rows(connection, tables, "destroyed")
    _rewrite(connection, tables, row, campaigns=[1, 2, 3])


def _a_campaign_is_left_out(connection: Connection, tables: Tables) -> None:
    """Have the entry name one campaign of two, and put a message of the other back."""
    [row] = _rows(connection, tables, "destroyed")
    _rewrite(connection, tables, row, campaigns=[2])
    send = _rows(connection, tables, "send")[0]
    [first] = connection.execute(select(tables["ledger_destroyed"]).order_by(tables["ledger_destroyed"].c.id).limit(1))
    values = {**send._mapping, "id": first.id, "group_id": first.group_id, "campaign": 1, "at": _at(tables, connection)}
    connection.execute(insert(tables["ledger_entry"]).values(values))


def _at(tables: Tables, connection: Connection) -> Any:
    """Return the instant of the first answer, which is one of the year."""
    del tables
    return connection.scalar(select(LedgerEntryTable.at).order_by(LedgerEntryTable.id).limit(1))


ALONE = "no entry tells that the year was destroyed"
OTHERWISE = "the stubs in their place are"
REWRITTEN = "sealed another history of chain"
ATTACKS: dict[str, tuple[Act, bool, tuple[str, ...]]] = {
    "stubs without their entry": (_no_entry, True, (ALONE, REWRITTEN)),
    "a no is put among what went": (_a_no_goes_too, False, (OTHERWISE,)),
    "a message of a later year is put among it": (_a_later_send_goes_too, False, (OTHERWISE, "of a later year")),
    "a message of a year that is kept goes": (
        _a_later_send_goes_in_its_own_year,
        False,
        (ALONE, "of 2027 are gone (1"),
    ),
    "a stub changes its year": (_a_stub_changes_its_year, False, (ALONE, OTHERWISE)),
    "a stub is altered": (_a_stub_is_altered, False, (OTHERWISE, "was altered")),
    "a stub is taken out": (_a_stub_is_taken_out, False, (OTHERWISE, "missing")),
    "another count": (_another_count, True, (OTHERWISE, REWRITTEN)),
    "another closing": (_another_closing, True, ("no such closing stands before it", REWRITTEN)),
    "too early": (_earlier, True, ("when that year was still to be kept", REWRITTEN)),
    "a campaign of another year is hidden": (_a_campaign_is_hidden, True, ("stands and has no stub", REWRITTEN)),
    "a campaign is left out": (_a_campaign_is_left_out, True, ("The messages of campaign 1 stand", REWRITTEN)),
}


def test_every_attack_on_what_was_destroyed_is_named(workshop: Workshop, tamper: Tamper) -> None:
    """D-03: stub, entry, closing, seal and what still stands have to tell one story; put back, they do."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        tamper(dispatcher.store)
        attacker = Attacker(dispatcher.store)
        try:
            for what, (act, rechains, says) in ATTACKS.items():
                attacker.act(act, rechains=rechains)
                for found in (dispatcher.audit.verify().findings, dispatcher.audit.year(YEAR).findings):
                    told = "\n".join(found)
                    missing = [each for each in says if each not in told and each != REWRITTEN]
                    assert not missing, f"{what}: {missing} not in:\n{told}"
                assert [] == untranslated(dispatcher.audit.year(YEAR).findings)
                verified = "\n".join(dispatcher.audit.verify().findings)
                assert [] == [each for each in says if each not in verified], f"{what}:\n{verified}"
                attacker.undo()
            assert () == dispatcher.audit.verify().findings
        finally:
            attacker.close()


def test_a_destruction_without_a_seal_after_it_is_named(workshop: Workshop, tamper: Tamper) -> None:
    """The attacker takes that seal out of the ledger and out of the file: what went had to wait for it."""
    with workshop.opened() as dispatcher:
        kept(workshop, dispatcher)
        dispatcher.auditing.destroying.run(dispatcher.persons.acting(None), confirm=True)
        tamper(dispatcher.store)
        attacker = Attacker(dispatcher.store)
        path = dispatcher.auditing.sealing.file.path
        lines = path.read_bytes().splitlines(keepends=True)

        def act(connection: Connection, tables: Tables) -> None:
            [told] = _rows(connection, tables, "destroyed")
            connection.execute(delete(tables["ledger_entry"]).where(tables["ledger_entry"].c.id > told.id))

        try:
            attacker.act(act)
            path.write_bytes(b"".join(lines[:-1]))
            told = "\n".join(dispatcher.audit.verify().findings)
            assert "no seal was set after it before its entries went" in told
        finally:
            attacker.close()


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (2028, "when that year was still to be kept"),
        (2029, "no such closing stands before it"),
    ],
)
def test_a_forged_destruction_that_the_program_seals_is_named(
    workshop: Workshop, tamper: Tamper, now: int, says: str
) -> None:
    """Who can write entries makes one message go, and waits for the daily seal: the year, or its closing, speaks."""
    with workshop.opened() as dispatcher:
        a_run(workshop, dispatcher)
        seal = 1
        if now == 2028:
            closed_in(workshop, dispatcher, 2027)
            seal = dispatcher.auditing.sealing.known()[0][-1].number
        workshop.clock.set(OVER.replace(year=now))
        _forge(dispatcher, tamper, seal)
        dispatcher.auditing.sealing.set(SealReason.DAY, duty("test"))
        told = "\n".join(dispatcher.audit.verify().findings)
    assert says in told
    assert "stands and has no stub" in told


def _forge(dispatcher: Dispatcher, tamper: Tamper, seal: int) -> None:
    """Make one message go with a stub and an entry that tells of it."""
    with dispatcher.store.reading() as connection:
        query = select(LedgerEntryTable.id, LedgerEntryTable.group, LedgerEntryTable.digest)
        row = connection.execute(query.where(LedgerEntryTable.kind == "send").order_by(LedgerEntryTable.id)).first()
        assert row is not None
        bundle = "0" * 64
    dispatcher.store.write(lambda transaction: destroyed.add(transaction.connection, YEAR, [(row[0], row[1], row[2])]))
    count, digest = digest_of([(row[0], row[2])])
    about: dict[str, Json] = {"year": YEAR, "seal": seal, "bundle": bundle, "findings": 0, "kept": 2}
    body: dict[str, Json] = {**about, "entries": count, "digest": digest, "campaigns": [1]}
    entry = Entry(EntryKind.DESTROYED, duty("destruction"), body=body)
    dispatcher.store.write(lambda transaction: transaction.ledger.append(entry))
    tamper(dispatcher.store, "DELETE FROM ledger_entry WHERE id = :id", id=row[0])


def test_an_entry_goes_only_where_its_stub_stands(workshop: Workshop) -> None:
    """L-37: the database itself refuses a deletion without the stub of that very entry, and any change of a stub."""
    with workshop.opened() as dispatcher:
        a_run(workshop, dispatcher)
        store = dispatcher.store
        with store.reading() as connection:
            query = select(LedgerEntryTable.id, LedgerEntryTable.group, LedgerEntryTable.digest)
            one, other = connection.execute(query.order_by(LedgerEntryTable.id).limit(2)).all()
        store.write(lambda transaction: destroyed.add(transaction.connection, YEAR, [(one[0], one[1], one[2])]))
        store.write(lambda transaction: destroyed.add(transaction.connection, YEAR, [(other[0], other[1], "0" * 64)]))
        refused = [
            delete(LedgerEntryTable).where(LedgerEntryTable.id == other[0]),
            delete(LedgerEntryTable).where(LedgerEntryTable.id == other[0] + 1),
            update(LedgerEntryTable).where(LedgerEntryTable.id == one[0]).values(kind="x"),
            update(LedgerDestroyedTable).values(year=2027),
            delete(LedgerDestroyedTable),
        ]
        for statement in refused:
            with pytest.raises(REFUSED, match="the ledger is append-only"), store.database.writing() as connection:
                connection.execute(statement)
        with store.database.writing() as connection:
            assert 1 == connection.execute(delete(LedgerEntryTable).where(LedgerEntryTable.id == one[0])).rowcount
