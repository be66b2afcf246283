"""What a database holds, in figures: what a copy of it must hold as well."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from dispatcher.errors import StorageError
from dispatcher.storage import ledger
from dispatcher.storage.database import newest_revision, revision_of
from dispatcher.storage.tables import InstallationTable, JournalMarkTable, Table


@dataclass(frozen=True, slots=True)
class Contents:
    """Which installation, which version of the tables, how many rows in each, and where the ledger's chains end.

    `heads` holds chain, position and hash; `taken_in` is the highest record of the journal that was taken in.
    """

    workspace: str
    revision: str
    taken_in: int
    rows: dict[str, int]
    heads: tuple[tuple[int, int, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return {
            "workspace": self.workspace,
            "revision": self.revision,
            "taken_in": self.taken_in,
            "rows": self.rows,
            "heads": [list(head) for head in self.heads],
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Contents":
        """Return the figures that `as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        heads = tuple((int(chain), int(position), str(end)) for chain, position, end in found["heads"])
        rows = {str(name): int(count) for name, count in found["rows"].items()}
        return cls(str(found["workspace"]), str(found["revision"]), int(found["taken_in"]), rows, heads)


def read_contents(connection: Connection) -> Contents:
    """Count what a database holds. Raises StorageError for tables of another version, or without an installation."""
    revision = revision_of(connection)
    check_revision(revision)
    workspace = connection.scalar(select(InstallationTable.workspace))
    if workspace is None:
        raise StorageError("There is no installation in it. Nothing was changed.")
    return Contents(
        workspace=workspace,
        revision=str(revision),
        taken_in=connection.scalar(select(func.max(JournalMarkTable.record))) or 0,
        rows={
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in Table.metadata.sorted_tables
        },
        heads=tuple((head.chain, head.position, head.hash) for head in ledger.heads(connection)),
    )


def check_revision(found: str | None) -> None:
    """Raise StorageError unless a copy's tables are those of this version of the program."""
    wanted = newest_revision()
    if found != wanted:
        have = f"is at {found}" if found else "has no tables of the program"
        raise StorageError(
            f"The copy {have}, this version needs {wanted}: put it back with the version of the program that made it, "
            "then run `dispatcher db upgrade`. Nothing was changed."
        )
