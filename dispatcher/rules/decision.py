"""The one decision: may this campaign's message go to this client now, and by which channel.

The preview, the plan, the delivery, the client's page and the audit all ask `decide`, so the screen and the gate cannot
disagree. Nothing else says yes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from dispatcher.rules import budget, validity
from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import Channel, Kind, State
from dispatcher.rules.consent import VALID_FOR, Answer, Consent, ConsentState, fold
from dispatcher.rules.values import value


class Reason(StrEnum):
    """Why a message does not go now, in the order in which the reasons are asked (rules.md, C5)."""

    ERASED = "erased"
    GONE_FROM_REGISTER = "gone_from_register"
    RESTRICTED = "restricted"
    OBJECTION = "objection"
    CHANNEL_CONSENT_MISSING = "channel_consent_missing"
    CONSENT_INCOMPLETE_EVIDENCE = "consent_incomplete_evidence"
    CONSENT_TIME_UNKNOWN = "consent_time_unknown"
    CONSENT_EXPIRED = "consent_expired"
    NOTICE_DOES_NOT_COVER = "notice_does_not_cover"
    LATEST_ANSWER_NO = "latest_answer_no"
    ADDRESS_INVALID = "address_invalid"
    ADDRESS_DEAD = "address_dead"
    SHARED_ADDRESS_OBJECTION = "shared_address_objection"
    CHILD = "child"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    TOPIC_NOT_CHOSEN = "topic_not_chosen"
    OWN_CAP = "own_cap"
    FREQUENCY_CAP = "frequency_cap"
    OFFER_ENDED = "offer_ended"
    QUIET_HOURS = "quiet_hours"
    RECEIPT_PENDING = "receipt_pending"
    DOORS_UNREAD = "doors_unread"
    SENDER_NOT_AUTHORISED = "sender_not_authorised"
    CAMPAIGN_HELD = "campaign_held"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    ALREADY_SENT_OR_UNKNOWN = "already_sent_or_unknown"


@value
class Send:
    """Yes: by this channel, relying on this answer."""

    channel: Channel
    answer: Answer


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: ask again at `until` (aware UTC), or when the reason has gone where no instant is known.

    `channel` is the one the message would take.
    """

    reason: Reason
    until: datetime | None = None
    channel: Channel | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Withhold:
    """No: this campaign's message does not go to this client."""

    reason: Reason


Verdict = Send | Wait | Withhold


@value
class AddressFacts:
    """What is known of the address a client has for one channel, over everybody who shares it.

    `shared`: other clients have it as well; `shared_objection`: an objection of one of them stands for this channel.
    `awaits_receipt`: it was typed by a person, and the receipt that goes there first has not been sent (L-05). `days`
    are the local dates of the messages it got. (A suppression of the address is among the client's answers, as the
    objection it was.)
    """

    address: int
    dead: bool = False
    shared: bool = False
    awaits_receipt: bool = False
    shared_objection: bool = False
    days: tuple[date, ...] = ()
    got_this_campaign: bool = False


