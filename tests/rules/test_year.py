"""The year at a glance: every figure recounted by brute force, whatever the year holds."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.budget import CEILING, WINDOW, Slot, room_for
from dispatcher.rules.year import GAP, SPACING, Glance, Standing, YearEntry, free_days, glance, one_more, standing_of

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
TODAY = date(2027, 3, 10)
_standings = st.sampled_from(Standing)
_entries = st.lists(
    st.builds(
        YearEntry,
        day=st.integers(min_value=0, max_value=1100).map(lambda number: FIRST + DAY * number),
        title=st.sampled_from(["a", "b", "c"]),
        standing=_standings,
    ),
    max_size=30,
)
_years = st.sampled_from([2026, 2027, 2028])


def entry(day: date, standing: Standing = Standing.SCHEDULED) -> YearEntry:
    """Return a campaign on a day."""
    return YearEntry(day, f"Campaign of {day}", standing)


def monthly(year: int, months: range) -> list[YearEntry]:
    """Return a campaign on the 15th of each of these months."""
    return [entry(date(year, month, 15)) for month in months]


def fits(day: date, taken: list[date]) -> bool:
    """Say whether one more keeps the calendar year, and every window with that day in it, at twelve."""
    starts = [other for other in (*taken, day) if timedelta(0) <= day - other < WINDOW]
    fullest = max(1 + sum(start <= other < start + WINDOW for other in taken) for start in starts)
    return fullest <= CEILING and sum(other.year == day.year for other in taken) < CEILING


@given(_entries, _years)
def test_what_is_counted_is_there(entries: list[YearEntry], year: int) -> None:
    """Every entry of the year is in the glance once, by day, and `taken` counts those that hold a slot."""
    seen = glance(year, entries, TODAY)
    own = [each for each in entries if each.day.year == year]
    assert sorted(own, key=lambda each: (each.day, each.title)) == list(seen.entries)
    assert sum(each.standing is not Standing.CANCELLED for each in own) == seen.taken
    assert len(own) == sum(seen.counts.values()) == sum(len(seen.of_month(month)) for month in range(1, 13))


@given(_entries, _years)
def test_what_is_left_can_be_given_and_no_more(entries: list[YearEntry], year: int) -> None:
    """L-23: as many as are left fit by calendar year and any 365 dates, one after another; then no day is free."""
    seen = glance(year, entries, TODAY)
    taken = [each.day for each in entries if each.holds_slot]
    given_out: list[date] = []
    day = max(TODAY, date(year, 1, 1))
    while day.year == year:
        if fits(day, [*taken, *given_out]):
            given_out.append(day)
        else:
            day += DAY
    assert (len(given_out), min(given_out, default=None)) == (seen.left, seen.first_free)


@given(_entries, _years, st.lists(st.integers(min_value=0, max_value=365), max_size=13))
def test_no_other_choice_holds_more(entries: list[YearEntry], year: int, offsets: list[int]) -> None:
    """L-23: whatever days somebody picks instead, those that fit beside each other are never more than are left."""
    taken = [Slot(each.day, "") for each in entries if each.holds_slot]
    picked: list[Slot] = []
    for offset in offsets:
        day = date(year, 1, 1) + DAY * offset
        if day.year == year and day >= TODAY and room_for(day, [*taken, *picked]) is None:
            picked.append(Slot(day, ""))
    assert len(picked) <= glance(year, entries, TODAY).left


@given(_entries, _years)
def test_a_free_day_has_room(entries: list[YearEntry], year: int) -> None:
    """L-23: the free days are those from today on for which the budget itself has room."""
    slots = [Slot(each.day, "") for each in entries if each.holds_slot]
    days = [date(year, 1, 1) + DAY * offset for offset in range(366)]
    expected = {day for day in days if day.year == year and day >= TODAY and room_for(day, slots) is None}
    assert expected == free_days(year, slots, TODAY)


@given(_entries, _years)
def test_gaps_are_the_long_empty_stretches(entries: list[YearEntry], year: int) -> None:
    """A gap holds no campaign, is longer than 90 days, touches the year, and ends at a campaign or with the year."""
    seen = glance(year, entries, TODAY)
    days = {each.day for each in entries if each.holds_slot}
    for gap in seen.gaps:
        inside = {gap.first + DAY * offset for offset in range(gap.days)}
        assert not inside & days
        assert gap.first + DAY * (gap.days - 1) == gap.last
        assert gap.days > GAP
        assert any(day.year == year for day in inside)
        assert gap.first - DAY in days or gap.first == date(year, 1, 1)
        assert gap.last + DAY in days or gap.last == date(year, 12, 31)
    inside = {gap.first + DAY * offset for gap in seen.gaps for offset in range(gap.days)}
    run = 0
    for offset in range(366):
        day = date(year, 1, 1) + DAY * offset
        run = 0 if day in days or day.year != year else run + 1
        assert run <= GAP or day in inside


@given(_entries, _years)
def test_clusters_are_what_follows_too_soon(entries: list[YearEntry], year: int) -> None:
    """Two campaigns under 14 days apart, one of them in the year, are in one cluster; nobody else is in any."""
    seen = glance(year, entries, TODAY)
    holding = sorted((each for each in entries if each.holds_slot), key=lambda each: each.day)
    close = {
        (before.day, after.day)
        for before, after in pairwise(holding)
        if after.day - before.day < SPACING and year in {before.day.year, after.day.year}
    }
    told = {(one.day, other.day) for cluster in seen.clusters for one, other in pairwise(cluster.entries)}
    assert close <= told
    assert all(after - before < SPACING for before, after in told)
    for cluster in seen.clusters:
        assert min((b.day - a.day).days for a, b in pairwise(cluster.entries)) == cluster.closest


@given(_entries, st.integers(min_value=0, max_value=1100).map(lambda number: FIRST + DAY * number))
def test_one_more_is_what_the_budget_says(entries: list[YearEntry], day: date) -> None:
    """L-23: a trial fits where the budget has room, and its window is the fullest around it."""
    trial = one_more(day, entries)
    days = [each.day for each in entries if each.holds_slot]
    assert room_for(day, [Slot(each.day, each.title) for each in entries if each.holds_slot]) == trial.full
    assert trial.window <= day < trial.window + WINDOW
    fullest = max(
        1 + sum(start <= other < start + WINDOW for other in days)
        for start in (day - DAY * back for back in range(365))
    )
    assert fullest == trial.in_window
    near = {each.day for each in entries if each.holds_slot and abs(each.day - day) < SPACING}
    assert {each.day for each in trial.too_close} <= near
    assert bool(near) == bool(trial.too_close)


def test_the_border_of_the_year_counts() -> None:
    """L-23: twelve late in one year leave the next one short, though its calendar is empty, and the reason is told."""
    late = [entry(date(2026, 7, 1) + timedelta(days=15 * number)) for number in range(12)]
    seen = glance(2027, late, date(2026, 12, 20))
    assert (0, 12, date(2027, 7, 1)) == (seen.taken, seen.left, seen.first_free)
    nine = glance(2027, [*late, *monthly(2027, range(10, 13))], date(2026, 12, 20))
    assert (3, 9) == (nine.taken, nine.left)
    both = [*late, *(entry(date(2028, 1, 1) + timedelta(days=15 * number)) for number in range(6))]
    short = glance(2027, both, date(2026, 12, 20))
    assert (6, date(2027, 7, 1)) == (short.left, short.first_free)
    assert any("room for 12 more, 365 days across New Year for 6 only" in remark for remark in short.remarks)


def test_the_floor_is_a_remark() -> None:
    """Fewer than six planned is said with how many are missing, and six say nothing."""
    assert ("4 planned, 2 more by December to keep what the notice says.",) == floor(monthly(2027, range(4, 8)))
    assert ("0 planned, 6 more by December to keep what the notice says.",) == floor([])
    assert () == floor(monthly(2027, range(4, 10)))


def floor(entries: list[YearEntry]) -> tuple[str, ...]:
    """Return the remarks on 2027."""
    return glance(2027, entries, TODAY).remarks


def test_a_past_year_is_told_as_it_was() -> None:
    """Of a year that is over, only what went out or was declared counts against the floor, and nothing is left."""
    spent = [entry(date(2026, month, 15), Standing.SPENT) for month in (1, 3)]
    seen = glance(2026, [*spent, entry(date(2026, 9, 1), Standing.HELD)], TODAY)
    assert (3, 0, None) == (seen.taken, seen.left, seen.first_free)
    assert ("2 campaigns went out in 2026, fewer than the 6 that clients were told to expect.",) == seen.remarks


def test_too_many_are_named() -> None:
    """L-23: a year that holds more than twelve, by declarations, says so and has nothing left."""
    many = [entry(date(2027, 1, 1) + timedelta(days=20 * number), Standing.DECLARED) for number in range(13)]
    seen: Glance = glance(2027, many, TODAY)
    assert seen.left == 0
    assert any("the promise is 12" in remark for remark in seen.remarks)


@pytest.mark.parametrize(
    ("slot", "campaign", "standing"),
    [
        ("taken", "scheduled", Standing.SCHEDULED),
        ("taken", "held", Standing.HELD),
        ("taken", "draft", Standing.DRAFT),
        ("taken", "reserved", Standing.RESERVED),
        ("taken", None, Standing.RESERVED),
        ("reserved", None, Standing.RESERVED),
        ("spent", "sending", Standing.SPENT),
        ("spent", "finished", Standing.SPENT),
        ("spent", "held", Standing.HELD),
        ("spent", "cancelled", Standing.SPENT),
        ("spent", None, Standing.SPENT),
        ("declared", None, Standing.DECLARED),
        ("returned", "cancelled", Standing.CANCELLED),
        ("lapsed", None, Standing.CANCELLED),
        ("what a later version writes", "and its state", Standing.SCHEDULED),
    ],
)
def test_every_state_has_its_standing(slot: str, campaign: str | None, standing: Standing) -> None:
    """A slot stands as its own state and its campaign's say; an unknown state holds its slot."""
    assert standing == standing_of(slot, campaign)
