"""What cannot be taken back asks first; where nobody can be asked, the refusal says what to type."""

import io
import sys
from pathlib import Path

import pytest

from tests.cli.told import Run

pytestmark = pytest.mark.usefixtures("home")

ASKING = [
    ("notice", "publish"),
    ("client", "erase", "maija@posti.example", "--identity", "known"),
    ("consent", "source", "end", "Slotti", "--void"),
    ("campaign", "cancel", "tarjous"),
    ("db", "restore", "copy.db"),
]


@pytest.fixture(autouse=True)
def begun_to_work(home: Path, run: Run, register: Path, campaign: Path) -> None:
    """Take two clients in, tell of a source, schedule a campaign, and make a copy of the database."""
    assert 0 == run("client", "import", register).code
    words = "Saako lähettää tarjouksia sähköpostitse?"
    source = ("consent", "source", "add", "Slotti", "--column", "lupa=email", "--wording", words, "--since", "1.5.2026")
    assert 0 == run(*source, "--box-empty", "--asked", "each-booking", "--last-visit", "--no-picture").code
    assert 0 == run("campaign", "schedule", campaign).code
    assert 0 == run("db", "backup", home / "copy.db").code


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_without_a_terminal_the_option_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Exit code 1, nothing printed as a result, and the sentence names --yes; with it the command does its work."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    told = run(*words)
    assert (1, "", True) == (told.code, told.out, "give the command again with --yes" in told.err)
    assert 0 == run(*words, "--yes").code


def test_a_piped_no_is_a_no(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is piped in is taken: a no ends the command, a yes lets it do its work."""
    for answer, code in (("n\n", 1), ("y\n", 0)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        told = run("notice", "publish")
        assert (code, False) == (told.code, "--yes" in told.err)
