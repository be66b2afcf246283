"""The year as a calendar file: read back by a library that knows RFC 5545."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rendering.year_calendar import calendar_of
from dispatcher.rules.campaign import Channel
from dispatcher.rules.year import Standing, YearEntry, glance

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
_entries = st.lists(
    st.builds(
        YearEntry,
        day=st.dates(min_value=date(2027, 1, 1), max_value=date(2027, 12, 31)),
        title=st.text(max_size=200),
        standing=st.sampled_from(Standing),
        kind=st.sampled_from([None, "offer"]),
        number=st.none() | st.integers(min_value=1, max_value=9),
    ),
    max_size=8,
)


def written(entries: list[YearEntry], now: datetime = NOW) -> bytes:
    """Return the calendar file of 2027."""
    return calendar_of(glance(2027, entries, date(2026, 11, 23)), "Tunturituuli; hoitola", "tunturi.example", now)


def events(content: bytes) -> list[Any]:
    """Return the events of a file as the library reads them."""
    [calendar] = icalendar.Calendar.from_ical(content, multiple=True)
    assert [] == list(calendar.errors)
    return list(calendar.walk("VEVENT"))


def visible(text: str) -> str:
    """Return a text as a calendar may hold it: no control signs, one kind of line end."""
    return "".join(sign for sign in "\n".join(text.splitlines()) if sign == "\n" or sign.isprintable())


@given(_entries)
def test_a_calendar_reads_back_what_is_in_the_year(entries: list[YearEntry]) -> None:
    """RFC 5545: every campaign is an event of one whole day with its title, its state and a name of its own."""
    found = events(written(entries))
    expected = glance(2027, entries, date(2026, 11, 23)).entries
    assert [(each.day, each.day + timedelta(days=1)) for each in expected] == [
        (event["DTSTART"].dt, event["DTEND"].dt) for event in found
    ]
    assert [visible(each.title) for each in expected] == [str(event["SUMMARY"]) for event in found]
    assert len(expected) == len({str(event["UID"]) for event in found})
    assert all(event["DTSTAMP"].dt == NOW for event in found)


@given(_entries)
def test_lines_are_short_and_end_as_they_must(entries: list[YearEntry]) -> None:
    """RFC 5545, 3.1: lines end in CR LF, hold at most 75 octets, and are whole UTF-8, whatever a title holds."""
    content = written(entries)
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 and line for line in lines)
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert all(line.decode("utf-8") for line in lines)


@pytest.mark.parametrize(
    ("standing", "status"),
    [
        (Standing.SCHEDULED, "CONFIRMED"),
        (Standing.SPENT, "CONFIRMED"),
        (Standing.RESERVED, "TENTATIVE"),
        (Standing.DRAFT, "TENTATIVE"),
        (Standing.CANCELLED, "CANCELLED"),
    ],
)
def test_a_calendar_knows_how_sure_it_is(standing: Standing, status: str) -> None:
    """What is reserved is tentative, and what was cancelled is taken out of the owner's calendar again."""
    [event] = events(written([YearEntry(date(2027, 3, 1), "Kevät", standing, sent={Channel.EMAIL: 612})]))
    assert status == event["STATUS"]
    assert "612 by email" in str(event["DESCRIPTION"])
    assert event["TRANSP"] == "TRANSPARENT"


def test_a_campaign_keeps_its_name_when_it_moves() -> None:
    """The UID of a campaign stays when its day, its title or the hour of writing changes, so an import renews it."""
    [before] = events(written([YearEntry(date(2027, 3, 1), "Kevät", Standing.SCHEDULED, number=7)]))
    later = NOW + timedelta(days=3)
    [after] = events(written([YearEntry(date(2027, 4, 2), "Kevät, uusi", Standing.HELD, number=7)], later))
    assert "campaign-7@tunturi.example" == before["UID"] == after["UID"]
    assert before["DTSTAMP"].dt < after["DTSTAMP"].dt
    assert written([]) == written([])
