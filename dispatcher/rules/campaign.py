"""What a campaign is, and the states of its life."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Channel(StrEnum):
    """A way a message can take to a client."""

    EMAIL = "email"
    SMS = "sms"


class Language(StrEnum):
    """A language the program speaks to clients; Finnish is the default."""

    FI = "fi"
    SV = "sv"
    EN = "en"


class Kind(StrEnum):
    """The two kinds of marketing the privacy notice names."""

    OFFER = "offer"
    TREATMENT_DAY = "treatment_day"


class State(StrEnum):
    """Where a campaign stands in its life; rules/life.py says what may follow what."""

    RESERVED = "reserved"
    """It has its slot in the year, and no content yet."""
    DRAFT = "draft"
    """It was scheduled and is being revised; it keeps its slot."""
    SCHEDULED = "scheduled"
    SENDING = "sending"
    HELD = "held"
    FINISHED = "finished"
    CANCELLED = "cancelled"


IDLE = frozenset({State.RESERVED, State.DRAFT})
"""What has its slot and nothing that could go out: it lapses unless its content is scheduled."""
OVER = frozenset({State.FINISHED, State.CANCELLED})
"""Campaigns that have ended: nothing more of them goes out."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Which clients a campaign addresses, by the only facts that may divide them (L-43).

    An empty `languages` means every language. The last visit lies within both dates, each included.
    """

    languages: frozenset[Language] = frozenset()
    visited_since: date | None = None
    visited_until: date | None = None

    def includes(self, language: Language, last_visit: date | None) -> bool:
        """Say whether a client of this language and last visit is addressed."""
        if self.languages and language not in self.languages:
            return False
        if self.visited_since and (last_visit is None or last_visit < self.visited_since):
            return False
        return not (self.visited_until and (last_visit is None or last_visit > self.visited_until))


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """The picture a campaign file names: a file of its pictures/, and what it shows in each language (L-45)."""

    file: str
    alt: Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One mailing as its file describes it.

    `name` is the stem of its file. `send_at` is aware UTC; `valid_until` is the last local date the offer holds.
    `channels` are in order of preference. `fields` are the offer's own texts: values are plain strings, dates, numbers,
    times, two times from and until, or a mapping from language to text. `open_on_holidays` is why its messages may
    leave on public holidays, if they may. `picture` is what its emails show; without emails there is none.
    `most_parts` is how many parts a text message of it may have, where that is less than the settings allow.
    `keep_signs`: the typographic signs of its text messages are sent as they are written (S-06).
    """

    name: str
    title: str
    kind: Kind
    send_at: datetime
    channels: tuple[Channel, ...]
    subject: Mapping[Language, str]
    template: str
    audience: Audience = field(default_factory=Audience)
    valid_until: date | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    open_on_holidays: str | None = None
    picture: NamedPicture | None = None
    most_parts: int | None = None
    keep_signs: bool = False
