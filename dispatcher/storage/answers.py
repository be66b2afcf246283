"""The register of answers: entries of the ledger, and the objections kept as keyed hashes."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from dispatcher.keys import KeyedHash, KeyRing
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply, as_it_counts
from dispatcher.rules.ledger import EntryKind, Json, answer_in
from dispatcher.storage import sources
from dispatcher.storage.hot import Hot, among, read_moment
from dispatcher.storage.ledger import bodies_of_clients, entries_of_clients
from dispatcher.storage.tables import IdempotencyTable, SuppressionTable

_AT_ONCE = 500
_ANY_SUPPRESSION = Hot(select(SuppressionTable.id).limit(literal_column("1")))
_SUPPRESSED = Hot(
    select(SuppressionTable.hash, SuppressionTable.channel, SuppressionTable.at).where(
        among(SuppressionTable.hash, "hashes"), SuppressionTable.expires_at > bindparam("now")
    )
)


def hash_label(channel: Channel) -> str:
    """Return the label under which addresses of this channel are hashed."""
    return f"address:{channel.value}"


def of_clients(connection: Connection, clients: Sequence[int]) -> dict[int, list[Answer]]:
    """Return the answers of each of these clients, in the order in which they were recorded, as they count now."""
    found: dict[int, list[Answer]] = defaultdict(list)
    for client, answer, _ in _as_they_count(connection, clients):
        found[client].append(answer)
    return found


def of_client(connection: Connection, client: int) -> list[tuple[Answer, str]]:
    """Return the answers of a client in the order in which they were recorded, each with the actor who recorded it."""
    return [(answer, actor) for _, answer, actor in _as_they_count(connection, [client])]


def _as_they_count(connection: Connection, clients: Sequence[int]) -> Iterator[tuple[int, Answer, str]]:
    """Yield client, answer and actor of each answer, a yes of a source that is void marked as one that opens nothing.

    This is the one place where answers are read from the ledger: every verdict and every page sees the same.
    """
    voided: Collection[int] | None = None
    for client, number, at, actor, channel, body in bodies_of_clients(connection, EntryKind.ANSWER.value, clients):
        answer = answer_in(number, at, channel, body)
        if answer.source is not None:
            voided = sources.voidings(connection) if voided is None else voided
            answer = as_it_counts(answer, voided)
        yield client, answer, actor


def bodies_of_client(connection: Connection, client: int) -> list[tuple[datetime, Channel | None, dict[str, Json]]]:
    """Return moment, channel and body of each answer of a client, as the ledger and the journal both write them."""
    found = entries_of_clients(connection, EntryKind.ANSWER.value, [client])
    return [(entry.at, Channel(entry.channel) if entry.channel else None, entry.data()) for entry in found]


def keys_of_suppressions(connection: Connection) -> dict[str, int]:
    """Return how many suppressions rest on which hash key: without the key they refuse nobody (L-35)."""
    query = select(SuppressionTable.key, func.count()).group_by(SuppressionTable.key)
    return {row[0]: row[1] for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Suppression:
    """An objection without a client: the keyed hash of the address it concerns, and the channel, if it named one."""

    hash: KeyedHash
    channel: Channel | None
    reason: str
    at: datetime


def suppress(connection: Connection, suppressions: Iterable[Suppression], stands_for: timedelta) -> int:
    """Write suppressions and return how many were new; of two for one address and channel the later objection stands.

    Were the earlier one kept, a yes from between the two would lift both. Each ends `stands_for` after its own date.
    """
    latest: dict[tuple[str, str], Suppression] = {}
    for item in suppressions:
        pair = (item.hash.digest, item.channel.value if item.channel else "")
        if pair not in latest or latest[pair].at < item.at:
            latest[pair] = item
    rows = [
        {
            "hash": digest,
            "key": item.hash.key_id,
            "channel": channel,
            "reason": item.reason,
            "at": item.at,
            "expires_at": item.at + stands_for,
        }
        for (digest, channel), item in latest.items()
    ]
    return sum(_suppress(connection, rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE))


def _suppress(connection: Connection, rows: Sequence[Mapping[str, object]]) -> int:
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(SuppressionTable).values(list(rows))
    later = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[SuppressionTable.hash, SuppressionTable.channel],
        set_={"reason": later.reason, "at": later.at, "expires_at": later.expires_at},
        where=SuppressionTable.at < later.at,
    )
    return len(connection.execute(statement.returning(SuppressionTable.id)).all())


def are_any_suppressed(connection: Connection) -> bool:
    """Say whether there is any objection without a client: where there is none, no address has to be hashed."""
    return _ANY_SUPPRESSION.one(connection) is not None


def suppressed(
    connection: Connection, ring: KeyRing, addresses: Mapping[tuple[Channel, str], int], now: datetime
) -> dict[int, list[Answer]]:
    """Return, by address row, the standing suppressions as the objections they were.

    `addresses` maps channel and canonical form to the row. An objection without a client has no ledger entry: 0.
    """
    if not are_any_suppressed(connection):
        return {}
    by_hash = {
        keyed.digest: row
        for (channel, canonical), row in addresses.items()
        for keyed in ring.every_hash(hash_label(channel), canonical)
    }
    found: dict[int, list[Answer]] = defaultdict(list)
    for digest, named, at in _SUPPRESSED.rows(connection, hashes=list(by_hash), now=now):
        channel, objected_at = Channel(named) if named else None, read_moment(at)
        found[by_hash[digest]].append(Answer(0, Reply.WITHDRAWN, channel, None, objected_at, objected_at))
    return found


def seen_before(connection: Connection, scope: str, key: str) -> str | None:
    """Return the result kept for this key, or None if it was never taken in."""
    query = select(IdempotencyTable.result).where(IdempotencyTable.key == _scoped(scope, key))
    return connection.scalar(query)


def remember(connection: Connection, scope: str, key: str, result: str, now: datetime) -> None:
    """Keep the result of what was taken in under this key."""
    connection.execute(insert(IdempotencyTable).values(scope=scope, key=_scoped(scope, key), at=now, result=result))


def _scoped(scope: str, key: str) -> str:
    return hashlib.sha256(f"{scope}\0{key}".encode()).hexdigest()
