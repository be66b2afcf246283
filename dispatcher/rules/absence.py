"""Who a whole register names no longer: how many of them are so many that the file is more likely wrong."""

from dataclasses import dataclass

_ONE_IN = 10


@dataclass(frozen=True, slots=True)
class Absence:
    """How many clients a file does not name, of those whom the registers before it named and who are not gone yet."""

    missing: int
    seen: int

    @property
    def is_many(self) -> bool:
        """Say whether more than a tenth are missing: a person has to say that the file is the whole register."""
        return self.missing * _ONE_IN > self.seen
