"""What is known only of one client, while a template runs for all of them.

A template runs once with gaps in the place of what differs from client to client. Whatever it does with a gap is put
off and makes another gap: a filter, a comparison, a slice. What it prints leaves a mark, which is filled in last; what
it decides upon is a question, and each answer is a way of its own through the template. So nothing is lost by running
it once: what a client gets is what the template would have made for them alone.
"""

import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn

from markupsafe import Markup

from dispatcher.errors import RenderingError


class Hole(StrEnum):
    """What differs between two clients of one shape; there is nothing else (invariant 7)."""

    FIRST_NAME = "first_name"
    AGREED_ON = "agreed_on"
    WHY_SENT = "why_sent"
    OPT_OUT_URL = "opt_out_url"
    ENDS_ON = "ends_on"
    RENEW_URL = "renew_url"


Values = Mapping[Hole, str]
"""What one client's holes are filled with."""

# A mark stands between private-use signs that no one writes; between them is a hole's name, or a gap's number.
_OPEN, _CLOSE = "\ue000", "\ue001"
MARK = f"{_OPEN}(?:[a-z_]+|[0-9]+){_CLOSE}"
"""A mark, as an expression that finds it."""
_MARK = re.compile(f"{_OPEN}([a-z_]+|[0-9]+){_CLOSE}")
_LOST = "what differs from client to client came apart while the template ran: print it whole"
_MANY = (list, tuple, KeysView, ValuesView, ItemsView)
"""What a template can hold several values in, beside the mapping that the last three look into."""


class Trace:
    """One way through one template: the gaps it printed, and the questions it asked with their answers.

    `answers` are those given beforehand, in order; a question beyond them gets its `usual` answer.
    """

    __slots__ = ("_answers", "_known", "asked", "printed")

    def __init__(self, answers: Sequence[bool] = ()) -> None:
        self._answers = answers
        self._known: dict[object, bool] = {}
        self.printed: list[Gap] = []
        self.asked: list[tuple[Gap, bool]] = []

    def answer(self, gap: "Gap", *, usual: bool) -> bool:
        """Return what this way takes a gap for, true or false; the same question is asked once."""
        if gap.hole is not None:
            return True  # where a hole would be empty there is no gap: that is what shapes are for
        known = self._known.get(gap.key)
        if known is None:
            place = len(self.asked)
            known = self._answers[place] if place < len(self._answers) else usual
            self.asked.append((gap, known))
            self._known[gap.key] = known
        return known

    def mark(self, gap: "Gap") -> str:
        """Return what stands in the text for a gap."""
        if gap.hole is not None:
            return mark_of(gap.hole)
        self.printed.append(gap)
        return f"{_OPEN}{len(self.printed) - 1}{_CLOSE}"


class Gap:
    """A value that is known only for a client: a hole, or what a template makes of holes.

    `key` says how it is made, so that one question is not asked twice. Printing it leaves a mark, deciding upon it asks
    the trace; whatever else is done to it must be put off, and fails here where it was not.
    """

    __slots__ = ("hole", "key", "resolve", "trace")

    def __init__(
        self, trace: Trace, resolve: Callable[[Values], object], key: object, hole: Hole | None = None
    ) -> None:
        self.trace = trace
        self.resolve = resolve
        self.key = key
        self.hole = hole

    @classmethod
    def of(cls, hole: Hole, trace: Trace) -> "Gap":
        """Return the gap that is one hole."""
        return cls(trace, lambda values: values[hole], hole, hole)

    def __str__(self) -> str:
        if self.hole is not None:
            return self.trace.mark(self)
        return self.trace.mark(Gap(self.trace, lambda values: str(self.resolve(values)), ("str", self.key)))

    def __html__(self) -> str:
        return self.trace.mark(self)

    def __bool__(self) -> bool:
        return self.trace.answer(self, usual=True)

    def __eq__(self, other: object) -> NoReturn:
        raise RenderingError(_LOST)

    def __hash__(self) -> NoReturn:
        raise RenderingError(_LOST)


