"""What became of each message by the ledger, as one sum a campaign: compared with the outbox without holding either.

A sum of hashes is the same in whatever order its parts come, so that two long lists are compared in one reading each.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dispatcher.rules.audit_facts import Body
from dispatcher.rules.later import FINAL
from dispatcher.rules.ledger import EntryKind, StoredEntry
from dispatcher.rules.message import MessageState
from dispatcher.rules.sayings import say
from dispatcher.rules.sentence import Parts

# Asked of every entry: the value of an enumeration's name costs several times as much as a name of this module.
_PLANNED, _SEND, _LATER = EntryKind.PLANNED.value, EntryKind.SEND.value, EntryKind.LATER.value
_OUTCOME, _WITHHELD = EntryKind.OUTCOME.value, EntryKind.WITHHELD.value
_WAITING, _ATTEMPTING = MessageState.WAITING.value, MessageState.ATTEMPTING.value
_IS_WITHHELD = MessageState.WITHHELD.value
_ENDING = frozenset({_OUTCOME, _WITHHELD})
_OVER = frozenset({MessageState.ACCEPTED.value, MessageState.REFUSED.value, _IS_WITHHELD})
_FINAL = frozenset(later.value for later in FINAL)
_MASK = (1 << 64) - 1


class Fate(NamedTuple):
    """Where one message stands: whose it is, by which channel and to which address, its state, its attempts.

    Until its first hand-off it has neither channel nor address: it may be given over to another.
    """

    message: str
    client: int
    channel: str | None
    address: int | None
    state: str
    attempts: int


Standing = tuple[str, int, str | None, int | None, str, int]
"""What a Fate holds, as a plain tuple: equal to it and of the same hash, and made in a fraction of the time."""


@dataclass(slots=True)
class Sum:
    """How many messages, and the sum over all of them; of how many providers told the end, and the sum of that."""

    count: int = 0
    sum: int = 0
    told: int = 0
    told_sum: int = 0

    def add(self, fate: Standing) -> None:
        """Add one message as the outbox would show it."""
        self.count += 1
        self.sum = (self.sum + hash(fate)) & _MASK

    def add_told(self, message: str, later: str | None) -> None:
        """Add what a provider told of a message afterwards, where that is its end."""
        if later in _FINAL:
            self.told += 1
            self.told_sum = (self.told_sum + hash((message, later))) & _MASK


@dataclass(slots=True)
class Fates:
    """Takes the entries of a ledger in order of number; held are only the messages that are not over.

    Given a campaign, it holds every message of that one instead, in `each`.
    """

    only: int | None = None
    each: dict[str, Standing] = field(default_factory=dict)
    _sums: dict[int, Sum] = field(default_factory=lambda: defaultdict(Sum))
    _open: dict[str, tuple[int, Standing]] = field(default_factory=dict)

    def take(self, entry: StoredEntry, body: Body) -> None:
        """Take the next entry; what cannot be read is passed over here."""
        campaign = entry.campaign or 0
        if self.only is not None and self.only != campaign:
            return
        try:
            self._take(entry, campaign, body)
        except (ValueError, KeyError, TypeError, AttributeError):
            return

    def _take(self, entry: StoredEntry, campaign: int, body: Body) -> None:
        kind = entry.kind
        if kind == _PLANNED:
            name = body["message"]
            self._open[name] = (campaign, (name, entry.client or 0, None, None, _WAITING, 0))
        elif kind == _SEND:
            name = body["message"]
            _, fate = self._open.get(name) or (campaign, (name, entry.client or 0, None, None, _ATTEMPTING, 0))
            sent = (name, fate[1], entry.channel, body["address"], _ATTEMPTING, body["attempt"])
            self._open[name] = (campaign, sent)
        elif kind in _ENDING:
            if body.get("message"):
                self._end(kind, body)
        elif kind == _LATER:
            self._tell(campaign, body)

    def sums(self) -> dict[int, Sum]:
        """Return the sum of each campaign, once every entry has been taken."""
        for campaign, fate in self._open.values():
            self._keep(campaign, fate)
        self._open.clear()
        return self._sums

    def _tell(self, campaign: int, body: Body) -> None:
        told = self._sums[campaign]
        for word, sign in ((body["later"], 1), (body.get("was"), -1)):
            if word in _FINAL:
                told.told += sign
                told.told_sum = (told.told_sum + sign * hash((body["message"], word))) & _MASK

    def _end(self, kind: str, body: Body) -> None:
        held = self._open.get(body["message"])
        if held is None:
            return
        campaign, (name, client, channel, address, _, attempts) = held
        state = _IS_WITHHELD if kind == _WITHHELD else body["outcome"]
        # Whoever is withheld leaves their address to nobody.
        fate = (name, client, channel, None if state == _IS_WITHHELD else address, state, attempts)
        if state in _OVER:
            del self._open[name]
            self._keep(campaign, fate)
        else:
            self._open[name] = (campaign, fate)

    def _keep(self, campaign: int, fate: Standing) -> None:
        self._sums[campaign].add(fate)
        if self.only is not None:
            self.each[fate[0]] = fate


def differences(campaign: int, told: Mapping[str, Standing], rows: Iterable[Standing]) -> Iterator[str]:
    """Yield, a sentence each, in which messages of a campaign the ledger and the outbox differ."""
    left = {name: Fate._make(fate) for name, fate in told.items()}
    for row in map(Fate._make, rows):
        mine = left.pop(row.message, None)
        if mine is None:
            yield say("outbox_only", campaign=campaign, client=row.client)
        elif mine != row:
            both = ((name, getattr(mine, name), getattr(row, name)) for name in Fate._fields)
            parts = Parts(
                say("fate_part", field=name, told=one, held=other) for name, one, other in both if one != other
            )
            yield say("fate_differs", campaign=campaign, client=mine.client, differences=parts)
    for fate in left.values():
        yield say("outbox_lacks", campaign=campaign, client=fate.client)
