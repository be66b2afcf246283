"""The year as a picture: every campaign in it, in words as well, and nothing loaded from anywhere."""

import re
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import sync_playwright

from dispatcher.rendering.year_picture import picture_of
from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Channel
from dispatcher.rules.noted_days import noted_days, suggestions
from dispatcher.rules.year import Standing, YearEntry, glance, slots_of
from tests.accessibility import findings

TODAY = date(2027, 3, 1)
ENTRIES = [
    YearEntry(date(2027, 1, 20), "Talven rentoutus", Standing.SPENT, "offer", "t", 1, {Channel.EMAIL: 612}),
    YearEntry(date(2027, 2, 3), "Paperikirje", Standing.DECLARED),
    YearEntry(date(2027, 4, 20), "Kevät & <keveys>", Standing.SCHEDULED),
    YearEntry(date(2027, 6, 3), "Juhannus", Standing.HELD),
    YearEntry(date(2027, 8, 3), "Ruska", Standing.DRAFT),
    YearEntry(date(2027, 10, 28), "Isänpäivä " * 12, Standing.RESERVED),
    YearEntry(date(2027, 12, 1), "Joulu", Standing.CANCELLED),
]
_SVG = "{http://www.w3.org/2000/svg}"


def drawn(entries: list[YearEntry], year: int = 2027) -> str:
    """Return the picture of a year with these campaigns."""
    noted = noted_days(year, ())
    windows, lead = Windows(ZoneInfo("Europe/Helsinki")), timedelta(days=10)
    suggested = suggestions(year, noted, slots_of(entries), TODAY, windows, lead)
    return picture_of(glance(year, entries, TODAY), noted, suggested, "Tunturituuli & Kumpp.")


def test_the_picture_says_what_it_shows() -> None:
    """A drawing has a title and a description that name the year, what is left, and every campaign with its state."""
    picture = ET.fromstring(drawn(ENTRIES))  # noqa: S314 - our own drawing
    title, said = picture.find(f"{_SVG}title"), picture.find(f"{_SVG}desc")
    assert title is not None
    assert said is not None
    assert "Tunturituuli & Kumpp.: campaigns of 2027" == title.text
    assert "title said" == picture.get("aria-labelledby")
    for words in ("6 of 12 slots taken", "20.1. Talven rentoutus (went out, 612 by email)", "(held)", "<keveys>"):
        assert words in (said.text or "")


def test_every_day_of_the_year_is_drawn() -> None:
    """Twelve months hold each day once, a leap day too; a marked day tells what it holds."""
    picture = ET.fromstring(drawn(ENTRIES))  # noqa: S314 - our own drawing
    names = [each.text for each in picture.iter(f"{_SVG}text") if each.get("class") == "month"]
    assert ["January", "December"] == [names[0], names[-1]]
    for year, count in ((2027, 365), (2028, 366)):
        days = re.findall(r'class="day(?! small)[^"]*" x=', drawn([], year))
        assert count == len(days)
    told = [each.text for each in picture.iter(f"{_SVG}title")]
    assert "3.6. Juhannus (held)" in told
    assert any("suggested, before Midsummer Eve" in (text or "") for text in told)


def test_each_standing_has_a_shape_and_a_word() -> None:
    """No state is told by colour alone: the legend names each that is there, and only those."""
    whole, empty = drawn(ENTRIES), drawn([])
    for word in ("went out", "declared", "scheduled", "draft", "held", "reserved", "cancelled"):
        assert f">{word}</text>" in whole
        assert f">{word}</text>" not in empty
    assert "No campaign has a slot in this year." in empty


def test_nothing_is_loaded() -> None:
    """L-41: no script, picture, font or style sheet comes from anywhere."""
    picture = drawn(ENTRIES)
    assert [] == re.findall(r"<script|<image|@import|@font-face|href=|url\(", picture)
    assert ["http://www.w3.org/2000/svg"] == re.findall(r"https?://[^\"]+", picture)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_can_be_read(chromium: str, tmp_path: Path, scheme: str) -> None:
    """In a light and a dark window nothing runs out of the picture, and axe finds no fault with a page around it."""
    page_file = tmp_path / "year.html"
    page_file.write_text(
        f'<!doctype html><html lang="en"><title>2027</title><main><h1>2027</h1>{drawn(ENTRIES)}</main></html>',
        encoding="utf-8",
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(page_file.as_uri())
        outside = page.evaluate(
            "() => { const s = document.querySelector('svg'), w = s.viewBox.baseVal;"
            " return [...s.querySelectorAll('text')].filter(t => { const b = t.getBBox();"
            " return b.x < 0 || b.y < 0 || b.x + b.width > w.width || b.y + b.height > w.height })"
            ".map(t => t.textContent) }"
        )
        found = findings(page)
        browser.close()
    assert [] == outside
    assert [] == found
