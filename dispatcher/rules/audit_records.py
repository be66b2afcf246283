"""What the audit holds while it counts: each campaign, each declaration, and whether everybody had agreed."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from dispatcher.rules.audit_texts import Texts
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.message import MessageState


@dataclass(slots=True)
class CampaignRecord:
    """A campaign as the ledger tells it.

    `content` is the SHA-256 over the bytes it was frozen with.

    `slot` and `day` are the last word on its slot; `planned` counts the messages put into the outbox by channel,
    `standing` where they are now by state and channel, `withheld` clients without a message by reason. `touches` says
    that a message of it went on a local date of the year, `has_left` on any. `opted_out_after` counts the clients whose
    next word after a message of this campaign, and before one of another, was an objection; `complained` those of them
    who complained to their mail service. `texts` are its text messages by what they cost. `given_up` counts the unknown
    of which nobody will tell any more: they may have arrived. `later` counts the messages of which it was told
    afterwards how far they came.
    """

    number: int
    name: str = ""
    title: str = ""
    kind: str = ""
    state: State | None = None
    content: str | None = None
    slot: str | None = None
    day: date | None = None
    touches: bool = False
    has_left: bool = False
    planned: Counter[Channel] = field(default_factory=Counter)
    standing: Counter[tuple[MessageState, Channel]] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    opted_out_after: int = 0
    complained: int = 0
    texts: Texts = field(default_factory=Texts)
    given_up: int = 0
    later: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class DeclaredRecord:
    """What a person declared to have been sent beside or before the program; it `stands` until it is taken back."""

    day: date
    title: str
    kind: str
    channels: tuple[str, ...]
    messages: int
    by: str
    declared_at: datetime
    stands: bool = True


@dataclass(slots=True)
class Agreement:
    """The year's messages that left, accepted or unknown, against the yes each relied on.

    `by_channel` counts them all. `by_age` counts those with a standing yes by its age in local days, `by_place` by
    where it was asked. `restored` are apart: an older copy of the database took their Send entry away, so they count as
    unknown and nobody can say more.
    """

    messages: Counter[MessageState] = field(default_factory=Counter)
    by_channel: Counter[Channel] = field(default_factory=Counter)
    restored: int = 0
    agreed: int = 0
    by_age: Counter[int] = field(default_factory=Counter)
    by_place: Counter[str] = field(default_factory=Counter)
