"""Every Finnish word that a client reads is a word: Voikko knows it, or a person has said why it is right."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.rules.campaign import Language
from dispatcher.texts import CATALOGUES
from tests.voikko import Voikko

_ROOT = Path(__file__).parents[1]
_WORD = re.compile(r"[^\W\d_]+(?:[-:\N{RIGHT SINGLE QUOTATION MARK}'][^\W\d_]+)*-?")
_FILLED_IN = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|\{[^}]*\}", re.DOTALL)
Places = dict[str, list[str]]


@pytest.fixture(scope="module")
def voikko() -> Iterator[Voikko]:
    """Give Debian's Voikko, or skip the test where it is not installed."""
    try:
        known = Voikko()
    except OSError:
        pytest.skip("there is no Voikko here: run `make words`")
    yield known
    known.close()


@pytest.fixture(scope="module")
def allowed() -> dict[str, str]:
    """Give the words that are right all the same, with the reasons."""
    lines = (_ROOT / "tests" / "finnish_words.txt").read_text("utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def texts() -> Iterator[tuple[str, str]]:
    """Yield every Finnish text that a client reads, with where it stands."""
    yield from CATALOGUES[Language.FI].items()
    for paper in sorted((_ROOT / "dispatcher" / "rendering" / "records").glob("*.fi.*")):
        yield paper.name, paper.read_text("utf-8")
    for file in sorted((_ROOT / "campaigns").glob("*.toml")):
        for words in _finnish(tomllib.loads(file.read_text("utf-8"))):
            yield file.name, words


def _finnish(value: dict[str, object]) -> Iterator[str]:
    for key, each in value.items():
        if isinstance(each, dict):
            yield from _finnish(each)
        elif isinstance(each, str) and key in {"title", "fi"}:
            yield each


@pytest.fixture(scope="module")
def written() -> Places:
    """Give every Finnish word, with where it stands."""
    found: Places = {}
    for place, said in texts():
        for word in _WORD.findall(_FILLED_IN.sub(" ", said)):
            found.setdefault(word, []).append(place)
    return found


def test_every_finnish_word_is_known(voikko: Voikko, written: Places, allowed: dict[str, str]) -> None:
    """Texts, papers and sample campaigns hold no misspelt word."""
    assert len(written) > 1_000
    assert {} == {word: where for word, where in written.items() if word not in allowed and not voikko.knows(word)}


def test_no_word_is_allowed_for_nothing(voikko: Voikko, written: Places, allowed: dict[str, str]) -> None:
    """Each word that is right all the same has a reason, stands in a text, and is still unknown to Voikko."""
    assert all(reason.strip() for reason in allowed.values())
    assert [] == [word for word in allowed if word not in written or voikko.knows(word)]


@pytest.mark.parametrize(("word", "is_one"), [("hoitopäivä", True), ("hoitopaiva", False), ("viesstit", False)])
def test_voikko_tells_words_from_slips(voikko: Voikko, word: str, *, is_one: bool) -> None:
    """A text without its umlauts, or with a letter too many, would be found."""
    assert is_one is voikko.knows(word)
