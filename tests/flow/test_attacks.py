"""Whoever owns the database and knows the arithmetic rewrites the past, with every hash made anew: it is named (D-03).

The triggers that refuse it are dropped first, and after each attack the digests, groups and heads fit again: what
contradicts the attacker are the seals in the file, the journal, the tables, and the rules themselves.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, delete, insert, select, update

from dispatcher.rules.actor import duty
from dispatcher.rules.ledger import GENESIS, StoredEntry, StoredGroup
from dispatcher.rules.seal import SealReason
from dispatcher.storage.store import Store
from dispatcher.wiring import Dispatcher
from tests.flow.conftest import Tamper
from tests.flow.translated import untranslated
from tests.flow.two_campaigns import a_run
from tests.stores import raw
from tests.workshop import Workshop

_KEPT = ("ledger_entry", "ledger_group", "ledger_head", "ledger_destroyed", "outbox", "wording", "frozen", "slot")
Act = Callable[[Connection, dict[str, Table]], None]


class Attacker:
    """Somebody with the whole database: acts, makes every hash anew, and puts all back for the next attack."""

    def __init__(self, store: Store) -> None:
        self._engine = raw(store.database.url.render_as_string(hide_password=False))
        kept = MetaData()
        kept.reflect(self._engine, only=_KEPT)
        self.tables = {name: kept.tables[name] for name in _KEPT}
        with self._engine.connect() as connection:
            self._before = {
                name: [dict(row._mapping) for row in connection.execute(select(table))]
                for name, table in self.tables.items()
            }

    def act(self, work: Act, *, rechains: bool = True) -> None:
        """Do it, and make digests, groups and heads fit again."""
        with self._engine.begin() as connection:
            work(connection, self.tables)
            if rechains:
                _rechain(connection, self.tables)

    def undo(self) -> None:
        """Put every row back."""
        with self._engine.begin() as connection:
            for name in ("ledger_entry", "ledger_group", "ledger_head", "ledger_destroyed", "outbox"):
                connection.execute(delete(self.tables[name]))
                if self._before[name]:
                    connection.execute(insert(self.tables[name]), self._before[name])
            for name in ("wording", "frozen", "slot"):
                table = self.tables[name]
                [key] = [column.name for column in table.primary_key]
                for row in self._before[name]:
                    connection.execute(update(table).where(table.c[key] == row[key]).values(row))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def _moment(value: Any) -> datetime:
    found: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
    return found.astimezone(UTC)


def _rechain(connection: Connection, tables: dict[str, Table]) -> None:
    """Make every digest, hash, link and head anew, as the program would have."""
    entries, groups, heads = (tables[name] for name in ("ledger_entry", "ledger_group", "ledger_head"))
    digests: dict[int, dict[int, str]] = {}
    for row in connection.execute(select(tables["ledger_destroyed"])).all():
        digests.setdefault(row.group_id, {})[row.id] = row.digest
    for row in connection.execute(select(entries).order_by(entries.c.id)).all():
        values = dict(row._mapping)
        values["group"], values["at"] = values.pop("group_id"), _moment(values["at"])
        digest = StoredEntry(**values).expected_digest()
        digests.setdefault(values["group"], {})[row.id] = digest
        connection.execute(update(entries).where(entries.c.id == row.id).values(digest=digest))
    ends: dict[int, tuple[int, str]] = {}
    for row in connection.execute(select(groups).order_by(groups.c.chain, groups.c.position)).all():
        own = digests.get(row.id)
        if own is None:
            connection.execute(delete(groups).where(groups.c.id == row.id))
            continue
        position, previous = ends.get(row.chain, (0, GENESIS))
        values = {**row._mapping, "committed_at": _moment(row.committed_at)}
        group = replace(StoredGroup(**values), position=position + 1, entries=len(own), previous=previous)
        end = group.expected_hash(digest for _, digest in sorted(own.items()))
        anew = {"position": position + 1, "entries": len(own), "previous": previous, "hash": end}
        connection.execute(update(groups).where(groups.c.id == row.id).values(anew))
        ends[row.chain] = (position + 1, end)
    for chain in connection.scalars(select(heads.c.chain)).all():
        position, end = ends.get(chain, (0, GENESIS))
        connection.execute(update(heads).where(heads.c.chain == chain).values(position=position, hash=end))


def _entries(connection: Connection, tables: dict[str, Table], kind: str) -> list[Any]:
    table = tables["ledger_entry"]
    return list(connection.execute(select(table).where(table.c.kind == kind).order_by(table.c.id)))


def _of(number: int, tables: dict[str, Table]) -> Any:
    return tables["ledger_entry"].c.id == number


def _delete_a_no(connection: Connection, tables: dict[str, Table]) -> None:
    no = next(row for row in _entries(connection, tables, "answer") if "withdrawn" in row.body)
    connection.execute(delete(tables["ledger_entry"]).where(_of(no.id, tables)))


def _alter_a_yes(connection: Connection, tables: dict[str, Table]) -> None:
    row = next(row for row in _entries(connection, tables, "answer") if "granted" in row.body)
    body = row.body.replace("granted", "declined")
    connection.execute(update(tables["ledger_entry"]).where(_of(row.id, tables)).values(body=body))


def _insert_a_yes(connection: Connection, tables: dict[str, Table]) -> None:
    row = next(row for row in _entries(connection, tables, "answer") if "granted" in row.body)
    last = max(each["id"] for each in (dict(r._mapping) for r in connection.execute(select(tables["ledger_entry"]))))
    connection.execute(insert(tables["ledger_entry"]).values({**row._mapping, "id": last + 1}))


def _send_twice(connection: Connection, tables: dict[str, Table]) -> None:
    row = _entries(connection, tables, "send")[0]
    last = max(each.id for each in connection.execute(select(tables["ledger_entry"].c.id)))
    connection.execute(insert(tables["ledger_entry"]).values({**row._mapping, "id": last + 1}))


def _swap_clients(connection: Connection, tables: dict[str, Table]) -> None:
    one, *others = _entries(connection, tables, "answer")
    other = next(row for row in others if row.client != one.client)
    for row, client in ((one, other.client), (other, one.client)):
        connection.execute(update(tables["ledger_entry"]).where(_of(row.id, tables)).values(client=client))


def _reorder(connection: Connection, tables: dict[str, Table]) -> None:
    table = tables["ledger_entry"]
    one, *_, other = _entries(connection, tables, "send")
    held = {row.id: {**row._mapping} for row in (one, other)}
    for number, values in ((one.id, held[other.id]), (other.id, held[one.id])):
        told = {key: each for key, each in values.items() if key not in {"id", "group_id"}}
        connection.execute(update(table).where(_of(number, tables)).values(told))


def _truncate(connection: Connection, tables: dict[str, Table]) -> None:
    table = tables["ledger_entry"]
    last = _entries(connection, tables, "outcome")[0].group_id
    connection.execute(delete(table).where(table.c.group_id > last))


def _edit_a_wording(connection: Connection, tables: dict[str, Table]) -> None:
    connection.execute(update(tables["wording"]).values(text="Saako myydä tietosi?"))


def _edit_a_campaign(connection: Connection, tables: dict[str, Table]) -> None:
    connection.execute(update(tables["frozen"]).values(content=b"title = 'another'"))


def _swap_in_the_outbox(connection: Connection, tables: dict[str, Table]) -> None:
    table = tables["outbox"]
    there = select(table).where(table.c.channel.is_not(None), table.c.client.is_not(None)).order_by(table.c.id)
    one, other = list(connection.execute(there.limit(2)))
    assert (one.campaign, one.client) != (other.campaign, other.client), "nobody could tell them apart"
    for row, message in ((one, "x" * 32), (other, one.message_id), (one, other.message_id)):
        connection.execute(update(table).where(table.c.id == row.id).values(message_id=message))


def _hide_a_slot(connection: Connection, tables: dict[str, Table]) -> None:
    connection.execute(update(tables["slot"]).values(state="returned"))


REWRITTEN = "sealed another history of chain"
CUT = "which is not there"
ATTACKS: dict[str, tuple[Act, tuple[str, ...]]] = {
    "a no is deleted": (_delete_a_no, (REWRITTEN,)),
    "a yes is altered": (_alter_a_yes, (REWRITTEN, "does not follow from the ledger")),
    "a yes is put in": (_insert_a_yes, (REWRITTEN,)),
    "a send is duplicated": (_send_twice, (REWRITTEN, "already_sent_or_unknown")),
    "two clients are swapped": (_swap_clients, (REWRITTEN, "does not follow from the ledger")),
    "two sends are reordered": (_reorder, (REWRITTEN,)),
    "the end is cut off": (_truncate, (CUT, "the outbox")),
    "a wording is edited": (_edit_a_wording, ("was altered: its text does not carry that hash",)),
    "a frozen campaign is edited": (_edit_a_campaign, ("its frozen files were altered",)),
    "two messages change places in the outbox": (_swap_in_the_outbox, ("by the ledger and", "in the outbox")),
    "a spent slot is given back": (_hide_a_slot, ("The ledger tells a slot on",)),
}


def sealed_life(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Live through two campaigns, sealed before, between and after them."""
    dispatcher.auditing.sealing.set(SealReason.DAY, duty("test"))
    a_run(workshop, dispatcher)
    dispatcher.auditing.sealing.set(SealReason.CAMPAIGN, duty("test"))


