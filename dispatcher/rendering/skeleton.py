"""A text compiled once with holes in it: what differs from client to client is filled in last."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import NoReturn

from dispatcher.errors import RenderingError
from dispatcher.rules.campaign import Campaign, Language


class Hole(StrEnum):
    """What differs between two clients of one shape; there is nothing else (invariant 7)."""

    FIRST_NAME = "first_name"
    AGREED_ON = "agreed_on"
    WHY_SENT = "why_sent"
    OPT_OUT_URL = "opt_out_url"
    ENDS_ON = "ends_on"
    RENEW_URL = "renew_url"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a template may decide upon: the language, whether a first name and a day of the yes are known.

    `renewing`: the yes ends soon, and the message asks whether to go on.
    """

    language: Language
    named: bool
    dated: bool
    renewing: bool = False


def shapes_of(campaign: Campaign) -> list[Shape]:
    """Return every shape of client that a campaign can meet."""
    languages = campaign.audience.languages or frozenset(Language)
    return [Shape(*each) for each in product(sorted(languages), (True, False), (True, False), (True, False))]


# A mark is letters of both cases and private-use signs that no one writes: whatever a filter makes of it is found
# afterwards, be it only a change of case.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKS = {f"hO{_OPEN}le{hole.replace('_', '')}{_CLOSE}": hole for hole in Hole}
_CUT = re.compile("|".join(_MARKS))
_CUT_AND_KEPT = re.compile(f"({'|'.join(_MARKS)})")
_TRACE = re.compile(f"[{_OPEN}{_CLOSE}]|" + "|".join(f"le{hole.replace('_', '')}" for hole in Hole), re.IGNORECASE)


class Gap:
    """What stands for a hole while a template runs: it can be printed and asked for, and nothing else."""

    __slots__ = ("_hole", "_mark")

    def __init__(self, hole: Hole) -> None:
        self._hole = hole
        self._mark = next(mark for mark, marked in _MARKS.items() if marked is hole)

    def __str__(self) -> str:
        return self._mark

    def __html__(self) -> str:
        return self._mark

    def __eq__(self, other: object) -> NoReturn:
        raise RenderingError(_LAST.format(hole=self._hole))

    def __hash__(self) -> NoReturn:
        raise RenderingError(_LAST.format(hole=self._hole))


_LAST = (
    "{hole} is filled in last, for each client: a template can print it as it is or ask whether it is there "
    "({{% if %}}), but not change or compare it"
)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A text in pieces, some of them holes."""

    pieces: tuple[str | Hole, ...]

    @classmethod
    def cut(cls, rendered: str) -> "Skeleton":
        """Return the skeleton of what a template made with gaps.

        Raises RenderingError if a filter of the template has altered a gap.
        """
        pieces = tuple(_MARKS.get(piece, piece) for piece in _CUT_AND_KEPT.split(rendered) if piece)
        if _TRACE.search("".join(piece for piece in pieces if not isinstance(piece, Hole))):
            raise RenderingError(_LAST.format(hole="what differs from client to client"))
        return cls(pieces)

    @property
    def holes(self) -> frozenset[Hole]:
        """Return which holes the text has."""
        return frozenset(piece for piece in self.pieces if isinstance(piece, Hole))

    def fill(self, values: Mapping[Hole, str]) -> str:
        """Return the text with its holes filled; nothing is escaped here."""
        return "".join([values[piece] if isinstance(piece, Hole) else piece for piece in self.pieces])


def without_gaps(rendered: str) -> str:
    """Return what a template made, with each gap taken out."""
    return _CUT.sub("", rendered)


def is_only(hole: Hole, rendered: str) -> bool:
    """Say whether a piece of text is this gap and nothing beside it."""
    return _MARKS.get(rendered.strip()) is hole
