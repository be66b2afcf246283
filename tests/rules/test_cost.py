"""What text messages cost is a sum anybody can follow."""

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.cost import Tariff


def test_a_sum_is_written_out() -> None:
    """S-05: how many, of how many parts, at what price, and what that makes."""
    tariff = Tariff(part=Decimal("0.08"))
    told = Counter({2: 97, 1: 1})
    assert ["1 x 1 part x 0.08 € = 0.08 €", "97 x 2 parts x 0.08 € = 15.52 €"] == tariff.lines(told)
    assert Decimal("15.60") == tariff.total(told)


@given(st.dictionaries(st.integers(1, 10), st.integers(0, 5000)), st.decimals(0, 1, places=4))
def test_a_total_is_exact_to_the_cent(told: dict[int, int], part: Decimal) -> None:
    """The total is the exact sum of all parts, rounded once, half a cent up."""
    exact = sum((part * parts * number for parts, number in told.items()), Decimal(0))
    assert abs(Tariff(part=part).total(told) - exact) <= Decimal("0.005")
