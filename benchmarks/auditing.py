"""Measures the audit: entries a second at `audit verify`, the time of `audit year`, and the memory of both.

Ledgers of three sizes on SQLite and of the middle one on PostgreSQL, each read by a process of its own, so that growth
shows. Verify recomputes digests and chains, decides every message again, and compares every message with the outbox.

It lacks clients who change their minds.
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from benchmarks import big_ledger, measuring
from benchmarks.installation import postgresql, room
from benchmarks.measuring import Figure
from dispatcher import wiring
from tests.clock import FixedClock

_SIZES, _FULL = (10_000, 100_000), (10_000, 100_000, 300_000, 1_000_000)
_ON_POSTGRESQL = 100_000


def main() -> None:
    """Measure, print and keep the figures."""
    sizes = _FULL if measuring.is_full(__doc__) else _SIZES
    figures = []
    for size in sizes:
        with room() as directory:
            figures += _measured(directory / "studio", size)
    with room() as directory, postgresql(directory) as server:
        databases = (server.create("ledger", "template1"), server.create("journal", "template1"))
        figures += _measured(directory / "studio", _ON_POSTGRESQL, databases)
    measuring.report("auditing", figures, [f"{big_ledger.A_CLIENT} entries a client, {big_ledger.CAMPAIGNS} campaigns"])


def _measured(directory: Path, size: int, databases: Sequence[str] = ()) -> list[Figure]:
    """Write a ledger and return what reading it takes; `databases` are the URLs of it and of its journal."""
    where = ", PostgreSQL" if databases else ""
    with measuring.new_process() as process:
        process.submit(big_ledger.write, directory, size, *databases).result()
    runs = {}
    for name, run in (("verify", _verify), ("year", _year)):
        with measuring.new_process() as process:
            runs[name] = process.submit(run, directory).result()
    (entries, verified, peak), (_, audited, peak_of_year) = runs["verify"], runs["year"]
    print(f"  {entries:,} entries{where}: verify {verified:.1f} s, year {audited:.1f} s", flush=True)
    return [
        Figure(f"verify, {size:,} entries{where}", "entries/s", (entries / verified,), None, peak),
        Figure(f"year, {size:,} entries{where}", "s", (audited,), None, peak_of_year),
    ]


def _verify(directory: Path) -> tuple[int, float, float]:
    beside = 0.0

    def look(done: int, total: int) -> None:
        nonlocal beside
        if not beside and done * 20 > total * 19:
            beside = measuring.peak_of_children()

    with wiring.opened(directory, FixedClock(big_ledger.AFTERWARDS)) as dispatcher:
        began = perf_counter()
        found = dispatcher.audit.verify(look)
        seconds = perf_counter() - began
    assert found.ok, found.findings[:5]
    return found.entries, seconds, measuring.peak_memory() + beside


def _year(directory: Path) -> tuple[int, float, float]:
    with wiring.opened(directory, FixedClock(big_ledger.AFTERWARDS)) as dispatcher:
        began = perf_counter()
        found = dispatcher.audit.year(big_ledger.YEAR)
        seconds = perf_counter() - began
    assert found.ok, found.findings[:5]
    return found.chain.entries, seconds, measuring.peak_memory()


if __name__ == "__main__":
    main()
