"""What the people who run the program have to hear of, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from dispatcher.rules.ledger import Json


class AlertKind(StrEnum):
    """The matters there are; the first ones call for somebody now."""

    HELD = "held"
    """A campaign is held: nothing more of it leaves until somebody releases it."""
    REQUEST_OVERDUE = "request_overdue"
    """A client should have had an answer to a request by now."""
    RETENTION_OVERDUE = "retention_overdue"
    """Clients should have been removed, and something stands in the way."""
    YEAR_OVERDUE = "year_overdue"
    """The messages of a closed year should have been destroyed, and something stands in the way."""
    IMPORT_STALE = "import_stale"
    """No whole register was read for so long that nobody knows who is in it."""
    INCOMING = "incoming"
    """Clients sent what somebody has to read; nothing goes to them until then."""
    DOOR_UNREAD = "door_unread"
    """A letter box cannot be read, so nothing leaves."""
    SLOT_WEEK = "slot_week"
    """A campaign goes out within seven days."""
    SLOT_EVE = "slot_eve"
    """A campaign goes out tomorrow."""
    FINISHED = "finished"
    """A campaign has gone out."""
    YEAR_CLOSED = "year_closed"
    """A year was closed, and its audit lies in the workspace."""


NEEDS_SOMEBODY = frozenset(
    {
        AlertKind.HELD,
        AlertKind.REQUEST_OVERDUE,
        AlertKind.RETENTION_OVERDUE,
        AlertKind.YEAR_OVERDUE,
        AlertKind.IMPORT_STALE,
        AlertKind.INCOMING,
        AlertKind.DOOR_UNREAD,
    }
)
"""What is told again each day until somebody has seen it."""
AT_ANY_HOUR = frozenset({AlertKind.HELD, AlertKind.FINISHED})
"""What is told at once the first time; everything else waits for the hours in which mail may leave."""
AHEAD = timedelta(days=7)
"""How long before its day a campaign is announced to the people who run the program."""
LOOK_BACK = timedelta(days=7)
"""How long a campaign that has gone out is news."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to hear of: `subject` tells it from others of its kind, `details` are the values of its words.

    Neither names a client: titles, numbers and days only.
    """

    kind: AlertKind
    subject: str
    details: Mapping[str, Json] = field(default_factory=dict)


def is_due(kind: AlertKind, *, told_before: bool, told_today: bool, seen: bool, is_open: bool) -> bool:
    """Say whether somebody is to be told of a matter now; `is_open`: mail may leave at this hour."""
    if seen or told_today:
        return False
    if told_before:
        return kind in NEEDS_SOMEBODY and is_open
    return is_open or kind in AT_ANY_HOUR
