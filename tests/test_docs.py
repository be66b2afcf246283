"""The papers tell the truth: what they link to, name and draw is there."""

import re
import tomllib
from enum import StrEnum
from pathlib import Path

import pytest

from dispatcher.rules.consent import ConsentState, Reply
from dispatcher.rules.message import OutcomeKind

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "dispatcher"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def fences(text: str) -> list[str]:
    """Return the fenced blocks of a page."""
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def drawn(tree: str) -> list[Path]:
    """Return every path of a drawn tree, in order; four spaces are one step down."""
    found: list[Path] = []
    above: list[str] = []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        above = [*above[:depth], line.split()[0].rstrip("/")]
        found.append(Path(*above))
    return found


def is_there(path: Path) -> bool:
    """Say whether a path exists, a Python module also without its ending."""
    return path.exists() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """A link to another file of the repository leads to a file that is there."""
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [] == [target for target in targets if not (path.parent / target).exists()]


@pytest.mark.parametrize("path", [*PAGES, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_make_commands_exist(path: Path) -> None:
    """Every `make` command that a page tells somebody to type is in the Makefile."""
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert set() == named - set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def test_make_lists_every_command() -> None:
    """`make` alone lists each command with a line that says what it does."""
    commands = set(re.findall(r"^\.PHONY: (\S+)", MAKEFILE, re.MULTILINE))
    assert commands == set(re.findall(r"^([a-z]+):.*## \S", MAKEFILE, re.MULTILINE))


def test_the_drawn_house_stands() -> None:
    """Everything in the architecture's tree is there: no room is drawn before it is built."""
    tree = fences(page("docs/architecture.md"))[0]
    assert [] == [path.as_posix() for path in drawn(tree) if not is_there(ROOT / path)]


def test_every_room_is_drawn() -> None:
    """Every room of the program stands in the architecture's tree."""
    named = {path.with_suffix("").as_posix() for path in drawn(fences(page("docs/architecture.md"))[0])}
    rooms = {
        path.with_suffix("").relative_to(ROOT).as_posix()
        for path in PROGRAM.iterdir()
        if not path.name.startswith("__") and (path.suffix == ".py" or path.is_dir())
    }
    assert set() == rooms - named


def test_the_import_direction_is_the_contract() -> None:
    """The floors on the architecture page are those that import-linter holds, less the rooms not yet built."""
    contracts = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    held = [[room for room in layer.split(" | ") if not room.startswith("(")] for layer in layers]
    assert held == [line.split(" | ") for line in fences(page("docs/architecture.md"))[1].splitlines()]


def test_every_word_has_one_sentence() -> None:
    """The glossary gives each word once, in one sentence."""
    entries = re.findall(
        r"^- \*\*(.+?)\*\*: (.+?)(?=\n- |\n\n|\n#|\Z)", page("docs/glossary.md"), re.MULTILINE | re.DOTALL
    )
    words = [word for word, _ in entries]
    assert sorted(set(words)) == sorted(words)
    assert len(words) == page("docs/glossary.md").count("- **")
    assert [] == [word for word, sentence in entries if not sentence.strip().endswith(".") or ". " in sentence]


@pytest.mark.parametrize("vocabulary", [ConsentState, Reply, OutcomeKind])
def test_the_glossary_knows_the_closed_vocabularies(vocabulary: type[StrEnum]) -> None:
    """Each value of a closed vocabulary that people meet stands in the glossary."""
    assert [] == [value for value in vocabulary if f"`{value}`" not in page("docs/glossary.md")]


def test_every_decision_has_its_cost() -> None:
    """Each decision is dated and says what it answers, what was chosen and what that costs."""
    decisions = re.split(r"^## ", page("docs/decisions.md"), flags=re.MULTILINE)[1:]
    assert [] == [text.splitlines()[0] for text in decisions if not re.match(r"20\d\d-\d\d-\d\d: \S", text)]
    for text in decisions:
        labels = re.findall(r"^\*\*(\w+)\.\*\* ", text, re.MULTILINE)
        assert ["Context", "Choice", "Cost"] == labels, text.splitlines()[0]


def test_the_fixtures_in_the_papers_exist() -> None:
    """Every fixture that CONTRIBUTING.md offers is in tests/conftest.py."""
    conftest = page("tests/conftest.py")
    rows = [row.split("|")[1] for row in page("CONTRIBUTING.md").splitlines() if row.startswith("| `")]
    fixtures = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert fixtures
    assert [] == [name for name in fixtures if f"def {name}(" not in conftest]
