"""The tables of dispatcher.toml, each a value whose every key has been checked."""

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from dispatcher.rules.address import AddressError, canonical_email
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.cost import COUNTRIES
from dispatcher.rules.pace import Pace
from dispatcher.rules.places import LOOPBACK, are_one, server, web_address
from dispatcher.rules.signing import domain, selector
from dispatcher.rules.sms_sender import checked_sender
from dispatcher.rules.sms_words import is_shortener


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("this is no time zone; write for example Europe/Helsinki") from None
    return name


def _mail_address(text: str) -> str:
    try:
        return canonical_email(text)
    except AddressError as error:
        raise ValueError(f"this is no email address: {error}") from None


def _proxy(text: str) -> str:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError("write addresses of web servers, such as 127.0.0.1 or 10.0.0.0/24") from None
    if network.prefixlen == 0:
        raise ValueError("this is everybody, and then any visitor could say to be another: name your web servers")
    return text


def _hour(text: str) -> str:
    try:
        if time.fromisoformat(text).tzinfo is None:
            return text
    except ValueError:
        pass
    raise ValueError("write an hour of the day as 09:00")


def _day_of_the_year(text: str) -> str:
    try:
        date.fromisoformat(f"2000-{text}")
    except ValueError:
        raise ValueError('write a day as 2026-09-05, or as "09-05" for every year') from None
    return text


def _own_address(text: str) -> str:
    address = web_address(text)
    if is_shortener(urlsplit(address).hostname or ""):
        raise ValueError("this shortens other people's addresses: the links of messages are at a domain of your own")
    return address


def _sms_sender(text: str) -> str:
    return checked_sender(text) if text else text


def _country_codes(prices: dict[str, Decimal]) -> dict[str, Decimal]:
    named = {country.upper(): price for country, price in prices.items()}  # the environment knows no capitals
    strange = [country for country in prices if country.upper() not in COUNTRIES]
    if strange:
        raise ValueError(
            f"{strange[0]} is no country: write two letters, as FI = 0.08, and the price everywhere else as part_price"
        )
    return named


