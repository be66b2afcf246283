"""Whom to ask at the desk: who has no answer, whose yes ends, who came by unasked; never who objected."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.rules.consent import Consent, ConsentState
from dispatcher.rules.occasion import Occasion, occasion

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SOON = timedelta(days=60)


@pytest.mark.parametrize("visited", [False, True])
@pytest.mark.parametrize(
    ("state", "why"), [(ConsentState.NEVER_ASKED, Occasion.UNASKED), (ConsentState.EXPIRED, Occasion.ENDED)]
)
def test_who_has_no_answer_that_counts_is_asked(state: ConsentState, why: Occasion, *, visited: bool) -> None:
    """Without an answer, and with one that has ended, there is always an occasion."""
    assert why is occasion(Consent(state), NOW, SOON, visited=visited)


@pytest.mark.parametrize("state", ConsentState)
@pytest.mark.parametrize("visited", [False, True])
def test_nobody_is_asked_against_an_objection(state: ConsentState, *, visited: bool) -> None:
    """L-09: while an objection stands there is no occasion, whatever else is true."""
    assert occasion(Consent(state, objected=True), NOW, SOON, visited=visited) is None


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (SOON + timedelta(microseconds=1), None),
        (SOON, Occasion.ENDS_SOON),
        (timedelta(microseconds=1), Occasion.ENDS_SOON),
    ],
)
def test_a_yes_is_asked_for_anew_before_it_ends(left: timedelta, why: Occasion | None) -> None:
    """A yes that ends within the days of renewal is an occasion, to the microsecond; before that it is left alone."""
    standing = Consent(ConsentState.GRANTED, ends_at=NOW + left)
    assert why is occasion(standing, NOW, SOON, visited=False)


@pytest.mark.parametrize("state", [ConsentState.GRANTED, ConsentState.DECLINED, ConsentState.WITHDRAWN])
def test_a_visit_is_an_occasion(state: ConsentState) -> None:
    """L-06: who has an answer is asked again only where they came by without being asked."""
    ends_at = NOW + timedelta(days=300) if state is ConsentState.GRANTED else None
    consent = Consent(state, ends_at=ends_at)
    assert [None, Occasion.VISITED] == [occasion(consent, NOW, SOON, visited=visited) for visited in (False, True)]
