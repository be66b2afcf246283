"""The audit on paper: read back from the PDF, it says the words and the numbers of the screen, in three languages."""

import io
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from pypdf import PdfReader

from dispatcher.errors import RenderingError
from dispatcher.flow.audit_paper import to_pdf
from dispatcher.flow.audit_tables import tables, worded
from dispatcher.flow.audit_words import checking, page_one, sentences
from dispatcher.rules.campaign import Language
from dispatcher.texts import text
from tests.flow.test_audit_formats import YEARS
from tests.rendering.studio import STUDIO
from tests.workshop import ZONE

NOW = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
every_paper = pytest.mark.parametrize("name", YEARS)
every_language = pytest.mark.parametrize("language", Language)


@cache
def paper(name: str, language: Language) -> PdfReader:
    """Return the paper of a year, opened by a reader of PDFs."""
    return PdfReader(io.BytesIO(to_pdf(YEARS[name], STUDIO, NOW, ZONE, language)))


def bare(words: str) -> str:
    """Return a text without any blanks: where a line breaks does not matter."""
    return "".join(words.split())


@every_paper
@every_language
def test_the_paper_says_what_the_screen_does(name: str, language: Language) -> None:
    """Page one holds the five questions with their numbers; the pages after it hold every finding and every row."""
    audit, found = YEARS[name], paper(name, language)
    first, *rest = (bare(page.extract_text()) for page in found.pages)
    for question in page_one(audit, language):
        assert bare("".join([question.figure, question.title, *question.lines])) in first
    assert bare(checking(audit, language)) in first
    assert bare(text("audit_kept" if audit.ok else "audit_broken", language)) in first
    after = "".join(rest)
    for sentence in sentences((*audit.findings, *audit.remarks), language):
        assert bare(sentence) in after
    for table in tables(audit):
        title, columns, rows = worded(table, language)
        assert bare(title) in after
        for row in [columns, *rows] if rows else []:
            assert bare("".join(row)) in after, (table.name, row)


@every_language
def test_the_charts_draw_the_numbers_of_the_tables(language: Language) -> None:
    """Beside each bar stands its number: what left by campaign, clients by messages, messages by age of the yes."""
    audit = YEARS["wide"]
    drawn = bare(paper("wide", language).pages[1].extract_text())
    by_name = {table.name: worded(table, language)[2] for table in tables(audit)}
    for row, each in zip(by_name["campaigns"], audit.campaigns, strict=True):
        assert bare(f"{row[0]} {row[1]} {each.accepted + each.unknown}") in drawn
    for age, many in by_name["ages"]:
        assert bare(age + many) in drawn


@every_paper
@every_language
def test_the_paper_is_made_to_be_kept_and_read_aloud(name: str, language: Language) -> None:
    """It says that it is PDF/A-2a and PDF/UA-1, is tagged, and names its language, title and local day."""
    found = paper(name, language)
    root: Any = found.trailer["/Root"]
    described: Any = found.metadata
    about = root["/Metadata"].get_data().decode("utf-8")
    assert ("2", "A", "1") == tuple(
        between(about, tag) for tag in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part")
    )
    assert "/StructTreeRoot" in root
    assert (True, language.value) == (root["/MarkInfo"]["/Marked"], root["/Lang"])
    assert text("audit_title", language, year=2026) == described.title
    assert str(described.creation_date).startswith("2027-01-01")


def between(words: str, tag: str) -> str:
    """Return what stands in an element of XMP metadata."""
    return words.partition(f"<{tag}>")[2].partition("<")[0]


def test_page_one_is_one_page() -> None:
    """Five questions, the seal, how to check and the signature fit on the first page of the widest year."""
    for language in Language:
        for name in YEARS:
            first = bare(paper(name, language).pages[0].extract_text())
            assert bare(text("audit_signature", language)) in first


def test_without_typst_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, asking for a PDF says how to get it."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(RenderingError, match=r"pip install consent-dispatcher\[pdf\]"):
        to_pdf(YEARS["empty"], STUDIO, NOW, ZONE)
