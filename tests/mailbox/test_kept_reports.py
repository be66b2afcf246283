"""Reports of a real Postfix, kept as it wrote them (`.venv/bin/python -m tests.arrive.bounces` makes them anew)."""

import re
from pathlib import Path

import pytest

from dispatcher.links import Bounce
from tests.mailbox.post import ADDRESSES, came
from tests.mailbox.reported import EXPECTED

KEPT = Path(__file__).parent / "kept"


@pytest.mark.parametrize("name", EXPECTED)
def test_a_report_of_postfix_is_understood(name: str) -> None:
    """E-60, E-61: class, status and code of each, under the message that came back."""
    letter = came((KEPT / f"{name}.eml").read_bytes())
    assert EXPECTED[name] == (letter.kind, letter.status, letter.code, letter.is_permanent)
    message = name.partition(".")[0].encode().hex().ljust(32, "0")
    assert Bounce(message) == ADDRESSES.read(letter.token)


def test_every_report_is_kept_and_names_nobody() -> None:
    """What is kept is what is expected, and every address and machine in it is invented."""
    assert {f"{name}.eml" for name in EXPECTED} == {file.name for file in KEPT.iterdir()}
    for file in KEPT.iterdir():
        domains = set(re.findall(r"@([\w.-]+)", file.read_text(encoding="utf-8")))
        assert [] == [domain for domain in domains if not domain.rstrip(".").endswith(".example")]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_was_sent_to_the_wrong_address_changes_nothing(name: str) -> None:
    """E-60: the same report with a character of its token changed is of no message."""
    raw = (KEPT / f"{name}.eml").read_bytes()
    token = came(raw).token
    forged = token[:20] + ("a" if token[20] != "a" else "b") + token[21:]
    assert ("", "") == (
        came(raw.replace(token.encode(), forged.encode())).token,
        came(raw.replace(token.encode(), forged.encode())).status,
    )
