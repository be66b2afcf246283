"""What the catalogues promise."""

import re
import string
from datetime import date, time
from pathlib import Path

import pytest

from dispatcher.errors import NotFoundError
from dispatcher.rules.campaign import Language
from dispatcher.rules.decision import Reason
from dispatcher.texts import CATALOGUES, counts, format_date, format_hours, format_time, reason_text, text

_FINNISH = CATALOGUES[Language.FI]
_ROOT = Path(__file__).parents[1]
_CLIENT_FACING = ("templates", "dispatcher/rendering/letters", "dispatcher/rendering/records", "dispatcher/web/pages")


def _holes(pattern: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}


@pytest.mark.parametrize("language", Language)
def test_every_language_has_the_same_texts(language: Language) -> None:
    """No sentence is missing from a language, and none is there for one language only."""
    assert set(_FINNISH) == set(CATALOGUES[language])


@pytest.mark.parametrize("language", Language)
def test_a_text_has_the_same_holes_in_every_language(language: Language) -> None:
    """What is filled into a sentence is filled into it in all three languages."""
    catalogue = CATALOGUES[language]
    assert {key: _holes(words) for key, words in _FINNISH.items()} == {key: _holes(catalogue[key]) for key in _FINNISH}


@pytest.mark.parametrize("language", Language)
def test_a_text_is_neither_empty_nor_padded(language: Language) -> None:
    """A sentence stands without blanks around it, so that templates decide the spaces."""
    looked_at = {key: words for key, words in CATALOGUES[language].items() if not key.startswith("page_language_")}
    assert {key: words.strip() for key, words in looked_at.items()} == looked_at
    assert [] == [key for key, words in looked_at.items() if not words]


def test_no_sentence_was_left_untranslated() -> None:
    """A sentence of several words differs between the languages."""
    sentences = [key for key in _FINNISH if " " in _FINNISH[key]]
    words = {key: {CATALOGUES[language][key] for language in Language} for key in sentences}
    assert [] == [key for key in sentences if len(words[key]) != len(Language)]
    assert sentences


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


@pytest.mark.parametrize(
    ("language", "hour", "told"),
    [
        ("fi", time(9), "klo 9.00"),
        ("sv", time(9), "kl. 9.00"),
        ("fi", time(17, 30), "klo 17.30"),
        ("en", time(9), "at 9 am"),
        ("en", time(17, 30), "at 5:30 pm"),
        ("en", time(12), "at noon"),
        ("en", time(12, 15), "at 12:15 pm"),
        ("en", time(0), "at midnight"),
    ],
)
def test_a_time_is_written_as_the_language_does(language: str, hour: time, told: str) -> None:
    """The word before a time is a part of it, and no line breaks between the two."""
    written = format_time(hour, Language(language))
    assert told == written.replace("\N{NO-BREAK SPACE}", " ")
    assert " " not in written.removeprefix("at ")


@pytest.mark.parametrize(
    ("language", "told"),
    [("fi", "klo 9.00\N{EN DASH}15.00"), ("sv", "kl. 9.00\N{EN DASH}15.00"), ("en", "from 9 am to 3 pm")],
)
def test_hours_are_written_as_the_language_does(language: str, told: str) -> None:
    """From when to when, in one piece."""
    assert told == format_hours(time(9), time(15), Language(language)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [("fi", "1 minuutti", "60 minuuttia"), ("sv", "1 minut", "60 minuter"), ("en", "1 minute", "60 minutes")],
)
def test_a_noun_follows_its_number(language: str, one: str, many: str) -> None:
    """Babel's plural rules choose the form of a noun."""
    written = (text("minutes", Language(language), count=count) for count in (1, 60))
    assert (one, many) == tuple(each.replace("\N{NO-BREAK SPACE}", " ") for each in written)


def test_a_number_without_a_form_is_named() -> None:
    """A number that is no whole one has no form, and a misspelt noun none either."""
    with pytest.raises(NotFoundError, match="no text 'minutes'"):
        text("minutes", Language.FI, count="60")
    with pytest.raises(NotFoundError, match="no text 'minute'"):
        text("minute", Language.FI, count=60)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("noun", sorted({key.rpartition("_")[0] for key in counts.FI}))
def test_a_noun_has_a_form_for_every_number(noun: str, language: Language) -> None:
    """Each noun has a form for each plural category of each language, and its number in it."""
    forms = {key: form for key, form in CATALOGUES[language].items() if key.rpartition("_")[0] == noun}
    assert {f"{noun}_{each}" for each in counts.categories(language)} == set(forms)
    assert all("{count}" in form for form in forms.values())


@pytest.mark.parametrize("language", Language)
def test_no_text_inflects_what_is_filled_in(language: Language) -> None:
    """Names, dates, times and addresses stay as they are: no ending is hung on a hole, and no word run into one."""
    assert [] == [words for words in CATALOGUES[language].values() if _INFLECTED.search(words)]


def test_no_template_inflects_what_is_filled_in() -> None:
    """The same holds for whatever a client reads: messages, letters, papers and pages."""
    pages = [path for folder in _CLIENT_FACING for path in (_ROOT / folder).rglob("*.*") if path.suffix != ".css"]
    words = {str(path): re.sub(r"<[^>]*>|(?s:\{#.*?#\}|\{%.*?%\})", " ", path.read_text("utf-8")) for path in pages}
    assert len(words) > 20
    assert [] == [file for file, said in words.items() if re.search(r"\}\}[:-]?[^\W\d_]|[^\W\d_]-?\{\{", said)]


_INFLECTED = re.compile(r"\}[:-]?[^\W\d_]|[^\W\d_]-?\{")
"""An ending on a hole, as in "{name}n" and "{studio}:lle", or a word before it, as in "pre{name}"."""


@pytest.mark.parametrize("pattern", ["{name}n", "{studio}:lle", "{day}-päivä", "x{name}", "e-{name}"])
def test_an_inflected_hole_would_be_found(pattern: str) -> None:
    """The look itself is looked at."""
    assert _INFLECTED.search(pattern)
