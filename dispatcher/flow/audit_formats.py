"""The audit of a year on a terminal and in a spreadsheet; the figures are those of YearAudit and no others."""

import textwrap
from collections.abc import Sequence

from dispatcher.errors import RefusedError
from dispatcher.flow.audit_tables import Table, is_number, tables, worded
from dispatcher.flow.audit_words import Question, checking, page_one, sealed
from dispatcher.flow.audit_year import CampaignFigures, YearAudit
from dispatcher.flow.spreadsheet import csv_text
from dispatcher.rules.campaign import Channel, Language
from dispatcher.texts import text

_WIDTH = 100
_ABOUT = ("year", "day", "name", "title", "kind", "state")
_COUNTS = ("planned", "accepted", "refused", "unknown")
_AFTER = ("open", "delivered", "bounced", "complained", "opted_out_after", "may_have_arrived")
_TITLE = 24
_CAMPAIGN = "campaign"


def to_csv(audit: YearAudit) -> str:
    """Return the campaigns as CSV (RFC 4180), one row each; no cell begins as a formula would."""
    by_channel = [f"{channel.value}_{count}" for channel in Channel for count in _COUNTS]
    head = (*_ABOUT, *_COUNTS, *_AFTER, "withheld", "withheld_by_reason", *by_channel, "sms_parts", "sms_cost", "later")
    rows = [_cells(audit.year, campaign) for campaign in audit.campaigns]
    if audit.is_gone:
        rows = [[*row[: len(_ABOUT)], *[""] * (len(head) - len(_ABOUT))] for row in rows]
    return csv_text([head, *rows])


def table_csv(audit: YearAudit, name: str) -> str:
    """Return one of the audit's tables as CSV (RFC 4180), in the program's own words; see flow.audit_tables.

    Raises RefusedError for one that counts messages, where those of the year were destroyed.
    """
    table = next((each for each in tables(audit) if each.name == name), None)
    if table is None:
        raise RefusedError(
            f"The table {name} counts messages, and those of {audit.year} were destroyed: what they came to stands in "
            f"audits/{audit.year}."
        )
    return csv_text([table.columns, *table.rows])


def to_text(audit: YearAudit) -> str:
    """Return the audit in English, lines of at most 100 characters: page one first, then findings, then tables."""
    language = Language.EN
    verdict = text("audit_kept" if audit.ok else "audit_broken", language)
    lines = [f"{text('audit_title', language, year=audit.year)}. {verdict}", ""]
    lines += [line for question in page_one(audit, language) for line in _answered(question)]
    lines += _listed(text("audit_findings", language), audit.findings)
    lines += _listed(text("audit_remarks", language), audit.remarks)
    lines += [f"{text('audit_seal', language)}: {sealed(audit, language)}"]
    lines += [f"{text('audit_check', language)}: {checking(audit, language)}", ""]
    for table in tables(audit):
        lines += _drawn(table, language)
    return "\n".join(line for each in lines for line in _fitted(each)).rstrip()


def _cells(year: int, campaign: CampaignFigures) -> list[object]:
    withheld = "; ".join(f"{reason}={count}" for reason, count in campaign.withheld.items())
    channels = [getattr(campaign.channels[channel.value], count) for channel in Channel for count in _COUNTS]
    return [
        year,
        campaign.day.isoformat() if campaign.day else "",
        campaign.name,
        campaign.title,
        campaign.kind,
        campaign.state,
        *(getattr(campaign, count) for count in (*_COUNTS, *_AFTER)),
        sum(campaign.withheld.values()),
        withheld,
        *channels,
        campaign.sms_parts,
        campaign.sms_cost,
        "; ".join(f"{name}={count}" for name, count in campaign.later.items()),
    ]


def _answered(question: Question) -> list[str]:
    return [f"{question.title}  {question.figure}", *(f"  {line}" for line in question.lines), ""]


def _drawn(table: Table, language: Language) -> list[str]:
    """Return a table as lines: numbers to the right, a long title shortened, nothing else ever cut."""
    title, columns, rows = worded(table, language)
    if not rows:
        return [f"{title}: {text('audit_none', language).lower()}", ""]
    rows = [
        [_short(cell) if name == _CAMPAIGN else cell for name, cell in zip(table.columns, row, strict=True)]
        for row in rows
    ]
    widths = [max(len(cell) for cell in each) for each in zip(columns, *rows, strict=True)]
    lines = [_line(row, widths, table.columns) for row in (columns, *rows)]
    return [title, *lines, ""]


def _line(cells: Sequence[str], widths: Sequence[int], names: Sequence[str]) -> str:
    padded = (
        cell.rjust(width) if is_number(name) else cell.ljust(width)
        for cell, width, name in zip(cells, widths, names, strict=True)
    )
    return f"  {'  '.join(padded)}".rstrip()


def _short(title: str) -> str:
    return textwrap.shorten(title, _TITLE, placeholder="…")


def _listed(title: str, sentences: Sequence[str]) -> list[str]:
    return [title, *(f"  - {sentence}" for sentence in sentences), ""] if sentences else []


def _fitted(line: str) -> list[str]:
    if len(line) <= _WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
