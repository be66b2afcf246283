"""A person's question -> wording: kept by its hash, asked from then on, and never changed once anybody answered it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.wording import LONGEST, channel_name, channels_named, normal, wording_hash
from dispatcher.storage import sources, wordings
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import Wording
from dispatcher.storage.writer import Transaction

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{6,64}", re.IGNORECASE)
_LOCK = Lock(LockKind.REGISTER, 0)
"""Held by every import as well, so that no answer comes to name a wording while it is taken out."""


@dataclass(frozen=True, slots=True)
class Question:
    """A wording with how many answers name it, and the channels for which it is what is asked today."""

    wording: Wording
    answers: int
    asked_for: frozenset[Channel]


class Wordings:
    """Adds, shows and removes the texts of the question."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(self) -> list[Question]:
        """Return every wording, oldest first."""
        with self._store.reading() as connection:
            every = wordings.every(connection)
            uses = wordings.uses(connection)
        asked = wordings.newest(every)
        return [_question(each, uses.get(each.sha256, 0), asked) for each in every]

    def find(self, beginning: str) -> Question:
        """Return the wording whose SHA-256 begins so. Raises NotFoundError unless exactly one does."""
        with self._store.reading() as connection:
            found = find_wording(connection, beginning)
            uses = wordings.times_used(connection, found.sha256)
            return _question(found, uses, wordings.newest(wordings.every(connection)))

    def add(self, text: str, language: Language, version: str, actor: Actor) -> Question:
        """Add a question, which is what is asked from now on; the same text added twice is the same wording.

        Raises RefusedError for a text that names no channel, so that it could never be asked, for one longer than a
        question may be, for a second text under one language, channels and version, and for a text that goes by
        another language or version already.
        """
        words = checked(text)
        if not channels_named(words):
            raise RefusedError(
                "The text names neither email nor text messages, so that a yes to it would open neither: say by which "
                "the offers come. Nothing was added."
            )
        if not _VERSION.fullmatch(version):
            raise RefusedError("A version is up to 40 letters, digits, dots and dashes, as 2026-1. Nothing was added.")

        def work(transaction: Transaction) -> None:
            known = {each.sha256: each for each in wordings.every(transaction.connection)}
            if _is_there(known.get(wording_hash(words)), language, version):
                return
            _refuse_taken(known.values(), words, language, version)
            digest = wordings.add(transaction.connection, words, language, version, transaction.now)
            body: dict[str, Json] = {
                "event": "added",
                "wording": digest,
                "channels": sorted(channel.value for channel in channels_named(words)),
                "language": language.value,
                "version": version,
            }
            transaction.ledger.append(Entry(EntryKind.WORDING, actor, body=body))

        self._store.write(work, wanted=[_LOCK])
        return self.find(wording_hash(words))

    def remove(self, beginning: str, actor: Actor) -> Wording:
        """Take out a wording that nobody was asked with, and return it.

        Raises NotFoundError, and RefusedError where answers, sources or sign-ups name it.
        """

        def work(transaction: Transaction) -> Wording:
            found = find_wording(transaction.connection, beginning)
            _refuse_used(transaction.connection, found)
            wordings.remove(transaction.connection, found.sha256)
            body: dict[str, Json] = {"event": "removed", "wording": found.sha256}
            transaction.ledger.append(Entry(EntryKind.WORDING, actor, body=body))
            return found

        return self._store.write(work, wanted=[_LOCK])


def checked(text: str) -> str:
    """Return a question in the one form in which it is kept. Raises RefusedError for an empty or endless one."""
    words = normal(text)
    if not words or len(words) > LONGEST or not words.isprintable():
        raise RefusedError(f"A question has 1 to {LONGEST:,} characters, none of them hidden. Nothing was added.")
    return words


def find_wording(connection: Connection, beginning: str) -> Wording:
    """Return the wording whose SHA-256 begins so. Raises NotFoundError unless exactly one does."""
    found = wordings.find(connection, beginning) if _HASH.fullmatch(beginning) else []
    if len(found) != 1:
        why = (
            f"{len(found)} wordings begin with {beginning!r}" if found else f"No wording begins with {beginning[:64]!r}"
        )
        raise NotFoundError(
            f"{why}: see `dispatcher consent wordings list` and give six characters of the hash or more."
        )
    return found[0]


def is_hash(text: str) -> bool:
    """Say whether this is the beginning of a hash and no question."""
    return _HASH.fullmatch(text.strip()) is not None


def _question(wording: Wording, uses: int, asked: Mapping[tuple[Channel, Language], Wording]) -> Question:
    return Question(wording, uses, frozenset(channel for (channel, _), each in asked.items() if each == wording))


def _is_there(known: Wording | None, language: Language, version: str) -> bool:
    """Say whether this text is added already. Raises RefusedError where it goes by another language or version."""
    if known is None or known.version is None:
        return False
    if (known.language, known.version) == (language, version):
        return True
    raise RefusedError(
        f"This text is wording {known.sha256[:12]} already, {known.language} version {known.version}: a text has one "
        "language and one version. Nothing was added."
    )


def _refuse_taken(known: Iterable[Wording], words: str, language: Language, version: str) -> None:
    channels = channels_named(words)
    for each in known:
        if (each.language, each.version, each.channels) == (language, version, channels) and each.text != words:
            raise RefusedError(
                f"Version {version} in {language} for {named(channels)} is another text already, wording "
                f"{each.sha256[:12]}: give this one a version of its own. Nothing was added."
            )


def _refuse_used(connection: Connection, wording: Wording) -> None:
    uses = {
        "answer": wordings.times_used(connection, wording.sha256),
        "source": sources.times_named(connection, wording.sha256),
        "sign-up": wordings.times_shown(connection, wording.sha256),
    }
    told = [counted(number, thing) for thing, number in uses.items() if number]
    if told:
        raise RefusedError(
            f"{' and '.join(told)} {'names' if sum(uses.values()) == 1 else 'name'} this wording, so it stays as it is "
            "(D-02). Add another version to ask otherwise from now on."
        )


def named(channels: Iterable[Channel]) -> str:
    """Return channels as a sentence names them."""
    return " and ".join(channel_name(channel) for channel in sorted(channels)) or "no channel"


def counted(number: int, thing: str) -> str:
    """Return a number of things, `1 answer` or `3 answers`."""
    return f"{number} {thing}" + ("s" if number != 1 else "")
