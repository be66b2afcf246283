"""`dispatcher doctor`: what it prints, and how it exits."""

from pathlib import Path

import pytest

from dispatcher.rules.doctor import Concern, Level
from tests.cli.told import Run

pytestmark = pytest.mark.usefixtures("home")


def test_a_workspace_in_order(run: Run) -> None:
    """A new workspace may send: each concern has a line, and what could be better says what to type."""
    told = run("doctor")
    assert told.code == 0
    assert all(f"{concern.value}: " in told.out for concern in Concern)
    assert "Run `dispatcher client import FILE`" in told.out
    assert "Everything is in order to send (0 errors, 2 warnings)." in told.out


def test_findings_as_json(run: Run) -> None:
    """`--json` has stable keys, each finding its concern, level, sentence and fix."""
    found = run("doctor", "--json").json()
    assert ["ok", "errors", "warnings", "findings"] == list(found)
    assert (True, 0, 2) == (found["ok"], found["errors"], found["warnings"])
    assert all({"concern", "level", "says", "fix"} == set(each) for each in found["findings"])
    assert set(Concern) == {each["concern"] for each in found["findings"]}
    assert {Level.OK, Level.WARNING} == {each["level"] for each in found["findings"]}


def test_an_error_exits_with_one(home: Path, run: Run) -> None:
    """Where an error stands in the way the exit code is 1, and the last line says so."""
    settings = home / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8").replace(
        'provider = "preview"', 'provider = "smtp"\nhost = "127.0.0.1"', 1
    )
    settings.write_text(text.replace("tarjoukset@studio.example", "tarjoukset@other.example"), encoding="utf-8")
    told = run("doctor")
    assert (1, True) == (told.code, "Nothing is sent until the errors are mended (1 errors" in told.out)
    found = run("doctor", "--json")
    assert (1, False) == (found.code, found.json()["ok"])


@pytest.mark.parametrize(("name", "concern"), [("dispatcher.toml", "settings"), ("secrets.toml", "keys")])
def test_a_workspace_that_cannot_be_opened_is_looked_at(home: Path, run: Run, name: str, concern: str) -> None:
    """Without settings or keys the doctor still answers: what is missing is the error, the rest waits for it."""
    (home / name).unlink()
    found = run("doctor", "--json")
    errors = [each["concern"] for each in found.json()["findings"] if each["level"] == "error"]
    assert (1, [concern]) == (found.code, errors)
    assert set(Concern) == {each["concern"] for each in found.json()["findings"]}
