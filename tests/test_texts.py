"""What the catalogues promise."""

import re
import string
from datetime import date

import pytest

from dispatcher.errors import NotFoundError
from dispatcher.rules.campaign import Language
from dispatcher.rules.decision import Reason
from dispatcher.texts import CATALOGUES, format_date, reason_text, text

_FINNISH = CATALOGUES[Language.FI]


def _holes(pattern: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}


@pytest.mark.parametrize("language", Language)
def test_every_language_has_the_same_texts(language: Language) -> None:
    """No sentence is missing from a language, and none is there for one language only."""
    assert set(_FINNISH) == set(CATALOGUES[language])


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", _FINNISH)
def test_a_text_has_the_same_holes_in_every_language(key: str, language: Language) -> None:
    """What is filled into a sentence is filled into it in all three languages."""
    assert _holes(_FINNISH[key]) == _holes(CATALOGUES[language][key])


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", [key for key in _FINNISH if not key.startswith("page_language_")])
def test_a_text_is_neither_empty_nor_padded(key: str, language: Language) -> None:
    """A sentence stands without blanks around it, so that templates decide the spaces."""
    words = CATALOGUES[language][key]
    assert words.strip() == words
    assert words


@pytest.mark.parametrize("key", [key for key in _FINNISH if " " in _FINNISH[key]])
def test_no_sentence_was_left_untranslated(key: str) -> None:
    """A sentence of several words differs between the languages."""
    assert len(Language) == len({CATALOGUES[language][key] for language in Language})


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_one_plain_sentence(reason: Reason, language: Language) -> None:
    """Each reason why a message does not go is one sentence, and no two reasons share theirs."""
    sentence = reason_text(reason, language)
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert [reason] == [other for other in Reason if reason_text(other, language) == sentence]


def test_no_reason_was_left_behind() -> None:
    """A sentence for a reason that no longer exists is found."""
    assert {f"reason_{reason}" for reason in Reason} == {key for key in _FINNISH if key.startswith("reason_")}


@pytest.mark.parametrize("language", Language)
def test_no_text_tells_a_client_to_reply(language: Language) -> None:
    """S-10: the sender of a text message may be one-way, so "reply STOP" is printed nowhere."""
    words = set(re.findall(r"\w+", " ".join(CATALOGUES[language].values()).lower()))
    assert words.isdisjoint({"reply", "vastaa", "vastaamalla", "svara", "tekstaa"})


def test_a_text_is_filled() -> None:
    """A value stands in a sentence as it is, in whatever case."""
    expected = "Hei Áilu!"
    assert expected == text("greeting_name", Language.FI, name="Áilu")


def test_a_value_is_not_read_as_a_pattern() -> None:
    """A client's name cannot reach into the program through braces."""
    expected = "Hei {x.__class__}!"
    assert expected == text("greeting_name", Language.FI, name="{x.__class__}")


def test_an_unknown_text_is_named() -> None:
    """A misspelt key says which one and where the right ones stand."""
    with pytest.raises(NotFoundError, match=r"no text 'greting'.*texts/sv\.py"):
        text("greting", Language.SV)


def test_a_missing_value_is_named() -> None:
    """A hole without a value says which one."""
    with pytest.raises(NotFoundError, match=r"'greeting_name' needs a value for 'name': write name="):
        text("greeting_name", Language.FI)


@pytest.mark.parametrize(("language", "written"), [("fi", "3.2.2026"), ("sv", "3.2.2026"), ("en", "3 February 2026")])
def test_a_date_is_written_as_the_language_does(language: str, written: str) -> None:
    """A date cannot be misread: English spells the month."""
    assert written == format_date(date(2026, 2, 3), Language(language))


def test_a_date_is_finnish_by_default() -> None:
    """Finnish comes first."""
    expected = "31.12.2026"
    assert expected == format_date(date(2026, 12, 31))
