"""A client who is going to be erased, and what is left of her afterwards."""

from sqlalchemy import select

from dispatcher.flow.erasing import ErasureReport
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState, fold
from dispatcher.rules.retention import EraseReason
from dispatcher.storage.facts import gather
from dispatcher.storage.tables import SuppressionTable
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

UNNA = "77421;Unnaneiti;Jäljettömyys;unna.jaljeton@posti.example;040 765 4321;fi;3.10.2026;{};{};3.10.2026"
MOVED = UNNA.replace("unna.jaljeton@", "uusi.jaljeton@")
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.10.2026;kyllä;kyllä;3.10.2026"
READABLE = ("unna.jaljeton@posti.example", "uusi.jaljeton@posti.example", "+358407654321", "Unnaneiti", "Jäljettömyys")
HASHED = ((Channel.EMAIL, READABLE[0]), (Channel.EMAIL, READABLE[1]), (Channel.SMS, READABLE[2]))


def unna(email: str = "kyllä", sms: str = "kyllä", row: str = UNNA) -> str:
    """Return the row of the client who is going to be erased."""
    return row.format(email, sms)


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows, and remove the export: it is the studio's, not the program's."""
    path = workshop.register(*rows)
    dispatcher.enrol.run(path, dispatcher.persons.acting(None))
    path.unlink()


def erase(dispatcher: Dispatcher, words: str = "+358407654321") -> ErasureReport:
    """Erase a client on their request."""
    number = dispatcher.register.find(words)
    return dispatcher.erasing.erase(number, EraseReason.REQUEST, dispatcher.persons.acting(None))


def suppressions(dispatcher: Dispatcher) -> list[tuple[str, str]]:
    """Return hash and channel of every suppression."""
    with dispatcher.store.reading() as connection:
        rows = connection.execute(select(SuppressionTable.hash, SuppressionTable.channel))
        return sorted((row.hash, row.channel) for row in rows)


def standing(dispatcher: Dispatcher, words: str) -> dict[Channel, ConsentState]:
    """Return the state of a client's consent as a verdict sees it: suppressions of their addresses included."""
    number = dispatcher.register.find(words)
    now, today = dispatcher.store.clock(), dispatcher.store.clock().date()
    with dispatcher.store.reading() as connection:
        known = gather(connection, dispatcher.store.ring, [number], None, today, now)[number]
    return {channel: fold(known.facts.answers, channel, now).state for channel in Channel}
