"""When a yes can have been given, by what a person told of the form."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.calendar import day_span
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Flaw, Place, Reply
from dispatcher.rules.source import (
    Asking,
    Occasion,
    Question,
    Source,
    Span,
    Unseen,
    Words,
    read_source,
    source_spec,
)
from dispatcher.rules.wording import wording_hash

HELSINKI = ZoneInfo("Europe/Helsinki")
LEAD = timedelta(days=90)
SINCE = date(2026, 5, 1)
ASKING = Asking(SINCE, Occasion.VISIT, LEAD, is_box_empty=True)
WORDS = "Saammeko lähettää tarjouksia sähköpostitse?"


def utc(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """Return an instant."""
    return datetime(year, month, day, hour, tzinfo=UTC)


def day(year: int, month: int, of_month: int) -> Span:
    """Return a local day."""
    return day_span(date(year, month, of_month), HELSINKI)


DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
OCCASIONS = st.sampled_from(Occasion)
LEADS = st.integers(0, 365).map(lambda days: timedelta(days=days))


@given(DAYS, DAYS, OCCASIONS, LEADS)
def test_a_yes_is_never_put_before_the_question(since: date, said: date, occasion: Occasion, lead: timedelta) -> None:
    """L-07: whatever the occasion, the span begins no earlier than the day the question stands in the form."""
    asking = Asking(since, occasion, lead, is_box_empty=True)
    found = asking.yes_span(day_span(said, HELSINKI), HELSINKI)
    assert (said < since) is (found is Unseen.TOO_EARLY)
    if not isinstance(found, Unseen):
        assert day_span(since, HELSINKI)[0] <= found[0] <= found[1] == day_span(said, HELSINKI)[1]


@given(DAYS, DAYS, LEADS)
def test_a_visit_was_booked_at_most_the_lead_before_it(since: date, visit: date, lead: timedelta) -> None:
    """With a visit alone, the yes may be as old as the oldest booking of that visit, counted in local days."""
    found = Asking(since, Occasion.VISIT, lead, is_box_empty=True).yes_span(day_span(visit, HELSINKI), HELSINKI)
    if not isinstance(found, Unseen):
        assert max(day_span(since, HELSINKI)[0], day_span(visit - lead, HELSINKI)[0]) == found[0]


@given(DAYS, DAYS, DAYS, OCCASIONS)
def test_a_later_occasion_never_makes_a_yes_older(since: date, one: date, other: date, occasion: Occasion) -> None:
    """Of two occasions with the question, the later one gives the later span."""
    asking = Asking(since, occasion, LEAD, is_box_empty=True)
    spans = [asking.yes_span(day_span(each, HELSINKI), HELSINKI) for each in sorted([one, other])]
    known = [span for span in spans if not isinstance(span, Unseen)]
    assert sorted(known) == known


@given(DAYS, DAYS, OCCASIONS)
def test_a_no_is_dated_by_a_booking_or_not_at_all(since: date, said: date, occasion: Occasion) -> None:
    """L-07: a no has the span of the booking at which the question stood in the form; any other counts until now."""
    span = day_span(said, HELSINKI)
    found = Asking(since, occasion, LEAD, is_box_empty=True).no_span(span, HELSINKI)
    assert (span if occasion is Occasion.BOOKING and said >= since else None) == found


@pytest.mark.parametrize("occasion", Occasion)
def test_without_a_day_nobody_can_tell(occasion: Occasion) -> None:
    """A row without the day gives a yes no time, and a no none either."""
    asking = replace(ASKING, occasion=occasion)
    assert (Unseen.NO_DAY, None) == (asking.yes_span(None, HELSINKI), asking.no_span(None, HELSINKI))


@pytest.mark.parametrize(
    ("occasion", "said", "expected"),
    [
        (Occasion.VISIT, day(2026, 4, 30), Unseen.TOO_EARLY),
        (Occasion.VISIT, day(2026, 5, 1), (utc(2026, 4, 30, 21), day(2026, 5, 1)[1])),
        (Occasion.VISIT, day(2026, 7, 30), (utc(2026, 4, 30, 21), day(2026, 7, 30)[1])),
        (Occasion.VISIT, day(2026, 7, 31), (utc(2026, 5, 1, 21), day(2026, 7, 31)[1])),
        (Occasion.BOOKING, day(2026, 7, 31), day(2026, 7, 31)),
        (Occasion.CARD, day(2026, 5, 1), day(2026, 5, 1)),
        (Occasion.CARD, day(2026, 4, 30), Unseen.TOO_EARLY),
        (Occasion.BOOKING, (utc(2026, 4, 30, 20), utc(2026, 4, 30, 20)), Unseen.TOO_EARLY),
        (Occasion.BOOKING, (utc(2026, 4, 30, 21), utc(2026, 4, 30, 21)), (utc(2026, 4, 30, 21),) * 2),
    ],
)
def test_the_days_at_the_edge(occasion: Occasion, said: Span, expected: Span | Unseen) -> None:
    """The day of the question itself counts, the day before does not; days are those of the business zone."""
    assert expected == replace(ASKING, occasion=occasion).yes_span(said, HELSINKI)


@pytest.mark.parametrize(
    ("visit", "first", "last"),
    [
        # Ninety days after the night in which clocks go forward, and after the one in which they go back.
        (date(2027, 6, 26), utc(2027, 3, 27, 22), utc(2027, 6, 26, 21)),
        (date(2027, 1, 29), utc(2026, 10, 30, 22), utc(2027, 1, 29, 22)),
        (date(2027, 1, 23), utc(2026, 10, 24, 21), utc(2027, 1, 23, 22)),
        # Visits on those days themselves: of 23 and of 25 hours.
        (date(2027, 3, 28), utc(2026, 12, 27, 22), utc(2027, 3, 28, 21)),
        (date(2026, 10, 25), utc(2026, 7, 26, 21), utc(2026, 10, 25, 22)),
    ],
)
def test_days_are_local_where_clocks_change(visit: date, first: datetime, last: datetime) -> None:
    """Ninety days are ninety local days, from midnight to midnight, however many hours those have."""
    span = ASKING.yes_span(day_span(visit, HELSINKI), HELSINKI)
    assert (first, last - timedelta(microseconds=1)) == span


def test_a_yes_counts_from_the_beginning_of_its_span() -> None:
    """L-08: of a visit 276 days ago the yes may be 366 days old, and is not used; a day later it is."""
    now = utc(2027, 5, 3, 12)
    for days, flaw in ((276, Flaw.EXPIRED), (274, None)):
        visit = date(2027, 5, 3) - timedelta(days=days)
        span = ASKING.yes_span(day_span(visit, HELSINKI), HELSINKI)
        assert not isinstance(span, Unseen)
        yes = Answer(1, Reply.GRANTED, Channel.EMAIL, *span, now, Place.ONLINE, "0" * 64)
        assert flaw is yes.flaw(now, timedelta(days=365))


def source(**told: object) -> Source:
    """Return a source, changed by what is told."""
    usual = Source("Slotti", (Question("lupa", (Channel.EMAIL,), WORDS),), SINCE, True, Occasion.VISIT)  # noqa: FBT003
    return replace(usual, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "told",
    [
        source(),
        source(occasion=Occasion.BOOKING, day_column="varattu", place=Place.PHONE, is_box_empty=False),
        source(words=Words(frozenset({"ei"}), frozenset({"kyllä"}), frozenset({"a", "b"}), frozenset({""}))),
        source(questions=(Question("a", tuple(Channel), WORDS), Question("b", (Channel.SMS,), "Tekstiviestillä?"))),
    ],
)
def test_a_source_reads_as_it_was_told(told: Source) -> None:
    """What is kept as evidence gives back everything that was told."""
    texts = {each.wording: wording_hash(each.wording) for each in told.questions}
    assert told == read_source(told.name, source_spec(told, texts), {digest: text for text, digest in texts.items()})


def test_what_opens_nothing_is_said() -> None:
    """L-01, L-03: a box ticked beforehand, and words that do not name a channel of the column, are told as warnings."""
    assert () == source().warnings
    both = source(is_box_empty=False, questions=(Question("lupa", tuple(Channel), WORDS),))
    ticked, unnamed = both.warnings
    assert "ticked beforehand" in ticked
    assert 'of "lupa" do not name text messages' in unnamed
