"""What an auditor gets at the command line: masked views, and from the doors to whole ones a refusal."""

from pathlib import Path

import pytest

from tests.cli.told import Run

pytestmark = pytest.mark.usefixtures("home")
AUDITOR = ("--as", "Tarkka Tilintarkastaja")


@pytest.fixture(autouse=True)
def hired(run: Run, register: Path) -> None:
    """Take two clients in, and an auditor on."""
    assert 0 == run("client", "import", register).code
    assert 0 == run("person", "add", AUDITOR[1], "--role", "auditor").code


@pytest.mark.parametrize(
    "words",
    [
        ("client", "show", "maija@posti.example", "--full"),
        ("client", "export", "maija@posti.example", "--json", "--identity", "known"),
        ("client", "export", "maija@posti.example", "--out", "told.json", "--identity", "known"),
        ("consent", "receipt", "maija@posti.example"),
        ("consent", "receipt", "maija@posti.example", "--out", "told.json"),
        ("consent", "ask-list"),
        ("consent", "ask-list", "--html", "told.html", "--json"),
        ("breach-scope", "--full", "told.json"),
    ],
)
def test_an_auditor_is_refused_whole_views(home: Path, run: Run, words: tuple[str, ...]) -> None:
    """Exit code 1, nothing shown, no file written, and no request on record."""
    told = run(*AUDITOR, *words)
    assert (1, "", True) == (told.code, told.out, "An auditor sees masked addresses" in told.err)
    assert [] == list(home.glob("told.*"))
    assert [] == run("client", "requests", "--all", "--json").json()["requests"]
    assert 0 == run(*words).code


@pytest.mark.parametrize(
    "words",
    [
        ("client", "show", "maija@posti.example"),
        ("client", "list"),
        ("consent", "history", "maija@posti.example"),
        ("breach-scope",),
        ("retention", "show"),
    ],
)
def test_an_auditor_sees_masked_addresses(run: Run, words: tuple[str, ...]) -> None:
    """The masked views are the auditor's as well."""
    told = run(*AUDITOR, *words)
    assert (0, False) == (told.code, "maija@posti.example" in told.out)
