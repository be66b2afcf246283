"""The privacy notice: written from the settings, published in versions, compared with what clients can read."""

import difflib
from collections.abc import Iterator

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.papers import Papers
from dispatcher.rendering.document import BlockKind, Document, read
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import notices
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.notices import Notice
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


class Notices:
    """Writes, publishes and compares the privacy notice."""

    def __init__(self, store: Store, papers: Papers) -> None:
        self._store = store
        self._papers = papers

    def today(self, language: Language) -> Document:
        """Return the notice as the settings make it now."""
        return self._papers.write("notice", language, {})

    def covers_transfer(self) -> bool:
        """Say whether today's notice tells in every language that the SMS provider may reach outside the EU (L-42)."""
        carriers = [each.name for each in self._papers.processing.transfers if each.channel is Channel.SMS]
        texts = [self.today(language).text() for language in Language]
        return bool(carriers) and all(name in text for name in carriers for text in texts)

    def publish(self, actor: Actor) -> int:
        """Freeze today's notice in every language as the next version, in force from now on; return its number.

        Raises RefusedError where it says what the version in force says.
        """
        texts = {language: self.today(language).text() for language in Language}
        covers = self.covers_transfer()

        def work(transaction: Transaction) -> int:
            versions = notices.published(transaction.connection)
            if versions and dict(versions[-1].texts) == texts:
                raise RefusedError(f"Version {versions[-1].version} says the same. Nothing was published.")
            version = notices.publish(transaction.connection, texts, transaction.now, covers_transfer=covers)
            hashes: dict[str, Json] = {language.value: wording_hash(text) for language, text in texts.items()}
            body: dict[str, Json] = {
                "event": "published",
                "version": version,
                "hashes": hashes,
                "covers_transfer": covers,
            }
            transaction.ledger.append(Entry(EntryKind.NOTICE, actor, body=body))
            return version

        return self._store.write(work, wanted=[Lock(LockKind.REGISTER, 0)])

    def published(self) -> list[Notice]:
        """Return every published version, oldest first."""
        with self._store.reading() as connection:
            return notices.published(connection)

    def difference(self, language: Language, other: str | None = None) -> list[str]:
        """Return, line by line, what today's notice says otherwise than another text; nothing where they agree.

        The other text is the version in force unless one is given; blank lines and signs of lists and headings do not
        count. Raises NotFoundError where nothing was published.
        """
        name = "given"
        if other is None:
            versions = self.published()
            if not versions:
                raise NotFoundError("No version was published yet: run `dispatcher notice publish`.")
            other, name = versions[-1].texts.get(language, ""), f"version {versions[-1].version}"
        old, new = (list(_lines(document)) for document in (read(other, language), self.today(language)))
        return list(difflib.unified_diff(old, new, name, "today", lineterm="", n=1))


def _lines(document: Document) -> Iterator[str]:
    """Yield what a notice says without how it looks."""
    yield document.title
    for block in document.blocks:
        if block.kind is BlockKind.FACTS:
            yield from (f"{name}: {value}" for name, value in block.pairs)
        else:
            yield from block.lines
