"""`dispatcher keys dkim`: a key, its record, and what to do with both."""

import stat
from pathlib import Path

from tests.cli.told import Run


def test_a_key_is_created_and_told_to_publish(home: Path, run: Run) -> None:
    """The file is for its owner alone; name and text of the record are printed, and the doctor tells them again."""
    told = run("keys", "dkim", "create", "--selector", "s1")
    assert (0, 0o600) == (told.code, stat.S_IMODE((home / "dkim-s1.pem").stat().st_mode))
    lines = [line.strip() for line in told.out.splitlines()]
    at = lines.index("s1._domainkey.studio.example")
    assert lines[at + 1].startswith("v=DKIM1; k=rsa; p=")
    assert "dkim-*.pem" in (home / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "PRIVATE" not in told.out
    settings = home / "dispatcher.toml"
    source = settings.read_text(encoding="utf-8")
    settings.write_text(source.replace("[sms]", '[email.dkim]\nselector = "s1"\n\n[sms]', 1), encoding="utf-8")
    assert lines[at + 1] in run("doctor").out


def test_the_next_key_as_json(home: Path, run: Run) -> None:
    """`--json` has stable keys; a selector that has a key keeps it."""
    told = run("keys", "dkim", "create", "--selector", "e1", "--ed25519", "--json").json()
    assert {"file", "algorithm", "selector", "domain", "record"} == set(told)
    assert {"name", "type", "text"} == set(told["record"])
    assert ("dkim-e1.pem", "ed25519-sha256") == (told["file"], told["algorithm"])
    before = (home / "dkim-e1.pem").read_bytes()
    refused = run("keys", "dkim", "create", "--selector", "e1")
    assert (1, True) == (refused.code, "name a new selector" in refused.err)
    assert before == (home / "dkim-e1.pem").read_bytes()
