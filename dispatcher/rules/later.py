"""What a provider tells of a message after it has taken it: it may be told twice and in any order (S-27)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.rules.message import Blame

CODES_LENGTH = 20
"""How many characters the codes of one message may take: two or three codes, where a second is rare."""


class Later(StrEnum):
    """How a message stands at its provider; each of these says more than those before it."""

    SENDING = "sending"
    """The provider has begun to hand it on."""
    SENT = "sent"
    """The next carrier has it; of a sender with a name this may be the last word."""
    DELIVERED = "delivered"
    """The handset or mailbox has it, or so it is said."""
    UNDELIVERED = "undelivered"
    """It was sent and did not arrive."""
    FAILED = "failed"
    """It could not be sent."""
    BOUNCED = "bounced"
    """A mail server took it and gave it up later."""


FINAL = frozenset({Later.DELIVERED, Later.UNDELIVERED, Later.FAILED, Later.BOUNCED})
"""After these the provider has no more to tell, but for the error of another part."""
MAY_HAVE_ARRIVED = "may_have_arrived"
"""How an unknown ends of which nobody told anything."""
_ORDER = tuple(Later)
_GRAVEST = (Blame.OBJECTION, Blame.ADDRESS, Blame.POLICY, Blame.BARRED, Blame.HANDSET)


@dataclass(frozen=True, slots=True)
class Fate:
    """What is known of a message after it was taken: how far it came at most, and every error that was told."""

    later: Later | None = None
    codes: frozenset[str] = frozenset()

    @classmethod
    def read(cls, later: str | None, codes: str | None) -> "Fate":
        """Return the fate that `later` and `code_text` were written down as."""
        return cls(Later(later) if later else None, frozenset((codes or "").split()))

    def joined(self, told: "Fate") -> "Fate":
        """Return what is known after this was told as well: no order and no repetition makes a difference.

        A "delivered" after an error changes nothing: it speaks of another part of the message. Of codes that find no
        room the smallest stay.
        """
        further = max((each for each in (self.later, told.later) if each), key=_ORDER.index, default=None)
        return Fate(further, frozenset(_fitting(self.codes | told.codes)))

    @property
    def code_text(self) -> str | None:
        """Return the codes as they are written down, or None where there is none."""
        return " ".join(sorted(self.codes)) or None


def gravest(blames: Iterable[Blame]) -> Blame | None:
    """Return whom a message's errors concern, where it is anybody but the message itself."""
    found = set(blames)
    return next((blame for blame in _GRAVEST if blame in found), None)


def _fitting(codes: Iterable[str]) -> Iterable[str]:
    room = CODES_LENGTH
    for code in sorted(codes):
        if len(code) > room:
            return
        room -= len(code) + 1
        yield code
