"""What a person told about a register's form, and when a yes of that register can have been given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import day_span, local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place
from dispatcher.rules.ledger import Json
from dispatcher.rules.wording import channel_name, opens

VOIDED = "voided"
"""The event by which the ledger tells that the box of a source turned out to have been ticked beforehand (L-03)."""

Span = tuple[datetime, datetime]
"""The first and the last instant at which something can have been, aware UTC."""


class Occasion(StrEnum):
    """At what the question was asked: the thing whose day the register holds."""

    BOOKING = "booking"
    """At each booking, and a column has its day."""
    VISIT = "visit"
    """At each booking, and only the last visit is known, for which the booking was made."""
    CARD = "card"
    """Once, when the client's card was made."""


class Unseen(StrEnum):
    """Why a yes has no time that could be used (L-07)."""

    NO_DAY = "no_day"
    """The register says no day for this client."""
    TOO_EARLY = "too_early"
    """The question did not stand in the form yet."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a register asks its question: since which local day, at what, with a box that was empty or ticked beforehand.

    `lead` is how long before a visit its booking can have been made.
    """

    since: date
    occasion: Occasion
    lead: timedelta
    is_box_empty: bool

    def yes_span(self, occasion: Span | None, zone: ZoneInfo) -> Span | Unseen:
        """Return when a yes was given that was said at this occasion, or why nobody can tell (L-07).

        It is never put before the day on which the question came into the form, and an occasion that was over by then
        was one without the question.
        """
        if occasion is None:
            return Unseen.NO_DAY
        stands_from, _ = day_span(self.since, zone)
        first, last = occasion
        if last < stands_from:
            return Unseen.TOO_EARLY
        if self.occasion is Occasion.VISIT:
            first, _ = day_span(local_date(first, zone) - self.lead, zone)
        return max(first, stands_from), last

    def no_span(self, occasion: Span | None, zone: ZoneInfo) -> Span | None:
        """Return when a no was said, where a booking's day tells it; else it may have been said until now (L-07)."""
        if self.occasion is not Occasion.BOOKING or occasion is None or occasion[1] < day_span(self.since, zone)[0]:
            return None
        return occasion


@dataclass(frozen=True, slots=True)
class Question:
    """One column of answers: its name, the channels it answers for, and the exact words of its question."""

    column: str
    channels: tuple[Channel, ...]
    wording: str


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in the cells; the usual words where a set is empty."""

    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    not_asked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """What a person told about a register, once.

    `day_column` holds the day of the booking or of the client's card; a source whose occasion is the visit has none.
    `number`, `added_at`, `ended_at` and `voided_at` are the installation's to give; `picture` is a SHA-256.
    """

    name: str
    questions: tuple[Question, ...]
    since: date
    is_box_empty: bool
    occasion: Occasion
    day_column: str | None = None
    place: Place = Place.ONLINE
    words: Words = Words()
    picture: str | None = None
    number: int = 0
    added_at: datetime | None = None
    ended_at: datetime | None = None
    voided_at: datetime | None = None

    def asking(self, lead: timedelta) -> Asking:
        """Return how the question is asked; `lead` is how long before a visit its booking can have been made."""
        return Asking(self.since, self.occasion, lead, self.is_box_empty)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return why yeses of this source open nothing, a sentence each (L-03)."""
        is_usable = self.is_box_empty and self.voided_at is None
        told = [] if is_usable else ["The box was ticked beforehand: no yes of this source is ever used."]
        return (
            *told,
            *(
                f'The words of "{each.column}" do not name {channel_name(channel)}: no yes of that column opens it.'
                for each in self.questions
                for channel in each.channels
                if not opens(each.wording, channel)
            ),
        )


def source_spec(source: Source, hashes: Mapping[str, str]) -> dict[str, Json]:
    """Return what was told as it is kept, the words of each question by their hash in `hashes`."""
    return {
        "questions": [
            {
                "column": each.column,
                "channels": [channel.value for channel in each.channels],
                "wording": hashes[each.wording],
            }
            for each in source.questions
        ],
        "since": source.since.isoformat(),
        "box": "empty" if source.is_box_empty else "ticked",
        "occasion": source.occasion.value,
        "day_column": source.day_column,
        "place": source.place.value,
        "words": {
            "yes": sorted(source.words.yes),
            "no": sorted(source.words.no),
            "withdrawn": sorted(source.words.withdrawn),
            "not_asked": sorted(source.words.not_asked),
        },
    }


def read_source(name: str, spec: Mapping[str, Any], texts: Mapping[str, str]) -> Source:
    """Return the source that `source_spec` wrote; `texts` are the words of its questions by their hash."""
    return Source(
        name,
        tuple(
            Question(each["column"], tuple(Channel(word) for word in each["channels"]), texts[each["wording"]])
            for each in spec["questions"]
        ),
        date.fromisoformat(spec["since"]),
        spec["box"] == "empty",
        Occasion(spec["occasion"]),
        spec["day_column"],
        Place(spec["place"]),
        Words(**{reply: frozenset(words) for reply, words in spec["words"].items()}),
    )
