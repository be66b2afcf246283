"""What the text messages of a year cost, as the ledger tells it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from dispatcher.rules.cost import Priced, total
from dispatcher.rules.ledger import Json
from dispatcher.rules.sayings import say


@dataclass(slots=True)
class Texts:
    """The text messages that left or may have, by what they are paid for; `unpriced` are those nobody wrote it of.

    `miscounted` are those of which the provider told another number of parts than was foreseen (S-07).
    """

    paid: Counter[Priced] = field(default_factory=Counter)
    unpriced: int = 0
    miscounted: int = 0

    @property
    def parts(self) -> int:
        """Return how many parts they had together."""
        return sum(each.parts * number for each, number in self.paid.items())

    @property
    def cost(self) -> Decimal:
        """Return what they cost together, in euros."""
        return total(self.paid)

    def remarks(self) -> list[str]:
        """Return what a reader should know: the provider's count, which is the one that is paid, differs from ours."""
        return [say("miscounted", count=self.miscounted)] if self.miscounted else []

    def count(self, priced: Priced | None, by: int) -> None:
        """Count a message, or with -1 take it back."""
        if priced is None:
            self.unpriced += by
        else:
            self.paid[priced] += by


def foreseen(body: Mapping[str, Json]) -> Priced | None:
    """Return what a Send entry says its text message would cost, or None where it says nothing. Raises ValueError."""
    parts, price = body.get("parts"), body.get("part_price")
    if not isinstance(parts, int):
        return None
    try:
        return Priced(parts, Decimal(str(price)))
    except InvalidOperation:
        raise ValueError("this is no price") from None


def told(priced: Priced | None, body: Mapping[str, Json]) -> Priced | None:
    """Return what a message costs once its outcome has told its parts."""
    parts = body.get("segments")
    return Priced(parts, priced.part_price) if priced is not None and isinstance(parts, int) else priced
