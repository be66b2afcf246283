"""A reply that was lost -> the provider's own list of what it took -> outcome (S-26).

A message that the list does not have stays unknown: the list may be late, and nothing is ever sent again for it.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.channels import AskingCarrier, AskingSession, Sighting
from dispatcher.errors import LinkError
from dispatcher.flow.returns import Returns, Told, text_fate
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.campaign import Channel
from dispatcher.storage import later
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.later import Handed
from dispatcher.storage.store import Store

FIRST_LOOK = timedelta(minutes=2)
"""How long a callback has to come by itself before the provider is asked."""
LAST_LOOK = timedelta(hours=1)
"""After how long the program asks no more by itself: what a provider has taken is in its list long before (S-26)."""
_LONGEST = timedelta(minutes=20)
"""How long after its intent a message may have been taken at most: as long as its worker holds it."""
_CLOCKS = timedelta(minutes=5)
"""How far the provider's clock may be from ours."""
_TOKENS = re.compile(r"/u/([A-Za-z2-7]{20,60})")


@dataclass(slots=True)
class Asked:
    """What came of asking: messages found at the provider, not found there, and those of which it did not say.

    `out_of_reach` are those nobody can be asked of: their address is gone, or their provider has no list.
    """

    found: int = 0
    missing: int = 0
    unanswered: int = 0
    out_of_reach: int = 0


@dataclass(frozen=True, slots=True)
class Unknowns:
    """How many messages of a campaign are unknown, by channel; `given_up` of them for good.

    Of `askable` the provider can be asked.
    """

    by_channel: Mapping[str, int]
    given_up: int
    askable: int

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(self.by_channel.values())


class Reconciling:
    """Asks providers what became of unknown messages; `carriers` are those that can be asked, by channel."""

    def __init__(
        self, store: Store, returns: Returns, links: OptOutLinks, carriers: Mapping[Channel, AskingCarrier]
    ) -> None:
        self._store = store
        self._returns = returns
        self._links = links
        self._carriers = carriers

    async def work(self, stop: Callable[[], bool] = lambda: False) -> str | None:
        """Ask about what became unknown within the hour, and return a sentence where anything was found.

        Raises ChannelError where a provider cannot be reached as it is set up, JournalError and StorageError.
        """
        found = 0
        for channel in self._carriers:
            rows = await asyncio.to_thread(self._recent, channel)
            if rows:
                found += (await self.ask(rows, stop=stop)).found
        return f"{found} messages whose reply was lost had been taken" if found else None

    def unknowns(self, campaign: Scheduled) -> Unknowns:
        """Return how many messages of a campaign are unknown."""
        rows = self.rows(campaign)
        by_channel = Counter(row.channel.value for row in rows)
        askable = sum(row.channel in self._carriers for row in rows)
        return Unknowns(dict(sorted(by_channel.items())), sum(row.closed_at is not None for row in rows), askable)

    def rows(self, campaign: Scheduled) -> list[Handed]:
        """Return the unknown messages of a campaign, oldest first."""
        with self._store.reading() as connection:
            return list(later.unknown_of(connection, campaign.id))

    async def ask(
        self,
        rows: Iterable[Handed],
        tell: Callable[[int], None] = lambda _done: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Asked:
        """Ask about these messages, until `stop` says so or the provider does not answer; return what came of it."""
        asked = Asked()
        by_channel: dict[Channel, list[Handed]] = {}
        for row in rows:
            if row.channel in self._carriers:
                by_channel.setdefault(row.channel, []).append(row)
            else:
                asked.out_of_reach += 1
        for channel, mine in by_channel.items():
            carrier, left = self._carriers[channel], list(mine)
            async with carrier.session() as session:
                while left and not stop() and not asked.unanswered:
                    await self._ask_one(session, carrier.name, left.pop(0), asked)
                    tell(len(mine) - len(left))
            asked.unanswered += len(left)
        return asked

    async def _ask_one(self, session: AskingSession, provider: str, row: Handed, asked: Asked) -> None:
        recipient = await asyncio.to_thread(self._recipient, row)
        if recipient is None:
            asked.out_of_reach += 1
            return
        seen = await session.taken_for(recipient)
        if seen is None:
            asked.unanswered += 1
            return
        ours = await asyncio.to_thread(self._only, row, seen)
        if ours is None:
            asked.missing += 1
            return
        told = Told(row.message_id, provider, ours.provider_id, "list", text_fate(ours.status, ours.code))
        await asyncio.to_thread(self._returns.take, told)
        asked.found += 1

    def _recent(self, channel: Channel) -> list[Handed]:
        now = self._store.clock()
        with self._store.reading() as connection:
            return later.unknown(connection, channel, now - LAST_LOOK, now - FIRST_LOOK)

    def _recipient(self, row: Handed) -> str | None:
        with self._store.reading() as connection:
            return later.recipient(connection, row.address) if row.address is not None else None

    def _only(self, row: Handed, seen: Sequence[Sighting]) -> Sighting | None:
        """Return the one message of the list that can be this one, or None where there is none, or more than one.

        Nothing keeps the bodies of messages, and names or words may have changed since. The opt-out link in a body is
        made for this client and no other, and outlives a change of keys: with the time, and without what has an owner
        already, that is as sure as a body.
        """
        times = _times(row)
        if times is None or row.address is None:
            return None
        first, last = times
        near = [each for each in seen if first <= each.taken_at <= last and self._is_for(row.client, each.text)]
        with self._store.reading() as connection:
            known = later.named(connection, [each.provider_id for each in near])
            # Another message to the same number may have been lost in the same minutes: whose it is nobody can tell.
            rivals = later.unknown_to(connection, row.address, first - _LONGEST, last + _LONGEST)
        left = [each for each in near if each.provider_id not in known]
        return left[0] if len(left) == 1 and rivals == 1 else None

    def _is_for(self, client: int, text: str) -> bool:
        for token in _TOKENS.findall(text):
            try:
                if self._links.read(token) == OptOut(client, Channel.SMS):
                    return True
            except LinkError:
                continue
        return False


def _times(row: Handed) -> tuple[datetime, datetime] | None:
    """Return between which times a message was taken, if it was."""
    if row.intent_at is None:
        return None
    known_by = row.intent_at + _LONGEST
    return row.intent_at - _CLOCKS, min(row.outcome_at or known_by, known_by) + _CLOCKS
