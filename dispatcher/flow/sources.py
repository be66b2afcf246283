"""What a person tells about a register's form -> source: evidence for the answers that come without any."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.wordings import checked, find_wording, is_hash
from dispatcher.register_files import (
    NO_WORDS,
    NOT_ASKED_WORDS,
    WITHDRAWN_WORDS,
    YES_WORDS,
    AnswerColumn,
    Basis,
    RegisterMap,
    header_key,
)
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.source import Occasion, Source, read_source, source_spec
from dispatcher.rules.wording import channels_named
from dispatcher.storage import sources, wordings
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

LARGEST_PICTURE = 5_000_000
"""Bytes of a picture of the form."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-")
_NAME_LENGTH = 100
_LOCK = Lock(LockKind.REGISTER, 0)


class Sources:
    """Takes down how registers ask, and tells an import what their columns mean."""

    def __init__(self, store: Store, settings: RegisterMap, lead: timedelta) -> None:
        self._store = store
        self._settings = settings
        self._lead = lead

    def listed(self) -> list[Source]:
        """Return every source there has been, oldest first."""
        with self._store.reading() as connection:
            return _every(connection)

    def named(self, name: str) -> Source:
        """Return the newest source of this name. Raises NotFoundError."""
        known = self.listed()
        found = [each for each in known if each.name.casefold() == _tidy(name).casefold()]
        if not found:
            raise _unknown(name, known)
        return found[-1]

    def words_of(self, text: str) -> str:
        """Return the question a person means: its text, or that of the wording whose hash this begins.

        Raises NotFoundError for a hash nobody knows and RefusedError for what is no question.
        """
        if not is_hash(text):
            return checked(text)
        with self._store.reading() as connection:
            return find_wording(connection, text.strip()).text

    def add(self, source: Source, picture: Path | None, actor: Actor) -> Source:
        """Keep a source with its picture, for ever as it is told now.

        Raises RefusedError for a name that an open source has, for columns named twice, for a question that stands in
        the form from a future day, and for a picture that is none or too large.
        """
        name = _tidy(source.name)
        if not name or len(name) > _NAME_LENGTH or not name.isprintable():
            raise RefusedError(f"A source's name has 1 to {_NAME_LENGTH} characters. Nothing was kept.")
        _check(source, local_date(self._store.clock(), self._settings.zone))
        content = _picture(picture) if picture else None
        sha256 = hashlib.sha256(content).hexdigest() if content else None

        def work(transaction: Transaction) -> int:
            connection = transaction.connection
            if any(each.name.casefold() == name.casefold() for each in _open(connection)):
                raise RefusedError(
                    f"There is a source {name!r} already: end it with `dispatcher consent source end {name!r}` if the "
                    "register asks otherwise now. Nothing was kept."
                )
            kept = wordings.keep_wordings(connection, {each.wording for each in source.questions}, transaction.now)
            spec = source_spec(source, kept)
            number = sources.add(connection, name, spec, sha256, transaction.now)
            if content and sha256:
                sources.keep_picture(connection, sha256, content)
            body: dict[str, Json] = {
                "event": "added",
                "source": number,
                "spec": sources.digest(spec),
                "picture": sha256,
            }
            transaction.ledger.append(Entry(EntryKind.SOURCE, actor, body=body))
            return number

        number = self._store.write(work, wanted=[_LOCK])
        return next(each for each in self.listed() if each.number == number)

    def end(self, name: str, actor: Actor) -> Source:
        """Write that a register asks so no longer; what it told stays evidence. Raises NotFoundError."""

        def work(transaction: Transaction) -> Source:
            still = _open(transaction.connection)
            found = [each for each in still if each.name.casefold() == _tidy(name).casefold()]
            if not found:
                raise _unknown(name, still)
            sources.end(transaction.connection, found[0].number, transaction.now)
            body: dict[str, Json] = {"event": "ended", "source": found[0].number}
            transaction.ledger.append(Entry(EntryKind.SOURCE, actor, body=body))
            return replace(found[0], ended_at=transaction.now)

        return self._store.write(work, wanted=[_LOCK])

    def picture(self, source: Source) -> bytes:
        """Return the picture of a source's form. Raises NotFoundError for a source without one."""
        with self._store.reading() as connection:
            found = sources.picture(connection, source.picture) if source.picture else None
        if found is None:
            raise NotFoundError(f"The source {source.name!r} was told without a picture.")
        return found

    def register_map(self, name: str | None = None) -> RegisterMap:
        """Return what the columns of a register mean now: by the settings, and above them by the open sources.

        With a `name` by that source alone. Raises NotFoundError where no open source goes by it.
        """
        with self._store.reading() as connection:
            still = _open(connection)
        wanted = [each for each in still if name is None or each.name.casefold() == _tidy(name).casefold()]
        if name is not None and not wanted:
            raise _unknown(name, still)
        columns = [column for source in wanted for column in _columns(source, self._lead)]
        taken = {header_key(column.column) for column in columns}
        others = (column for column in self._settings.answers if header_key(column.column) not in taken)
        return replace(self._settings, answers=(*columns, *others))


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _unknown(name: str, known: Sequence[Source]) -> NotFoundError:
    there = ", ".join(dict.fromkeys(each.name for each in known)) or "none"
    return NotFoundError(f"No source goes by the name of {name!r}. There are: {there}.")


