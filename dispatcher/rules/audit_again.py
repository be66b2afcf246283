"""Every message decided again: the verdict of `decide` from the ledger alone, beside the Send that was written."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dispatcher.rules.audit_facts import TELLING, Body, FactBook, Got
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.decision import CampaignFacts, ClientFacts, Reason, Send, Verdict, decide
from dispatcher.rules.doors import is_good
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry, read_stamp
from dispatcher.rules.message import NOT_COUNTED, MessageState
from dispatcher.rules.sayings import say
from dispatcher.rules.terms import read_terms

_AT_ONCE = timedelta(minutes=1)
"""What is put on record without waiting for messages under way may be numbered before one that was decided first."""
_UNAWAITED = {Reason.GONE_FROM_REGISTER: "gone", Reason.SUSPENDED: "request"}
_OF_MESSAGES = (
    EntryKind.PLANNED,
    EntryKind.WITHHELD,
    EntryKind.TERMS,
    EntryKind.SEND,
    EntryKind.OUTCOME,
    EntryKind.LATER,
)
_TELLING = TELLING | {kind.value for kind in _OF_MESSAGES}
# Asked of every entry: the value of an enumeration's name costs several times as much as a name of this module.
_SEND, _OUTCOME, _TERMS = EntryKind.SEND.value, EntryKind.OUTCOME.value, EntryKind.TERMS.value
_UNKNOWN = MessageState.UNKNOWN.value
_CHANNELS = {channel.value: channel for channel in Channel}
_NAMED_AT_MOST = 500


@dataclass(slots=True)
class _Out:
    client: int
    address: int
    got: Got


def unusual(facts: ClientFacts, campaign: CampaignFacts, send: Send, now: datetime) -> dict[str, Json]:
    """Return what a Send entry tells of the facts it used beside the counts: only what differs from the usual.

    `passed_over` are the channels before the one taken, and why each was closed: a suppression, which is one reason,
    stands in no entry.
    """
    told: dict[str, Json] = {}
    if facts.own_cap is not None:
        told["own_cap"] = facts.own_cap
    if facts.declined:
        told["declined"] = sorted(kind.value for kind in facts.declined)
    if send.channel is not campaign.channels[0]:
        before = campaign.channels[: list(campaign.channels).index(send.channel)]
        told["passed_over"] = {channel.value: _closed(facts, campaign, channel, now) for channel in before}
    return told


def _closed(facts: ClientFacts, campaign: CampaignFacts, channel: Channel, now: datetime) -> str:
    verdict = decide(facts, replace(campaign, channels=(channel,)), now)
    return "open" if isinstance(verdict, Send) else verdict.reason.value


class Again:
    """Takes the entries of a ledger in order of number, and decides each Send anew by what stands before it."""

    def __init__(self) -> None:
        self.decided = 0
        self.findings: list[str] = []
        self.unnamed = 0
        self._book = FactBook()
        self._terms: dict[int, tuple[int | None, CampaignFacts]] = {}
        self._out: dict[str, _Out] = {}
        self._days: dict[str, date] = {}

    @property
    def agreed_to(self) -> frozenset[str]:
        """Return the hashes of the wordings that anybody said yes to."""
        return frozenset(self._book.agreed_to)

    def take(self, entry: StoredEntry, body: Body | None = None) -> Body | None:
        """Take the next entry, with its body where that has been read, and return the body of one that tells something.

        What cannot be read is a finding.
        """
        if entry.kind not in _TELLING:
            return None
        try:
            body = entry.data() if body is None else body
            if entry.kind == _SEND:
                self._send(entry, body)
            elif entry.kind == _OUTCOME:
                self._outcome(entry, body)
            elif entry.kind == _TERMS:
                self._terms[entry.id] = (entry.campaign, read_terms(body))
            else:
                self._book.take(entry, body)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._find(say("unread", entry=entry.id, what=entry.kind))
            return None
        return body

    def _send(self, entry: StoredEntry, body: Body) -> None:
        client, address, campaign = entry.client or 0, body["address"], entry.campaign or 0
        day = self._days.get(body["day"]) or self._days.setdefault(body["day"], date.fromisoformat(body["day"]))
        self._judge(entry, body, client, campaign, day)
        out = self._out[body["message"]] = _Out(client, address, (day, campaign))
        self._book.count(client, address, out.got)
        self.decided += 1

    def _judge(self, entry: StoredEntry, body: Body, client: int, campaign: int, day: date) -> None:
        of, terms = self._terms.get(body.get("terms", 0), (None, None))
        if terms is None or of != entry.campaign:
            self._find(say("no_terms", entry=entry.id))
            return
        if local_date(entry.at, terms.windows.zone) != day:
            self._find(say("other_day", entry=entry.id, day=day))
        facts = self._book.facts(client, campaign, entry.at, day)
        channel = _CHANNELS[entry.channel or ""]
        channels = self._channels(terms, channel, body)
        doors = read_stamp(body.get("doors"))
        is_read = doors is None or is_good(doors, entry.at)
        usual = is_read and channels == terms.channels
        asked = terms if usual else replace(terms, channels=channels, doors_read=is_read)
        verdict = decide(facts, asked, entry.at)
        if self._is_excused(verdict, entry, client):
            return
        wrong = _against(verdict, channel, body, facts)
        if wrong is not None:
            self._find(say("not_following", entry=entry.id, client=client, wrong=wrong))

    def _channels(self, terms: CampaignFacts, channel: Channel, body: Body) -> tuple[Channel, ...]:
        """Return the channels that were asked about: its own after a first attempt, else those not found closed."""
        if body["attempt"] > 1:
            return (channel,)
        passed = body.get("passed_over")
        if not passed:
            return tuple(terms.channels)
        return tuple(each for each in terms.channels if each.value not in passed)

    def _is_excused(self, verdict: Verdict, entry: StoredEntry, client: int) -> bool:
        """Say whether a no of the same moment, put on record without waiting, is all that speaks against a Send."""
        if isinstance(verdict, Send) or verdict.reason not in _UNAWAITED:
            return False
        since = self._book.since(client, _UNAWAITED[verdict.reason])
        return since is not None and entry.at - since <= _AT_ONCE

    def _outcome(self, entry: StoredEntry, body: Body) -> None:
        out = self._out.get(body["message"])
        if body["outcome"] in NOT_COUNTED:
            if out is not None:
                self._book.uncount(out.client, out.address, out.got)
        elif out is None and "day" in body:
            # An older copy took the Send away: it counts for the client, by an address that nobody can name.
            got = (date.fromisoformat(body["day"]), entry.campaign or 0)
            self._book.count(entry.client or 0, 0, got)
        if body["outcome"] != _UNKNOWN:
            self._out.pop(body["message"], None)

    def _find(self, sentence: str) -> None:
        if len(self.findings) < _NAMED_AT_MOST:
            self.findings.append(sentence)
        else:
            self.unnamed += 1


def _against(verdict: Verdict, channel: Channel, body: Body, facts: ClientFacts) -> str | None:
    """Return what speaks against a Send as the end of a sentence, or None."""
    if not isinstance(verdict, Send):
        return say("other_verdict", verdict=type(verdict).__name__, reason=verdict.reason.value)
    if verdict.channel is not channel:
        return say("other_way", channel=verdict.channel.value, went=channel.value)
    if verdict.answer.entry != body["answer"]:
        return say("other_answer", stood=verdict.answer.entry, named=body["answer"])
    held = facts.addresses[channel]
    if held.address != body["address"]:
        return say("other_address", kept=held.address, used=body["address"])
    if body["client_messages"] < len(facts.days):
        return say("few_to_client", count=body["client_messages"], counted=len(facts.days))
    if body["address_messages"] < len(held.days):
        return say("few_to_address", count=body["address_messages"], counted=len(held.days))
    return None
