"""Findings and remarks as a reader of another language gets them, held against their English."""

import re
from collections.abc import Iterable

from dispatcher.flow.audit_words import sentences
from dispatcher.rules.campaign import Language

_ENGLISH = re.compile(r"\b(the|of|is|was|entry|seal|campaign|client|message)\b", re.IGNORECASE)


def digits(words: str) -> list[int]:
    """Return the whole numbers in a text, groups of three joined."""
    joined = re.sub(r"(?<=\d)[\N{NO-BREAK SPACE},](?=\d{3}\b)", "", words)
    return [int(found) for found in re.findall(r"\d+", joined)]


def untranslated(told: Iterable[str]) -> list[str]:
    """Return what Finnish or Swedish leaves in English, or says with other numbers than English does."""
    told = list(told)
    return [
        said
        for language in (Language.FI, Language.SV)
        for each, said in zip(told, sentences(told, language), strict=True)
        if _ENGLISH.search(said) or sorted(digits(each)) != sorted(digits(said))
    ]
