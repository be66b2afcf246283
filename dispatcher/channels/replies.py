"""What a mail server's reply means (RFC 5321, RFC 3463): values in, outcomes out."""

import re
from dataclasses import dataclass

from dispatcher.rules.message import Blame, Outcome, OutcomeKind

_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_KINDS = {2: OutcomeKind.ACCEPTED, 4: OutcomeKind.DEFERRED, 5: OutcomeKind.REFUSED}

DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""The enhanced statuses that say an address is dead at once; never one of 5.7.x (the table below E-55)."""

_WAITING_CODES = frozenset({421, 530, 534, 535})
_WAITING_STATUSES = frozenset({"4.3.2", "5.7.8", "5.7.9"})


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a mail server: its three digits and its text, lines joined by LF.

    The text is read for its enhanced status only and goes no further: it may hold an address (L-46).
    """

    code: int
    text: str = ""

    @property
    def status(self) -> str:
        """The enhanced status that begins the text ("5.1.1"), or nothing."""
        found = _STATUS.match(self.text)
        return found[1] if found else ""

    @property
    def kind(self) -> OutcomeKind | None:
        """What the first digit decides (E-50); None for one that decides nothing, like 354 or a malformed one."""
        return _KINDS.get(self.code // 100) if 200 <= self.code < 600 else None

    @property
    def is_about_connection(self) -> bool:
        """Whether the connection or the whole campaign waits and no message is to blame (E-53)."""
        refusing = self.kind in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}
        return refusing and (self.code in _WAITING_CODES or self.status in _WAITING_STATUSES)


def outcome_of(reply: Reply, *, names_recipient: bool = True) -> Outcome:
    """Return what a reply makes of a message: the code decides about trying again, the status whom it concerns (E-50).

    `names_recipient` is False for the replies to MAIL and earlier: they cannot be about an address not yet named.
    Raises ValueError for a reply that decides nothing.
    """
    kind = reply.kind
    if kind is None:
        raise ValueError(f"{reply.code} is not a final reply")
    found = (str(reply.code), reply.status)
    if kind is OutcomeKind.ACCEPTED:
        return Outcome(kind, *found)
    if reply.is_about_connection:
        return Outcome(OutcomeKind.DEFERRED, *found, blame=Blame.CONNECTION)
    dead = names_recipient and reply.status in DEAD
    return Outcome(kind, *found, blame=Blame.ADDRESS if dead else Blame.MESSAGE)
