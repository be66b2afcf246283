"""What came in and waits for a person: who it was from, when, by what way and of which class, no word of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatcher.rules.campaign import Channel

KEPT_AT_MOST = timedelta(days=14)
"""How long the sealed words of a text message are kept at most, from when it came."""
READ_AGAIN = timedelta(hours=1)
"""How long they stay once a person has read them: long enough to read them a second time."""


class Class(StrEnum):
    """What waits for a person."""

    OTHER = "other"
    """Anything that is neither a no nor written by a machine (E-35, S-33)."""
    HELP = "help"
    """A text message that asks for help."""
    APPOINTMENT = "appointment"
    """A text message that was taken as a no and may mean the appointment as well, such as PERU (S-33)."""


class Settled(StrEnum):
    """How a person settled it."""

    RELEASED = "released"
    """It was no no: the client is written to as before."""
    WITHDRAWN = "withdrawn"
    """It was a no, and is on record."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One letter or text message that a person has to read.

    `at` (aware UTC) is when it came. `box` names the door it came through and `key` the message there, for good.
    `sealed` are the words of a text message, encrypted; a letter's words stay where it lies.
    """

    client: int
    channel: Channel
    at: datetime
    kind: Class
    box: str
    key: str
    sealed: bytes | None = None
