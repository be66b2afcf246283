"""Whatever a client reads in a message or on a page stands in the catalogues: no template has words of its own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("templates", "dispatcher/rendering/letters", "dispatcher/web/pages")
SHEETS = ("ask_list.html.j2", "poster.svg.j2")
"""The papers that hang on a wall or lie on the counter; the other sheets are the owner's own."""
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_STYLES = re.compile(r"<style>.*?</style>", re.DOTALL)
_SAID = re.compile(r'\b(?:alt|aria-(?:label|description|roledescription)|content|placeholder|title)="([^"]*)"')
_OF_NO_LANGUAGE = re.compile(r"<meta [^>]*>|<!DOCTYPE html>")
_TAG = re.compile(r"<[^>]*>")
_ENTITY = re.compile(r"&#?\w+;")
_LETTERS = re.compile(r"[^\W\d_]+")


def own_words(source: str) -> list[str]:
    """Return the words that a template shows, or reads out, without asking the catalogue or the campaign."""
    bare = _OF_NO_LANGUAGE.sub("", _STYLES.sub("", _JINJA.sub("", source)))
    shown = " ".join([*_SAID.findall(bare), _TAG.sub(" ", bare)])
    return _LETTERS.findall(_ENTITY.sub(" ", shown))


def client_facing() -> list[Path]:
    """Return every template of a message, letter or page."""
    found = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in {".j2", ".html"}]
    return sorted(found + [ROOT / "dispatcher" / "rendering" / "sheets" / name for name in SHEETS])


@pytest.mark.parametrize("file", client_facing(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_template_has_no_words_of_its_own(file: Path) -> None:
    """Every word comes from the catalogue of the reader's language or from the campaign."""
    assert [] == own_words(file.read_text("utf-8"))


@pytest.mark.parametrize(
    "planted",
    [
        "<p>Hei {{ client.first_name }}!</p>",
        '<img alt="Kevät" src="x.jpg">',
        '<nav aria-label="Kieli">',
        "{% if x %}sekä{% endif %}",
        '{{ t("price") }} euroa',
    ],
)
def test_a_word_would_be_found(planted: str) -> None:
    """The look itself is looked at: between tags, in what is read out, inside a condition, beside an expression."""
    assert 1 == len(own_words(planted))


def test_there_is_something_to_look_at() -> None:
    """Messages, letters and pages are all found."""
    names = {str(file.relative_to(ROOT)) for file in client_facing()}
    assert {"templates/sms/offer.txt.j2", "dispatcher/web/pages/join.html"} <= names
    assert {"dispatcher/rendering/letters/service.html.j2", "templates/layouts/email.html.j2"} <= names
