"""When a client's year is over, and what an erasure leaves behind."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, ConsentState, Place, Reply, fold
from dispatcher.rules.retention import Basis, Due, EraseReason, Held, Keeper, Objection, Periods, due, left_behind

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)
CREATED = date(2024, 1, 1)
PERIODS = Periods()


def answer(reply: Reply, at: datetime, channel: Channel | None = Channel.EMAIL) -> Answer:
    """Return an answer given and recorded at this moment."""
    return Answer(1, reply, channel, at, at, at, Place.ONLINE, "0" * 64)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (
            Held(CREATED, last_visit=date(2025, 11, 23), last_answer=date(2026, 11, 1)),
            Due(date(2026, 11, 23), EraseReason.AGE, Basis.VISIT, date(2025, 11, 23)),
        ),
        (
            Held(CREATED, last_answer=date(2026, 1, 2)),
            Due(date(2027, 1, 2), EraseReason.AGE, Basis.ANSWER, date(2026, 1, 2)),
        ),
        (Held(CREATED), Due(date(2024, 12, 31), EraseReason.AGE, Basis.CREATED, CREATED)),
        (
            Held(CREATED, last_visit=date(2026, 11, 1), gone_since=date(2026, 11, 2)),
            Due(date(2026, 12, 2), EraseReason.GONE, Basis.GONE, date(2026, 11, 2)),
        ),
        (
            Held(CREATED, last_visit=date(2025, 11, 23), gone_since=date(2026, 11, 20)),
            Due(date(2026, 11, 23), EraseReason.AGE, Basis.VISIT, date(2025, 11, 23)),
        ),
    ],
    ids=["visit-before-answer", "answer", "created", "gone", "whichever-is-sooner"],
)
def test_when_a_client_is_due(held: Held, wanted: Due) -> None:
    """G.2: 365 days after the last visit, else the last answer, else their coming; or 30 days after they went."""
    assert wanted == due(held, PERIODS)


@pytest.mark.parametrize(
    ("held", "keeper"),
    [
        (Held(CREATED), None),
        (Held(CREATED, restricted=True), Keeper.RESTRICTED),
        (Held(CREATED, blocked=True, restricted=True), Keeper.BLOCKED),
        (Held(CREATED, asking=True, blocked=True), Keeper.ASKING),
    ],
)
def test_who_is_kept_though_due(held: Held, keeper: Keeper | None) -> None:
    """L-38: nobody is removed who is restricted, blocked, or waits for an answer."""
    assert keeper is held.keeper


def test_the_suppression_outlives_every_earlier_yes_and_every_copy() -> None:
    """L-36: an objection is kept as long as a yes stands and a copy lives, both by the settings."""
    assert timedelta(days=455) == PERIODS.suppressed
    assert timedelta(days=130) == Periods(valid_for=100 * DAY, backups=30 * DAY).suppressed


def test_an_objection_to_everything_stays_one() -> None:
    """A no that names no channel leaves one objection to every channel, one that names a channel leaves that one."""
    assert [Objection(None, NOW)] == left_behind([answer(Reply.WITHDRAWN, NOW, None)], NOW, PERIODS)
    assert [Objection(Channel.SMS, NOW)] == left_behind([answer(Reply.WITHDRAWN, NOW, Channel.SMS)], NOW, PERIODS)


def test_a_later_yes_leaves_the_other_channel_closed() -> None:
    """Who objected to everything and said yes to mail later leaves an objection to text messages alone."""
    said = [answer(Reply.WITHDRAWN, NOW - DAY, None), answer(Reply.GRANTED, NOW)]
    assert [Objection(Channel.SMS, NOW - DAY)] == left_behind(said, NOW, PERIODS)


@pytest.mark.parametrize(("age", "wanted"), [(454, 1), (455, 0)])
def test_an_objection_past_its_end_is_not_kept(age: int, wanted: int) -> None:
    """What would have ended already leaves nothing."""
    said = [answer(Reply.WITHDRAWN, NOW - age * DAY)]
    assert wanted == len(left_behind(said, NOW, PERIODS))


def test_a_no_leaves_nothing_unless_a_yes_would_come_back() -> None:
    """A declined question is no objection; one that took back a yes is kept while that yes could still count."""
    no = answer(Reply.DECLINED, NOW)
    assert [] == left_behind([no], NOW, PERIODS)
    assert [] == left_behind([answer(Reply.GRANTED, NOW - 366 * DAY), no], NOW, PERIODS)
    assert [Objection(Channel.EMAIL, NOW)] == left_behind([answer(Reply.GRANTED, NOW - DAY), no], NOW, PERIODS)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        pytest.param([], [], id="never-asked"),
        pytest.param([answer(Reply.DECLINED, NOW - DAY)], [], id="never-a-yes"),
        pytest.param([answer(Reply.GRANTED, NOW - DAY)], [Objection(Channel.EMAIL, NOW)], id="a-yes"),
        pytest.param([answer(Reply.GRANTED, NOW - 365 * DAY)], [], id="a-yes-that-has-ended"),
        pytest.param(
            [answer(Reply.WITHDRAWN, NOW - 2 * DAY, None), answer(Reply.GRANTED, NOW - DAY)],
            [Objection(Channel.EMAIL, NOW), Objection(Channel.SMS, NOW - 2 * DAY)],
            id="a-yes-after-an-objection",
        ),
        pytest.param(
            [Answer(1, Reply.GRANTED, Channel.SMS, None, None, NOW)],
            [Objection(Channel.SMS, NOW)],
            id="a-yes-whose-evidence-may-come-later",
        ),
    ],
)
def test_of_a_child_no_yes_comes_back(said: list[Answer], wanted: list[Objection]) -> None:
    """L-36: a child's mark goes with the child, so that an objection as of now meets every yes that has not ended."""
    assert wanted == sorted(left_behind(said, NOW, PERIODS, is_child=True), key=lambda each: str(each.channel))


def test_of_a_child_no_yes_for_an_earlier_address_comes_back() -> None:
    """A yes that a verdict leaves out, since it was for an address the child has left, is met as well."""
    told = [answer(Reply.GRANTED, NOW - DAY)]
    assert [Objection(Channel.EMAIL, NOW)] == left_behind([], NOW, PERIODS, told, is_child=True)
    assert [] == left_behind([], NOW, PERIODS, told)


ANSWERS = st.lists(
    st.builds(
        answer,
        st.sampled_from(list(Reply)),
        st.integers(0, 500).map(lambda day: NOW - day * DAY),
        st.sampled_from(list(Channel)),
    ),
    max_size=8,
)


@given(ANSWERS)
def test_no_yes_from_before_comes_back(said: list[Answer]) -> None:
    """Property: with what is left behind, the yeses that were on record say no more than all the answers did."""
    left = left_behind(said, NOW, PERIODS)
    objections = [Answer(0, Reply.WITHDRAWN, each.channel, None, each.at, each.at) for each in left]
    yeses = [each for each in said if each.reply is Reply.GRANTED]
    for channel in Channel:
        was = fold(said, channel, NOW, PERIODS.valid_for).state is ConsentState.GRANTED
        comes_back = fold([*yeses, *objections], channel, NOW, PERIODS.valid_for).state is ConsentState.GRANTED
        assert was is comes_back
