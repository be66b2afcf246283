"""A client who wants fewer messages says so at the desk."""

from pathlib import Path

import pytest

from tests.cli.told import Run

MAIJA = "maija@posti.example"


@pytest.fixture(autouse=True)
def imported(register: Path, run: Run) -> None:
    """Let both clients be in the register."""
    assert run("client", "import", register).code == 0


def test_six_a_year_and_a_pause(run: Run) -> None:
    """X-05: each is kept, said in a sentence and in JSON, and is no no."""
    before = run("client", "show", MAIJA, "--json").json()["consent"]
    told = run("consent", "fewer", MAIJA, "--six")
    assert (0, True) == (told.code, "gets at most 6 messages a year." in told.out)
    both = run("consent", "fewer", MAIJA, "--six", "--pause", "--json").json()
    assert (6, {"client", "own_cap", "paused_until"}) == (both["own_cap"], set(both))
    year, month, day = both["paused_until"].split("-")
    assert f"gets nothing before {int(day)}.{int(month)}.{year}." in run("consent", "fewer", MAIJA, "--pause").out
    assert before == run("client", "show", MAIJA, "--json").json()["consent"]


def test_it_stops_a_campaign(run: Run, campaign: Path) -> None:
    """Who has a pause is left out of the audience, by the decision function, with the reason."""
    assert "paused" not in run("campaign", "audience", campaign).out
    run("consent", "fewer", MAIJA, "--pause")
    assert "paused" in run("campaign", "audience", campaign, "--json").out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [((MAIJA,), 2, "--six, --pause"), (("nobody", "--pause"), 1, "nobody")],
)
def test_what_is_refused(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    """A wish that is not said is a wrong use; one of nobody is refused. Each says what to type."""
    found = run("consent", "fewer", *words)
    assert (code, True) == (found.code, told in found.err)
