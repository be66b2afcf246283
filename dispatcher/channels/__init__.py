"""What carries messages: each carrier takes one message at a time and returns its outcome."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from dispatcher.rules.message import CampaignMessage, Outcome, ServiceMessage


class Session(Protocol):
    """One open connection to a carrier."""

    async def hand_over(self, message: CampaignMessage | ServiceMessage) -> Outcome:
        """Hand one message over and return what became of it; a refusal or a lost reply never raises."""
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
