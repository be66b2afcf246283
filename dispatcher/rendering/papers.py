"""The papers about the clients' data, written from the house's own templates: notice, records, receipts, copies."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dispatcher.rendering.document import FOLDER, Document, read
from dispatcher.rules.campaign import Language
from dispatcher.texts import format_date, format_time, text


def write(name: str, language: Language, zone: ZoneInfo, values: Mapping[str, object]) -> Document:
    """Return the paper of this name in `rendering/records`, in this language, with its places filled.

    Days are written as the language writes them, instants as the business zone's clock shows them.
    """
    written = _environment().get_template(f"{name}.{language}.md.j2")
    said = written.render(
        **values,
        t=lambda key, **holes: text(key, language, **holes),
        word=lambda kind, value: text(f"{kind}_{value}", language) if value else "–",  # noqa: RUF001 - an empty place
        day=lambda value: _day(value, language, zone),
        moment=lambda value: _moment(value, language, zone),
    )
    return read(said, language)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=False,  # noqa: S701 - what is written is plain lines, and becomes a page only after it was read
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_in_one_line,
    )
    environment.filters["quoted"] = _quoted
    return environment


class _Lines(str):
    """Lines that were made to stand as lines."""

    __slots__ = ()


def _in_one_line(value: object) -> object:
    """Keep whatever is filled in within its line: no name begins a heading of its own."""
    return value if isinstance(value, _Lines) else " ".join(str(value).split())


def _quoted(words: str) -> _Lines:
    return _Lines("\n".join(f"> {line}".rstrip() for line in words.strip().splitlines()))


def _day(value: date | datetime | None, language: Language, zone: ZoneInfo) -> str:
    if value is None:
        return "–"  # noqa: RUF001 - an empty place
    local = value.astimezone(zone).date() if isinstance(value, datetime) else value
    return format_date(local, language)


def _moment(value: datetime | None, language: Language, zone: ZoneInfo) -> str:
    if value is None:
        return "–"  # noqa: RUF001 - an empty place
    local = value.astimezone(zone)
    return f"{format_date(local.date(), language)} {format_time(local.time(), language)}"
