"""The exact texts of the questions, each known by its SHA-256 and never changed once an answer names it (D-02)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, cast, delete, func, select, update
from sqlalchemy.dialects import postgresql

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.wording import channels_named, normal, wording_hash
from dispatcher.storage.database import insert_new
from dispatcher.storage.tables import LedgerEntryTable, SignUpTable, WordingTable


@dataclass(frozen=True, slots=True)
class Wording:
    """A question: its text and the channels it names; language and version where a person has told them."""

    sha256: str
    text: str
    channels: frozenset[Channel]
    language: Language | None
    version: str | None
    added_at: datetime


def keep_wordings(connection: Connection, texts: Iterable[str], now: datetime) -> dict[str, str]:
    """Write the wordings that are new and return the SHA-256 of each text (D-02)."""
    by_text = {text: wording_hash(text) for text in texts}
    rows = [
        {"sha256": digest, "text": text, "channels": _named(text), "added_at": now}
        for text, digest in sorted(by_text.items())
    ]
    insert_new(connection, WordingTable, rows)
    return by_text


def add(connection: Connection, text: str, language: Language, version: str, now: datetime) -> str:
    """Write a question under a language and version, and return its SHA-256; one that a file brought gets both now.

    Raises IntegrityError where another text has this language, version and channels: the caller looks first.
    """
    digest = keep_wordings(connection, [normal(text)], now)[normal(text)]
    named = update(WordingTable).where(WordingTable.sha256 == digest)
    # A row of an earlier version of the program has no channels yet, and the label is unique by them.
    label = {"language": language.value, "channels": _named(normal(text)), "version": version}
    connection.execute(named.values(**label, added_at=now))
    return digest


def every(connection: Connection) -> list[Wording]:
    """Return all wordings, oldest first."""
    return _read(connection)


def current(connection: Connection, channel: Channel, language: Language) -> Wording | None:
    """Return the newest question that a person added for this channel and language, or None."""
    return newest(_read(connection)).get((channel, language))


def newest(wordings: Iterable[Wording]) -> dict[tuple[Channel, Language], Wording]:
    """Return, of wordings with the oldest first, the newest that a person added for each channel and language."""
    found: dict[tuple[Channel, Language], Wording] = {}
    for wording in wordings:
        if wording.version is not None and wording.language is not None:
            found |= {(channel, wording.language): wording for channel in wording.channels}
    return found


def find(connection: Connection, beginning: str) -> list[Wording]:
    """Return the wordings whose SHA-256 begins so."""
    return [wording for wording in _read(connection) if wording.sha256.startswith(beginning.lower())]


def wording_texts(connection: Connection, hashes: Iterable[str]) -> dict[str, str]:
    """Return the texts of these wordings."""
    query = select(WordingTable.sha256, WordingTable.text).where(WordingTable.sha256.in_(list(hashes)))
    return {row.sha256: row.text for row in connection.execute(query)}


def spoken(connection: Connection, hashes: Iterable[str]) -> dict[str, tuple[str, Language | None]]:
    """Return the text of each of these wordings, with its language where a person has told it."""
    columns = (WordingTable.sha256, WordingTable.text, WordingTable.language)
    rows = connection.execute(select(*columns).where(WordingTable.sha256.in_(list(hashes))))
    return {row.sha256: (row.text, Language(row.language) if row.language else None) for row in rows}


def times_used(connection: Connection, digest: str) -> int:
    """Return how many answers name this wording."""
    named = LedgerEntryTable.body.contains(f'"wording":"{digest}"', autoescape=True)
    query = select(func.count()).where(LedgerEntryTable.kind == EntryKind.ANSWER.value, named)
    return int(connection.scalar(query) or 0)


def uses(connection: Connection) -> dict[str, int]:
    """Return how many answers name each wording, for those that any names."""
    body = LedgerEntryTable.body
    if connection.dialect.name == "sqlite":
        named = func.json_extract(body, "$.wording")
    else:
        named = func.json_extract_path_text(cast(body, postgresql.JSON), "wording")
    query = select(named, func.count()).where(LedgerEntryTable.kind == EntryKind.ANSWER.value).group_by(named)
    return {row[0]: row[1] for row in connection.execute(query) if row[0]}


def times_shown(connection: Connection, digest: str) -> int:
    """Return how many sign-ups wait to be confirmed that were made under this wording."""
    waits = (SignUpTable.wording == digest, SignUpTable.confirmed_at.is_(None))
    return int(connection.scalar(select(func.count()).where(*waits)) or 0)


def remove(connection: Connection, digest: str) -> None:
    """Take out a wording that no answer names."""
    connection.execute(delete(WordingTable).where(WordingTable.sha256 == digest))


def _named(text: str) -> str:
    return ",".join(sorted(channels_named(text)))


def _read(connection: Connection) -> list[Wording]:
    columns = (
        WordingTable.sha256,
        WordingTable.text,
        WordingTable.language,
        WordingTable.version,
        WordingTable.added_at,
    )
    rows = connection.execute(select(*columns).order_by(WordingTable.added_at, WordingTable.sha256))
    return [
        Wording(
            row.sha256,
            row.text,
            channels_named(row.text),
            Language(row.language) if row.language else None,
            row.version,
            row.added_at,
        )
        for row in rows
    ]
