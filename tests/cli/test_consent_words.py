"""`consent wordings` and `consent source` as a person types them: what they say, ask, warn of and refuse."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner, Result

from dispatcher.cli import cli, source_questions
from dispatcher.rules.wording import wording_hash
from dispatcher.wiring import system_clock
from tests.cli.told import ASKED, Run
from tests.clock import FixedClock
from tests.spreadsheets import write_workbook
from tests.workshop import Workshop

WORDS = "Saammeko lähettää tarjouksia sähköpostitse?"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
TOLD = ("--column", "lupa=email", "--since", "1.5.2025", "--wording", WORDS, "--box-empty", "--no-picture")
VISITS = ("--asked", "each-booking", "--last-visit")


def added(run: Run, words: str = WORDS, version: str = "1") -> str:
    """Add a wording and return its hash."""
    told = run("consent", "wordings", "add", words, "--language", "fi", "--version", version, "--json")
    assert 0 == told.code, told.err
    return str(told.json()["wording"])


@pytest.mark.usefixtures("home")
def test_a_wording_is_added_shown_listed_and_removed(run: Run) -> None:
    """Each command says what the text names, and prints the same as one JSON object."""
    assert "There are no wordings yet" in run("consent", "wordings", "list").out
    told = run("consent", "wordings", "add", WORDS, "--language", "fi", "--version", "2026-1")
    digest = wording_hash(WORDS)
    assert (0, True) == (told.code, f"Wording {digest[:12]}, fi version 2026-1:" in told.out)
    assert "It names email; a yes to it opens nothing else." in told.out
    shown = run("consent", "wordings", "show", digest[:6], "--json").json()
    assert {
        "wording": digest,
        "text": WORDS,
        "channels": ["email"],
        "language": "fi",
        "version": "2026-1",
        "added_at": shown["added_at"],
        "answers": 0,
        "asked_for": ["email"],
    } == shown
    for line in (WORDS, f"hash      {digest}", "version   2026-1", "answers   0", "asked now by email"):
        assert line in run("consent", "wordings", "show", digest[:6]).out
    assert [shown] == run("consent", "wordings", "list", "--json").json()["wordings"]
    assert digest[:12] in run("consent", "wordings", "list").out
    assert {"wording": digest, "removed": True} == run("consent", "wordings", "remove", digest, "--json").json()
    assert [] == run("consent", "wordings", "list", "--json").json()["wordings"]


def test_a_wording_may_stand_in_a_file(home: Path, run: Run) -> None:
    """Line breaks of a file are spaces; a missing file, another encoding and both ways at once are refused."""
    (home / "sanat.txt").write_text(f"\ufeff{WORDS[:20]}\r\n{WORDS[20:]}\n", encoding="utf-8")
    (home / "latin.txt").write_text(WORDS, encoding="cp1252")
    label = ("--language", "fi", "--version", "1")
    for words, code, says in (
        (("--file", "missing.txt"), 1, "missing.txt cannot be read"),
        (("--file", "latin.txt"), 1, "latin.txt is not UTF-8"),
        ((WORDS, "--file", "sanat.txt"), 2, "Give the text of the question, or the file"),
        ((), 2, "Give the text of the question, or the file"),
    ):
        told = run("consent", "wordings", "add", *words, *label)
        assert (code, "", True) == (told.code, told.out, says in told.err), told.err
    assert 0 == run("consent", "wordings", "add", "--file", "sanat.txt", *label).code
    (only,) = run("consent", "wordings", "list", "--json").json()["wordings"]
    assert f"{WORDS[:20].strip()} {WORDS[20:].strip()}" == only["text"]


@pytest.mark.usefixtures("home")
def test_a_wording_without_a_channel_is_refused(run: Run) -> None:
    """L-01: a question that names neither channel could open neither, and the sentence says what to write."""
    told = run("consent", "wordings", "add", "Saammeko lähettää tarjouksia?", "--language", "fi", "--version", "1")
    assert (1, "") == (told.code, told.out)
    assert "names neither email nor text messages" in told.err


def test_a_source_is_told_by_options(home: Path, run: Run) -> None:
    """Every reply is an option; list and show print the same, and the picture comes back byte for byte."""
    assert "There are no sources" in run("consent", "source", "list").out
    (home / "lomake.png").write_bytes(PNG)
    digest = added(run)
    told = run(
        *(
            "consent",
            "source",
            "add",
            "Slotti",
            "--column",
            "Markkinointi = sallittu=email,sms",
            "--since",
            "2026-05-01",
        ),
        *("--wording", digest[:10], "--box-ticked", "--asked", "once", "--card-column", "Kortti luotu"),
        *("--picture", "lomake.png", "--place", "in_person", "--yes-word", "ok", "--json"),
    )
    assert 0 == told.code, told.err
    expected = told.json()
    assert {
        "number": 1,
        "name": "Slotti",
        "questions": [
            {"column": "Markkinointi = sallittu", "channels": ["email", "sms"], "wording": digest, "text": WORDS}
        ],
        "since": "2026-05-01",
        "box": "ticked",
        "asked": "once",
        "occasion": "card",
        "day_column": "Kortti luotu",
        "place": "in_person",
        "picture": hashlib.sha256(PNG).hexdigest(),
        "added_at": expected["added_at"],
        "ended_at": None,
        "voided_at": None,
        "warnings": [
            "The box was ticked beforehand: no yes of this source is ever used.",
            'The words of "Markkinointi = sallittu" do not name text messages: no yes of that column opens it.',
        ],
    } == expected
    assert [expected] == run("consent", "source", "list", "--json").json()["sources"]
    assert expected == run("consent", "source", "show", "slotti", "--picture", "copy.png", "--json").json()
    assert PNG == (home / "copy.png").read_bytes()
    again = run("consent", "source", "show", "slotti", "--picture", "copy.png")
    assert (1, "copy.png is there already") == (again.code, again.err[:25])
    shown = run("consent", "source", "show", "Slotti")
    assert 'asked once, on the day in "Kortti luotu"' in shown.out
    assert 2 == shown.err.count("CAREFUL")
    listed = run("consent", "source", "list").out
    assert "1.5.2026" in listed
    assert "ticked beforehand" in listed
    ended = run("consent", "source", "end", "Slotti", "--json").json()
    assert ended["ended_at"] is not None
    assert 1 == run("consent", "source", "end", "Slotti").code
    assert 0 == run("audit", "verify").code


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ((), "NAME"),
        (("Slotti",), "--column"),
        (("Slotti", *TOLD[:2]), "--since"),
        (("Slotti", *TOLD[:4]), "--wording"),
        (("Slotti", *TOLD[:6], *VISITS), "--box-empty or --box-ticked"),
        (("Slotti", *TOLD), "--asked"),
        (("Slotti", *TOLD, "--asked", "each-booking"), "--booking-column or --last-visit"),
        (("Slotti", *TOLD, "--asked", "once"), "--card-column"),
        (("Slotti", *TOLD[:-1], *VISITS), "--picture or --no-picture"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("home")
def test_where_nobody_can_be_asked_the_option_is_named(run: Run, words: tuple[str, ...], missing: str) -> None:
    """Without a terminal a missing reply is wrong usage, names its option, and keeps nothing."""
    told = run("consent", "source", "add", *words)
    assert (2, "") == (told.code, told.out)
    assert f"Missing {missing}." in told.err
    assert [] == run("consent", "source", "list", "--json").json()["sources"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--column", "lupa"), 2, "write the column and its channels"),
        (("--column", "=email"), 2, "write the column and its channels"),
        (("--column", "lupa=fax"), 2, "write the column and its channels"),
        (("--since", "31.2.2026"), 2, "is no day: write it as 3.2.2026"),
        (("--since", "1.1.2090"), 1, "does not stand in the form yet"),
        (("--wording", "Toinen?"), 2, "once for each, in their order"),
        (("--wording", "abcdef0123"), 1, "No wording begins with"),
        (("--card-column", "x"), 2, "goes with --booking-column or --last-visit"),
        (("--booking-column", "x"), 2, "goes with --booking-column or --last-visit"),
        (("--column", "LUPA=sms"), 1, "Name each column of answers once"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("home")
def test_replies_that_do_not_fit_are_refused(run: Run, words: tuple[str, ...], code: int, says: str) -> None:
    """What cannot be meant is a sentence, and keeps nothing."""
    usual = TOLD if words[0] != "--wording" or words[1] == "Toinen?" else (*TOLD[:4], *TOLD[6:])
    told = run("consent", "source", "add", "Slotti", *usual, *VISITS, *words)
    assert (code, "") == (told.code, told.out)
    assert says in told.err
    assert [] == run("consent", "source", "list", "--json").json()["sources"]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Give a way to run a command at a terminal where somebody types these lines."""
    monkeypatch.setattr(source_questions, "is_interactive", lambda: True)

    def asked(*words: str, lines: tuple[str, ...]) -> Result:
        return CliRunner().invoke(cli, words, input="".join(f"{line}\n" for line in lines))

    return asked


