"""What the journal has to forget: the keyed hashes of clients who were erased, and of objections past their end."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from dispatcher.flow.recording import STRANGER
from dispatcher.rules.ledger import Json, read_stamp
from dispatcher.storage.journal import Change, JournalKind, Record


def erased_numbers(records: Iterable[Record]) -> frozenset[int]:
    """Return every client whom the journal knows as erased."""
    return frozenset(
        number for record in records if record.kind is JournalKind.ERASED for number in _numbers(record.body)
    )


def redaction(erased: frozenset[int], now: datetime, suppressed_for: timedelta) -> Change:
    """Return what takes from each record the hashes that nothing needs any more (L-33, L-35).

    Of a client who was erased none stays: what an objection of theirs needs stands on the record of the erasure, until
    it ends. An objection of somebody who was never in the register ends the same way.
    """

    def change(record: Record) -> Mapping[str, Json]:
        body = record.body
        if record.kind is JournalKind.CLIENTS:
            told = [name for name in ("clients", "replaced") if name in body]
            return {**body, **{name: _without(_list(body, name), erased) for name in told}}
        if record.kind is JournalKind.ERASED:
            standing = [each for each in _list(body, "suppressions") if not _is_over(each, now, suppressed_for)]
            return {**body, "suppressions": standing}
        if record.kind is JournalKind.INCOMING and body.get("client") in erased:
            return {**body, "key": ""}  # a provider could say by it whose it was
        if "hashes" in body and (body.get("client") in erased or _has_ended(record, now, suppressed_for)):
            return {**body, "hashes": []}
        return body

    return change


def _numbers(body: Mapping[str, Json]) -> list[int]:
    return [int(str(number)) for each in _list(body, "clients") if (number := _first(each)) is not None]


def _list(body: Mapping[str, Json], name: str) -> Sequence[Json]:
    found = body.get(name)
    return found if isinstance(found, list) else []


def _without(rows: Sequence[Json], erased: frozenset[int]) -> list[Json]:
    return [each for each in rows if _first(each) not in erased]


def _first(row: Json) -> Json:
    return row[0] if isinstance(row, list) and row else None


def _is_over(row: Json, now: datetime, suppressed_for: timedelta) -> bool:
    said = read_stamp(row[-1]) if isinstance(row, list) and row else None
    return said is not None and said + suppressed_for <= now


def _has_ended(record: Record, now: datetime, suppressed_for: timedelta) -> bool:
    """Say whether this is the objection of a stranger that has outlived its end."""
    answer = record.body.get("answer")
    if record.kind is not JournalKind.NO or record.body.get("client") != STRANGER or not isinstance(answer, Mapping):
        return False
    said = read_stamp(answer.get("not_after")) or read_stamp(record.at)
    return said is not None and said + suppressed_for <= now
