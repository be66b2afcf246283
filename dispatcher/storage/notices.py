"""The published versions of the privacy notice, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from dispatcher.rules.campaign import Language
from dispatcher.rules.wording import wording_hash
from dispatcher.storage.tables import NoticeTable


@dataclass(frozen=True, slots=True)
class Notice:
    """One published version: its texts by language; `covers_transfer` as its table says."""

    version: int
    published_at: datetime
    covers_transfer: bool
    texts: Mapping[Language, str]

    def hash_in(self, language: Language) -> str:
        """Return the SHA-256 of the text in this language, else of the Finnish one, else of any."""
        found = self.texts.get(language) or self.texts.get(Language.FI) or next(iter(self.texts.values()))
        return wording_hash(found)


def publish(connection: Connection, texts: Mapping[Language, str], now: datetime, *, covers_transfer: bool) -> int:
    """Freeze a new version of the notice and return its number."""
    version = int(connection.scalar(select(func.coalesce(func.max(NoticeTable.version), 0))) or 0) + 1
    connection.execute(
        insert(NoticeTable),
        [
            {
                "version": version,
                "language": language.value,
                "sha256": wording_hash(text),
                "text": text,
                "covers_transfer": covers_transfer,
                "published_at": now,
            }
            for language, text in texts.items()
        ],
    )
    return version


def published(connection: Connection) -> list[Notice]:
    """Return every published version, oldest first."""
    columns = (NoticeTable.version, NoticeTable.language, NoticeTable.text)
    rows = connection.execute(
        select(*columns, NoticeTable.covers_transfer, NoticeTable.published_at).order_by(*columns[:2])
    ).all()
    return [
        Notice(
            version,
            next(row.published_at for row in rows if row.version == version),
            all(row.covers_transfer for row in rows if row.version == version),
            {Language(row.language): row.text for row in rows if row.version == version},
        )
        for version in dict.fromkeys(row.version for row in rows)
    ]


def covered_spans(connection: Connection) -> tuple[tuple[datetime, datetime | None], ...]:
    """Return the times in which the version in force said that the SMS provider may reach outside the EU (L-42)."""
    # A verdict asks this: the texts, which may be long, stay where they are.
    columns = (NoticeTable.version, NoticeTable.published_at, NoticeTable.covers_transfer)
    rows = connection.execute(select(*columns).order_by(NoticeTable.version)).all()
    begun = {row.version: row.published_at for row in rows}
    uncovered = {row.version for row in rows if not row.covers_transfer}
    ends = [*list(begun.values())[1:], None]
    return tuple(
        (begins, end) for (version, begins), end in zip(begun.items(), ends, strict=False) if version not in uncovered
    )
