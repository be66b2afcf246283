"""A year of two campaigns to a small register, between which clients say what they want: most audits begin so."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel, Kind
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

FIRST = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND = datetime(2026, 12, 8, 8, 0, tzinfo=UTC)
ROWS = (
    "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026",
    "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.2.2026",
    "3;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.3.2026",
    "4;Never;Asked;never@posti.example;;fi;;;;",
)
ELLI = "5;Elli;Esimerkki;elli@posti.example;040 123 4569;fi;3.1.2026;kyllä;kyllä;3.1.2026"


def a_year(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Import four clients and send two campaigns; the first client leaves between them."""
    actor = _first(workshop, dispatcher, ROWS)
    dispatcher.preferences.withdraw(dispatcher.register.find("maija@posti.example"), actor)
    _send(workshop, dispatcher, SECOND)


def a_run(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Send two campaigns to five; between them clients close a channel, choose a topic, move and leave."""
    actor = _first(workshop, dispatcher, [*ROWS, ELLI])
    find = dispatcher.register.find
    dispatcher.preferences.withdraw(find("maija@posti.example"), actor, Channel.EMAIL)
    dispatcher.marks.choose_topics(find("erik@posti.example"), {Kind.OFFER}, actor)
    dispatcher.enrol.run(workshop.register(*ROWS[:2], ROWS[3], ELLI.replace("elli@", "elina@")), actor)
    _send(workshop, dispatcher, SECOND)


def _first(workshop: Workshop, dispatcher: Dispatcher, rows: Sequence[str]) -> Actor:
    """Import these rows, schedule both campaigns, and send the first."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*rows), actor)
    for name, moment in (("one", FIRST), ("two", SECOND)):
        dispatcher.schedule.run(workshop.campaign(name, moment), actor)
    _send(workshop, dispatcher, FIRST)
    return actor


def _send(workshop: Workshop, dispatcher: Dispatcher, moment: datetime) -> None:
    workshop.clock.set(moment)
    asyncio.run(dispatcher.rounds.once())