def test_every_attack_on_a_sealed_past_is_found_and_named(workshop: Workshop, tamper: Tamper) -> None:
    """D-03: with all hashes made anew, in all languages; with everything put back, nothing is found."""
    with workshop.opened() as dispatcher:
        sealed_life(workshop, dispatcher)
        tamper(dispatcher.store)
        attacker = Attacker(dispatcher.store)
        try:
            for what, (act, says) in ATTACKS.items():
                attacker.act(act)
                findings = dispatcher.audit.verify().findings
                assert [] == untranslated(findings)
                found = "\n".join(findings)
                missing = [each for each in says if each not in found]
                assert not missing, f"{what}: {missing} not in:\n{found}"
                attacker.undo()
            assert () == dispatcher.audit.verify().findings
        finally:
            attacker.close()


@pytest.mark.parametrize("body", ["{}", "[]", "7", '{"message":["x"]}'])
def test_a_body_that_is_another_thing_altogether_is_a_finding(workshop: Workshop, tamper: Tamper, body: str) -> None:
    """D-03: in the place of what any entry tells of a message, and with all hashes made anew; nothing falls over it."""
    with workshop.opened() as dispatcher:
        sealed_life(workshop, dispatcher)
        tamper(dispatcher.store)
        attacker = Attacker(dispatcher.store)
        try:
            for kind in ("planned", "withheld", "send", "outcome"):
                attacker.act(partial(_replace_a_body, kind, body))
                assert REWRITTEN in "\n".join(dispatcher.audit.verify().findings)
                assert not dispatcher.audit.year(2026).ok
                attacker.undo()
        finally:
            attacker.close()


