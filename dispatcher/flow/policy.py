"""The installation's standing choices that every verdict uses, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import Windows, always_open
from dispatcher.rules.campaign import Campaign, Channel, State
from dispatcher.rules.decision import CampaignFacts, Coverage
from dispatcher.rules.ledger import Json
from dispatcher.rules.pace import Pace


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say about sending, the same for every campaign.

    `needs_notice` are the channels whose provider may reach data from outside the EU, so that a published notice has to
    say so (L-42). In the last `renew_for` of a yes a campaign asks whether to go on. `grace` is how long after its
    moment a campaign may still begin. `fingerprint` is the hash of the settings that stands on every Send entry.
    `paces` are how fast each channel goes, where somebody set a limit; `window` is how many hand-offs may be under way.
    """

    windows: Windows
    valid_for: timedelta
    renew_for: timedelta
    authorised: frozenset[Channel]
    needs_notice: frozenset[Channel]
    grace: timedelta
    window: int
    fingerprint: str
    paces: Mapping[Channel, Pace] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """Return the business zone."""
        return self.windows.zone

    def windows_of(self, campaign: Campaign) -> Windows:
        """Return the windows of one campaign: with the public holidays where it says why (S-14)."""
        return self.windows if campaign.open_on_holidays is None else self.windows.with_holidays()

    def facts(self, campaign: Campaign, coverage: Coverage, state: State = State.SENDING) -> CampaignFacts:
        """Return what a verdict needs to know of this campaign, as if it were in this state."""
        return CampaignFacts(
            channels=campaign.channels,
            state=state,
            windows=self.windows_of(campaign),
            valid_until=campaign.valid_until,
            valid_for=self.valid_for,
            coverage=coverage,
            authorised=self.authorised,
            kind=campaign.kind,
        )

    def any_campaign(self, coverage: Coverage) -> CampaignFacts:
        """Return the facts of a campaign by every channel in an open hour: what tells who may be written to."""
        return CampaignFacts(
            channels=tuple(Channel),
            state=State.SENDING,
            windows=always_open(self.zone),
            valid_for=self.valid_for,
            coverage=coverage,
            authorised=self.authorised,
        )

    def with_fingerprint(self, fingerprint: str) -> "Policy":
        """Return this policy under the hash of its own settings."""
        return replace(self, fingerprint=fingerprint)

    def as_json(self) -> dict[str, Json]:
        """Return the choices as they are frozen with a campaign."""
        windows: dict[str, Json] = {
            channel.value: [
                f"{window.opens:%H:%M}",
                f"{window.closes:%H:%M}",
                sorted(window.weekdays),
                window.on_holidays,
            ]
            for channel, window in ((Channel.EMAIL, self.windows.email), (Channel.SMS, self.windows.sms))
        }
        return {
            "windows": windows,
            "zone": self.windows.zone.key,
            "valid_for_days": self.valid_for.days,
            "renew_for_days": self.renew_for.days,
            "authorised": sorted(self.authorised),
            "needs_notice": sorted(self.needs_notice),
            "grace_minutes": int(self.grace.total_seconds() // 60),
        }
