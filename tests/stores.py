"""An installation's storage for a test: database, journal, writer and keys, without the flows above them."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, create_engine, event

from dispatcher.flow.deletions import Deletions
from dispatcher.flow.erasing import Erasing
from dispatcher.flow.policy import Policy
from dispatcher.flow.requests import Requests
from dispatcher.keys import KeyKind, KeyRing
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Campaign, Channel, Kind, Language
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.ledger import GENESIS, Entry, EntryKind, StoredEntry, answer_entry
from dispatcher.rules.message import MessageState
from dispatcher.rules.retention import Periods
from dispatcher.storage import campaigns, clients, installation, ledger, outbox, reports, slots
from dispatcher.storage.database import Database
from dispatcher.storage.journal import DatabaseJournal, FileJournal, JournalKind, Note
from dispatcher.storage.outbox import Planned
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction, Writer

ROOT = Path(__file__).parent.parent
OWNER = Actor(ActorKind.PERSON, "1")
HELSINKI = ZoneInfo("Europe/Helsinki")
POLICY = Policy(
    windows=Windows(HELSINKI),
    valid_for=timedelta(days=365),
    renew_for=timedelta(days=60),
    authorised=frozenset(Channel),
    needs_notice=frozenset(),
    grace=timedelta(hours=2),
    window=50,
    fingerprint="0" * 16,
)


@cache
def ring() -> KeyRing:
    """Return keys for tests: one of each kind."""
    keys = KeyRing({})
    for kind in KeyKind:
        keys = keys.with_new(kind)
    return keys


def erasing(store: Store) -> Erasing:
    """Return the flow that erases, on a storage without carriers or previews."""
    deletions = Deletions(store, Periods(), {}, ())
    return Erasing(store, POLICY, Periods(), Requests(store, POLICY), deletions)


def open_journal(journal_url: str, keys: KeyRing | None = None) -> FileJournal | DatabaseJournal:
    """Open a journal by the place the fixture gives: a path, or the URL of a database."""
    keys = keys or ring()
    if "://" in journal_url:
        return DatabaseJournal(Database(journal_url), keys)
    return FileJournal(Path(journal_url), keys)


def open_store(
    database_url: str,
    journal_url: str,
    clock: Callable[[], datetime],
    *,
    keys: KeyRing | None = None,
    journal: FileJournal | DatabaseJournal | None = None,
) -> Store:
    """Open an installation's storage; its own database connections and its own writer."""
    database = Database(database_url)
    journal = journal or open_journal(journal_url, keys)
    return Store(database, journal, Writer(database, journal, clock), keys or ring(), clock)


def begin(store: Store) -> None:
    """Begin the installation: journal, first entries, heads of the chains."""
    with store.database.writing() as connection:
        installation.create(connection, store.journal, OWNER, store.clock())


def raw(database_url: str) -> Engine:
    """Return an engine that none of the program's settings apply to: what somebody with another tool would use."""
    return create_engine(database_url)


def fact(number: int = 1) -> Entry:
    """Return a small entry to put into the ledger."""
    return Entry(EntryKind.CLIENT, OWNER, client=number, body={"event": "created"})


def note(number: int = 1) -> Note:
    """Return a small fact to put into the journal."""
    return Note(JournalKind.RESTORED, {"test": number})


def add_entry(number: int = 1) -> Callable[[Transaction], int]:
    """Return a write that puts one entry into the ledger and returns its number."""
    return lambda transaction: transaction.ledger.append(fact(number))[0]


def add_note(number: int = 1) -> Callable[[Transaction], None]:
    """Return a write that puts one fact into the journal."""
    return lambda transaction: transaction.notes.append(note(number))


def entry_ids(store: Store) -> list[int]:
    """Return the numbers of all entries about clients."""
    with store.reading() as connection:
        return [entry.id for entry in ledger.entries(connection, [EntryKind.CLIENT.value])]


def commits(store: Store, work: Callable[[], object]) -> int:
    """Return how many commits something takes."""
    seen: list[object] = []
    listen = (store.database.engine, "commit", seen.append)
    event.listen(*listen)
    work()
    event.remove(*listen)
    return len(seen)


