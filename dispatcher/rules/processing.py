"""What is done with the clients' data, by whom and for how long: what the notice, the records and the receipts tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dispatcher.rules.campaign import Channel
from dispatcher.rules.places import EEA
from dispatcher.rules.studio import Studio

AUTHORITY = "Tietosuojavaltuutetun toimisto"
"""The supervisory authority of a Finnish controller (L-30)."""
AUTHORITY_ADDRESS = "PL 800, 00531 Helsinki"
AUTHORITY_EMAIL = "tietosuoja@om.fi"
AUTHORITY_PHONE = "029 566 6700"
AUTHORITY_URL = "https://tietosuoja.fi"


@dataclass(frozen=True, slots=True)
class Processor:
    """A company that handles data for the studio; `country` is two letters, `contract` the day it was signed (L-39).

    `channel` is what it carries, None for who keeps the database; `is_inbox`: it keeps what comes back by it instead.
    `reaches_outside`: its people may reach data from outside the EU and EEA, which is a transfer (L-42).
    """

    id: str
    name: str
    channel: Channel | None
    country: str | None
    contract: date | None
    reaches_outside: bool = False
    is_inbox: bool = False

    @property
    def is_inside(self) -> bool:
        """Say whether the data are kept in the EU or EEA, whoever may reach them."""
        return self.country is None or self.country in EEA


@dataclass(frozen=True, slots=True)
class Periods:
    """How long what is kept, in days but for `ledger_years`; every one is printed in the notice (L-36, L-37)."""

    client_days: int
    gone_days: int
    backup_days: int
    ledger_years: int
    valid_days: int
    suppression_days: int
    sign_up_days: int
    text_days: int | None = None
    """How long the words of a text message that came in are kept at most, None where none come in (S-33)."""

    @property
    def retention(self) -> str:
        """Return how long a client's data is kept, as ISO 8601 writes a duration."""
        return duration(self.client_days)


@dataclass(frozen=True, slots=True)
class Processing:
    """Everything the records say beside what they say of one client.

    `country` is where the studio is and keeps what stays on its own machine. `transfer_note` is why a transfer was
    accepted, in the owner's words; `reads_inbox` whether the program reads the studio's inbox.
    """

    studio: Studio
    country: str
    processors: Sequence[Processor]
    periods: Periods
    transfer_note: str = ""
    reads_inbox: bool = False

    @property
    def takes_answers(self) -> bool:
        """Say whether what clients answer to a message comes to the program."""
        return self.reads_inbox or self.periods.text_days is not None

    @property
    def transfers(self) -> list[Processor]:
        """Return the processors whose people may reach data from outside the EU."""
        return [each for each in self.processors if each.reaches_outside]

    def carrier(self, channel: Channel) -> Processor | None:
        """Return who carries messages by this channel, or None where nobody outside does."""
        return next((each for each in self.processors if each.channel is channel and not each.is_inbox), None)

    def handling(self, channel: Channel) -> list[Processor]:
        """Return the processors who handle what is kept for this channel: who carries it, and who keeps it."""
        return [each for each in self.processors if each.channel in {channel, None}]


def duration(days: int) -> str:
    """Return days as ISO 8601 writes a duration: exact, since a year has no one length."""
    return f"P{days}D"
