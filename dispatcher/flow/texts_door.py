"""The provider's list of texts that came in -> what was texted while nobody listened, before anything leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dispatcher.channels import CameIn
from dispatcher.flow.texts_in import BOX, TextIn, TextsIn, understood
from dispatcher.rules.incoming import KEPT_AT_MOST
from dispatcher.rules.ledger import read_stamp, stamp
from dispatcher.rules.stop_words import NOES

FIRST = timedelta(days=366)
"""How far back the list is read the first time: no yes from before stands any more."""
OVERLAP = timedelta(hours=6)
"""How far behind its mark a reading begins: a text may come into the list some time after it was sent."""


@dataclass(frozen=True, slots=True)
class TextsDoor:
    """Reads what was texted to our number; `came_in` gives what the provider has of that day and since."""

    texts: TextsIn
    came_in: Callable[[date], Sequence[CameIn]]
    clock: Callable[[], datetime]

    @property
    def name(self) -> str:
        """Return how this door is called."""
        return BOX

    def read(self, mark: str) -> str:
        """Take in everything that was texted since a mark, and return the new one: when this reading began.

        The first time, what is no no and too old to be kept in words is left alone. Raises ChannelError where the
        provider does not say, JournalError and StorageError where something cannot be kept.
        """
        now, before = self.clock(), read_stamp(mark) if mark else None
        since = min(before, now) - OVERLAP if before else now - FIRST
        listed = [TextIn(each.provider_id, each.sender, each.at, each.text) for each in self.came_in(since.date())]
        self.texts.take_all([each for each in listed if before or _is_kept(each, now)])
        return stamp(now)


def _is_kept(text: TextIn, now: datetime) -> bool:
    """Say whether a text from before the first reading is taken in: a no of any age, and what is young enough."""
    return text.at is None or now - text.at <= KEPT_AT_MOST or understood(text) in NOES
