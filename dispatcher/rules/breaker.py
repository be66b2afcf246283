"""When refusals are no longer one client's matter: the breaker holds a campaign, or lets one domain wait (E-53)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.rules.message import Blame

LAST = 200
"""How many of a campaign's last outcomes by a channel are looked at."""
AT_LEAST = 10
_PART = 0.05
_CONTENT_AT_LEAST = 5
_CONTENT_PART = 0.02


class Trip(StrEnum):
    """What the breaker does, and why a campaign is held by it."""

    POLICY = "policy_refusals"
    """Providers refuse us, several of them: the campaign is held."""
    CONTENT = "content_refusals"
    """What we write is refused: the campaign is held until it is mended."""
    SET_UP = "provider_set_up"
    """The provider says that it is not set up for this: the campaign is held until it is."""
    DOMAIN = "domain_waits"
    """One provider alone refuses us: what is for it waits."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One of the last outcomes: whom it concerned, and where the message went, empty where nobody knows any more."""

    blame: Blame
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Tripped:
    """What the breaker does; `domain` is the one that waits."""

    trip: Trip
    domain: str = ""


def judge(last: Sequence[Seen]) -> Tripped | None:
    """Return what these outcomes, at most the last 200, ask for, or None while they are single clients' matters.

    Policy refusals: 5 % and at least 10, in two or more domains the campaign, in one that domain. Content: more than
    2 %, and at least 5.
    """
    if any(each.blame is Blame.SET_UP for each in last):
        return Tripped(Trip.SET_UP)
    content = sum(each.blame is Blame.CONTENT for each in last)
    if content >= _CONTENT_AT_LEAST and content > _CONTENT_PART * len(last):
        return Tripped(Trip.CONTENT)
    refused = [each.domain for each in last if each.blame is Blame.POLICY]
    if len(refused) < max(AT_LEAST, _PART * len(last)):
        return None
    domains = set(refused) - {""}  # where an erased client's message went is not known any more
    return Tripped(Trip.DOMAIN, domains.pop()) if len(domains) == 1 else Tripped(Trip.POLICY)
