"""The poster: its code leads where it says, its words fit, and it needs nothing from elsewhere."""

import re
from itertools import product
from xml.etree import ElementTree as ET

import pytest
import segno
from playwright.sync_api import sync_playwright

from dispatcher.rendering.poster import Poster, Size, code_path, poster_pdf, poster_svg
from dispatcher.rules.campaign import Channel, Language
from dispatcher.texts import text

URL = "https://viestit.tunturituuli.example/join"
DAY = {"year": 2026, "month": 11, "day": 23}
SVG = "{http://www.w3.org/2000/svg}"
_SAMPLE = """async ([svg, size]) => {
  const image = new Image();
  image.src = 'data:image/svg+xml;base64,' + btoa(unescape(encodeURIComponent(svg)));
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = 2100; canvas.height = 2970;
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 2100, 2970);
  const { x, y, side, modules } = size;
  const rows = [];
  for (let row = 0; row < modules; row++) {
    const cells = [];
    for (let column = 0; column < modules; column++) {
      const at = n => Math.round((n + 0.5) * side / modules * 10);
      cells.push(context.getImageData(x * 10 + at(column), y * 10 + at(row), 1, 1).data[0] < 128 ? 1 : 0);
    }
    rows.push(cells);
  }
  return rows;
}"""


def poster(language: Language = Language.FI, channels: tuple[Channel, ...] = (Channel.EMAIL,)) -> Poster:
    """Return the invented studio's poster."""
    return Poster(
        language=language.value,
        studio="Tunturituuli",
        heading=text("poster_heading", language),
        words=[text(f"question_{channel}", language) for channel in channels],
        scan=text("poster_scan", language),
        url=URL,
        leave=[text("poster_leave", language), text("right_to_object", language)],
        identity=["Tunturituuli & <pojat>, Y-tunnus 0000000-0", "hei@tunturituuli.example", "Tietosuojaseloste: x"],
    )


def drawn(svg: str) -> ET.Element:
    """Return the drawing as a tree."""
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


def white(svg: str) -> dict[str, float]:
    """Return where the white square of the code is, in millimetres."""
    square = next(each for each in drawn(svg).iter(f"{SVG}rect") if each.get("fill") == "#ffffff")
    return {name: float(square.get(name, "")) for name in ("x", "y", "width")}


def test_the_code_is_the_address(chromium: str) -> None:
    """What a camera sees on the drawn poster is, module by module, the code of the address, within its white margin."""
    svg = poster_svg(poster(), Size.A4)
    matrix = [[0] * 4 + list(row) + [0] * 4 for row in segno.make(URL, error="q", micro=False).matrix]
    blank = [[0] * len(matrix[0])] * 4
    square = white(svg)
    size = {"x": square["x"], "y": square["y"], "side": square["width"], "modules": len(matrix) + 8}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        seen = browser.new_page().evaluate(_SAMPLE, [svg, size])
        browser.close()
    assert [*blank, *matrix, *blank] == seen


def test_a_run_is_drawn_once() -> None:
    """The path of the code covers the dark modules, each of them once, and no other."""
    width, path = code_path(URL)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path)
    covered = [(int(x) + at, int(y)) for x, y, length in runs for at in range(int(length))]
    matrix = segno.make(URL, error="q", micro=False).matrix
    dark = [(x, y) for y, x in product(range(width), repeat=2) if matrix[y][x]]
    assert dark == covered


@pytest.mark.parametrize("size", Size)
@pytest.mark.parametrize("channels", [(Channel.EMAIL,), (Channel.SMS,), (Channel.EMAIL, Channel.SMS)])
@pytest.mark.parametrize("language", Language)
def test_everything_stands_on_the_paper(language: Language, channels: tuple[Channel, ...], size: Size) -> None:
    """Every word is there, in whole; texts and code keep clear of the foot, and nothing is loaded from anywhere."""
    made = poster(language, channels)
    svg = poster_svg(made, size)
    lines = [(float(each.get("y", "")), each.text or "") for each in drawn(svg).iter(f"{SVG}text")]
    page = " ".join(line for _, line in lines)
    for said in (made.heading, *made.words, made.scan, *made.leave, *made.identity, URL.removeprefix("https://")):
        assert said in page
    foot = next(y for y, line in lines if line == made.identity[0])
    above = max(y for y, _ in lines if y < foot)
    square = white(svg)
    assert above < foot - 9
    assert square["y"] + square["width"] < foot - 9
    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"https?://[^\s\"<]+", svg)) - {URL}
    assert {"a4": ("210mm", "297mm"), "card": ("105mm", "148.5mm")}[size] == (
        drawn(svg).get("width"),
        drawn(svg).get("height"),
    )


@pytest.mark.parametrize("size", Size)
def test_the_poster_is_a_pdf(size: Size) -> None:
    """With typst the same drawing is a PDF of its size."""
    assert poster_pdf(poster(), size, DAY).startswith(b"%PDF-")