@dataclass(frozen=True, slots=True)
class _Marked:
    """A text that holds marks, as a value that is known only for a client."""

    words: str
    trace: Trace

    def resolve(self, values: Values) -> str:
        """Return the text with its marks filled; marks in markup are filled escaped."""
        kind = type(self.words)
        found = [
            piece if isinstance(piece, str) else kind("{}").format(piece.resolve(values))
            for piece in cut(self.words, self.trace)
        ]
        return kind("").join(kind(piece) for piece in found)


def mark_of(hole: Hole) -> str:
    """Return what stands in a text for a hole until it is filled."""
    return f"{_OPEN}{hole}{_CLOSE}"


def without_marks(rendered: str) -> str:
    """Return what a template made, with each mark taken out."""
    return _MARK.sub("", rendered)


def marks_in(rendered: str) -> int:
    """Return how many marks stand in a text."""
    return len(_MARK.findall(rendered))


def between_marks(rendered: str) -> list[str]:
    """Return the pieces of a text that stand between its marks."""
    return _MARK.split(rendered)[::2]


def cut(rendered: str, trace: Trace) -> Iterator[str | Gap]:
    """Yield the pieces of what a template made: its words, and what its marks stand for.

    Raises RenderingError where a mark came apart, or is none of this trace.
    """
    for index, piece in enumerate(_MARK.split(rendered)):
        if index % 2:
            yield _meant(piece, trace)
        elif _OPEN in piece or _CLOSE in piece:
            raise RenderingError(_LOST)
        elif piece:
            yield piece


def gap_in(value: object, trace: Trace) -> Gap | None:
    """Return a value as a gap if it is one, or is a text that holds marks."""
    if isinstance(value, Gap):
        return value
    if isinstance(value, str) and differs(value):
        return Gap(trace, _Marked(value, trace).resolve, ("text", str(value), type(value)))
    return None


def differs(value: object) -> bool:
    """Say whether a value, or anything within it, is known only for a client."""
    if isinstance(value, str):
        return _OPEN in value or _CLOSE in value
    if isinstance(value, dict):
        return any(differs(each) for pair in value.items() for each in pair)
    if isinstance(value, _MANY):
        return any(differs(each) for each in value)
    return isinstance(value, Gap)


def settled(value: object, values: Values, trace: Trace) -> object:
    """Return a value as it is for one client, whatever of it was a gap."""
    gap = gap_in(value, trace)
    if gap is not None:
        return gap.resolve(values)
    if isinstance(value, dict):
        return {settled(name, values, trace): settled(each, values, trace) for name, each in value.items()}
    if isinstance(value, _MANY):
        found = [settled(each, values, trace) for each in value]
        return tuple(found) if isinstance(value, tuple) else found
    return value


def put_off(trace: Trace, name: str, work: Callable[..., object], /, *given: object, **named: object) -> Gap:
    """Return the gap that some work will make of values, some of which are known only for a client."""

    def resolve(values: Values) -> object:
        return work(
            *(settled(each, values, trace) for each in given),
            **{key: settled(each, values, trace) for key, each in named.items()},
        )

    key = (name, *(_key(each) for each in given), *((key, _key(each)) for key, each in named.items()))
    return Gap(trace, resolve, key)


def has_tags(value: object) -> bool:
    """Say whether a value is markup that holds tags."""
    return isinstance(value, Markup) and "<" in value


def _meant(mark: str, trace: Trace) -> Gap:
    if mark.isdecimal() and int(mark) < len(trace.printed):
        return trace.printed[int(mark)]
    if mark in set(Hole):
        return Gap.of(Hole(mark), trace)
    raise RenderingError(_LOST)


def _key(value: object) -> object:
    if isinstance(value, Gap):
        return value.key
    if isinstance(value, list | tuple):
        return type(value), *(_key(each) for each in value)
    if isinstance(value, str | int | float | Decimal | date) or value is None:
        return type(value), value
    # What a gap is made of lives as long as the gap, so nothing else can have its number meanwhile.
    return "object", id(value)
