"""`retention` and `audit` of a closed year that was kept for its time, as its owner gives them."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatcher.wiring import system_clock
from tests.cli.test_erasure import read_register
from tests.cli.told import Run
from tests.clock import FixedClock
from tests.workshop import build

YEAR = system_clock().year - 3
"""A year that two closed ones have followed by now, or have not yet been closed after."""


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the workspace of a studio that sent one campaign three years ago and closed that year and the next."""
    clock = FixedClock(datetime(YEAR, 11, 23, 10, 0, tzinfo=UTC))
    workshop = build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal")
    moment = datetime(YEAR, 11, 24, 8, 0, tzinfo=UTC)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        row = f"1;Maija;Meikäläinen;maija@posti.example;;fi;3.10.{YEAR};kyllä;;3.10.{YEAR}"
        dispatcher.enrol.run(workshop.register(row), actor)
        dispatcher.schedule.run(workshop.campaign("one", moment, channels=["email"]), actor)
        clock.set(moment)
        asyncio.run(dispatcher.rounds.once())
        for year in (YEAR, YEAR + 1):
            clock.set(datetime(year + 1, 1, 2, 9, 0, tzinfo=UTC))
            dispatcher.auditing.closing.close(year, actor)
    monkeypatch.chdir(workshop.directory)
    return workshop.directory


def test_a_year_from_list_to_gone(old: Path, run: Run) -> None:
    """L-37: shown, destroyed on the owner's word, then told by every command that would have shown its messages."""
    read_register(old)
    shown = run("retention", "show")
    assert (0, True) == (
        shown.code,
        f"Messages of {YEAR} due to be destroyed: 3 entries of 1 campaign, " in shown.out,
    ), shown.out
    assert (True, True) == ("not confirmed yet" in shown.out, "OVERDUE. The messages of" in shown.err)
    listed = run("retention", "run", "--json")
    [due] = listed.json()["years"]["due"]
    assert (1, YEAR, None, [1]) == (listed.code, due["year"], due["kept_by"], due["campaigns"])
    assert f"the messages of {YEAR} should have been destroyed" in run("today").out
    done = run("retention", "run", "--confirm")
    assert (0, True) == (done.code, f"The messages of {YEAR} were destroyed, checked under seal " in done.out)
    assert (0, True) == ((again := run("retention", "run")).code, "Nobody was due" in again.out)
    for words in (("verify",), ("year", YEAR)):
        told = run("audit", *words)
        assert (0, True) == (told.code, f"The messages of {YEAR} were destroyed on " in told.out), told.out
    assert f"The messages of {YEAR} were destroyed on " in run("audit", "sample", YEAR).out
    seal = run("audit", "year", YEAR, "--json").json()["destroyed"]["seal"]
    assert f", checked under seal {seal}\n" in run("campaign", "status", "one").out
    assert seal == run("campaign", "status", "one", "--json").json()["destroyed"]["seal"]
    refused = run("audit", "year", YEAR, "--table", "spread")
    assert (1, True) == (refused.code, f"those of {YEAR} were destroyed" in refused.err)


def test_what_may_not_go_is_said_with_exit_code_1(old: Path, run: Run) -> None:
    """A broken ledger keeps the year, as words and as JSON; clients whose time is over go all the same."""
    read_register(old)
    assert old.joinpath("seals.jsonl").exists()
    old.joinpath("seals.jsonl").write_text("{}\n", encoding="utf-8")
    kept = run("retention", "run", "--confirm", "--json").json()
    assert ({"age": 1}, []) == (kept["removed"], kept["years"]["destroyed"])
    assert f"nothing of {YEAR} was destroyed" in kept["years"]["refusal"]
    again = run("retention", "run")
    assert (1, True) == (again.code, "`dispatcher audit verify` finds" in again.err)
