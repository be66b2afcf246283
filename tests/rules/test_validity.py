"""How long a provider may keep a text message."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatcher.rules import validity
from dispatcher.rules.calendar import Window, Windows
from dispatcher.rules.campaign import Channel

HELSINKI = ZoneInfo("Europe/Helsinki")
_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - in UTC
_HOURS = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@st.composite
def _windows(draw: st.DrawFn) -> Windows:
    opens, closes = sorted(draw(st.lists(_HOURS, min_size=2, max_size=2, unique=True)))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return Windows(HELSINKI, sms=Window(opens, closes, days, on_holidays=draw(st.booleans())))


@given(_windows(), _MOMENTS, st.floats(0, 1), st.floats(0, validity.ON_ITS_WAY.total_seconds()))
def test_no_message_outlives_its_window(windows: Windows, now: datetime, share: float, underway: float) -> None:
    """S-15: whenever one may be sent, and however late in a minute it arrives: 1 to 36000 s, over before the close."""
    opening = windows.next_opening(Channel.SMS, now)
    now = opening + share * (windows.closes_at(Channel.SMS, opening) - opening)
    assume(windows.is_open(Channel.SMS, now) and not validity.is_too_late(windows, now))
    seconds = validity.of_offer(windows, now)
    assert 1 <= seconds <= 36_000
    ends = now + timedelta(seconds=underway + seconds)
    assert ends <= windows.closes_at(Channel.SMS, now)


@given(_windows(), _MOMENTS)
def test_a_service_message_is_kept_out_of_the_night_too(windows: Windows, now: datetime) -> None:
    """S-15: in the hours a receipt ends with them; outside, what somebody asked for just now waits ten minutes."""
    seconds = validity.of_service(windows, now)
    assert 1 <= seconds <= 36_000
    if windows.is_open(Channel.SMS, now) and not validity.is_too_late(windows, now):
        assert now + timedelta(seconds=seconds) <= windows.closes_at(Channel.SMS, now)
    else:
        assert 600 == seconds


@pytest.mark.parametrize(
    ("local", "seconds"), [("09:00:00", 36_000), ("12:00:00", 28_740), ("19:58:00", 60), ("19:58:58.9", 1)]
)
def test_the_usual_hours(local: str, seconds: int) -> None:
    """S-15: ten hours at most, from the afternoon on until a minute before eight."""
    now = datetime.fromisoformat(f"2026-11-23T{local}+02:00")
    assert not validity.is_too_late(Windows(HELSINKI), now)
    assert seconds == validity.of_offer(Windows(HELSINKI), now)


def test_the_last_minute_is_too_late() -> None:
    """S-15: what leaves in the last minute could arrive in the quiet hours."""
    close = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
    told = [validity.is_too_late(Windows(HELSINKI), close - timedelta(seconds=each)) for each in (62, 61, 60, 1)]
    assert [False, True, True, True] == told
