"""The header: which of its columns are read, and which are dropped unread."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispatcher.errors import RegisterFileError
from dispatcher.register_files.mapping import AnswerColumn, Field, RegisterMap, header_key
from dispatcher.register_files.questions import AnswerCells, Column
from dispatcher.rules.source import Occasion

_LOOKS_LIKE_A_CLIENT = re.compile(r"@|\d{5}")
_PATIENT_REGISTER = ("potilas", "patient")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a row each thing stands; `used`, `dropped` and `missing` are for the report."""

    width: int
    fields: Mapping[Field, Column]
    questions: tuple[AnswerCells, ...]
    used: Mapping[str, str]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]


def known_columns(header: Sequence[str], mapping: RegisterMap) -> int:
    """Return how many cells of this header the mapping names."""
    names = _wanted(mapping)
    return sum(header_key(cell) in names for cell in header)


def names_an_address(header: Sequence[str], mapping: RegisterMap) -> bool:
    """Say whether a header has a column for an email address or a phone number."""
    meanings = {header_key(column): field for column, field in mapping.columns.items()}
    return any(meanings.get(header_key(cell)) in {Field.EMAIL, Field.PHONE} for cell in header)


def lay_out(name: str, header: Sequence[str], mapping: RegisterMap) -> Layout:
    """Return which column of the file `name` is which. Raises RegisterFileError; see `open_register`."""
    columns = [Column(index, _shown(index, text)) for index, text in enumerate(header)]
    keys = [header_key(text) for text in header]
    _refuse_patients(name, columns, keys)
    by_key = _by_key(name, columns, keys, _wanted(mapping))
    fields = _fields(name, by_key, mapping)
    if Field.EMAIL not in fields and Field.PHONE not in fields:
        raise RegisterFileError(f"{name} has no column for an email address or a phone number. {_hint(columns)}")
    asked = _asked(name, by_key, mapping.answers)
    present = tuple(question for question in asked if header_key(question.column) in by_key)
    used = _uses(fields, present, by_key)
    asked_for = dict.fromkeys(column for question in asked for column in question.columns())
    return Layout(
        len(header),
        fields,
        tuple(_cells_of(question, by_key, fields) for question in present),
        used={column.header: used[column] for column in columns if column in used},
        dropped=tuple(column.header for column in columns if column not in used),
        missing=tuple(column for column in asked_for if header_key(column) not in by_key),
    )


def _asked(name: str, by_key: Mapping[str, Column], questions: Sequence[AnswerColumn]) -> tuple[AnswerColumn, ...]:
    """Return the questions of this file: of the sources those that have a column in it, where any has.

    Raises RegisterFileError where two sources claim one column.
    """
    claimed: dict[str, tuple[str, str]] = {}
    for question in questions:
        key = header_key(question.column)
        if question.basis is None or key not in by_key:
            continue
        source = question.basis.name
        column, other = claimed.setdefault(key, (by_key[key].header, source))
        if other != source:
            raise RegisterFileError(
                f'{name}: the sources "{other}" and "{source}" both have a column "{column}": say which one this '
                "register is with --source NAME, or end one of them."
            )
    applying = {source for _, source in claimed.values()}
    return tuple(
        question for question in questions if not question.basis or not applying or question.basis.name in applying
    )


def _shown(index: int, text: str) -> str:
    """Return a column's name as a message may show it."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_SHOWN] or f"(column {index + 1}, without a name)"


def _wanted(mapping: RegisterMap) -> frozenset[str]:
    answers = (column for question in mapping.answers for column in question.columns())
    return frozenset(header_key(column) for column in (*mapping.columns, *answers))


def _refuse_patients(name: str, columns: Sequence[Column], keys: Sequence[str]) -> None:
    for column, key in zip(columns, keys, strict=True):
        if key.startswith(_PATIENT_REGISTER):
            raise RegisterFileError(
                f'{name} comes from a patient register (column "{column.header}"), and contact data may not be taken '
                "from one. Export the booking system's customer register instead."
            )


def _by_key(name: str, columns: Sequence[Column], keys: Sequence[str], wanted: frozenset[str]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column, key in zip(columns, keys, strict=True):
        if key in wanted and key in found:
            raise _twice(name, found[key], column, "have the same name")
        if key in wanted:
            found[key] = column
    return found


def _fields(name: str, by_key: Mapping[str, Column], mapping: RegisterMap) -> dict[Field, Column]:
    meanings = {header_key(column): field for column, field in mapping.columns.items()}
    found: dict[Field, Column] = {}
    for key, column in by_key.items():
        field = meanings.get(key)
        if field is not None and field in found:
            raise _twice(name, found[field], column, f"both mean {field.value}")
        if field is not None:
            found[field] = column
    if Field.FIRST_NAME in found or Field.LAST_NAME in found:
        found.pop(Field.NAME, None)
    return found


def _twice(name: str, first: Column, second: Column, why: str) -> RegisterFileError:
    return RegisterFileError(
        f'{name}: "{first.header}" (column {first.index + 1}) and "{second.header}" (column {second.index + 1}) {why}. '
        "Leave one of them out of the export, or name the right one in the mapping of the settings."
    )


def _hint(columns: Sequence[Column]) -> str:
    if any(_LOOKS_LIKE_A_CLIENT.search(column.header) for column in columns):
        return "The first row seems to be a client: the column names must stand there."
    names = ", ".join(column.header for column in columns[:20])
    return f"Its columns are: {names}. Name the right ones in the mapping of the settings."


def _cells_of(question: AnswerColumn, by_key: Mapping[str, Column], fields: Mapping[Field, Column]) -> AnswerCells:
    def find(column: str | None) -> Column | None:
        return by_key.get(header_key(column)) if column else None

    by_visit = question.basis is not None and question.basis.asking.occasion is Occasion.VISIT
    return AnswerCells(
        question,
        question.vocabulary(),
        by_key[header_key(question.column)],
        asked=fields.get(Field.LAST_VISIT) if by_visit else find(question.asked_column),
        place=find(question.place_column),
        wording=find(question.wording_column),
    )


def _uses(
    fields: Mapping[Field, Column], questions: Sequence[AnswerColumn], by_key: Mapping[str, Column]
) -> dict[Column, str]:
    """Return what each column is used for; one column may serve twice, a last visit as the time of an answer."""
    uses: dict[Column, dict[str, None]] = {}
    for field, column in fields.items():
        uses.setdefault(column, {})[field.value] = None
    for question in questions:
        channels = " and ".join(channel.value for channel in question.channels)
        for name in question.columns():
            if header_key(name) in by_key:
                uses.setdefault(by_key[header_key(name)], {})[f"answer for {channels}"] = None
    return {column: ", ".join(found) for column, found in uses.items()}
