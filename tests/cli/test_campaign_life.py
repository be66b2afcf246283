"""The acts of a campaign's life, and what is declared, from the command line."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.wiring import system_clock
from tests.cli.told import Run
from tests.workshop import ZONE

# The moment of the campaign itself, whatever day it is here when the tests run.
AHEAD = (system_clock() + timedelta(days=30)).replace(hour=10, minute=0).astimezone(ZONE)


def test_a_date_is_kept_for_a_file(run: Run, campaign: Path) -> None:
    """`campaign reserve` keeps a date, `list` shows it, and the file of that date and kind takes it and says so."""
    kept = run("campaign", "reserve", f"{AHEAD:%d.%m.%Y}", "offer", "Kevät", "--json")
    keys = {"id", "name", "day", "in_year", "ceiling", "send_at", "reservation", "moved_from", "remarks"}
    assert (0, keys) == (kept.code, set(kept.json()))
    name = kept.json()["name"]
    assert "reserved" in run("campaign", "list").out
    assert f"it took the slot of {name}" in run("campaign", "schedule", campaign).out
    assert ["tarjous"] == [each["name"] for each in run("campaign", "list", "--json").json()["campaigns"]]


def test_a_reservation_is_named(run: Run, campaign: Path) -> None:
    """`--for` names the reservation of another date, and the answer says from where the slot moved."""
    other = AHEAD + timedelta(days=3)
    said = run("campaign", "reserve", f"{other:%Y-%m-%d}", "treatment_day", "Hoitopäivä").out
    assert "--for reservation-1" in said
    assert "1 of 12" in said
    taken = run("campaign", "schedule", campaign, "--for", "1", "--json").json()
    assert ("reservation-1", f"{other:%Y-%m-%d}") == (taken["reservation"], taken["moved_from"])
    refused = run("campaign", "schedule", campaign, "--for", "9")
    assert (1, "There is no reservation reservation-9" in refused.err) == (refused.code, True)


def test_a_campaign_is_revised_and_taken_up_again(run: Run, campaign: Path) -> None:
    """`campaign revise` makes a draft that keeps its slot; scheduling its file again goes on from there."""
    run("campaign", "schedule", campaign)
    assert {"name": "tarjous", "done": "revised"} == run("campaign", "revise", "tarjous", "--json").json()
    assert "draft" == run("campaign", "status", "tarjous", "--json").json()["state"]
    assert "tarjous is a draft" in run("campaign", "revise", "tarjous").err
    assert 1 == run("campaign", "schedule", campaign, "--json").json()["in_year"]
    assert "a draft again, its slot stays" in run("campaign", "revise", "tarjous").out


@pytest.mark.usefixtures("home")
def test_a_declaration_and_its_undoing(run: Run) -> None:
    """`campaign declare` counts what was sent, `list` shows its number, `--undo` takes it back."""
    day = f"{system_clock().astimezone(ZONE):%d.%m.%Y}"
    words = ("campaign", "declare", day, "Kirje", "--channel", "letter", "--count", "120")
    told = run(*words, "--json")
    assert (0, {"id", "day", "in_year", "ceiling"}) == (told.code, set(told.json()))
    number = told.json()["id"]
    assert "Kirje" in run("campaign", "list").out
    [row] = run("campaign", "list", "--json").json()["declared"]
    assert {"id", "day", "title", "kind", "channels", "messages"} == set(row)
    again = run(*words)
    assert (1, f"as number {number}" in again.err) == (again.code, True)
    assert {"id": number, "done": "returned"} == run("campaign", "declare", "--undo", number, "--json").json()
    assert "Declared as number" in run(*words).out
    assert "Taken back: Kirje" in run("campaign", "declare", "--undo", number + 1).out
    assert 1 == run("campaign", "declare", "--undo", number).code
    for half in (words[:3], words[:4], words[:6]):
        assert 2 == run(*half).code


def test_a_workspace_begins_with_what_was_sent(run: Run, tmp_path: Path) -> None:
    """`init --sent-before` counts each campaign, title with a colon too; one that cannot be is named, not lost."""
    year = system_clock().astimezone(ZONE).year
    sent = [
        f"7.1.{year - 1}:Talvi: tarjous:letter:120",
        f"{year - 1}-02-03:Kevät:email:80",
        f"1.1.{year + 1}:Ensi:sms:9",
    ]
    options = [word for each in sent for word in ("--sent-before", each)]
    told = run("init", tmp_path / "studio", *options, "--json")
    assert (0, 2) == (told.code, told.json()["declared"])
    assert "Not declared: " in told.err
    rows = run("-C", tmp_path / "studio", "campaign", "list", "--json").json()["declared"]
    assert [("Talvi: tarjous", ["letter"], 120), ("Kevät", ["email"], 80)] == [
        (row["title"], row["channels"], row["messages"]) for row in rows
    ]
    assert "`dispatcher campaign declare --help`" in run("init", tmp_path / "other").out


@pytest.mark.parametrize(
    "wrong", ["x", "7.1.2026:T:pigeon:3", "7.1.2026:T:email:0", "7.1.2026::email:3", "32.1.2026:T:email:3"]
)
def test_what_was_sent_is_told_whole(run: Run, tmp_path: Path, wrong: str) -> None:
    """A campaign that cannot be read is refused before anything is begun, with how to write it."""
    told = run("init", tmp_path / "studio", "--sent-before", wrong)
    assert (2, False) == (told.code, (tmp_path / "studio").exists())
    assert "3.2.2026" in told.err
