"""The year recomputed from the ledger alone: entries in, one after another, figures and findings out.

Held are the campaigns, the messages that are still open, each client's answers, and a date for every message that
counts; never the entries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.rules.audit_beside import Beside
from dispatcher.rules.audit_consent import ConsentCheck, Relied
from dispatcher.rules.audit_counts import Counted, Counts
from dispatcher.rules.audit_records import Agreement, CampaignRecord, DeclaredRecord
from dispatcher.rules.audit_standing import StandingCheck
from dispatcher.rules.audit_texts import Texts, foreseen, told
from dispatcher.rules.budget import CEILING, Slot
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.cost import Priced
from dispatcher.rules.later import FINAL, MAY_HAVE_ARRIVED
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry
from dispatcher.rules.message import MessageState
from dispatcher.rules.sayings import say
from dispatcher.rules.sentence import Sentence

_OPEN = frozenset({MessageState.WAITING, MessageState.DEFERRED})
_ENDED = frozenset({MessageState.ACCEPTED, MessageState.REFUSED, MessageState.WITHHELD})
_HANDED_OVER = frozenset({MessageState.ATTEMPTING, MessageState.UNKNOWN})
_UNKNOWN = frozenset({MessageState.UNKNOWN})
_LEFT = frozenset({MessageState.ACCEPTED, MessageState.UNKNOWN})
_NOT_COUNTED = frozenset({MessageState.REFUSED, MessageState.DEFERRED})
_STATES = {
    "begun": State.SENDING,
    "revised": State.DRAFT,
    "lapsed": State.CANCELLED,
    **{state.value: state for state in State},
}
# Asked of every message: a name is looked up in a fraction of the time in which an enumeration finds it.
_CHANNELS = {channel.value: channel for channel in Channel}
_MESSAGE_STATES = {state.value: state for state in MessageState}
_FINDINGS_AT_MOST = 500

Body = Mapping[str, Json]


@dataclass(slots=True)
class _Message:
    campaign: CampaignRecord
    client: int
    channel: Channel
    state: MessageState = MessageState.WAITING
    address: int = 0
    counted: Counted | None = None
    relied: Relied | None = None
    priced: Priced | None = None
    given_up: bool = False


class _OutOfOrderError(Exception):
    """An entry tells what cannot follow from those before it, named as a saying that is the end of a sentence."""

    def __init__(self, name: str, **values: object) -> None:
        self.said = say(name, **values)
        super().__init__(self.said)


class Recount:
    """Takes the entries of a ledger in order of their number, and adds up one year of local dates."""

    def __init__(self, year: int, zone: ZoneInfo, valid_for: timedelta) -> None:
        self.year = year
        self.campaigns: dict[int, CampaignRecord] = {}
        self.declared: dict[int, DeclaredRecord] = {}
        self.lost: list[Slot] = []
        self.clients, self.addresses = Counts(year), Counts(year)
        self.agreement = Agreement()
        self.texts = Texts()
        self.beside = Beside(year, zone)
        self.restored: list[int] = []
        self.findings: list[str] = []
        self.unnamed = 0
        self._zone = zone
        self._consent = ConsentCheck(zone, valid_for)
        self._standing = StandingCheck()
        self._messages: dict[str, _Message] = {}
        self._last_from: dict[int, CampaignRecord] = {}
        self._days: dict[str, date] = {}
        self._takes: Mapping[str, Callable[[StoredEntry, Body], None]] = {
            EntryKind.CAMPAIGN.value: self._campaign,
            EntryKind.SLOT.value: self._slot,
            EntryKind.CLIENT.value: self._client,
            EntryKind.REQUEST.value: self._standing.ask,
            EntryKind.ERASED.value: self._standing.erase,
            EntryKind.ANSWER.value: self._answer,
            EntryKind.SOURCE.value: self._consent.void,
            EntryKind.PLANNED.value: self._planned,
            EntryKind.WITHHELD.value: self._withheld,
            EntryKind.SEND.value: self._send,
            EntryKind.OUTCOME.value: self._outcome,
            EntryKind.LATER.value: self._later,
            EntryKind.RESTORE.value: self._restore,
        }

    def take(self, entry: StoredEntry, body: Body | None = None) -> None:
        """Take the next entry, with its body where that has been read. What cannot be true is a finding."""
        take = self._takes.get(entry.kind, _pass)
        if take is _pass and not self.beside.takes(entry.kind):
            return
        try:
            body = entry.data() if body is None else body
            self.beside.take(entry, body)
            take(entry, body)
        except _OutOfOrderError as wrong:
            self._find(say("wrong", entry=entry.id, what=entry.kind, wrong=wrong.said))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._find(say("unread", entry=entry.id, what=entry.kind))

    def close(self) -> None:
        """Add what only the whole ledger can tell: who got more than twelve."""
        for counts, name in ((self.clients, "client_too_many"), (self.addresses, "address_too_many")):
            for who, messages in counts.over():
                entries = ", ".join(str(message.send) for message in messages)
                about = {"who": who, "count": len(messages), "first": messages[0].day}
                self._find(say(name, **about, ceiling=CEILING, entries=entries))

    def spent(self) -> list[Slot]:
        """Return every slot that was spent: declared ones, and those of campaigns that a restore lost, included."""
        found = [Slot(each.day, each.title) for each in self.campaigns.values() if each.slot == "spent" and each.day]
        found += [Slot(each.day, each.title) for each in self.declared.values() if each.stands]
        return sorted(found + self.lost, key=lambda slot: slot.date)

    def agreed_to(self) -> frozenset[str]:
        """Return the hashes of the wordings that anybody said yes to."""
        return frozenset(self._consent.agreed_to)

    def local(self, moment: datetime) -> date:
        """Return the local date of a moment."""
        return local_date(moment, self._zone)

    def _find(self, sentence: str) -> None:
        if len(self.findings) < _FINDINGS_AT_MOST:
            self.findings.append(sentence)
        else:
            self.unnamed += 1

    def _record(self, entry: StoredEntry) -> CampaignRecord:
        if entry.campaign is None:
            raise _OutOfOrderError("no_campaign")
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
            raise _OutOfOrderError("slot_was_spent", campaign=record.number)
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
        number = _number(body["slot"])
        known = self.declared.get(number)
        if event == "declared" and known is None and day is not None:
            self.declared[number] = DeclaredRecord(
                day=day,
                title=str(body["title"]),
                kind=str(body["kind"]),
                channels=tuple(str(body["channels"]).split(",")),
                messages=_number(body["messages"]),
                by=entry.actor,
                declared_at=entry.at,
            )
        elif event == "returned" and known is not None and known.stands:
            self.declared[number] = replace(known, stands=False)
        else:
            raise _OutOfOrderError("declaration", declaration=number)

    def _client(self, entry: StoredEntry, body: Body) -> None:
        self._consent.move(entry, body)
        self._standing.mark(entry, body)

    def _answer(self, entry: StoredEntry, body: Body) -> None:
        answer = self._consent.hear(entry, body)
        self.beside.hear(entry, answer)
        if answer.reply is Reply.WITHDRAWN:
            last = self._last_from.pop(entry.client or 0, None)
            if last is not None:
                last.opted_out_after += 1
                last.complained += answer.place is Place.COMPLAINT

    def _planned(self, entry: StoredEntry, body: Body) -> None:
        record, channel, name = self._record(entry), _CHANNELS[entry.channel or ""], str(body["message"])
        if name in self._messages:
            raise _OutOfOrderError("planned_twice")
        self._messages[name] = _Message(record, entry.client or 0, channel, address=_number(body["address"]))
        record.planned[channel] += 1
        record.standing[MessageState.WAITING, channel] += 1

    def _withheld(self, entry: StoredEntry, body: Body) -> None:
        record = self._record(entry)
        record.withheld[str(body["reason"])] += 1
        if body.get("message") is not None:
            message = self._known(entry, body, _OPEN, "withheld_unasked")
            self._move(body, message, MessageState.WITHHELD)

    def _send(self, entry: StoredEntry, body: Body) -> None:
        record, day, channel = self._record(entry), self._day(body["day"]), _CHANNELS[entry.channel or ""]
        in_year = day.year == self.year
        record.touches, record.has_left = record.touches or in_year, True
        relied = self._consent.judge(entry, body)
        for wrong in (self._standing.against(entry), relied if isinstance(relied, Sentence) else None):
            if wrong is not None and in_year:
                self._find(say("wrong", entry=entry.id, what=entry.kind, wrong=wrong))
        message = self._waiting(entry, body, record, channel)
        self._move(body, message, MessageState.ATTEMPTING, channel)
        message.address = _number(body["address"])
        message.counted = Counted(day, record.number, entry.id)
        message.relied = relied if isinstance(relied, Relied) else None
        message.priced = foreseen(body)
        self._count(entry, message, message.counted)
        if record.slot != "spent":
            raise _OutOfOrderError("sent_unspent", campaign=record.number)

    def _waiting(self, entry: StoredEntry, body: Body, record: CampaignRecord, channel: Channel) -> _Message:
        """Return the message that a Send hands over; one that should not have gone is a finding, and counts."""
        try:
            return self._known(entry, body, _OPEN, "sent_unasked")
        except _OutOfOrderError as wrong:
            self._find(say("wrong", entry=entry.id, what=entry.kind, wrong=wrong.said))
            message = self._messages[str(body["message"])] = _Message(record, entry.client or 0, channel)
            record.standing[message.state, channel] += 1
            return message

    def _count(self, entry: StoredEntry, message: _Message, counted: Counted) -> None:
        for counts, who, what in (
            (self.clients, message.client, "client"),
            (self.addresses, message.address, "address"),
        ):
            twin = counts.add(who, counted)
            if twin is not None:
                self._find(say(f"{what}_again", entry=entry.id, campaign=counted.campaign, who=who, twin=twin))

    def _outcome(self, entry: StoredEntry, body: Body) -> None:
        state = _MESSAGE_STATES[str(body["outcome"])]
        restored = "day" in body
        waited = _HANDED_OVER | _OPEN if restored else _HANDED_OVER
        message = self._known(entry, body, waited, "outcome_unasked")
        if restored and message.counted is None:
            self._restored_message(entry, body, message)
            return
        was = message.state
        message.campaign.given_up -= message.given_up
        message.given_up = False
        self._move(body, message, state)
        if was in _LEFT:
            self._tell_agreement(message, was, -1)
            self._tell_cost(message, -1)
        if state in _LEFT:
            self._tell_agreement(message, state, 1)
            paid = told(message.priced, body)
            self._miscount(message, is_wrong=paid != message.priced)
            message.priced = paid
            self._tell_cost(message, 1)
            self._last_from[message.client] = message.campaign
        if state in _NOT_COUNTED and message.counted is not None:
            self.clients.remove(message.client, message.counted)
            self.addresses.remove(message.address, message.counted)
            message.counted = None

    def _restored_message(self, entry: StoredEntry, body: Body, message: _Message) -> None:
        """Count a message that may have gone out after the copy was made that a restore put back."""
        day = self._day(body["day"])
        message.counted = Counted(day, message.campaign.number, entry.id)
        self._move(body, message, MessageState.UNKNOWN)
        self._count(entry, message, message.counted)
        self.agreement.restored += day.year == self.year
        self.agreement.by_channel[message.channel] += day.year == self.year

    def _later(self, entry: StoredEntry, body: Body) -> None:
        """Take what was told after the outcome: no outcome of its own, so that nothing is counted twice."""
        record, told, was = self._record(entry), body["later"], body.get("was")
        if told == MAY_HAVE_ARRIVED:
            message = self._known(entry, body, _UNKNOWN, "given_up_unasked")
            record.given_up += not message.given_up
            message.given_up = True
            return
        record.later.update([str(told)] if told is not None else [])
        record.later.subtract([str(was)] if was in FINAL else [])

    def _restore(self, entry: StoredEntry, body: Body) -> None:
        del body
        self.restored.append(entry.id)

    def _tell_agreement(self, message: _Message, state: MessageState, by: int) -> None:
        if message.counted is None or message.counted.day.year != self.year:
            return
        self.agreement.messages[state] += by
        self.agreement.by_channel[message.channel] += by
        if message.relied is not None:
            self.agreement.agreed += by
            self.agreement.by_age[message.relied.age_days] += by
            self.agreement.by_place[message.relied.place] += by

    def _tell_cost(self, message: _Message, by: int) -> None:
        if message.channel is not Channel.SMS or message.counted is None:
            return
        for texts in self._texts_of(message):
            texts.count(message.priced, by)

    def _miscount(self, message: _Message, *, is_wrong: bool) -> None:
        for texts in self._texts_of(message):
            texts.miscounted += is_wrong

    def _texts_of(self, message: _Message) -> list[Texts]:
        in_year = message.counted is not None and message.counted.day.year == self.year
        return [message.campaign.texts, self.texts] if in_year else [message.campaign.texts]

    def _known(self, entry: StoredEntry, body: Body, wanted: frozenset[MessageState], otherwise: str) -> _Message:
        """Return the message an entry is about. It must be in one of these states, this client's and campaign's."""
        message = self._messages.get(str(body["message"]))
        if message is None or message.state not in wanted:
            raise _OutOfOrderError(otherwise)
        if message.client != entry.client or message.campaign.number != entry.campaign:
            raise _OutOfOrderError("of_another")
        return message

    def _move(self, body: Body, message: _Message, state: MessageState, channel: Channel | None = None) -> None:
        standing = message.campaign.standing
        standing[message.state, message.channel] -= 1
        message.state, message.channel = state, channel or message.channel
        standing[message.state, message.channel] += 1
        if state in _ENDED:
            del self._messages[str(body["message"])]


def _pass(_entry: StoredEntry, _body: Body) -> None:
    """Take nothing in."""


def _number(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value
