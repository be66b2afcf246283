"""The form of a campaign file, key by key."""

import re
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from dispatcher.rules.calendar import LocalTimeError, local_date, to_utc
from dispatcher.rules.campaign import Audience, Campaign, Channel, Kind, Language

_FINNISH_MOMENT = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}) (?:klo )?(\d{1,2})[.:](\d{2})")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LANGUAGES = frozenset(Language)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AudienceForm(_Part):
    """[audience]: the only facts that may divide clients (L-43)."""

    languages: frozenset[Language] = frozenset()
    visited_since: date | None = None
    visited_until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "AudienceForm":
        if self.visited_since and self.visited_until and self.visited_since > self.visited_until:
            raise ValueError("visited_since must not lie after visited_until")
        return self


class CampaignForm(_Part):
    """A whole campaign file; validated with the business zone in the context."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Kind
    send_at: datetime
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    subject: dict[Language, Annotated[str, Field(min_length=1, max_length=150)]]
    template: Annotated[str, Field(max_length=60)] | None = None
    valid_until: date | None = None
    audience: AudienceForm = AudienceForm()
    offer: dict[str, Any] = Field(default_factory=dict)

    @field_validator("title", "subject", mode="after")
    @classmethod
    def _one_line(cls, value: str | dict[Language, str]) -> str | dict[Language, str]:
        for text in value.values() if isinstance(value, dict) else [value]:
            # A header can be broken by any of these, and nothing readable is lost by refusing them (E-25).
            if any(unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} for char in text):
                raise ValueError("write it on one line, without control characters")
            if not text.strip():
                raise ValueError("write something here")
        return value

    @field_validator("send_at", mode="before")
    @classmethod
    def _moment(cls, value: object, info: ValidationInfo) -> datetime:
        moment = _finnish(value) if isinstance(value, str) else value
        if isinstance(moment, datetime):
            try:
                return to_utc(moment, _zone(info))
            except LocalTimeError as error:
                raise ValueError(str(error)) from None
        raise ValueError('write the local day and hour, as 2026-03-17T10:00:00 or "17.3.2026 10.00"')

    @field_validator("channels", mode="after")
    @classmethod
    def _each_once(cls, value: tuple[Channel, ...]) -> tuple[Channel, ...]:
        if len(set(value)) != len(value):
            raise ValueError("name each channel once, in order of preference")
        return value

    @field_validator("template", mode="after")
    @classmethod
    def _plain_name(cls, value: str | None) -> str | None:
        if value is not None and not _SLUG.fullmatch(value):
            raise ValueError("write the name of a template folder: lower-case letters, digits, hyphens, underscores")
        return value

    @field_validator("offer", mode="after")
    @classmethod
    def _plain_fields(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {name: _offer_value(name, field) for name, field in value.items()}

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> "CampaignForm":
        wanted = self.audience.languages or _LANGUAGES
        missing = sorted(wanted - self.subject.keys())
        if Channel.EMAIL in self.channels and missing:
            raise ValueError(
                f"[subject] lacks {', '.join(missing)}: write it, or narrow the audience: [audience] languages = [...]"
            )
        if self.valid_until and self.valid_until < local_date(self.send_at, _zone(info)):
            raise ValueError("valid_until lies before send_at: the offer would have ended before anybody reads of it")
        return self

    def campaign(self, name: str) -> Campaign:
        """Return the campaign of this form under its name."""
        return Campaign(
            name=name,
            title=self.title,
            kind=self.kind,
            send_at=self.send_at,
            channels=self.channels,
            subject=self.subject,
            template=self.template or self.kind.value,
            audience=Audience(self.audience.languages, self.audience.visited_since, self.audience.visited_until),
            valid_until=self.valid_until,
            fields=self.offer,
        )


def _zone(info: ValidationInfo) -> ZoneInfo:
    zone: ZoneInfo = (info.context or {})["zone"]
    return zone


def _finnish(text: str) -> datetime | str:
    """Read `17.3.2026 10.00` and ISO text; anything else stays as it is, to be refused."""
    found = _FINNISH_MOMENT.fullmatch(text.strip())
    try:
        if found:
            day, month, year, hour, minute = (int(part) for part in found.groups())
            return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - a wall-clock time; `to_utc` gives it its zone
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return text


def _offer_value(name: str, value: object) -> object:
    if not name.isidentifier():
        raise ValueError(f"{name!r} cannot be used in a template: write letters, digits and underscores")
    if isinstance(value, dict):
        unknown = sorted(set(value) - {language.value for language in Language})
        if unknown:
            raise ValueError(f"{name} names the languages {', '.join(unknown)}: there are fi, sv and en")
        if not all(isinstance(text, str) for text in value.values()):
            raise ValueError(f"{name} has a text for each language, in quotes")
        return {Language(language): text for language, text in value.items()}
    if isinstance(value, bool) or not isinstance(value, (str, int, float, date)):
        raise ValueError(  # noqa: TRY004 - pydantic collects ValueError
            f"{name} must be a text, a number, a date, or a table {{ fi = ..., sv = ..., en = ... }}"
        )
    return value
