"""Counts what visitors try, in memory and for a while: what slows a guesser down and never an opt-out (E-15)."""

import ipaddress
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.requests import Request

LIMIT = 30
"""How many broken links one visitor may open in a minute."""
_MINUTE = timedelta(minutes=1)
_VISITORS_AT_MOST = 10_000


class Attempts:
    """A fixed window, of a minute by default, over what visitors try; nothing about a client is ever counted."""

    def __init__(self, clock: Callable[[], datetime], limit: int = LIMIT, within: timedelta = _MINUTE) -> None:
        self._clock = clock
        self._limit = limit
        self._within = within
        self._window = -1
        self._seen: Counter[str] = Counter()

    def allow(self, host: str) -> bool:
        """Count one attempt from this network address, and say whether it is still within the limit."""
        window = int(self._clock().timestamp() // self._within.total_seconds())
        # The table is emptied when full as well: a flood from many addresses may not fill the memory.
        if window != self._window or len(self._seen) >= _VISITORS_AT_MOST:
            self._window = window
            self._seen.clear()
        visitor = visitor_of(host)
        self._seen[visitor] += 1
        return self._seen[visitor] <= self._limit


def host_of(request: Request) -> str:
    """Return the network address that a request came from."""
    return request.client.host if request.client else ""


def plain(host: str) -> str:
    """Return a network address as its kind is written; a socket for both kinds says ::ffff:192.0.2.1 of 192.0.2.1."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    old = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(old) if old is not None else host


def visitor_of(host: str) -> str:
    """Return what stands for one visitor: an IPv4 address, or the /64 an IPv6 address is in."""
    host = plain(host)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((address.packed, 64), strict=False))
    return host
