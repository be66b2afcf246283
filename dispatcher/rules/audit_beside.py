"""What a year's audit adds up beside the campaigns: noes, requests, other mail, what was held, and whom was asked."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dispatcher.rules.audit_letters import Letters
from dispatcher.rules.audit_noes import NoCheck
from dispatcher.rules.audit_requests import Requests
from dispatcher.rules.calendar import local_date
from dispatcher.rules.consent import Answer
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry

Body = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AskedRecord:
    """How many clients had been on a visit, and how many were asked at their last one or since, on a local date."""

    day: date
    visited: int
    asked: int


class Beside:
    """Takes every entry of a ledger in order of number, and adds up what a year's audit tells beside the campaigns."""

    def __init__(self, year: int, zone: ZoneInfo) -> None:
        self.no_check = NoCheck()
        self.requests = Requests(year, zone)
        self.letters = Letters()
        self.held: Counter[str] = Counter()
        self.restores = 0
        self.asked: AskedRecord | None = None
        self._year = year
        self._of_year = f"{year}-"
        self._zone = zone
        self._takes: Mapping[str, Callable[[StoredEntry, Body], None]] = {
            EntryKind.WITHHELD.value: self._withheld,
            EntryKind.SEND.value: self._send,
            EntryKind.OUTCOME.value: self._outcome,
            EntryKind.SERVICE.value: self._service,
            EntryKind.REQUEST.value: self.requests.take,
            EntryKind.CAMPAIGN.value: self._campaign,
            EntryKind.IMPORT.value: self._import,
            EntryKind.RESTORE.value: self._restore,
        }

    def take(self, entry: StoredEntry, body: Body) -> None:
        """Take the next entry. Raises ValueError, KeyError or TypeError for one that cannot be read."""
        take = self._takes.get(entry.kind)
        if take is not None:
            take(entry, body)

    def hear(self, entry: StoredEntry, answer: Answer) -> None:
        """Take in an answer, which its entry holds."""
        self.no_check.hear(answer, entry.client or 0, in_year=self._in_year(entry.at))

    def takes(self, kind: str) -> bool:
        """Say whether entries of this kind matter here."""
        return kind in self._takes

    def _withheld(self, entry: StoredEntry, body: Body) -> None:
        # Nearly all are withheld at planning, and name no message.
        if body.get("message") is not None:
            self.no_check.withhold(body, in_year=self._in_year(entry.at))

    def _send(self, entry: StoredEntry, body: Body) -> None:
        self.no_check.send(entry, body, in_year=str(body["day"]).startswith(self._of_year))

    def _outcome(self, entry: StoredEntry, body: Body) -> None:
        del entry
        self.no_check.end(body)

    def _service(self, entry: StoredEntry, body: Body) -> None:
        self.letters.take(entry, body, in_year=self._in_year(entry.at))

    def _campaign(self, entry: StoredEntry, body: Body) -> None:
        if body.get("event") == "held" and self._in_year(entry.at):
            self.held[str(body.get("reason") or "by_hand")] += 1

    def _import(self, entry: StoredEntry, body: Body) -> None:
        visited, asked = body.get("visited"), body.get("asked")
        day = local_date(entry.at, self._zone)
        if isinstance(visited, int) and isinstance(asked, int) and day.year <= self._year:
            self.asked = AskedRecord(day, visited, asked)

    def _restore(self, entry: StoredEntry, body: Body) -> None:
        del body
        self.restores += self._in_year(entry.at)

    def _in_year(self, moment: datetime) -> bool:
        return local_date(moment, self._zone).year == self._year
