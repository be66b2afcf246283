"""A paper says what its lines say, whoever's name stands in them, as text, as a page and on paper."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rendering import papers
from dispatcher.rendering.document import BlockKind, Document, read
from dispatcher.rules.campaign import Language
from tests.receipts import AT_HOME, PROCESSING

ZONE = ZoneInfo("Europe/Helsinki")
WRITTEN = """# Omat tietosi

Tässä on
kaikki.

## Viestit

Nimi :: Ánte
Osoite :: ante@posti.example

- yksi
- kaksi

### Kevät

> Hei!
>
> Hinta 49 €
"""
HOSTILE = ["<script>alert(1)</script>", "=== # x", "x\n# Otsikko\n- rivi", "a :: b", "[x](http://x.example)", "\"&'"]


def paper(*blocks: str) -> Document:
    """Return the paper of these blocks."""
    return read("\n\n".join(["# Otsikko", *blocks]), Language.FI)


def test_lines_become_blocks() -> None:
    """Each kind of line makes its block; the lines of a paragraph are joined, and a quoted line may be empty."""
    found = read(WRITTEN, Language.FI)
    assert "Omat tietosi" == found.title
    assert [
        (BlockKind.TEXT, ("Tässä on kaikki.",)),
        (BlockKind.HEADING, ("Viestit",)),
        (BlockKind.FACTS, ("Nimi :: Ánte", "Osoite :: ante@posti.example")),
        (BlockKind.ITEMS, ("yksi", "kaksi")),
        (BlockKind.SMALLER, ("Kevät",)),
        (BlockKind.QUOTE, ("Hei!", "", "Hinta 49 €")),
    ] == [(block.kind, block.lines) for block in found.blocks]


def test_the_text_of_a_paper_reads_as_itself() -> None:
    """A published text read again has the same words, its facts as items: nothing differs that did not change."""
    text = read(WRITTEN, Language.FI).text()
    assert "- Nimi: Ánte\n- Osoite: ante@posti.example" in text
    assert text == read(text, Language.FI).text()


@pytest.mark.parametrize("words", HOSTILE)
def test_a_page_holds_no_markup_of_a_name(words: str) -> None:
    """Whatever a name holds stands on the page as its letters: no element, no attribute, no link to elsewhere."""
    name = " ".join(words.split())
    page = paper(f"Nimi :: {name}", f"> {name}", f"- {name}").page().decode()
    body = page.partition("<main>")[2]
    assert {"h1", "dl", "dt", "dd", "pre", "ul", "li", "a", "main", "body", "html"} >= set(
        re.findall(r"</?([a-z0-9]+)", body)
    )
    assert "<script" not in page


def test_a_page_needs_nothing_from_elsewhere() -> None:
    """L-41: no script, picture, font or sheet; only links a person follows, none of them to a third party."""
    page = paper("Katso https://tunturituuli.example/tietosuoja. Kirjoita: hei@tunturituuli.example").page().decode()
    assert [] == re.findall(r"<(?:script|img|link|iframe|form|object)\b|@import|url\(", page)
    assert ["https://tunturituuli.example/tietosuoja", "mailto:hei@tunturituuli.example"] == re.findall(
        r'href="([^"]+)"', page
    )
    assert "default-src 'none'" in page
    assert '<html lang="fi">' in page
    assert 1 == page.count("<h1>")


@given(st.text(max_size=60))
def test_a_value_stays_in_its_line(words: str) -> None:
    """No value filled into a template begins a line, a heading or a fact of its own."""
    kept = str(papers._in_one_line(words))
    found = read(f"# T\n\nNimi :: {kept or '–'}\n", Language.FI)  # noqa: RUF001 - an empty place
    assert [BlockKind.FACTS] == [block.kind for block in found.blocks]
    assert 1 == len(found.blocks[0].lines)


def test_a_paper_prints() -> None:
    """The PDF is one, tagged, in the paper's language, and takes a name that would be typst's own markup."""
    made = paper("Nimi :: Ánte #set page(width: 1cm) *x* $y$ @label", "> Hinta 49 €", "- [x] _a_").pdf()
    assert made.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in made
    assert b"(fi)" in made


@pytest.mark.parametrize("processing", [PROCESSING, AT_HOME], ids=["companies", "at home"])
@pytest.mark.parametrize("name", ["notice", "ropa"])
def test_every_language_says_the_same_things(name: str, processing: object) -> None:
    """Finnish, Swedish and English have the same headings, items and facts, block by block."""
    values = {
        "p": processing,
        "studio": PROCESSING.studio,
        "processors": processing.processors,  # type: ignore[attr-defined]
        "periods": PROCESSING.periods,
        "authority": {"name": "A", "address": "B", "email": "c@d.example", "phone": "1", "url": "https://e.example"},
        "made_at": datetime(2026, 11, 23, tzinfo=UTC),
        "clients": 3,
        "covered": True,
    }
    shapes = [
        [(block.kind, len(block.lines)) for block in papers.write(name, language, ZONE, values).blocks]
        for language in Language
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    assert len(shapes[0]) > 15


def test_days_are_written_as_people_write_them() -> None:
    """A day is 3.2.2026 in Finnish, and nothing is a dash."""
    assert ["3.2.2026", "3 February 2026", "–"] == [  # noqa: RUF001 - an empty place
        papers._day(date(2026, 2, 3), Language.FI, ZONE),
        papers._day(datetime(2026, 2, 2, 22, 30, tzinfo=UTC), Language.EN, ZONE),
        papers._day(None, Language.FI, ZONE),
    ]
