"""How guessers are counted."""

from datetime import timedelta

import pytest

from dispatcher.web import attempts
from dispatcher.web.attempts import Attempts
from tests.clock import FixedClock


def test_each_visitor_has_a_limit_of_their_own(clock: FixedClock) -> None:
    """E-15: one guesser's attempts do not use up another visitor's."""
    counted = Attempts(clock, limit=2)
    assert [True, True, False] == [counted.allow("192.0.2.1") for _ in range(3)]
    assert counted.allow("192.0.2.2")


def test_a_visitor_is_a_network_where_addresses_are_many(clock: FixedClock) -> None:
    """E-15: a guesser with a /64 of IPv6 addresses is one guesser."""
    counted = Attempts(clock, limit=1)
    assert counted.allow("2001:db8::1")
    assert not counted.allow("2001:db8::2")
    assert counted.allow("2001:db8:0:1::1")


def test_an_old_address_is_one_visitor_however_it_is_written(clock: FixedClock) -> None:
    """E-15: on a socket for both kinds of addresses every IPv4 address is inside one /64, and still its own visitor."""
    counted = Attempts(clock, limit=1)
    assert counted.allow("::ffff:192.0.2.1")
    assert counted.allow("::ffff:192.0.2.2")
    assert not counted.allow("192.0.2.1")


@pytest.mark.parametrize("by", [timedelta(minutes=1), timedelta(minutes=-1)])
def test_a_new_minute_begins_at_nought(clock: FixedClock, by: timedelta) -> None:
    """The count ends with the minute, even where a clock is set back."""
    counted = Attempts(clock, limit=1)
    counted.allow("192.0.2.1")
    clock.advance(by)
    assert counted.allow("192.0.2.1")


def test_a_flood_does_not_fill_the_memory(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many visitors come in a minute, only so many are remembered."""
    monkeypatch.setattr(attempts, "_VISITORS_AT_MOST", 10)
    counted = Attempts(clock)
    for number in range(100):
        counted.allow(f"192.0.2.{number}")
    assert len(counted._seen) <= 10
