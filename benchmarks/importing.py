"""Measures the import of a register: rows a second and the highest use of memory, for a small and a large export.

Each import runs in a process of its own on a new SQLite database on the disk, through the same flow as the command, as
the whole register; then the unchanged file is imported again, which looks first who would be gone and must change
nothing. Rates and memory are measured by the small export: the ratios say what ten times as many rows cost.

It lacks PostgreSQL and the messy rows of real exports: every row is new, whole, and says yes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import measuring
from benchmarks.installation import BEGINNING, begin, room, write_register
from benchmarks.measuring import Figure
from dispatcher import wiring
from dispatcher.flow import presence
from dispatcher.flow.doubts import Guidance
from dispatcher.register_files import open_register
from dispatcher.rules.absence import Absence
from tests.clock import FixedClock

_SMALL, _LARGE = 10_000, 100_000
_WHOLE = Guidance(is_whole=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """Seconds of the first import, of the second, and of the look ahead in it; the highest use of memory in MB."""

    first: float
    again: float
    ahead: float
    memory_before: float
    memory: float
    memory_again: float


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    # The large export takes long, so by default it is measured once, between measurements of the small one.
    sizes = [_SMALL, _LARGE, _SMALL] * (3 if full else 1)
    runs: dict[int, list[_Run]] = {_SMALL: [], _LARGE: []}
    for size in sizes:
        with room() as directory, measuring.new_process() as process:
            run = process.submit(_import, directory, size).result()
        runs[size].append(run)
        print(f"  {size:,} rows: {size / run.first:,.0f} rows/s, again {size / run.again:,.0f} rows/s", flush=True)
    measuring.report("importing", [*_rates(runs), *_memory(runs)])


def _import(directory: Path, size: int) -> _Run:
    """Import a register twice. Runs in a process of its own, whose memory nothing else has used."""
    export = write_register(directory / "register.csv", size)
    begin(directory / "studio")
    with wiring.opened(directory / "studio", FixedClock(BEGINNING)) as dispatcher:
        actor = dispatcher.persons.acting(None)
        before = measuring.peak_memory()
        began = perf_counter()
        report = dispatcher.enrol.run(export, actor, guidance=_WHOLE)
        first, memory = perf_counter() - began, measuring.peak_memory()
        assert report.counts["created"] == size, report.counts
        began = perf_counter()
        report = dispatcher.enrol.run(export, actor, guidance=_WHOLE)
        again, memory_again = perf_counter() - began, measuring.peak_memory()
        assert report.counts["unchanged"] == size, report.counts
        ahead = perf_counter()
        file = open_register(export, dispatcher.sources.register_map(), dispatcher.store.clock())
        absence = presence.foretell(dispatcher.store, file.names())
        ahead = perf_counter() - ahead
        assert absence == Absence(0, size), absence
    return _Run(first, again, ahead, before, memory, memory_again)


def _rates(runs: dict[int, list[_Run]]) -> list[Figure]:
    found = []
    ways = (("import", "first"), ("the same file again", "again"), ("of it the look ahead", "ahead"))
    for title, seconds in ((title, attrgetter(name)) for title, name in ways):
        rates = {size: tuple(size / seconds(run) for run in done) for size, done in runs.items()}
        measured_by = median(rates[_SMALL])
        found += [
            Figure(f"{title}, {size:,} rows", "rows/s", each, median(each) / measured_by)
            for size, each in rates.items()
        ]
    return found


def _memory(runs: dict[int, list[_Run]]) -> list[Figure]:
    before = tuple(run.memory_before for done in runs.values() for run in done)
    found = [Figure("memory before importing", "MB", before, median(before) / _middle(runs[_SMALL], "memory"))]
    for title, name in (("highest memory", "memory"), ("highest memory, with the second import", "memory_again")):
        measured_by = _middle(runs[_SMALL], name)
        for size, done in runs.items():
            each = tuple(getattr(run, name) for run in done)
            found.append(Figure(f"{title}, {size:,} rows", "MB", each, median(each) / measured_by))
    return found


def _middle(runs: Sequence[_Run], name: str) -> float:
    return median(getattr(run, name) for run in runs)


if __name__ == "__main__":
    main()