WebAddress = Annotated[str, AfterValidator(web_address)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Hour = Annotated[str, AfterValidator(_hour)]
Selector = Annotated[str, AfterValidator(selector)]
Domain = Annotated[str, AfterValidator(domain)]
Proxy = Annotated[str, AfterValidator(_proxy)]
USUAL_PER_HOUR = 200
"""Mails an hour that a small provider accepts."""
USUAL_PER_SECOND = 10
"""Text messages a second that the service accepts from one sender."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
PartPrice = Annotated[Decimal, Field(ge=0, le=10, max_digits=8)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class StudioSection(_Section):
    """[studio]: who sends, as every message and page says it (L-20)."""

    name: str = Field(min_length=2, max_length=80)
    business_id: str = Field(min_length=3)
    postal_address: str = Field(min_length=5)
    email: MailAddress
    phone: str = Field(min_length=5)
    booking_url: WebAddress
    public_url: Annotated[str, AfterValidator(_own_address)]
    notice: dict[Language, WebAddress]

    @model_validator(mode="after")
    def _notice_in_finnish(self) -> Self:
        if Language.FI not in self.notice:
            raise ValueError('notice needs the address of the Finnish privacy notice: fi = "https://…"')
        return self


class NotedDaySection(_Section):
    """[[year.days]]: a day clients mark; `on` is a date or "MM-DD" for every year, `week` the Monday of an ISO week."""

    name: str = Field(min_length=2, max_length=80)
    on: date | Annotated[str, AfterValidator(_day_of_the_year)] | None = None
    week: int | None = Field(default=None, ge=1, le=53)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.on is None) == (self.week is None):
            raise ValueError("write either on or week")
        return self


class YearSection(_Section):
    """[year]: which days, beside the public holidays, a campaign is suggested before, and how long before."""

    lead_days: int = Field(default=10, ge=1, le=60)
    days: tuple[NotedDaySection, ...] = ()


class DatabaseSection(_Section):
    """[database]: SQLite in the workspace by default; on PostgreSQL the journal needs a database of its own.

    `country` and `dpa_signed` speak of the company whose machine a PostgreSQL server is (L-39, L-42).
    """

    url: str = Field(default="sqlite:///dispatcher.db", repr=False)
    journal: str = Field(default="dispatcher.journal", repr=False)
    country: Country | None = None
    dpa_signed: date | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.url.startswith("postgresql") and not self.journal.startswith("postgresql"):
            raise ValueError("with PostgreSQL, journal is the URL of a second database, kept and backed up apart")
        if are_one(self.url, self.journal):
            raise ValueError("url and journal name one database: journal is a second one, kept and backed up apart")
        return self

    @property
    def stays_here(self) -> bool:
        """Say whether database and journal go no further than this machine."""
        return all(place is None or place.is_here for place in (server(self.url), server(self.journal)))


class EmailProvider(StrEnum):
    """What carries emails."""

    PREVIEW = "preview"
    SMTP = "smtp"


class SmsProvider(StrEnum):
    """What carries text messages."""

    PREVIEW = "preview"
    TWILIO = "twilio"


class DkimSection(_Section):
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


class EmailSection(_Section):
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


class SmsSection(_Section):
    """[sms]: how text messages leave (S-11, S-20, L-42), and what they may cost in euros (S-05).

    With `status_callbacks` the provider tells what became of each, where a secret is there to know it by (S-30).

    A campaign that would cost more than its ceiling, or take the calendar year above the year's, cannot be scheduled.
    `prices` are of one part, by country; `part_price` is the price everywhere else.
    """

    provider: SmsProvider = SmsProvider.PREVIEW
    sender: Annotated[str, AfterValidator(_sms_sender)] = ""
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
    dpa_signed: date | None = None
    accepted_transfer_note: str = ""
    part_price: PartPrice = Decimal("0.08")
    prices: Annotated[dict[str, PartPrice], AfterValidator(_country_codes)] = Field(default_factory=dict)
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


class WindowSection(_Section):
    """The hours and days of one channel (S-14); `weekdays` count from Monday, 1, to Sunday, 7."""

    opens: Hour
    closes: Hour
    weekdays: frozenset[Annotated[int, Field(ge=1, le=7)]] = frozenset(range(1, 8))
    on_holidays: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if time.fromisoformat(self.opens) >= time.fromisoformat(self.closes):
            raise ValueError("opens must come before closes, on one day")
        if not self.weekdays:
            raise ValueError("weekdays must name at least one day")
        return self


class SendingSection(_Section):
    """[sending]: when messages may leave.

    `window` is how many hand-offs may be under way at most: what nobody knows the fate of after a crash. Fewer are,
    where the connections take fewer in a second.
    """

    zone: Annotated[str, AfterValidator(_zone)] = "Europe/Helsinki"
    grace_minutes: int = Field(default=120, ge=1, le=720)
    window: int = Field(default=128, ge=1, le=512)
    email: WindowSection = WindowSection(opens="07:00", closes="21:00")
    sms: WindowSection = WindowSection(
        opens="09:00", closes="20:00", weekdays=frozenset(range(1, 7)), on_holidays=False
    )


class ConsentSection(_Section):
    """[consent]: how long a yes stands, and how it is kept alive; the notice promises a year, so never more (L-08).

    In the last `renew_days` of a yes a campaign asks whether to go on. A visit is booked at most `booking_lead_days`
    before it. `receipt_email` and `receipt_sms`: an address typed at the desk gets a receipt before any offer (L-05).
    """

    valid_days: int = Field(default=365, ge=1, le=365)
    renew_days: int = Field(default=60, ge=0, le=120)
    booking_lead_days: int = Field(default=90, ge=0, le=365)
    receipt_email: bool = True
    receipt_sms: bool = False


class SignUpSection(_Section):
    """[sign_up]: the public page on which anybody may say yes, confirmed from the address itself (E-46)."""

    enabled: bool = False
    channels: tuple[Channel, ...] = Field(default=(Channel.EMAIL,), min_length=1)
    confirm_within_days: int = Field(default=7, ge=1, le=30)


class RetentionSection(_Section):
    """[retention]: how long what is kept (L-36, L-37); the notice prints every period.

    `client_days` after the last visit a client is removed, `gone_days` after the register named them last. Nobody is
    removed unless a register was read within `register_days`. `backup_days` is how long copies of the database live,
    `ledger_years` how many closed years the ledger keeps beside the running one.
    """

    client_days: int = Field(default=365, ge=30, le=365)
    gone_days: int = Field(default=30, ge=1, le=90)
    register_days: int = Field(default=31, ge=1, le=92)
    backup_days: int = Field(default=90, ge=1, le=365)
    ledger_years: int = Field(default=2, ge=1, le=10)


class AnswerSection(_Section):
    """[[register.answers]]: one column that answers the marketing question, and what the file does not say about it.

    `yes`, `no`, `withdrawn` and `not_asked` are the words of its cells where the usual ones do not fit, as for a column
    of bans.
    """

    column: str = Field(min_length=1)
    channels: tuple[Channel, ...] = Field(min_length=1)
    place: Place | None = None
    wording: str | None = None
    asked_column: str | None = None
    place_column: str | None = None
    wording_column: str | None = None
    not_before: datetime | date | None = None
    not_after: datetime | date | None = None
    closes_all: bool = False
    yes: frozenset[str] | None = None
    no: frozenset[str] | None = None
    withdrawn: frozenset[str] | None = None
    not_asked: frozenset[str] | None = None


class RegisterSection(_Section):
    """[register]: what the columns of the booking system's export mean; common names are known already."""

    region: Country = "FI"
    columns: dict[str, str] = Field(default_factory=dict)
    answers: tuple[AnswerSection, ...] = ()


class WebSection(_Section):
    """[web]: where the opt-out page listens; a web server with TLS stands before it.

    `proxies` are the addresses of web servers that are believed when they say who the visitor is.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=1, le=65535)
    proxies: tuple[Proxy, ...] = ()


class CredentialsSection(_Section):
    """Passwords, from variables such as `DISPATCHER_CREDENTIALS__SMTP_PASSWORD`; the secrets file has the others."""

    smtp_password: SecretStr = SecretStr("")
    twilio_api_secret: SecretStr = SecretStr("")
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_shared_key: SecretStr = SecretStr("")
    dkim_key: SecretStr = SecretStr("")
    dkim_ed25519_key: SecretStr = SecretStr("")
