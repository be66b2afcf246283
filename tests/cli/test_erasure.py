"""`client erase`, `client block` and `retention` as their owner gives them."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from dispatcher.storage.tables import RegisterReadTable
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import opened, system_clock
from tests.cli.told import MAIJA, Run
from tests.clock import FixedClock
from tests.workshop import HEADER, Workshop

pytestmark = pytest.mark.usefixtures("home")
YEAR = timedelta(days=365)


def read_register(home: Path) -> None:
    """Write that the whole register was read just now."""

    def work(transaction: Transaction) -> None:
        now = transaction.now
        values = {"sha256": "0" * 64, "rows": 1, "is_whole": True, "began_at": now, "finished_at": now}
        transaction.connection.execute(insert(RegisterReadTable).values(values))

    with opened(home) as dispatcher:
        dispatcher.store.write(work)


def enrol(home: Path, run: Run, *rows: str) -> None:
    """Import these rows."""
    (home / "r.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    run("client", "import", "r.csv", "--partial")
    (home / "r.csv").unlink()


def test_without_an_identity_only_the_request_is_opened(run: Run, register: Path) -> None:
    """Nothing is erased before somebody made sure who asks; marketing rests from then; exit 1 says what to do."""
    run("client", "import", register)
    told = run("client", "erase", "maija@posti.example")
    assert (1, True, True) == (told.code, "Nothing is erased" in told.out, "--identity known|document" in told.err)
    printed = run("client", "erase", "maija@posti.example", "--json")
    assert (1, False, "identity") == (printed.code, printed.json()["erased"], printed.json()["waits_for"])
    again = run("client", "import", register, "--json").json()
    assert 1 == again["may_write"]["withhold"]["suspended"]


def test_an_erasure_is_asked_about_and_reported(run: Run, register: Path) -> None:
    """Nobody at the terminal and no --yes: it stops, having said what goes. With --yes it is done, and reported."""
    run("client", "import", register)
    words = ("client", "erase", "maija@posti.example", "--identity", "called_back")
    stopped = run(*words)
    assert (1, True) == (stopped.code, "m***@p***.example, +358*****67" in stopped.err)
    assert "Maija" in run("client", "list").out
    report = run(*words, "--yes", "--json").json()
    wanted = {"client", "erased", "withheld", "kept", "kept_until", "objections", "objections_until"}
    assert wanted | {"to_be_deleted", "out_of_reach", "wiped_here", "copies_until"} == set(report)
    assert (True, [], True, {}) == tuple(report[key] for key in ("erased", "kept", "wiped_here", "to_be_deleted"))
    assert "Maija" not in run("client", "list").out
    assert 1 == run(*words, "--yes").code


def test_a_request_of_before_is_used(run: Run, register: Path) -> None:
    """Opened without an identity, then run again with one: it is one request, and it is done."""
    run("client", "import", register)
    run("client", "erase", "maija@posti.example")
    done = run("client", "erase", "maija@posti.example", "--identity", "known", "--yes")
    assert (0, True, True) == (done.code, "is erased." in done.out, "Older copies" in done.out)


def test_a_block_from_set_to_end(run: Run, register: Path) -> None:
    """A block is set with its fields and day, listed, keeps its part of an erased client, and lets it go when ended."""
    run("client", "import", register)
    assert "No legal block stands.\n" == run("client", "block", "--list").out
    until = (system_clock() + timedelta(days=60)).date()
    day = f"{until.day}.{until.month}.{until.year}"
    words = ("client", "block", "Maija", "--reason", "open_invoice", "--keep", "name", "--keep", "email", "--until")
    made = run(*words, day, "--json").json()
    assert (["name", "email"], until.isoformat()) == (made["keeps"], made["until"])
    listed = run("client", "block", "--list", "--json").json()["blocks"]
    assert [("open_invoice", ["name", "email"])] == [(each["reason"], each["keeps"]) for each in listed]
    assert day in run("client", "block", "--list").out
    erased = run("client", "erase", "Maija", "--identity", "known", "--yes")
    assert (0, True) == (erased.code, f"keeps name, email until {day}" in erased.out)
    assert "Maija" in run("client", "list").out
    assert "is gone" in run("client", "block", "Maija", "--end", made["block"]).out
    assert "Maija" not in run("client", "list").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--reason", "law", "--keep", "all", "--until", "31.3.2099"), 2),
        (("--reason", "law", "--keep", "name"), 2),
        (("--reason", "law", "--keep", "name", "--until", "31.2.2099"), 2),
        (("--reason", "law", "--keep", "name", "--until", "2020-01-01"), 1),
        (("--reason", "law", "--until", "31.3.2099"), 1),
        (("--end", "7"), 1),
    ],
)
def test_a_block_that_cannot_be(run: Run, register: Path, words: tuple[str, ...], code: int) -> None:
    """There is no "all", no block without a day, none in the past, none without a field, and no end of no block."""
    run("client", "import", register)
    assert code == run("client", "block", "Maija", *words).code
    assert {"blocks": []} == run("client", "block", "--list", "--json").json()


def test_retention_from_list_to_daily(home: Path, run: Run) -> None:
    """The first run lists and exits 1, the confirmed one removes, and from then on a run simply works."""
    asked = (system_clock() - YEAR - timedelta(days=2)).strftime("%d.%m.%Y")
    row = f"9;Olga;Entinen;olga@posti.example;;fi;{asked};kyllä;;{asked}"
    # Taken in ten days ago, when her year was not over yet: whose is over when a register names them is not taken in.
    with opened(home, FixedClock(system_clock() - timedelta(days=10))) as dispatcher:
        dispatcher.enrol.run(Workshop(home, FixedClock(system_clock())).register(row), dispatcher.persons.acting(None))
    enrol(home, run, MAIJA)
    stale = run("retention", "run", "--confirm")
    assert (1, True) == (stale.code, "no whole register was read" in stale.err)
    read_register(home)
    first = run("retention", "run")
    assert (1, True, True) == (first.code, "o***@p***.example" in first.out, "OVERDUE" in first.err)
    shown = run("retention", "show", "--json").json()
    assert (True, False, 1) == (shown["overdue"], shown["confirmed"], len(shown["due"]))
    done = run("retention", "run", "--confirm")
    assert (0, True) == (done.code, "1 client was removed." in done.out)
    assert "Olga" not in run("client", "list").out
    nobody = run("retention", "run")
    assert (0, "Nobody was due for removal.\n") == (nobody.code, nobody.out)
    assert "Removal is daily." in run("retention", "show").out


def test_nobody_is_due(run: Run) -> None:
    """An empty register says so, with an empty object to the same effect."""
    said = run("retention", "show")
    assert (0, True) == (said.code, "Nobody is due for removal." in said.out)
    shown = run("retention", "show", "--json").json()
    assert ([], [], [], False) == tuple(shown[key] for key in ("due", "kept", "soon", "overdue"))
