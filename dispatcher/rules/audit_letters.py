"""What left in a year beside the campaigns: confirmations, receipts, tests, and mail to the people who work here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.rules.ledger import Json, StoredEntry
from dispatcher.rules.message import MessageState

_EVENTS = {"asked": None, "sent": MessageState.ATTEMPTING, "withheld": MessageState.WITHHELD, "outcome": None}
"""What an entry can tell of a service message, and where the message stands then, where the word alone says it."""
_ENDED = frozenset({MessageState.ACCEPTED, MessageState.REFUSED, MessageState.WITHHELD})


@dataclass(slots=True)
class LetterRecord:
    """Service messages of one purpose by one channel: how many were asked for, and where they stand.

    `standing` counts those whose first hand-off, or whose refusal by the rules, lay on a local date of the year.
    """

    asked: int = 0
    standing: Counter[MessageState] = field(default_factory=Counter)


class Letters:
    """Follows every service message; entries come in order of number."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], LetterRecord] = {}
        self._open: dict[str, tuple[LetterRecord, MessageState, bool]] = {}

    def take(self, entry: StoredEntry, body: Mapping[str, Json], *, in_year: bool) -> None:
        """Take in what happened to a service message."""
        event = str(body["event"])
        if event not in _EVENTS:
            return
        which = (str(body["purpose"]), str(entry.channel))
        if event == "asked":
            self._record(which).asked += in_year
        else:
            state = _EVENTS[event] or MessageState(str(body["outcome"]))
            self._move(which, str(body["message"]), state, in_year=in_year)

    def _record(self, which: tuple[str, str]) -> LetterRecord:
        return self.records.setdefault(which, LetterRecord())

    def _move(self, which: tuple[str, str], name: str, state: MessageState, *, in_year: bool) -> None:
        """Move a message to a state; it is of the year in which its first hand-off began, or it was withheld."""
        held = self._open.pop(name, None)
        of_year = held[2] if held else in_year
        record = self._record(which) if of_year else LetterRecord()
        if held:
            record.standing[held[1]] -= of_year
        record.standing[state] += 1
        if state not in _ENDED:
            self._open[name] = (record, state, of_year)
