"""Somebody alters one byte of the ledger, in a copy of the workspace; the audit of the copy has to name the entry."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from dispatcher.demo.account import Tampering
from dispatcher.demo.places import Places
from dispatcher.wiring import opened

_DATABASE = "dispatcher.db"
_COPIED = ("dispatcher.toml", "secrets.toml", "dispatcher.journal")
_DATE = '"not_after":"202'


def tamper(places: Places, client: int, clock: Callable[[], datetime]) -> Tampering:
    """Move the no of this client back by some years, in a copy, and audit the copy.

    The change is one byte long: in the date of her no, 2026 becomes 2020, so that her yes would be the later word and
    mail would go to her again.
    """
    copy = _copied(places)
    with closing(sqlite3.connect(copy)) as connection:
        entry, body = connection.execute(
            "SELECT id, body FROM ledger_entry WHERE client = ? AND kind = 'answer' AND instr(body, ?) "
            "ORDER BY id DESC LIMIT 1",
            (client, _DATE),
        ).fetchone()
        place = body.index(_DATE) + len(_DATE)
        altered = f"{body[:place]}0{body[place + 1 :]}"
        was_refused = not _altered(connection, entry, altered)
        _take_the_lock_off(connection)
        _altered(connection, entry, altered)
    with opened(places.tampered, clock) as dispatcher:
        found = dispatcher.audit.verify()
    year = slice(place - 3, place + 1)
    return Tampering(
        entry=entry,
        before=body[year],
        after=altered[year],
        was_refused_first=was_refused,
        findings=found.findings,
        named=any(each.entry == entry for each in found.breaks),
    )


def _copied(places: Places) -> Path:
    for name in _COPIED:
        shutil.copy2(places.workspace / name, places.tampered / name)
    copy = places.tampered / _DATABASE
    with closing(sqlite3.connect(places.workspace / _DATABASE)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _altered(connection: sqlite3.Connection, entry: int, body: str) -> bool:
    """Try to write an entry anew, and say whether the database let it happen."""
    try:
        with connection:
            connection.execute("UPDATE ledger_entry SET body = ? WHERE id = ?", (body, entry))
    except sqlite3.IntegrityError:
        return False
    return True


def _take_the_lock_off(connection: sqlite3.Connection) -> None:
    """Drop the triggers that refuse every change: who owns the file can do that too."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f'DROP TRIGGER "{name}"')