@value
class ClientFacts:
    """Everything a verdict needs to know of one client; `known` is False once the client has been erased.

    `days` are the local dates of the messages the client got, over both channels. `own_cap` is how many a year the
    client wants at most. `declined` are the topics they do not want.
    """

    number: int
    known: bool = True
    in_register: bool = True
    restricted: bool = False
    child: bool = False
    suspended: bool = False
    paused_until: datetime | None = None
    declined: frozenset[Kind] = frozenset()
    own_cap: int | None = None
    answers: tuple[Answer, ...] = ()
    addresses: Mapping[Channel, AddressFacts] = field(default_factory=dict)
    days: tuple[date, ...] = ()
    got_this_campaign: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the published privacy notices say of channels whose provider may reach data from outside the EU (L-42).

    `needed_by` are those channels. `spans` are the times, from and until (aware UTC, None while it lasts), in which the
    version in force said so.
    """

    needed_by: frozenset[Channel] = frozenset()
    spans: tuple[tuple[datetime, datetime | None], ...] = ()

    def covers(self, consent: Consent, channel: Channel, now: datetime) -> bool:
        """Say whether a message may go by this channel: the notice says so now, and did when the yes was given."""
        if channel not in self.needed_by:
            return True
        given = consent.answer.not_before if consent.answer and consent.state is ConsentState.GRANTED else now
        return given is not None and self._says_so(now) and self._says_so(given)

    def _says_so(self, moment: datetime) -> bool:
        return any(start <= moment and (end is None or moment < end) for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What a verdict needs to know of the campaign and of the installation at this moment.

    `kind` is its topic, None for a campaign of any. `doors_read`: the opt-out letter boxes have been read up to now, or
    none is configured. `coverage`: what the published notices cover. `authorised`: channels whose sender may be used
    (S-11).
    """

    channels: Sequence[Channel]
    state: State
    windows: Windows
    valid_until: date | None = None
    valid_for: timedelta = VALID_FOR
    doors_read: bool = True
    coverage: Coverage = Coverage()
    authorised: frozenset[Channel] = frozenset(Channel)
    kind: Kind | None = None


def decide(client: ClientFacts, campaign: CampaignFacts, now: datetime) -> Verdict:
    """Return the verdict for one client, one campaign and one moment.

    The message goes by the first channel in the campaign's order that has a standing yes and a usable address: who has
    closed one channel gets it by the next. What stands in the way on that channel (a count, an hour, a message the
    address has got already) sends nobody to another. If every channel is closed, the reason is that of the first
    channel the client has an address for.
    """
    first = _whole_client(client)
    if first is not None:
        return Withhold(first)
    closed: dict[Channel, Reason] = {}
    for channel in campaign.channels:
        consent = consent_for(client, campaign, channel, now)
        address = client.addresses.get(channel)
        covered = campaign.coverage.covers(consent, channel, now)
        reason = _consent_reason(consent, covered=covered) or _address_reason(address)
        if reason is None and address is not None and consent.answer is not None:
            return _on_channel(client, campaign, address, Send(channel, consent.answer), now)
        closed[channel] = reason or Reason.CHANNEL_CONSENT_MISSING
    reachable = [channel for channel in campaign.channels if channel in client.addresses]
    return Withhold(closed[(reachable or list(campaign.channels))[0]])


def consent_for(client: ClientFacts, campaign: CampaignFacts, channel: Channel, now: datetime) -> Consent:
    """Return what the client's answers mean for this channel under this installation's period of validity."""
    return fold(client.answers, channel, now, campaign.valid_for)


def _whole_client(client: ClientFacts) -> Reason | None:
    if not client.known:
        return Reason.ERASED
    if not client.in_register:
        return Reason.GONE_FROM_REGISTER
    return Reason.RESTRICTED if client.restricted else None


def _on_channel(
    client: ClientFacts, campaign: CampaignFacts, address: AddressFacts, send: Send, now: datetime
) -> Verdict:
    """Return the verdict on the one channel the message would take."""
    wish = _wish_reason(client, campaign, now)
    if wish is not None:
        return Withhold(wish)
    verdict = _timing(client, campaign, address, send.channel, now) or send
    return replace(verdict, channel=send.channel) if isinstance(verdict, Wait) else verdict


def _consent_reason(consent: Consent, *, covered: bool) -> Reason | None:
    if consent.objected:
        return Reason.OBJECTION
    if consent.state is not ConsentState.GRANTED:
        if consent.flaw is not None:
            return Reason(consent.flaw.value)
        if consent.state is ConsentState.NEVER_ASKED:
            return Reason.CHANNEL_CONSENT_MISSING
    if not covered:
        return Reason.NOTICE_DOES_NOT_COVER
    return None if consent.state is ConsentState.GRANTED else Reason.LATEST_ANSWER_NO


def _address_reason(address: AddressFacts | None) -> Reason | None:
    if address is None:
        return Reason.ADDRESS_INVALID
    if address.dead:
        return Reason.ADDRESS_DEAD
    return Reason.SHARED_ADDRESS_OBJECTION if address.shared_objection else None


