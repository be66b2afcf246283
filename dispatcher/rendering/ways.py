"""The ways through a template: one for each answer to what it asks about a client, each made once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from dispatcher.rendering.gaps import Gap, Trace, Values

MOST = 8
"""How many ways of one template are made and looked at before the first client."""
KEPT = 64
"""How many are kept for the clients to come: a loop over letters has more ways than there is memory."""

Made = TypeVar("Made")


@dataclass(slots=True)
class _Fork(Generic[Made]):
    """A question, and what is behind either answer where it has been made."""

    gap: Gap
    behind: dict[bool, "_Fork[Made] | _End[Made]"]


@dataclass(frozen=True, slots=True)
class _End(Generic[Made]):
    made: Made


class Ways(Generic[Made]):
    """What one template makes, by the answers to its questions.

    `make` goes one way and returns what it makes. The first `MOST` ways are made at once, so that a fault in any of
    them is found before the first client; the others when a client needs them. Of all of them `KEPT` are made once,
    and any beyond anew for each client.
    """

    def __init__(self, make: Callable[[Trace], Made]) -> None:
        self._make = make
        self._root: _Fork[Made] | _End[Made] | None = None
        self._kept = 0
        self.ahead = tuple(made for made, _ in zip(self._explored(), range(MOST), strict=False))

    @classmethod
    def one(cls, made: Made) -> "Ways[Made]":
        """Return what is the same whatever a client is."""
        return cls(lambda _: made)

    def of(self, values: Values) -> Made:
        """Return what this client gets. Raises what `make` raises, for a way that nobody has gone before."""
        node, answers = self._root, []
        while isinstance(node, _Fork):
            answers.append(bool(node.gap.resolve(values)))
            node = node.behind.get(answers[-1])
        if isinstance(node, _End):
            return node.made
        return self._gone(values, answers)

    def _gone(self, values: Values, answers: list[bool]) -> Made:
        """Go on from the last question that has been asked, as far as this client's answers lead."""
        while True:
            trace = Trace(answers)
            made = self._make(trace)
            for gap, taken in trace.asked[len(answers) :]:
                answer = bool(gap.resolve(values))
                answers.append(answer)
                if answer != taken:
                    break
            else:
                self._keep(trace, made)
                return made

    def _explored(self) -> Iterator[Made]:
        """Yield what each way makes, depth first."""
        waiting: list[list[bool]] = [[]]
        while waiting:
            answers = waiting.pop()
            trace = Trace(answers)
            made = self._make(trace)
            self._keep(trace, made)
            taken = [answer for _, answer in trace.asked]
            waiting += [[*taken[:place], not taken[place]] for place in range(len(answers), len(taken))]
            yield made

    def _keep(self, trace: Trace, made: Made) -> None:
        if self._kept == KEPT:
            return
        self._kept += 1
        end: _Fork[Made] | _End[Made] = _End(made)
        if not trace.asked:
            self._root = end
            return
        first, _ = trace.asked[0]
        if not isinstance(self._root, _Fork):
            self._root = _Fork(first, {})
        node = self._root
        for (_, answer), (gap, _) in zip(trace.asked, trace.asked[1:], strict=False):
            behind = node.behind.get(answer)
            if not isinstance(behind, _Fork):
                behind = node.behind[answer] = _Fork(gap, {})
            node = behind
        node.behind[trace.asked[-1][1]] = end
