"""The tables of dispatcher.toml, each a value whose every key has been checked."""

from datetime import date, datetime, time
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.places import are_one, server
from dispatcher.settings.fields import (
    Country,
    DayOfTheYear,
    Hour,
    MailAddress,
    OwnAddress,
    Proxy,
    Section,
    WebAddress,
    Zone,
)


class StudioSection(Section):
    """[studio]: who sends, as every message and page says it (L-20)."""

    name: str = Field(min_length=2, max_length=80)
    business_id: str = Field(min_length=3)
    postal_address: str = Field(min_length=5)
    email: MailAddress
    phone: str = Field(min_length=5)
    booking_url: WebAddress
    public_url: OwnAddress
    sms_url: OwnAddress | None = None
    notice: dict[Language, WebAddress]

    @model_validator(mode="after")
    def _notice_in_finnish(self) -> Self:
        if Language.FI not in self.notice:
            raise ValueError('notice needs the address of the Finnish privacy notice: fi = "https://…"')
        return self

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if self.sms_url and urlsplit(self.sms_url).path.rstrip("/") != urlsplit(self.public_url).path.rstrip("/"):
            raise ValueError("sms_url is another host for the same pages: its path is that of public_url")
        return self


class NotedDaySection(Section):
    """[[year.days]]: a day clients mark; `on` is a date or "MM-DD" for every year, `week` the Monday of an ISO week."""

    name: str = Field(min_length=2, max_length=80)
    on: date | DayOfTheYear | None = None
    week: int | None = Field(default=None, ge=1, le=53)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.on is None) == (self.week is None):
            raise ValueError("write either on or week")
        return self


class YearSection(Section):
    """[year]: which days, beside the public holidays, a campaign is suggested before, and how long before."""

    lead_days: int = Field(default=10, ge=1, le=60)
    days: tuple[NotedDaySection, ...] = ()


class DatabaseSection(Section):
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


class WindowSection(Section):
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


class SendingSection(Section):
    """[sending]: when messages may leave.

    `window` is how many hand-offs may be under way at most: what nobody knows the fate of after a crash. Fewer are,
    where the connections take fewer in a second.
    """

    zone: Zone = "Europe/Helsinki"
    grace_minutes: int = Field(default=120, ge=1, le=720)
    window: int = Field(default=128, ge=1, le=512)
    email: WindowSection = WindowSection(opens="07:00", closes="21:00")
    sms: WindowSection = WindowSection(
        opens="09:00", closes="20:00", weekdays=frozenset(range(1, 7)), on_holidays=False
    )


class ConsentSection(Section):
    """[consent]: how long a yes stands, and how it is kept alive; the notice promises a year, so never more (L-08).

    In the last `renew_days` of a yes a campaign asks whether to go on. A visit is booked at most `booking_lead_days`
    before it. `receipt_email` and `receipt_sms`: an address typed at the desk gets a receipt before any offer (L-05).
    """

    valid_days: int = Field(default=365, ge=1, le=365)
    renew_days: int = Field(default=60, ge=0, le=120)
    booking_lead_days: int = Field(default=90, ge=0, le=365)
    receipt_email: bool = True
    receipt_sms: bool = False


class SignUpSection(Section):
    """[sign_up]: the public page on which anybody may say yes, confirmed from the address itself (E-46)."""

    enabled: bool = False
    channels: tuple[Channel, ...] = Field(default=(Channel.EMAIL,), min_length=1)
    confirm_within_days: int = Field(default=7, ge=1, le=30)


class RetentionSection(Section):
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


class AnswerSection(Section):
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


class RegisterSection(Section):
    """[register]: what the columns of the booking system's export mean; common names are known already."""

    region: Country = "FI"
    columns: dict[str, str] = Field(default_factory=dict)
    answers: tuple[AnswerSection, ...] = ()


class WebSection(Section):
    """[web]: where the opt-out page listens; a web server with TLS stands before it.

    `proxies` are the addresses of web servers that are believed when they say who the visitor is. `request_log` writes
    a line for each request, without token, address or visitor.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=1, le=65535)
    proxies: tuple[Proxy, ...] = ()
    request_log: bool = False


class CredentialsSection(Section):
    """Passwords, from variables such as `DISPATCHER_CREDENTIALS__SMTP_PASSWORD`; the secrets file has the others."""

    smtp_password: SecretStr = SecretStr("")
    mailbox_password: SecretStr = SecretStr("")
    twilio_api_secret: SecretStr = SecretStr("")
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_shared_key: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    dkim_key: SecretStr = SecretStr("")
    dkim_ed25519_key: SecretStr = SecretStr("")
