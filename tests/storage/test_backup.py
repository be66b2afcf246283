"""Copies of the database: made in use, verified, refused when they are not whole, and put back without loss."""

import os
import re
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from dispatcher.errors import StorageError
from dispatcher.keys import KeyedHash
from dispatcher.rules.campaign import Channel
from dispatcher.storage import answers, backup, campaigns, clients, installation, wordings
from dispatcher.storage.answers import Suppression
from dispatcher.storage.contents import Contents, read_contents
from dispatcher.storage.store import Store
from dispatcher.storage.tables import ClientTable, JournalMarkTable, Table
from tests.clock import FixedClock
from tests.stores import (
    add_campaign,
    add_client,
    add_entry,
    broken_links,
    campaign,
    entry_ids,
    fact,
    open_store,
    plan,
    run_python,
)

BACKS_UP_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from dispatcher.errors import StorageError
from dispatcher.storage.backup import write_copy
from dispatcher.storage.database import Database

database = Database(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    write_copy(database, Path(sys.argv[2]))
except StorageError as error:
    print(error)
"""


def fill(store: Store, clock: FixedClock) -> None:
    """Put something into every family of tables: odd characters, every kind of column, nothing at all."""
    address = add_client(store, 1, email="maija@posti.example", phone="+358401234567")[Channel.EMAIL]
    add_client(store, 2**47)
    name = 'tab\t, line\n, back\\slash, \\N, \\., "quote", ä€𝄞'
    store.write(lambda t: clients.update_client(t.connection, 1, {"first_name": name, "last_visit": clock().date()}))
    plan(store, add_campaign(store, "a", clock()), [(1, address)])
    files = {"campaign.toml": bytes(range(256)) * 40, "templates/empty": b""}
    store.write(lambda t: campaigns.add(t.connection, campaign("b", clock()), files, t.now))
    store.write(lambda t: wordings.keep_wordings(t.connection, ["Saako?\r\n"], t.now))
    objection = Suppression(KeyedHash("1", "a" * 64), None, "objection", clock())
    store.write(lambda t: answers.suppress(t.connection, [objection], t.suppressed_for))
    store.write(add_entry())


def rows_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with store.reading() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            if table.name != "outbox"
            else [tuple(row) for row in connection.execute(select(table))]
            for table in Table.metadata.sorted_tables
            if table.name != "installation"
        }


def contents(store: Store) -> Contents:
    """Return the figures of a database."""
    with store.reading() as connection:
        return read_contents(connection)


def put_back(store: Store, path: Path) -> Path | None:
    """Check a copy and put it back."""
    return backup.put_back(store.database, path, backup.check_copy(store.database, path), store.clock())


def test_a_copy_holds_everything(store: Store, clock: FixedClock, tmp_path: Path) -> None:
    """L-34: a copy holds every row of every table, is for its owner alone, and says what is in it."""
    fill(store, clock)
    before = rows_of(store)
    path = tmp_path / "copy"
    report = backup.write_copy(store.database, path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert (path, path.stat().st_size) == (report.path, report.bytes)
    assert {name: len(rows) for name, rows in before.items()} == {
        name: count for name, count in report.rows.items() if name != "installation"
    }
    assert contents(store) == backup.check_copy(store.database, path)
    assert ["copy"] == [found.name for found in tmp_path.iterdir() if found.name.startswith("copy")]
    assert b"SQLite format 3" == path.read_bytes()[:15] or zipfile.is_zipfile(path)


def test_what_was_put_back_is_what_was_copied(store: Store, clock: FixedClock, tmp_path: Path) -> None:
    """L-34: after a copy was put back every row is as it was, the chains hold, and the replay is waited for."""
    fill(store, clock)
    before, figures = rows_of(store), contents(store)
    backup.write_copy(store.database, tmp_path / "copy")
    add_client(store, 3, email="toinen@posti.example")
    later = store.write(add_entry(3))
    kept = put_back(store, tmp_path / "copy")
    assert before == rows_of(store)
    assert figures == contents(store)
    with store.reading() as connection:
        assert installation.needs_replay(connection)
        assert [] == broken_links(connection)
    new = store.write(add_entry(4))
    assert new in entry_ids(store)
    add_client(store, 4, email="kolmas@posti.example")
    with store.reading() as connection:
        assert [] == broken_links(connection)
    store.database.check_durable()
    if kept is None:
        # A number that was given to something lost is not given again.
        assert new > later
    else:
        assert f"dispatcher.db.replaced-{clock():%Y%m%dT%H%M%S}" == kept.name
        with sqlite3.connect(kept) as replaced:
            assert (1, 1) == replaced.execute(
                "SELECT (SELECT needs_replay FROM installation), (SELECT count(*) FROM client WHERE number = 3)"
            ).fetchone()
        replaced.close()
        assert 0o600 == stat.S_IMODE(Path(str(store.database.url.database)).stat().st_mode)


def test_replaced_databases_are_never_overwritten(store: Store, tmp_path: Path) -> None:
    """Who puts copies back twice in one second still has both of the replaced databases."""
    backup.write_copy(store.database, tmp_path / "copy")
    kept = [put_back(store, tmp_path / "copy") for _ in range(3)]
    if store.database.is_sqlite:
        assert 3 == len({path for path in kept if path is not None and path.exists()})
        assert [] == [path.name for path in tmp_path.iterdir() if path.name.endswith((".restoring", ".part"))]
    else:
        assert [None] * 3 == kept


def test_a_copy_is_of_one_moment(store: Store, database_url: str, journal_url: str, tmp_path: Path) -> None:
    """A copy that is taken while others write holds one state: its chains are whole, its head is a head there was."""
    other = open_store(database_url, journal_url, store.clock)
    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(lambda: [other.write(add_entry(turn + 1)) for turn in range(60)])
        paths = [tmp_path / f"copy{turn}" for turn in range(3)]
        found = [backup.write_copy(store.database, path).rows for path in paths]
        told = writing.result(60)
    other.close()
    assert sorted(told) == entry_ids(store)
    assert sorted(rows["ledger_entry"] for rows in found) == [rows["ledger_entry"] for rows in found]
    put_back(store, paths[1])
    with store.reading() as connection:
        assert [] == broken_links(connection)
    assert found[1]["ledger_entry"] == contents(store).rows["ledger_entry"]


def test_nothing_is_overwritten(store: Store, tmp_path: Path) -> None:
    """A file that is there already stays as it is; a place that is not there is named."""
    (tmp_path / "copy").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("copy", "link"):
        with pytest.raises(StorageError, match=r"already: give the copy another name. Nothing was written"):
            backup.write_copy(store.database, tmp_path / name)
    assert "mine" == (tmp_path / "copy").read_text(encoding="utf-8")
    with pytest.raises(StorageError, match=r"cannot be used .No such file or directory"):
        backup.write_copy(store.database, tmp_path / "nowhere" / "copy")


def test_a_full_disk_leaves_no_half_of_a_copy(store: Store, clock: FixedClock, tmp_path: Path) -> None:
    """Where the disk is full the error says so, and neither a copy nor a draft is left to be taken for one."""
    fill(store, clock)
    store.write(lambda t: t.ledger.append(*(fact(number) for number in range(600))))
    target = tmp_path / "copies"
    target.mkdir()
    url = store.database.url.render_as_string(hide_password=False)
    said = run_python(BACKS_UP_ON_A_FULL_DISK, url, str(target / "copy")).stdout
    assert "Nothing was changed" in said
    assert [] == list(target.iterdir())


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 3, len(content) // 3 + 3000):
        content[place] ^= 0xFF
    path.write_bytes(content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _another_file(path: Path) -> None:
    path.write_text("etunimi;sukunimi\n", encoding="utf-8")


@pytest.mark.parametrize("damage", [_cut, _flip, _empty, _another_file])
def test_a_damaged_copy_is_refused(
    store: Store, clock: FixedClock, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """L-34: a copy that is cut, altered, empty or something else is refused before anything is changed."""
    fill(store, clock)
    before = rows_of(store)
    path = tmp_path / "copy"
    backup.write_copy(store.database, path)
    damage(path)
    with pytest.raises(StorageError, match=r"^copy "):
        put_back(store, path)
    assert before == rows_of(store)
    store.check_trusted()
    with pytest.raises(StorageError, match="No such file or directory"):
        put_back(store, tmp_path / "nowhere")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_every_altered_member_is_found(store: Store, clock: FixedClock, tmp_path: Path) -> None:
    """A row that was changed inside a copy in a way that leaves the archive sound is found by its hash."""
    fill(store, clock)
    backup.write_copy(store.database, tmp_path / "copy")
    with zipfile.ZipFile(tmp_path / "copy") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, altered in (("client", members["client"].replace(b"Maija", b"Marja")), ("ledger_entry", b"")):
        path = tmp_path / f"altered-{name}"
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in {**members, name: altered}.items():
                archive.writestr(member, content)
        with pytest.raises(StorageError, match=f"is damaged in {name}"):
            put_back(store, path)
    with zipfile.ZipFile(tmp_path / "short", "w") as archive:
        archive.writestr("manifest.json", members["manifest.json"])
    with pytest.raises(StorageError, match="cannot be read as a copy"):
        put_back(store, tmp_path / "short")


def test_a_copy_of_the_other_kind_is_refused(store: Store, tmp_path: Path) -> None:
    """SQLite's copy is not put into PostgreSQL, nor the other way round, and the message says which is which."""
    other = tmp_path / "other"
    if store.database.is_sqlite:
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr("manifest.json", "{}")
    else:
        with sqlite3.connect(other) as connection:
            connection.execute("CREATE TABLE client (number INTEGER)")
        connection.close()
    with pytest.raises(StorageError, match=r"is a copy of an? (PostgreSQL|SQLite) database, .database. url names"):
        put_back(store, other)


def test_a_copy_of_another_version_is_refused(store: Store, tmp_path: Path) -> None:
    """A copy whose tables are of another version names both, and `dispatcher db upgrade` for afterwards."""
    path = tmp_path / "copy"
    backup.write_copy(store.database, path)
    if store.database.is_sqlite:
        with sqlite3.connect(path) as copy:
            copy.execute("UPDATE alembic_version SET version_num = '0000'")
        copy.close()
    else:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["manifest.json"] = re.sub(rb'"revision": "\d+"', b'"revision": "0000"', members["manifest.json"])
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    with pytest.raises(StorageError, match=r"is at 0000, this version needs .*then run `dispatcher db upgrade`"):
        put_back(store, path)


def test_a_database_of_another_version_is_not_copied(store: Store, tmp_path: Path) -> None:
    """A database that must be upgraded first says so, and no copy is made."""
    store.write(lambda t: t.connection.execute(text("UPDATE alembic_version SET version_num = '0000'")))
    with pytest.raises(StorageError, match="a newer one has written it"):
        backup.write_copy(store.database, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_database_in_use_is_not_replaced(store: Store, database_url: str, journal_url: str, tmp_path: Path) -> None:
    """L-34: while another program has the database open nothing is put back: it would go on with what it knew."""
    backup.write_copy(store.database, tmp_path / "copy")
    add_client(store, 5)
    other = open_store(database_url, journal_url, store.clock)
    with other.reading() as connection:
        assert 1 == connection.scalar(select(func.count()).select_from(ClientTable))
    with pytest.raises(StorageError, match=r"(is in use|Others are connected).*Nothing was changed"):
        put_back(store, tmp_path / "copy")
    assert 1 == contents(store).rows["client"]
    store.check_trusted()
    other.close()
    put_back(store, tmp_path / "copy")
    assert 0 == contents(store).rows["client"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", [_cut, _flip, _empty, _another_file, Path.unlink])
def test_a_damaged_database_is_replaced_and_kept(
    store: Store, clock: FixedClock, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """A database that can no longer be read makes room for its copy, and is kept as it is for whoever can read it."""
    fill(store, clock)
    backup.write_copy(store.database, tmp_path / "copy")
    store.database.close()
    live = Path(str(store.database.url.database))
    damage(live)
    broken = live.read_bytes() if live.exists() else None
    kept = put_back(store, tmp_path / "copy")
    assert 2 == contents(store).rows["client"]
    if kept is None:
        assert broken is None
    else:
        assert broken == kept.read_bytes() or damage is _flip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_database_itself_is_not_its_copy(store: Store, tmp_path: Path) -> None:
    """Naming the database, or another name of it, as its own copy changes nothing."""
    live = Path(str(store.database.url.database))
    (tmp_path / "alias").symlink_to(live)
    for path in (live, tmp_path / "alias"):
        with pytest.raises(StorageError, match=r"is the database itself: name a copy of it. Nothing was changed"):
            put_back(store, path)
    assert live.exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_write_ahead_log_beside_a_copy_does_no_harm(store: Store, clock: FixedClock, tmp_path: Path) -> None:
    """What the replaced database left beside its file is not taken for the new one's."""
    backup.write_copy(store.database, tmp_path / "copy")
    fill(store, clock)
    live = Path(str(store.database.url.database))
    saved = {name: (live.with_name(live.name + name)).read_bytes() for name in ("-wal", "-shm")}
    store.database.close()
    shutil.copyfile(live, tmp_path / "whole")
    for name, content in saved.items():
        live.with_name(live.name + name).write_bytes(content)
    put_back(store, tmp_path / "copy")
    assert 0 == contents(store).rows["client"]
    assert not live.with_name(live.name + "-wal").exists() or contents(store).rows["client"] == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_copy_that_fails_halfway_changes_nothing(
    store: Store, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Putting back is one transaction: what does not come back as it was leaves every row where it was."""
    fill(store, clock)
    backup.write_copy(store.database, tmp_path / "copy")
    store.write(lambda t: t.connection.execute(insert(JournalMarkTable).values(record=99)))
    before = rows_of(store)
    figures = backup.check_copy(store.database, tmp_path / "copy")
    wrong = Contents("f" * 64, figures.revision, figures.taken_in, figures.rows, figures.heads)
    with pytest.raises(StorageError, match=r"did not come back as it was. Nothing was changed"):
        backup.put_back(store.database, tmp_path / "copy", wrong, clock())
    assert before == rows_of(store)
    monkeypatch.undo()
    store.write(add_entry())
