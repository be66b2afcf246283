"""What an auditor gets at the command line: masked views, and a refusal of whole ones and of every act but a no."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dispatcher.cli import cli
from tests.cli.told import Run, actors

pytestmark = pytest.mark.usefixtures("home")
AUDITOR = ("--as", "Tarkka Tilintarkastaja")
MAIJA = "maija@posti.example"
FILE = "campaigns/tarjous.toml"
ACTS = {
    "api-key create": ("Ajanvaraus", "--scope", "verdict:read"),
    "api-key revoke": ("1",),
    "campaign cancel": ("tarjous", "--yes"),
    "campaign declare": ("1.2.2026", "Kevät", "--channel", "email", "--count", "3"),
    "campaign hold": ("tarjous",),
    "campaign reconcile": ("tarjous",),
    "campaign release": ("tarjous",),
    "campaign reserve": ("1.12.2026", "offer", "Talvi"),
    "campaign revise": ("tarjous",),
    "campaign schedule": (FILE,),
    "campaign test": (FILE,),
    "client block": (MAIJA, "--reason", "law", "--keep", "name", "--until", "1.1.2099"),
    "client child": (MAIJA,),
    "client correct": (MAIJA, "--first-name", "Maj", "--identity", "known"),
    "client erase": (MAIJA, "--identity", "known", "--yes"),
    "client import": ("register.csv",),
    "client request": (MAIJA, "erasure"),
    "client restrict": (MAIJA, "--identity", "known"),
    "consent fewer": (MAIJA, "--pause"),
    "consent record": (MAIJA, "--answer", "granted", "--channel", "email", "--place", "phone"),
    "consent source add": (
        *("Slotti", "--column", "lupa=email", "--wording", "Saako?", "--since", "1.1.2026", "--place", "online"),
        *("--box-empty", "--asked", "each-booking", "--last-visit", "--no-picture"),
    ),
    "consent source end": ("Slotti",),
    "consent topics": (MAIJA, "--only", "offer"),
    "consent wordings add": ("Saako?", "--language", "fi", "--version", "1"),
    "audit close": ("2020",),
    "consent wordings remove": ("abcdef",),
    "db backup": ("copy.db",),
    "db restore": ("copy.db", "--replay", "--yes"),
    "desk": (),
    "keys dkim create": ("--selector", "s2"),
    "keys rotate": ("token",),
    "notice publish": ("--yes",),
    "person add": ("Uusi",),
    "person end": ("Tarkka Tilintarkastaja",),
    "person reach": ("Tarkka Tilintarkastaja", "--email", "t@tarkka.example"),
    "inbox release": ("1", "--yes"),
    "retention run": ("--confirm",),
    "run": (),
    "web": (),
    "work": ("--once",),
}
"""What changes something, sends, or gives the whole register out of hand, and how it is given."""
MORE_ACTS = [
    ("campaign", "declare", "--undo", "1"),
    ("client", "block", "--end", "1"),
    ("client", "child", MAIJA, "--not"),
    ("client", "import", "register.csv", "--dry-run"),
    ("client", "import", "--no-list", "register.csv"),
    ("client", "request", "--close", "1"),
    ("client", "restrict", MAIJA, "--lift"),
    ("consent", "source", "end", "Slotti", "--void", "--yes"),
    ("db", "restore", "--replay"),
    ("retention", "run"),
    ("today", "--seen"),
]
OPEN = {
    *(
        "api-key list",
        "audit bundle",
        "audit looks",
        "audit sample",
        "audit seals",
        "audit verify",
        "audit why",
        "audit year",
        "breach-scope",
        "client export",
        "client list",
        "client requests",
    ),
    *("campaign audience", "campaign check", "campaign list", "campaign preview", "campaign status", "campaign year"),
    *("client show", "consent ask-list", "consent forecast", "consent history", "consent poster", "consent receipt"),
    *("consent source list", "consent source show", "consent wordings list", "consent wordings show", "doctor"),
    *("inbox list", "inbox show", "inbox withdraw"),
    *("keys check", "notice", "notice diff", "notice list", "person list", "retention show", "ropa", "today"),
    "consent withdraw",
}
"""What only looks, masked or refused by the view itself; and a no, which nobody is refused."""
NOBODY_IS_ASKED = {"demo", "init", "db upgrade", "keys backup", "keys create"}
"""What is given where no person can be looked up: before there are any, or before the tables can be read."""


def commands(group: click.Group, *path: str) -> Iterator[str]:
    """Yield every command there is, in words."""
    for name, command in group.commands.items():
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join([*path, name])
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.fixture(autouse=True)
def hired(run: Run, register: Path) -> None:
    """Take two clients in, and an auditor on."""
    assert 0 == run("client", "import", register).code
    assert 0 == run("person", "add", AUDITOR[1], "--role", "auditor").code


@pytest.mark.parametrize(
    "words",
    [
        ("client", "show", "maija@posti.example", "--full"),
        ("client", "export", "maija@posti.example", "--json", "--identity", "known"),
        ("client", "export", "maija@posti.example", "--out", "told.json", "--identity", "known"),
        ("consent", "receipt", "maija@posti.example"),
        ("consent", "receipt", "maija@posti.example", "--out", "told.json"),
        ("consent", "ask-list"),
        ("consent", "ask-list", "--html", "told.html", "--json"),
        ("breach-scope", "--full", "told.json"),
    ],
)
def test_an_auditor_is_refused_whole_views(home: Path, run: Run, words: tuple[str, ...]) -> None:
    """Exit code 1, nothing shown, no file written, and no request on record."""
    told = run(*AUDITOR, *words)
    assert (1, "", True) == (told.code, told.out, "An auditor sees masked addresses" in told.err)
    assert [] == list(home.glob("told.*"))
    assert [] == run("client", "requests", "--all", "--json").json()["requests"]
    assert 0 == run(*words).code


@pytest.mark.parametrize(
    "words",
    [
        ("client", "show", "maija@posti.example"),
        ("client", "list"),
        ("consent", "history", "maija@posti.example"),
        ("breach-scope",),
        ("retention", "show"),
    ],
)
def test_an_auditor_sees_masked_addresses(run: Run, words: tuple[str, ...]) -> None:
    """The masked views are the auditor's as well."""
    told = run(*AUDITOR, *words)
    assert (0, False) == (told.code, "maija@posti.example" in told.out)


