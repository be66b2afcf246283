"""Local days and hours in Finland: two odd nights a year, quiet hours, Sundays and holidays."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.rules.calendar import LocalTimeError, Window, Windows, day_span, local_date, said_span, to_utc
from dispatcher.rules.campaign import Channel

HELSINKI = ZoneInfo("Europe/Helsinki")
WINDOWS = Windows(HELSINKI)
EMAIL, SMS = Channel.EMAIL, Channel.SMS
MINUTE = timedelta(minutes=1)


def _local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=HELSINKI, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        (datetime(2026, 1, 15, 10, 0), datetime(2026, 1, 15, 8, 0, tzinfo=UTC)),  # noqa: DTZ001 - a wall-clock time
        (datetime(2026, 7, 15, 10, 0), datetime(2026, 7, 15, 7, 0, tzinfo=UTC)),  # noqa: DTZ001 - the same
        (datetime(2026, 3, 29, 2, 59), datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),  # noqa: DTZ001 - the same
        (datetime(2026, 3, 29, 4, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),  # noqa: DTZ001 - the same
        (datetime(2026, 10, 25, 2, 59), datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),  # noqa: DTZ001 - the same
        (datetime(2026, 10, 25, 4, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),  # noqa: DTZ001 - the same
    ],
)
def test_a_wall_clock_time_becomes_its_instant(local: datetime, instant: datetime) -> None:
    """Winter, summer, and the minutes on either side of both clock changes."""
    assert instant == to_utc(local, HELSINKI)


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_a_time_the_clocks_skip_is_refused(minute: int) -> None:
    """In the night of 29 March 2026 there is no three o'clock; the error says so and when the next is."""
    local = datetime(2026, 3, 29, 3, minute)  # noqa: DTZ001 - a wall-clock time
    with pytest.raises(LocalTimeError, match=rf"03:{minute:02} does not exist.*Write 04:00 or later"):
        to_utc(local, HELSINKI)


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize("minute", [0, 30, 59])
def test_a_time_that_happens_twice_is_refused(minute: int, fold: int) -> None:
    """In the night of 25 October 2026 three o'clock comes twice; the error gives both as they may be written."""
    local = datetime(2026, 10, 25, 3, minute, fold=fold)  # noqa: DTZ001 - a wall-clock time
    with pytest.raises(LocalTimeError, match="happens twice") as caught:
        to_utc(local, HELSINKI)
    first, second = f"2026-10-25T03:{minute:02}:00+03:00", f"2026-10-25T03:{minute:02}:00+02:00"
    assert f"Write {first} or {second}" in str(caught.value)
    apart = to_utc(datetime.fromisoformat(second), HELSINKI) - to_utc(datetime.fromisoformat(first), HELSINKI)
    assert timedelta(hours=1) == apart


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001 - wall-clock times
def test_every_accepted_wall_clock_time_reads_the_same_back(local: datetime) -> None:
    """What is accepted exists, once; what is refused does not exist once."""
    candidates = {
        moment
        for hours in (2, 3)
        if (moment := (local - timedelta(hours=hours)).replace(tzinfo=UTC)).astimezone(HELSINKI).replace(tzinfo=None)
        == local
    }
    try:
        assert {to_utc(local, HELSINKI)} == candidates
    except LocalTimeError:
        assert 1 != len(candidates)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)]
)
def test_a_local_day_is_as_long_as_it_is(day: date, hours: int) -> None:
    """23 and 25 hours on the days of the clock changes, to the microsecond; every instant of it lies on that day."""
    first, last = day_span(day, HELSINKI)
    tick = timedelta(microseconds=1)
    assert timedelta(hours=hours) == last + tick - first
    assert [day, day] == [local_date(moment, HELSINKI) for moment in (first, last)]
    assert day - timedelta(days=1) == local_date(first - tick, HELSINKI)
    assert day + timedelta(days=1) == local_date(last + tick, HELSINKI)


def test_the_local_day_begins_at_local_midnight() -> None:
    """An hour before midnight in Greenwich it is tomorrow in Finland."""
    assert date(2026, 7, 2) == local_date(datetime(2026, 7, 1, 21, 0, tzinfo=UTC), HELSINKI)


