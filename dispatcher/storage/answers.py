"""The register of answers: entries of the ledger, the wordings they name, and the objections kept as keyed hashes."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select

from dispatcher.keys import KeyedHash, KeyRing
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.rules.ledger import EntryKind, read_answer
from dispatcher.storage.ledger import entries_of_clients
from dispatcher.storage.tables import IdempotencyTable, SuppressionTable, WordingTable

SUPPRESSED_FOR = timedelta(days=365 + 90)
"""How long a suppression stands: until every yes before it has expired, and the backups with it (L-36)."""


def hash_label(channel: Channel) -> str:
    """Return the label under which addresses of this channel are hashed."""
    return f"address:{channel.value}"


def of_clients(connection: Connection, clients: Sequence[int]) -> dict[int, list[Answer]]:
    """Return the answers of each of these clients, in the order in which they were recorded."""
    found: dict[int, list[Answer]] = defaultdict(list)
    for entry in entries_of_clients(connection, EntryKind.ANSWER.value, clients):
        if entry.client is not None:
            found[entry.client].append(read_answer(entry.id, entry.at, entry.channel, entry.data()))
    return found


def keep_wordings(connection: Connection, texts: Iterable[str], now: datetime) -> dict[str, str]:
    """Write the wordings that are new and return the SHA-256 of each text (D-02)."""
    by_text = {text: wording_hash(text) for text in texts}
    query = select(WordingTable.sha256).where(WordingTable.sha256.in_(by_text.values()))
    known = set(connection.scalars(query))
    new = {digest: text for text, digest in by_text.items() if digest not in known}
    if new:
        connection.execute(
            insert(WordingTable), [{"sha256": key, "text": text, "added_at": now} for key, text in new.items()]
        )
    return by_text


def wording_hash(text: str) -> str:
    """Return the SHA-256 by which a wording is known."""
    return hashlib.sha256(text.encode()).hexdigest()


def wording_texts(connection: Connection, hashes: Iterable[str]) -> dict[str, str]:
    """Return the texts of these wordings."""
    query = select(WordingTable.sha256, WordingTable.text).where(WordingTable.sha256.in_(list(hashes)))
    return {row.sha256: row.text for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Suppression:
    """An objection without a client: the keyed hash of the address it concerns, and the channel, if it named one."""

    hash: KeyedHash
    channel: Channel | None
    reason: str
    at: datetime


def suppress(connection: Connection, suppressions: Iterable[Suppression]) -> int:
    """Write suppressions that are not there yet and return how many were new."""
    new = 0
    for item in suppressions:
        channel = item.channel.value if item.channel else ""
        known = select(func.count()).where(
            SuppressionTable.hash == item.hash.digest, SuppressionTable.channel == channel
        )
        if connection.scalar(known):
            continue
        connection.execute(
            insert(SuppressionTable).values(
                hash=item.hash.digest,
                key=item.hash.key_id,
                channel=channel,
                reason=item.reason,
                at=item.at,
                expires_at=item.at + SUPPRESSED_FOR,
            )
        )
        new += 1
    return new


def suppressed(
    connection: Connection, ring: KeyRing, addresses: Mapping[tuple[Channel, str], int], now: datetime
) -> dict[int, list[Answer]]:
    """Return, by address row, the standing suppressions as the objections they were.

    `addresses` maps channel and canonical form to the row. An objection without a client has no ledger entry: 0.
    """
    if not connection.scalar(select(func.count()).select_from(SuppressionTable)):
        return {}
    by_hash = {
        keyed.digest: row
        for (channel, canonical), row in addresses.items()
        for keyed in ring.every_hash(hash_label(channel), canonical)
    }
    query = select(SuppressionTable.hash, SuppressionTable.channel, SuppressionTable.at).where(
        SuppressionTable.hash.in_(list(by_hash)), SuppressionTable.expires_at > now
    )
    found: dict[int, list[Answer]] = defaultdict(list)
    for row in connection.execute(query):
        channel = Channel(row.channel) if row.channel else None
        found[by_hash[row.hash]].append(Answer(0, Reply.WITHDRAWN, channel, None, row.at, row.at))
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
