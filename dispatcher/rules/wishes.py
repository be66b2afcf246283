"""What a client may wish beside yes and no: less than they agreed to at a press, more only by a yes of its own.

What only takes something away from what may be sent needs no evidence, as a no does not. What gives something back is
a grant: it is asked again, at the address itself, and answered with a yes to exact words (X-04).
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Kind

FEW = 6
"""How many messages a year a client gets who wants few: as many as the notice leads everybody to expect at least."""
PAUSE_MONTHS = 3
"""For how many months of the calendar a pause holds."""


class Less(StrEnum):
    """Fewer messages: kept at once."""

    EMAIL = "email"
    """By email only: no text messages."""
    SMS = "sms"
    """By text message only: no email."""
    OFFER = "offer"
    """Offers only."""
    TREATMENT_DAY = "treatment_day"
    """News of treatment days only."""
    FEW = "few"
    """Six a year at most."""
    PAUSE = "pause"
    """Nothing for three months."""

    @property
    def closes(self) -> Channel | None:
        """Return the channel that this closes, if it does that."""
        return {Less.EMAIL: Channel.SMS, Less.SMS: Channel.EMAIL}.get(self)

    @property
    def topic(self) -> Kind | None:
        """Return the one topic that is still wanted, if it is about topics."""
        return {Less.OFFER: Kind.OFFER, Less.TREATMENT_DAY: Kind.TREATMENT_DAY}.get(self)


class More(StrEnum):
    """More messages again: only after a yes from the address itself."""

    EMAIL = "email"
    """Messages by email, too, or again."""
    SMS = "sms"
    """Text messages, too, or again."""
    TOPICS = "topics"
    """Both topics again."""
    MOST = "most"
    """As many a year as the notice promises at most."""
    RESUME = "resume"
    """The pause ends now."""

    @property
    def opens(self) -> Channel | None:
        """Return the channel that this opens, if it does that."""
        return {More.EMAIL: Channel.EMAIL, More.SMS: Channel.SMS}.get(self)


def pause_ends(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when a pause that begins now ends, in UTC: the first instant of the same day three months on.

    Where that month has no such day, of its last one.
    """
    today = local_date(now, zone)
    months = today.month - 1 + PAUSE_MONTHS
    year, month = today.year + months // 12, months % 12 + 1
    day = date(year, month, min(today.day, monthrange(year, month)[1]))
    return datetime.combine(day, time.min, zone).astimezone(UTC)