def _wish_reason(client: ClientFacts, campaign: CampaignFacts, now: datetime) -> Reason | None:
    if client.child:
        return Reason.CHILD
    if client.suspended:
        return Reason.SUSPENDED
    if client.paused_until is not None and now < client.paused_until:
        return Reason.PAUSED
    if not client.declined:  # nearly nobody has, asked at every message
        return None
    wanted = frozenset(Kind) if campaign.kind is None else frozenset({campaign.kind})
    return Reason.TOPIC_NOT_CHOSEN if wanted <= client.declined else None


def _timing(
    client: ClientFacts, campaign: CampaignFacts, address: AddressFacts, channel: Channel, now: datetime
) -> Wait | Withhold | None:
    """Return what the counts, the hours and the campaign's own state say, or None where nothing stands in the way."""
    today = local_date(now, campaign.windows.zone)
    if client.own_cap is not None and _in_year(client.days, today) >= client.own_cap:
        return Withhold(Reason.OWN_CAP)
    opening = _opening(client, address, today)
    if opening is not None:
        until = _first_hour(opening, channel, campaign.windows)
        return _wait_or_withhold(Reason.FREQUENCY_CAP, until, campaign, patient=campaign.valid_until is not None)
    if campaign.valid_until is not None and today > campaign.valid_until:
        return Withhold(Reason.OFFER_ENDED)
    if not campaign.windows.is_open(channel, now):
        until = campaign.windows.next_opening(channel, now)
        return _wait_or_withhold(Reason.QUIET_HOURS, until, campaign, patient=True)
    if channel is Channel.SMS and validity.is_too_late(campaign.windows, now):
        until = campaign.windows.next_opening(channel, campaign.windows.closes_at(channel, now))
        return _wait_or_withhold(Reason.QUIET_HOURS, until, campaign, patient=True)
    return _campaign_reason(client, campaign, address, channel)


def _opening(client: ClientFacts, address: AddressFacts, today: date) -> date | None:
    """Return None if one more message fits today, else the first date on which both are below twelve again."""
    by_client, by_address = budget.next_opening(client.days, today), budget.next_opening(address.days, today)
    if by_client is None or by_address is None:
        return by_client or by_address
    return max(by_client, by_address)


def _campaign_reason(
    client: ClientFacts, campaign: CampaignFacts, address: AddressFacts, channel: Channel
) -> Wait | Withhold | None:
    if address.awaits_receipt:
        return Wait(Reason.RECEIPT_PENDING)
    if not campaign.doors_read:
        return Wait(Reason.DOORS_UNREAD)
    if channel not in campaign.authorised:
        return Withhold(Reason.SENDER_NOT_AUTHORISED)
    if campaign.state is State.CANCELLED:
        return Withhold(Reason.CAMPAIGN_CANCELLED)
    if campaign.state is not State.SENDING:
        return Wait(Reason.CAMPAIGN_HELD)
    if client.got_this_campaign or address.got_this_campaign:
        return Withhold(Reason.ALREADY_SENT_OR_UNKNOWN)
    return None


def _wait_or_withhold(reason: Reason, until: datetime, campaign: CampaignFacts, *, patient: bool) -> Wait | Withhold:
    """Wait only where the offer is still valid then; without an end date only the hours of the day are worth it."""
    ends = campaign.valid_until
    still_valid = ends is None or local_date(until, campaign.windows.zone) <= ends
    return Wait(reason, until) if patient and still_valid else Withhold(reason)


def _first_hour(day: date, channel: Channel, windows: Windows) -> datetime:
    """Return the first hour from this day on at which something may leave: before it, nothing is late."""
    return windows.next_opening(channel, datetime.combine(day, time.min, windows.zone).astimezone(UTC))


def _in_year(days: Sequence[date], today: date) -> int:
    return sum(today - day < budget.WINDOW for day in days)
