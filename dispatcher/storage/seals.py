"""The seals: in the ledger as entries, and in a file of the workspace that no restore of the database takes back."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from dispatcher.errors import SealError
from dispatcher.rules.ledger import EntryKind, canonical
from dispatcher.rules.seal import Heads, Seal, read_seal
from dispatcher.storage import ledger
from dispatcher.storage.tables import InstallationTable, LedgerEntryTable

FILE = "seals.jsonl"
_UNREAD = (ValueError, KeyError, TypeError, AttributeError)


def in_ledger(connection: Connection) -> list[Seal]:
    """Return the seals that entries tell of, oldest first; one that cannot be read is left out."""
    found = []
    for body in ledger.bodies_of_nobody(connection, EntryKind.SEAL.value):
        try:
            found.append(read_seal(json.loads(body)))
        except _UNREAD:
            continue
    return found


def heads(connection: Connection) -> tuple[Heads, int]:
    """Return the heads of all chains, and the highest number of an entry."""
    ends = tuple((head.chain, head.position, head.hash) for head in ledger.heads(connection))
    return ends, int(connection.scalar(select(func.max(LedgerEntryTable.id))) or 0)


def workspace(connection: Connection) -> str:
    """Return which installation this is, as its first entry tells."""
    return str(connection.scalar(select(InstallationTable.workspace)))


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file of seals holds: the seals, and the numbers of lines that hold none."""

    seals: tuple[Seal, ...] = ()
    unread: tuple[int, ...] = ()
    is_there: bool = False


@dataclass(frozen=True, slots=True)
class SealFile:
    """The file of seals: a JSON line each, oldest first. Nothing in it is secret, and nothing in it names anybody."""

    path: Path

    def read(self) -> Kept:
        """Return what the file holds. Raises SealError where it is there and cannot be read."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return Kept()
        except OSError as error:
            raise SealError(f"The seals in {self.path.name} cannot be read ({error.strerror}).") from None
        found, unread = [], []
        for number, line in enumerate(lines, start=1):
            try:
                found.append(read_seal(json.loads(line)))
            except _UNREAD:
                unread.append(number)
        return Kept(tuple(found), tuple(unread), is_there=True)

    def add(self, seals: Sequence[Seal]) -> None:
        """Put seals at the file's end, on disk when it returns. Raises SealError where that fails."""
        if not seals:
            return
        lines = "".join(f"{canonical(seal.as_json())}\n" for seal in seals).encode("ascii")
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SealError(f"The seals cannot be written to {self.path.name} ({error.strerror}).") from None
