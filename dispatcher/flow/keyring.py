"""The keys' own safekeeping: a copy of the secrets file, and whether every key the data needs is there."""

import os
import stat
from pathlib import Path

from dispatcher.errors import JournalError, SettingsError
from dispatcher.keys import KeyKind, KeyRing, read_ring
from dispatcher.rules.actor import Actor
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import answers, clients
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_PUT_BACK = "Put back the copy that `dispatcher keys backup` made"


class Keyring:
    """Looks after the keys of an open installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, secrets: Path) -> list[str]:
        """Return, a sentence each, what is wrong with the keys and with the file they stand in."""
        return [*self.check_keys(secrets), *self.check_journal()]

    def check_keys(self, secrets: Path) -> list[str]:
        """Return what is wrong with the keys and their file alone. Raises OSError where the file is gone."""
        mode = stat.S_IMODE(secrets.stat().st_mode)
        readable = [f"{secrets.name} has mode {mode:04o}: run `chmod 600 {secrets.name}`."] if mode != 0o600 else []
        return readable + missing_keys(self._store.ring, self._store)

    def check_journal(self) -> list[str]:
        """Return what is wrong with the journal, read to its end."""
        return journal_damage(self._store.ring, self._store)

    def record_rotation(self, kind: KeyKind, key_id: str, actor: Actor) -> None:
        """Write to the ledger that a key became the current one of its kind."""

        def work(transaction: Transaction) -> None:
            body = {"event": "rotated", "kind": kind.value, "key": key_id}
            transaction.ledger.append(Entry(EntryKind.KEYS, actor, body=body))

        self._store.write(work)


def backup_keys(secrets: Path, target: Path) -> None:
    """Copy the secrets file to a new file of mode 0600 and read the copy back.

    Raises SettingsError for a secrets file that is not in order, and for a target that is there already or cannot be
    written; nothing is overwritten, and no half of a copy is left behind.
    """
    read_ring(secrets)
    content = secrets.read_bytes()
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsError(
            f"There is a file {target} already: give the copy another name. Nothing was written."
        ) from None
    except OSError as error:
        raise SettingsError(f"{target} cannot be written ({error.strerror}). Nothing was written.") from None
    trouble = _written(descriptor, target, content)
    if trouble:
        target.unlink()
        raise SettingsError(f"{target} could not be written ({trouble}). Nothing was kept.")


def check_keys(ring: KeyRing, store: Store) -> list[str]:
    """Return, a sentence each, which keys are missing and what is lost with them (L-35).

    The journal is read to its end: keys that were created anew go by the old ids, and its signatures tell them apart.
    """
    return [*missing_keys(ring, store), *journal_damage(ring, store)]


def missing_keys(ring: KeyRing, store: Store) -> list[str]:
    """Return, a sentence each, which keys are missing that should be there or that the data name."""
    findings = [
        f"There is no {kind.value} key: run `dispatcher keys rotate {kind.value}`."
        for kind in KeyKind
        if not ring.all(kind)
    ]
    with store.reading() as connection:
        suppressions = answers.keys_of_suppressions(connection)
        customers = clients.keys_of_customer_numbers(connection)
    findings += [
        f"Hash key {key!r} is lost, and {count} suppressions with it: whoever said no there is no longer recognised "
        f"and could be written to again. {_PUT_BACK}; nothing else brings them back."
        for key, count in sorted(suppressions.items())
        if ring.find(KeyKind.HASH, key) is None
    ]
    findings += [
        f"Hash key {key!r} is lost: {count} clients are no longer known by their customer number, so the next import "
        f"may take them for new ones. {_PUT_BACK}."
        for key, count in sorted(customers.items())
        if ring.find(KeyKind.HASH, key) is None
    ]
    return findings + [
        f"Journal key {key!r} is lost: the journal cannot be read, and nothing in it can be brought back. {_PUT_BACK}."
        for key in _lost_journal_keys(ring, store)
    ]


def journal_damage(ring: KeyRing, store: Store) -> list[str]:
    """Return what is wrong with the journal itself, read to its end; nothing where a key to read it is missing."""
    try:
        if not _lost_journal_keys(ring, store):
            for _ in store.journal.records():
                pass
    except JournalError as error:
        return [str(error)]
    return []


def _written(descriptor: int, target: Path, content: bytes) -> str | None:
    """Put everything on disk and read it back; return what stood in the way, or None."""
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return None if target.read_bytes() == content else "it did not come back as it was written"
    except OSError as error:
        return error.strerror


def _lost_journal_keys(ring: KeyRing, store: Store) -> list[str]:
    """Return the ids of the keys that records are signed with and nobody has; none of a journal that is not there."""
    try:
        return sorted(key for key in store.journal.key_ids() if ring.find(KeyKind.JOURNAL, key) is None)
    except JournalError:
        return []