def _replace_a_body(kind: str, body: str, connection: Connection, tables: dict[str, Table]) -> None:
    row = _entries(connection, tables, kind)[-1]
    connection.execute(update(tables["ledger_entry"]).where(_of(row.id, tables)).values(body=body))


def test_yesterdays_copy_in_the_place_of_today_is_named(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: put back without its journal's replay, and with the replay: the one is a finding, the other a remark."""
    copy = tmp_path / "copy"
    with workshop.opened() as dispatcher:
        sealed_life(workshop, dispatcher)
        dispatcher.safekeeping.backup(copy)
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(dispatcher.register.find("erik@posti.example"), actor)
        dispatcher.auditing.sealing.set(SealReason.DAY, duty("test"))
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        rolled_back = dispatcher.audit.verify()
        dispatcher.safekeeping.replay(actor)
        replayed = dispatcher.audit.verify()
        dispatcher.auditing.sealing.set(SealReason.DAY, duty("test"))
        numbers = [seal.number for seal in dispatcher.auditing.sealing.known()[0]]
        sealed_again = dispatcher.audit.verify()
    assert [] == untranslated((*rolled_back.findings, *replayed.remarks))
    says = "\n".join(rolled_back.findings)
    assert "This database is an older copy" in says
    assert "Seal 3 of" in says
    assert CUT in says
    assert () == replayed.findings
    assert any("tells of a restore" in remark for remark in replayed.remarks)
    assert any("Seal 3 of" in remark for remark in replayed.remarks)
    assert ([1, 2, 4], ()) == (numbers, sealed_again.findings)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_restore_without_its_journal_is_named(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: database and journal both put back to yesterday's: only the file of seals, and the paper, know better."""
    with workshop.opened() as dispatcher:
        sealed_life(workshop, dispatcher)
        path = Path(str(dispatcher.store.database.url.database))
        kept = [(path, tmp_path / "db")]
        dispatcher.safekeeping.backup(tmp_path / "db")
        journal = Path(str(dispatcher.store.journal._path))  # type: ignore[union-attr]
        old_journal = journal.read_bytes()
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(dispatcher.register.find("erik@posti.example"), actor)
        dispatcher.auditing.sealing.set(SealReason.DAY, duty("test"))
    for target, source in kept:
        for ending in ("", "-wal", "-shm"):
            Path(f"{target}{ending}").unlink(missing_ok=True)
        target.write_bytes(source.read_bytes())
    journal.write_bytes(old_journal)
    with workshop.opened() as dispatcher:
        says = "\n".join(dispatcher.audit.verify().findings)
    assert "Seal 3 of" in says
    assert CUT in says
