"""The order of a run's tests: what takes long begins first, at every worker."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def dealt(long: Sequence[Item], short: Sequence[Item], workers: int) -> list[Item]:
    """Return all of them so that each worker's share begins with as many long ones as any other's.

    pytest-xdist cuts the list into as many parts as there are workers, and who has none left takes from another's end.
    """
    order: list[Item] = []
    left, rest = len(long) + len(short), list(short)
    for worker in range(workers):
        share = left // (workers - worker)
        left -= share
        first = long[worker::workers]
        room = max(share - len(first), 0)
        order += [*first, *rest[:room]]
        del rest[:room]
    return order + rest
