"""`audit why` and `audit sample` at the command line."""

from pathlib import Path

import pytest

from tests.cli.told import Run

pytestmark = pytest.mark.usefixtures("home")
MAIJA = "maija@posti.example"
WORDS = [
    ("fi", "Tästä osoitteesta ei ole tallessa mitään.", "Asiakas", "annettu"),
    ("sv", "Inget finns sparat om den här adressen.", "Kund", "svaret gavs"),
    ("en", "Nothing is held for this address.", "Client", "given"),
]


@pytest.fixture(autouse=True)
def enlisted(run: Run, register: Path) -> None:
    """Take the register in."""
    assert 0 == run("client", "import", register).code


def test_a_client_hears_what_they_answered_and_to_which_words(run: Run) -> None:
    """The answers stand there with their words, as text and as JSON, by the client or by their address."""
    told = run("audit", "why", MAIJA)
    assert 0 == told.code
    assert "the words: \N{LEFT DOUBLE QUOTATION MARK}" in told.out
    by_number, by_address = (run("audit", "why", *words, "--json").json() for words in ((MAIJA,), ("--address", MAIJA)))
    assert by_number == by_address
    assert {"answer"} == {line["what"] for line in by_number["lines"]}
    assert all(line["answer"]["wording"] for line in by_number["lines"])


def test_of_an_address_that_nobody_has_nothing_is_told_but_a_kept_no(run: Run) -> None:
    """Invariant 8: that a no is kept, or that nothing is; a command that names nobody is told how to."""
    assert "Nothing is held for this address.\n" == run("audit", "why", "--address", "nobody@posti.example").out
    assert 0 == run("consent", "withdraw", "nobody@posti.example").code
    told = run("audit", "why", "--address", "nobody@posti.example").out
    assert told.startswith("A no is kept for this address, since ")
    assert 2 == run("audit", "why").code


@pytest.mark.parametrize(("language", "nothing", "client", "given"), WORDS)
def test_a_client_is_told_in_their_own_language(run: Run, language: str, nothing: str, client: str, given: str) -> None:
    """Invariant 8: the account of a client, and that there is none, is there in Finnish, Swedish and English."""
    told = run("audit", "why", MAIJA, "--language", language).out
    assert told.startswith(f"{client} ")
    assert f"    {given} " in told
    assert f"{nothing}\n" == run("audit", "why", "--address", "nobody@posti.example", "--language", language).out


def test_a_campaign_is_named_after_the_client_or_beside_the_address(run: Run) -> None:
    """`why CLIENT CAMPAIGN` and `why --address A CAMPAIGN` ask the same; a campaign that never was is an error."""
    for words in ((MAIJA, "nosuch"), ("--address", MAIJA, "nosuch")):
        refused = run("audit", "why", *words)
        assert (1, True) == (refused.code, "There is no campaign 'nosuch'" in refused.err)


def test_a_sample_of_a_year_without_messages_is_empty(run: Run) -> None:
    """The seed is the year where none is given, so that the same draw can be made again."""
    drawn = run("audit", "sample", "2026", "--json").json()
    assert ("2026", 0, [], {}) == (drawn["seed"], drawn["left"], drawn["messages"], drawn["pictures"])
    assert "No message left in 2026: there is nothing to draw from.\n" == run("audit", "sample", "2026").out


def test_the_tables_of_a_year_and_its_paper_are_written(home: Path, run: Run) -> None:
    """`--table` prints one table as CSV; `--pdf` writes a file of its own, and never over one that is there."""
    assert "place,answers\r\n" == run("audit", "year", "2026", "--table", "noes").out.replace("\n", "\r\n").replace(
        "\r\r", "\r"
    )
    assert 0 == run("audit", "year", "2026", "--pdf", "a.pdf", "--language", "sv").code
    assert (home / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert 0o600 == (home / "a.pdf").stat().st_mode & 0o777
    assert 1 == run("audit", "year", "2026", "--pdf", "a.pdf").code
