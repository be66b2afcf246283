"""The audit on paper: the same figures as on the screen, in a PDF."""

import re
import sys
from datetime import UTC, datetime

import pytest

from dispatcher.errors import RenderingError
from dispatcher.flow.audit_formats import answers, to_text
from dispatcher.flow.audit_paper import to_pdf
from tests.workshop import ZONE, Workshop

NOW = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)


def test_the_audit_is_a_tagged_pdf(workshop: Workshop) -> None:
    """The PDF is one, is tagged for readers, and names the local day on which it was made."""
    with workshop.opened() as dispatcher:
        page = to_pdf(dispatcher.audit.year(2026), dispatcher.studio, NOW, ZONE)
    assert page.startswith(b"%PDF-1.")
    assert b"/StructTreeRoot" in page
    assert b"2027-01-01" in page or b"20270101" in page


def test_paper_and_screen_say_the_same_numbers(workshop: Workshop) -> None:
    """Every number of the paper's answers stands in the text of the screen, in the same order."""
    with workshop.opened() as dispatcher:
        audit = dispatcher.audit.year(2026)
    on_paper = [number for _, reply in answers(audit) for number in re.findall(r"\d+", reply)]
    on_screen = re.findall(r"\d+", to_text(audit).partition("How often")[2].partition("The ledger")[0])
    assert on_paper == on_screen


def test_without_typst_the_error_says_what_to_install(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, asking for a PDF says how to get it."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with (
        workshop.opened() as dispatcher,
        pytest.raises(RenderingError, match=r"pip install consent-dispatcher\[pdf\]"),
    ):
        to_pdf(dispatcher.audit.year(2026), dispatcher.studio, NOW, ZONE)
