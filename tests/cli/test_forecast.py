"""`dispatcher consent forecast` as the owner gives it."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.wiring import system_clock
from tests.cli.told import Run
from tests.workshop import ZONE

pytestmark = pytest.mark.usefixtures("home")
ENDS = system_clock().astimezone(ZONE).date() - timedelta(days=30) + timedelta(days=365)
"""When the yeses of the sample clients end: they were given thirty days ago."""


def test_nothing_ends_where_nothing_stands(run: Run) -> None:
    """An empty register says so in a sentence, and as JSON in thirteen empty months."""
    assert "No yes stands now, so none ends.\n" == run("consent", "forecast").out
    told = run("consent", "forecast", "--json").json()
    assert ({"email": 0, "sms": 0}, 13) == (told["total"], len(told["months"]))


def test_the_months_are_counted_by_channel(run: Run, register: Path) -> None:
    """One email and two text messages end in the month a year after they were asked; each has a row and a bar."""
    run("client", "import", register)
    told = run("consent", "forecast", "--json").json()
    assert {"email": 1, "sms": 2} == told["total"]
    [month] = [each for each in told["months"] if each["email"] or each["sms"]]
    assert {"month": f"{ENDS:%Y-%m}", "email": 1, "sms": 2} == month
    out = run("consent", "forecast").out
    [row] = [line for line in out.splitlines() if "\u2588" in line]
    assert [f"{ENDS.month}/{ENDS.year}", "1", "2", "\u2588" * 30] == row.split()
    assert "3 yeses stand now; in the last 60 days of one, each email asks for it anew." in out
