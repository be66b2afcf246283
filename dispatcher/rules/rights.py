"""What a client may ask for under the law, how it is known who asks, and when the answer is due (L-30 to L-38)."""

import calendar
from datetime import date
from enum import StrEnum


class RequestKind(StrEnum):
    """What a client asks for."""

    ACCESS = "access"
    """A copy of everything that is kept (Articles 15 and 20)."""
    CORRECTION = "correction"
    """Something is wrong and to be put right (Article 16)."""
    RESTRICTION = "restriction"
    """The data may be kept and not used (Article 18)."""
    ERASURE = "erasure"
    """The data is to go (Article 17)."""


class IdentityCheck(StrEnum):
    """How somebody made sure that the one who asks is the client; a no needs none (L-10)."""

    KNOWN = "known"
    """Somebody who works here knows the client and spoke with them face to face."""
    DOCUMENT = "document"
    """The client showed an identity document; nothing of it is kept."""
    CALLED_BACK = "called_back"
    """The client was called at the number on record."""
    ANSWERED = "answered"
    """The client answered from the email address on record."""


class Refusal(StrEnum):
    """Why a request is refused; the client hears it, and that they may complain (Article 12(4) and (5))."""

    NOT_IDENTIFIED = "not_identified"
    """Nobody could make sure that it is the client who asks."""
    UNFOUNDED = "unfounded"
    """It is manifestly unfounded."""
    EXCESSIVE = "excessive"
    """It repeats what was answered a moment ago."""
    LAW = "law"
    """The law does not allow what was asked."""
    TAKEN_BACK = "taken_back"
    """The client no longer asks for it."""


def due_day(asked: date) -> date:
    """Return the day by which a request of this local day must have its answer: one month on (Article 12(3)).

    A month that has no such day ends with its last one.
    """
    year, month = divmod(asked.year * 12 + asked.month, 12)
    return date(year, month + 1, min(asked.day, calendar.monthrange(year, month + 1)[1]))
