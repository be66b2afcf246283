"""When somebody is told of a matter: once, or daily while it needs them, and mostly in the open hours."""

import pytest

from dispatcher.rules.alerts import NEEDS_SOMEBODY, AlertKind, is_due


@pytest.mark.parametrize("kind", AlertKind)
def test_nobody_is_told_twice_on_a_day_nor_of_what_they_have_seen(kind: AlertKind) -> None:
    """Whatever it is: told today, or seen, it is told no more."""
    assert not is_due(kind, told_before=True, told_today=True, seen=False, is_open=True)
    assert not is_due(kind, told_before=True, told_today=False, seen=True, is_open=True)


@pytest.mark.parametrize("kind", AlertKind)
def test_what_needs_somebody_is_told_again_the_next_day(kind: AlertKind) -> None:
    """Held and overdue repeat daily; what comes up, or has gone out, is told once."""
    again = is_due(kind, told_before=True, told_today=False, seen=False, is_open=True)
    assert (kind in NEEDS_SOMEBODY) is again
    assert not is_due(kind, told_before=True, told_today=False, seen=False, is_open=False)


@pytest.mark.parametrize("kind", AlertKind)
def test_only_what_has_just_happened_is_told_at_night(kind: AlertKind) -> None:
    """A campaign that is held or has gone out is told at once; everything else waits for the morning."""
    at_night = is_due(kind, told_before=False, told_today=False, seen=False, is_open=False)
    assert (kind in {AlertKind.HELD, AlertKind.FINISHED}) is at_night
    assert is_due(kind, told_before=False, told_today=False, seen=False, is_open=True)
