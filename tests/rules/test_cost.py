"""What text messages cost is a sum anybody can follow."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.cost import Priced, Tariff, lines, total

EIGHT = Decimal("0.08")


def test_a_sum_is_written_out() -> None:
    """S-05: how many, of how many parts, at what price, and what that makes."""
    told = Counter({Priced(2, EIGHT): 97, Priced(1, EIGHT): 1, Priced(1, Decimal("0.07")): 2})
    sums = ["2 x 1 part x 0.07 € = 0.14 €", "1 x 1 part x 0.08 € = 0.08 €", "97 x 2 parts x 0.08 € = 15.52 €"]
    assert sums == lines(told)
    assert Decimal("15.74") == total(told)


@pytest.mark.parametrize(
    ("number", "price"),
    [
        ("+358401234567", "0.08"),
        ("+358457123456", "0.08"),
        ("+46701234567", "0.07"),
        ("+4741234567", "0.12"),
        ("+12025550123", "0.09"),
        ("+14165550123", "0.11"),
        ("+37251234567", "0.12"),
    ],
)
def test_a_part_costs_what_its_country_costs(number: str, price: str) -> None:
    """S-05: by country, also where two share a calling code; the main one speaks for the others, else `part_price`."""
    prices = {"FI": EIGHT, "SE": Decimal("0.07"), "US": Decimal("0.09"), "CA": Decimal("0.11")}
    assert Decimal(price) == Tariff(part=Decimal("0.12"), prices=prices).price(number)
    assert EIGHT == Tariff(part=EIGHT).price(number)


@given(st.dictionaries(st.integers(1, 10), st.integers(0, 5000)), st.decimals(0, 1, places=4))
def test_a_total_is_exact_to_the_cent(told: dict[int, int], part: Decimal) -> None:
    """The total is the exact sum of all parts, rounded once, half a cent up."""
    exact = sum((part * parts * number for parts, number in told.items()), Decimal(0))
    counted = {Priced(parts, part): number for parts, number in told.items()}
    assert abs(total(counted) - exact) <= Decimal("0.005")
