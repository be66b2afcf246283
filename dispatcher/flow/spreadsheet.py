"""Tables that are safe to open in a spreadsheet: no cell begins as a formula would, since it would be run."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula in Excel, LibreOffice or Sheets, what they skip before one, and the wide forms of the signs."""


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV (RFC 4180) with every cell made harmless; the only writer of CSV there is."""
    text = StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: object) -> object:
    """Return a cell that a spreadsheet shows as it is: a text that begins as a formula gets an apostrophe before it.

    Numbers, days and None stay what they are.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
