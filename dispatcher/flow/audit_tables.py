"""The tables of a year's audit, the same in every format: names of columns and plain values, worded apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dispatcher.flow.audit_year import CampaignFigures, YearAudit
from dispatcher.rules.campaign import Channel, Language
from dispatcher.texts import CATALOGUES, format_date, format_number, text

Cell = int | str | date | Decimal | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: each row has a value for each column; a word in it is the program's own."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


NAMES = (
    *("campaigns", "afterwards", "channels", "withheld", "spread", "places", "ages", "noes", "speed", "requests"),
    *("letters", "carriers"),
)
"""What the tables are called, in order."""


_OF_MESSAGES = frozenset(
    {"afterwards", "channels", "withheld", "spread", "places", "ages", "letters", "carriers"},
)
"""The tables that only count messages."""


def tables(audit: YearAudit) -> tuple[Table, ...]:
    """Return every table of an audit; one that has nothing to tell is there without rows.

    Of a year whose messages were destroyed those that only count them are left out.
    """
    every = (
        _campaigns(audit),
        _afterwards(audit),
        _channels(audit),
        Table(
            "withheld",
            ("campaign", "clients", "reason"),
            tuple((_title(each), many, reason) for each in audit.campaigns for reason, many in each.withheld.items()),
        ),
        Table("spread", ("messages", "clients"), tuple(audit.messages.spread.items())),
        Table("places", ("place", "messages"), tuple(audit.messages.places.items())),
        Table("ages", ("age", "messages"), tuple((age, many) for age, many in audit.messages.ages.items())),
        Table("noes", ("place", "answers"), tuple(audit.noes.places.items())),
        Table("speed", ("within", "answers"), (*audit.noes.within.items(), ("unknown", audit.noes.untimed))),
        _requests(audit),
        _letters(audit),
        _carriers(audit),
    )
    return tuple(table for table in every if table.name not in _OF_MESSAGES) if audit.is_gone else every


def worded(table: Table, language: Language) -> tuple[str, list[str], list[list[str]]]:
    """Return the title, the columns and the rows of a table as a reader of this language sees them."""
    title = text(f"audit_table_{table.name}", language)
    columns = [text(f"audit_col_{name}", language) for name in table.columns]
    rows = [[_said(name, cell, language) for name, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    return title, columns, rows


def is_number(column: str) -> bool:
    """Say whether a column holds numbers, which stand to the right."""
    return column not in _WORDS and column not in {"day", "campaign", "age"}


def place_text(place: str, language: Language) -> str:
    """Return where an answer was given, as this language says it."""
    return text("audit_place_unknown", language) if place == "unknown" else _word(f"place_{place}", place, language)


def _word(key: str, word: str, language: Language) -> str:
    """Return what this language calls a word of the program; one that it has none for stands as it is."""
    return text(key, language) if key in CATALOGUES[language] else word.replace("_", " ")


def _reason(reason: str, language: Language) -> str:
    return _word(f"reason_{reason}", reason, language)


def _age(age: str, language: Language) -> str:
    return text("audit_age_over", language) if age.startswith("over") else age.replace("-", "\N{EN DASH}")


_WORDS: Mapping[str, Callable[[str, Language], str]] = {
    "channel": lambda word, language: _word(f"channel_{word}", word, language),
    "reason": _reason,
    "place": place_text,
    "within": lambda word, language: text(f"audit_within_{word}", language),
    "kind": lambda word, language: _word(f"request_{word}", word, language),
    "purpose": lambda word, language: _word(f"audit_purpose_{word}", word, language),
    "age": _age,
}


def _said(column: str, cell: Cell, language: Language) -> str:
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, date):
        return format_date(cell, language)
    if isinstance(cell, Decimal):
        return f"{cell:f}" if language is Language.EN else f"{cell:f}".replace(".", ",")
    if isinstance(cell, int):
        return format_number(cell, language)
    return _WORDS[column](cell, language) if column in _WORDS else cell


def _title(campaign: CampaignFigures) -> str:
    return campaign.title or campaign.name


def _campaigns(audit: YearAudit) -> Table:
    counts = ("planned", "accepted", "refused", "unknown", "open")
    nothing_known = (None,) * (len(counts) + 1)
    rows = (
        (each.day, _title(each), *(nothing_known if audit.is_gone else _counted(each, counts)))
        for each in audit.campaigns
    )
    return Table("campaigns", ("day", "campaign", *counts, "withheld"), tuple(rows))


def _counted(campaign: CampaignFigures, counts: Sequence[str]) -> tuple[Cell, ...]:
    return (*(getattr(campaign, count) for count in counts), sum(campaign.withheld.values()))


def _afterwards(audit: YearAudit) -> Table:
    rows = (
        (each.day, _title(each), each.delivered, each.bounced, each.complained, each.opted_out_after)
        for each in audit.campaigns
    )
    return Table("afterwards", ("day", "campaign", "delivered", "bounced", "complained", "said_no"), tuple(rows))


def _channels(audit: YearAudit) -> Table:
    counts = ("planned", "accepted", "refused", "unknown")
    rows: list[tuple[Cell, ...]] = []
    for each in audit.campaigns:
        for channel, figures in each.channels.items():
            is_text = channel == Channel.SMS
            paid: tuple[Cell, Cell] = (each.sms_parts, Decimal(each.sms_cost)) if is_text else (None, None)
            rows.append((_title(each), channel, *(getattr(figures, count) for count in counts), *paid))
    return Table("channels", ("campaign", "channel", *counts, "parts", "cost"), tuple(rows))


def _requests(audit: YearAudit) -> Table:
    columns = ("kind", "opened", "answered", "refused", "open", "late", "median_days", "longest_days")
    return Table("requests", columns, _picked(audit.requests, columns))


def _letters(audit: YearAudit) -> Table:
    columns = ("purpose", "channel", "asked", "accepted", "refused", "unknown", "open", "withheld")
    return Table("letters", columns, _picked(audit.letters, columns))


def _carriers(audit: YearAudit) -> Table:
    """Return what left on a date of the year by each channel: what was taken, and what may have been."""
    rows: list[tuple[Cell, ...]] = []
    for channel in Channel:
        campaigns = audit.messages.by_channel[channel.value]
        letters = sum(each.accepted + each.unknown for each in audit.letters if each.channel == channel.value)
        rows.append((channel.value, campaigns, letters, campaigns + letters))
    return Table("carriers", ("channel", "messages", "letters", "total"), tuple(rows))


def _picked(figures: Sequence[object], columns: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(getattr(each, column) for column in columns) for each in figures)
