"""A journal forgets what it is told to forget: in one step, chained anew, under the same numbers."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from dispatcher.errors import JournalError
from dispatcher.keys import KeyKind, write_ring
from dispatcher.rules.ledger import Json
from dispatcher.storage.journal import DatabaseJournal, FileJournal, JournalKind, Record
from tests.clock import FixedClock
from tests.stores import ROOT, note, open_journal, ring, run_python

AnyJournal = FileJournal | DatabaseJournal
DIES = """
import os, sys
from pathlib import Path
from dispatcher.keys import read_ring
from tests.stores import open_journal

Path.replace = lambda *_: os._exit(9)
open_journal(sys.argv[1], read_ring(Path(sys.argv[2]))).redact(lambda record: {"forgotten": True})
"""
APPENDS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from dispatcher.keys import read_ring
from tests.stores import note, open_journal

journal = open_journal(sys.argv[1], read_ring(Path(sys.argv[2])))
for turn in range(12):
    journal.append([note(turn)], datetime(2026, 11, 23, 10, tzinfo=UTC))
journal.close()
"""


@pytest.fixture
def journal(journal_url: str, clock: FixedClock) -> Iterator[AnyJournal]:
    """Give a journal with five records: a file, and a second database on PostgreSQL."""
    made = open_journal(journal_url)
    made.create("workspace", clock())
    made.append([note(number) for number in range(2, 6)], clock())
    yield made
    made.close()


def _in_a_file(path: Path, clock: FixedClock) -> FileJournal:
    """Return a journal in a file, with five records."""
    made = FileJournal(path, ring())
    made.create("workspace", clock())
    made.append([note(number) for number in range(2, 6)], clock())
    return made


def without_four(record: Record) -> Mapping[str, Json]:
    """Return a record's body, empty if it is the fourth."""
    return {} if record.number == 4 else record.body


def at_turn(turn: int, record: Record) -> Mapping[str, Json]:
    """Return a record's body, another at each turn if it is the second."""
    return {"turn": turn} if record.number == 2 else record.body


def told(journal: AnyJournal) -> list[tuple[int, JournalKind, str]]:
    """Return number, kind and time of every record, each checked."""
    return [(record.number, record.kind, record.at) for record in journal.records()]


def test_only_the_bodies_change(journal: AnyJournal, journal_url: str) -> None:
    """Numbers, kinds and times stay, the chain holds for this journal and for one that is opened later."""
    before = told(journal)
    assert journal.redact(without_four)
    assert (before, 5) == (told(journal), journal.last())
    again = open_journal(journal_url)
    assert [4] == [record.number for record in again.records() if not record.body]
    again.close()


def test_it_goes_on_from_there(journal: AnyJournal, clock: FixedClock) -> None:
    """What is added afterwards follows the new chain."""
    journal.redact(without_four)
    assert [6] == journal.append([note(6)], clock())
    assert list(range(1, 7)) == [number for number, _, _ in told(journal)]


def test_nothing_to_forget_changes_nothing(journal: AnyJournal) -> None:
    """A journal without what is to be forgotten is left as it is, byte for byte."""
    before = list(journal.records())
    assert journal.redact(lambda record: record.body)
    assert before == list(journal.records())


def test_what_came_before_keeps_its_signature(journal: AnyJournal) -> None:
    """Records before the first that changes keep key and MAC; the others are signed with the current key."""
    before = list(journal.records())
    journal.redact(without_four)
    after = list(journal.records())
    assert before[:3] == after[:3]
    assert not {record.mac for record in before[3:]} & {record.mac for record in after[3:]}


@pytest.mark.usefixtures("journal")
def test_after_a_rotation_the_new_key_signs(journal_url: str) -> None:
    """A redaction with a new key leaves a journal that needs both, and reads."""
    rotated = open_journal(journal_url, ring().with_new(KeyKind.JOURNAL))
    rotated.redact(without_four)
    assert (5, {"1", "2"}) == (len(told(rotated)), rotated.key_ids())
    rotated.close()


def test_a_damaged_journal_is_not_chained_anew(tmp_path: Path, clock: FixedClock) -> None:
    """Whoever altered a record does not get it signed by a redaction: it is refused, and nothing is changed."""
    path = tmp_path / "dispatcher.journal"
    made = _in_a_file(path, clock)
    path.write_bytes(path.read_bytes().replace(b'"test":2', b'"test":7'))
    before = path.read_bytes()
    with pytest.raises(JournalError, match="damaged at record 2"):
        made.redact(lambda record: {} if record.number == 3 else record.body)
    assert before == path.read_bytes()


def test_a_crash_before_the_new_file_is_in_place_leaves_the_old_one(tmp_path: Path, clock: FixedClock) -> None:
    """Killed between writing the new journal and putting it in place, the old one is whole."""
    path, keys = tmp_path / "dispatcher.journal", tmp_path / "secrets.toml"
    made = _in_a_file(path, clock)
    write_ring(keys, ring())
    before = path.read_bytes()
    assert 9 == run_python(DIES, str(path), str(keys), check=False).returncode
    assert before == path.read_bytes()
    assert [6] == made.append([note(6)], clock())
    assert made.redact(without_four)
    assert [4] == [record.number for record in made.records() if not record.body]
    assert [] == [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")]


def test_nobody_writes_into_the_journal_of_before(tmp_path: Path, journal: AnyJournal, journal_url: str) -> None:
    """Processes that add records while the journal is redacted again and again lose none of them."""
    keys = tmp_path / "secrets.toml"
    write_ring(keys, ring())
    command = [sys.executable, "-c", APPENDS, journal_url, str(keys)]
    with ThreadPoolExecutor(2) as pool:
        adding = [pool.submit(subprocess.run, command, cwd=ROOT, check=True, timeout=60) for _ in range(2)]
        turn = 0
        while not all(each.done() for each in adding):
            turn += 1
            journal.redact(partial(at_turn, turn))
        for each in adding:
            each.result()
    assert list(range(1, 30)) == [number for number, _, _ in told(journal)]
    assert turn > 1
