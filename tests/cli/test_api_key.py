"""`dispatcher api-key`: the keys of booking systems, as their owner makes, sees and revokes them."""

import re
from pathlib import Path

import pytest

from dispatcher.wiring import opened
from tests.cli.told import Run

pytestmark = pytest.mark.usefixtures("home")


def test_a_key_is_shown_once(run: Run) -> None:
    """The key alone is the result, what to do with it stands beside it, and the list never shows it again."""
    assert "There are no keys" in run("api-key", "list").out
    made = run("api-key", "create", "Ajanvaraus", "--scope", "answers:write", "--scope", "verdict:read")
    assert (0, True) == (made.code, bool(re.fullmatch(r"dsp_1_[\w-]{43}\n", made.out)))
    assert "shown this once" in made.err
    lines = run("api-key", "list").out.splitlines()
    assert ["number", "name", "scopes", "since", "last used", "revoked"] == re.split(r"  +", lines[0].strip())
    assert re.match(r" *1  Ajanvaraus  answers:write verdict:read  \d\d\.\d\d\.\d{4} \d\d:\d\d  -          -", lines[1])
    assert made.out.strip()[6:] not in "".join(lines)


def test_keys_as_json(home: Path, run: Run) -> None:
    """Making, listing and revoking print one object each, with stable keys."""
    made = run("api-key", "create", "Ajanvaraus", "--scope", "verdict:read", "--json").json()
    assert ["id", "name", "scopes", "key"] == list(made)
    with opened(home) as dispatcher:
        assert dispatcher.api_keys.check(made["key"]) is not None
    assert {"id": 1, "revoked": True} == run("api-key", "revoke", 1, "--json").json()
    [key] = run("api-key", "list", "--json").json()["api_keys"]
    assert ["id", "name", "scopes", "added_at", "used_on", "revoked_at"] == list(key)
    assert (1, ["verdict:read"]) == (key["id"], key["scopes"])
    assert key["used_on"]


def test_what_cannot_be_is_refused(run: Run) -> None:
    """A key that is not there, a person who is no owner: exit code 1; an unknown scope or none: 2."""
    run("person", "add", "Sanna", "--role", "staff")
    refused = run("--as", "Sanna", "api-key", "create", "X", "--scope", "verdict:read")
    assert (1, True) == (refused.code, "Only an owner" in refused.err)
    assert 1 == run("api-key", "revoke", 1).code
    assert 2 == run("api-key", "create", "X").code
    assert 2 == run("api-key", "create", "X", "--scope", "everything").code
    assert [] == run("api-key", "list", "--json").json()["api_keys"]


def test_a_revoked_key_says_so(run: Run) -> None:
    """Revoking is told in a sentence, and the list shows since when."""
    run("api-key", "create", "Ajanvaraus", "--scope", "verdict:read")
    assert "Key 1 opens nothing any more.\n" == run("api-key", "revoke", 1).out
    assert re.search(r"-          \d\d\.\d\d\.\d{4} \d\d:\d\d", run("api-key", "list").out)
