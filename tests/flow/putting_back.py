"""What the tests of putting a copy back do again and again: clients come and leave, a campaign goes out, a replay."""

import asyncio
from datetime import UTC, datetime

from dispatcher.flow.safekeeping import ReplayReport
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import ledger
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.store import Store
from dispatcher.wiring import Dispatcher
from tests.stores import broken_links
from tests.workshop import Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"
ERIK = "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.1.2026"


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows."""
    dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))


def schedule(workshop: Workshop, dispatcher: Dispatcher, name: str, moment: datetime = MOMENT) -> Scheduled:
    """Schedule a campaign."""
    dispatcher.schedule.run(workshop.campaign(name, moment), dispatcher.persons.acting(None))
    return dispatcher.lifecycle.named(name)


def send(dispatcher: Dispatcher) -> None:
    """Do one round of sending."""
    asyncio.run(dispatcher.rounds.once())


def leave(dispatcher: Dispatcher, email: str, channel: Channel | None = None) -> int:
    """Record a client's no at the desk and return their number."""
    number: int = dispatcher.register.find(email)
    dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None), channel)
    return number


def replay(dispatcher: Dispatcher) -> ReplayReport:
    """Replay the journal as the owner."""
    return dispatcher.safekeeping.replay(dispatcher.persons.acting(None))


def entries(store: Store, kind: EntryKind) -> list[tuple[int | None, int | None, dict[str, object]]]:
    """Return client, campaign and body of every entry of a kind."""
    with store.reading() as connection:
        return [
            (entry.client, entry.campaign, dict(entry.data())) for entry in ledger.entries(connection, [kind.value])
        ]


def whole(store: Store) -> None:
    """Hold that the chains of the ledger add up."""
    with store.reading() as connection:
        assert [] == broken_links(connection)
