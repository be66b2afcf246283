"""What a file is made of, whatever its form: records of cells."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol


class Record(NamedTuple):
    """One row: the number a spreadsheet shows, its cells (None if its quotes are wrong), its first and last line."""

    row: int
    cells: list[str] | None
    lines: tuple[int, int]


class Content(Protocol):
    """A file opened for reading: what it is, and its records that are not blank, the header first."""

    @property
    def sha256(self) -> str:
        """Return the hash of the file's bytes."""

    @property
    def encoding(self) -> str:
        """Return how its letters are written."""

    @property
    def delimiter(self) -> str:
        """Return what stands between two cells; nothing in a spreadsheet."""

    @property
    def sheet(self) -> str | None:
        """Return the name of the sheet, where it has sheets."""

    @property
    def header(self) -> Sequence[str]:
        """Return the names of the columns."""

    def records(self) -> Iterator[Record]:
        """Yield the records."""

    def count(self) -> int:
        """Return how many there are, having seen that the file holds together."""


def filled(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records that are not blank."""
    return (record for record in records if record.cells is None or any(cell.strip() for cell in record.cells))
