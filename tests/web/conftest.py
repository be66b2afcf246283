"""A real installation with one client in it, and the pages that client can open."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, delete, select, text
from starlette.testclient import TestClient

from dispatcher.flow.preferences import Preferences
from dispatcher.keys import new_ring
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer
from dispatcher.rules.studio import Studio
from dispatcher.storage import answers, clients, installation
from dispatcher.storage.database import Database
from dispatcher.storage.journal import DatabaseJournal, FileJournal
from dispatcher.storage.store import Store
from dispatcher.storage.tables import ClientAddressTable, ClientTable
from dispatcher.storage.writer import Writer
from dispatcher.web.public import create_app
from tests.clock import FixedClock

NUMBER = 140_737_488_355_001
"""The client of these tests: as wide as a client's number can be."""


@pytest.fixture
def studio() -> Studio:
    """Give the invented studio that sends."""
    return Studio(
        name="Tunturituuli",
        business_id="0000000-0",
        postal_address="Esimerkkikuja 1, 99999 Esimerkkilä",
        email="hei@tunturituuli.example",
        phone="+358 40 000 0000",
        booking_url="https://varaa.tunturituuli.example",
        public_url="https://m.tunturituuli.example",
        sender="hei@tunturituuli.example",
        bounces="palautus@tunturituuli.example",
        notice={
            Language.FI: "https://tunturituuli.example/tietosuoja",
            Language.SV: "https://tunturituuli.example/dataskydd",
        },
    )


@dataclass(frozen=True, slots=True)
class House:
    """One installation as a test needs it: its storage, its links, and what has been said in it."""

    store: Store
    links: OptOutLinks
    preferences: Preferences
    journal_path: Path | None

    def token(self, channel: Channel = Channel.EMAIL) -> str:
        """Return the token in the client's messages of this channel."""
        return self.links.token(OptOut(NUMBER, channel))

    def noes(self) -> list[Answer]:
        """Return what the client has said, read from the ledger."""
        with self.store.reading() as connection:
            return answers.of_clients(connection, [NUMBER]).get(NUMBER, [])

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Return every row of every table, and every record of the journal."""
        with self.store.reading() as connection:
            tables = MetaData()
            tables.reflect(connection)
            found = {
                table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for table in tables.sorted_tables
            }
        return found | {"the journal": [(record.as_json(),) for record in self.store.journal.records()]}

    def erase(self) -> None:
        """Take the client's row and addresses away, so that nothing stands behind the token."""
        with self.store.database.writing() as connection:
            connection.execute(delete(ClientAddressTable))
            connection.execute(delete(ClientTable))

    def lose_journal(self) -> None:
        """Take the journal away, as a full disk or a wrong mount would: no "no" can be kept any more."""
        if self.journal_path is not None:
            self.journal_path.rename(self.journal_path.with_suffix(".gone"))
            return
        assert isinstance(self.store.journal, DatabaseJournal)
        with self.store.journal._database.writing() as connection:
            connection.execute(text("ALTER TABLE journal RENAME TO gone"))


@pytest.fixture
def house(database_url: str, journal_url: str, clock: FixedClock) -> Iterator[House]:
    """Give an installation with one client, on SQLite and on PostgreSQL."""
    ring, database = new_ring(), Database(database_url)
    journal_path = None if "://" in journal_url else Path(journal_url)
    journal = FileJournal(journal_path, ring) if journal_path else DatabaseJournal(Database(journal_url), ring)
    with database.writing() as connection:
        installation.create(connection, journal, Actor(ActorKind.PERSON, "1"), clock())
        _enrol(connection, clock())
    store = Store(database, journal, Writer(database, journal, clock), ring, clock)
    links = OptOutLinks(ring, "https://m.tunturituuli.example")
    yield House(store, links, Preferences(store, links), journal_path)
    store.close()


@pytest.fixture
def visitor(house: House, studio: Studio, clock: FixedClock) -> Iterator[TestClient]:
    """Give somebody who asks the real application for pages and follows no redirect."""
    app = create_app(house.preferences, studio, clock)
    with TestClient(app, base_url=studio.public_url, follow_redirects=False) as client:
        yield client


def _enrol(connection: Connection, now: datetime) -> None:
    """Write the client: Swedish-speaking, with an email address and a number."""
    row = {"number": NUMBER, "first_name": "Maj", "last_name": "Berg", "language": "sv"}
    clients.insert_clients(connection, [row | {"created_at": now, "updated_at": now}])
    held = {(Channel.EMAIL, "maj.berg@posti.example"), (Channel.SMS, "+358401234567")}
    found = clients.address_rows(connection, held, now)
    clients.insert_links(connection, [(NUMBER, channel, row) for (channel, _), row in found.items()])
