"""Legal blocks: what keeps named data of a client from erasure, why, and until when (Article 17(3))."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dispatcher.rules.campaign import Channel


class Field(StrEnum):
    """What a block can keep of a client; there is no way to say "all"."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    CUSTOMER_NUMBER = "customer_number"
    LANGUAGE = "language"
    LAST_VISIT = "last_visit"


class BlockReason(StrEnum):
    """Why data may not go yet."""

    OPEN_INVOICE = "open_invoice"
    DEBT_COLLECTION = "debt_collection"
    LAW = "law"


CHANNEL_OF = {Field.EMAIL: Channel.EMAIL, Field.PHONE: Channel.SMS}
"""Which channel's address a field is."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block on one client's data; it holds through the whole of the local day `until`."""

    reason: BlockReason
    keeps: frozenset[Field]
    until: date

    def is_over(self, today: date) -> bool:
        """Say whether the block has ended by itself before this local day."""
        return today > self.until


def flaw_of(block: Block, today: date) -> str | None:
    """Return why this block cannot be set, or None: it names what it keeps, and it ends in the future."""
    if not block.keeps:
        return "A block has to name what it keeps, each field with --keep; it never keeps all."
    if block.until <= today:
        return "A block has to end in the future: give the last day on which the data is needed with --until."
    return None


def kept_by(blocks: Iterable[Block], today: date) -> frozenset[Field]:
    """Return what these blocks together keep from erasure on this local day."""
    return frozenset().union(*(block.keeps for block in blocks if not block.is_over(today)))


def as_words(fields: Iterable[Field]) -> str:
    """Return fields by commas, in the order in which they are listed above."""
    wanted = frozenset(fields)
    return ",".join(field.value for field in Field if field in wanted)


def from_words(text: str) -> frozenset[Field]:
    """Return the fields that `as_words` wrote. Raises ValueError for a word that is none."""
    return frozenset(Field(word) for word in text.split(",") if word)
