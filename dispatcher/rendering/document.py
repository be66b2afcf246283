"""A paper for people, as plain lines: read from what a template wrote, shown as text, as a page, or on paper.

The lines are a small part of Markdown: `# title`, `## heading`, `### smaller heading`, `- item`, `name :: value`,
`> words of a message`, and paragraphs with blank lines between them. There is no mark-up within a line, so whatever a
name or an address holds stays what it is.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dispatcher.rendering import paper
from dispatcher.rules.campaign import Language

FOLDER = Path(__file__).parent / "records"
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:)]|[^\s<>@\"(]+@[^\s<>@\"]+\.[a-z0-9-]+[a-z]", re.IGNORECASE)


class BlockKind(StrEnum):
    """What a block of a paper is."""

    HEADING = "heading"
    SMALLER = "smaller"
    TEXT = "text"
    ITEMS = "items"
    FACTS = "facts"
    QUOTE = "quote"


_MARKS = {
    "## ": BlockKind.HEADING,
    "### ": BlockKind.SMALLER,
    "- ": BlockKind.ITEMS,
    ">": BlockKind.QUOTE,
}
_BEFORE = {
    BlockKind.HEADING: "## ",
    BlockKind.SMALLER: "### ",
    BlockKind.TEXT: "",
    BlockKind.ITEMS: "- ",
    BlockKind.FACTS: "- ",
    BlockKind.QUOTE: "> ",
}
_BETWEEN = " :: "


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together; a paragraph and a heading have one."""

    kind: BlockKind
    lines: tuple[str, ...]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return facts as names with their values."""
        return [(name, value) for name, _, value in (line.partition(_BETWEEN) for line in self.lines)]


@dataclass(frozen=True, slots=True)
class Document:
    """A paper: its title, its language, and what it says."""

    title: str
    language: Language
    blocks: tuple[Block, ...]

    def text(self) -> str:
        """Return the paper as plain lines, one a paragraph: what a published notice is frozen and compared as."""
        parts = [f"# {self.title}"]
        for block in self.blocks:
            said = [f"{name}: {value}" for name, value in block.pairs] if block.kind is BlockKind.FACTS else block.lines
            parts.append("\n".join(f"{_BEFORE[block.kind]}{line}".rstrip() for line in said))
        return "\n\n".join(parts) + "\n"

    def page(self) -> bytes:
        """Return the paper as one HTML file that needs nothing from elsewhere: no script, font or picture (L-41)."""
        return _pages().get_template("document.html.j2").render(document=self, kinds=BlockKind).encode("utf-8")

    def pdf(self) -> bytes:
        """Return the paper as a tagged PDF. Raises RenderingError where the extra `pdf` is not installed."""
        blocks = [{"kind": block.kind.value, "lines": block.lines, "pairs": block.pairs} for block in self.blocks]
        return paper.pdf("document", {"title": self.title, "language": self.language.value, "blocks": blocks})


def read(written: str, language: Language) -> Document:
    """Return the paper that these lines make; the lines of a paragraph are joined."""
    title, blocks = "", []
    for kind, lines in _grouped(written):
        if kind is None:
            title = title or lines[0]
        else:
            joined = (" ".join(lines),) if kind is BlockKind.TEXT else tuple(lines)
            blocks.append(Block(kind, joined))
    return Document(title, language, tuple(blocks))


def _grouped(written: str) -> Iterator[tuple[BlockKind | None, list[str]]]:
    """Yield neighbouring lines of one kind; the title's kind is None."""
    kind: BlockKind | None = None
    lines: list[str] = []
    for raw in [*written.splitlines(), ""]:
        line = raw.rstrip()
        found, said = _kind_of(line)
        joins = lines and found is kind and line and kind not in {BlockKind.HEADING, BlockKind.SMALLER, None}
        if lines and not joins:
            yield kind, lines
            lines = []
        if line:
            kind = found
            lines.append(said)


def _kind_of(line: str) -> tuple[BlockKind | None, str]:
    if line.startswith("# "):
        return None, line[2:].strip()
    for mark, kind in _MARKS.items():
        if line.startswith(mark):
            said = line[len(mark) :]
            return kind, said.removeprefix(" ") if kind is BlockKind.QUOTE else said.strip()
    return (BlockKind.FACTS if _BETWEEN in line else BlockKind.TEXT), line.strip()


@cache
def _pages() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["linked"] = _linked
    return environment


def _linked(line: str) -> str:
    """Return a line, escaped, in which web and email addresses can be followed."""
    parts, end = [], 0
    for found in _LINK.finditer(line):
        address = html.escape(found[0])
        target = address if "://" in address else f"mailto:{address}"
        parts += [html.escape(line[end : found.start()]), f'<a href="{target}">{address}</a>']
        end = found.end()
    return "".join([*parts, html.escape(line[end:])])
