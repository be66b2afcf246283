"""What is said to a mail server before it has answered: how far its offer of PIPELINING is believed (RFC 2920)."""

from dataclasses import dataclass, field

from dispatcher.channels.pipelining import ConfusedError, Due, WireError
from dispatcher.rules.message import Email


@dataclass(slots=True)
class Offer:
    """Whether a server is taken at its word in one way of PIPELINING; what one session learns, all know."""

    is_believed: bool = True
    has_worked: bool = False

    def doubt(self, error: WireError) -> None:
        """Learn from replies that did not come: a server that has done it before may just have been cut off."""
        if isinstance(error, ConfusedError) or not self.has_worked:
            self.is_believed = False


@dataclass(frozen=True, slots=True)
class Offers:
    """The two ways: an envelope as one group, and the next envelope in one group with a body."""

    groups: Offer = field(default_factory=Offer)
    ahead: Offer = field(default_factory=Offer)

    @property
    def are_believed(self) -> bool:
        """Whether an envelope may go with a body."""
        return self.groups.is_believed and self.ahead.is_believed


@dataclass(frozen=True, slots=True)
class Ahead:
    """An envelope that was said with the body before: of which message, and the replies that are due to it."""

    message_id: str
    email: Email
    due: Due

    def is_of(self, message_id: str, email: Email) -> bool:
        """Say whether it was said for this very message: made again, it may go to another address."""
        return self.message_id == message_id and self.email is email
