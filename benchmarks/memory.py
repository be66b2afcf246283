"""Measures the memory that planning and delivering a campaign take, for a small register and one ten times as large.

Each size is planned and delivered in a process of its own, on SQLite on the disk, to Postfix's `smtp-sink` on this
machine. The register is imported by another process before, so that nothing of the import is in the figures. What is
streamed does not grow with the audience: the highest use for the large register may be 1.2 times that for the small.

It lacks PostgreSQL, text messages, and a mail server that takes its time.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import measuring
from benchmarks.delivery import is_postfix_here, sink
from benchmarks.installation import CAMPAIGN, Prepared, Setup, room
from benchmarks.measuring import Figure
from dispatcher.engine.embedded import settle_down

_ALLOWED = 1.2


@dataclass(frozen=True, slots=True)
class _Run:
    """The highest use of memory in MB at three moments, and how many clients and messages went in a second."""

    before: float
    planned: float
    delivered: float
    plan_rate: float
    delivery_rate: float


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    if not is_postfix_here():
        sys.exit("The memory benchmark needs postfix: apt-get install postfix")
    small, large = (50_000, 500_000) if full else (5_000, 50_000)
    runs: dict[int, list[_Run]] = {small: [], large: []}
    # The large one takes long, so it is measured once, between two measurements of the small one.
    for size in (small, large, small):
        with room() as directory, sink() as port:
            with measuring.new_process() as process:
                prepared = process.submit(_prepare, directory, size).result()
            with measuring.new_process() as process:
                run = process.submit(_run, prepared, size, port).result()
        runs[size].append(run)
        print(
            f"  {size:,} clients: {run.before:,.0f} MB before, {run.planned:,.0f} MB planned, {run.delivered:,.0f} MB "
            f"delivered; {run.plan_rate:,.0f} clients/s, {run.delivery_rate:,.0f} messages/s",
            flush=True,
        )
    figures = []
    for title, name in (("before", "before"), ("planned", "planned"), ("planned and delivered", "delivered")):
        measured_by = median(getattr(run, name) for run in runs[small])
        for size, done in runs.items():
            each = tuple(getattr(run, name) for run in done)
            figures.append(Figure(f"{title}, {size:,} clients", "MB", each, median(each) / measured_by))
    measuring.report("memory", figures, [f"at most {_ALLOWED} times as much for ten times the clients"])


def _prepare(directory: Path, size: int) -> Prepared:
    """Import a register and schedule the campaign. Runs in a process of its own."""
    return Prepared(directory / "studio", None, size, planned=False)


def _run(prepared: Prepared, size: int, port: int) -> _Run:
    """Plan and deliver. Runs in a process of its own, whose memory nothing else has used."""
    with prepared.copy(Setup(port, sessions=10, per_connection=1_000)) as dispatcher:
        campaign = dispatcher.lifecycle.named(CAMPAIGN)
        settle_down()
        before, began = measuring.peak_memory(), perf_counter()
        plan = dispatcher.plan.run(campaign)
        seconds, planned, began = perf_counter() - began, measuring.peak_memory(), perf_counter()
        report = asyncio.run(dispatcher.deliver.run(dispatcher.lifecycle.named(CAMPAIGN)))
        delivering = perf_counter() - began
    assert plan.planned == size, plan
    assert report.outcomes == {"accepted": size}, report
    return _Run(before, planned, measuring.peak_memory(), size / seconds, size / delivering)


if __name__ == "__main__":
    main()
