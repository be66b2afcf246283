"""Mails whose reply was lost, and the log of the server that took them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from dispatcher.channels import Carrier, MayGo, Session, always
from dispatcher.mail_logs import Fortune
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.message import CampaignMessage, MessageState, Outcome, OutcomeKind, ServiceMessage
from dispatcher.storage import ledger, progress
from dispatcher.storage.tables import OutboxTable
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.flow.test_outcomes import begin, messages
from tests.workshop import Doubles, Workshop

NAMES = ("aada", "bea", "cia", "dea", "eva")
ROWS = [f"{n};{name};Esimerkki;{name}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for n, name in enumerate(NAMES, 1)]


@dataclass(frozen=True, slots=True)
class Mails:
    """A campaign of five mails of which nobody knows whether they arrived."""

    dispatcher: Dispatcher
    directory: Path
    ids: list[str]

    def log(self, *lines: str) -> Path:
        """Write a log of these lines; `{0}` is the Message-ID of the first mail."""
        path = self.directory / "mail.log"
        path.write_text("".join(f"{line}\n" for line in lines).format(*self.ids), encoding="utf-8")
        return path

    def column(self, name: str) -> list[object]:
        """Return a column of the mails, in order."""
        query = select(getattr(OutboxTable, name)).order_by(OutboxTable.id)
        with self.dispatcher.store.reading() as connection:
            return list(connection.scalars(query))

    def entries(self, kind: EntryKind) -> list[tuple[str, dict[str, Json]]]:
        """Return who wrote the ledger's entries of a kind, and their bodies."""
        with self.dispatcher.store.reading() as connection:
            return [(entry.actor, entry.data()) for entry in ledger.entries(connection, [kind.value])]


class LosingCarrier:
    """Carries as another does, and loses every reply."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.name = carrier.name
        self.sessions = carrier.sessions

    @asynccontextmanager
    async def session(self) -> AsyncIterator["LosingSession"]:
        """Open a connection."""
        async with self._carrier.session() as session:
            yield LosingSession(session)


@dataclass(frozen=True, slots=True)
class LosingSession:
    """Hands over, and hears nothing."""

    session: Session

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Hand it over."""
        assert OutcomeKind.ACCEPTED is (await self.session.hand_over(message, may_go)).kind
        return Outcome(OutcomeKind.UNKNOWN)


@pytest.fixture
def mails(workshop: Workshop, doubles: Doubles) -> Iterator[Mails]:
    """Give five mails that a server took, and whose replies were lost."""
    assert [] == doubles.mailed()
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, *ROWS)
        carriers = dispatcher.deliver._carriers
        assert isinstance(carriers, dict)
        carriers[Channel.EMAIL] = LosingCarrier(carriers[Channel.EMAIL])
        asyncio.run(dispatcher.rounds.once())
        with dispatcher.store.reading() as connection:
            ids = list(connection.scalars(select(OutboxTable.message_id).order_by(OutboxTable.id)))
        yield Mails(dispatcher, workshop.directory, ids)


LINES = (
    "Nov 24 10:00:01 mx postfix/cleanup[1]: 4XkAB0: message-id=<{0}@tunturituuli.example>",
    "Nov 24 10:00:01 mx postfix/cleanup[1]: 4XkAB1: message-id=<{1}@tunturituuli.example>",
    "Nov 24 10:00:01 mx postfix/cleanup[1]: 4XkAB2: message-id=<{2}@tunturituuli.example>",
    "Nov 24 10:00:02 mx postfix/smtp[2]: 4XkAB0: to=<a@b.example>, dsn=2.0.0, status=sent (250 ok)",
    "Nov 24 10:00:02 mx postfix/smtp[2]: 4XkAB1: to=<a@b.example>, dsn=5.1.1, status=bounced (550 no)",
    "Nov 24 10:00:02 mx postfix/cleanup[1]: 4XkAB2: milter-reject: END-OF-MESSAGE from a[192.0.2.1]: 5.7.1 no",
    "24/Nov/2026 took {3}@tunturituuli.example",
)


def test_looking_records_nothing(mails: Mails) -> None:
    """E-51: what a log tells is shown first; until a person says so, nothing is changed."""
    found = mails.dispatcher.from_logs.look(mails.dispatcher.lifecycle.named("a"), [mails.log(*LINES)])
    assert {"seen": 1, "refused": 1, "queued": 1, "bounced": 1} == found.counts
    assert (5, 1) == (found.unknown, found.missing)
    assert {"unknown": 5} == messages(mails.dispatcher)


def test_what_a_log_tells_is_recorded(mails: Mails) -> None:
    """E-51: taken is accepted, given up later is bounced, refused is refused, and what is in no log stays unknown."""
    dispatcher = mails.dispatcher
    actor = dispatcher.persons.acting(None)
    found = dispatcher.from_logs.look(dispatcher.lifecycle.named("a"), [mails.log(*LINES)])
    assert 4 == dispatcher.from_logs.record(found, actor)
    assert ["accepted", "accepted", "refused", "accepted", "unknown"] == mails.column("state")
    assert [None, "bounced", None, None, None] == mails.column("later")
    assert [None, "5.1.1", None, None, None] == mails.column("later_code")
    assert [True, True, False, True, True] == [day is not None for day in mails.column("day")]
    assert {str(actor)} == {by for by, body in mails.entries(EntryKind.OUTCOME) if body["code"] == "log"}
    dead = [body["code"] for _, body in mails.entries(EntryKind.ADDRESS) if body["event"] == "dead"]
    assert ["5.1.1"] == dead
    assert () == dispatcher.audit.year(2026).findings
    assert 0 == dispatcher.from_logs.record(found, actor)


def test_nothing_is_sent_again_by_it(mails: Mails, doubles: Doubles) -> None:
    """Invariant 2: whatever a log says, nobody gets a second mail."""
    dispatcher = mails.dispatcher
    found = dispatcher.from_logs.look(dispatcher.lifecycle.named("a"), [mails.log(*LINES)])
    dispatcher.from_logs.record(found, dispatcher.persons.acting(None))
    asyncio.run(dispatcher.rounds.once())
    assert sorted(f"{name}@posti.example" for name in NAMES) == doubles.mailed()


def test_what_became_known_meanwhile_stays(mails: Mails) -> None:
    """E-51: between the look and the word of a person, another may have told; a refusal takes nothing back."""
    dispatcher = mails.dispatcher
    found = dispatcher.from_logs.look(dispatcher.lifecycle.named("a"), [mails.log(*LINES)])
    assert Fortune.REFUSED is found.traced[mails.ids[2]].fortune

    def accept(transaction: Transaction) -> None:
        connection = transaction.connection
        progress.changing(connection, connection.scalars(select(OutboxTable.id)), state=MessageState.ACCEPTED)
        connection.execute(update(OutboxTable).values(state="accepted"))

    dispatcher.store.write(accept)
    dispatcher.from_logs.record(found, dispatcher.persons.acting(None))
    assert ["accepted"] * 5 == mails.column("state")
