"""`dispatcher today` and where alerts go, as they are typed."""

import json
from pathlib import Path

import pytest

from tests.cli.told import Run
from tests.workshop import OWNER

pytestmark = pytest.mark.usefixtures("home")


def test_a_new_workspace_has_five_lines(run: Run) -> None:
    """Five lines, each with what to type where there is something, and exit code 0: nothing needs anybody."""
    told = run("today")
    assert 0 == told.code
    assert 5 == len(told.out.strip().splitlines())
    assert "dispatcher run" in told.out
    assert "dispatcher campaign schedule" in told.out


def test_a_monitor_reads_it_by_its_exit_code(run: Run, register: Path, campaign: Path) -> None:
    """What needs somebody makes the exit code 1, and --json has the same keys every time."""
    keys = ["day", "attention", "next", "held", "due", "year", "sender"]
    quiet = run("today", "--json")
    assert (0, keys) == (quiet.code, list(json.loads(quiet.out)))
    run("client", "import", register)
    run("campaign", "schedule", campaign)
    run("campaign", "hold", "tarjous")
    told = run("today", "--json")
    found = json.loads(told.out)
    assert (1, keys, True) == (told.code, list(found), found["held"]["attention"])
    assert [{"campaign": "tarjous", "reason": "by_hand"}] == found["held"]["campaigns"]
    plain = run("today")
    assert 1 == plain.code
    assert "! Held: Kampanja tarjous: One of you held it." in plain.out
    assert "dispatcher campaign release tarjous" in plain.out


def test_what_was_seen_is_on_record(run: Run, campaign: Path) -> None:
    """--seen says how many reminders it ends; what is held stays held, so the exit code is 1 still."""
    run("campaign", "schedule", campaign)
    run("campaign", "hold", "tarjous")
    told = run("today", "--seen")
    assert (1, True) == (told.code, "1 reminder is marked as seen." in told.out)
    again = run("today", "--seen", "--json")
    assert (1, 0) == (again.code, json.loads(again.out)["marked_as_seen"])


def test_where_alerts_go_is_said_and_taken_back(run: Run) -> None:
    """An address can be told, with its language, when a person is added or later, and taken back."""
    told = run("person", "reach", OWNER, "--email", "Aino@Tunturituuli.example", "--language", "sv", "--json")
    assert {"email": "aino@tunturituuli.example", "language": "sv"}.items() <= json.loads(told.out).items()
    assert 0 == run("person", "add", "Erik", "--role", "owner", "--email", "erik@tunturituuli.example").code
    listed = json.loads(run("person", "list", "--json").out)["persons"]
    assert ["aino@tunturituuli.example", "erik@tunturituuli.example"] == [each["email"] for each in listed]
    assert "is reached at nothing" in run("--as", OWNER, "person", "reach", OWNER, "--email", "").out


@pytest.mark.parametrize(
    ("words", "said"),
    [((OWNER, "--email", "kissa"), "write an email address"), (("Nobody", "--email", "a@b.example"), "Nobody")],
)
def test_what_cannot_be_an_address_is_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    """No address, or nobody of that name: each says what to type."""
    told = run("person", "reach", *words)
    assert 1 == told.code
    assert said in told.err