def test_every_command_is_an_act_or_a_look() -> None:
    """A new command has to say here whether an auditor may give it; what changes something is refused by itself."""
    assert sorted(commands(cli)) == sorted([*ACTS, *OPEN, *NOBODY_IS_ASKED])


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("words", [(*name.split(), *more) for name, more in ACTS.items()] + MORE_ACTS, ids=" ".join)
def test_an_auditor_changes_nothing(home: Path, run: Run, words: tuple[str, ...]) -> None:
    """An act in an auditor's name is refused in one sentence, and nothing is written to ledger, keys or files."""
    before = (actors(home), (home / "secrets.toml").read_bytes(), sorted(home.rglob("*.db")))
    named = [*words, *AUDITOR] if words == ("desk",) else [*AUDITOR, *words]
    told = run(*named)
    assert (1, "") == (told.code, told.out)
    assert "Tarkka Tilintarkastaja is an auditor, who looks and changes nothing: owner and staff do this." in told.err
    assert before == (actors(home), (home / "secrets.toml").read_bytes(), sorted(home.rglob("*.db")))


def test_an_auditor_sees_no_client_in_a_preview(run: Run, campaign: Path) -> None:
    """A preview made for one client shows their address whole: an auditor gets that of an invented reader alone."""
    told = run(*AUDITOR, "campaign", "preview", campaign, "--client", MAIJA, "--json")
    assert (1, "", True) == (told.code, told.out, "An auditor sees masked addresses" in told.err)
    assert 0 == run(*AUDITOR, "campaign", "preview", campaign, "--json").code
    assert 0 == run("campaign", "preview", campaign, "--client", MAIJA, "--json").code


def test_an_auditor_takes_a_no(run: Run) -> None:
    """A no is refused nobody, whoever hears it; the ledger says who did."""
    assert 0 == run(*AUDITOR, "consent", "withdraw", MAIJA).code
    last = run("consent", "history", MAIJA, "--json").json()["answers"][-1]
    assert ("withdrawn", AUDITOR[1]) == (last["reply"], last["recorded_by"])


def test_blocks_are_looked_at_by_an_auditor(run: Run) -> None:
    """Of a command that acts and looks, the look is the auditor's too."""
    assert 0 == run(*AUDITOR, "client", "block", "--list").code


def test_a_lost_database_is_restored_whoever_it_is(home: Path, run: Run) -> None:
    """Where the database can tell nobody's role any more, a copy is put back; the replay asks the copy who acts."""
    assert 0 == run("db", "backup", "copy.db").code
    (home / "dispatcher.db").unlink()
    told = run(*AUDITOR, "db", "restore", "copy.db", "--replay", "--yes")
    assert (1, True) == (told.code, "who looks and changes nothing" in told.err)
    assert 0 == run("db", "restore", "--replay").code


def test_staff_do_what_an_owner_does_with_clients(run: Run, campaign: Path) -> None:
    """Only the auditor's role keeps from acting."""
    assert 0 == run("person", "add", "Saara").code
    assert 0 == run("person", "reach", "Saara", "--email", "saara@tunturituuli.example").code
    for words in [("consent", "withdraw", MAIJA), ("client", "child", MAIJA), ("campaign", "schedule", campaign)]:
        assert 0 == run("--as", "Saara", *words).code, words
