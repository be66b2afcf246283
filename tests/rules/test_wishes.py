"""What less and more mean, and when a pause ends."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Kind
from dispatcher.rules.wishes import Less, More, pause_ends

HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 1, 15), date(2026, 4, 15)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 12, 1), date(2027, 3, 1)),
    ],
)
def test_a_pause_is_three_months_of_the_calendar(day: date, ends: date) -> None:
    """The same day three months on, or the last one of a month that has no such day."""
    begun = datetime(day.year, day.month, day.day, 13, 30, tzinfo=HELSINKI)
    until = pause_ends(begun, HELSINKI)
    assert datetime(ends.year, ends.month, ends.day, tzinfo=HELSINKI) == until
    assert UTC is until.tzinfo


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_a_pause_is_never_short(now: datetime) -> None:
    """Whenever it begins, a pause keeps 88 days at least, and ends with a local day."""
    until = pause_ends(now, HELSINKI)
    assert timedelta(days=88) <= until - now <= timedelta(days=93)
    assert local_date(until, HELSINKI) != local_date(until - timedelta(microseconds=1), HELSINKI)


def test_less_closes_and_more_opens() -> None:
    """What leaves one channel closes the other, and what names a channel opens that one alone."""
    assert {Less.EMAIL: Channel.SMS, Less.SMS: Channel.EMAIL} == {less: less.closes for less in Less if less.closes}
    assert {Less.OFFER: Kind.OFFER, Less.TREATMENT_DAY: Kind.TREATMENT_DAY} == {
        less: less.topic for less in Less if less.topic
    }
    assert {More.EMAIL: Channel.EMAIL, More.SMS: Channel.SMS} == {more: more.opens for more in More if more.opens}
