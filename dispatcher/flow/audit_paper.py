"""The audit of a year as a PDF to hand over: the five questions, then charts and tables, in the reader's language."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.flow.audit_tables import Table, is_number, tables, worded
from dispatcher.flow.audit_words import checking, page_one, sealed, sentences
from dispatcher.flow.audit_year import YearAudit
from dispatcher.rendering.paper import pdf
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.studio import Studio
from dispatcher.texts import format_date, format_number, text

_WIDE = frozenset({"campaign", "reason", "place", "within", "kind", "purpose", "channel", "age"})
"""Columns that take the room there is."""


def to_pdf(audit: YearAudit, studio: Studio, now: datetime, zone: ZoneInfo, language: Language = Language.FI) -> bytes:
    """Return the audit as a PDF, dated with the local day of `now`: PDF/A-2a to be kept, PDF/UA-1 to be read aloud.

    Raises RenderingError without typst.
    """
    return pdf("audit", paper(audit, studio, now, zone, language), to_keep=True)


def paper(audit: YearAudit, studio: Studio, now: datetime, zone: ZoneInfo, language: Language) -> dict[str, object]:
    """Return everything the paper says, worded."""
    day = local_date(now, zone)

    def say(key: str, **values: object) -> str:
        return text(f"audit_{key}", language, **values)

    every = tables(audit)
    return {
        "language": language.value,
        "heading": say("title", year=audit.year),
        "verdict": say("kept" if audit.ok else "broken"),
        "ok": audit.ok,
        "studio": studio.name,
        "studio_line": f"{studio.name}, {text('business_id', language, number=studio.business_id)}",
        "footer": f"{studio.name} · {say('title', year=audit.year)} · {say('dated', date=format_date(day, language))}",
        "printed_on": {"year": day.year, "month": day.month, "day": day.day},
        "questions": [
            {"title": each.title, "figure": each.figure, "lines": each.lines, "ok": each.ok}
            for each in page_one(audit, language)
        ],
        "seal": {"title": say("seal"), "text": sealed(audit, language)},
        "check": {"title": say("check"), "text": checking(audit, language)},
        "place_and_date": say("place_and_date"),
        "signature": say("signature"),
        "findings": {"title": say("findings"), "items": sentences(audit.findings, language)},
        "remarks": {"title": say("remarks"), "items": sentences(audit.remarks, language)},
        "in_figures": say("in_figures"),
        "none": say("none"),
        "charts": [] if audit.is_gone else _charts(audit, every, language),
        "tables": [_table(each, language) for each in every],
    }


def _charts(audit: YearAudit, every: Sequence[Table], language: Language) -> list[dict[str, object]]:
    by_name = {table.name: worded(table, language)[2] for table in every}
    campaigns = [
        (f"{row[0]} {row[1]}", each.accepted + each.unknown)
        for each, row in zip(audit.campaigns, by_name["campaigns"], strict=True)
    ]
    spread = [(text("messages", language, count=many), clients) for many, clients in audit.messages.spread.items()]
    ages = list(zip((row[0] for row in by_name["ages"]), audit.messages.ages.values(), strict=True))
    drawn = {"campaigns": campaigns, "spread": spread, "ages": ages if audit.messages.agreed else []}
    return [_chart(text(f"audit_chart_{name}", language), bars, language) for name, bars in drawn.items()]


def _chart(title: str, bars: Sequence[tuple[str, int]], language: Language) -> dict[str, object]:
    told = [{"label": label, "amount": amount, "value": format_number(amount, language)} for label, amount in bars]
    alt = "; ".join(f"{label}: {amount}" for label, amount in bars)
    return {"title": title, "alt": f"{title}. {alt}", "bars": told}


def _table(table: Table, language: Language) -> dict[str, object]:
    title, columns, rows = worded(table, language)
    about = [
        {"name": said, "number": is_number(name), "wide": name in _WIDE}
        for name, said in zip(table.columns, columns, strict=True)
    ]
    return {"title": title, "columns": about, "rows": rows}
