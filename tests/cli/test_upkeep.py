"""The commands that keep an installation in order: persons, keys, copies, the audit and the work that is due."""

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from dispatcher.rules.actor import Role
from dispatcher.wiring import system_clock
from tests.cli.told import Run, actors
from tests.workshop import OWNER

pytestmark = pytest.mark.usefixtures("home")


def test_people_come_and_go(run: Run) -> None:
    """Persons are added, listed and ended; the last owner stays."""
    added = run("person", "add", "Pekka Esimerkki", "--role", "auditor", "--json").json()
    assert {"id": 2, "name": "Pekka Esimerkki", "role": "auditor"} == added
    assert {"name": "Pekka Esimerkki", "ended": True} == run("person", "end", "Pekka Esimerkki", "--json").json()
    listed = run("person", "list", "--json").json()["persons"]
    keys = {"id", "name", "role", "added_at", "ended_at", "email", "language"}
    assert all(keys == set(each) for each in listed)
    assert [True, False] == [each["ended_at"] is None for each in listed]
    assert "Pekka Esimerkki" in run("person", "list").out
    refused = run("person", "end", OWNER)
    assert (1, "add another owner first" in refused.err) == (refused.code, True)


def test_who_acts_is_in_the_ledger(home: Path, run: Run, register: Path) -> None:
    """`--as` decides whose act an entry is; without it, it is the only owner's."""
    run("person", "add", "Saara")
    run("--as", "saara", "client", "import", register)
    assert {"person:2"} == set(actors(home)[-3:])
    run("consent", "withdraw", "maija")
    assert "person:1" == actors(home)[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("consent", "withdraw", "maija"),
        ("client", "import", "register.csv"),
        ("campaign", "schedule", "campaigns/tarjous.toml"),
        ("person", "add", "X"),
        ("person", "end", OWNER),
        ("keys", "rotate", "token"),
        ("db", "restore", "--replay"),
    ],
)
@pytest.mark.usefixtures("campaign")
def test_a_stranger_changes_nothing(home: Path, run: Run, register: Path, words: tuple[str]) -> None:
    """An act in a name that nobody has is refused, naming who is known, and nothing is written."""
    run("client", "import", register)
    before = (actors(home), (home / "secrets.toml").read_bytes())
    told = run("--as", "Nobody", *words)
    assert (1, f"Nobody by the name of 'Nobody' works here. Known: {OWNER}.\n") == (told.code, told.err)
    assert before == (actors(home), (home / "secrets.toml").read_bytes())


def test_two_owners_must_say_who_they_are(run: Run, register: Path) -> None:
    """Where two are owners, an act without `--as` is refused and says what to type."""
    run("person", "add", "Toinen", "--role", Role.OWNER.value)
    told = run("client", "import", register)
    assert (1, "There are 2 owners: say who you are with --as NAME.\n") == (told.code, told.err)
    assert 0 == run("--as", "Toinen", "client", "import", register).code


def test_keys_are_rotated_checked_and_kept(home: Path, run: Run, tmp_path: Path) -> None:
    """A rotated key is in the file and in the ledger; the copy of the keys is whole and for its owner alone."""
    told = run("keys", "rotate", "token", "--json").json()
    assert {"kind": "token", "key": "2"} == told
    assert "person:1" == actors(home)[-1]
    assert {"ok": True, "findings": []} == run("keys", "check", "--json").json()
    copy = tmp_path / "keys.toml"
    assert {"copied_to": str(copy)} == run("keys", "backup", copy, "--json").json()
    assert (home / "secrets.toml").read_bytes() == copy.read_bytes()
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    again = run("keys", "backup", copy)
    assert (1, "already" in again.err) == (again.code, True)


def test_lost_keys_are_missed(home: Path, run: Run, register: Path) -> None:
    """`keys check` exits 1 and says what is lost with a key that the data needs."""
    run("client", "import", register)
    run("keys", "rotate", "hash")
    secrets = home / "secrets.toml"
    lines = secrets.read_text(encoding="utf-8").splitlines()
    del lines[lines.index("[hash]") + 1]
    secrets.write_text("\n".join(lines), encoding="utf-8")
    told = run("keys", "check", "--json")
    assert (1, False) == (told.code, told.json()["ok"])
    assert "Hash key '1' is lost" in told.json()["findings"][0]


