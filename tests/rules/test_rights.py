"""A request is due one month on, in months of any length."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.rights import due_day


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 2, 3), date(2026, 3, 3)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 11, 30), date(2026, 12, 30)),
        (date(2026, 12, 15), date(2027, 1, 15)),
    ],
)
def test_a_request_is_due_one_month_on(asked: date, due: date) -> None:
    """L-30: the answer is due on the same day of the next month, or on its last day where it has none."""
    assert due == due_day(asked)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_a_month_is_28_to_31_days(asked: date) -> None:
    """L-30: whatever the day, the answer is due after 28 to 31 days."""
    assert 28 <= (due_day(asked) - asked).days <= 31
