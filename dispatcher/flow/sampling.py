"""A few messages of a year, drawn so that anybody draws the same -> each with the answer it relied on, and the form."""

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from dispatcher.flow.looking import note_look
from dispatcher.flow.relied import Relied, relied_on
from dispatcher.rules.actor import Actor
from dispatcher.rules.destroyed import Destruction
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry, stamp
from dispatcher.rules.message import LEFT, MessageState
from dispatcher.storage import campaigns, destroyed, entries, ledger, sources
from dispatcher.storage.store import Store


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message that left, of which client and campaign, and the answer its Send entry names, if it is one."""

    entry: int
    message: str
    at: datetime
    day: date
    client: int | None
    campaign: str
    title: str
    channel: str | None
    state: str
    relied: Relied | None

    def as_json(self) -> dict[str, Json]:
        """Return the message with stable keys; times are UTC."""
        plain = ("entry", "message", "client", "campaign", "title", "channel", "state")
        return {
            **{name: getattr(self, name) for name in plain},
            "at": stamp(self.at),
            "day": self.day.isoformat(),
            "answer": self.relied.as_json() if self.relied else None,
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """The messages drawn of all that left in a year, in order of their Send entries; `seed` draws them again.

    `gone` tells of the year's destruction, after which there is nothing to draw from.
    """

    year: int
    seed: str
    left: int
    messages: tuple[Drawn, ...]
    gone: Destruction | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the sample with stable keys."""
        drawn: list[Json] = [each.as_json() for each in self.messages]
        gone: Json = {"at": stamp(self.gone.at), "seal": self.gone.seal} if self.gone else None
        return {"year": self.year, "seed": self.seed, "left": self.left, "messages": drawn, "destroyed": gone}


class Sampling:
    """Draws messages of a year from the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def draw(self, year: int, count: int, seed: str, actor: Actor) -> Sample:
        """Return the messages of a year whose SHA-256 of "seed/message" is smallest, of those that left or may have.

        It is on disk first that this person looks at so many clients.
        """
        with self._store.reading() as connection:
            gone = next((each for each in destroyed.told(connection) if each.year == year), None)
            left = _left(ledger.entries(connection, [EntryKind.SEND.value, EntryKind.OUTCOME.value]), year)
            chosen = heapq.nsmallest(count, left, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
            found = entries.of_numbers(connection, [left[name][0] for name in chosen])
            relied = relied_on(connection, [_answer(each) for each in found.values()])
            known = {each.id: each for each in campaigns.all_scheduled(connection)}
        messages = []
        for entry in sorted(found.values(), key=lambda each: each.id):
            name, campaign = str(entry.data()["message"]), known.get(entry.campaign or 0)
            messages.append(
                Drawn(
                    entry=entry.id,
                    message=name,
                    at=entry.at,
                    day=date.fromisoformat(str(entry.data()["day"])),
                    client=entry.client,
                    campaign=campaign.name if campaign else str(entry.campaign),
                    title=campaign.title if campaign else "",
                    channel=entry.channel,
                    state=left[name][1],
                    relied=relied.get(_answer(entry)),
                )
            )
        note_look(self._store, actor, "audit sample", len({each.client for each in messages}))
        return Sample(year, seed, len(left), tuple(messages), gone)

    def picture(self, sha256: str) -> bytes | None:
        """Return the picture of a form by its SHA-256, where there is one."""
        with self._store.reading() as connection:
            return sources.picture(connection, sha256)


def _left(told: Iterable[StoredEntry], year: int) -> dict[str, tuple[int, str]]:
    """Return the Send entry and the state of each message that left on a local date of the year, by its name."""
    left: dict[str, tuple[int, str]] = {}
    beginning = f"{year}-"
    for entry in told:
        body = entry.data()
        name = str(body["message"])
        if entry.kind == EntryKind.SEND.value:
            left.pop(name, None)
            if str(body["day"]).startswith(beginning):
                left[name] = (entry.id, MessageState.ATTEMPTING.value)
        elif name in left:
            left[name] = (left[name][0], str(body["outcome"]))
    return {name: each for name, each in left.items() if each[1] in LEFT}


def _answer(entry: StoredEntry) -> int:
    number = entry.data()["answer"]
    return number if isinstance(number, int) else 0