def test_keys_are_not_created_over_data(home: Path, run: Run) -> None:
    """New keys are refused where there are keys, and where there is data without them, wherever the data is."""
    refused = run("keys", "create")
    assert (1, "keys rotate KIND" in refused.err) == (refused.code, True)
    (home / "secrets.toml").unlink()
    (home / "dispatcher.db").rename(home / "elsewhere.db")
    settings = home / "dispatcher.toml"
    source = settings.read_text(encoding="utf-8")
    settings.write_text(source.replace("dispatcher.db", "elsewhere.db"), encoding="utf-8")
    refused = run("keys", "create")
    assert (1, "has data but no secrets.toml" in refused.err) == (refused.code, True)
    assert not (home / "secrets.toml").exists()
    (home / "elsewhere.db").unlink()
    assert ["hash", "token", "journal", "seal"] == run("keys", "create", "--json").json()["created"]
    assert 0o600 == stat.S_IMODE((home / "secrets.toml").stat().st_mode)


def test_a_copy_is_made_and_put_back(run: Run, register: Path, tmp_path: Path) -> None:
    """A backup is a verified copy; put back with its replay, it knows the no that came after it."""
    run("client", "import", register)
    copy = tmp_path / "copy.db"
    made = run("db", "backup", copy, "--json").json()
    assert {"copied_to", "bytes", "revision", "rows"} == set(made)
    run("consent", "withdraw", "maija")
    put_back = run("db", "restore", copy, "--yes", "--json").json()
    assert ["replaced_kept_as"] == list(put_back)
    [client] = run("client", "list", "maija", "--json").json()["clients"]
    assert "granted" == client["consent"]["email"]
    refused = run("work", "--once")
    assert (1, "`dispatcher db restore --replay`" in refused.err) == (refused.code, True)
    replayed = run("db", "restore", "--replay", "--json").json()["replayed"]
    assert {
        "records",
        "answers",
        "suppressions",
        "marks",
        "incoming",
        "requests",
        "blocks",
        "erased",
        "clients",
        "slots",
        "campaigns",
        "unknown",
    } == set(replayed)
    [client] = run("client", "list", "maija", "--json").json()["clients"]
    assert "withdrawn" == client["consent"]["email"]
    assert 0 == run("work", "--once").code


def test_a_restore_needs_to_know_what(home: Path, run: Run) -> None:
    """`db restore` without a file or --replay says what to type; a file that is no copy is refused."""
    assert "--replay" in run("db", "restore").err
    (home / "x.db").write_text("not a copy", encoding="utf-8")
    told = run("db", "restore", "x.db", "--yes")
    assert (1, "x.db" in told.err) == (told.code, True)


def test_an_upgrade_twice_is_as_once(run: Run) -> None:
    """`db upgrade` on tables of this version leaves everything as it is."""
    assert {"upgraded": True} == run("db", "upgrade", "--json").json()
    assert {"upgraded": True} == run("db", "upgrade", "--json").json()
    assert [OWNER] == [each["name"] for each in run("person", "list", "--json").json()["persons"]]


def test_the_audit_prints_its_object(run: Run, register: Path) -> None:
    """`audit year` and `audit verify` exit 0 on an untouched ledger, as one object each."""
    run("client", "import", register)
    year = run("audit", "year", system_clock().year, "--json")
    assert (0, True) == (year.code, year.json()["ok"])
    verified = run("audit", "verify", "--json")
    assert (0, True) == (verified.code, verified.json()["ok"])


def test_the_audit_of_a_year_that_cannot_be(run: Run) -> None:
    """The last year whose windows end within the calendar is audited; the one after it is refused in a sentence."""
    assert 0 == run("audit", "year", 9998, "--json").code
    told = run("audit", "year", 9999)
    assert (2, True) == (told.code, "9999 is not in the range" in told.err)


def test_a_touched_ledger_ends_badly(home: Path, run: Run) -> None:
    """One changed entry, and `audit verify` exits 1."""
    with sqlite3.connect(home / "dispatcher.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE ledger_entry SET actor = 'person:9' WHERE id = 2")
    database.close()
    told = run("audit", "verify", "--json")
    assert (1, False) == (told.code, told.json()["ok"])


def test_nothing_due_is_done_at_once(run: Run) -> None:
    """`work --once` with nothing due exits 0 and prints no result."""
    told = run("work", "--once")
    assert (0, "") == (told.code, told.out)


def test_what_was_in_the_way_makes_a_bad_exit(home: Path, run: Run) -> None:
    """Where the journal is missing, `work --once` exits 1 and says which file to put back."""
    (home / "dispatcher.journal").rename(home / "away")
    told = run("work", "--once")
    assert 1 == told.code
    assert "The journal dispatcher.journal cannot be opened" in told.err
    assert "nothing is sent" in told.err


def test_json_is_one_object_on_an_empty_register(run: Run) -> None:
    """Every command that only looks prints one object on a workspace that has just begun."""
    looks = [("client", "list"), ("campaign", "list"), ("person", "list"), ("keys", "check"), ("audit", "verify")]
    for words in looks:
        told = run(*words, "--json")
        assert 0 == told.code, words
        assert json.dumps(told.json(), indent=2, ensure_ascii=False) + "\n" == told.out, words
