"""The year as an iCalendar file (RFC 5545), for the calendar the owner looks at anyway."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dispatcher.rules.year import Glance, Standing, YearEntry

_LINE = 75
"""Octets a line may have before it is folded (RFC 5545, 3.1)."""
_STATUS = {Standing.RESERVED: "TENTATIVE", Standing.DRAFT: "TENTATIVE", Standing.CANCELLED: "CANCELLED"}
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def calendar_of(glance: Glance, studio: str, domain: str, now: datetime) -> bytes:
    """Return a year's campaigns as all-day events; a campaign keeps its UID when its day moves, so imports renew it.

    `studio` names the calendar, `domain` ends the UIDs, `now` is aware.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Dispatcher//Campaign year//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(f'{studio}: campaigns {glance.year}')}",
    ]
    seen: dict[str, int] = {}
    for entry in glance.entries:
        name = _name_of(entry)
        seen[name] = seen.get(name, 0) + 1
        uid = f"{name}-{seen[name]}@{domain}" if seen[name] > 1 else f"{name}@{domain}"
        lines += _event(entry, uid, now)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(entry: YearEntry, uid: str, now: datetime) -> Iterator[str]:
    sent = ", ".join(f"{count} by {channel.value}" for channel, count in sorted(entry.sent.items()))
    told = [entry.standing.value, *([entry.name] if entry.name else []), *([f"handed over: {sent}"] if sent else [])]
    yield "BEGIN:VEVENT"
    yield f"UID:{uid}"
    yield f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{entry.day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{entry.day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_escaped(entry.title)}"
    yield f"DESCRIPTION:{_escaped('; '.join(told))}"
    if entry.kind:
        yield f"CATEGORIES:{_escaped(entry.kind)}"
    yield f"STATUS:{_STATUS.get(entry.standing, 'CONFIRMED')}"
    # A campaign is no appointment: the day stays free.
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _name_of(entry: YearEntry) -> str:
    if entry.number is not None:
        return f"campaign-{entry.number}"
    # A slot without a campaign is known by what a person said of it, in a running year and in one that is over.
    return "slot-" + hashlib.sha256(f"{entry.day.isoformat()} {entry.title}".encode()).hexdigest()[:16]


def _escaped(text: str) -> str:
    """Return a text as a value of iCalendar: no line of it, and no control sign, can become a line of the file."""
    lines = "\n".join(text.splitlines())
    return "".join(sign for sign in lines if sign == "\n" or sign.isprintable()).translate(_ESCAPED)


def _folded(line: str) -> bytes:
    """Return a line in pieces of at most 75 octets, no letter broken in two."""
    pieces, piece = [], b""
    for sign in line:
        octets = sign.encode("utf-8")
        if len(piece) + len(octets) > _LINE:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
