"""The journal keeps what must survive a restore: numbered, signed, synced, whole or not at all."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dispatcher.errors import JournalError, SettingsError
from dispatcher.keys import KeyKind, KeyRing, read_ring, write_ring
from dispatcher.storage.database import Database
from dispatcher.storage.journal import DatabaseJournal, FileJournal, JournalKind
from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.stores import ROOT, add_note, entry_ids, note, open_journal, open_store, raw, ring, run_python

AnyJournal = FileJournal | DatabaseJournal

APPENDS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from dispatcher.keys import read_ring
from tests.stores import note, open_journal

journal = open_journal(sys.argv[1], read_ring(Path(sys.argv[2])))
for turn in range(25):
    journal.append([note(turn), note(turn)], datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert journal.last() >= 2 * turn
journal.close()
"""
DIES_BETWEEN = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from dispatcher.keys import read_ring
from tests.stores import add_note, open_store

moment = datetime(2026, 11, 23, 10, tzinfo=UTC)
store = open_store(sys.argv[1], sys.argv[2], lambda: moment, keys=read_ring(Path(sys.argv[3])))
append = store.journal.append

def append_and_die(*arguments, **options):
    append(*arguments, **options)
    os._exit(9)

store.journal.append = append_and_die
store.write(add_note(5))
"""
FILLS_THE_DISK = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from dispatcher.errors import JournalError
from dispatcher.keys import read_ring
from tests.stores import note, open_journal

path = Path(sys.argv[1])
journal = open_journal(str(path), read_ring(Path(sys.argv[2])))
before = path.read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 150, resource.RLIM_INFINITY))
try:
    journal.append([note(), note()], datetime(2026, 11, 23, 10, tzinfo=UTC))
except JournalError as error:
    print(error)
assert before == path.read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(journal.append([note()], datetime(2026, 11, 23, 10, tzinfo=UTC)))
"""


@pytest.fixture
def journal(journal_url: str, clock: FixedClock) -> Iterator[AnyJournal]:
    """Give a journal with five records: a file, and a second database on PostgreSQL."""
    made = open_journal(journal_url)
    made.create("workspace", clock())
    made.append([note(number) for number in range(2, 6)], clock())
    yield made
    made.close()


def numbers(journal: AnyJournal) -> list[int]:
    """Return the numbers of all records, each checked."""
    return [record.number for record in journal.records()]


def reloading(journal_url: str, reload: Callable[[], KeyRing], keys: KeyRing | None = None) -> AnyJournal:
    """Open a journal that can read its keys anew."""
    if "://" in journal_url:
        return DatabaseJournal(Database(journal_url), keys or ring(), reload)
    return FileJournal(Path(journal_url), keys or ring(), reload)