@pytest.mark.parametrize(
    ("channel", "moment", "is_open"),
    [
        (EMAIL, _local(2026, 11, 23, 6, 59), False),
        (EMAIL, _local(2026, 11, 23, 7, 0), True),
        (EMAIL, _local(2026, 11, 23, 20, 59), True),
        (EMAIL, _local(2026, 11, 23, 21, 0), False),
        (EMAIL, _local(2026, 11, 22, 12, 0), True),
        (EMAIL, _local(2026, 12, 6, 12, 0), True),
        (SMS, _local(2026, 11, 23, 8, 59), False),
        (SMS, _local(2026, 11, 23, 9, 0), True),
        (SMS, _local(2026, 11, 23, 19, 59), True),
        (SMS, _local(2026, 11, 23, 20, 0), False),
        (SMS, _local(2026, 11, 28, 12, 0), True),
        (SMS, _local(2026, 11, 29, 12, 0), False),
        (SMS, _local(2026, 3, 30, 9, 0), True),
        (SMS, _local(2026, 3, 28, 9, 0), True),
    ],
)
def test_channels_open_in_their_hours(channel: Channel, moment: datetime, *, is_open: bool) -> None:
    """S-14: email every day 7 to 21; SMS Monday to Saturday 9 to 20; local time, summer and winter."""
    assert is_open is WINDOWS.is_open(channel, moment)


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 1, 6),
        date(2026, 4, 3),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 5, 14),
        date(2026, 6, 20),
        date(2026, 10, 31),
        date(2027, 12, 6),
        date(2026, 12, 25),
        date(2026, 12, 26),
    ],
)
def test_no_text_message_goes_on_a_finnish_public_holiday(day: date) -> None:
    """S-14: from New Year to Boxing Day, Easter, Vappu, Juhannus and Independence Day among them."""
    assert 6 != day.weekday()
    noon = _local(day.year, day.month, day.day, 12)
    assert (False, True) == (WINDOWS.is_open(SMS, noon), WINDOWS.is_open(EMAIL, noon))


@pytest.mark.parametrize(
    ("channel", "now", "opens"),
    [
        (EMAIL, _local(2026, 11, 23, 3, 0), _local(2026, 11, 23, 7, 0)),
        (EMAIL, _local(2026, 11, 23, 21, 0), _local(2026, 11, 24, 7, 0)),
        (EMAIL, _local(2026, 12, 31, 23, 0), _local(2027, 1, 1, 7, 0)),
        (EMAIL, _local(2026, 3, 28, 22, 0), _local(2026, 3, 29, 7, 0)),
        (EMAIL, _local(2026, 10, 24, 22, 0), _local(2026, 10, 25, 7, 0)),
        (SMS, _local(2026, 11, 28, 20, 0), _local(2026, 11, 30, 9, 0)),
        (SMS, _local(2026, 12, 5, 20, 0), _local(2026, 12, 7, 9, 0)),
        (SMS, _local(2026, 12, 23, 20, 0), _local(2026, 12, 28, 9, 0)),
        (SMS, _local(2026, 6, 18, 21, 0), _local(2026, 6, 22, 9, 0)),
        (SMS, _local(2026, 12, 31, 20, 0), _local(2027, 1, 2, 9, 0)),
        (SMS, _local(2026, 4, 2, 23, 0), _local(2026, 4, 4, 9, 0)),
    ],
)
def test_a_closed_channel_opens_at_its_next_hour(channel: Channel, now: datetime, opens: datetime) -> None:
    """S-14: past nights, Sundays, runs of holidays, the turn of the year and both clock changes."""
    assert opens == WINDOWS.next_opening(channel, now)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - given one
    st.sampled_from(Channel),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(now: datetime, channel: Channel) -> None:
    """S-14: found again by walking there in quarters of an hour."""
    opening = WINDOWS.next_opening(channel, now)
    assert now <= opening
    assert WINDOWS.is_open(channel, opening)
    if opening > now:
        assert not WINDOWS.is_open(channel, now)
        assert not WINDOWS.is_open(channel, opening - timedelta(microseconds=1))
        steps = int((opening - now) / (15 * MINUTE))
        assert not any(WINDOWS.is_open(channel, opening - step * 15 * MINUTE) for step in range(1, steps + 1))


@given(st.integers(0, 26 * 60), st.integers(0, 23), st.integers(0, 58))
@example(start=4 * 60 + 10, hour=3, minute=30)
def test_an_opening_never_lies_before_now_in_the_night_the_clocks_go_back(start: int, hour: int, minute: int) -> None:
    """An hour that happens twice never sends a message back in time."""
    windows = Windows(HELSINKI, email=Window(time(hour, minute), time(hour, 59)))
    now = datetime(2026, 10, 24, 21, 0, tzinfo=UTC) + start * MINUTE
    opening = windows.next_opening(EMAIL, now)
    assert now <= opening
    assert windows.is_open(EMAIL, opening)


def test_a_window_closes_on_the_local_day_of_now() -> None:
    """S-15: the validity of a text message ends with the window, 20 o'clock local time."""
    assert _local(2026, 11, 23, 20) == WINDOWS.closes_at(SMS, _local(2026, 11, 23, 9))
    assert _local(2026, 10, 25, 21) == WINDOWS.closes_at(EMAIL, _local(2026, 10, 25, 3, 30, fold=1))


