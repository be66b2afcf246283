"""What carries messages: each carrier takes one message at a time and returns its outcome."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from dispatcher.rules.message import CampaignMessage, Outcome, OutcomeKind, ServiceMessage

MayGo = Callable[[], Awaitable[bool]]
"""Says whether a message may still leave: a client may have said no since its verdict."""
Peek = Callable[[], CampaignMessage | None]
"""Says which message a session will be given after the one it carries, or that none is known; it will be that one."""
RECALLED = Outcome(OutcomeKind.DEFERRED, code="recalled")
"""What became of a message that might not leave any more when its turn came: nobody has it."""


async def always() -> bool:
    """Say yes."""
    return True


def nobody() -> None:
    """Know of no message that comes next."""


class Session(Protocol):
    """One open connection to a carrier."""

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Hand one message over and return what became of it; a refusal or a lost reply never raises.

        `may_go` is asked at the last moment, right before the message's own words are given away: however long the
        carrier took until then, nothing leaves after a no; RECALLED is returned.
        """
        ...


@runtime_checkable
class ForesightedSession(Session, Protocol):
    """A session that makes use of knowing which message comes next."""

    def look_ahead(self, peek: Peek) -> None:
        """Learn whom to ask which message comes next, each at most once: what it is told of, it is given next."""
        ...


class Carrier(Protocol):
    """A way to carry the messages of one channel."""

    name: str
    """How the ledger and the owner call it: "smtp", "twilio", "preview"."""
    sessions: int
    """How many sessions may be open at once."""

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Open a connection. Raises ChannelError if the carrier cannot be used as it is set up."""
        ...


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a provider answered when it was asked to delete a message: `code` is its HTTP status, "" for no answer.

    `is_gone` only where the provider itself said so. `retry_after` is how long it asked to wait.
    """

    is_gone: bool
    code: str = ""
    retry_after: timedelta | None = None


class ForgettingSession(Protocol):
    """One open connection to a provider that keeps what it was given."""

    async def forget(self, provider_id: str) -> Forgotten:
        """Have one message deleted, and return what the provider answered; never raises for what it answers."""
        ...


class ForgettingCarrier(Protocol):
    """A carrier that keeps what it was given, until it is asked to delete it (S-28)."""

    name: str

    def session(self) -> AbstractAsyncContextManager[ForgettingSession]:
        """Open a connection. Raises ChannelError if the carrier cannot be used as it is set up."""
        ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message as a provider's own list has it: its name for it, when it was taken (aware UTC), and its text.

    `status` and `code` are the provider's words for how it stands and for what went wrong.
    """

    provider_id: str
    taken_at: datetime
    text: str
    status: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class CameIn:
    """A message that came in, as a provider's own list has it: from whom, and when (aware UTC).

    Printing it shows neither who wrote nor what.
    """

    provider_id: str
    sender: str = field(repr=False)
    at: datetime
    text: str = field(repr=False)


class AskingSession(Protocol):
    """One open connection to a provider that can be asked what it has taken."""

    async def taken_for(self, recipient: str) -> tuple[Sighting, ...] | None:
        """Return what the provider has taken for an address of late, or None where it did not say; never raises."""
        ...


class AskingCarrier(Protocol):
    """A carrier that can be asked what became of a message whose reply was lost (S-26)."""

    name: str

    def session(self) -> AbstractAsyncContextManager[AskingSession]:
        """Open a connection. Raises ChannelError if the carrier cannot be used as it is set up."""
        ...
