"""When a run is over: from the pace, inside the windows, with no message lost on the way."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.calendar import Window, Windows, local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.pace import LEAST, MOST_LEGS, WHOLE, Leg, Pace, Run, run_of, share_after

HELSINKI = ZoneInfo("Europe/Helsinki")
WINDOWS = Windows(HELSINKI)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)


def local(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return the instant of a wall-clock time in Helsinki."""
    return datetime.combine(day, time(hour, minute, second), HELSINKI).astimezone(UTC)


def test_a_run_ends_by_its_pace() -> None:
    """612 mails at 200 an hour take three hours, three minutes and 36 seconds."""
    day = date(2026, 11, 24)
    run = run_of(612, Pace(200), WINDOWS, Channel.EMAIL, local(day, 10))
    assert Run((Leg(local(day, 10), local(day, 13, 3, 36), 612),)) == run


def test_what_does_not_fit_goes_on_in_the_next_window() -> None:
    """A run that cannot finish on Saturday goes on on Monday, and past a holiday (S-14)."""
    saturday = date(2026, 12, 5)
    run = run_of(7, Pace(1), WINDOWS, Channel.SMS, local(saturday, 15))
    assert [(local(saturday, 15), 5), (local(date(2026, 12, 7), 9), 2)] == [(leg.begins, leg.count) for leg in run.legs]
    christmas = run_of(4, Pace(1), WINDOWS, Channel.SMS, local(date(2026, 12, 23), 18))
    assert [date(2026, 12, 23), date(2026, 12, 28)] == [local_date(leg.begins, HELSINKI) for leg in christmas.legs]


def test_nothing_leaves_after_the_offer_has_ended() -> None:
    """What the last day of the offer has no room for is told as left."""
    day = date(2026, 11, 24)
    run = run_of(20, Pace(1), WINDOWS, Channel.EMAIL, local(day, 20), until=day)
    assert (1, 19) == (sum(leg.count for leg in run.legs), run.left)


def test_a_forecast_has_an_end() -> None:
    """A pace at which a campaign would take years is told as such, not counted to its end."""
    run = run_of(100_000, Pace(1), WINDOWS, Channel.EMAIL, local(date(2026, 11, 24), 7))
    assert (MOST_LEGS, 100_000) == (len(run.legs), run.left + sum(leg.count for leg in run.legs))


