"""What text messages cost, in euros and cents: never more than the owner has allowed (S-05)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a part costs in euros, how many parts one message may have, and what a campaign and a year may cost."""

    part: Decimal = Decimal("0.08")
    most_parts: int = 3
    campaign_ceiling: Decimal = Decimal(200)
    year_ceiling: Decimal = Decimal(1500)

    def cost(self, parts: int) -> Decimal:
        """Return what so many parts cost, to the cent."""
        return cents(parts * self.part)

    def lines(self, distribution: Mapping[int, int]) -> list[str]:
        """Return the sums of messages counted by their parts, as "97 x 2 parts x 0.08 € = 15.52 €"."""
        return [
            f"{number} x {parts} part{'s' if parts > 1 else ''} x {self.part} € = {self.cost(number * parts)} €"
            for parts, number in sorted(distribution.items())
        ]

    def total(self, distribution: Mapping[int, int]) -> Decimal:
        """Return what all messages of a campaign cost."""
        return self.cost(sum(parts * number for parts, number in distribution.items()))


def cents(amount: Decimal) -> Decimal:
    """Return an amount in whole cents, half a cent up."""
    return amount.quantize(_CENT, ROUND_HALF_UP)
