"""The form of a campaign file, key by key."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar

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

from dispatcher.campaign_files.values import (
    day,
    field_name,
    line,
    moment,
    named_once,
    one_of,
    parts,
    picture_name,
    plain_value,
    reason,
    template_name,
    text_of_offer,
    yes_or_no,
    zone_of,
)
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Audience, Campaign, Channel, Kind, Language, NamedPicture


def needs_of(raw: Mapping[str, object]) -> dict[str, frozenset[str]]:
    """Return the languages in which a file needs texts, and those in which it needs a subject.

    Read before anything is judged, so that what is missing is reported together with what is wrong elsewhere.
    """
    audience, channels = raw.get("audience"), raw.get("channels")
    named = audience.get("languages") if isinstance(audience, dict) else None
    chosen = {language for language in Language if language.value in named} if isinstance(named, list) else set()
    texts = frozenset(language.value for language in chosen or Language)
    by_mail = not isinstance(channels, list) or Channel.EMAIL.value in channels or Channel.SMS.value not in channels
    return {"texts": texts, "subjects": texts | {Language.FI.value} if by_mail else frozenset()}


_Channel = Annotated[Channel, one_of(*Channel)]
_Language = Annotated[Language, one_of(*Language)]
_Date = Annotated[date, BeforeValidator(day)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PerLanguage(_Part):
    """A text in each language the audience reads; which ones those are stands in the context."""

    need: ClassVar[str] = "texts"
    place: ClassVar[str] = ""

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
                f'this language is missing: write {info.field_name} = "..."{cls.place}'
                + ("" if info.field_name == Language.FI else ", or name other languages under [audience]")
            )
        return None

    @classmethod
    def read(cls, value: object) -> str:
        return text_of_offer(value)

    def texts(self) -> dict[Language, str]:
        return {language: text for language in Language if (text := getattr(self, language.value)) is not None}


class _Subject(_PerLanguage):
    need = "subjects"
    place = " under [subject]"

    @classmethod
    def read(cls, value: object) -> str:
        return line(value)


class _Alt(_PerLanguage):
    place = " under image_alt"

    @classmethod
    def read(cls, value: object) -> str:
        return line(value)


class _Audience(_Part):
    languages: Annotated[tuple[_Language, ...], AfterValidator(named_once)] | None = None
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


_FieldName = Annotated[str, AfterValidator(field_name)]
_FieldValue = Annotated[
    Annotated[_PerLanguage, Tag("languages")] | Annotated[object, BeforeValidator(plain_value), Tag("plain")],
    Discriminator(_field_kind),
]


class _Offer(_Part):
    """What is offered: the picture, and beside it whatever the templates print."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[_FieldName, _FieldValue] = Field(init=False)

    image_alt: _Alt | None = None
    image: Annotated[str, BeforeValidator(picture_name)] | None = Field(default=None, validate_default=True)

    @field_validator("image")
    @classmethod
    def _described(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "image_alt" in info.data and (value is None) != (info.data["image_alt"] is None):
            raise ValueError(
                'image_alt is there and no picture is named: write image = "NAME.jpg", or take image_alt out'
                if value is None
                else "nothing says what it shows to who does not see it: write "
                'image_alt = { fi = "...", sv = "...", en = "..." } below it'
            )
        return value

    def picture(self) -> NamedPicture | None:
        return NamedPicture(self.image, self.image_alt.texts()) if self.image and self.image_alt else None

    def fields(self) -> dict[str, object]:
        return {
            key: value.texts() if isinstance(value, _PerLanguage) else value
            for key, value in self.__pydantic_extra__.items()
        }


class CampaignForm(_Part):
    """A whole campaign file.

    The context of its validation holds the business `zone` and what `needs_of` found.
    """

    title: Annotated[str, BeforeValidator(line)]
    kind: Annotated[Kind, one_of(*Kind)]
    send_at: Annotated[datetime, BeforeValidator(moment)]
    channels: Annotated[tuple[_Channel, ...], AfterValidator(named_once)]
    template: Annotated[str, BeforeValidator(template_name)] | None = None
    valid_until: _Date | None = None
    open_on_holidays: Annotated[str, BeforeValidator(reason)] | None = None
    most_parts: Annotated[int, BeforeValidator(parts)] | None = None
    keep_signs: Annotated[bool, BeforeValidator(yes_or_no)] = False
    subject: _Subject = Field(default={}, validate_default=True)
    audience: _Audience = _Audience()
    offer: _Offer = _Offer()

    @field_validator("valid_until")
    @classmethod
    def _after_sending(cls, value: date | None, info: ValidationInfo) -> date | None:
        send_at = info.data.get("send_at")
        if value is not None and send_at is not None and value < (sent := local_date(send_at, zone_of(info))):
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
            open_on_holidays=self.open_on_holidays,
            most_parts=self.most_parts,
            keep_signs=self.keep_signs,
            fields=self.offer.fields(),
            picture=self.offer.picture() if Channel.EMAIL in self.channels else None,
        )