def test_a_terminal_is_asked_for_everything(home: Path, run: Run, ask: Callable[..., Result]) -> None:
    """On a terminal each reply is asked for once, a mistyped one again, and the source is the same as by options."""
    (home / "lomake.pdf").write_bytes(b"%PDF-1.7")
    lines = (
        *("Slotti", "sähköpostilupa", "email", "tekstiviestilupa", "sms", "", "eilen", "1.5.2026"),
        *(WORDS, "Saammeko lähettää tarjouksia tekstiviestillä?", "each-booking", "varattu", "y", "lomake.pdf"),
    )
    done = ask("consent", "source", "add", "--json", lines=lines)
    assert done.exit_code == 0, done.output
    assert "is no day: write it as 3.2.2026" in done.output
    (kept,) = run("consent", "source", "list", "--json").json()["sources"]
    assert kept == json.loads(done.stdout[done.stdout.index("{") :])
    assert [("sähköpostilupa", ["email"]), ("tekstiviestilupa", ["sms"])] == [
        (each["column"], each["channels"]) for each in kept["questions"]
    ]
    assert ("2026-05-01", "booking", "varattu", "empty", []) == (
        *(kept["since"], kept["occasion"], kept["day_column"], kept["box"]),
        kept["warnings"],
    )
    assert hashlib.sha256(b"%PDF-1.7").hexdigest() == kept["picture"]


