"""How long a mailbox may be full before nobody is there."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.message import Blame
from dispatcher.rules.soft_bounce import PATIENCE, REMEMBERED, is_enough

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAYS = st.lists(st.floats(0, 800), max_size=12)


def days_ago(*days: float) -> list[datetime]:
    """Return times so many days before now."""
    return [NOW - timedelta(days=each) for each in days]


@pytest.mark.parametrize(
    ("blame", "days", "expected"),
    [
        (Blame.MAILBOX_FULL, (30, 20, 10, 5, 0), True),
        (Blame.MAILBOX_FULL, (29.9, 20, 10, 5, 0), False),
        (Blame.MAILBOX_FULL, (300, 20, 10, 0), False),
        (Blame.MAILBOX_FULL, (365, 20, 10, 5, 0), False),
        (Blame.MAILBOX_FULL, (364, 20, 10, 5, 0), True),
        (Blame.NO_ROUTE, (14, 3, 0), True),
        (Blame.NO_ROUTE, (13.9, 3, 0), False),
        (Blame.NO_ROUTE, (14, 0), False),
        (Blame.HANDSET, (14, 0), True),
        (Blame.HANDSET, (13.9, 0), False),
        (Blame.HANDSET, (20,), False),
        (Blame.BARRED, (2, 1, 0), True),
        (Blame.BARRED, (300, 0), False),
        (Blame.POLICY, (200, 100, 80, 60, 40, 20, 0), False),
        (Blame.QUOTA, (200, 100, 80, 60, 40, 20, 0), False),
        (Blame.MESSAGE, (200, 100, 80, 60, 40, 20, 0), False),
        (Blame.MAILBOX_FULL, (), False),
    ],
)
def test_patience(blame: Blame, days: tuple[float, ...], expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """The table below E-55, and 30004 and 30005: so many of one kind, the last so long after the first."""
    assert expected is is_enough(blame, days_ago(*days), NOW)


@given(st.sampled_from(Blame), DAYS)
def test_order_does_not_matter_and_the_old_do_not_count(blame: Blame, days: list[float]) -> None:
    """Whatever the order, only what is younger than a year counts."""
    found = is_enough(blame, days_ago(*days), NOW)
    assert found is is_enough(blame, days_ago(*reversed(days)), NOW)
    assert found is is_enough(blame, [at for at in days_ago(*days) if NOW - at < REMEMBERED], NOW)


@given(st.sampled_from(sorted(PATIENCE)), DAYS, st.floats(0, 364))
def test_another_one_never_brings_an_address_back(blame: Blame, days: list[float], more: float) -> None:
    """One soft bounce more never makes an address less dead."""
    assert not is_enough(blame, days_ago(*days), NOW) or is_enough(blame, days_ago(*days, more), NOW)
