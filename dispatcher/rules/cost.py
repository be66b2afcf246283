"""What text messages cost, in euros and cents: never more than the owner has allowed (S-05)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import phonenumbers

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Every country that has a calling code, by its two letters."""
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, order=True)
class Priced:
    """One text message as it is paid for: how many parts, and what each costs in euros."""

    parts: int
    part_price: Decimal

    @property
    def cost(self) -> Decimal:
        """Return what it costs, unrounded."""
        return self.parts * self.part_price


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a part costs in euros, how many parts one message may have, and what a campaign and a year may cost.

    `prices` are by country, two letters as in ISO 3166; `part` is the price everywhere else.
    """

    part: Decimal = Decimal("0.08")
    most_parts: int = 3
    campaign_ceiling: Decimal = Decimal(200)
    year_ceiling: Decimal = Decimal(1500)
    prices: Mapping[str, Decimal] = field(default_factory=dict)

    def price(self, number: str) -> Decimal:
        """Return what a part to this number costs; `number` is E.164.

        Countries that share a calling code are told apart where the numbers are; one without a price of its own has
        that of the code's main country, as Åland has Finland's.
        """
        if not self.prices:
            return self.part
        read = phonenumbers.parse(number)
        own = phonenumbers.region_code_for_number(read) or ""
        main = phonenumbers.region_code_for_country_code(read.country_code or 0)
        return self.prices.get(own, self.prices.get(main, self.part))


def lines(distribution: Mapping[Priced, int]) -> list[str]:
    """Return the sums of messages counted by their parts and price, as "97 x 2 parts x 0.08 € = 15.52 €"."""
    return [
        f"{number} x {each.parts} part{'s' if each.parts > 1 else ''} x {each.part_price} € = "
        f"{cents(number * each.cost)} €"
        for each, number in sorted(distribution.items())
    ]


def total(distribution: Mapping[Priced, int]) -> Decimal:
    """Return what all these messages cost, to the cent."""
    return cents(sum((number * each.cost for each, number in distribution.items()), Decimal(0)))


def cents(amount: Decimal) -> Decimal:
    """Return an amount in whole cents, half a cent up."""
    return amount.quantize(_CENT, ROUND_HALF_UP)
