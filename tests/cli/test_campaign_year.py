"""`dispatcher campaign year`: what it prints and writes."""

import stat
from datetime import timedelta
from pathlib import Path

import icalendar
import pytest

from dispatcher.wiring import system_clock
from tests.cli.told import Run
from tests.clock import FixedClock
from tests.workshop import ZONE, Workshop

pytestmark = pytest.mark.usefixtures("home")


def year_of(days: int) -> int:
    """Return the local year so many days ahead."""
    return (system_clock() + timedelta(days=days)).astimezone(ZONE).year


def test_an_empty_year_says_what_to_do(run: Run) -> None:
    """A year without campaigns says how to give one its slot, and what the notice promises."""
    told = run("campaign", "year", year_of(0) + 1)
    assert told.code == 0
    assert "0 of 12 slots taken, 12 left." in told.out
    assert "run `dispatcher campaign schedule FILE`" in told.out
    assert "0 planned, 6 more by December" in told.out
    assert "before Midsummer Eve, Midsummer Day" in told.out
    assert "No campaign of this year is on record." in run("campaign", "year", "2020").out


def test_a_year_is_shown_as_a_table_and_as_json(run: Run, register: Path, campaign: Path) -> None:
    """A scheduled campaign stands in its year with its state, and in its month of the JSON."""
    run("client", "import", register)
    assert run("campaign", "schedule", campaign).code == 0
    year = year_of(30)
    told = run("campaign", "year", year)
    assert "1 of 12 slots taken" in told.out
    assert "1 scheduled" in told.out
    [line] = [line for line in told.out.splitlines() if "Kampanja tarjous" in line]
    assert "scheduled" in line
    found = run("campaign", "year", year, "--json").json()
    keys = {"year", "ceiling", "taken", "left", "first_free", "counts", "months", "remarks", "gaps", "clusters"}
    assert keys | {"suggestions", "what_if"} == set(found)
    [listed] = [each for month in found["months"] for each in month["campaigns"]]
    assert {"day", "title", "standing", "kind", "name", "sent"} == set(listed)
    assert ("scheduled", "tarjous", 12) == (listed["standing"], listed["name"], len(found["months"]))


def test_a_trial_is_told(home: Path, run: Run, register: Path, campaign: Path) -> None:
    """`--what-if` shows the year of the file, whether it fits, how close it is, and whom it would reach."""
    run("client", "import", register)
    moment = (system_clock() + timedelta(days=33)).replace(hour=10, minute=0, second=0, microsecond=0)
    other = Workshop(home, FixedClock(system_clock())).campaign("toinen", moment)
    run("campaign", "schedule", campaign)
    told = run("campaign", "year", "--what-if", other)
    assert told.code == 0
    assert f"{year_of(33)}: " in told.out
    assert "it would reach 2 clients; for 0 it would be the twelfth" in told.out
    assert "3 days after Kampanja tarjous" in told.out
    found = run("campaign", "year", "--what-if", other, "--json").json()["what_if"]
    keys = {"name", "day", "fits", "full", "first_free", "is_past", "open_channels", "in_year", "window", "before"}
    assert keys | {"after", "too_close", "reach"} == set(found)
    assert (True, 2) == (found["fits"], found["reach"]["clients"])
    again = run("campaign", "year", "--what-if", campaign)
    assert (1, True) == (again.code, "has its slot already" in again.err)


def test_files_are_written_once(home: Path, run: Run) -> None:
    """Calendar and picture are written for their owner alone, and never over a file that is there."""
    told = run("campaign", "year", "2027", "--ical", "y.ics", "--svg", "y.svg")
    assert (told.code, told.out.count("Written:")) == (0, 2)
    assert 0o600 == stat.S_IMODE((home / "y.ics").stat().st_mode)
    icalendar.Calendar.from_ical((home / "y.ics").read_bytes())
    assert (home / "y.svg").read_text(encoding="utf-8").startswith("<svg")
    again = run("campaign", "year", "2027", "--ical", "y.ics")
    assert (1, True) == (again.code, "is there already" in again.err)


def test_own_days_are_suggested(home: Path, run: Run) -> None:
    """A day from `[[year.days]]` is suggested before, as long before as `lead_days` says."""
    with (home / "dispatcher.toml").open("a", encoding="utf-8") as file:
        file.write('\n[year]\nlead_days = 5\n[[year.days]]\nname = "Ystävänpäivä"\non = "02-14"\n')
    year = year_of(0) + 1
    found = run("campaign", "year", year, "--json").json()["suggestions"]
    [mine] = [each for each in found if "Ystävänpäivä" in each["names"]]
    assert f"{year}-02-14" == mine["before"]
    assert f"{year}-02-09" <= mine["send_on"] < f"{year}-02-14"
