"""What a writing transaction locks before it decides, always in the same order.

SQLite has one writer, so BEGIN IMMEDIATE is the lock. PostgreSQL takes advisory locks that end with the transaction:
withdrawal, verdict with intent, and slot take the same ones (docs/architecture.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import Connection, text

_TAKE = {
    False: text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k"),
    True: text("SELECT pg_advisory_xact_lock_shared(k) FROM unnest(CAST(:keys AS bigint[])) AS k"),
}
_KEY_BITS = 56


class LockKind(IntEnum):
    """What can be locked, in the order in which locks are taken."""

    JOURNAL = 0
    YEAR = 1
    CAMPAIGN = 2
    ADDRESS = 3
    CLIENT = 4
    REGISTER = 5
    SERVICE = 6


@dataclass(frozen=True, slots=True, order=True)
class Lock:
    """One thing to lock; shared locks stand beside each other and keep an exclusive one out."""

    kind: LockKind
    key: int
    shared: bool = False


def take(connection: Connection, locks: Iterable[Lock]) -> None:
    """Take these locks until the transaction ends, waiting where another holds one."""
    if connection.dialect.name == "sqlite":
        return
    exclusive = {(lock.kind, lock.key) for lock in locks if not lock.shared}
    shared = {(lock.kind, lock.key) for lock in locks if lock.shared} - exclusive
    wanted = sorted([(kind, key, False) for kind, key in exclusive] + [(kind, key, True) for kind, key in shared])
    batch: list[int] = []
    mode = False
    for kind, key, is_shared in wanted:
        if is_shared is not mode and batch:
            connection.execute(_TAKE[mode], {"keys": batch})
            batch = []
        mode = is_shared
        batch.append((kind << _KEY_BITS) | key)
    if batch:
        connection.execute(_TAKE[mode], {"keys": batch})
