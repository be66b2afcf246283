"""A campaign that goes out by a carrier of the test's own: to so many clients, at a moment that has come."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from dispatcher.channels import Carrier
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class Timed(Carrier, Protocol):
    """A carrier that counts the seconds of its run itself."""

    @property
    def ticks(self) -> Callable[[], float]:
        """Return what counts the seconds."""
        ...


def begin_by(
    carrier: Carrier | Timed, workshop: Workshop, dispatcher: Dispatcher, clients: int, moment: datetime = MOMENT
) -> Actor:
    """Schedule a campaign by email to `c0@posti.example` and so on, come to its moment, and return the owner."""
    actor = dispatcher.persons.acting(None)
    rows = [f"{n};N;N;c{n}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for n in range(clients)]
    dispatcher.enrol.run(workshop.register(*rows), actor)
    dispatcher.schedule.run(workshop.campaign("a", moment, channels=["email"]), actor)
    dispatcher.deliver._carriers = {Channel.EMAIL: carrier}
    if hasattr(carrier, "ticks"):
        dispatcher.deliver._ticks = carrier.ticks
    workshop.clock.set(moment)
    return actor


def narrow(workshop: Workshop, window: int) -> None:
    """Let no more hand-offs be under way than this."""
    settings = workshop.directory / "dispatcher.toml"
    settings.write_text(settings.read_text("utf-8") + f"\n[sending]\nwindow = {window}\n", "utf-8")


def look(dispatcher: Dispatcher) -> None:
    """Do one round of sending."""
    asyncio.run(dispatcher.rounds.once())
