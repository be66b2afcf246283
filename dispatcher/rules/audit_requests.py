"""What clients asked for under the law in a year, and how long each answer took."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Json, StoredEntry
from dispatcher.rules.rights import due_day
from dispatcher.rules.sayings import say


@dataclass(slots=True)
class RequestRecord:
    """The requests of one kind that were opened in the year.

    `days` counts the answered by how many local days the answer took, `refused` those of them that were refused;
    `late` are those answered after their day.
    """

    opened: int = 0
    days: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    late: int = 0

    @property
    def open(self) -> int:
        """Return how many have no answer yet."""
        return self.opened - self.days.total()


@dataclass(frozen=True, slots=True)
class _Open:
    kind: str
    client: int
    day: date
    entry: int

    def told(self) -> dict[str, object]:
        return {"kind": self.kind, "client": self.client, "entry": self.entry}


class Requests:
    """Follows every request; entries come in order of number."""

    def __init__(self, year: int, zone: ZoneInfo) -> None:
        self.records: dict[str, RequestRecord] = {}
        self.late: list[str] = []
        self._year = year
        self._zone = zone
        self._open: dict[int, _Open] = {}

    def take(self, entry: StoredEntry, body: Mapping[str, Json]) -> None:
        """Take in that a client asked for a right, or got the answer."""
        number, event = body["request"], str(body["event"])
        if not isinstance(number, int):
            raise TypeError
        day = local_date(entry.at, self._zone)
        if event == "opened":
            kind = str(body.get("kind"))
            self._open[number] = _Open(kind, entry.client or 0, day, entry.id)
            if day.year == self._year:
                self.records.setdefault(kind, RequestRecord()).opened += 1
        elif event == "closed":
            asked = self._open.pop(number, None)
            if asked is not None and asked.day.year == self._year:
                self._close(asked, day, is_refused=body.get("outcome") == "refused", entry=entry.id)

    def overdue(self, today: date) -> list[str]:
        """Return a sentence for each request of the year that was answered too late, or still waits past its day."""
        waiting = [
            say("unanswered", **each.told(), due=due_day(each.day))
            for each in self._open.values()
            if each.day.year == self._year and due_day(each.day) < today
        ]
        return [*self.late, *waiting]

    def _close(self, asked: _Open, day: date, *, is_refused: bool, entry: int) -> None:
        record = self.records[asked.kind]
        record.days[(day - asked.day).days] += 1
        record.refused += is_refused
        due = due_day(asked.day)
        if day > due:
            record.late += 1
            self.late.append(say("answered_late", **asked.told(), due=due, day=day, closed=entry))
