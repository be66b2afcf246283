"""The turns of a channel that slows down, rests and recovers: what it gives up is not made up for in a burst."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from dispatcher.flow.pacing import Pacing
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.rules.pace import Pace
from dispatcher.storage import pace as turns
from dispatcher.storage.store import Store
from tests.clock import FixedClock


def test_a_channel_that_recovers_makes_up_for_nothing(store: Store, clock: FixedClock) -> None:
    """E-55: as a channel gets faster again its messages come closer together, never several at once."""
    pacing = Pacing({Channel.EMAIL: Pace(200)})
    taken, begun = [Outcome(OutcomeKind.ACCEPTED)], clock()

    def hear(outcomes: Sequence[Outcome]) -> None:
        store.write(lambda each: pacing.heard(each.connection, Channel.EMAIL, outcomes, each.now))

    def take() -> int:
        return store.write(lambda each: pacing.take(each.connection, Channel.EMAIL, each.now, 100))

    assert 1 == take()
    hear([Outcome(OutcomeKind.DEFERRED, "451")] * 40)
    sent = []
    for second in range(0, 3600, 2):
        clock.set(begun + timedelta(seconds=second))
        if take():
            sent.append(second)
            hear(taken)
    apart = [after - before for before, after in pairwise(sent)]
    assert apart[0] > 200
    assert 18 <= min(apart)
    assert [] == [two for one, two in pairwise(apart) if two > one + 2]


def test_a_turn_gets_no_nearer_by_getting_slower(store: Store, clock: FixedClock) -> None:
    """E-55: a deferral puts off the next message as well, and never by more than the slower pace asks for."""
    pace = Pace(200)
    pacing = Pacing({Channel.EMAIL: pace})
    store.write(lambda each: pacing.take(each.connection, Channel.EMAIL, each.now, 100))
    clock.advance(timedelta(seconds=9))
    deferred = [Outcome(OutcomeKind.DEFERRED, "451")] * 3
    store.write(lambda each: pacing.heard(each.connection, Channel.EMAIL, deferred, each.now))
    with store.reading() as connection:
        turn = turns.read(connection, Channel.EMAIL)
    assert turn.next_at is not None
    assert 729 == turn.share
    assert timedelta(seconds=12) < turn.next_at - clock() < pace.slowed(729).interval


def test_a_rest_of_days_is_a_rest(store: Store, clock: FixedClock) -> None:
    """S-24: a provider that asks for more than a day is not asked again at once; it is, after a day."""
    pacing = Pacing({})
    busy = Outcome(OutcomeKind.DEFERRED, "429", blame=Blame.QUOTA, retry_after=timedelta(days=3))
    store.write(lambda each: pacing.heard(each.connection, Channel.SMS, [busy], each.now))
    for passed, expected in ((timedelta(seconds=1), 0), (timedelta(hours=23), 0), (timedelta(hours=1), 5)):
        clock.advance(passed)
        assert expected == store.write(lambda each: pacing.take(each.connection, Channel.SMS, each.now, 5))


def test_a_rest_from_before_the_clock_was_set_back_is_none(store: Store, clock: FixedClock) -> None:
    """E-55: a rest far ahead is of another clock: it keeps nobody waiting, and the next trouble sets one anew."""
    pacing = Pacing({Channel.EMAIL: Pace(3600)})
    stale = turns.Turn(None, 1000, clock() + timedelta(days=9))
    store.write(lambda each: turns.locked(each.connection, Channel.EMAIL))
    store.write(lambda each: turns.keep(each.connection, Channel.EMAIL, stale))
    assert 1 == store.write(lambda each: pacing.take(each.connection, Channel.EMAIL, each.now, 5))
    trouble = [Outcome(OutcomeKind.DEFERRED, blame=Blame.CONNECTION)]
    store.write(lambda each: pacing.heard(each.connection, Channel.EMAIL, trouble, each.now))
    with store.reading() as connection:
        assert clock() + timedelta(minutes=1) == turns.read(connection, Channel.EMAIL).rests_until
    assert 0 == store.write(lambda each: pacing.take(each.connection, Channel.EMAIL, each.now, 5))
