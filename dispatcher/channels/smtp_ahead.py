"""What is said to a mail server before it has answered: how far its offer of PIPELINING is believed (RFC 2920)."""

from dataclasses import dataclass, field

from dispatcher.channels.pipelining import ConfusedError, Due, LostError, WireError
from dispatcher.rules.message import Email


@dataclass(slots=True)
class Offer:
    """Whether a server is taken at its word in one way of PIPELINING; what one session learns, all know."""

    is_believed: bool = True
    has_worked: bool = False
    failures: int = 0
    """How often in a row it did not work."""

    def works(self) -> None:
        """Learn that it has worked."""
        self.has_worked, self.failures = True, 0

    def fails(self, *, for_good: bool = False) -> None:
        """Learn that it has not worked, maybe for another reason; twice in a row is no chance."""
        self.failures += 1
        self.is_believed &= not for_good and self.failures < 2

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

    async def is_in_step(self) -> bool:
        """Wait for its replies, and say whether the reply before them was the body's own.

        Where a server, or something on the way, has swallowed that, it was the one to MAIL, and of these one is missing
        for ever. Where not one has come, all of the envelope was lost, and the body's reply is what it seems.
        """
        try:
            await self.due.all()
        except ConfusedError:
            return not self.due.replies
        except LostError:
            pass
        return True