@pytest.mark.usefixtures("home")
def test_a_terminal_may_say_that_there_is_none(run: Run, ask: Callable[..., Result]) -> None:
    """A dash says that only visits are exported, and that there is no picture."""
    lines = ("Slotti", "lupa", "both", "", "1.5.2026", WORDS, "each-booking", "-", "n", "-")
    assert ask("consent", "source", "add", lines=lines).exit_code == 0
    (kept,) = run("consent", "source", "list", "--json").json()["sources"]
    assert ("visit", None, "ticked", None) == (kept["occasion"], kept["day_column"], kept["box"], kept["picture"])
    assert ["email", "sms"] == kept["questions"][0]["channels"]


def test_a_spreadsheet_is_imported_by_its_sheet(home: Path, run: Run) -> None:
    """`client import` reads XLSX, says which sheet, and takes the one that `--sheet` names."""
    header = ["Nimi", "Sähköposti", "Lupa"]
    sheets = {
        "Asiakkaat": [header, ["Maija M", "maija@posti.example", "x"]],
        "Vanhat": [header, ["Matti M", "matti@posti.example", "x"], ["Anna M", "anna@posti.example", "ei"]],
    }
    path = write_workbook(home / "r.xlsx", sheets)
    assert 0 == run("consent", "source", "add", "Slotti", *TOLD, *VISITS).code
    told = run("client", "import", path, "--dry-run")
    assert (0, True) == (told.code, "r.xlsx: XLSX, sheet Asiakkaat" in told.out)
    told = run("client", "import", path, "--sheet", "Vanhat", "--source", "slotti", "--json")
    assert (0, "Vanhat", "", 2) == (told.code, *(told.json()[key] for key in ("sheet", "delimiter", "created")))
    missing = run("client", "import", path, "--sheet", "Uudet")
    assert (1, True) == (missing.code, "Its sheets are: Asiakkaat, Vanhat." in missing.err)
    unknown = run("client", "import", path, "--source", "Kauppa")
    assert (1, True) == (unknown.code, "There are: Slotti." in unknown.err)


def test_the_starter_settings_still_read_their_columns(home: Path, run: Run) -> None:
    """The sample columns of the settings, once in use, are taken without any source."""
    header = "nimi;sähköposti;markkinointilupa;lupa annettu"
    path = Workshop(home, FixedClock(system_clock())).register("Maija;m@posti.example;kyllä;1.10.2026", header=header)
    told = run("client", "import", path, "--dry-run", "--json").json()
    assert (1, ["tekstiviestilupa"]) == (told["created"], told["missing_columns"])


def test_a_source_is_voided_after_a_question(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--void` says how many yeses it takes away and asks; --yes answers; list, show and JSON say so afterwards."""
    assert 0 == run("consent", "source", "add", "Slotti", *TOLD, *VISITS).code
    rows = f"nimi;sähköposti;lupa;viimeisin käynti\nMaija M;maija@posti.example;x;{ASKED}\n"
    (home / "r.csv").write_text(rows, encoding="utf-8")
    assert {"email": 1} == run("client", "import", home / "r.csv", "--json").json()["may_write"]["send"]
    monkeypatch.setattr("click.confirm", refuse := Mock(side_effect=click.Abort))
    asked = run("consent", "source", "end", "Slotti", "--void")
    assert (1, True) == (asked.code != 0, "It takes away 1 standing yeses (1 by email and 0 by sms)" in asked.err)
    assert 1 == refuse.call_count
    done = run("consent", "source", "end", "Slotti", "--void", "--yes", "--json").json()
    assert ({"email": 1, "sms": 0}, 1, True) == (done["yeses_taken"], done["clients"], done["voided_at"] is not None)
    assert "Slotti, source 1, void" in run("consent", "source", "show", "Slotti").out
    assert "ticked beforehand" in run("consent", "source", "list").out
    assert {} == run("client", "import", home / "r.csv", "--json").json()["may_write"]["send"]
    again = run("consent", "source", "end", "1", "--void", "--yes")
    assert (1, True) == (again.code, "is void already" in again.err)
