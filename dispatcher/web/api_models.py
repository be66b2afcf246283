"""What a booking system sends and gets, as the OpenAPI document shows it; a field nobody named is refused."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from dispatcher.flow.calls import NOES
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import ConsentState, Place, Reply
from dispatcher.rules.decision import Reason
from dispatcher.rules.names import NAME_LENGTH, checked_name, readable
from dispatcher.rules.wording import LONGEST, normal

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-](?:0\d|1[0-4]):[0-5]\d)", re.ASCII
)
_YEARS = range(1990, 2101)


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("Write the time as in RFC 3339, with its offset: 2026-11-23T12:05:00+02:00.")
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("There is no such time.") from None
    if moment.year not in _YEARS:
        raise ValueError("The year lies outside 1990 to 2100.")
    return moment.astimezone(UTC)


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T12:05:00+02:00"]}),
]
Line = Annotated[str, StringConstraints(max_length=NAME_LENGTH), AfterValidator(readable)]
Name = Annotated[Line, AfterValidator(checked_name)]
Words = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(normal), AfterValidator(readable)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
AskedAt = Literal[Place.ONLINE, Place.PHONE, Place.EMAIL, Place.IN_PERSON]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ClientIn(_Sent):
    """Who answered: at least one of customer number, email address and phone number; empty texts are left out."""

    customer_number: Line | None = Field(None, description="The booking system's own number of the client.")
    email: str | None = Field(None, max_length=320)
    phone: str | None = Field(None, max_length=40, description="A number without a country code is Finnish.")
    first_name: Name | None = None
    last_name: Name | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _is_somebody(self) -> "ClientIn":
        if not (self.customer_number or (self.email or "").strip() or (self.phone or "").strip()):
            raise ValueError("Name the client by customer number, email address or phone number.")
        return self


class AnswerIn(_Sent):
    """One answer to the marketing question, for one channel; without a channel a no to everything.

    A yes names its time, `asked_at` or the span from `not_before` to `not_after`, and the words of the question. A no
    needs neither: one without a time was given now.
    """

    channel: Channel | None = Field(description="null for a no to everything.")
    reply: Reply
    place: AskedAt = Field(description="Where the question was asked.")
    asked_at: Moment | None = None
    not_before: Moment | None = None
    not_after: Moment | None = None
    wording: Words | None = Field(None, description="The exact text of the question.")
    wording_sha256: Sha256 | None = Field(None, description="Instead of its text: a question on record.")
    booking: Line | None = Field(None, description="The booking in which it was asked; only its keyed hash is kept.")

    @model_validator(mode="after")
    def _is_whole(self) -> "AnswerIn":
        if self.channel is None and self.reply not in NOES:
            raise ValueError("Only a no may leave the channel open: name it.")
        if self.asked_at and (self.not_before or self.not_after):
            raise ValueError("Write either asked_at or a span of not_before and not_after.")
        if self.not_before and self.not_after and self.not_after < self.not_before:
            raise ValueError("The answer's time ends before it begins.")
        if self.wording and self.wording_sha256:
            raise ValueError("Write either wording or wording_sha256.")
        if self.reply is Reply.GRANTED:
            if not (self.asked_at or self.not_before):
                raise ValueError("A yes needs its time: asked_at, or not_before.")
            if not (self.wording or self.wording_sha256):
                raise ValueError("A yes needs the words of the question: wording or wording_sha256.")
        return self


_EXAMPLE: dict[str, Any] = {
    "client": {
        "customer_number": "1207",
        "email": "maija@posti.example",
        "phone": "040 123 4567",
        "first_name": "Maija",
        "last_name": "Meikäläinen",
        "language": "fi",
    },
    "answers": [
        {
            "channel": "email",
            "reply": "granted",
            "asked_at": "2026-11-23T11:58:00+02:00",
            "place": "online",
            "wording": "Saako lähettää tarjouksia sähköpostitse?",
            "booking": "V-88231",
        },
        {"channel": "sms", "reply": "declined", "asked_at": "2026-11-23T11:58:00+02:00", "place": "online"},
    ],
}


class CallIn(_Sent):
    """A client and what they answered."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    client: ClientIn
    answers: list[AnswerIn] = Field(min_length=1, max_length=10)


class WhoIn(_Sent):
    """Whom a verdict is about, named in exactly one way."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "maija@posti.example"}]})

    customer_number: str | None = Field(None, max_length=NAME_LENGTH)
    email: str | None = Field(None, max_length=320)
    phone: str | None = Field(None, max_length=40, description="A number without a country code is Finnish.")


class Remark(BaseModel):
    """What there is to say of one field of the call."""

    field: str = Field(examples=["client.phone"])
    detail: str = Field(examples=["The register holds another mobile number: it was kept."])


class RecordedAnswer(BaseModel):
    """An answer that was put on record: the client's number and the number of the ledger's entry.

    Both are null for the no of somebody who is not in the register: only a keyed hash of the address is kept.
    """

    client: int | None
    entry: int | None
    channel: Channel | None
    reply: Reply


class ChannelState(BaseModel):
    """What all answers of the client add up to for one channel; `until` is when a standing yes ends."""

    state: ConsentState
    until: datetime | None


class Recorded(BaseModel):
    """What was recorded, and how the client's channels stand now; on disk when this is read."""

    client: int | None = Field(description="The client's number here; null where none was kept.", examples=[8312764])
    created: bool = Field(description="Nobody in the register fitted; the next import of the register joins them.")
    recorded: list[RecordedAnswer]
    channels: dict[Channel, ChannelState]
    warnings: list[Remark]


class VerdictOut(BaseModel):
    """Whether an offer may go to the client now, by which channel, or why not.

    `until`: a `send` holds until its yes ends, a `wait` until its hour, where that is known.
    """

    verdict: Literal["send", "wait", "withhold"]
    channel: Channel | None
    reason: Reason | None = Field(description="Null for `send`.")
    reason_text: str | None = Field(description="The reason in a sentence, in the language of Accept-Language.")
    until: datetime | None


class Problem(BaseModel):
    """Why a call was refused (RFC 9457). Nothing of it was kept, except where `recorded` says so."""

    type: str = Field("about:blank")
    title: str = Field(examples=["Unprocessable Entity"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["A yes needs its time: asked_at, or not_before."])
    errors: list[Remark] = Field(default_factory=list, description="Which field it is, and what is wrong with it.")
    recorded: list[RecordedAnswer] = Field(
        default_factory=list, description="With 409 and 422: the noes that were kept."
    )