def test_other_hours_are_a_setting() -> None:
    """S-14: days and hours are values, not laws."""
    windows = Windows(HELSINKI, sms=Window(time(12), time(13), frozenset({6})))
    assert _local(2026, 11, 29, 12) == windows.next_opening(SMS, _local(2026, 11, 23, 12))
    assert windows.is_open(SMS, _local(2026, 12, 6, 12, 30))


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("3.2.2026 14:05", "2026-02-03T12:05:00", "2026-02-03T12:05:59.999999"),
        ("3.2.2026 klo 14.05", "2026-02-03T12:05:00", "2026-02-03T12:05:59.999999"),
        ("3.2.2026", "2026-02-02T22:00:00", "2026-02-03T21:59:59.999999"),
        ("2026-02-03", "2026-02-02T22:00:00", "2026-02-03T21:59:59.999999"),
        ("2026-02-03 14:05", "2026-02-03T12:05:00", "2026-02-03T12:05:59.999999"),
        ("2026-10-25T03:30:00+03:00", "2026-10-25T00:30:00", "2026-10-25T00:30:59.999999"),
        ("29.3.2026", "2026-03-28T22:00:00", "2026-03-29T20:59:59.999999"),
    ],
)
def test_a_time_is_read_as_people_write_it(written: str, first: str, last: str) -> None:
    """A day alone is the whole of it, 23 hours in the night the clocks go forward; a time is its whole minute."""
    span = said_span(written, HELSINKI)
    assert tuple(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (first, last)) == span


@pytest.mark.parametrize("written", ["", "soon", "31.2.2026", "3.2.26", "3.2.2026 25:00", "2026-13-01", "1.1.0000"])
def test_what_is_no_time_is_refused(written: str) -> None:
    """A text that names no day or hour says how to write one."""
    with pytest.raises(LocalTimeError, match=r"is no date or time: write 3\.2\.2026"):
        said_span(written, HELSINKI)


@pytest.mark.parametrize(
    ("local", "zone", "said"),
    [
        (datetime(2027, 3, 28, 3, 30), "Europe/Helsinki", "Write 04:00 or later"),  # noqa: DTZ001 - a wall-clock time
        (datetime(2027, 3, 14, 2, 59, 59), "America/New_York", "Write 03:00 or later"),  # noqa: DTZ001 - the same
        (datetime(2026, 10, 4, 2, 15), "Australia/Lord_Howe", "Write 02:30 or later"),  # noqa: DTZ001 - the same
        (datetime(2011, 12, 30, 12), "Pacific/Apia", "Write 2011-12-31T00:00:00 or later"),  # noqa: DTZ001 - the same
        (
            datetime(2026, 10, 25, 3, 30),  # noqa: DTZ001 - the same
            "Europe/Helsinki",
            "happens twice.*2026-10-25T03:30:00[+]03:00 or 2026-10-25T03:30:00[+]02:00",
        ),
        (
            datetime(2026, 11, 1, 1, 30),  # noqa: DTZ001 - the same
            "America/New_York",
            "happens twice.*2026-11-01T01:30:00-04:00 or 2026-11-01T01:30:00-05:00",
        ),
    ],
)
def test_odd_hours_are_named_in_every_zone(local: datetime, zone: str, said: str) -> None:
    """What the clocks skip is refused with the first time that exists again, what they repeat with both moments."""
    with pytest.raises(LocalTimeError, match=said):
        to_utc(local, ZoneInfo(zone))


def test_a_window_ends_where_the_clocks_take_its_end_away_or_repeat_it() -> None:
    """S-15: a closing time in the night of a clock change is the moment at which the window is open no longer."""
    windows = Windows(HELSINKI, email=Window(time(1), time(3, 30)))
    for now in (_local(2027, 3, 28, 2), _local(2026, 10, 25, 2), _local(2026, 10, 25, 3, 10, fold=1)):
        closing = windows.closes_at(EMAIL, now)
        assert now < closing
        assert windows.is_open(EMAIL, closing - timedelta(microseconds=1))
        assert not windows.is_open(EMAIL, closing)


def test_holidays_are_opened_to_one_campaign() -> None:
    """S-14: opened with a reason, a public holiday has its usual hours; a Sunday stays closed."""
    opened = WINDOWS.with_holidays()
    assert (False, True) == (
        WINDOWS.is_open(SMS, _local(2027, 1, 6, 12)),
        opened.is_open(SMS, _local(2027, 1, 6, 12)),
    )
    assert not opened.is_open(SMS, _local(2027, 1, 6, 20))
    assert not opened.is_open(SMS, _local(2026, 12, 6, 12))
    assert WINDOWS != opened


@pytest.mark.parametrize(
    ("channel", "start", "end", "hours"),
    [
        (EMAIL, _local(2026, 11, 24, 10), _local(2026, 11, 24, 12), 2),
        (EMAIL, _local(2026, 11, 24, 20), _local(2026, 11, 25, 8), 2),
        (EMAIL, _local(2026, 11, 24, 22), _local(2026, 11, 25, 6), 0),
        (SMS, _local(2026, 12, 5, 19), _local(2026, 12, 7, 10), 2),
        (SMS, _local(2026, 12, 7, 10), _local(2026, 12, 7, 10), 0),
        (EMAIL, _local(2026, 3, 28, 7), _local(2026, 3, 30, 7), 28),
    ],
)
def test_open_hours_are_counted(channel: Channel, start: datetime, end: datetime, hours: int) -> None:
    """E-50: only the hours of a window count; nights, Sundays and a clock change in the night add nothing."""
    assert timedelta(hours=hours) == WINDOWS.open_between(channel, start, end)
