"""Twelve, in any calendar year and in any 365 local dates: recounted by brute force."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.budget import CEILING, FLOOR, WINDOW, Full, Slot, most_in_any_window, next_opening, room_for

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
_days = st.integers(min_value=0, max_value=1200).map(lambda number: FIRST + DAY * number)
_crowded = st.integers(min_value=0, max_value=420).map(lambda number: FIRST + DAY * number)


def _slots(days: list[date]) -> list[Slot]:
    return [Slot(day, f"Campaign {number}") for number, day in enumerate(days)]


def _most(days: list[date]) -> int:
    """Return the fullest window of 365 dates, by looking at the one that begins on each date."""
    return max((sum(first <= day <= first + 364 * DAY for day in days) for first in days), default=0)


def _fits(day: date, taken: list[date]) -> bool:
    """Say whether one more keeps every calendar year, and every window that begins on a date taken, at twelve."""
    with_it = [*taken, day]
    starts = [other for other in with_it if timedelta(0) <= day - other < WINDOW]
    in_windows = max(sum(start <= other <= start + 364 * DAY for other in with_it) for start in starts)
    return in_windows <= 12 and sum(other.year == day.year for other in with_it) <= 12


def _first_that_fits(after: date, taken: list[date]) -> date:
    return next(day for step in range(1, 1_000) if _fits(day := after + DAY * step, taken))


def test_the_promise_is_twelve_and_six() -> None:
    """L-23: the ceiling and the floor of the privacy notice are constants of the program."""
    assert (12, 6, timedelta(days=365)) == (CEILING, FLOOR, WINDOW)


def test_the_twelfth_fits_and_the_thirteenth_meets_the_twelve() -> None:
    """L-23: a calendar year takes twelve; the thirteenth is told which twelve, and the first free date."""
    eleven = [date(2026, month, 1) for month in range(1, 12)]
    assert None is room_for(date(2026, 12, 1), _slots(eleven))
    taken = _slots([*eleven, date(2026, 12, 1)])
    assert Full("the calendar year 2026", tuple(taken), date(2027, 1, 1)) == room_for(date(2026, 12, 31), taken)


def test_a_window_across_new_year_is_full_too() -> None:
    """L-23: six late in one year and six early in the next leave no room between them."""
    taken = _slots([date(2026, month, 20) for month in range(7, 13)] + [date(2027, month, 5) for month in range(1, 7)])
    assert Full("the 365 days from 2026-07-20 on", tuple(taken), date(2027, 7, 20)) == room_for(
        date(2027, 7, 19), taken
    )
    assert None is room_for(date(2027, 7, 20), taken)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2027, 3, 1), date(2023, 12, 31), date(2024, 1, 1)])
def test_a_date_and_the_date_365_days_later_are_not_in_one_window(day: date) -> None:
    """L-23: the window is half-open; d + 364 is in it, d + 365 is not, leap year or not."""
    twelve = [day] * CEILING
    assert (12, 13) == (most_in_any_window([*twelve, day + 365 * DAY]), most_in_any_window([*twelve, day + 364 * DAY]))
    assert (day + 365 * DAY).year == day.year or room_for(day + 365 * DAY, _slots(twelve)) is None
    assert room_for(day + 364 * DAY, _slots(twelve)) is not None


def test_a_later_campaign_can_stand_in_the_way_of_an_earlier_date() -> None:
    """L-23: slots are taken in any order, so those after a date count as those before it do."""
    taken = _slots([date(2027, 1, 4) + DAY * 20 * number for number in range(CEILING)])
    full = room_for(date(2026, 12, 30), taken)
    assert full is not None
    assert tuple(taken) == full.in_the_way


def test_the_first_free_date_is_a_later_one() -> None:
    """L-23: a date before the one asked for may be free, but it is no answer."""
    day = date(2026, 6, 1)
    taken = [day + DAY * 30 * number for number in range(1, CEILING)] + [day + 364 * DAY]
    assert _fits(day - DAY, taken)
    full = room_for(day, _slots(taken))
    assert full is not None
    assert _first_that_fits(day, taken) == full.first_free


def test_twelve_that_reach_over_366_dates_leave_room_between_them() -> None:
    """L-23: the first and the last of them are in no window together, so that each window has one left."""
    taken = [date(2026, 7, 1) + DAY * 30 * number for number in range(11)] + [date(2027, 7, 1)]
    assert _fits(date(2026, 12, 31), taken)
    assert None is room_for(date(2026, 12, 31), _slots(taken))
    assert room_for(date(2026, 12, 31), _slots([*taken[:-1], date(2027, 6, 30)])) is not None


@given(st.lists(_crowded, max_size=60))
def test_dates_taken_one_by_one_never_exceed_twelve(wanted: list[date]) -> None:
    """L-23: whatever is asked for in whatever order, what was accepted holds twelve at most, recounted."""
    taken: list[date] = []
    for day in wanted:
        if room_for(day, _slots(taken)) is None:
            taken.append(day)
    assert _most(taken) <= 12
    assert all(sum(day.year == year for day in taken) <= 12 for year in (2026, 2027))


@given(st.lists(_crowded, min_size=8, max_size=40), _crowded)
def test_a_date_is_refused_only_where_it_would_be_a_thirteenth(wanted: list[date], day: date) -> None:
    """L-23: nothing is refused that fits, and nothing accepted that does not."""
    taken: list[date] = []
    for other in wanted:
        if _fits(other, taken):
            taken.append(other)
    assert _fits(day, taken) is (room_for(day, _slots(taken)) is None)


@given(st.lists(st.integers(0, 200).map(lambda number: FIRST + DAY * number), min_size=12, max_size=20), _crowded)
def test_the_first_free_date_is_free_and_the_first(taken: list[date], day: date) -> None:
    """L-23: no later date before it fits, it does; and what stands in the way are twelve that hold no room for it."""
    full = room_for(day, _slots(taken))
    if full is None:
        assert _fits(day, taken)
        return
    assert day < full.first_free
    assert _fits(full.first_free, taken)
    assert _first_that_fits(day, taken) == full.first_free
    assert not _fits(day, taken)
    assert len(full.in_the_way) >= 12
    assert not _fits(day, [slot.date for slot in full.in_the_way])


@given(st.lists(_days, max_size=40))
def test_the_fullest_window_is_found(days: list[date]) -> None:
    """The count agrees with looking at every window."""
    assert _most(days) == most_in_any_window(days)


@given(st.lists(st.integers(0, 200).map(lambda number: FIRST + DAY * number), max_size=30), st.integers(0, 300))
def test_a_client_falls_below_twelve_again_on_the_day_it_says(days: list[date], later: int) -> None:
    """L-23: None where one more fits today, else the first later date on which it does."""
    today = max([*days, FIRST]) + DAY * later

    def fits_on(day: date) -> bool:
        return sum(day - 364 * DAY <= sent <= day for sent in days) < 12

    opening = next_opening(days, today)
    assert fits_on(today) is (opening is None)
    if opening is not None:
        tried = [today + DAY * step for step in range(366)]
        assert next(day for day in tried if fits_on(day)) == opening


@given(st.lists(_crowded, max_size=60))
def test_messages_sent_only_where_there_is_an_opening_never_exceed_twelve(wanted: list[date]) -> None:
    """L-23: even if the clock goes back between messages, no 365 dates ever hold thirteen."""
    sent: list[date] = []
    for today in wanted:
        if next_opening(sent, today) is None:
            sent.append(today)
    assert _most(sent) <= 12
