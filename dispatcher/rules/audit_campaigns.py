"""What the ledger tells of each campaign: its state, its slot, and where each of its messages stands.

Held are the campaigns and the messages that are still open; never the entries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from dispatcher.rules.audit_consent import Relied
from dispatcher.rules.audit_counts import Counted
from dispatcher.rules.audit_records import CampaignRecord, DeclaredRecord
from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.cost import Priced
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry
from dispatcher.rules.message import MessageState
from dispatcher.rules.sayings import say

OPEN = frozenset({MessageState.WAITING, MessageState.DEFERRED})
_HANDED_OVER = frozenset({MessageState.ATTEMPTING, MessageState.UNKNOWN})
_MAY_END = _HANDED_OVER | OPEN
_ENDED = frozenset({MessageState.ACCEPTED, MessageState.REFUSED, MessageState.WITHHELD})
_STATES = {
    "begun": State.SENDING,
    "revised": State.DRAFT,
    "lapsed": State.CANCELLED,
    **{state.value: state for state in State},
}
# Asked of every message: a name is looked up in a fraction of the time in which an enumeration finds it.
CHANNELS = {channel.value: channel for channel in Channel}
MESSAGE_STATES = {state.value: state for state in MessageState}
_FINDINGS_AT_MOST = 500

Body = Mapping[str, Json]


@dataclass(slots=True)
class MessageRecord:
    """A message from its planning to its end: whose it is, where it stands, and what its Send told."""

    campaign: CampaignRecord
    client: int
    channel: Channel
    state: MessageState = MessageState.WAITING
    address: int = 0
    counted: Counted | None = None
    relied: Relied | None = None
    priced: Priced | None = None
    given_up: bool = False


class OutOfOrderError(Exception):
    """An entry tells what cannot follow from those before it, named as a saying that is the end of a sentence."""

    def __init__(self, name: str, **values: object) -> None:
        self.said = say(name, **values)
        super().__init__(self.said)


class CampaignCount:
    """Takes the entries of a ledger in order of their number, and follows every campaign, slot and message.

    `findings` are what cannot follow from the entries before it, as far as this count goes.
    """

    def __init__(self) -> None:
        self.campaigns: dict[int, CampaignRecord] = {}
        self.declared: dict[int, DeclaredRecord] = {}
        self.lost: list[Slot] = []
        self.findings: list[str] = []
        self.unnamed = 0
        self._messages: dict[str, MessageRecord] = {}
        self._days: dict[str, date] = {}
        self._takes: Mapping[str, Callable[[StoredEntry, Body], None]] = {
            EntryKind.CAMPAIGN.value: self._campaign,
            EntryKind.SLOT.value: self._slot,
            EntryKind.PLANNED.value: self._planned,
            EntryKind.WITHHELD.value: self._withheld,
            EntryKind.SEND.value: self._send,
            EntryKind.OUTCOME.value: self._outcome,
        }

    def take(self, entry: StoredEntry, body: Body | None = None) -> None:
        """Take the next entry, with its body where that has been read. What cannot be true is a finding."""
        take = self._takes.get(entry.kind)
        if take is None:
            return
        try:
            take(entry, entry.data() if body is None else body)
        except OutOfOrderError as wrong:
            self._find(say("wrong", entry=entry.id, what=entry.kind, wrong=wrong.said))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._find(say("unread", entry=entry.id, what=entry.kind))

    def spent(self) -> list[Slot]:
        """Return every slot that was spent: declared ones, and those of campaigns that a restore lost, included."""
        found = [Slot(each.day, each.title) for each in self.campaigns.values() if each.slot == "spent" and each.day]
        found += [Slot(each.day, each.title) for each in self.declared.values() if each.stands]
        return sorted(found + self.lost, key=lambda slot: slot.date)

    def _find(self, sentence: str) -> None:
        if len(self.findings) < _FINDINGS_AT_MOST:
            self.findings.append(sentence)
        else:
            self.unnamed += 1

    def _record(self, entry: StoredEntry) -> CampaignRecord:
        if entry.campaign is None:
            raise OutOfOrderError("no_campaign")
        found = self.campaigns.get(entry.campaign)
        if found is None:
            found = self.campaigns[entry.campaign] = CampaignRecord(entry.campaign)
        return found

    def _day(self, text: Json) -> date:
        word = str(text)
        return self._days.setdefault(word, date.fromisoformat(word)) if word not in self._days else self._days[word]

    def _campaign(self, entry: StoredEntry, body: Body) -> None:
        record = self._record(entry)
        if "name" in body:
            record.content = str(body["content"]) if "content" in body else record.content
            record.name, record.title, record.kind = str(body["name"]), str(body["title"]), str(body["kind"])
        record.state = _STATES.get(str(body["event"]), record.state)

    def _slot(self, entry: StoredEntry, body: Body) -> None:
        event = str(body["event"])
        day = self._day(body["day"]) if "day" in body else None
        if entry.campaign is None:
            self._slot_alone(entry, body, event, day)
            return
        record = self._record(entry)
        if event == "moved" and record.slot == "spent" and not record.has_left:
            # It began late on the day before, and nothing had left until this one.
            record.day = day or record.day
            return
        if record.slot == "spent":
            raise OutOfOrderError("slot_was_spent", campaign=record.number)
        record.slot, record.day = event, day or record.day

    def _slot_alone(self, entry: StoredEntry, body: Body, event: str, day: date | None) -> None:
        """Take what became of a slot without a campaign: a person declared it, or a restore lost its campaign."""
        if "slot" in body:
            self._declaration(entry, body, event, day)
        elif day is not None:
            title = str(body.get("title", ""))
            if event == "moved":
                self.lost.remove(Slot(self._day(body["was"]), title))
            self.lost.append(Slot(day, title))

    def _declaration(self, entry: StoredEntry, body: Body, event: str, day: date | None) -> None:
        which = number(body["slot"])
        known = self.declared.get(which)
        if event == "declared" and known is None and day is not None:
            self.declared[which] = DeclaredRecord(
                day=day,
                title=str(body["title"]),
                kind=str(body["kind"]),
                channels=tuple(str(body["channels"]).split(",")),
                messages=number(body["messages"]),
                by=entry.actor,
                declared_at=entry.at,
            )
        elif event == "returned" and known is not None and known.stands:
            self.declared[which] = replace(known, stands=False)
        else:
            raise OutOfOrderError("declaration", declaration=which)

    def _planned(self, entry: StoredEntry, body: Body) -> None:
        record, channel, name = self._record(entry), CHANNELS[entry.channel or ""], str(body["message"])
        if name in self._messages:
            raise OutOfOrderError("planned_twice")
        self._messages[name] = MessageRecord(record, entry.client or 0, channel, address=number(body["address"]))
        record.planned[channel] += 1
        record.standing[MessageState.WAITING, channel] += 1

    def _withheld(self, entry: StoredEntry, body: Body) -> None:
        record = self._record(entry)
        record.withheld[str(body["reason"])] += 1
        if body.get("message") is not None:
            message = self._known(entry, body, OPEN, "withheld_unasked")
            self._move(body, message, MessageState.WITHHELD)

    def _send(self, entry: StoredEntry, body: Body) -> None:
        record = self._record(entry)
        self._hand_over(entry, body, record)
        self._check_spent(record)

    def _hand_over(self, entry: StoredEntry, body: Body, record: CampaignRecord) -> MessageRecord:
        """Move a message to its hand-off and return it."""
        channel = CHANNELS[entry.channel or ""]
        record.has_left = True
        message = self._waiting(entry, body, record, channel)
        self._move(body, message, MessageState.ATTEMPTING, channel)
        message.address = number(body["address"])
        return message

    def _check_spent(self, record: CampaignRecord) -> None:
        if record.slot != "spent":
            raise OutOfOrderError("sent_unspent", campaign=record.number)

    def _waiting(self, entry: StoredEntry, body: Body, record: CampaignRecord, channel: Channel) -> MessageRecord:
        """Return the message that a Send hands over; one that should not have gone is a finding, and counts."""
        try:
            return self._known(entry, body, OPEN, "sent_unasked")
        except OutOfOrderError as wrong:
            self._find(say("wrong", entry=entry.id, what=entry.kind, wrong=wrong.said))
            message = self._messages[str(body["message"])] = MessageRecord(record, entry.client or 0, channel)
            record.standing[message.state, channel] += 1
            return message

    def _outcome(self, entry: StoredEntry, body: Body) -> None:
        state, message = MESSAGE_STATES[str(body["outcome"])], self._awaited(entry, body)
        # A restore took the Send away: nobody can tell more than that it may have gone.
        self._move(body, message, MessageState.UNKNOWN if message.state in OPEN else state)

    def _awaited(self, entry: StoredEntry, body: Body) -> MessageRecord:
        """Return the message whose outcome an entry tells: handed over, or after a restore one that waits again."""
        return self._known(entry, body, _MAY_END if "day" in body else _HANDED_OVER, "outcome_unasked")

    def _known(self, entry: StoredEntry, body: Body, wanted: frozenset[MessageState], otherwise: str) -> MessageRecord:
        """Return the message an entry is about. It must be in one of these states, this client's and campaign's."""
        message = self._messages.get(str(body["message"]))
        if message is None or message.state not in wanted:
            raise OutOfOrderError(otherwise)
        if message.client != entry.client or message.campaign.number != entry.campaign:
            raise OutOfOrderError("of_another")
        return message

    def _move(self, body: Body, message: MessageRecord, state: MessageState, channel: Channel | None = None) -> None:
        standing = message.campaign.standing
        standing[message.state, message.channel] -= 1
        message.state, message.channel = state, channel or message.channel
        standing[message.state, message.channel] += 1
        if state in _ENDED:
            del self._messages[str(body["message"])]


def number(value: Json) -> int:
    """Return a number of a body. Raises TypeError for what is none."""
    if not isinstance(value, int):
        raise TypeError
    return value
