"""The year as a picture: twelve months, each campaign on its day, told by shape and word as well as by colour."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from dispatcher.rendering.sheets import sheet
from dispatcher.rules.noted_days import NotedDay, Suggestion
from dispatcher.rules.year import Glance, Standing, YearEntry

_COLUMNS, _CELL, _ROW = 4, 30, 26
_MONTH_WIDTH, _MONTH_HEIGHT = 7 * _CELL + 30, 6 * _ROW + 70
_MARGIN, _TOP = 36, 118
_LIST_ROW, _LEGEND, _LONGEST_TITLE = 24, 115, 62
_WORDS = {
    Standing.SPENT: "went out",
    Standing.DECLARED: "declared",
    Standing.SCHEDULED: "scheduled",
    Standing.DRAFT: "draft",
    Standing.HELD: "held",
    Standing.RESERVED: "reserved",
    Standing.CANCELLED: "cancelled",
}


def picture_of(glance: Glance, noted: Sequence[NotedDay], suggested: Sequence[Suggestion], studio: str) -> str:
    """Return a drawing of its own of a year: no font, picture or script is loaded from anywhere."""
    by_day: dict[date, list[YearEntry]] = {}
    for entry in glance.entries:
        by_day.setdefault(entry.day, []).append(entry)
    holidays = {each.day: each.name for each in noted}
    dates = {each.send_on: ", ".join(each.names) for each in suggested}
    months = [_month(glance.year, month, by_day, holidays, dates) for month in range(1, 13)]
    list_top = _TOP + 12 // _COLUMNS * _MONTH_HEIGHT + 30
    listed = [
        {"y": list_top + 26 + at * _LIST_ROW, "standing": each.standing.value, "line": _line(each)}
        for at, each in enumerate(glance.entries)
    ]
    shown = [standing for standing in _WORDS if glance.counts[standing]]
    counted = [f"{glance.counts[standing]} {_WORDS[standing]}" for standing in shown]
    return sheet(
        "year.svg",
        {
            "glance": glance,
            "studio": studio,
            "width": 2 * _MARGIN + _COLUMNS * _MONTH_WIDTH - 30,
            "height": list_top + 44 + max(len(listed), 1) * _LIST_ROW,
            "margin": _MARGIN,
            "cell": _CELL,
            "row": _ROW,
            "summary": f"{glance.taken} of 12 slots taken, {glance.left} left",
            "said": ". ".join([", ".join(counted) or "no campaigns", *(_line(each) for each in glance.entries)]),
            "legend": [
                {"x": _MARGIN + _LEGEND * at, "standing": standing.value, "word": _WORDS[standing]}
                for at, standing in enumerate(shown)
            ],
            "suggestion_x": _MARGIN + _LEGEND * len(shown) if suggested else None,
            "months": months,
            "listed": listed,
            "list_top": list_top,
        },
    )


def _month(
    year: int,
    month: int,
    by_day: Mapping[date, Sequence[YearEntry]],
    holidays: Mapping[date, str],
    dates: Mapping[date, str],
) -> dict[str, object]:
    left = _MARGIN + (month - 1) % _COLUMNS * _MONTH_WIDTH
    top = _TOP + (month - 1) // _COLUMNS * _MONTH_HEIGHT
    first = date(year, month, 1)
    days = []
    for at in range(calendar.monthrange(year, month)[1]):
        day = first + timedelta(days=at)
        place = first.weekday() + at
        entries = sorted(by_day.get(day, ()), key=lambda entry: not entry.holds_slot)
        told = [_line(entry) for entry in entries]
        told += [holidays[day]] if day in holidays else []
        told += [f"suggested, before {dates[day]}"] if day in dates else []
        days.append(
            {
                "number": day.day,
                "x": left + place % 7 * _CELL + _CELL // 2,
                "y": top + 50 + place // 7 * _ROW + _ROW // 2,
                "standing": entries[0].standing.value if entries else None,
                "rest": day.weekday() == 6 or day in holidays,
                "suggested": day in dates and not entries,
                "told": "; ".join(told),
            }
        )
    weekdays = [
        {"x": left + at * _CELL + _CELL // 2, "letter": calendar.day_abbr[at][:2], "y": top + 36} for at in range(7)
    ]
    return {"name": calendar.month_name[month], "x": left, "y": top + 12, "days": days, "weekdays": weekdays}


def _line(entry: YearEntry) -> str:
    title = entry.title if len(entry.title) <= _LONGEST_TITLE else f"{entry.title[: _LONGEST_TITLE - 1].rstrip()}…"
    sent = "".join(f", {count} by {channel.value}" for channel, count in sorted(entry.sent.items()))
    return f"{entry.day.day}.{entry.day.month}. {title} ({_WORDS[entry.standing]}{sent})"