def tamper(journal_url: str, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the records of a journal with another tool, past the program."""
    if "://" not in journal_url:
        path = Path(journal_url)
        records = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
        change(records)
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="ascii")
        return
    engine = raw(journal_url)
    with engine.begin() as connection:
        rows = [dict(row._mapping) for row in connection.execute(text("SELECT * FROM journal ORDER BY number"))]
        records = [{**row, "body": json.loads(row["body"])} for row in rows]
        change(records)
        connection.execute(text("DELETE FROM journal"))
        statement = text("INSERT INTO journal VALUES (:number, :kind, :at, :body, :key, :mac)")
        for record in records:
            connection.execute(statement, {**record, "body": json.dumps(record["body"])})
    engine.dispose()


def test_records_come_back_as_they_were_written(journal: AnyJournal, clock: FixedClock) -> None:
    """Every fact comes back in order, numbered from 1, with its time, its key and its body to the letter."""
    body = {"ä": "Ö", "deep": [1, None, {"b": True}]}
    assert [6] == journal.append([type(note())(JournalKind.NO, body)], clock())
    records = list(journal.records())
    assert [1, 2, 3, 4, 5, 6] == [record.number for record in records]
    assert JournalKind.OPENED is records[0].kind
    assert (JournalKind.NO, body, "1", "2026-11-23T10:00:00.000000Z") == (
        records[-1].kind,
        records[-1].body,
        records[-1].key,
        records[-1].at,
    )
    assert 6 == journal.last()
    assert {"1"} == journal.key_ids()


def _alter(records: list[dict[str, Any]]) -> None:
    records[2]["body"]["test"] = 9


def _leave_out(records: list[dict[str, Any]]) -> None:
    del records[2]


def _leave_out_and_renumber(records: list[dict[str, Any]]) -> None:
    del records[2]
    for number, record in enumerate(records, 1):
        record["number"] = number


def _swap(records: list[dict[str, Any]]) -> None:
    records[2]["number"], records[3]["number"] = 4, 3
    records[2], records[3] = records[3], records[2]


def _change_time(records: list[dict[str, Any]]) -> None:
    records[2]["at"] = "2027-11-23T10:00:00.000000Z"


def _change_kind(records: list[dict[str, Any]]) -> None:
    records[2]["kind"] = "no"


def _unknown_kind(records: list[dict[str, Any]]) -> None:
    records[2]["kind"] = "yes"


def _behead(records: list[dict[str, Any]]) -> None:
    del records[0]


@pytest.mark.parametrize(
    "change",
    [_alter, _leave_out, _leave_out_and_renumber, _swap, _change_time, _change_kind, _unknown_kind, _behead],
)
def test_a_changed_journal_is_refused(
    journal: AnyJournal, journal_url: str, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    """L-34: an altered, missing or reordered record is found by the signatures, and the message says what to do."""
    tamper(journal_url, change)
    with pytest.raises(JournalError, match="put back a copy of"):
        numbers(journal)
    again = open_journal(journal_url)
    with pytest.raises(JournalError, match="Nothing is sent until then"):
        numbers(again)
    again.close()


def test_a_file_altered_under_a_running_program_is_noticed(tmp_path: Path, clock: FixedClock) -> None:
    """A journal of the same length but other contents is read again, not believed to be what it was."""
    path = tmp_path / "dispatcher.journal"
    journal = open_journal(str(path))
    journal.create("workspace", clock())
    journal.append([note(2)], clock())
    assert 2 == journal.last()
    path.write_bytes(path.read_bytes().replace(b'"test":2', b'"test":3'))
    os.utime(path, ns=(0, 0))
    with pytest.raises(JournalError, match="damaged at record 2"):
        journal.last()
    with pytest.raises(JournalError, match="damaged at record 2"):
        journal.append([note(3)], clock())


@pytest.mark.parametrize("cut", [1, 40, 150])
def test_a_line_that_a_crash_cut_short_is_healed(tmp_path: Path, clock: FixedClock, cut: int) -> None:
    """A half-written last record was never answered for: the next one takes its place, and the chain holds."""
    path = tmp_path / "dispatcher.journal"
    journal = open_journal(str(path))
    journal.create("workspace", clock())
    journal.append([note(2)], clock())
    whole = path.read_bytes()
    journal.append([note(3)], clock())
    path.write_bytes(whole + path.read_bytes()[len(whole) : len(whole) + cut])
    for healing in (journal, open_journal(str(path))):
        assert 2 == healing.last()
        assert [1, 2] == numbers(healing)
    assert [3] == journal.append([note(4)], clock())
    assert [1, 2, 3] == numbers(open_journal(str(path)))


def test_a_missing_journal_is_refused(journal_url: str, clock: FixedClock) -> None:
    """L-34: without its journal nobody knows who said no: reading and writing are refused, and none is made anew."""
    journal = open_journal(journal_url)
    for attempt in (journal.last, lambda: numbers(journal), lambda: journal.append([note()], clock()), journal.key_ids):
        with pytest.raises(JournalError, match="clients said no, so nothing is sent"):
            attempt()
    journal.close()


def test_a_journal_is_begun_once(journal: AnyJournal, journal_url: str, clock: FixedClock) -> None:
    """A journal that is there is never begun again over what it holds."""
    again = open_journal(journal_url)
    with pytest.raises(JournalError, match="There is a journal"):
        again.create("another", clock())
    again.close()
    assert [1, 2, 3, 4, 5] == numbers(journal)


def test_a_beginning_that_fails_leaves_nothing(tmp_path: Path, clock: FixedClock) -> None:
    """Where the first record cannot be made there is no journal afterwards, so that one can be begun."""
    path = tmp_path / "dispatcher.journal"
    with pytest.raises(SettingsError, match="There is no journal key"):
        FileJournal(path, KeyRing({})).create("workspace", clock())
    assert not path.exists()
    with pytest.raises(JournalError, match="No such file or directory"):
        FileJournal(tmp_path / "nowhere" / "dispatcher.journal", ring()).create("workspace", clock())
    assert 1 == FileJournal(path, ring()).create("workspace", clock())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_an_older_journal_takes_nothing(journal: AnyJournal, clock: FixedClock) -> None:
    """A journal that ends before what the database knows of it is an older one: nothing is added to it."""
    with pytest.raises(JournalError, match="ends at record 5, but the database knows 6: an older journal"):
        journal.append([note()], clock(), known=6)
    assert [1, 2, 3, 4, 5] == numbers(journal)
    assert [6] == journal.append([note()], clock(), known=5)


def test_a_lost_key_is_named(journal: AnyJournal, journal_url: str) -> None:
    """A journal that was signed with a key the secrets file no longer has says which, and which copy to put back."""
    poor = open_journal(journal_url, KeyRing({}))
    with pytest.raises(
        JournalError, match=r"journal key '1', which the secrets file does not have.*`dispatcher keys ba"
    ):
        numbers(poor)
    assert journal.key_ids() == poor.key_ids() == {"1"}
    poor.close()


def test_a_rotated_key_goes_on_with_the_chain(journal: AnyJournal, journal_url: str, clock: FixedClock) -> None:
    """After a rotation new records are signed with the new key, and the old ones are still read."""
    rotated = open_journal(journal_url, ring().with_new(KeyKind.JOURNAL))
    assert [6] == rotated.append([note()], clock())
    assert ["1"] * 5 + ["2"] == [record.key for record in rotated.records()]
    assert {"1", "2"} == journal.key_ids()
    rotated.close()


def test_a_key_rotated_by_another_process_is_read_anew(
    journal: AnyJournal, journal_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """A running program reads the secrets file anew for a key it does not know, once, and signs with the newest."""
    read: list[KeyRing] = []

    def reload() -> KeyRing:
        read.append(read_ring(tmp_path / "secrets.toml"))
        return read[-1]

    write_ring(tmp_path / "secrets.toml", ring())
    running = reloading(journal_url, reload)
    assert running.last() == journal.last() == 5
    write_ring(tmp_path / "secrets.toml", ring().with_new(KeyKind.JOURNAL))
    rotated = open_journal(journal_url, read_ring(tmp_path / "secrets.toml"))
    assert [6] == rotated.append([note()], clock())
    assert [] == read
    assert [1, 2, 3, 4, 5, 6] == numbers(running)
    assert [7] == running.append([note()], clock())
    assert ["2", "2"] == [record.key for record in running.records()][5:]
    assert 1 == len(read)
    assert 7 == rotated.last()
    running.close()
    rotated.close()


def test_a_no_is_kept_after_another_process_rotated(journal: AnyJournal, journal_url: str, clock: FixedClock) -> None:
    """L-34: what is appended first after a rotation elsewhere is kept, not refused."""
    assert 5 == journal.last()
    newer = ring().with_new(KeyKind.JOURNAL)
    running = reloading(journal_url, lambda: newer)
    rotated = open_journal(journal_url, newer)
    assert [6] == rotated.append([note()], clock())
    assert [7] == running.append([note()], clock())
    assert list(range(1, 8)) == numbers(rotated)
    running.close()
    rotated.close()


def test_a_key_that_is_not_in_the_file_either_is_named(journal: AnyJournal, journal_url: str) -> None:
    """A key that the secrets file has not got even when read anew is looked for once, then named as lost."""
    read: list[KeyRing] = []

    def reload() -> KeyRing:
        read.append(KeyRing({}))
        return read[-1]

    poor = reloading(journal_url, reload, KeyRing({}))
    with pytest.raises(JournalError, match="journal key '1', which the secrets file does not have"):
        numbers(poor)
    assert 1 == len(read)
    assert 5 == journal.last()
    poor.close()


def test_two_processes_keep_one_chain(journal: AnyJournal, journal_url: str, tmp_path: Path) -> None:
    """Section 5: processes that append at once take turns; every record is there once and follows the one before."""
    write_ring(tmp_path / "secrets.toml", ring())
    command = [sys.executable, "-c", APPENDS, journal_url, str(tmp_path / "secrets.toml")]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in started:
        _, said = process.communicate(timeout=60)
        assert 0 == process.returncode, said
    assert list(range(1, 106)) == numbers(journal)
    assert 105 == journal.last()


def test_looking_and_appending_at_once_keep_one_chain(journal: AnyJournal, journal_url: str, clock: FixedClock) -> None:
    """A program that looks at the journal's end while others append never takes a number for another's."""
    others = [open_journal(journal_url) for _ in range(4)]

    def work(turn: int) -> None:
        for _ in range(10):
            others[turn].last()
            others[turn].append([note()], clock())
            journal.last()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    for other in others:
        other.close()
    assert list(range(1, 46)) == numbers(journal)


def test_a_full_disk_leaves_the_journal_whole(tmp_path: Path, clock: FixedClock) -> None:
    """Where the disk is full nothing is half written, the error says so, and once there is room it goes on."""
    path = tmp_path / "dispatcher.journal"
    write_ring(tmp_path / "secrets.toml", ring())
    open_journal(str(path)).create("workspace", clock())
    said = run_python(FILLS_THE_DISK, str(path), str(tmp_path / "secrets.toml")).stdout.splitlines()
    assert ["The journal could not be written (File too large). Nothing was changed.", "[2]"] == said
    assert [1, 2] == numbers(open_journal(str(path)))


def test_a_crash_between_journal_and_database_is_noticed(
    store: Store, database_url: str, journal_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    """Invariant 4: the journal has what the database has not; nothing is sent until it is replayed."""
    write_ring(tmp_path / "secrets.toml", ring())
    died = run_python(DIES_BETWEEN, database_url, journal_url, str(tmp_path / "secrets.toml"), check=False)
    assert 9 == died.returncode, died.stderr
    assert [5] == [record.body["test"] for record in store.journal.records() if record.number == 2]
    with pytest.raises(
        JournalError, match=r"1 record of the journal is not in it. Run `dispatcher db restore --replay`"
    ):
        store.check_trusted()
    other = open_store(database_url, journal_url, clock)
    with pytest.raises(JournalError, match="1 record of the journal is not in it"):
        other.check_trusted()
    other.write(add_note(6))
    with pytest.raises(JournalError, match="1 record of the journal is not in it"):
        other.check_trusted()
    other.close()
    assert [] == entry_ids(store)
