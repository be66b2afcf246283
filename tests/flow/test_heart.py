"""A sender's sign of life, on both databases."""

from datetime import timedelta

from dispatcher.flow.heart import SILENT_AFTER, Heart, is_beating
from dispatcher.storage.store import Store
from tests.clock import FixedClock


def test_a_sender_gives_signs_of_life_until_it_stops(store: Store, clock: FixedClock) -> None:
    """Started, seen, in trouble, stepped, stopped: each is there to be read, and silence is no life."""
    heart, began = Heart(store, "sender", "0.1"), clock()
    assert heart.last() is None
    assert not is_beating(None, clock())
    heart.begin()
    clock.advance(timedelta(seconds=10))
    heart.beat("the mail server cannot be reached")
    last = heart.last()
    assert last is not None
    assert (began, clock(), "the mail server cannot be reached") == (last.started_at, last.seen_at, last.trouble)
    assert is_beating(last, clock() + SILENT_AFTER)
    assert not is_beating(last, clock() + SILENT_AFTER + timedelta(seconds=1))
    assert is_beating(last, clock() - timedelta(days=1)), "a clock that was set back is no silence"
    heart.stepped(-timedelta(hours=1))
    heart.beat(None)
    last = heart.last()
    assert last is not None
    assert (clock(), -3600, None) == (last.stepped_at, last.stepped_by, last.trouble)
    heart.end()
    last = heart.last()
    assert last is not None
    assert clock() == last.stopped_at
    assert not is_beating(last, clock())


def test_a_new_start_is_a_new_life(store: Store, clock: FixedClock) -> None:
    """What stood in the way of the sender before says nothing of this one; of several, the one seen last is shown."""
    heart = Heart(store, "sender", "0.1")
    heart.begin()
    heart.beat("trouble")
    clock.advance(timedelta(hours=1))
    Heart(store, "sender", "0.2").begin()
    last = heart.last()
    assert last is not None
    assert ("0.2", None, clock()) == (last.version, last.trouble, last.started_at)
    clock.advance(timedelta(hours=1))
    Heart(store, "sender-b", "0.2").begin()
    last = heart.last()
    assert last is not None
    assert "sender-b" == last.process
