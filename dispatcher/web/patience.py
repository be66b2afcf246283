"""How long a connection may take, and how many there may be: whoever is slow or holds many keeps nobody else out.

uvicorn waits for ever for a request that never ends. Here its head and its body have their time, counted from their
beginning and not from the last byte, and what is still being sent after the answer is let go.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from dispatcher.web.attempts import plain, visitor_of


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for the head of a request, for its body, and for what still comes after the answer; connections at most.

    `each` is how many one visitor may hold; the web servers that are believed, and this machine, may hold all.
    """

    head: float = 10.0
    body: float = 20.0
    rest: float = 2.0
    connections: int = 1000
    each: int = 50


@dataclass(slots=True)
class Crowd:
    """Who holds connections just now."""

    patience: Patience
    trusted: Sequence[IPv4Network | IPv6Network] = ()
    held: Counter[str] = field(default_factory=Counter)
    open: dict["PatientProtocol", str] = field(default_factory=dict)

    def enter(self, line: "PatientProtocol", host: str) -> bool:
        """Take a connection in, and say whether there is room; one on which nothing is under way makes room."""
        visitor = visitor_of(host)
        if self.held[visitor] >= self.patience.each and not _is_among(host, self.trusted):
            return False
        if len(self.open) >= self.patience.connections:
            idle = next((each for each in self.open if each.is_idle), None)
            if idle is None:
                return False
            self.leave(idle)
            idle.transport.abort()
        self.open[line] = visitor
        self.held[visitor] += 1
        return True

    def leave(self, line: "PatientProtocol") -> None:
        """Let a connection go."""
        visitor = self.open.pop(line, None)
        if visitor is not None:
            self.held[visitor] -= 1
            if not self.held[visitor]:
                del self.held[visitor]


class PatientProtocol(H11Protocol):
    """A connection with an end to its patience."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], *, crowd: Crowd, **others: Any
    ) -> None:
        super().__init__(config, server_state, app_state, **others)
        self._crowd = crowd
        self._timer: asyncio.TimerHandle | None = None
        self._stage = ""

    @property
    def is_idle(self) -> bool:
        """Say whether no whole request is here: nothing would be lost with the connection."""
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request, where there is room."""
        super().connection_made(transport)
        if self.client is not None:  # as whoever believes a web server in front will compare it
            self.client = (plain(self.client[0]), self.client[1])
        if not self._crowd.enter(self, self.client[0] if self.client else ""):
            transport.abort()
            return
        self._wait("head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._crowd.leave(self)
        self._wait("")
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Take in what has come, and wait for what is missing."""
        super().handle_events()
        self._wait_for_what_is_missing()

    def on_response_complete(self) -> None:
        """Let the next request come, once the one that was answered has ended."""
        super().on_response_complete()
        self._wait_for_what_is_missing()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that stays silent, also where the last answer is not being read."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self._crowd.patience.rest, self.transport.abort)

    def _wait_for_what_is_missing(self) -> None:
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        if cycle is None:
            self._wait("head")
        elif cycle.more_body:
            self._wait("rest" if cycle.response_complete else "body")
        else:
            # A next request that has begun has to come in time as well; uvicorn ends what stays silent.
            is_begun = cycle.response_complete and bool(self.conn.trailing_data[0])
            self._wait("head" if is_begun else "")

    def _wait(self, stage: str) -> None:
        """Wait for a part of a request; its time is counted once, however often this is called."""
        if stage == self._stage:
            return
        self._stage = stage
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if stage:
            self._timer = self.loop.call_later(getattr(self._crowd.patience, stage), self._give_up)

    def _give_up(self) -> None:
        self._timer = None
        self.transport.abort()


def protocol(patience: Patience, proxies: Sequence[str]) -> Any:
    """Return what makes the connections of one server; each of these `proxies`, addresses or networks, may hold all."""
    return partial(PatientProtocol, crowd=Crowd(patience, tuple(ip_network(each, strict=False) for each in proxies)))


def _is_among(host: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Say whether a network address is one of these, or this machine's own."""
    try:
        address = ip_address(plain(host))
    except ValueError:
        return False
    return address.is_loopback or any(address in network for network in networks)
