"""Begins an installation in a workspace and opens the storage of one: what stands before any flow does."""

import hashlib
import os
import platform
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from dispatcher.errors import DispatcherError, RefusedError
from dispatcher.keys import KeyRing, new_ring, write_ring
from dispatcher.rules.actor import Actor, ActorKind, Role
from dispatcher.rules.address import AddressError, canonical_email
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.settings import SECRETS, Settings, read_secrets, read_settings
from dispatcher.storage import installation, persons
from dispatcher.storage.database import Database, begin_if_missing, has_table, upgrade
from dispatcher.storage.journal import DatabaseJournal, FileJournal
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction, Writer
from dispatcher.wiring.choices import periods_of

Clock = Callable[[], datetime]
VERSION = version("consent-dispatcher")


def system_clock() -> datetime:
    """Return the time of this machine, aware UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


def open_store(
    directory: Path, settings: Settings, ring: KeyRing, clock: Clock, *, begins_missing: bool = False
) -> Store:
    """Open database and journal of a workspace; `begins_missing`: a lost database is begun anew, for a copy of it."""
    url = _in(directory, settings.database.url)
    if begins_missing:
        begin_if_missing(url)
    database = Database(url)
    where = settings.database.journal
    journal: FileJournal | DatabaseJournal

    def reload() -> KeyRing:
        return read_secrets(directory)

    if "://" in where:
        journal = DatabaseJournal(Database(_in(directory, where)), ring, reload)
    else:
        journal = FileJournal(directory / where, ring, reload)
    writer = Writer(database, journal, clock, periods_of(settings).suppressed)
    return Store(database, journal, writer, ring, clock)


def sender_of(directory: Path, store: Store) -> str:
    """Return what the sender of a workspace is called in its database: one where the database is its own file."""
    if store.database.is_sqlite:
        return "sender"
    return "sender-" + hashlib.sha256(f"{platform.node()}:{directory}".encode()).hexdigest()[:12]


def upgrade_database(directory: Path) -> None:
    """Bring the tables of a workspace's database up to this version."""
    upgrade(_in(directory, read_settings(directory).database.url))


def found(directory: Path, owner: str, clock: Clock = system_clock, *, email: str | None = None) -> None:
    """Begin an installation in a workspace that has its settings: keys, tables, journal, the owner reached at `email`.

    Raises RefusedError where there are keys already or the address is none, and nothing is changed then.
    """
    settings = read_settings(directory)
    try:
        reach = {"email": canonical_email(email)} if email else {}
    except AddressError as error:
        raise RefusedError(f"{email!r} is no email address: {error}. Nothing was changed.") from None
    if (directory / SECRETS).exists():
        raise RefusedError(f"There is a {SECRETS} in {directory} already: this workspace has been begun before.")
    upgrade(_in(directory, settings.database.url))
    store = open_store(directory, settings, new_ring(), clock)
    try:
        _begin(store, directory / SECRETS)

        def add_owner(transaction: Transaction) -> None:
            number = persons.add(transaction.connection, owner, Role.OWNER, transaction.now)
            actor = Actor(ActorKind.PERSON, str(number))
            body: dict[str, Json] = {"event": "added", "person": number, "role": Role.OWNER.value}
            transaction.ledger.append(Entry(EntryKind.PERSON, actor, body=body))
            if reach:
                persons.set_reach(transaction.connection, number, reach)
                told: dict[str, Json] = {"event": "reach", "person": number, "changed": sorted(reach)}
                transaction.ledger.append(Entry(EntryKind.PERSON, actor, body=told))

        store.write(add_owner)
    finally:
        store.close()


def holds_data(directory: Path) -> bool:
    """Say whether the database that a workspace's settings name has been begun."""
    database = Database(_in(directory, read_settings(directory).database.url))
    try:
        if database.is_sqlite:
            return Path(str(database.url.database)).exists()
        with database.reading() as connection:
            return has_table(connection, "installation")
    finally:
        database.close()


def _begin(store: Store, secrets: Path) -> None:
    """Begin keys, database and journal; the keys of an installation that did not come to be are removed again."""
    store.database.check_durable()
    write_ring(secrets, store.ring)
    try:
        with store.database.writing() as connection:
            installation.create(connection, store.journal, Actor(ActorKind.PERSON, "1"), store.clock())
    except DispatcherError:
        secrets.unlink()
        raise


def starter(name: str) -> Path:
    """Return the folder of starter campaigns or templates: inside the wheel, or at the top of a checkout."""
    inside = Path(str(files("dispatcher"))) / "starter" / name
    return inside if inside.is_dir() else Path(str(files("dispatcher"))).parent / name


def copy_starters(directory: Path) -> None:
    """Copy the starter campaigns and templates into a workspace; a file that is there already stays as it is."""
    for name in ("campaigns", "templates"):
        home = starter(name)
        for folder, _, found in os.walk(home):
            place = directory / name / Path(folder).relative_to(home)
            missing = [each for each in sorted(found) if not (place / each).exists()]
            if missing:
                place.mkdir(parents=True, exist_ok=True)
            for each in missing:
                shutil.copyfile(Path(folder, each), place / each)


def _in(directory: Path, url: str) -> str:
    """Return a database URL whose relative SQLite path lies in the workspace."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{directory / url.removeprefix(prefix)}"
    return url
