"""What an owner sees of a campaign before it gets its slot: findings, a test, the audience, a page to look at."""

from pathlib import Path

import pytest

from tests.cli.told import Run
from tests.workshop import OWNER

pytestmark = pytest.mark.usefixtures("home")


def test_a_test_is_sent_and_told(home: Path, run: Run, campaign: Path) -> None:
    """`campaign test` needs somewhere to go, sends, and names channel and masked address; nothing is a client's."""
    refused = run("campaign", "test", campaign)
    assert (1, True) == (refused.code, "person reach" in refused.err)
    told = run("person", "reach", OWNER, "--email", "Aino@Studio.example", "--json").json()
    assert {"id": 1, "name": OWNER, "email": "aino@studio.example", "phone": None} == {
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
