"""What a gap came to for earlier clients: many share a name or a day, and the same values make the same text."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from dispatcher.rendering.gaps import Hole, Values

Written = Callable[[Values], str]
"""What stands in a hole for one client, ready for the text around it."""

_MOST = 1_000
"""How many texts are remembered of one gap at most; it begins anew then."""
_OWN = frozenset({Hole.OPT_OUT_URL, Hole.RENEW_URL})
"""What no two clients share."""


class Remembered:
    """Makes a text of a client's values, and remembers it by those values that were asked for to make it.

    Whoever has the same values in these holes gets the same text: what is asked for next depends on nothing else.
    """

    __slots__ = ("_known", "_make")

    def __init__(self, make: Written) -> None:
        self._make = make
        self._known: dict[tuple[Hole, ...], tuple[Callable[[Values], Any], dict[Any, str]]] = {}

    def __call__(self, values: Values) -> str:
        """Return the text of one client. Raises what making it raises."""
        for key, known in self._known.values():
            found = known.get(key(values))
            if found is not None:
                return found
        asked = _Asked(values)
        made = self._make(asked)
        holes = tuple(sorted(asked.holes))
        if holes and _OWN.isdisjoint(holes):
            key, known = self._known.setdefault(holes, (itemgetter(*holes), {}))
            if len(known) >= _MOST:
                known.clear()
            known[key(values)] = made
        return made


class _Asked(dict[Hole, str]):
    """The values of one client, and which of them were asked for."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self.holes: set[Hole] = set()

    def __getitem__(self, hole: Hole) -> str:
        self.holes.add(hole)
        return super().__getitem__(hole)
