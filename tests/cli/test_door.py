"""How the command line speaks to pipes, terminals, scripts and people: exit codes, tables, errors, questions."""

import json
import os
import pty
import re
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from dispatcher.cli import door
from dispatcher.settings import read_settings
from tests.cli.told import ASKED, Run
from tests.workshop import OWNER

PROGRAM = [sys.executable, "-m", "dispatcher"]
ADDRESS, NUMBER, MOMENT = "m***@p***.example", "123456789012345", "24.11.2026 10:00"


def started(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Run the program as a shell does."""
    command = [*PROGRAM, *words]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@contextmanager
def terminal(columns: int) -> Iterator[list[str]]:
    """Stand on a terminal of this width, and gather the lines it shows once the block has ended."""
    reader, writer = pty.openpty()
    lines: list[str] = []
    with os.fdopen(reader, "rb", buffering=0) as seen:
        with os.fdopen(writer, "w", encoding="utf-8") as shown, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", shown)
            patch.setenv("COLUMNS", str(columns))
            patch.setenv("TERM", "xterm")
            patch.setattr(door, "_console", Console(highlight=False, markup=False, emoji=False, soft_wrap=True))
            yield lines
        said = b""
        with suppress(OSError):  # how a terminal ends that nobody writes to any more
            while more := seen.read(4096):
                said += more
    lines += re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).splitlines()


def a_table() -> None:
    """Print a table that needs 100 columns, with a text of two sentences."""
    rows = [[NUMBER, ADDRESS, MOMENT, "Saako lähettää tarjouksia sähköpostitse ja tietoa hoitopäivistä?"]]
    door.say_table(["number", "address", "given", "asked in these words"], rows, texts=["asked in these words"])


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Printed to a pipe, a row is one line, however long: nothing is cut and no word wraps."""
    rows = [[NUMBER, ADDRESS, MOMENT, "sana " * 60]]
    door.say_table(["number", "address", "given", "words"], rows)
    _, line = capsys.readouterr().out.splitlines()
    assert line.split("  ") == [NUMBER, ADDRESS, MOMENT, ("sana " * 60)]


@pytest.mark.parametrize("columns", [120, 80, 50, 20])
def test_a_narrow_terminal_cuts_no_address(columns: int) -> None:
    """On a terminal of any width, text wraps between words, and no address, number or moment is cut."""
    with terminal(columns) as lines:
        a_table()
    said = "\n".join(lines)
    assert "…" not in said
    for whole in (NUMBER, ADDRESS, MOMENT):
        assert sum(whole in line for line in lines) == 1
    words = [word for line in lines for word in line.split()]
    assert {"Saako", "lähettää", "tarjouksia", "sähköpostitse", "hoitopäivistä?"} <= set(words)


def test_a_wide_terminal_needs_one_line() -> None:
    """Where the terminal is wide enough, a row is one line; where it is not, its text takes several."""
    with terminal(160) as wide:
        a_table()
    with terminal(80) as narrow:
        a_table()
    assert 2 == len(wide)
    assert len(narrow) > 2
    assert max(map(len, narrow)) <= 80


def test_wrong_usage_is_two(run: Run) -> None:
    """An unknown option, command or value, and a missing argument, exit 2 with click's own words, and no traceback."""
    for words in (["--nonsense"], ["nonsense"], ["campaign", "check"], ["keys", "rotate", "nonsense"]):
        told = run(*words)
        assert (2, "") == (told.code, told.out), words
        assert "Error: " in told.err or "Usage: " in told.err, words


def test_a_missing_workspace_is_named(run: Run, tmp_path: Path) -> None:
    """Away from a workspace, a command says where it looked and how to name or begin one."""
    told = run("--workspace", tmp_path, "campaign", "list")
    assert 1 == told.code
    assert str(tmp_path) in told.err
    assert "dispatcher init DIR" in told.err


def test_the_environment_names_the_workspace(
    home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`DISPATCHER_WORKSPACE` stands in for --workspace, and --workspace above it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISPATCHER_WORKSPACE", str(home))
    assert 0 == run("person", "list").code
    assert 1 == run("--workspace", tmp_path / "nowhere", "person", "list").code


def test_every_fault_of_the_settings_is_a_sentence(home: Path, run: Run) -> None:
    """Settings that cannot be used stop every command with a line for each fault, and no traceback."""
    (home / "dispatcher.toml").write_text('[email]\nhots = "x"\nport = "y"\n', encoding="utf-8")
    told = run("client", "list")
    assert 1 == told.code
    assert "Traceback" not in told.err
    assert "[email] hots" in told.err
    assert "[email] port" in told.err


def test_missing_secrets_are_named(home: Path, run: Run) -> None:
    """Without the secrets file nothing is opened, and the sentence names the file."""
    (home / "secrets.toml").unlink()
    told = run("client", "list")
    assert (1, "secrets.toml cannot be read" in told.err) == (told.code, True)


def test_secrets_that_others_may_read_are_refused(home: Path, run: Run) -> None:
    """A secrets file of mode 0644 is refused with the command that mends it."""
    (home / "secrets.toml").chmod(0o644)
    told = run("client", "list")
    assert (1, "chmod 600 secrets.toml" in told.err) == (told.code, True)


def test_a_database_of_another_version_is_named(home: Path, run: Run) -> None:
    """A database whose tables are of another version is refused with both versions."""
    with sqlite3.connect(home / "dispatcher.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for words in (("client", "list"), ("db", "upgrade")):
        told = run(*words)
        assert 1 == told.code, words
        assert "The database is at 9999, which this version of the program does not know" in told.err, words


def test_a_no_needs_its_journal(home: Path, run: Run, register: Path) -> None:
    """L-34: without the journal a no cannot be kept, so the desk hears that it was not."""
    run("client", "import", register)
    (home / "dispatcher.journal").rename(home / "away")
    told = run("consent", "withdraw", "maija")
    assert (1, "") == (told.code, told.out)
    assert "The journal dispatcher.journal cannot be opened" in told.err
    (home / "away").rename(home / "dispatcher.journal")
    [client] = run("client", "list", "maija", "--json").json()["clients"]
    assert "granted" == client["consent"]["email"]


def test_a_locked_database_is_waited_for(home: Path, run: Run, register: Path) -> None:
    """A command waits while another process writes, and then does its work."""
    run("client", "import", register)
    with sqlite3.connect(home / "dispatcher.db", isolation_level=None, check_same_thread=False) as other:
        other.execute("BEGIN IMMEDIATE")
        letting_go = threading.Timer(0.7, other.rollback)
        letting_go.start()
        told = run("consent", "withdraw", "maija", "--json")
        assert not letting_go.is_alive()
        letting_go.join()
    other.close()
    assert (0, True) == (told.code, told.json()["withdrawn"])


def test_a_folder_that_is_a_file_is_named(home: Path, run: Run) -> None:
    """What the machine refuses is a sentence with the file's name, not a traceback."""
    (home / "taken").write_text("", encoding="utf-8")
    for name in ("taken", "taken/below"):
        told = run("init", name)
        assert 1 == told.code
        assert "taken" in told.err
        assert "Traceback" not in told.err


def test_a_full_disk_is_a_sentence(home: Path, run: Run, register: Path) -> None:
    """Where nothing more can be written, a command says so and exits 1."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    run("client", "import", register)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        told = run("db", "backup", "copy.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (1, "") == (told.code, told.out)
    assert "Traceback" not in told.err
    assert not (home / "copy.db").exists()


def test_init_is_given_again_after_a_fault(tmp_path: Path, run: Run) -> None:
    """What a faulty `init` began does not stand in the way of the corrected one."""
    studio = tmp_path / "studio"
    faulty = run("init", studio, "--phone", "1")
    assert (1, "[studio] phone" in faulty.err) == (faulty.code, True)
    nowhere = "postgresql://nobody@127.0.0.1:1/"
    away = run("init", studio, "--database", f"{nowhere}a", "--journal", f"{nowhere}b")
    assert (1, "The database did not answer" in away.err) == (away.code, True)
    nobody = run("init", studio, "--owner-email", "kissa")
    assert (1, "'kissa' is no email address" in nobody.err) == (nobody.code, True)
    assert [] == list(studio.iterdir())
    begun = run("init", studio, "--owner", OWNER, "--json")
    assert {"workspace": str(studio), "owner": OWNER, "declared": 0} == begun.json()
    again = run("init", studio)
    assert (1, "Nothing was changed." in again.err) == (again.code, True)


def test_init_quotes_what_it_is_told(tmp_path: Path, run: Run) -> None:
    """A name with quotes, dollars and line breaks is a text in the settings, never a setting of its own."""
    name = 'Studio "$Ä" \\ #\n[sms]\nprovider = "x"'
    run("init", tmp_path / "studio", "--name", name)
    assert name == read_settings(tmp_path / "studio").studio.name


def test_init_begins_a_whole_workspace(home: Path) -> None:
    """A workspace has its settings, campaigns, templates, keys, database and journal, and hides what is private."""
    names = {path.name for path in home.iterdir()}
    assert {"dispatcher.toml", "campaigns", "templates", "secrets.toml", "dispatcher.db", "dispatcher.journal"} <= names
    ignored = (home / ".gitignore").read_text(encoding="utf-8").split()
    assert {"secrets.toml", "*.db*", "*.journal", "preview/"} <= set(ignored)


def test_the_program_itself(tmp_path: Path) -> None:
    """Typed in a shell, the first steps work: begin, import, and a pipe that closes early makes no noise."""
    studio = tmp_path / "studio"
    begun = started("init", "studio", "--owner", OWNER, at=tmp_path)
    assert (0, "") == (begun.returncode, begun.stderr)
    assert f"{OWNER} is its owner" in begun.stdout
    rows = [f"{each};N;E;c{each}@posti.example;;fi;{ASKED};kyllä;{ASKED}" for each in range(200)]
    header = "asiakasnumero;etunimi;sukunimi;sähköposti;puhelin;kieli;viimeisin käynti;markkinointilupa;lupa annettu"
    (studio / "r.csv").write_text("\n".join([header, *rows]), encoding="cp1252")
    taken = started("--as", OWNER, "client", "import", "r.csv", at=studio)
    assert (0, "200  created" in taken.stdout) == (taken.returncode, True)
    assert "rows: 200 of 200" in taken.stderr
    shell = f'"{sys.executable}" -m dispatcher client list | head -1; exit ${{PIPESTATUS[0]}}'
    piped = subprocess.run(["bash", "-c", shell], cwd=studio, capture_output=True, text=True, check=False)
    columns = ["number", "name", "email", "phone", "email", "consent", "SMS", "consent", "now"]
    assert columns == piped.stdout.split()
    assert "" == piped.stderr


def test_json_has_one_form_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    """An instant is UTC with a closing Z, as in the ledger, wherever it comes from; a day is a day."""
    helsinki = datetime(2026, 5, 1, 12, tzinfo=ZoneInfo("Europe/Helsinki"))
    door.say_json({"at": helsinki, "day": date(2026, 5, 1), "none": None})
    told = json.loads(capsys.readouterr().out)
    assert {"at": "2026-05-01T09:00:00.000000Z", "day": "2026-05-01", "none": None} == told


def test_no_command_writes_a_time_itself() -> None:
    """Commands hand instants and days to `say_json`, which has the one form of them."""
    home = Path(door.__file__).parent
    assert ["door.py"] == [path.name for path in home.glob("*.py") if ".isoformat(" in path.read_text("utf-8")]


def test_lists_have_that_form(run: Run, register: Path, campaign: Path) -> None:
    """No list and no view prints an instant with an offset."""
    assert 0 == run("client", "import", register).code
    assert 0 == run("campaign", "schedule", campaign).code
    assert 0 == run("api-key", "create", "Ajanvaraus", "--scope", "verdict:read").code
    nouns = ("person", "campaign", "api-key", "client")
    views = [(noun, "list") for noun in nouns] + [("consent", "wordings", "list"), ("client", "show", "maija")]
    for words in [*views, ("campaign", "status", "tarjous"), ("retention", "show"), ("consent", "history", "maija")]:
        told = run(*words, "--json")
        assert (0, False) == (told.code, "+00:00" in told.out), words
        assert "Z" in told.out or words == ("client", "list"), words
