"""The settings: dispatcher.toml and the environment, read once, checked at once.

This is the only place that reads the environment. What a variable `DISPATCHER_EMAIL__HOST` says stands above `[email]
host` in the file. Passwords are never in the file: they come from the environment or from the secrets file.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as VariableError

from dispatcher.errors import SettingsError
from dispatcher.keys import KeyRing, read_ring
from dispatcher.rules.address import AddressError, canonical_email
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.places import LOOPBACK, are_one, check_company, server, web_address

FILE = "dispatcher.toml"
SECRETS = "secrets.toml"
_PREFIX = "DISPATCHER_"
_WANTED = {
    "missing": "this is missing",
    "extra_forbidden": "there is no such setting: docs/settings.md has them all",
    "bool_": "write true or false",
    "int_": "write a whole number",
    "date": "write a day as 2026-05-04",
    "string_type": "write a text between quotes",
    "string_pattern_mismatch": 'write two capital letters, such as "FI"',
}
"""What to write, by how pydantic's name of the fault begins."""


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


def _hour(text: str) -> str:
    try:
        if time.fromisoformat(text).tzinfo is None:
            return text
    except ValueError:
        pass
    raise ValueError("write an hour of the day as 09:00")


WebAddress = Annotated[str, AfterValidator(web_address)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Hour = Annotated[str, AfterValidator(_hour)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


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
    public_url: WebAddress
    notice: dict[Language, WebAddress]

    @model_validator(mode="after")
    def _notice_in_finnish(self) -> Self:
        if Language.FI not in self.notice:
            raise ValueError('notice needs the address of the Finnish privacy notice: fi = "https://…"')
        return self


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
    country: Country | None = None
    dpa_signed: date | None = None

    @property
    def stays_here(self) -> bool:
        """Say whether mail goes no further than this machine."""
        return self.provider is EmailProvider.PREVIEW or self.host in LOOPBACK


class SmsSection(_Section):
    """[sms]: how text messages leave (S-11, S-20, L-42)."""

    provider: SmsProvider = SmsProvider.PREVIEW
    sender: str = ""
    sender_authorised_on: date | None = None
    account_sid: str = ""
    api_key: str = ""
    region: str = "ie1"
    edge: str = "dublin"
    base_url: str = ""
    sessions: int = Field(default=4, ge=1, le=50)
    dpa_signed: date | None = None
    accepted_transfer_note: str = ""

    @property
    def stays_here(self) -> bool:
        """Say whether text messages go no further than this machine."""
        return self.provider is SmsProvider.PREVIEW or urlsplit(self.base_url).hostname in LOOPBACK


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
    """[sending]: when messages may leave, and how many are taken at once."""

    zone: Annotated[str, AfterValidator(_zone)] = "Europe/Helsinki"
    grace_minutes: int = Field(default=120, ge=1, le=720)
    batch: int = Field(default=16, ge=1, le=128)
    email: WindowSection = WindowSection(opens="07:00", closes="21:00")
    sms: WindowSection = WindowSection(
        opens="09:00", closes="20:00", weekdays=frozenset(range(1, 7)), on_holidays=False
    )


class ConsentSection(_Section):
    """[consent]: how long a yes stands; the notice promises a year, so never more (L-08)."""

    valid_days: int = Field(default=365, ge=1, le=365)


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
    """[web]: where the opt-out page listens; a web server with TLS stands before it."""

    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=1, le=65535)


class CredentialsSection(_Section):
    """Passwords, from variables such as `DISPATCHER_CREDENTIALS__SMTP_PASSWORD`; the secrets file has the others."""

    smtp_password: SecretStr = SecretStr("")
    twilio_api_secret: SecretStr = SecretStr("")


class Settings(BaseSettings):
    """Everything the owner has chosen, checked."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=_PREFIX, env_prefix_target="all", env_nested_delimiter="__"
    )

    eu_only: bool = True
    studio: StudioSection
    email: EmailSection
    sms: SmsSection = SmsSection()
    database: DatabaseSection = DatabaseSection()
    sending: SendingSection = SendingSection()
    consent: ConsentSection = ConsentSection()
    # `register` itself is a name of the metaclass; the prefix stands before the alias too, in the environment.
    register_: RegisterSection = Field(default=RegisterSection(), alias="register")
    web: WebSection = WebSection()
    credentials: CredentialsSection = CredentialsSection()

    @model_validator(mode="after")
    def _email_stays_in_the_eu(self) -> Self:
        email = self.email
        if email.provider is EmailProvider.SMTP and not email.host:
            raise ValueError("[email] host is missing: write the name of your mail server")
        if email.stays_here:
            return self
        if email.sender.endswith(".example"):
            raise ValueError(f"[email] sender is still {email.sender}: write the address your mails come from")
        check_company("email", "mail server", email.country, email.dpa_signed, eu_only=self.eu_only)
        return self

    @model_validator(mode="after")
    def _database_stays_in_the_eu(self) -> Self:
        kept = self.database
        if not kept.stays_here:
            check_company("database", "database server", kept.country, kept.dpa_signed, eu_only=self.eu_only)
        return self

    @model_validator(mode="after")
    def _sms_stays_in_the_eu(self) -> Self:
        sms = self.sms
        if sms.stays_here:
            return self
        if self.eu_only and (sms.region, sms.edge) != ("ie1", "dublin"):
            raise ValueError('[sms] region must be "ie1" and edge "dublin": no other Twilio host is in the EU')
        if self.eu_only and not sms.accepted_transfer_note:
            raise ValueError(
                "[sms] accepted_transfer_note is missing: Twilio's support may reach data from outside the EU. Write "
                'why you accept that (the audit prints it), or leave provider = "preview"'
            )
        if sms.dpa_signed is None:
            raise ValueError("[sms] dpa_signed is missing: the date of your contract with Twilio")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment stand above the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def workspace(named: str | None) -> Path:
    """Return the workspace: the folder named, else `DISPATCHER_WORKSPACE`, else the current one."""
    return Path(named or os.environ.get("DISPATCHER_WORKSPACE") or ".").resolve()  # noqa: TID251 - its one home


def read_settings(directory: Path) -> Settings:
    """Read and check the settings of a workspace. Raises SettingsError naming every key at fault and what to write."""
    path = directory / FILE
    if not path.is_file():
        raise SettingsError(
            f"There is no {FILE} in {directory}: go to your workspace, name it with --workspace DIR, or begin one with "
            "`dispatcher init DIR`."
        )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        _refuse_passwords(found)
        _refuse_strange_variables()
        return Settings(**found)
    except ValidationError as error:
        raise SettingsError("\n".join(dict.fromkeys(_sentence(fault) for fault in error.errors()))) from None
    except VariableError as error:
        raise SettingsError(f"In the environment: {error}. Write each setting as one variable.") from None
    except (ValueError, OSError) as error:
        raise SettingsError(f"{FILE} cannot be read: {error}.") from None


def read_secrets(directory: Path) -> KeyRing:
    """Read the secrets file of a workspace. Raises SettingsError."""
    return read_ring(directory / SECRETS)


def _refuse_passwords(found: Mapping[str, Any]) -> None:
    if "credentials" in found:
        raise SettingsError(f"{FILE} holds [credentials]: move them to {SECRETS}, and change the passwords.")
    database = found.get("database")
    for key, url in database.items() if isinstance(database, dict) else ():
        if isinstance(url, str) and urlsplit(url).password:
            raise SettingsError(f"{FILE} holds a password in [database] {key}: move it to ~/.pgpass, and change it.")


def _variables() -> list[str]:
    return [name.upper() for name in os.environ if name.upper().startswith(_PREFIX)]  # noqa: TID251 - its one home


def _refuse_strange_variables() -> None:
    """Refuse a variable that is written as a setting but names no section: a misspelt one must not go unheard."""
    sections = [field.alias or name for name, field in Settings.model_fields.items()]
    for name in _variables():
        section, nested, _ = name.removeprefix(_PREFIX).lower().partition("__")
        if nested and section not in sections:
            raise SettingsError(f"{name}: there is no [{section}]. The sections are {', '.join(sections)}.")


def _sentence(fault: Mapping[str, Any]) -> str:
    """Return where the fault is and what to write there; never the value, which may be a secret."""
    where = list(fault["loc"])
    while where and (isinstance(where[-1], int) or where[-1] in {"[key]", "date", "datetime"}):
        del where[-1]
    message = fault["msg"].removeprefix("Value error, ")
    for beginning, wanted in _WANTED.items():
        if fault["type"].startswith(beginning):
            message = wanted
    return f"{_place(where)}: {message.rstrip('.')}."


def _place(where: Sequence[int | str]) -> str:
    """Return the variable of the environment that a setting came from, else its table and key in the file."""
    variable = _PREFIX + "__".join(str(part) for part in where).upper()
    if not where or variable in _variables():
        return variable if where else FILE
    table = ".".join(str(part) for part in where[:-1] if isinstance(part, str))
    numbers = [part + 1 for part in where if isinstance(part, int)]
    if numbers:
        return f"{FILE}: [[{table}]] number {numbers[0]}, {where[-1]}"
    return f"{FILE}: [{table}] {where[-1]}" if table else f"{FILE}: {where[-1]}"
