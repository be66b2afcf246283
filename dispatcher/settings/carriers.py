"""The tables of dispatcher.toml that say how messages leave: [email] and [sms]."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from dispatcher.rules.pace import Pace
from dispatcher.rules.places import LOOPBACK
from dispatcher.settings.fields import (
    Country,
    CountryPrices,
    Domain,
    MailAddress,
    PartPrice,
    Section,
    Selector,
    SmsSender,
)

USUAL_PER_HOUR = 200
"""Mails an hour that a small provider accepts."""
USUAL_PER_SECOND = 10
"""Text messages a second that the service accepts from one sender."""


class EmailProvider(StrEnum):
    """What carries emails."""

    PREVIEW = "preview"
    SMTP = "smtp"


class SmsProvider(StrEnum):
    """What carries text messages."""

    PREVIEW = "preview"
    TWILIO = "twilio"


class DkimSection(Section):
    """[email.dkim]: by which keys mails are signed here (E-41); without a selector they are not.

    A key stands in its file in the workspace, `dkim-<selector>.pem` where none is named, or among the credentials.
    `domain` is the sender's where it is not named (E-40).
    """

    selector: Selector = ""
    domain: Domain = ""
    key_file: str = ""
    ed25519_selector: Selector = ""
    ed25519_key_file: str = ""

    @model_validator(mode="after")
    def _in_pairs(self) -> Self:
        if not self.selector and (self.domain or self.key_file or self.ed25519_selector):
            raise ValueError("selector is missing: the name of the RSA key, which every receiver can verify")
        if self.ed25519_key_file and not self.ed25519_selector:
            raise ValueError("ed25519_selector is missing: the name of the Ed25519 key")
        if self.selector and self.selector == self.ed25519_selector:
            raise ValueError("selector and ed25519_selector are the same: each key has a record of its own")
        return self


class EmailSection(Section):
    """[email]: how mail leaves. `country` and `dpa_signed` speak of the mail server's company (L-39, L-42)."""

    provider: EmailProvider = EmailProvider.PREVIEW
    sender: MailAddress
    bounces: MailAddress | None = None
    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["implicit", "starttls", "none"] = "starttls"
    username: str = ""
    sessions: int = Field(default=2, ge=1, le=50)
    messages_per_connection: int = Field(default=100, ge=1)
    per_second: float | None = Field(default=None, gt=0, le=10_000)
    per_minute: int | None = Field(default=None, ge=1, le=600_000)
    per_hour: int | None = Field(default=None, ge=1, le=10_000_000)
    per_day: int | None = Field(default=None, ge=1, le=100_000_000)
    country: Country | None = None
    dpa_signed: date | None = None
    dkim: DkimSection = DkimSection()

    @property
    def stays_here(self) -> bool:
        """Say whether mail goes no further than this machine."""
        return self.provider is EmailProvider.PREVIEW or self.host in LOOPBACK

    @property
    def pace(self) -> Pace | None:
        """Return how fast mails may leave: as a small provider accepts them where nothing is said (E-55)."""
        told = self.per_second or self.per_minute or self.per_hour
        usual = self.per_hour if told or self.stays_here else USUAL_PER_HOUR
        return Pace.of(per_second=self.per_second, per_minute=self.per_minute, per_hour=usual, per_day=self.per_day)


class SmsSection(Section):
    """[sms]: how text messages leave (S-11, S-20, L-42), and what they may cost in euros (S-05).

    With `status_callbacks` the provider tells what became of each, where a secret is there to know it by (S-30). With
    `inbound` what clients text is taken in; `stop_confirmation` says whether their no is confirmed by a text.

    A campaign that would cost more than its ceiling, or take the calendar year above the year's, cannot be scheduled.
    `prices` are of one part, by country; `part_price` is the price everywhere else.
    """

    provider: SmsProvider = SmsProvider.PREVIEW
    sender: SmsSender = ""
    sender_authorised_on: date | None = None
    account_sid: str = ""
    api_key: str = ""
    region: str = "ie1"
    edge: str = "dublin"
    base_url: str = ""
    sessions: int = Field(default=4, ge=1, le=50)
    per_second: float | None = Field(default=None, gt=0, le=1000)
    per_minute: int | None = Field(default=None, ge=1, le=60_000)
    per_hour: int | None = Field(default=None, ge=1, le=3_600_000)
    per_day: int | None = Field(default=None, ge=1, le=100_000_000)
    status_callbacks: bool = True
    inbound: bool = True
    stop_confirmation: bool = True
    dpa_signed: date | None = None
    accepted_transfer_note: str = ""
    part_price: PartPrice = Decimal("0.08")
    prices: CountryPrices = Field(default_factory=dict)
    most_parts: int = Field(default=3, ge=1, le=10)
    campaign_ceiling: Decimal = Field(default=Decimal(200), ge=0, le=1_000_000)
    year_ceiling: Decimal = Field(default=Decimal(1500), ge=0, le=1_000_000)

    @property
    def stays_here(self) -> bool:
        """Say whether text messages go no further than this machine."""
        return self.provider is SmsProvider.PREVIEW or urlsplit(self.base_url).hostname in LOOPBACK

    @property
    def pace(self) -> Pace | None:
        """Return how fast text messages may leave."""
        told = self.per_second or self.per_minute or self.per_hour
        usual = self.per_second if told or self.stays_here else USUAL_PER_SECOND
        return Pace.of(per_second=usual, per_minute=self.per_minute, per_hour=self.per_hour, per_day=self.per_day)
