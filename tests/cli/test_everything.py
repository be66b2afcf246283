"""A no said at the desk by somebody whose name, number or address is only half understood."""

import io
from pathlib import Path

import pytest

from tests.cli.told import Run, Told

BOTH = "040 123 456"


@pytest.fixture(autouse=True)
def imported(register: Path, run: Run) -> None:
    """Let both clients be in the register."""
    assert run("client", "import", register).code == 0


def everything(run: Run, *words: str) -> Told:
    """Give the command."""
    return run("consent", "withdraw", "--everything", *words)


def out(run: Run) -> set[str]:
    """Return who has left every channel, by first name."""
    found = run("client", "list", "--json").json()["clients"]
    told = [(each["name"].split()[0], set(each["consent"].values())) for each in found]
    return {name for name, states in told if states == {"withdrawn"}}


@pytest.mark.parametrize("words", ["ante", "OVDA", "401234568", "ánte ovda"])
def test_one_is_found_by_what_was_heard(run: Run, words: str) -> None:
    """Part of a name without its accents, or of a number, is enough; what is shown is masked."""
    told = everything(run, words, "--yes")
    assert 0 == told.code
    assert "+358*****68" in told.out
    assert "4568" not in told.out.replace("*****68", "")
    assert {"Ánte"} == out(run)


def test_all_who_fit(run: Run) -> None:
    """With --yes everybody who fits leaves, in one command, and JSON tells who."""
    told = everything(run, BOTH, "--yes", "--json")
    assert (0, 2, True) == (told.code, len(told.json()["clients"]), told.json()["withdrawn"])
    assert {"Maija", "Ánte"} == out(run)


def test_one_of_several(run: Run) -> None:
    """With --only the others stay; a number that does not fit is refused, and nothing recorded."""
    number = everything(run, "ante", "--yes", "--json").json()["clients"][0]
    strange = everything(run, "maija", "--only", str(number))
    assert (1, {"Ánte"}) == (strange.code, out(run))
    assert "none of those who fit" in strange.err


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("all\n", 0, {"Maija", "Ánte"}), ("none\n", 1, set()), ("\n", 1, set()), ("Maija\n", 1, set()), ("", 1, set())],
)
def test_a_person_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: set[str]) -> None:
    """Without --yes it shows who fits and asks; anything but a clear answer records nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    told = everything(run, BOTH)
    assert (code, left) == (told.code, out(run))
    assert "m***@p***.example" in told.out


def test_numbers_are_an_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers that stand in the list may be written, one or several."""
    found = run("client", "list", "--json").json()["clients"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{found[0]['number']}, {found[1]['number']}\n"))
    assert 0 == everything(run, BOTH).code
    assert {"Maija", "Ánte"} == out(run)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--everything", "nobody"), 1, "Nobody fits 'nobody'"),
        (("--everything", "ante", "--json"), 1, "add --yes"),
        (("--everything", "ante", "--channel", "sms"), 2, "leave --channel out"),
        (("ante", "--yes"), 2, "go with --everything"),
    ],
)
def test_what_it_refuses(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    """Nothing is recorded where nobody fits, where nobody can be asked, or of what does not go together."""
    found = run("consent", "withdraw", *words)
    assert (code, set()) == (found.code, out(run))
    assert told in found.err


def test_who_did_it_is_on_record(run: Run) -> None:
    """The look at those who fit and each act are in the list of looks; the no names who took it."""
    number = everything(run, "ante", "--yes", "--json").json()["clients"][0]
    looks = run("audit", "looks", "--json").json()["looks"]
    acts = [(each["client"], each["clients"]) for each in looks if each["act"] == "consent withdraw"]
    assert [(None, 1), (number, 1)] == acts
    answers = run("consent", "history", number, "--json").json()["answers"]
    assert "person:1" == answers[-1]["actor"]
