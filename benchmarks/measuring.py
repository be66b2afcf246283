"""How the benchmarks measure: ways in turn, several rounds, medians with their spread, ratios within one round.

A figure by itself says little on a shared machine; what two ways did in the same minute can be compared. So every way
runs once in each round, and a ratio is the median over the rounds of what one way did against another in that round.
"""

import argparse
import json
import multiprocessing
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).with_name("results.json")
"""Where the figures of every benchmark stand, by its name; git ignores the file."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a process of its own did: what was measured, and the most memory it took, in MB."""

    measured: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way did in each round, in `unit`; `ratio` is against the way that the others are measured by.

    `peak_mb` is the most memory that the process of a way took, where it had one of its own.
    """

    name: str
    unit: str
    runs: tuple[float, ...]
    ratio: float | None = None
    peak_mb: float | None = None

    @property
    def middle(self) -> float:
        """Return the median over the rounds."""
        return median(self.runs)

    def as_json(self) -> dict[str, object]:
        """Return the figure with stable keys."""
        spread = {"median": self.middle, "lowest": min(self.runs), "highest": max(self.runs)}
        return {"unit": self.unit, **spread, "rounds": len(self.runs), "ratio": self.ratio}

    def as_rate(self) -> dict[str, float | None]:
        """Return the figure of a way to send; `spread` is what lies between the rounds, as a share of the median."""
        return {
            "messages_per_second": self.middle,
            "ratio": self.ratio,
            "spread": (max(self.runs) - min(self.runs)) / self.middle,
            "peak_mb": self.peak_mb,
        }


def is_full(description: str | None) -> bool:
    """Read the command line and say whether the long measurement is wanted."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--full", action="store_true", help="measure with many more messages or rows; takes long")
    return bool(parser.parse_args().full)


def in_turn(
    ways: Mapping[str, Callable[[], float | Run]], *, rounds: int, unit: str, measured_by: str, warm_up: bool = False
) -> list[Figure]:
    """Run every way once in each round and return its figures; each returns what it measured, more being better.

    `measured_by` names the way that every ratio is against; `warm_up` runs all once without counting.
    """
    runs: dict[str, list[float]] = {name: [] for name in ways}
    peaks: dict[str, float] = {}
    for turn in range(-1 if warm_up else 0, rounds):
        for name, way in ways.items():
            measured = way()
            if isinstance(measured, Run):
                peaks[name] = max(peaks.get(name, 0.0), measured.peak_mb)
                measured = measured.measured
            if turn >= 0:
                runs[name].append(measured)
                print(f"  round {turn + 1} of {rounds}: {name}: {_short(measured)} {unit}", flush=True)
    return [
        Figure(
            name,
            unit,
            tuple(found),
            median(a / b for a, b in zip(found, runs[measured_by], strict=True)),
            peaks.get(name),
        )
        for name, found in runs.items()
    ]


def new_process() -> ProcessPoolExecutor:
    """Give a process whose memory nothing else has used."""
    return ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn"))


def peak_memory() -> float:
    """Return the highest use of memory of this process so far, in MB (Linux; `getrusage` would count its parent's)."""
    return peak_of(os.getpid())


def peak_of(process: int) -> float:
    """Return the highest use of memory of a process so far, in MB (Linux); nought once it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1000 if found else 0.0


def peak_of_children() -> float:
    """Return the highest use of memory so far of the processes that this one has started, in MB (Linux)."""
    found, mine = 0.0, re.compile(rf"^PPid:\s+{os.getpid()}$", re.MULTILINE)
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # it has ended meanwhile
            if mine.search(status.read_text(encoding="ascii", errors="replace")):
                found += peak_of(int(status.parent.name))
    return found


def report(
    benchmark: str, figures: Sequence[Figure], notes: Sequence[str] = (), rates: Mapping[str, str] | None = None
) -> None:
    """Print figures as a table and keep them in `results.json` beside those of the other benchmarks.

    `rates` leads from names of figures to the keys under which their rates stand there as well.
    """
    width = max(len(figure.name) for figure in figures)
    print(f"\n  {'':{width}}  {'median':>9}  {'lowest':>9}  {'highest':>9}  {'ratio':>7}  {'peak MB':>7}")
    for figure in figures:
        spread = "  ".join(f"{_short(value):>9}" for value in (figure.middle, min(figure.runs), max(figure.runs)))
        ratio = f"{figure.ratio:7.3f}" if figure.ratio is not None else " " * 7
        peak = f"{figure.peak_mb:7.0f}" if figure.peak_mb is not None else " " * 7
        print(f"  {figure.name:{width}}  {spread}  {ratio}  {peak}  {figure.unit}")
    for note in notes:
        print(f"  {note}")
    print()
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept[benchmark] = {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "figures": {figure.name: figure.as_json() for figure in figures},
        "notes": list(notes),
    }
    kept |= {rates[figure.name]: figure.as_rate() for figure in figures if rates and figure.name in rates}
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"