def _check(source: Source, today: date) -> None:
    if source.since > today:
        raise RefusedError("A question that does not stand in the form yet answers nothing: correct --since.")
    keys = [header_key(each.column) for each in source.questions]
    if not keys or not all(keys) or len(set(keys)) < len(keys) or not all(each.channels for each in source.questions):
        raise RefusedError("Name each column of answers once, with its channels: --column 'markkinointilupa=email'.")
    if source.occasion is not Occasion.VISIT and not header_key(source.day_column or ""):
        raise RefusedError("Name the column that holds the day: --booking-column or --card-column.")


def _picture(path: Path) -> bytes:
    """Return the bytes of a picture of the form."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_PICTURE + 1)
    except OSError as error:
        raise RefusedError(f"{path.name} cannot be read ({error.strerror}): check the file's name.") from None
    if not content.startswith(_PICTURES):
        raise RefusedError(f"{path.name} is no picture of the form: give a PNG, JPEG or PDF file. Nothing was kept.")
    if len(content) > LARGEST_PICTURE:
        raise RefusedError(f"{path.name} is larger than {LARGEST_PICTURE // 1_000_000} MB: save it smaller.")
    return content


def _every(connection: Connection) -> list[Source]:
    stored = sources.every(connection)
    texts = {each.sha256: each.text for each in wordings.every(connection)} if stored else {}
    voided = sources.voidings(connection) if stored else {}
    return [
        replace(
            read_source(each.name, each.spec, texts),
            picture=each.picture,
            number=each.id,
            added_at=each.added_at,
            ended_at=each.ended_at,
            voided_at=voided.get(each.id),
        )
        for each in stored
    ]


def _open(connection: Connection) -> list[Source]:
    return [each for each in _every(connection) if each.ended_at is None]


def _columns(source: Source, lead: timedelta) -> list[AnswerColumn]:
    """Return the columns of a source as an import reads them."""
    return [
        AnswerColumn(
            each.column,
            each.channels,
            source.place,
            each.wording,
            asked_column=source.day_column,
            yes=source.words.yes or YES_WORDS,
            no=source.words.no or NO_WORDS,
            withdrawn=source.words.withdrawn or WITHDRAWN_WORDS,
            not_asked=source.words.not_asked or NOT_ASKED_WORDS,
            # A question that names no channel is answered for all of them (L-01).
            closes_all=not channels_named(each.wording),
            basis=Basis(source.number, source.name, source.asking(lead)),
        )
        for each in source.questions
    ]
