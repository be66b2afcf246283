"""What the ledger tells of each client up to an entry: the facts that a verdict needs, built from entries alone."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from dispatcher.rules.audit_consent import REPLACED
from dispatcher.rules.budget import WINDOW
from dispatcher.rules.campaign import Channel, Kind
from dispatcher.rules.consent import VALID_FOR, Answer, Reply, as_it_counts, fold
from dispatcher.rules.decision import AddressFacts, ClientFacts
from dispatcher.rules.ledger import EntryKind, StoredEntry, answer_in, read_stamp
from dispatcher.rules.source import VOIDED

Body = Mapping[str, Any]
Got = tuple[date, int]
"""A message that counts: the local date it counts on, and its campaign."""

_FLAGS = {
    "gone": ("gone", True),
    "back": ("gone", False),
    "child": ("child", True),
    "not_child": ("child", False),
    "restricted": ("restricted", True),
    "unrestricted": ("restricted", False),
    "suspended": ("suspended", True),
    "unsuspended": ("suspended", False),
}
_TOPICS = {
    "no_offers": (Kind.OFFER, True),
    "offers": (Kind.OFFER, False),
    "no_treatment_days": (Kind.TREATMENT_DAY, True),
    "treatment_days": (Kind.TREATMENT_DAY, False),
}
_NOBODY = 0
TELLING = frozenset(
    {
        EntryKind.CLIENT.value,
        EntryKind.ADDRESS.value,
        EntryKind.ANSWER.value,
        EntryKind.SOURCE.value,
        EntryKind.REQUEST.value,
        EntryKind.ERASED.value,
    }
)
"""The kinds of entries that tell a fact of a client which a verdict uses."""


@dataclass(slots=True)
class _Got:
    """The messages that count for a client or at an address: the local date and the campaign of each, side by side."""

    days: tuple[date, ...] = ()
    campaigns: tuple[int, ...] = ()
    oldest: date = date.max

    def add(self, got: Got) -> None:
        """Count a message."""
        day, campaign = got
        self.days += (day,)
        self.campaigns += (campaign,)
        self.oldest = min(self.oldest, day)

    def remove(self, got: Got) -> None:
        """Count a message no longer, where it was counted."""
        held = list(zip(self.days, self.campaigns, strict=True))
        if got in held:
            held.remove(got)
            self._keep(held)

    def leave_out(self, before: date) -> None:
        """Leave out what lies on or before a day, and never counts again."""
        if self.oldest <= before:
            self._keep([each for each in zip(self.days, self.campaigns, strict=True) if each[0] > before])

    def _keep(self, held: list[Got]) -> None:
        self.days, self.campaigns = tuple(day for day, _ in held), tuple(which for _, which in held)
        self.oldest = min(self.days, default=date.max)


@dataclass(slots=True)
class _Told:
    """What the ledger has told of one client so far."""

    known: bool = False
    marks: set[str] = field(default_factory=set)
    since: dict[str, datetime] = field(default_factory=dict)
    requests: dict[int, datetime] = field(default_factory=dict)
    declined: frozenset[Kind] = frozenset()
    paused_until: datetime | None = None
    own_cap: int | None = None
    answers: tuple[Answer, ...] = ()
    addresses: dict[Channel, int] = field(default_factory=dict)
    changed: dict[Channel, datetime] = field(default_factory=dict)
    replaced: dict[Channel, datetime] = field(default_factory=dict)
    awaiting: set[Channel] = field(default_factory=set)
    got: _Got = field(default_factory=_Got)


@dataclass(slots=True)
class _Address:
    """What the ledger has told of one address so far: who has it by which channel, and what went there."""

    holders: set[tuple[int, Channel]] = field(default_factory=set)
    dead: bool = False
    got: _Got = field(default_factory=_Got)


class FactBook:
    """Takes entries in order of number and says, at any of them, what was known of a client.

    What cannot be read is passed over: that it is damaged is said by whoever checks the entries themselves.
    """

    def __init__(self) -> None:
        self._clients: dict[int, _Told] = defaultdict(_Told)
        self._addresses: dict[int, _Address] = defaultdict(_Address)
        self._voided: set[int] = set()
        self.agreed_to: set[str] = set()
        self._takes: Mapping[str, Callable[[StoredEntry, Body], None]] = {
            EntryKind.CLIENT: self._client,
            EntryKind.ADDRESS: self._address,
            EntryKind.ANSWER: self._answer,
            EntryKind.SOURCE: self._source,
            EntryKind.REQUEST: self._request,
            EntryKind.ERASED: self._erased,
        }

    def take(self, entry: StoredEntry, body: Body) -> None:
        """Take the next entry; kinds that tell nothing of a client change nothing."""
        take = self._takes.get(entry.kind)
        if take is not None:
            take(entry, body)

    def count(self, client: int, address: int, got: Got) -> None:
        """Count a message to a client and to an address."""
        self._clients[client].got.add(got)
        self._addresses[address].got.add(got)

    def uncount(self, client: int, address: int, got: Got) -> None:
        """Count a message no longer: it was refused or deferred."""
        self._clients[client].got.remove(got)
        self._addresses[address].got.remove(got)

    def facts(self, number: int, campaign: int, now: datetime, today: date) -> ClientFacts:
        """Return what was known of a client; `today` is the local date on which a message of the campaign counts."""
        told, before = self._clients[number], today - WINDOW
        got, marks = told.got, told.marks
        got.leave_out(before)
        addresses = {}
        for channel, address in told.addresses.items():
            held = self._addresses[address]
            held.got.leave_out(before)
            is_shared = len(held.holders) > 1
            addresses[channel] = AddressFacts(
                address,
                held.dead,
                is_shared,
                channel in told.awaiting,
                is_shared and self._has_objected(held, number, channel, now),
                held.got.days,
                campaign in held.got.campaigns,
            )
        return ClientFacts(
            number=number,
            known=told.known,
            in_register="gone" not in marks,
            restricted="restricted" in marks,
            child="child" in marks,
            suspended="suspended" in marks or bool(told.requests),
            paused_until=told.paused_until,
            declined=told.declined,
            own_cap=told.own_cap,
            answers=_carried(told),
            addresses=addresses,
            days=got.days,
            got_this_campaign=campaign in got.campaigns,
        )

    def since(self, number: int, what: str) -> datetime | None:
        """Return since when a client has been `gone` or, for `request`, since when the newest open one."""
        told = self._clients[number]
        return max(told.requests.values(), default=None) if what == "request" else told.since.get(what)

    def _has_objected(self, held: _Address, number: int, channel: Channel, now: datetime) -> bool:
        """Say whether an objection of somebody else who has this address stands."""
        others = [who for who, by in held.holders if who != number and by is channel]
        return any(fold(self._clients[who].answers, channel, now, VALID_FOR).objected for who in others)

    def _client(self, entry: StoredEntry, body: Body) -> None:
        number, event = entry.client or _NOBODY, str(body.get("event"))
        told = self._clients[number]
        if event == "created":
            told.known = True
            told.marks.discard("gone")
        if event in _FLAGS:
            mark, is_set = _FLAGS[event]
            (told.marks.add if is_set else told.marks.discard)(mark)
            told.since[mark] = entry.at
        if event in _TOPICS:
            kind, declines = _TOPICS[event]
            told.declined = told.declined | {kind} if declines else told.declined - {kind}
        if event == REPLACED:
            channel, at = Channel(str(body["channel"])), read_stamp(body["at"])
            if at is not None:
                told.replaced[channel] = max(at, told.replaced.get(channel, at))
        if "paused_until" in body:
            told.paused_until = read_stamp(body["paused_until"])
        if "own_cap" in body:
            told.own_cap = body["own_cap"]
        for name, address in body.get("addresses", {}).items():
            self._join(number, Channel(name), address, entry.at)
        told.awaiting |= {Channel(name) for name in body.get("awaits_receipt", ())}

    def _join(self, number: int, channel: Channel, address: int, at: datetime) -> None:
        told = self._clients[number]
        before = told.addresses.get(channel)
        if before is not None:
            self._addresses[before].holders.discard((number, channel))
            told.changed[channel] = at
        told.addresses[channel] = address
        told.awaiting.discard(channel)
        self._addresses[address].holders.add((number, channel))

    def _address(self, entry: StoredEntry, body: Body) -> None:
        event, address = body.get("event"), body.get("address")
        told = self._clients[entry.client or _NOBODY]
        if event == "dead" and isinstance(address, int):
            self._addresses[address].dead = True
        elif event == "confirmed" and isinstance(address, int):
            self._addresses[address].dead = False
        if event in {"confirmed", "no_receipt"}:
            told.awaiting.discard(Channel(entry.channel or ""))

    def _answer(self, entry: StoredEntry, body: Body) -> None:
        del body
        answer = as_it_counts(answer_in(entry.id, entry.at, entry.channel, entry.body), self._voided)
        if answer.reply is Reply.GRANTED and answer.wording:
            self.agreed_to.add(answer.wording)
        self._clients[entry.client or _NOBODY].answers += (answer,)

    def _source(self, entry: StoredEntry, body: Body) -> None:
        del entry
        if body.get("event") == VOIDED:
            self._voided.add(body["source"])
            for told in self._clients.values():
                told.answers = tuple([as_it_counts(answer, {body["source"]}) for answer in told.answers])

    def _request(self, entry: StoredEntry, body: Body) -> None:
        told = self._clients[entry.client or _NOBODY]
        if body["event"] == "opened":
            told.requests[body["request"]] = entry.at
        elif body["event"] == "closed":
            told.requests.pop(body["request"], None)

    def _erased(self, entry: StoredEntry, body: Body) -> None:
        del body
        if entry.client is None:
            return
        told = self._clients[entry.client]
        told.known = False
        for channel, address in told.addresses.items():
            self._addresses[address].holders.discard((entry.client, channel))
        told.addresses.clear()
        told.awaiting.clear()


def _carried(told: _Told) -> tuple[Answer, ...]:
    """Leave out each yes for an address that another has replaced since (L-31)."""
    if not told.changed and not told.replaced:
        return told.answers
    return tuple([answer for answer in told.answers if not _was_for_another(answer, told)])


def _was_for_another(answer: Answer, told: _Told) -> bool:
    if answer.reply is not Reply.GRANTED or answer.channel is None:
        return False
    changed, replaced = told.changed.get(answer.channel), told.replaced.get(answer.channel)
    if changed is not None and answer.recorded_at < changed:
        return True
    said = answer.not_before
    return replaced is not None and (said is None or said < replaced)
