"""Days that clients mark, and the dates suggested before them."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.budget import Slot, room_for
from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Channel
from dispatcher.rules.noted_days import OwnDay, Suggestion, noted_days, suggestions
from dispatcher.rules.year import SPACING

WINDOWS = Windows(ZoneInfo("Europe/Helsinki"))
LEAD = timedelta(days=10)
TODAY = date(2026, 11, 23)


def suggested(year: int, slots: list[Slot], today: date = TODAY) -> list[Suggestion]:
    """Return what is suggested in a year that holds these slots."""
    return suggestions(year, noted_days(year, ()), slots, today, WINDOWS, LEAD)


def test_the_days_have_a_source() -> None:
    """The public holidays of Finland are noted, and Mother's and Father's Day, which are on Sundays."""
    found = {noted.name: noted.day for noted in noted_days(2027, ())}
    assert date(2027, 5, 9) == found["Mother's Day"]
    assert date(2027, 11, 14) == found["Father's Day"]
    assert date(2027, 6, 26) == found["Midsummer Day"]
    assert date(2027, 12, 6) == found["Independence Day"]
    assert "Day of the Finnish Flag" not in found


@pytest.mark.parametrize(
    ("own", "year", "day"),
    [
        (OwnDay("Ystävänpäivä", month_day=(2, 14)), 2027, date(2027, 2, 14)),
        (OwnDay("Hiihtoloma", week=10), 2027, date(2027, 3, 8)),
        (OwnDay("Our ten years", on=date(2027, 9, 4)), 2027, date(2027, 9, 4)),
        (OwnDay("Our ten years", on=date(2027, 9, 4)), 2028, None),
        (OwnDay("Leap day", month_day=(2, 29)), 2027, None),
        (OwnDay("The last week", week=53), 2027, None),
    ],
)
def test_the_owner_notes_days(own: OwnDay, year: int, day: date | None) -> None:
    """A day of the owner's own is a date, a day of every year or the Monday of a week; a year may have none."""
    assert day == own.in_year(year)
    assert (day is not None) == any(noted.name == own.name for noted in noted_days(year, [own]))


def test_days_in_a_row_are_one_suggestion() -> None:
    """Easter is one reason to write, ten days ahead, on a day on which both channels are open."""
    easter = next(each for each in suggested(2027, []) if "Good Friday" in each.names)
    assert ("Good Friday", "Easter Sunday", "Easter Monday") == easter.names
    assert (date(2027, 3, 16), date(2027, 3, 26)) == (easter.send_on, easter.day)
    assert tuple(Channel) == easter.channels


def test_a_day_on_which_both_channels_are_open_is_better() -> None:
    """S-14: where the date falls on a Sunday, without text messages, a later one with both is suggested."""
    may_day = next(each for each in suggested(2030, []) if "May Day" in each.names)
    assert date(2030, 4, 21).weekday() == 6
    assert (date(2030, 4, 23), tuple(Channel)) == (may_day.send_on, may_day.channels)


def test_a_full_year_is_suggested_nothing() -> None:
    """L-23: no date is suggested where twelve are taken already."""
    assert [] == suggested(2027, [Slot(date(2027, 1, 1) + timedelta(days=9 * each), "") for each in range(12)])


@given(
    st.lists(st.integers(min_value=-200, max_value=500), max_size=16),
    st.integers(min_value=-30, max_value=300),
)
def test_what_is_suggested_can_be_taken(offsets: list[int], begun: int) -> None:
    """L-23, S-14: every suggested date is to come, has room, is open for its channels, and crowds nobody."""
    today = date(2027, 1, 1) + timedelta(days=begun)
    slots = [Slot(date(2027, 1, 1) + timedelta(days=offset), "") for offset in offsets]
    for each in suggested(2027, slots, today):
        assert today < each.send_on < each.day
        assert (2027, None) == (each.send_on.year, room_for(each.send_on, slots))
        assert each.channels
        assert (Channel.SMS in each.channels) == (each.send_on.weekday() < 6 and not is_holiday(each.send_on))
        assert all(abs(slot.date - each.send_on) >= SPACING for slot in slots)


def is_holiday(day: date) -> bool:
    """Say whether a day is a public holiday, as the windows see it."""
    family = {"Mother's Day", "Father's Day"}
    return any(noted.day == day and noted.name not in family for noted in noted_days(day.year, ()))
