"""The form of a campaign file, key by key; what each key takes is said where it is refused."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)

from dispatcher.rules.calendar import LocalTimeError, local_date, to_utc
from dispatcher.rules.campaign import Audience, Campaign, Channel, Kind, Language

LONGEST_LINE = 150
"""Characters of a subject or a title."""
_LONGEST_TEXT = 10_000
_LARGEST_NUMBER = 1_000_000
_YEARS = range(2000, 2200)
_INVISIBLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TEMPLATE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_FINNISH_DAY = r"(\d{1,2})\.(\d{1,2})\.(\d{4})"
_FINNISH_DATE = re.compile(_FINNISH_DAY)
_FINNISH_MOMENT = re.compile(_FINNISH_DAY + r"\s+(?:klo\s+)?(\d{1,2})[.:](\d{2})")
_ISO_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[+-]\d\d:\d\d|Z)?")
_Word = TypeVar("_Word", bound=str)
_Day = TypeVar("_Day", bound=date)
_MOMENT_FORM = 'write the local day and hour, as 2026-03-17T10:00:00 or "17.3.2026 10:00"'
_DATE_FORM = "write a date without an hour, as 2026-04-30"


def needs_of(raw: Mapping[str, object]) -> dict[str, frozenset[str]]:
    """Return the languages in which a file needs texts, and those in which it needs a subject.

    Read before anything is judged, so that what is missing is reported together with what is wrong elsewhere.
    """
    audience, channels = raw.get("audience"), raw.get("channels")
    named = audience.get("languages") if isinstance(audience, dict) else None
    chosen = {str(name) for name in named} & set(Language) if isinstance(named, list) else set()
    texts = frozenset(language.value for language in chosen or Language)
    by_mail = not isinstance(channels, list) or Channel.EMAIL.value in channels or Channel.SMS.value not in channels
    return {"texts": texts, "subjects": texts | {Language.FI.value} if by_mail else frozenset()}


def _line(value: object) -> str:
    """Return a text that can stand in a mail's header (E-25)."""
    if not isinstance(value, str):
        raise ValueError("write a text between quotes")  # noqa: TRY004 - pydantic collects ValueError
    if any(unicodedata.category(char) in _INVISIBLE for char in value):
        raise ValueError("write it on one line, without tabs or other control characters")
    if not value.strip():
        raise ValueError("write something between the quotes")
    if len(value) > LONGEST_LINE:
        raise ValueError(f"{len(value)} characters are too many: write {LONGEST_LINE} at most")
    return value


def _text(value: object) -> str:
    """Return a text of the offer: of several lines, if need be."""
    if not isinstance(value, str):
        raise ValueError("write a text between quotes")  # noqa: TRY004 - pydantic collects ValueError
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"{len(value)} characters are too many: write {_LONGEST_TEXT} at most")
    hidden = next((char for char in value if unicodedata.category(char) in _INVISIBLE and char not in "\n\t"), None)
    if hidden is not None:
        raise ValueError(f"it holds the invisible character U+{ord(hidden):04X}: take it out")
    return value


def _plain(value: object) -> str | int | float | date:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return _day(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not (math.isfinite(value) and abs(value) <= _LARGEST_NUMBER):
            raise ValueError(f"write a number up to {_LARGEST_NUMBER}, or a text between quotes")
        return value
    raise ValueError('write a text, a number, a date, or a text per language: { fi = "...", sv = "...", en = "..." }')


def _field_name(name: str) -> str:
    if not name.isidentifier() or name.startswith("_"):
        raise ValueError("a template cannot name it so: write letters, digits and underscores, a letter first")
    return name


def _one_of(*choices: str) -> BeforeValidator:
    """Return what lets through nothing but these words."""

    def check(value: object) -> object:
        if value not in choices:
            raise ValueError("write " + " or ".join(f'"{choice}"' for choice in choices))
        return value

    return BeforeValidator(check)


def _named_once(values: tuple[_Word, ...]) -> tuple[_Word, ...]:
    if not values:
        raise ValueError("the list is empty: name at least one, or leave the key out where it may be")
    if len(set(values)) < len(values):
        raise ValueError("name each of them once")
    return values


def _template_name(value: object) -> str:
    if not isinstance(value, str) or not _TEMPLATE.fullmatch(value):
        raise ValueError("write the name of a template: lower-case letters, digits, hyphens and underscores")
    return value


def _day(value: object) -> date:
    found = value
    if isinstance(value, str) and (written := _FINNISH_DATE.fullmatch(value.strip())):
        found = date.fromisoformat(f"{written[3]}-{written[2]:0>2}-{written[1]:0>2}")
    if not isinstance(found, date) or isinstance(found, datetime):
        raise ValueError(_DATE_FORM)
    return _in_years(found)


def _moment(value: object, info: ValidationInfo) -> datetime:
    """Return the instant of a local time; an offset may only settle which of two like hours is meant."""
    zone = _zone(info)
    local = _in_years(_written_moment(value))
    if local.tzinfo is None:
        return to_utc(local, zone)
    wall = local.replace(tzinfo=None)
    try:
        to_utc(wall, zone)
    except LocalTimeError:
        if local.astimezone(zone).replace(tzinfo=None) == wall:
            return to_utc(local, zone)
        raise
    raise ValueError(
        f"write the local time without an offset, {wall:%Y-%m-%dT%H:%M:%S}: "
        "an offset only tells apart the hour that happens twice in autumn"
    )


def _written_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if written := _FINNISH_MOMENT.fullmatch(text):
        day, month, year, hour, minute = written.groups()
        text = f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}"
    if _ISO_MOMENT.fullmatch(text):
        return datetime.fromisoformat(text)
    raise ValueError(_MOMENT_FORM)


