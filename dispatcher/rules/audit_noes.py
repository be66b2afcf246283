"""Who said no in a year, and how fast it took effect: from the word to the record, and what left after that."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Json, StoredEntry
from dispatcher.rules.message import LEFT

_NOES = frozenset({Reply.WITHDRAWN, Reply.DECLINED})
_Closed = dict[Channel, datetime]
"""By which channels somebody has said no, and the last moment at which they can have."""


@dataclass(slots=True)
class Noes:
    """The noes that came on record in the year.

    `by_reply` and `by_place` count the answers, `clients` is who gave them. `seconds` counts them by how long each took
    from the earliest moment at which it can have been said to the moment from which every verdict knew it; `untimed`
    are those of which nobody knows when they were said. `withheld` counts messages that had been waiting for somebody
    and were withheld for their no, `in_hand` those that were being handed over while it came, `in_hand_left` those of
    them that left all the same. `left_after` are those handed over while a no stood on record: there may be none.
    """

    by_reply: Counter[str] = field(default_factory=Counter)
    by_place: Counter[str] = field(default_factory=Counter)
    clients: set[int] = field(default_factory=set)
    seconds: Counter[int] = field(default_factory=Counter)
    untimed: int = 0
    withheld: int = 0
    in_hand: int = 0
    in_hand_left: int = 0
    left_after: int = 0


class NoCheck:
    """Follows every no from its entry on; entries come in order of number."""

    def __init__(self) -> None:
        self.noes = Noes()
        self._closed: dict[int, _Closed] = defaultdict(dict)
        self._open: dict[str, tuple[int, Channel]] = {}
        self._in_hand: dict[tuple[int, Channel], set[str]] = defaultdict(set)
        self._recalled: set[str] = set()

    def hear(self, answer: Answer, client: int, *, in_year: bool) -> None:
        """Take in an answer: a no closes its channels, a yes that certainly came later opens its own."""
        if answer.reply is Reply.GRANTED:
            self._hear_yes(answer, client)
            return
        if answer.reply not in _NOES:
            return
        channels = [channel for channel in Channel if answer.concerns(channel)]
        for channel in channels:
            held = self._closed[client]
            held[channel] = max(answer.latest(), held.get(channel, answer.latest()))
        if in_year:
            self._count(answer, client, channels)

    def withhold(self, body: Mapping[str, Json], *, in_year: bool) -> None:
        """Take in that a client got no message; one that had been waiting and whose reason is a no is counted."""
        if in_year and body.get("message") is not None and body["reason"] == Reason.OBJECTION.value:
            self.noes.withheld += 1

    def send(self, entry: StoredEntry, body: Mapping[str, Json], *, in_year: bool) -> None:
        """Take in that a message is being handed over."""
        which = (entry.client or 0, Channel(entry.channel or ""))
        if which[1] in self._closed.get(which[0], ()) and in_year:
            self.noes.left_after += 1
        name = str(body["message"])
        self._open[name] = which
        self._in_hand[which].add(name)

    def end(self, body: Mapping[str, Json]) -> None:
        """Take in what became of a message that was being handed over."""
        name = str(body["message"])
        which = self._open.pop(name, None)
        if which is None:
            return
        self._in_hand[which].discard(name)
        if not self._in_hand[which]:
            del self._in_hand[which]
        if name in self._recalled:
            self._recalled.remove(name)
            self.noes.in_hand_left += body["outcome"] in LEFT

    def _hear_yes(self, answer: Answer, client: int) -> None:
        held = self._closed.get(client)
        no = held.get(answer.channel) if held and answer.channel else None
        if held and answer.channel and no is not None and answer.not_before is not None and answer.not_before > no:
            del held[answer.channel]

    def _count(self, answer: Answer, client: int, channels: list[Channel]) -> None:
        noes = self.noes
        noes.by_reply[answer.reply.value] += 1
        noes.by_place[answer.place.value if answer.place else "unknown"] += 1
        noes.clients.add(client)
        for name in (name for channel in channels for name in self._in_hand.get((client, channel), ())):
            noes.in_hand += name not in self._recalled
            self._recalled.add(name)
        said = answer.not_before or answer.not_after
        if said is None:
            noes.untimed += 1
        else:
            noes.seconds[max(0, int((answer.recorded_at - said).total_seconds()))] += 1
