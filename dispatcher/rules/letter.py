"""What the program keeps of a letter that came to it: time, token and class, and never a word of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LetterKind(StrEnum):
    """What a letter is."""

    BOUNCE = "bounce"
    """A mail server says that a message of ours could not be delivered (E-61)."""
    COMPLAINT = "complaint"
    """A provider says that its user called a message of ours unwanted: an objection (E-62)."""
    NOT_SPAM = "not_spam"
    """A provider says that its user called a message of ours wanted after all: nothing follows from it (E-62)."""
    STOP = "stop"
    """An opt-out by mail, or a reply that says stop (E-13, E-35)."""
    AUTOMATIC = "automatic"
    """Written by a machine, such as an out-of-office: it suspends nobody (E-30)."""
    OTHER = "other"
    """Anything else: a person has to read it (E-35)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter that came to an address of ours: no text, subject or address of anybody stands in it.

    `key` names it in its box for good; `at` (aware UTC) is when the box took it. `token` is the token of the address it
    came to, "" where it came to none of ours. Of a bounce, `status` is the enhanced status ("5.1.1") and `code` the
    reply code ("550"), each "" where it was not said, and `is_permanent` whether the sending server gave up for good.
    """

    key: str
    at: datetime
    kind: LetterKind
    token: str = ""
    status: str = ""
    code: str = ""
    is_permanent: bool = False