def broken_links(connection: Connection) -> list[str]:
    """Recompute every chain of the ledger and return what is wrong with it, a word each."""
    members: dict[int, list[StoredEntry]] = defaultdict(list)
    findings = []
    for entry in ledger.entries(connection):
        members[entry.group].append(entry)
        if entry.expected_digest() != entry.digest:
            findings.append(f"entry {entry.id} altered")
    ends = {head.chain: (0, GENESIS) for head in ledger.heads(connection)}
    for group in reports.groups_by_chain(connection):
        position, previous = ends[group.chain]
        own = members.pop(group.id, [])
        if group.position != position + 1 or group.previous != previous:
            findings.append(f"group {group.id} does not follow")
        if group.entries != len(own) or group.expected_hash(entry.digest for entry in own) != group.hash:
            findings.append(f"group {group.id} altered")
        ends[group.chain] = (group.position, group.hash)
    findings += [f"group {group} missing" for group in members]
    heads = {head.chain: (head.position, head.hash) for head in ledger.heads(connection)}
    return findings if heads == ends else [*findings, "heads do not fit"]


def add_client(
    store: Store,
    number: int,
    *,
    email: str | None = None,
    phone: str | None = None,
    replaces_at: datetime | None = None,
) -> dict[Channel, int]:
    """Write a client with these canonical addresses and return the row of each address."""
    texts = {channel: text for channel, text in ((Channel.EMAIL, email), (Channel.SMS, phone)) if text is not None}

    def work(transaction: Transaction) -> dict[Channel, int]:
        connection, now = transaction.connection, transaction.now
        rows = clients.address_rows(connection, texts.items(), now)
        clients.insert_clients(connection, [client_row(number, now)])
        for channel, text in texts.items():
            clients.join_address(connection, number, channel, rows[channel, text], changed_at=replaces_at)
        return {channel: rows[channel, text] for channel, text in texts.items()}

    return store.write(work)


def client_row(
    number: int, now: datetime, first_name: str = "Maija", last_name: str = "Meikäläinen"
) -> dict[str, object]:
    """Return the columns of a new client."""
    return {
        "number": number,
        "first_name": first_name,
        "last_name": last_name,
        "language": Language.FI.value,
        "last_visit": None,
        "created_at": now,
        "updated_at": now,
        "restricted": False,
        "child": False,
        "suspended": False,
    }


def say(store: Store, client: int, reply: Reply, channel: Channel | None, at: datetime | None = None) -> int:
    """Record an answer of a client, given at this moment or now, and return its entry."""

    def work(transaction: Transaction) -> int:
        moment = at or transaction.now
        answer = Answer(0, reply, channel, moment, moment, transaction.now, Place.ONLINE, "0" * 64)
        return transaction.ledger.append(answer_entry(answer, client, OWNER))[0]

    return store.write(work)


def campaign(name: str, send_at: datetime) -> Campaign:
    """Return a small campaign."""
    return Campaign(
        name=name,
        title=f"Kampanja {name}",
        kind=Kind.OFFER,
        send_at=send_at,
        channels=(Channel.EMAIL, Channel.SMS),
        subject={Language.FI: "Tarjous"},
        template="offer",
    )


def add_campaign(store: Store, name: str, send_at: datetime) -> int:
    """Write a campaign and its slot without asking the budget; return its number."""

    def work(transaction: Transaction) -> int:
        number = campaigns.add(transaction.connection, campaign(name, send_at), {}, transaction.now)
        day = send_at.astimezone(HELSINKI).date()
        slots.put(transaction.connection, number, day, f"Kampanja {name}")
        return number

    return store.write(work)


def plan(store: Store, number: int, who: Sequence[tuple[int, int]], state: MessageState = MessageState.WAITING) -> None:
    """Put messages of a campaign into the outbox: client and address row of each, by email, due now."""

    def work(transaction: Transaction) -> None:
        rows = [
            Planned(number, client, f"{number:016d}{client:016d}", state, transaction.now, Channel.EMAIL, address)
            for client, address in who
        ]
        outbox.add(transaction.connection, rows)

    store.write(work)


def run_python(source: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a piece of Python in a process of its own, with the program and the tests to import."""
    command = [sys.executable, "-c", source, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=check, timeout=60)
