"""A ledger of one year, written by hand, and the recount that reads it as it grows."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dispatcher.rules.audit import Recount
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry, canonical, stamp

HELSINKI = ZoneInfo("Europe/Helsinki")
DAY = timedelta(days=1)
ASKED = datetime(2026, 1, 10, 10, 0, tzinfo=UTC)
ANNA, BERTTA = 11, 12


class Book:
    """A ledger written by hand, one entry after another."""

    def __init__(self, year: int = 2026, valid_for: timedelta = 365 * DAY) -> None:
        self.recount = Recount(year, HELSINKI, valid_for)
        self._last = 0

    def write(
        self,
        kind: EntryKind,
        at: datetime,
        body: Mapping[str, Json],
        *,
        client: int | None = None,
        campaign: int | None = None,
        channel: Channel | None = None,
    ) -> int:
        """Write an entry and return its number."""
        self._last += 1
        by = channel.value if channel else None
        entry = StoredEntry(self._last, 1, kind.value, at, "duty:test", client, campaign, by, canonical(body), "")
        self.recount.take(entry)
        return self._last

    def answer(
        self, client: int, reply: str, at: datetime, channel: Channel | None = Channel.EMAIL, **more: Json
    ) -> int:
        """Write an answer given and recorded at this moment, in the shop, with a wording."""
        when = {"not_before": stamp(at), "not_after": stamp(at)}
        body: dict[str, Json] = {"reply": reply, "place": "in_person", "wording": "w" * 64, **when, **more}
        return self.write(EntryKind.ANSWER, at, body, client=client, channel=channel)

    def begin(self, campaign: int, day: date) -> None:
        """Write that a campaign was scheduled and has begun on this day."""
        at = noon(day)
        scheduled = {"event": "scheduled", "name": f"c{campaign}", "title": "T", "kind": "offer", "send_at": stamp(at)}
        self.write(EntryKind.CAMPAIGN, at, scheduled, campaign=campaign)
        for event in ("taken", "spent"):
            self.write(EntryKind.SLOT, at, {"event": event, "day": day.isoformat()}, campaign=campaign)
        self.write(EntryKind.CAMPAIGN, at, {"event": "begun"}, campaign=campaign)

    def plan(self, campaign: int, client: int, day: date, channel: Channel = Channel.EMAIL) -> str:
        """Write that a message was planned and return its name."""
        name = f"{campaign}-{client}"
        body: dict[str, Json] = {"message": name, "address": client + 100}
        self.write(EntryKind.PLANNED, noon(day), body, client=client, campaign=campaign, channel=channel)
        return name

    def send(
        self, campaign: int, client: int, day: date, answer: int, channel: Channel = Channel.EMAIL, **more: Json
    ) -> int:
        """Write the Send of a planned message and return its number."""
        about: dict[str, Json] = {"message": f"{campaign}-{client}", "answer": answer, "address": client + 100}
        body = {**about, "attempt": 1, "day": day.isoformat(), "valid_for_days": 365, **more}
        return self.write(EntryKind.SEND, noon(day), body, client=client, campaign=campaign, channel=channel)

    def outcome(self, campaign: int, client: int, day: date, outcome: str = "accepted") -> int:
        """Write what became of a message."""
        body = {"message": f"{campaign}-{client}", "outcome": outcome, "code": "250"}
        return self.write(EntryKind.OUTCOME, noon(day), body, client=client, campaign=campaign)

    def whole(self, campaign: int, client: int, day: date, answer: int, outcome: str = "accepted") -> int:
        """Write the whole way of one message and return the number of its Send."""
        self.plan(campaign, client, day)
        send = self.send(campaign, client, day, answer)
        self.outcome(campaign, client, day, outcome)
        return send

    def findings(self) -> list[str]:
        """Close the book and return what it found."""
        self.recount.close()
        return self.recount.findings


def noon(day: date) -> datetime:
    """Return ten in the morning of a day, UTC: about noon in Helsinki."""
    return datetime.combine(day, time(10), UTC)


MARCH = date(2026, 3, 3)
