"""Could the client be written to at all: gone, restricted, a child, asking for a right, or erased."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from dispatcher.rules.ledger import Json, StoredEntry
from dispatcher.rules.sayings import say
from dispatcher.rules.sentence import Sentence

_SETS = {"gone": "gone", "child": "child", "restricted": "restricted", "suspended": "suspended"}
_ENDS = {"back": "gone", "not_child": "child", "unrestricted": "restricted", "unsuspended": "suspended"}
"""The events of a client that put something in the way of every message, and those that take it away again."""
_AT_ONCE = timedelta(minutes=1)
"""What is put on record without waiting for messages under way may be numbered before one that was decided first."""
_UNAWAITED = frozenset({"gone", "request"})


class StandingCheck:
    """Holds what stands in the way of each client's messages; entries come in order of number.

    An open request is one thing in the way for itself: it is over with its own answer, not with another's.
    """

    def __init__(self) -> None:
        self._in_the_way: dict[int, dict[tuple[str, int], tuple[int, datetime]]] = defaultdict(dict)

    def mark(self, entry: StoredEntry, body: Mapping[str, Json]) -> None:
        """Take in an event of a client; one that comes into the register is neither gone nor erased any more."""
        event = str(body.get("event"))
        if event in _SETS:
            self._set(entry, _SETS[event])
        elif event in _ENDS:
            self._end(entry, _ENDS[event])
        elif event == "created":
            self._end(entry, "gone")
            self._end(entry, "erased")

    def ask(self, entry: StoredEntry, body: Mapping[str, Json]) -> None:
        """Take in that a client asked for a right, or got the answer."""
        event = str(body["event"])
        if event == "opened":
            self._set(entry, "request", _number(body))
        elif event == "closed":
            self._end(entry, "request", _number(body))

    def erase(self, entry: StoredEntry, body: Mapping[str, Json]) -> None:
        """Take in that a client was erased; an entry that names nobody tells of the run."""
        del body
        if entry.client is not None:
            self._set(entry, "erased")

    def against(self, send: StoredEntry) -> Sentence | None:
        """Return what spoke against a Send as the end of a sentence, or None."""
        for (what, _), (entry, since) in self._in_the_way.get(send.client or 0, {}).items():
            if what not in _UNAWAITED or send.at - since > _AT_ONCE:
                return say(f"to_{what}", client=send.client, because=entry)
        return None

    def _set(self, entry: StoredEntry, what: str, which: int = 0) -> None:
        self._in_the_way[entry.client or 0].setdefault((what, which), (entry.id, entry.at))

    def _end(self, entry: StoredEntry, what: str, which: int = 0) -> None:
        held = self._in_the_way.get(entry.client or 0)
        if held is not None:
            held.pop((what, which), None)


def _number(body: Mapping[str, Json]) -> int:
    number = body["request"]
    if not isinstance(number, int):
        raise TypeError
    return number
