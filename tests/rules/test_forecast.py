"""When yeses end, by month."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import VALID_FOR
from dispatcher.rules.forecast import MonthForecast, forecast

ZONE = ZoneInfo("Europe/Helsinki")
TODAY = date(2026, 11, 23)


def _shown(*moments: datetime, today: date = TODAY) -> dict[date, int]:
    """Return how many of these email yeses end in which month, months without any left out."""
    months = forecast([(Channel.EMAIL, moment.astimezone(UTC)) for moment in moments], today, ZONE)
    return {each.month: each.total for each in months if each.total}


def test_the_running_month_and_twelve_more_are_shown() -> None:
    """Thirteen months in order, over the turn of the year, also where nothing ends."""
    months = forecast([], TODAY, ZONE)
    expected = [date(2026, 11, 1), date(2026, 12, 1), *(date(2027, month, 1) for month in range(1, 12))]
    assert expected == [each.month for each in months]
    assert {0} == {each.total for each in months}


def test_december_is_followed_by_january() -> None:
    """A list that begins in December or January names each month once."""
    for today in (date(2026, 12, 31), date(2027, 1, 1)):
        months = [each.month for each in forecast([], today, ZONE)]
        assert (13, today.replace(day=1)) == (len(set(months)), months[0])
        assert sorted(months) == months


def test_the_local_date_decides() -> None:
    """Midnight in Helsinki parts the months: a second before it is January, although UTC has been there for long."""
    midnight = datetime(2027, 2, 1, tzinfo=ZONE)
    assert {date(2027, 1, 1): 1, date(2027, 2, 1): 1} == _shown(midnight - timedelta(seconds=1), midnight)


def test_channels_are_counted_apart() -> None:
    """The month shows how many end for each channel, and their sum."""
    moment = datetime(2027, 3, 5, 12, tzinfo=UTC)
    months = forecast([(Channel.EMAIL, moment), (Channel.EMAIL, moment), (Channel.SMS, moment)], TODAY, ZONE)
    [march] = [each for each in months if each.total]
    assert MonthForecast(date(2027, 3, 1), {Channel.EMAIL: 2, Channel.SMS: 1}) == march
    assert 3 == march.total


@given(st.timedeltas(timedelta(0), timedelta(days=1_500)), st.data())
def test_every_standing_yes_is_shown(later: timedelta, data: st.DataObject) -> None:
    """L-08: a yes that stands at any moment ends within the months shown: none is lost at either edge."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + later
    ages = st.timedeltas(timedelta(0), VALID_FOR - timedelta(microseconds=1))
    ends = [(Channel.SMS, now - age + VALID_FOR) for age in data.draw(st.lists(ages, max_size=5))]
    assert len(ends) == sum(each.total for each in forecast(ends, now.astimezone(ZONE).date(), ZONE))
