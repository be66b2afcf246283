"""Who looked at whom: every command that shows, exports or changes a client puts it on record first."""

from pathlib import Path

import pytest

from dispatcher.cli import cli
from tests.cli.test_auditor import FILE, MAIJA, commands
from tests.cli.told import Run
from tests.workshop import OWNER

pytestmark = pytest.mark.usefixtures("home")
IDENTITY = ("--identity", "known")
SHOWS = {
    "audit looks": (MAIJA,),
    "audit sample": ("2026",),
    "audit why": (MAIJA,),
    "breach-scope": (),
    "campaign audience": (FILE, "--show"),
    "campaign preview": (FILE, "--client", MAIJA, "--json"),
    "client block": (MAIJA, "--reason", "law", "--keep", "name", "--until", "1.1.2099"),
    "client child": (MAIJA,),
    "client correct": (MAIJA, "--first-name", "Maj", *IDENTITY),
    "client erase": (MAIJA, *IDENTITY, "--yes"),
    "client export": (MAIJA, "--out", "told.json", *IDENTITY),
    "client import": ("register.csv",),
    "client list": (),
    "client request": (MAIJA, "access"),
    "client requests": (),
    "client restrict": (MAIJA, *IDENTITY),
    "client show": (MAIJA,),
    "consent ask-list": (),
    "consent history": (MAIJA,),
    "consent receipt": (MAIJA,),
    "consent fewer": (MAIJA, "--pause"),
    "consent record": (MAIJA, "--answer", "declined", "--channel", "email", "--place", "phone"),
    "consent topics": (MAIJA, "--only", "offer"),
    "consent withdraw": (MAIJA,),
    "db backup": ("copy.db",),
    "inbox list": (),
    "retention run": ("--confirm",),
    "retention show": (),
}
"""What shows a client to a person, hands one over or changes one, and how it is given."""
MORE = [
    ("client", "block", "--list"),
    ("client", "import", "--no-list", "register.csv"),
    ("client", "import", "register.csv", "--dry-run"),
    ("client", "list", "nobody"),
    ("client", "requests", "--all", "--json"),
    ("consent", "withdraw", "nobody@posti.example"),
    ("audit", "why", "--address", "nobody@posti.example"),
]
NEEDS_A_LETTER = {"inbox release", "inbox show", "inbox withdraw"}
"""What shows a client as well, and only where one has written: its own tests have a letter."""
NOBODY_IS_SHOWN = {
    *("api-key create", "api-key list", "api-key revoke", "audit bundle", "audit close", "audit seals"),
    *("audit verify", "audit year"),
    *("campaign cancel", "campaign check", "campaign declare", "campaign hold", "campaign list", "campaign reconcile"),
    *("campaign release", "campaign reserve", "campaign revise", "campaign schedule", "campaign status"),
    *("campaign test", "campaign year", "consent forecast", "consent poster", "consent source add"),
    *("consent source end", "consent source list", "consent source show", "consent wordings add"),
    *("consent wordings list", "consent wordings remove", "consent wordings show", "db restore", "db upgrade", "demo"),
    *("desk", "doctor", "init", "keys backup", "keys check", "keys create", "keys dkim create", "keys rotate"),
    *("notice", "notice diff", "notice list", "notice publish", "person add", "person end", "person list"),
    *("person reach", "ropa", "run", "today", "web", "work"),
}
"""What tells of no client but in numbers, or acts by itself; the desk's pages have their own test."""


@pytest.fixture(autouse=True)
def enlisted(run: Run, register: Path) -> None:
    """Take two clients in."""
    assert 0 == run("client", "import", register).code


def looks(run: Run, *words: str) -> list[dict[str, object]]:
    """Return what the access log tells the owner."""
    found: list[dict[str, object]] = run("audit", "looks", *words, "--json").json()["looks"]
    return found


def test_every_command_shows_clients_or_none() -> None:
    """A new command has to say here whether it shows, exports or changes a client: then it puts that on record."""
    assert sorted(commands(cli)) == sorted([*SHOWS, *NEEDS_A_LETTER, *NOBODY_IS_SHOWN])


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("words", [(*name.split(), *more) for name, more in SHOWS.items()] + MORE, ids=" ".join)
def test_a_command_that_shows_a_client_is_on_record(run: Run, words: tuple[str, ...]) -> None:
    """By whom, by what command, and at whom where it was one; it stands there before the command is given again."""
    number = run("client", "show", MAIJA, "--json").json()["number"]
    before = len(looks(run))
    told = run(*words)
    assert told.code in {0, 1}, told.err
    assert not told.err.startswith("Usage"), told.err
    [look] = looks(run)[before:]
    group = max((name for name in SHOWS if " ".join(words).startswith(name)), key=len)
    assert (OWNER, group) == (look["person"], look["act"])
    if words[:3] != ("consent", "withdraw", "nobody@posti.example"):
        assert look["client"] == (number if MAIJA in words else None)


def test_several_who_fit_are_a_look_at_each_of_them(run: Run) -> None:
    """A refusal that names those who fit has shown them, masked: how many is on record."""
    assert 1 == run("client", "show", "posti").code or 1 == run("client", "show", "a").code
    [look] = looks(run)[-1:]
    assert ("client show", None) == (look["act"], look["client"])


def test_the_log_is_for_the_owner_and_auditors(run: Run) -> None:
    """Staff are refused in one sentence; an auditor sees who looked, and by which command."""
    for name, role in (("Saara", "staff"), ("Tarkka", "auditor")):
        assert 0 == run("person", "add", name, "--role", role).code
    assert 0 == run("--as", "Saara", "client", "show", MAIJA).code
    refused = run("--as", "Saara", "audit", "looks")
    assert (1, "", True) == (refused.code, refused.out, "for the owner and auditors" in refused.err)
    shown = run("--as", "Tarkka", "audit", "looks", "--person", "saara")
    assert (0, True) == (shown.code, "client show" in shown.out)
    assert ["Saara"] == [each["person"] for each in looks(run, "--person", "Saara")]
    assert 1 == run("audit", "looks", "--person", "Nobody").code


def test_looks_are_picked_by_client_and_day(run: Run) -> None:
    """Of one client those at them alone; from a day on, those that are not older."""
    run("client", "show", MAIJA)
    run("client", "show", "0401234568")
    number = run("client", "show", MAIJA, "--json").json()["number"]
    assert {number} == {each["client"] for each in looks(run, MAIJA)}
    assert [] == looks(run, "--since", "1.1.2099")
    assert "Nobody looked at anybody.\n" == run("audit", "looks", "--since", "1.1.2099").out
