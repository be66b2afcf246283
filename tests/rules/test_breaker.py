"""When refusals stop a campaign or let a domain wait: at the figures of E-53, and never below them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.breaker import AT_LEAST, LAST, Seen, Trip, Tripped, judge
from dispatcher.rules.message import Blame

GOOD = Seen(Blame.MESSAGE, "posti.example")


def refused(count: int, *domains: str) -> list[Seen]:
    """Return so many policy refusals, by these domains in turn."""
    return [Seen(Blame.POLICY, domains[each % len(domains)]) for each in range(count)]


def among(seen: list[Seen], total: int = LAST) -> list[Seen]:
    """Return these outcomes among good ones."""
    return [*seen, *[GOOD] * (total - len(seen))]


@pytest.mark.parametrize(
    ("last", "wanted"),
    [
        (among(refused(9, "a.example", "b.example")), None),
        (among(refused(10, "a.example", "b.example")), Tripped(Trip.POLICY)),
        (among(refused(9, "a.example"), 20), None),
        (among(refused(10, "a.example"), 20), Tripped(Trip.DOMAIN, "a.example")),
        (among([*refused(9, "a.example"), *refused(1, "b.example")]), Tripped(Trip.POLICY)),
        (refused(10, ""), Tripped(Trip.POLICY)),
        ([*refused(9, "a.example"), *refused(1, "")], Tripped(Trip.DOMAIN, "a.example")),
        (among([Seen(Blame.CONTENT)] * 4), None),
        (among([Seen(Blame.CONTENT)] * 5), Tripped(Trip.CONTENT)),
        (among([Seen(Blame.CONTENT)] * 4, 10), None),
        (among([Seen(Blame.SET_UP)], 2), Tripped(Trip.SET_UP)),
        (among([Seen(Blame.ADDRESS), Seen(Blame.MAILBOX_FULL), Seen(Blame.NO_ROUTE)] * 30), None),
        ([], None),
    ],
)
def test_the_breaker_trips_at_its_figures(last: list[Seen], wanted: Tripped | None) -> None:
    """E-53: 5 % of the last 200 and at least 10; two domains hold the campaign, one waits; more than 2 % of content."""
    assert wanted == judge(last)


@given(
    st.lists(st.builds(Seen, st.sampled_from(list(Blame)), st.sampled_from(["a.example", "b.example"])), max_size=LAST)
)
def test_single_clients_never_stop_the_others(last: list[Seen]) -> None:
    """E-53: without ten policy refusals, five of content or a provider that is not set up, nothing stops."""
    tripped = judge(last)
    policy = [each for each in last if each.blame is Blame.POLICY]
    if tripped is None:
        return
    if tripped.trip in {Trip.POLICY, Trip.DOMAIN}:
        assert len(policy) >= AT_LEAST
        assert (len({each.domain for each in policy}) == 1) == (tripped.trip is Trip.DOMAIN)
    else:
        assert any(each.blame in {Blame.CONTENT, Blame.SET_UP} for each in last)
