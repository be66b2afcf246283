"""What a person says about an import: that it is whole, and who its doubtful rows are; asked, never guessed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dispatcher.flow.matching import Doubt
from dispatcher.rules.absence import Absence

_ASKED_AT_MOST = 200
"""So many doubtful rows of one file are asked about; whoever has more has to correct the register."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a person says about an import: beforehand, and when they are asked.

    `is_whole`: the file is the whole register, so that who is missing from it is gone; `missing_ok`: however many they
    are. Where that is not said beforehand, `agree` is asked about more than a tenth. `matches` says of a doubtful row
    by its number who it is: the number of a client, or NEW_CLIENT. `choose` is asked the same about every other
    doubtful row and returns None to leave it as it is.
    """

    is_whole: bool = False
    missing_ok: bool = False
    agree: Callable[[Absence], bool] = lambda _: False
    matches: Mapping[int, int] = field(default_factory=dict)
    choose: Callable[[Doubt], int | None] | None = None


NO_GUIDANCE = Guidance()
"""Nothing is said: the file may be a part of the register, and doubtful rows are left."""


class Doubts:
    """The doubtful rows of one import, and what a person has said of them."""

    def __init__(self, guidance: Guidance) -> None:
        self._told = dict(guidance.matches)
        self._choose = guidance.choose
        self._open: list[Doubt] = []
        self._unheeded = set(guidance.matches)

    def told(self, row: int) -> int | None:
        """Return who a person has said this row is, or None."""
        return self._told.get(row)

    def heed(self, row: int) -> None:
        """Take in that this row was in doubt."""
        self._unheeded.discard(row)

    def add(self, doubt: Doubt) -> None:
        """Keep a doubt until somebody is asked about it."""
        self.heed(doubt.row.row)
        if self._choose is not None and len(self._open) < _ASKED_AT_MOST:
            self._open.append(doubt)

    def settled(self) -> Iterator[Doubt]:
        """Ask about each doubt, and yield those of which somebody said who it is."""
        asked, self._open = self._open, []
        for doubt in asked:
            told = self._choose(doubt) if self._choose else None
            if told is not None:
                self._told[doubt.row.row] = told
                yield doubt

    def unheeded(self) -> list[tuple[int, str]]:
        """Return a remark for each row of which somebody said who it is although it was in no doubt."""
        return [(row, "No row of this number was in doubt: --match was not needed.") for row in sorted(self._unheeded)]