def _in_years(day: _Day) -> _Day:
    if day.year not in _YEARS:
        raise ValueError(f"the year {day.year} cannot be meant: write one from {_YEARS[0]} to {_YEARS[-1]}")
    return day


def _zone(info: ValidationInfo) -> ZoneInfo:
    zone: ZoneInfo = (info.context or {})["zone"]
    return zone


_Channel = Annotated[Channel, _one_of(*Channel)]
_Language = Annotated[Language, _one_of(*Language)]
_Date = Annotated[date, BeforeValidator(_day)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PerLanguage(_Part):
    """A text in each language the audience reads; which ones those are stands in the context."""

    need: ClassVar[str] = "texts"

    fi: str | None = Field(default=None, validate_default=True)
    sv: str | None = Field(default=None, validate_default=True)
    en: str | None = Field(default=None, validate_default=True)

    @field_validator("fi", "sv", "en", mode="before")
    @classmethod
    def _given(cls, value: object, info: ValidationInfo) -> str | None:
        if value is not None:
            return cls.read(value)
        if info.field_name in (info.context or {})["needs"][cls.need]:
            raise ValueError(
                f'this language is missing: write {info.field_name} = "..."'
                + ("" if info.field_name == Language.FI else ", or name other languages under [audience]")
            )
        return None

    @classmethod
    def read(cls, value: object) -> str:
        return _text(value)

    def texts(self) -> dict[Language, str]:
        return {language: text for language in Language if (text := getattr(self, language.value)) is not None}


class _Subject(_PerLanguage):
    need = "subjects"

    @classmethod
    def read(cls, value: object) -> str:
        return _line(value)


class _Audience(_Part):
    languages: Annotated[tuple[_Language, ...], AfterValidator(_named_once)] | None = None
    visited_since: _Date | None = None
    visited_until: _Date | None = None

    @field_validator("visited_until")
    @classmethod
    def _in_order(cls, value: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("visited_since")
        if value is not None and since is not None and value < since:
            raise ValueError(f"nobody visited since {since} and until {value}: write a date not before {since}")
        return value


def _field_kind(value: object) -> str:
    return "languages" if isinstance(value, dict | _PerLanguage) else "plain"


_FieldName = Annotated[str, AfterValidator(_field_name)]
_FieldValue = Annotated[
    Annotated[_PerLanguage, Tag("languages")] | Annotated[object, BeforeValidator(_plain), Tag("plain")],
    Discriminator(_field_kind),
]


class CampaignForm(_Part):
    """A whole campaign file.

    The context of its validation holds the business `zone` and what `needs_of` found.
    """

    title: Annotated[str, BeforeValidator(_line)]
    kind: Annotated[Kind, _one_of(*Kind)]
    send_at: Annotated[datetime, BeforeValidator(_moment)]
    channels: Annotated[tuple[_Channel, ...], AfterValidator(_named_once)]
    template: Annotated[str, BeforeValidator(_template_name)] | None = None
    valid_until: _Date | None = None
    subject: _Subject = Field(default={}, validate_default=True)  # type: ignore[arg-type] # an empty table, validated
    audience: _Audience = _Audience()
    offer: dict[_FieldName, _FieldValue] = Field(default_factory=dict)

    @field_validator("valid_until")
    @classmethod
    def _after_sending(cls, value: date | None, info: ValidationInfo) -> date | None:
        send_at = info.data.get("send_at")
        if value is not None and send_at is not None and value < (sent := local_date(send_at, _zone(info))):
            raise ValueError(f"the offer would end before it is sent: write {sent} or a later date")
        return value

    def campaign(self, name: str) -> Campaign:
        """Return the campaign of this form under its name."""
        audience = self.audience
        return Campaign(
            name=name,
            title=self.title,
            kind=self.kind,
            send_at=self.send_at,
            channels=self.channels,
            subject=self.subject.texts(),
            template=self.template or self.kind.value,
            audience=Audience(frozenset(audience.languages or ()), audience.visited_since, audience.visited_until),
            valid_until=self.valid_until,
            fields={
                key: value.texts() if isinstance(value, _PerLanguage) else value for key, value in self.offer.items()
            },
        )
