"""A visit later than the last answer is a booking without the question."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.asking import visited_unasked
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from tests.stores import HELSINKI

VISIT = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
REPLIES = st.sampled_from([Reply.GRANTED, Reply.DECLINED, Reply.WITHDRAWN])


def said(reply: Reply, at: datetime, *, until: datetime | None = None, recorded: datetime | None = None) -> Answer:
    """Return an answer given then, or within a span."""
    return Answer(0, reply, Channel.EMAIL, at, until or at, recorded or until or at)


def test_who_never_visited_was_never_left_unasked() -> None:
    """Without a visit there was no booking to ask at."""
    assert not visited_unasked(None, [], HELSINKI)


def test_who_visited_and_never_answered_is_unasked() -> None:
    """A visit without any answer, or with `not asked` alone, is a booking without the question."""
    assert visited_unasked(VISIT, [], HELSINKI)
    assert visited_unasked(VISIT, [said(Reply.NOT_ASKED, NOON)], HELSINKI)


@given(reply=REPLIES, days=st.integers(-400, 400))
def test_an_answer_serves_the_visits_up_to_its_day(reply: Reply, days: int) -> None:
    """Any explicit reply serves a visit of its own day or an earlier one, and no later visit."""
    assert (days < 0) == visited_unasked(VISIT, [said(reply, NOON + timedelta(days=days))], HELSINKI)


def test_the_day_is_the_local_one() -> None:
    """An answer at half past midnight in Helsinki belongs to that day, though UTC still has the one before."""
    late = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)
    assert not visited_unasked(VISIT, [said(Reply.DECLINED, late)], HELSINKI)
    assert visited_unasked(VISIT, [said(Reply.DECLINED, late - timedelta(hours=1))], HELSINKI)


def test_an_answer_counts_until_its_latest_moment() -> None:
    """An answer that can have been given any day of a span serves a visit on the last one."""
    spanning = said(Reply.GRANTED, NOON - timedelta(days=90), until=NOON)
    assert not visited_unasked(VISIT, [spanning], HELSINKI)
    assert visited_unasked(VISIT + timedelta(days=1), [spanning], HELSINKI)


@given(days=st.lists(st.integers(-40, 40), max_size=6))
def test_the_last_answer_decides_whatever_the_order(days: list[int]) -> None:
    """The order in which answers arrived does not matter."""
    answers = [said(Reply.GRANTED, NOON + timedelta(days=day)) for day in days]
    expected = max(days, default=-1) < 0
    assert expected == visited_unasked(VISIT, answers, HELSINKI) == visited_unasked(VISIT, answers[::-1], HELSINKI)
