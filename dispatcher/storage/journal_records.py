"""What a record of the journal is, and how records are chained: one arithmetic for writing and checking."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from dispatcher.errors import JournalError
from dispatcher.keys import Key
from dispatcher.rules.ledger import GENESIS, Json, canonical, stamp
from dispatcher.storage.journal_keys import JournalKeys


class JournalKind(StrEnum):
    """What a record of the journal tells."""

    OPENED = "opened"
    """The first record: which installation the journal belongs to."""
    CLIENTS = "clients"
    """Clients came into the register or changed an address: their numbers, with keyed hashes of who they are."""
    NO = "no"
    """A client said no: number, channel if one was named, keyed hashes of the addresses."""
    FLAG = "flag"
    """A client was marked as one who is not written to (a child, restricted), or is so no longer."""
    LIMIT = "limit"
    """A client put a limit on what they agreed to, or lifted it: how many a year, or a pause and until when."""
    REQUEST = "request"
    """A client's request was opened, its identity checked, or it was answered: number of the client, kind, and that."""
    INCOMING = "incoming"
    """Something came in that a person has to read, or a person has settled it: client, where it lies, and which."""
    BLOCK = "block"
    """A legal block was set or ended: number of the client, reason, what it keeps, until when."""
    ERASED = "erased"
    """Clients were erased: their numbers, and why."""
    SOURCE_VOIDED = "source_voided"
    """No yes of a source is used any more: the source's number, and the SHA-256 of what was told of it."""
    KEY_REVOKED = "key_revoked"
    """A booking system's key was revoked: its number, and the SHA-256 of its secret."""
    SLOT_SPENT = "slot_spent"
    """A campaign began on a local date, so its slot is spent."""
    SLOT_DECLARED = "slot_declared"
    """A person declared what was sent beside or before the program, or took that back: its day, title and ways."""
    RESTORED = "restored"
    """The journal was replayed over an older copy of the database."""


@dataclass(frozen=True, slots=True)
class Note:
    """A fact to be put into the journal."""

    kind: JournalKind
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Record:
    """A fact as it stands in the journal, `number` counting from 1."""

    number: int
    kind: JournalKind
    at: str
    body: Mapping[str, Json]
    key: str
    mac: str

    def as_json(self) -> str:
        """Return the record as its line in the journal."""
        return canonical(
            {
                "number": self.number,
                "kind": self.kind.value,
                "at": self.at,
                "body": dict(self.body),
                "key": self.key,
                "mac": self.mac,
            }
        )


Change = Callable[["Record"], Mapping[str, Json]]
"""Returns the body a record is to have from now on: its own, or one that tells less."""


def chained(notes: Sequence[Note], number: int, mac: str, key: Key, now: datetime) -> list[Record]:
    """Return these facts as the records that follow the one with this number and MAC."""
    records = []
    for note in notes:
        number += 1
        mac = _mac(key, number, note.kind, stamp(now), note.body, mac)
        records.append(Record(number, note.kind, stamp(now), dict(note.body), key.id, mac))
    return records


def _mac(key: Key, number: int, kind: JournalKind, at: str, body: Mapping[str, Json], previous: str) -> str:
    return key.mac(
        str(number).encode(), kind.value.encode(), at.encode(), canonical(body).encode(), previous.encode()
    ).hex()


def checked(records: Iterator[Record], keys: JournalKeys) -> Iterator[Record]:
    """Yield the records of a journal, each checked against the one before. Raises JournalError for one that is not."""
    previous, expected = GENESIS, 1
    for record in records:
        key = keys.of(record.number, record.key)
        right = _mac(key, record.number, record.kind, record.at, record.body, previous)
        if record.number != expected or record.mac != right:
            raise damaged(expected)
        previous, expected = record.mac, expected + 1
        yield record


def parsed(line: bytes, name: str) -> Record:
    """Return the record in a line of the journal of this name. Raises JournalError where there is none."""
    try:
        found = json.loads(line)
        return Record(
            found["number"], JournalKind(found["kind"]), found["at"], found["body"], found["key"], found["mac"]
        )
    except (ValueError, KeyError, TypeError):
        raise JournalError(
            f"A line of {name} cannot be read: put back a copy of the journal, then run "
            "`dispatcher db restore --replay`. Nothing is sent until then."
        ) from None


def from_row(row: Any) -> Record:
    """Return the record in a row of the journal's table. Raises JournalError where there is none."""
    try:
        return Record(row.number, JournalKind(row.kind), row.at, json.loads(row.body), row.key, row.mac)
    except ValueError:
        raise damaged(row.number) from None


def older_journal(last: int, known: int) -> JournalError:
    """Return the error of a journal that ends before what the database knows of it."""
    return JournalError(
        f"The journal ends at record {last}, but the database knows {known}: an older journal was put in its place. "
        "Put the newest copy back; nothing is sent until then."
    )


def damaged(number: int) -> JournalError:
    """Return the error of a record that is missing, damaged or altered."""
    return JournalError(
        f"The journal is damaged at record {number}: put back a copy of it, then run "
        "`dispatcher db restore --replay`. Nothing is sent until then."
    )


def redacted(records: Sequence[Record], change: Change, key: Key) -> list[Record]:
    """Return the records from the first one that changes on, chained anew; none where nothing changes.

    Each keeps its number, kind and time, so that the database goes on knowing which of them it has taken in.
    """
    anew: list[Record] = []
    for place, record in enumerate(records):
        body = change(record)
        if not anew and canonical(body) == canonical(record.body):
            continue
        previous = anew[-1].mac if anew else records[place - 1].mac if place else GENESIS
        mac = _mac(key, record.number, record.kind, record.at, body, previous)
        anew.append(replace(record, body=dict(body), key=key.id, mac=mac))
    return anew
