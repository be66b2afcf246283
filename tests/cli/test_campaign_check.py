"""What an owner sees of a campaign before it gets its slot: findings, a test, the audience, a page to look at."""

from pathlib import Path

import pytest

from tests.cli.told import Run
from tests.workshop import OWNER

pytestmark = pytest.mark.usefixtures("home")


def test_a_test_is_sent_and_told(home: Path, run: Run, campaign: Path) -> None:
    """`campaign test` needs somewhere to go, sends, and names channel and masked address; nothing is a client's."""
    run("person", "reach", OWNER, "--email", "")
    refused = run("campaign", "test", campaign)
    assert (1, True) == (refused.code, "person reach" in refused.err)
    told = run("person", "reach", OWNER, "--email", "Aino@Studio.example", "--json").json()
    assert {"id": 1, "name": OWNER, "email": "aino@studio.example", "phone": None, "language": "fi"} == {
        **told,
        "email": told["email"].lower(),
    }
    printed = run("campaign", "test", campaign, "--json")
    assert 0 == printed.code
    assert {"name", "ok", "content", "person", "language", "sent", "missing"} == set(printed.json())
    said = run("campaign", "test", campaign)
    assert "accepted: email to a***@s***.example" in said.out
    assert "not tested: sms" in said.out
    assert 2 == len(list((home / "preview" / "email").glob("*.eml")))
    assert 1 == run("person", "reach", OWNER, "--phone", "nonsense").code


def test_an_empty_register_reaches_nobody(run: Run, campaign: Path) -> None:
    """`campaign check` says so where a campaign would reach nobody, and leaves no sentence without an end."""
    assert "as the register stands now:\n  nobody\n" in run("campaign", "check", campaign).out


def test_an_audience_is_shown(run: Run, campaign: Path, register: Path) -> None:
    """`campaign audience` counts in words; only with --show are clients listed, masked."""
    run("client", "import", register)
    plain, shown = run("campaign", "audience", campaign, "--json"), run("campaign", "audience", campaign, "--show")
    keys = {"name", "at", "send", "wait", "withhold", "outside", "sms_without_name", "unmade", "doors_unread"}
    assert keys == set(plain.json())
    assert (0, True) == (shown.code, "m***@p***.example" in shown.out)
    assert "maija@" not in shown.out
    listed = run("campaign", "audience", campaign, "--show", "--json").json()["clients"]
    assert 2 == len(listed)


def test_a_preview_is_written(home: Path, run: Run, campaign: Path, register: Path) -> None:
    """`campaign preview` writes one page its owner alone can read, over an older one of its own."""
    run("client", "import", register)
    for _ in range(2):
        told = run("campaign", "preview", campaign, "--out", ".", "--json")
        assert (0, "tarjous.preview.html") == (told.code, told.json()["file"])
    page = home / "tarjous.preview.html"
    assert 0o600 == page.stat().st_mode & 0o777
    assert "Maija Meik" not in page.read_text(encoding="utf-8")
    of_client = run("campaign", "preview", campaign, "--client", "maija@posti.example")
    assert "Maija" in Path(of_client.out.strip()).read_text(encoding="utf-8")
    assert 1 == run("campaign", "preview", campaign, "--client", "nobody").code


def test_a_topic_is_recorded(run: Run, register: Path) -> None:
    """`consent topics` records what a client wants, once; without a choice it is a wrong use."""
    run("client", "import", register)
    told = run("consent", "topics", "maija@posti.example", "--only", "treatment_day", "--json").json()
    assert (["treatment_day"], True) == (told["topics"], told["new"])
    again = run("consent", "topics", "maija@posti.example", "--only", "treatment_day")
    assert "wants: treatment day (as before)" in again.out
    assert run("consent", "topics", "maija@posti.example", "--all", "--json").json()["new"]
    assert 2 == run("consent", "topics", "maija@posti.example").code
