"""How long a provider may keep a text message: never into quiet hours (S-15)."""

from datetime import datetime, timedelta

from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Channel

LONGEST = 36_000
"""Seconds for which the provider keeps a text message at most."""
ON_ITS_WAY = timedelta(seconds=60)
"""How long a message may be on its way to the provider after its Send: the provider counts from its arrival."""
_ASKED_FOR = 600
"""Seconds for one that somebody is waiting for, whatever the hour."""


def is_too_late(windows: Windows, now: datetime) -> bool:
    """Say whether a text message sent now might arrive at the provider only after the window has closed."""
    return not windows.is_open(Channel.SMS, now + ON_ITS_WAY + timedelta(seconds=1))


def of_offer(windows: Windows, now: datetime) -> int:
    """Return for how many seconds the provider may keep a campaign's message that is sent now: until the hours end."""
    left = windows.closes_at(Channel.SMS, now) - now - ON_ITS_WAY
    return min(max(int(left.total_seconds()), 1), LONGEST)


def of_service(windows: Windows, now: datetime) -> int:
    """Return the same for a service message: in the hours as a campaign's, else as long as somebody waits for it."""
    is_open = windows.is_open(Channel.SMS, now) and not is_too_late(windows, now)
    return of_offer(windows, now) if is_open else _ASKED_FOR
