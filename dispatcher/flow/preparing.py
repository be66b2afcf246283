"""A campaign as it was frozen, compiled once and ready to be filled for each client."""

from dataclasses import dataclass, replace
from datetime import datetime

from dispatcher.campaign_files import parse_campaign
from dispatcher.errors import DispatcherError, Finding
from dispatcher.flow.freezing import Frozen
from dispatcher.flow.policy import Policy
from dispatcher.links import MailAddresses, OptOut, OptOutLinks, Renewal, RenewalLinks
from dispatcher.rendering import CampaignRenderer
from dispatcher.rendering.dkim import Signer
from dispatcher.rendering.pictures import Picture
from dispatcher.rendering.survey import Survey
from dispatcher.rendering.templates import Templates
from dispatcher.rules import validity
from dispatcher.rules.calendar import Windows, local_date
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.consent import Answer
from dispatcher.rules.cost import Priced, Tariff
from dispatcher.rules.decision import Send
from dispatcher.rules.message import CampaignMessage, Email, Recipient, Sms
from dispatcher.rules.studio import Studio
from dispatcher.storage import campaigns
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.texts import format_date


@dataclass(frozen=True, slots=True)
class Prepared:
    """A campaign with its words compiled: it makes the message of one client, given the verdict."""

    campaign: Campaign
    renderer: CampaignRenderer
    links: OptOutLinks
    renewals: RenewalLinks
    policy: Policy
    tariff: Tariff
    addresses: MailAddresses | None = None
    """What makes the addresses that answer a mail, where an inbox is read."""

    def message(
        self, client: Client, send: Send, message_id: str, now: datetime, *, is_shared: bool
    ) -> CampaignMessage:
        """Return the finished message for a client who got this Send. Raises RenderingError.

        In the last days of the yes it relies on, an email asks whether to go on (L-09). `is_shared`: others have the
        address as well, so that nobody is called by another's name.
        """
        recipient = self._recipient(client, send, now, is_shared=is_shared)
        link = self.links.url(OptOut(client.number, send.channel))
        to = client.addresses[send.channel].canonical
        if send.channel is Channel.EMAIL:
            renewal = Renewal(client.number, send.channel, send.answer.entry)
            renew_url = self.renewals.url(renewal) if recipient.ends_on else ""
            token = link.rpartition("/")[2]
            ways_back = self.addresses.ways_back(client.number, message_id, token) if self.addresses else None
            mail = self.renderer.email(recipient, to, link, message_id, now, ways_back, renew_url)
            return CampaignMessage(message_id, mail)
        sms = self.renderer.sms(recipient, to, link)
        return CampaignMessage(message_id, replace(sms, validity_seconds=validity.of_offer(self.policy.windows, now)))

    def trial(
        self, first_name: str, language: Language, to: str, link: str, message_id: str, now: datetime
    ) -> Email | Sms:
        """Return the message marked as a test: a mail to an email address, a text message to a number."""
        recipient = Recipient(first_name, language, "")
        if "@" in to:
            ways_back = self.addresses.of_test(message_id) if self.addresses else None
            return self.renderer.email(recipient, to, link, message_id, now, ways_back, is_trial=True)
        sms = self.renderer.sms(recipient, to, link, is_trial=True)
        return replace(sms, validity_seconds=validity.of_service(self.policy.windows, now))

    def priced(self, sms: Sms) -> Priced:
        """Return what a text message is paid for: its parts, at the price of its country (S-05)."""
        return Priced(sms.segments, self.tariff.price(sms.recipient))

    def _recipient(self, client: Client, send: Send, now: datetime, *, is_shared: bool) -> Recipient:
        answer, policy = send.answer, self.policy
        name = "" if is_shared else client.first_name
        asks = send.channel is Channel.EMAIL and answer.is_ending(now, policy.valid_for, policy.renew_for)
        ends_at = answer.ends_at(policy.valid_for) if asks else None
        ends_on = self._day(ends_at, client.language)
        return Recipient(name, client.language, self._agreed_on(answer, client.language), ends_on, answer.place)

    def _agreed_on(self, answer: Answer, language: Language) -> str:
        """Return the day of a yes, or nothing for one given on one of several days."""
        first, last = (self._day(moment, language) for moment in (answer.not_before, answer.not_after))
        return first if last in {first, ""} else ""

    def _day(self, moment: datetime | None, language: Language) -> str:
        return format_date(local_date(moment, self.policy.zone), language) if moment else ""


class Press:
    """Prepares campaigns: from the bytes they were scheduled with, or from files on disk for a check.

    `signer` signs every email of them; `addresses` makes the addresses that answer them, where an inbox is read.
    """

    def __init__(
        self,
        studio: Studio,
        links: OptOutLinks,
        renewals: RenewalLinks,
        policy: Policy,
        tariff: Tariff,
        signer: Signer | None = None,
        addresses: MailAddresses | None = None,
    ) -> None:
        self._studio = studio
        self._addresses = addresses
        self._tariff = tariff
        self._links = links
        self._renewals = renewals
        self._policy = policy
        self._signer = signer
        self._ready: dict[int, tuple[datetime, Prepared]] = {}

    def frozen(self, connection: Connection, scheduled: Scheduled, since: datetime | None = None) -> Prepared:
        """Return a scheduled campaign, compiled from its frozen bytes once and kept until it gets new ones.

        `since` is when it got those it has, where that has just been read.
        """
        frozen_at = since or campaigns.standing(connection, scheduled.id)[1]
        kept = self._ready.get(scheduled.id)
        if kept is None or kept[0] != frozen_at:
            files = campaigns.frozen(connection, scheduled.id)
            zone = self._policy.zone
            campaign = parse_campaign(
                files[campaigns.OWN_FILE], scheduled.name, f"{scheduled.name}.toml (frozen)", zone
            )
            words = Frozen(campaign, files)
            kept = self._ready[scheduled.id] = (frozen_at, self.prepare(campaign, words.templates, words.picture))
        return kept[1]

    def hours(self, connection: Connection, scheduled: Scheduled) -> Windows:
        """Return when a campaign may leave: the usual hours, and the holidays it was opened for (S-14)."""
        try:
            return self._policy.windows_of(self.frozen(connection, scheduled).campaign)
        except (DispatcherError, KeyError):
            # What cannot be made any more is found out at its hand-off.
            return self._policy.windows

    def survey(
        self, campaign: Campaign, templates: Templates, picture: Picture | None, label: str, source: str
    ) -> list[Finding]:
        """Return everything that is wrong with a campaign's words; `label` and `source`: its file's name, its text."""
        return Survey(campaign, templates, self._studio, label, source, self._tariff.most_parts, picture).findings()

    def prepare(self, campaign: Campaign, templates: Templates, picture: Picture | None) -> Prepared:
        """Compile a campaign. Raises RenderingError naming template, line and what to do."""
        renderer = CampaignRenderer(
            campaign,
            templates,
            self._studio,
            self._policy.zone,
            self._tariff.most_parts,
            picture=picture,
            signer=self._signer,
        )
        return Prepared(campaign, renderer, self._links, self._renewals, self._policy, self._tariff, self._addresses)
