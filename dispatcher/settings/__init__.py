"""The settings: dispatcher.toml and the environment, read once, checked at once.

This is the only place that reads the environment. What a variable `DISPATCHER_EMAIL__HOST` says stands above `[email]
host` in the file. Passwords are never in the file: they come from the environment or from the secrets file.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as VariableError

from dispatcher.errors import SettingsError
from dispatcher.keys import KeyRing, read_ring
from dispatcher.rules.places import check_company
from dispatcher.settings.carriers import EmailProvider, EmailSection, SmsProvider, SmsSection
from dispatcher.settings.mailbox import MailboxProvider, MailboxSection, check_addresses
from dispatcher.settings.sections import (
    AnswerSection,
    ConsentSection,
    CredentialsSection,
    DatabaseSection,
    RegisterSection,
    RetentionSection,
    SendingSection,
    SignUpSection,
    StudioSection,
    WebSection,
    WindowSection,
    YearSection,
)

__all__ = [
    "EU_TWILIO",
    "FILE",
    "SECRETS",
    "AnswerSection",
    "EmailProvider",
    "MailboxProvider",
    "RegisterSection",
    "Settings",
    "SmsProvider",
    "WindowSection",
    "YearSection",
    "read_secrets",
    "read_settings",
    "workspace",
]

EU_TWILIO = ("ie1", "dublin")
"""Region and edge of the only host of Twilio's in the EU (S-20)."""
FILE = "dispatcher.toml"
SECRETS = "secrets.toml"
_PREFIX = "DISPATCHER_"
_WANTED = {
    "missing": "this is missing",
    "extra_forbidden": "there is no such setting: docs/settings.md has them all",
    "bool_": "write true or false",
    "int_": "write a whole number",
    "decimal_": "write an amount in euros, as 0.08",
    "date": "write a day as 2026-05-04",
    "string_type": "write a text between quotes",
    "string_pattern_mismatch": 'write two capital letters, such as "FI"',
}
"""What to write, by how pydantic's name of the fault begins."""


class Settings(BaseSettings):
    """Everything the owner has chosen, checked."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=_PREFIX, env_prefix_target="all", env_nested_delimiter="__"
    )

    eu_only: bool = True
    studio: StudioSection
    email: EmailSection
    sms: SmsSection = SmsSection()
    mailbox: MailboxSection = MailboxSection()
    database: DatabaseSection = DatabaseSection()
    sending: SendingSection = SendingSection()
    consent: ConsentSection = ConsentSection()
    sign_up: SignUpSection = SignUpSection()
    retention: RetentionSection = RetentionSection()
    # `register` itself is a name of the metaclass; the prefix stands before the alias too, in the environment.
    register_: RegisterSection = Field(default=RegisterSection(), alias="register")
    web: WebSection = WebSection()
    year: YearSection = YearSection()
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
    def _mailbox_stays_in_the_eu(self) -> Self:
        box = self.mailbox
        box.check_reachable()
        if box.is_read:
            check_addresses(self.inbox_address, self.bounce_address)
        if not box.stays_here:
            check_company("mailbox", "IMAP server", box.country, box.dpa_signed, eu_only=self.eu_only)
        return self

    @property
    def inbox_address(self) -> str:
        """Return the address of the inbox that answers come to."""
        return self.mailbox.address or self.studio.email

    @property
    def bounce_address(self) -> str:
        """Return the sender of envelopes; where an inbox is read, what comes back is read there."""
        return self.email.bounces or (self.inbox_address if self.mailbox.is_read else self.email.sender)

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
        if self.eu_only and (sms.region, sms.edge) != EU_TWILIO:
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
