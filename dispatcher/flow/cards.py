"""What a client's answers mean now, channel by channel, and what the gate would say: for people to look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dispatcher.flow.coverage import coverage
from dispatcher.flow.policy import Policy
from dispatcher.rules.address import masked
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Consent
from dispatcher.rules.decision import CampaignFacts, Reason, Send, consent_for, decide
from dispatcher.rules.ledger import Json
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.store import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """One channel of a client: the address, masked, or None; the consent; and why nothing may be written, if so."""

    address: str | None
    awaits_receipt: bool
    consent: Consent
    reason: Reason | None

    def ends_on(self, zone: ZoneInfo) -> date | None:
        """Return the local day on which a standing yes ends."""
        return local_date(self.consent.ends_at, zone) if self.consent.ends_at else None

    def as_json(self, zone: ZoneInfo) -> dict[str, Json]:
        """Return the channel with stable keys; `until` is a local day."""
        until = self.ends_on(zone)
        return {
            "address": self.address,
            "awaits_receipt": self.awaits_receipt,
            "state": self.consent.state.value,
            "until": until.isoformat() if until else None,
            "objected": self.consent.objected,
            "reason": self.reason.value if self.reason else None,
        }


@dataclass(frozen=True, slots=True)
class Card:
    """A client as a person at the desk sees them: nothing about visits but the day of the last, nothing of health."""

    number: int
    name: str
    language: Language
    last_visit: date | None
    is_child: bool
    standings: Mapping[Channel, Standing]


def cards(
    connection: Connection, store: Store, policy: Policy, numbers: Iterable[int], now: datetime
) -> dict[int, Card]:
    """Return these clients as people see them, in the order asked for; the unknown are left out."""
    wanted = list(numbers)
    campaign = policy.any_campaign(coverage(connection, policy))
    known = gather(connection, store.ring, wanted, None, local_date(now, policy.zone), now)
    return {number: card(known[number], campaign, now) for number in wanted if number in known}


def card(known: Known, campaign: CampaignFacts, now: datetime) -> Card:
    """Return one client as people see them."""
    client = known.client
    return Card(
        client.number,
        f"{client.first_name} {client.last_name}".strip(),
        client.language,
        client.last_visit,
        known.facts.child,
        {channel: _standing(known, replace(campaign, channels=(channel,)), channel, now) for channel in Channel},
    )


def _standing(known: Known, campaign: CampaignFacts, channel: Channel, now: datetime) -> Standing:
    verdict = decide(known.facts, campaign, now)
    held = known.client.addresses.get(channel)
    return Standing(
        address=masked(held.canonical) if held else None,
        awaits_receipt=held is not None and held.awaits_receipt,
        consent=consent_for(known.facts, campaign, channel, now),
        reason=None if isinstance(verdict, Send) else verdict.reason,
    )
