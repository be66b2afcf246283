"""The year recomputed from the ledger alone: entries in, one after another, figures and findings out.

Held are the campaigns, the messages that are still open, each client's answers, and a date for every message that
counts; never the entries.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.rules.audit_beside import Beside
from dispatcher.rules.audit_campaigns import (
    MESSAGE_STATES,
    OPEN,
    Body,
    CampaignCount,
    MessageRecord,
    OutOfOrderError,
)
from dispatcher.rules.audit_consent import ConsentCheck, Relied
from dispatcher.rules.audit_counts import Counted, Counts
from dispatcher.rules.audit_records import Agreement, CampaignRecord
from dispatcher.rules.audit_standing import StandingCheck
from dispatcher.rules.audit_texts import Texts, foreseen, told
from dispatcher.rules.budget import CEILING
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.later import FINAL, MAY_HAVE_ARRIVED
from dispatcher.rules.ledger import EntryKind, StoredEntry
from dispatcher.rules.message import LEFT, NOT_COUNTED, MessageState
from dispatcher.rules.sayings import say
from dispatcher.rules.sentence import Sentence

_UNKNOWN = frozenset({MessageState.UNKNOWN})


class Recount(CampaignCount):
    """Takes the entries of a ledger in order of their number, and adds up one year of local dates."""

    def __init__(self, year: int, zone: ZoneInfo, valid_for: timedelta) -> None:
        super().__init__()
        self.year = year
        self.clients, self.addresses = Counts(year), Counts(year)
        self.agreement = Agreement()
        self.texts = Texts()
        self.beside = Beside(year, zone)
        self.restored: list[int] = []
        self._zone = zone
        self._consent = ConsentCheck(zone, valid_for)
        self._standing = StandingCheck()
        self._last_from: dict[int, CampaignRecord] = {}
        self._takes = {
            **self._takes,
            EntryKind.CLIENT.value: self._client,
            EntryKind.REQUEST.value: self._standing.ask,
            EntryKind.ERASED.value: self._standing.erase,
            EntryKind.ANSWER.value: self._answer,
            EntryKind.SOURCE.value: self._consent.void,
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
        except OutOfOrderError as wrong:
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

    def agreed_to(self) -> frozenset[str]:
        """Return the hashes of the wordings that anybody said yes to."""
        return frozenset(self._consent.agreed_to)

    def local(self, moment: datetime) -> date:
        """Return the local date of a moment."""
        return local_date(moment, self._zone)

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

    def _send(self, entry: StoredEntry, body: Body) -> None:
        record, day = self._record(entry), self._day(body["day"])
        in_year = day.year == self.year
        record.touches = record.touches or in_year
        relied = self._consent.judge(entry, body)
        for wrong in (self._standing.against(entry), relied if isinstance(relied, Sentence) else None):
            if wrong is not None and in_year:
                self._find(say("wrong", entry=entry.id, what=entry.kind, wrong=wrong))
        message = self._hand_over(entry, body, record)
        message.counted = Counted(day, record.number, entry.id)
        message.relied = relied if isinstance(relied, Relied) else None
        message.priced = foreseen(body)
        self._count(entry, message, message.counted)
        self._check_spent(record)

    def _count(self, entry: StoredEntry, message: MessageRecord, counted: Counted) -> None:
        for counts, who, what in (
            (self.clients, message.client, "client"),
            (self.addresses, message.address, "address"),
        ):
            twin = counts.add(who, counted)
            if twin is not None:
                self._find(say(f"{what}_again", entry=entry.id, campaign=counted.campaign, who=who, twin=twin))

    def _outcome(self, entry: StoredEntry, body: Body) -> None:
        state = MESSAGE_STATES[str(body["outcome"])]
        message = self._awaited(entry, body)
        was = message.state
        if was in OPEN:
            self._restored_message(entry, body, message)
            return
        message.campaign.given_up -= message.given_up
        message.given_up = False
        self._move(body, message, state)
        if was in LEFT:
            self._tell_agreement(message, was, -1)
            self._tell_cost(message, -1)
        if state in LEFT:
            self._tell_agreement(message, state, 1)
            paid = told(message.priced, body)
            self._miscount(message, is_wrong=paid != message.priced)
            message.priced = paid
            self._tell_cost(message, 1)
            self._last_from[message.client] = message.campaign
        if state in NOT_COUNTED and message.counted is not None:
            self.clients.remove(message.client, message.counted)
            self.addresses.remove(message.address, message.counted)
            message.counted = None

    def _restored_message(self, entry: StoredEntry, body: Body, message: MessageRecord) -> None:
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

    def _tell_agreement(self, message: MessageRecord, state: MessageState, by: int) -> None:
        if message.counted is None or message.counted.day.year != self.year:
            return
        self.agreement.messages[state] += by
        self.agreement.by_channel[message.channel] += by
        if message.relied is not None:
            self.agreement.agreed += by
            self.agreement.by_age[message.relied.age_days] += by
            self.agreement.by_place[message.relied.place] += by

    def _tell_cost(self, message: MessageRecord, by: int) -> None:
        if message.channel is not Channel.SMS or message.counted is None:
            return
        for texts in self._texts_of(message):
            texts.count(message.priced, by)

    def _miscount(self, message: MessageRecord, *, is_wrong: bool) -> None:
        for texts in self._texts_of(message):
            texts.miscounted += is_wrong

    def _texts_of(self, message: MessageRecord) -> list[Texts]:
        in_year = message.counted is not None and message.counted.day.year == self.year
        return [message.campaign.texts, self.texts] if in_year else [message.campaign.texts]


def _pass(_entry: StoredEntry, _body: Body) -> None:
    """Take nothing in."""
