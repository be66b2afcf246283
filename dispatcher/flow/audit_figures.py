"""What a year's audit tells beside the campaigns, as values: noes, requests, other mail, and whether all were asked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from dispatcher.rules.audit_beside import AskedRecord, Beside
from dispatcher.rules.ledger import Json
from dispatcher.rules.message import MessageState

_SPANS = ((60, "minute"), (3_600, "hour"), (86_400, "day"), (7 * 86_400, "week"))
_OPEN = (MessageState.ATTEMPTING, MessageState.DEFERRED)


@dataclass(frozen=True, slots=True)
class AskedFigures:
    """Of how many clients with a visit how many were asked at the last one or since, when it was last looked over."""

    day: date
    visited: int
    asked: int

    @property
    def percent(self) -> int | None:
        """Return the share in whole percent, rounded down, or None where nobody had visited."""
        return self.asked * 100 // self.visited if self.visited else None

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        return {"day": self.day.isoformat(), "visited": self.visited, "asked": self.asked, "percent": self.percent}


@dataclass(frozen=True, slots=True)
class NoFigures:
    """Who said no in the year, and how fast it took effect: from the earliest moment it can have been said.

    `median_seconds` and `longest_seconds` are None where no time is known; `within` counts them by how long it took.
    For `withheld`, `in_hand`, `in_hand_left` and `left_after` see rules.audit_noes.
    """

    clients: int
    withdrawn: int
    declined: int
    places: Mapping[str, int]
    median_seconds: int | None
    longest_seconds: int | None
    within: Mapping[str, int]
    untimed: int
    withheld: int
    in_hand: int
    in_hand_left: int
    left_after: int

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        figures: dict[str, Json] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**figures, "places": dict(self.places), "within": dict(self.within)}


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """The requests of one kind that were opened in the year; days are local, from the asking to the answer."""

    kind: str
    opened: int
    answered: int
    refused: int
    open: int
    late: int
    median_days: int | None
    longest_days: int | None

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class LetterFigures:
    """What left beside the campaigns, of one purpose by one channel; accepted and unknown are what left."""

    purpose: str
    channel: str
    asked: int
    accepted: int
    refused: int
    unknown: int
    open: int
    withheld: int

    def as_json(self) -> dict[str, Json]:
        """Return the counts with stable keys."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class BesideFigures:
    """All of it; `held` counts how often a campaign was held, by why."""

    asked: AskedFigures | None
    noes: NoFigures
    requests: tuple[RequestFigures, ...]
    letters: tuple[LetterFigures, ...]
    held: Mapping[str, int]


def beside_figures(beside: Beside) -> BesideFigures:
    """Return what was added up beside the campaigns."""
    return BesideFigures(
        asked=_asked(beside.asked),
        noes=_noes(beside),
        requests=tuple(_requests(beside)),
        letters=tuple(_letters(beside)),
        held=dict(sorted(beside.held.items())),
    )


def _asked(record: AskedRecord | None) -> AskedFigures | None:
    return AskedFigures(record.day, record.visited, record.asked) if record else None


def _noes(beside: Beside) -> NoFigures:
    noes = beside.no_check.noes
    within = {name: 0 for _, name in _SPANS} | {"longer": 0}
    for seconds, count in noes.seconds.items():
        within[next((name for at_most, name in _SPANS if seconds <= at_most), "longer")] += count
    return NoFigures(
        clients=len(noes.clients),
        withdrawn=noes.by_reply["withdrawn"],
        declined=noes.by_reply["declined"],
        places=dict(sorted(noes.by_place.items())),
        median_seconds=_median(noes.seconds),
        longest_seconds=max(noes.seconds, default=None),
        within=within,
        untimed=noes.untimed,
        withheld=noes.withheld,
        in_hand=noes.in_hand,
        in_hand_left=noes.in_hand_left,
        left_after=noes.left_after,
    )


def _requests(beside: Beside) -> list[RequestFigures]:
    return [
        RequestFigures(
            kind=kind,
            opened=record.opened,
            answered=record.days.total(),
            refused=record.refused,
            open=record.open,
            late=record.late,
            median_days=_median(record.days),
            longest_days=max(record.days, default=None),
        )
        for kind, record in sorted(beside.requests.records.items())
    ]


def _letters(beside: Beside) -> list[LetterFigures]:
    return [
        LetterFigures(
            purpose=purpose,
            channel=channel,
            asked=record.asked,
            accepted=record.standing[MessageState.ACCEPTED],
            refused=record.standing[MessageState.REFUSED],
            unknown=record.standing[MessageState.UNKNOWN],
            open=sum(record.standing[state] for state in _OPEN),
            withheld=record.standing[MessageState.WITHHELD],
        )
        for (purpose, channel), record in sorted(beside.letters.records.items())
    ]


def _median(counts: Counter[int]) -> int | None:
    """Return the value in the middle, the lower of two, or None where there is none."""
    left = (counts.total() + 1) // 2
    for number, count in sorted(counts.items()):
        left -= count
        if count and left <= 0:
            return number
    return None