ZONES = st.sampled_from(["Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "UTC"])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - given one


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    """Draw windows of any hours and days, in a zone with clock changes of an hour, of half of one, or without."""
    opens = draw(st.integers(0, 22))
    closes = draw(st.integers(opens + 1, 23))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    window = Window(time(opens), time(closes), days, draw(st.booleans()))
    return Windows(ZoneInfo(draw(ZONES)), window, window, opens_holidays=draw(st.booleans()))


@given(st.integers(0, 5_000), st.integers(1, 4_000), windows(), MOMENTS)
def test_no_message_leaves_outside_a_window(count: int, per_hour: int, hours: Windows, start: datetime) -> None:
    """Nothing is lost or doubled, every message's turn lies in an open hour, and the legs follow each other."""
    pace = Pace(per_hour)
    run = run_of(count, pace, hours, Channel.SMS, start)
    assert count == run.left + sum(leg.count for leg in run.legs)
    at = start
    for leg in run.legs:
        assert at <= leg.begins <= leg.ends
        assert leg.count > 0
        assert hours.is_open(Channel.SMS, leg.begins)
        last = leg.begins + (leg.count - 1) * pace.interval
        assert last < leg.ends
        assert hours.is_open(Channel.SMS, last)
        at = leg.ends


@given(st.floats(0.5, 40_000), st.lists(st.integers(1, 5_000), min_size=1, max_size=200))
def test_a_pace_is_kept_however_often_somebody_looks(per_hour: float, waits: list[int]) -> None:
    """E-55: whatever the milliseconds between two looks, no more go than the time allows and one look may bring."""
    pace, now, turn, sent = Pace(per_hour), datetime(2026, 11, 24, tzinfo=UTC), None, 0
    began = now
    for wait in waits:
        now += timedelta(milliseconds=wait)
        room = pace.room(turn, now, SECOND)
        assert room <= SECOND / pace.interval + 2
        turn = pace.next_at(turn, now, room, SECOND)
        sent += room
        assert sent <= (now - began) / pace.interval + SECOND / pace.interval + 2


def test_one_look_a_second_is_enough_for_the_whole_pace() -> None:
    """Two and a half messages a second are not rounded down to two by looking once a second."""
    pace, now, turn, sent = Pace(9_000), datetime(2026, 11, 24, tzinfo=UTC), None, 0
    for _ in range(100):
        now += SECOND
        room = pace.room(turn, now, 2 * SECOND)
        turn = pace.next_at(turn, now, room, 2 * SECOND)
        sent += room
    assert 245 <= sent <= 251


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(minutes=5)])
def test_a_clock_that_was_set_back_does_not_stop_a_channel(step: timedelta) -> None:
    """A turn that lies further ahead than one interval is that of another clock."""
    pace, now = Pace(60), datetime(2026, 11, 24, tzinfo=UTC)
    turn = pace.next_at(None, now, 1, SECOND)
    assert (0, 1) == (pace.room(turn, now, SECOND), pace.room(turn, now - step, SECOND))


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({}, None),
        ({"per_second": 0.5}, Pace(1800)),
        ({"per_minute": 10}, Pace(600)),
        ({"per_hour": 200}, Pace(200)),
        ({"per_day": 1000}, Pace(1000, 1000)),
        ({"per_second": 10, "per_minute": 10, "per_hour": 700, "per_day": 900}, Pace(600, 900)),
    ],
)
def test_a_pace_keeps_every_limit(limits: dict[str, int], wanted: Pace | None) -> None:
    """E-55: of limits a second, a minute and an hour the slowest is the pace; a day's is kept beside it."""
    assert wanted == Pace.of(**limits)


def test_a_forecast_knows_the_day() -> None:
    """What a day's limit has no room for leaves on the next days."""
    day = date(2026, 11, 24)
    run = run_of(250, Pace(200, 100), WINDOWS, Channel.EMAIL, local(day, 10))
    assert [100, 100, 50] == [leg.count for leg in run.legs]


@given(
    share=st.integers(LEAST, WHOLE), accepted=st.integers(0, 200), deferred=st.integers(0, 200), is_over=st.booleans()
)
def test_a_channel_slows_down_and_recovers(share: int, accepted: int, deferred: int, *, is_over: bool) -> None:
    """E-55: deferrals slow a channel, what is taken lets it recover, and it never stands still nor goes too fast."""
    found = share_after(share, accepted, deferred, is_over_quota=is_over)
    assert LEAST <= found <= WHOLE
    if not accepted and (deferred or is_over):
        assert found < share or share == LEAST
    if not deferred and not is_over:
        assert found == min(WHOLE, share + 10 * accepted)
    assert share_after(found, 100, 0) == WHOLE


@given(st.integers(1, 40_000), st.integers(1, 900), st.randoms(use_true_random=False))
def test_a_pace_is_kept_within_five_per_cent(per_hour: int, look_ms: int, random: object) -> None:
    """E-55: whoever looks about once a second hands over what the pace says, no more than 5 % off on either side."""
    pace, at_once = Pace(per_hour), timedelta(seconds=2)
    now = begun = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    turn: datetime | None = None
    sent = 0
    wanted = max(200, min(2_000, per_hour // 10))
    while sent < wanted:
        room = pace.room(turn, now, at_once)
        if room:
            turn = pace.next_at(turn, now, room, at_once)
            sent += room
        elif turn is not None and turn - now > timedelta(seconds=2):
            now = turn  # nothing is looked up in between: the looks that find no turn are left out
            continue
        now += timedelta(milliseconds=look_ms + random.randint(0, 300))  # type: ignore[attr-defined]
    hours = (now - begun) / timedelta(hours=1)
    assert sent <= per_hour * hours * 1.05 + 2
    assert sent >= per_hour * hours * 0.95 - 2 * max(1, per_hour / 3600)
