"""Which installation a database belongs to, and whether it may be trusted to send."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from dispatcher.errors import JournalError, StorageError
from dispatcher.rules.actor import Actor
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage.journal import DatabaseJournal, FileJournal, Journal, JournalKind
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
        raise JournalError(
            f"The journal ends at record {last}, but the database knows {highest}: an older journal was put in its "
            "place. Put the newest copy back; nothing is sent until then."
        )
    taken = set(connection.scalars(select(JournalMarkTable.record)))
    return [number for number in range(1, last + 1) if number not in taken]


def check_trusted(connection: Connection, journal: Journal) -> None:
    """Raise JournalError unless this database is the newest its journal knows (design.md, section 5)."""
    row = connection.execute(select(InstallationTable.workspace, InstallationTable.needs_replay)).one_or_none()
    if row is None:
        raise StorageError("This database holds no installation: run `dispatcher init DIR` to begin one.")
    behind = missing_records(connection, journal)
    if row.needs_replay or behind:
        count = f"{len(behind)} record{'s' if len(behind) != 1 else ''} of the journal"
        raise JournalError(
            f"This database is an older copy: {count} are not in it. Run `dispatcher db restore --replay`; nothing is "
            "sent until then."
        )


def check_same(connection: Connection, journal: Journal) -> None:
    """Raise JournalError unless the journal belongs to this installation."""
    workspace = connection.scalar(select(InstallationTable.workspace))
    first = next(iter(journal.records()), None)
    if first is None or first.kind is not JournalKind.OPENED or first.body.get("workspace") != workspace:
        raise JournalError("The journal belongs to another installation: put back the right one. Nothing was changed.")


def set_needs_replay(connection: Connection, *, needs: bool) -> None:
    """Say whether this database must take in the journal before anything is sent."""
    connection.execute(update(InstallationTable).values(needs_replay=needs))
