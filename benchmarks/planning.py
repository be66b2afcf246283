"""Measures planning: clients a second, and the longest time that one chunk keeps other writers waiting.

A register of clients who said yes is planned for one campaign by email, on SQLite and on PostgreSQL; each round plans a
fresh copy. A chunk is one transaction: its time is that from the commit before to its own, so nothing is left out.

It lacks clients with a long past: nobody has had a message before.
"""

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter

from benchmarks import measuring
from benchmarks.installation import CAMPAIGN, Prepared, Setup, postgresql, room
from benchmarks.measuring import Figure
from dispatcher.engine.embedded import settle_down


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    clients = 50_000 if full else 5_000
    with room() as directory, postgresql(directory) as server:
        longest: dict[str, list[float]] = {}
        ways: dict[str, Callable[[], float]] = {}
        for name, its_server in (("SQLite", None), ("PostgreSQL", server)):
            prepared = Prepared(directory / f"on-{name.lower()}", its_server, clients, planned=False)
            longest[name] = []
            ways[name] = _way(prepared, clients, longest[name])
        rates = measuring.in_turn(ways, rounds=5 if full else 3, unit="clients/s", measured_by="SQLite")
    chunks = [Figure(f"{name}, longest chunk", "ms", tuple(times)) for name, times in longest.items()]
    measuring.report("planning", [*rates, *chunks], [f"{clients:,} clients"])


def _way(prepared: Prepared, clients: int, longest: list[float]) -> Callable[[], float]:
    """Return a way that plans a copy, says its rate, and notes the longest chunk in milliseconds."""

    def plan() -> float:
        with prepared.copy(Setup()) as dispatcher:
            moments: list[float] = []
            campaign = dispatcher.lifecycle.named(CAMPAIGN)
            settle_down()  # as the sender does when it begins
            began = perf_counter()
            report = dispatcher.plan.run(campaign, lambda _done, _all: moments.append(perf_counter()))
            seconds = perf_counter() - began
        assert report.planned == clients, report
        longest.append(max(after - before for before, after in pairwise(moments)) * 1000)
        return clients / seconds

    return plan


if __name__ == "__main__":
    main()
