"""Which installation a database belongs to, and whether it may be trusted to send."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from dispatcher.errors import JournalError, StorageError
from dispatcher.rules.actor import Actor
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.rules.sayings import say
from dispatcher.storage.journal import DatabaseJournal, FileJournal, Journal, JournalKind, older_journal
from dispatcher.storage.ledger import LedgerDraft, open_chains
from dispatcher.storage.tables import InstallationTable, JournalMarkTable


def create(connection: Connection, journal: FileJournal | DatabaseJournal, actor: Actor, now: datetime) -> None:
    """Begin an installation in an empty database and an empty journal. Raises StorageError if there is one already."""
    if connection.scalar(select(func.count()).select_from(InstallationTable)):
        raise StorageError("This database holds an installation already. Nothing was changed.")
    workspace = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
    first = journal.create(workspace, now)
    connection.execute(insert(InstallationTable).values(id=1, workspace=workspace, opened_at=now, needs_replay=False))
    connection.execute(insert(JournalMarkTable).values(record=first))
    open_chains(connection)
    draft = LedgerDraft(connection, now)
    draft.append(Entry(EntryKind.OPENED, actor, body={"workspace": workspace}))
    draft.close()


def missing_records(connection: Connection, journal: Journal) -> list[int]:
    """Return the numbers of the journal's records that this database has not taken in."""
    last = journal.last()
    count, highest = connection.execute(
        select(func.count(), func.coalesce(func.max(JournalMarkTable.record), 0)).select_from(JournalMarkTable)
    ).one()
    if count == highest == last:
        return []
    if highest > last:
        raise older_journal(last, highest)
    taken = set(connection.scalars(select(JournalMarkTable.record)))
    return [number for number in range(1, last + 1) if number not in taken]


def why_untrusted(connection: Connection, journal: Journal) -> str | None:
    """Return why this database is not the newest its journal knows, or None where it is (docs/architecture.md).

    A record on its way from the journal into the database looks like a missing one: believe a reason only under the
    journal's lock. Raises StorageError without an installation, JournalError for a journal that cannot be used.
    """
    row = connection.execute(select(InstallationTable.workspace, InstallationTable.needs_replay)).one_or_none()
    if row is None:
        raise StorageError("This database holds no installation: run `dispatcher init DIR` to begin one.")
    behind = len(missing_records(connection, journal))
    if not row.needs_replay and not behind:
        return None
    return say("older_copy", count=behind, command="dispatcher db restore --replay")


def check_trusted(connection: Connection, journal: Journal) -> None:
    """Raise JournalError unless this database is the newest its journal knows; the caller holds the journal's lock."""
    why = why_untrusted(connection, journal)
    if why is not None:
        raise JournalError(why)


def workspace_of(journal: Journal) -> str:
    """Return which installation a journal belongs to. Raises JournalError for a journal without a beginning."""
    first = next(iter(journal.records()), None)
    if first is None or first.kind is not JournalKind.OPENED:
        raise JournalError("The journal has no first record: put its newest copy back. Nothing was changed.")
    return str(first.body.get("workspace"))


def check_same(connection: Connection, journal: Journal) -> None:
    """Raise JournalError unless the journal belongs to this installation."""
    if workspace_of(journal) != connection.scalar(select(InstallationTable.workspace)):
        raise JournalError("The journal belongs to another installation: put back the right one. Nothing was changed.")


def needs_replay(connection: Connection) -> bool:
    """Say whether this database was put back from a copy and has not taken in its journal since."""
    return bool(connection.scalar(select(InstallationTable.needs_replay)))


def set_needs_replay(connection: Connection, *, needs: bool) -> None:
    """Say whether this database must take in the journal before anything is sent."""
    connection.execute(update(InstallationTable).values(needs_replay=needs))


def take_in(connection: Connection, records: Iterable[int]) -> None:
    """Write that this database has taken in these records of the journal."""
    marks = [{"record": number} for number in records]
    if marks:
        connection.execute(insert(JournalMarkTable), marks)
