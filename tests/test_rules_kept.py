"""Every rule that must be kept, and is built, is named by a test that holds it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_RULE = re.compile(r"^\| ([ES]-\d\d) \| MUST(?: NOT)? \|", re.MULTILINE)
_NAMED = re.compile(r"\b([ES])-(\d\d)(?:(?: to |\u2013)(?:\1-)?(\d\d))?")
MAILS, TEXTS = range(1, 37), range(1, 16)
LATER: dict[str, str] = {}
"""Rules of a part that is not built, each with the reason."""


def musts(page: str) -> set[str]:
    """Return the rules of a page that must be kept, among those on messages."""
    found = set(_RULE.findall(page))
    return {rule for rule in found if int(rule[2:]) in (MAILS if rule[0] == "E" else TEXTS)}


def named_in(docstring: str) -> set[str]:
    """Return the rules that a docstring names, each of a span ("E-20 to E-22") among them."""
    return {
        f"{letter}-{number:02}"
        for letter, first, last in _NAMED.findall(docstring)
        for number in range(int(first), int(last or first) + 1)
    }


def docstrings(directory: Path) -> Iterator[str]:
    """Yield the docstring of every test below a directory."""
    for file in sorted(directory.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield ast.get_docstring(node) or ""


@pytest.fixture(scope="module")
def wanted() -> set[str]:
    """Give every rule on messages that must be kept."""
    return musts((ROOT / "docs" / "rules.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def named() -> set[str]:
    """Give every rule that a test names."""
    return set().union(*map(named_in, docstrings(ROOT / "tests")))


def test_every_rule_has_a_test(wanted: set[str], named: set[str]) -> None:
    """Each MUST on mails and text messages is in the docstring of a test, or waits for its part with a reason."""
    assert {"E-01", "E-36", "S-01", "S-15"} <= wanted
    assert [] == sorted(wanted - named - LATER.keys())


def test_what_waits_is_not_built_yet(wanted: set[str], named: set[str]) -> None:
    """A rule leaves the list of those that wait as soon as a test holds it."""
    assert [] == sorted(LATER.keys() - wanted)
    assert [] == sorted(LATER.keys() & named)


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("E-20 to E-22: x", {"E-20", "E-21", "E-22"}),
        ("S-05, E-03: x (S-15).", {"S-05", "E-03", "S-15"}),
        ("Nothing.", set()),
    ],
)
def test_spans_are_read(docstring: str, expected: set[str]) -> None:
    """Both ways in which docstrings name rules are understood."""
    assert expected == named_in(docstring)


def test_a_rule_that_may_be_broken_is_no_must() -> None:
    """Only what must be kept, of mails and text messages, is asked for."""
    levels = {"E-01": "MUST", "E-16": "SHOULD", "E-40": "MUST", "S-20": "MUST", "S-07": "MUST NOT"}
    page = "".join(f"| {rule} | {level} | x |\n" for rule, level in levels.items())
    assert {"E-01", "S-07"} == musts(page)
